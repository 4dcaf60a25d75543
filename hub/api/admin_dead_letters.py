"""Dead letters: what needs a person, grouped by cause, each with what to do about it."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from hub.api import bodies, views
from hub.api.admin_messages import Limit
from hub.api.auth import Viewer
from hub.api.desk import AtDesk
from hub.api.filters import Wanted
from hub.api.operations import described
from hub.store import dead_letters

router = APIRouter(tags=["dead letters"])
GroupBy = Annotated[Literal["issue", "none"], Query(description="`issue` groups what has the same cause.")]


@router.get("/dead-letters", operation_id="list_dead_letters", **described("viewer", 422))
def list_dead_letters(
    desk: AtDesk, caller: Viewer, wanted: Wanted, group_by: GroupBy = "issue", limit: Limit = 100
) -> bodies.DeadLetters:
    """Receipts and messages that died, deliveries that are dead, held or expired; not what was replayed or resolved.

    An issue has what sends it again: `replay`, the body of a replay; or, where all of it is held in doubt, in a batch
    or behind another delivery, so that no replay takes it, `release`, the body to release each of its deliveries with.
    """
    sees = caller.sees_personal_data
    with desk.engine.store.snapshot() as db:
        total = dead_letters.count(db, wanted)
        if group_by == "issue":
            found = dead_letters.issues(db, wanted)
            return bodies.DeadLetters(total=total, issues=[views.issue(issue, sees) for issue in found[:limit]])
        letters = dead_letters.find(db, wanted, limit)
    schemas = desk.engine.program.schemas
    return bodies.DeadLetters(total=total, items=[views.dead_letter(letter, schemas, sees) for letter in letters])
