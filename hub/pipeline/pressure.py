"""Back-pressure: where more waits or is stored than should, doors say so and folders are left alone, so that nothing
piles up.

Counts are of rows, up to the limit, every other second; between them a door looks at what is remembered of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hub.store import usage, waiting
from hub.store.database import Database
from hub.store.usage import HUB, ROUTE, SOURCE
from hub.systems import System

if TYPE_CHECKING:
    from hub.pipeline.engine import Engine
    from hub.pipeline.program import CompiledRoute

_EVERY_SECONDS = 2.0
_SHARE_OF_TIME = 20  # counting takes at most this part of the time


class Full(NamedTuple):
    """Why something cannot be taken in now: what the door answers, and when to come again."""

    status: int
    code: str
    retry_seconds: int
    detail: str


_BACKLOG = Full(429, "backlog", 5, "more is waiting than should be; send it again in a few seconds")
_SOURCE = Full(429, "backlog", 5, "more from this system is waiting than should be; send it again in a few seconds")
_TARGET = Full(429, "target_backlog", 30, "more is waiting for where this goes than should be; send it again later")
_ROUTE = Full(429, "route_backlog", 30, "more of this kind is waiting than should be; send it again later")
# Not 507: by RFC 4918 what was answered so must not be sent again by itself.
_QUOTA = Full(503, "quota", 60, "there is no room left for what comes from here; send it again later")


class Pressure:
    """What is full. Names are of systems; '' in ``_sources`` stands for all of them together."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._sources: dict[str, Full] = {}
        self._targets: set[str] = set()
        self._routes: dict[str, Full] = {}
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
        sources = {"": _BACKLOG} if waiting.unsplit(db, most + 1) > most else {}
        targets = set()
        for name, system in settings.systems.items():
            own, to_it = limits_of(system)
            if own and waiting.unsplit(db, own + 1, name) > own:
                sources[name] = _SOURCE
            if system.sends and to_it and waiting.deliveries(db, name, to_it + 1) > to_it:
                targets.add(name)
        routes = dict.fromkeys(self._full_routes(db), _ROUTE)
        for kind, name in usage.full(db):
            if kind in (HUB, SOURCE):
                sources[name] = _QUOTA
            elif kind == ROUTE:
                routes[name] = _QUOTA
        self._sources, self._targets, self._routes = sources, targets, routes

    def _full_routes(self, db: Database) -> list[str]:
        """The routes that have more deliveries waiting than their ``backlog:`` allows."""
        limits = {
            name: int(compiled.route.backlog["deliveries"])
            for name, compiled in self._engine.program.routes.items()
            if compiled.route.backlog.get("deliveries")
        }
        if not limits:
            return []
        systems = {
            name: {target.system.name for target in self._engine.program.routes[name].targets} for name in limits
        }
        counts = waiting.by_route(db, systems, max(limits.values()) + 1)
        return [name for name, most in limits.items() if counts[name] > most]

    def at_source(self, source: str) -> Full | None:
        """Why nothing more of a source can be taken in, if so; of '' where nothing more of any can."""
        if self._sources and (full := self._sources.get("") or self._sources.get(source)):
            return full
        return _BACKLOG if self._engine.backlog > self._engine.program.settings.http.backlog else None

    def at_targets(self, source: str, event: str) -> Full | None:
        """Why a document of a source cannot be taken in by its route, or where it goes to, if so."""
        if not self._targets and not self._routes:
            return None
        route = self._engine.program.select(source, event)
        return self._on_route(route) if route else None

    def _on_route(self, route: CompiledRoute) -> Full | None:
        if full := self._routes.get(route.route.name):
            return full
        return _TARGET if any(target.system.name in self._targets for target in route.targets) else None

    def holds_back(self, source: str) -> bool:
        """Whether nothing should be fetched from a source now."""
        if self.at_source(source):
            return True
        routes = self._engine.program.by_source.get(source, ()) if self._targets or self._routes else ()
        return any(self._on_route(route) for route in routes)


def limits_of(system: System) -> tuple[int, int]:
    """(documents of it not yet split, deliveries that wait for it) there may be; 0: any number."""
    return int(system.backlog.get("received") or 0), int(system.backlog.get("deliveries") or 0)
