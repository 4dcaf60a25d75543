"""The destinations that this process has open, one for each system, each opened when it is first needed.

One is kept as long as its system's settings and secrets are the same. Else it finishes what it has before another is
opened: both together would be more than the system bears. One that does not end within a minute is not waited for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from connectors.base import LATER, Adjustable, Destination, Recallable, Verdict
from hub.errors import UsageError
from hub.fields import Located
from hub.pipeline.gates import Bounds
from hub.secret import references
from hub.systems import System

if TYPE_CHECKING:
    from hub.pipeline.engine import Engine

Open = Callable[[System], Destination]
ENDING = Verdict(LATER, "closing", "not sent: the system is being opened anew", retry_after_seconds=0.0)
_LONGEST_END_SECONDS = 60.0
_RECALLED = Verdict(LATER, "circuit_open", "not sent: the system has failed too often", retry_after_seconds=0.0)


@dataclass(slots=True)
class _Opened:
    destination: Destination
    made_of: Any
    ends_until: float | None = None  # on the monotonic clock: it is ending, and so long the system waits for it


class Destinations:
    """``bounds`` gives what this process may use of a system at the moment."""

    def __init__(self, engine: Engine, open_destination: Open, bounds: Callable[[str], Bounds]) -> None:
        self._engine, self._open, self._bounds = engine, open_destination, bounds
        self._opened: dict[str, _Opened] = {}
        self._lock = threading.Lock()
        self._is_closed = False

    def of(self, name: str) -> Destination | None:
        """A system's destination; None while the one before is ending, or after the end. Raises what a connector raises
        that cannot be opened."""
        with self._lock:
            if self._is_ending(opened := self._opened.get(name)):
                return None
            if opened is None or opened.ends_until is not None:
                if self._is_closed:
                    return None
                system = self._engine.program.settings.systems[name]
                made_of = self._made_of(system)
                opened = self._opened[name] = _Opened(self._open(system), made_of)
                _adjust(opened.destination, self._bounds(name))
            return opened.destination

    def is_ending(self, name: str) -> bool:
        """Whether nothing can be sent to a system until its old destination has ended."""
        return self._is_ending(self._opened.get(name))

    def _is_ending(self, opened: _Opened | None) -> bool:
        return opened is not None and opened.ends_until is not None and self._now() < opened.ends_until

    def adjust(self, name: str, bounds: Bounds) -> None:
        """This is what a system may be sent from now on."""
        with self._lock:
            if (opened := self._opened.get(name)) is not None:
                _adjust(opened.destination, bounds)

    def recall(self, name: str) -> None:
        """What is queued for a system that has just been found to fail waits as rows, its tries unspent."""
        opened = self._opened.get(name)
        if opened is not None and isinstance(opened.destination, Recallable):
            opened.destination.recall(_RECALLED)

    def reconfigure(self) -> None:
        """Other files may be in force: those of which the settings or secrets are others are opened anew."""
        systems = self._engine.program.settings.systems
        with self._lock:  # one that is just being opened is among them
            found = list(self._opened.items())
        for name, opened in found:
            made_of = self._made_of(systems[name]) if name in systems else None
            if made_of is None or made_of != opened.made_of:
                self.reopen(name)

    def reopen(self, name: str) -> None:
        """Open a system anew, with what its secrets are by then, once its destination has finished what it has."""
        with self._lock:
            opened = self._opened.get(name)
            if opened is None or opened.ends_until is not None:
                return
            opened.ends_until = self._now() + _LONGEST_END_SECONDS
        self._engine.run_apart(partial(self._end, name, opened), name)

    def _end(self, name: str, opened: _Opened) -> None:
        try:
            if isinstance(opened.destination, Recallable):
                opened.destination.recall(ENDING)
            opened.destination.close()
        finally:
            with self._lock:
                if self._opened.get(name) is opened:
                    del self._opened[name]
            self._engine.wake.pump(name)

    def _now(self) -> float:
        return self._engine.clock.monotonic()

    def _made_of(self, system: System) -> Any:
        """What a destination is made of, to tell whether another would be the same; None where nobody can tell."""
        try:
            secrets = [self._engine.secret(one) for one in references(system.options)] if self._engine.secret else []
        except UsageError:
            return None
        return system.connector, _as_written(system.options), system.files, secrets

    def close(self) -> None:
        """Wait for the verdicts of what is under way; one that fails keeps no other open."""
        with self._lock:
            self._is_closed = True
            open_now = [each.destination for each in self._opened.values() if each.ends_until is None]
            self._opened.clear()  # a last round of the sweeper has nothing to adjust
        with ExitStack() as ends:
            for destination in open_now:
                ends.callback(destination.close)


def _as_written(value: Any) -> Any:
    """Settings without where they stand: a line above them changes nothing."""
    if isinstance(value, Mapping):
        return {name: _as_written(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_as_written(part) for part in value]
    return value.text if isinstance(value, Located) else value


def _adjust(destination: Destination, bounds: Bounds) -> None:
    if isinstance(destination, Adjustable):
        destination.adjust(bounds.rate, bounds.concurrency)
