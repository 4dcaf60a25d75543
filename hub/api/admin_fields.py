"""Who uses a field of what comes in, over the set that is in force; known from its files, without running any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query

from hub.api.auth import Viewer
from hub.api.desk import AtDesk
from hub.api.operations import described
from hub.api.trace_bodies import FieldUses, FieldUseView
from hub.errors import NotFound
from hub.field_uses import uses_of_field
from hub.mapping import Mapping as DocumentMapping
from hub.pipeline.program import Program
from hub.routes import Route
from hub.yamldoc import did_you_mean

router = APIRouter(tags=["routes"])
_MOST = 1000
FieldPath = Annotated[
    str, Query(min_length=1, max_length=300, description="A field of the source; indexes do not matter.",
               examples=["line_items.sku"]),
]  # fmt: skip
RouteName = Annotated[str, Query(max_length=200, description="Only what this route takes in.")]


class _InForce(msgspec.Struct, frozen=True):
    routes: Sequence[Route]
    mappings: Mapping[str, DocumentMapping]


@router.get("/fields", operation_id="list_field_uses", **described("viewer", 404, 422))
def list_field_uses(desk: AtDesk, caller: Viewer, path: FieldPath, route: RouteName = "") -> FieldUses:
    """Every expression that uses a field of the source, what it makes of it, and below it whatever uses that."""
    program = desk.engine.program
    if route and route not in program.routes:
        raise NotFound(f"there is no route '{route}'{did_you_mean(route, program.routes)}")
    names = sorted({each.mapping.name for name, each in program.routes.items() if route in ("", name)})
    found = uses_of_field(_in_force(program), path, names)
    items = [FieldUseView.model_validate(asdict(use)) for use in found[:_MOST]]
    return FieldUses(path=path, set_id=program.set_id, total=len(found), items=items)


def _in_force(program: Program) -> _InForce:
    mappings = {each.mapping.name: each.mapping for each in program.routes.values()}
    targets = [target.mapping for each in program.routes.values() for target in each.targets]
    mappings |= {mapping.name: mapping for mapping in targets if mapping is not None}
    return _InForce([each.route for each in program.routes.values()], mappings)
