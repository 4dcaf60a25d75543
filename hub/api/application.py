"""The application of a hub process: the admin API, the status page, health; the doors for documents beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from fastapi import FastAPI

import hub
from hub.api import (
    AsgiApp,
    admin_access,
    admin_backtests,
    admin_counts,
    admin_dead_letters,
    admin_deliveries,
    admin_deployments,
    admin_fields,
    admin_limits,
    admin_messages,
    admin_partners,
    admin_payloads,
    admin_replays,
    admin_switches,
    admin_traces,
    health,
    operations,
    problems,
    status,
)
from hub.api.desk import Deployer, Desk
from hub.pipeline.engine import Engine

PREFIX = "/api/v1"
_ROUTERS = (
    admin_messages.router, admin_payloads.router, admin_traces.router, admin_dead_letters.router,
    admin_deliveries.router, admin_replays.router, admin_backtests.router, admin_switches.routes,
    admin_switches.systems, admin_limits.router, admin_partners.router, admin_fields.router,
    admin_deployments.router, admin_access.keys, admin_access.trail, admin_counts.router,
)  # fmt: skip


def create_app(
    engine: Engine, ingest: AsgiApp | None = None, deployer: Deployer | None = None,
    others: Callable[[], Mapping[str, object]] | None = None, own_connectors: Path | None = None,
    soap: AsgiApp | None = None,
) -> FastAPI:  # fmt: skip
    """One hub process's application. ``ingest`` is mounted at ``/in``, ``soap`` at ``/soap``; without ``deployer``
    nothing is deployed.

    ``others`` tells of the processes beside it; without it, it is alone.
    """
    app = FastAPI(
        title="o2c-hub", version=hub.__version__, openapi_url=f"{PREFIX}/openapi.json", docs_url=None,
        redoc_url=None, redirect_slashes=False,
    )  # fmt: skip
    app.state.desk = Desk(engine, deployer, others=others, own_connectors=own_connectors)
    problems.install(app)
    if ingest is not None:
        app.mount("/in", ingest)
    if soap is not None:
        app.mount("/soap", soap)
    for router in _ROUTERS:
        app.include_router(router, prefix=PREFIX)
    app.include_router(health.router)
    app.include_router(status.router)
    app.openapi = partial(operations.describe, app)  # type: ignore[method-assign]
    return app
