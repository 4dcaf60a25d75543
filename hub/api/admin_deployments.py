"""Deployments: which set of project files is in force, and putting another one in force."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Response

from hub.api import asked, bodies
from hub.api.auth import Admin, Caller, Viewer
from hub.api.desk import AtDesk, Deployer, Desk
from hub.api.gate import Gated
from hub.api.idempotency import ActingOnce, Once
from hub.api.operations import described
from hub.clock import iso
from hub.errors import Conflict
from hub.store import sets
from hub.store.audit import Actor

router = APIRouter(tags=["deployments"], route_class=Gated)
_ACTING = described("admin", acting=True) | {"response_model": bodies.Deployed}


@router.get("/deployments", operation_id="list_deployments", **described("viewer"))
def list_deployments(desk: AtDesk, caller: Viewer) -> bodies.DeploymentList:
    """Which sets were put in force, the newest first."""
    rows = sets.listed(desk.engine.store.reader())
    items = [bodies.Deployment(**{**row, "activated_at": iso(row["activated_at"])}) for row in rows]
    return bodies.DeploymentList(active=desk.engine.program.set_id, items=items)


@router.post("/deployments", operation_id="deploy", **_ACTING)
def deploy(desk: AtDesk, caller: Admin, once: ActingOnce, body: asked.OptionalReason) -> Response:
    """Check the files of the project folder and put them in force; with any fault nothing changes (422, all faults).
    Every process reads its secrets again, also where no file has changed."""
    return _put_in_force(desk, caller, once, body, lambda deployer: deployer.deploy)


@router.post("/deployments/rollback", operation_id="rollback", **_ACTING)
def rollback(desk: AtDesk, caller: Admin, once: ActingOnce, body: asked.OptionalReason) -> Response:
    """Put the set before the one in force back in force."""
    return _put_in_force(desk, caller, once, body, lambda deployer: deployer.rollback)


def _put_in_force(
    desk: Desk, caller: Caller, once: Once, body: asked.OptionalReason,
    step: Callable[[Deployer], Callable[[Actor, str], int]],
) -> Response:  # fmt: skip
    def work() -> bodies.Deployed:
        if desk.deployer is None:
            raise Conflict("this process has no project folder; deploy where the folder is")
        return bodies.Deployed(set_id=step(desk.deployer)(caller.actor, body.reason))

    return once.run(caller, body, work)
