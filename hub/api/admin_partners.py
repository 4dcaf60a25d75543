"""Trading partners: the last control numbers given, and what became of each interchange that was written."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from hub.api.auth import Viewer
from hub.api.bodies import Given
from hub.api.desk import AtDesk
from hub.api.operations import described
from hub.clock import iso
from hub.errors import NotFound
from hub.store import interchanges

router = APIRouter(tags=["partners"])
Name = Annotated[str, Path(max_length=100)]
Limit = Annotated[int, Query(ge=1, le=1000)]
Below = Annotated[int, Query(ge=1, description="Only control numbers below this one.")]


class PartnerView(Given):
    """A partner; ``last`` has the last control number of each kind."""

    name: str
    system: str
    syntax: str
    us: str
    them: str
    test: bool
    last: dict[str, int]
    unacknowledged: int


class PartnerList(Given):
    items: list[PartnerView]


class InterchangeView(Given):
    """One interchange; ``state``: waiting, sent, void (never sent), unknown, replayed, gone (pruned). ``ack`` is what
    the partner said of its syntax: received, accepted, partial (accepted, with errors noted), rejected or expired, as
    ``ack_receipt`` told; ``answer`` of its content: accepted or rejected, '' nothing. ``document`` is the number of
    what it carries."""

    interchange: int
    group: int
    message: int
    type: str
    delivery_id: str
    stamped_at: str
    state: str
    ack: str
    ack_receipt: str
    document: str
    answer: str


class InterchangeList(Given):
    items: list[InterchangeView]


@router.get("/partners", operation_id="list_partners", **described("viewer"))
def list_partners(desk: AtDesk, caller: Viewer) -> PartnerList:
    """The trading partners in force."""
    db = desk.engine.store.reader()
    last, waiting = interchanges.last_numbers(db), interchanges.unacknowledged(db)
    found = desk.engine.program.settings.partners.values()
    return PartnerList(items=[
        PartnerView(
            name=each.name, system=each.system, syntax=each.syntax, us=str(each.us), them=str(each.them),
            test=each.test, last=last.get(each.name, {}), unacknowledged=waiting.get(each.name, 0),
        )
        for each in found
    ])  # fmt: skip


@router.get("/partners/{name}/interchanges", operation_id="list_interchanges", **described("viewer", 404, 422))
def list_interchanges(
    desk: AtDesk, caller: Viewer, name: Name, limit: Limit = 100, below: Below = 1_000_000_000
) -> InterchangeList:
    """The interchanges written for a partner, the newest first: which numbers were sent, acknowledged or void."""
    if name not in desk.engine.program.settings.partners:
        raise NotFound(f"there is no partner '{name}' in the active set")
    rows = interchanges.listed(desk.engine.store.reader(), name, limit, below)
    return InterchangeList(items=[InterchangeView(**_shown(row)) for row in rows])


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "stamped_at": iso(row["stamped_at"])}
