"""Back-pressure: where more waits than should, doors answer 429 and folders are left alone, so that nothing piles up.

Counts are of rows, up to the limit, every other second; between them a door looks at a set in memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.store import waiting
from hub.systems import System

if TYPE_CHECKING:
    from hub.pipeline.engine import Engine

_EVERY_SECONDS = 2.0
_SHARE_OF_TIME = 20  # counting takes at most this part of the time


class Pressure:
    """What is full. Names are of systems; '' in ``_sources`` stands for all of them together."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sources: set[str] = set()
        self._targets: dict[str, int] = {}
        self._next = 0.0

    def refresh(self) -> None:
        """Count again, if it is time to."""
        began = self._engine.clock.monotonic()
        if began < self._next:
            return
        self._count()
        ended = self._engine.clock.monotonic()
        self._next = ended + max(_EVERY_SECONDS, _SHARE_OF_TIME * (ended - began))

    def _count(self) -> None:
        db, settings = self._engine.store.reader(), self._engine.program.settings
        most = settings.http.backlog
        full = {""} if waiting.unsplit(db, most + 1) > most else set()
        targets = {}
        for name, system in settings.systems.items():
            own, to_it = limits_of(system)
            if own and waiting.unsplit(db, own + 1, name) > own:
                full.add(name)
            if system.sends and to_it and waiting.deliveries(db, name, to_it + 1) > to_it:
                targets[name] = to_it
        self._sources, self._targets = full, targets

    def at_source(self, source: str) -> str:
        """Why nothing more of a source can be taken in, or ''."""
        if "" in self._sources or self._engine.backlog > self._engine.program.settings.http.backlog:
            return "more is waiting than should be; send it again in a few seconds"
        if source in self._sources:
            return "more from this system is waiting than should be; send it again in a few seconds"
        return ""

    def at_targets(self, source: str, event: str) -> str:
        """Why a document of a source cannot be taken in where it goes to, or ''."""
        if not self._targets:
            return ""
        route = self._engine.program.select(source, event)
        for target in route.targets if route else ():
            if target.system.name in self._targets:
                return "more is waiting for where this goes than should be; send it again later"
        return ""

    def holds_back(self, source: str) -> bool:
        """Whether nothing should be fetched from a source now."""
        if self.at_source(source):
            return True
        routes = self._engine.program.by_source.get(source, ()) if self._targets else ()
        return any(target.system.name in self._targets for route in routes for target in route.targets)


def limits_of(system: System) -> tuple[int, int]:
    """(documents of it not yet split, deliveries that wait for it) there may be; 0: any number."""
    return int(system.backlog.get("received") or 0), int(system.backlog.get("deliveries") or 0)
