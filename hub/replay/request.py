"""What a replay is asked to do, as a value that can be stored and compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from hub.errors import UsageError
from hub.store.search_terms import Filter

FAILED_STEP, START = "failed_step", "start"
AS_RUN, CURRENT = "as_run", "current"
SKIP, SEND = "skip", "send"
MOST_ITEMS = 100_000


class Request(msgspec.Struct, frozen=True):
    """Which things, from where, with which version.

    Either ``ids`` (of messages, receipts or deliveries) or a ``filter``. ``begin`` is ``failed_step`` (a dead delivery
    is sent again, a dead message goes through again) or ``start`` (the raw bytes go through again). ``version`` is
    ``current`` or ``as_run`` (the stored bytes, deliveries only). ``superseded`` and ``delivered`` say whether things
    are sent that a newer message has overtaken, or that were delivered already; from the start ``delivered`` means also
    what may have been delivered, was replayed before, or was dealt with by a person.
    """

    ids: tuple[str, ...] = ()
    filter: Filter = msgspec.field(default_factory=Filter)
    begin: str = FAILED_STEP
    version: str = CURRENT
    destinations: tuple[str, ...] = ()
    superseded: str = SKIP
    delivered: str = SKIP
    max_items: int = 5000
    rate_per_second: float | None = None
    reason: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {**msgspec.structs.asdict(self), "filter": msgspec.structs.asdict(self.filter)}


def request_of(stored: Mapping[str, Any]) -> Request:
    """The request that ``as_dict`` was stored of."""
    wanted = dict(stored["filter"])
    wanted["keys"] = tuple((scheme, value) for scheme, value in wanted["keys"])
    rest = {**stored, "filter": Filter(**wanted)}
    return Request(**{**rest, "ids": tuple(stored["ids"]), "destinations": tuple(stored["destinations"])})


_CHOICES = {
    "begin": (FAILED_STEP, START), "version": (AS_RUN, CURRENT), "superseded": (SKIP, SEND), "delivered": (SKIP, SEND),
}  # fmt: skip


def check(request: Request) -> None:
    """Raises UsageError where a request cannot be meant."""
    for name, choices in _CHOICES.items():
        value = getattr(request, name)
        if value not in choices:
            shown = "from" if name == "begin" else name
            raise UsageError(f"{shown}: expected {' or '.join(choices)}, got '{value}'")
    if bool(request.ids) != request.filter.is_empty:
        raise UsageError("select: say which, by ids or by a filter with at least one field, not both")
    if not 1 <= request.max_items <= MOST_ITEMS:
        raise UsageError(f"max_items: expected 1 to {MOST_ITEMS}, got {request.max_items}")
    if request.rate_per_second is not None and not 0.01 <= request.rate_per_second <= 10_000:
        raise UsageError(f"rate_per_second: expected 0.01 to 10000, got {request.rate_per_second:g}")
    if request.begin == START and request.version == AS_RUN:
        raise UsageError("version: as_run sends the stored bytes; from: start makes them anew, with version: current")
    if request.begin == START and request.destinations:
        raise UsageError("destinations: from: start goes to every target of the route; use from: failed_step")
    if request.delivered == SEND and not request.reason:
        raise UsageError("reason: say why something that was delivered is to be sent again")
