"""What the handlers work with: the engine, and what is kept beside it for as long as the application runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Protocol

import msgspec
from fastapi import Depends, Request

from hub.pipeline.engine import Engine
from hub.store.audit import Actor
from hub.store.tally import Tallier, Tally


class Deployer(Protocol):
    """Puts project files in force, which is in the audit. Both give the number of the set that is in force
    afterwards."""

    def deploy(self, actor: Actor, reason: str = "") -> int:
        """The project folder as it is now. Raises ProjectError with every fault."""
        ...

    def rollback(self, actor: Actor, reason: str = "") -> int:
        """The set before the one in force. Raises Conflict when there is none."""
        ...


class Desk(msgspec.Struct, frozen=True):
    """``deployer`` None: this process has no project folder to deploy from; ``others`` None: it is the whole hub.
    ``own_connectors`` is the folder of connectors of the project's own; ``unsure`` has acting requests of which
    nobody knows whether they were done, and the store not yet that: by who asked and key, what was asked."""

    engine: Engine
    deployer: Deployer | None = None
    tallier: Tallier = msgspec.field(default_factory=Tallier)
    others: Callable[[], Mapping[str, object]] | None = None
    own_connectors: Path | None = None
    unsure: dict[tuple[str, str], str] = msgspec.field(default_factory=dict)

    def tally(self) -> Tally:
        """The counts by state of this moment."""
        with self.engine.store.snapshot() as db:
            return self.tallier.count(db, self.engine.clock.epoch())


def desk_of(request: Request) -> Desk:
    """The desk of the application that a request came to."""
    desk: Desk = request.app.state.desk
    return desk


AtDesk = Annotated[Desk, Depends(desk_of)]
