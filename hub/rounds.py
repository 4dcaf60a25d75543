"""What a process of the hub looks at several times a second: what had to wait for the store, deploys, its chores.

``Rounds.sweep`` is one round and does not sleep; ``run`` calls it from a thread of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from msgspec.structs import replace

from connectors.base import ConnectorError
from hub.deploy import active_program
from hub.errors import HubError, StoreAway
from hub.loggers import structlog
from hub.pipeline.engine import Engine
from hub.pipeline.program import Program
from hub.store import READ_ERRORS, sets

_log = structlog.get_logger("sweeper")
TICK_SECONDS = 0.25

Chore = tuple[float, Callable[[], object]]  # every so many seconds, this


class StoreNews:
    """Says once that the store is away and once that it is back: rounds come several times a second."""

    def __init__(self) -> None:
        self._away = ""

    def note(self, away: str) -> None:
        """``away`` says why the store cannot be used; nothing when it can."""
        if away and not self._away:
            _log.warning("the store is away; it is asked for until it is back", reason=away)
        if self._away and not away:
            _log.info("the store is back")
        self._away = away


class Rounds:
    """``chores`` are done now and then beside."""

    def __init__(
        self, engine: Engine, environment: str | None, chores: Mapping[str, Chore], own_connectors: Path | None = None
    ) -> None:
        self._engine, self._environment, self._own_connectors = engine, environment, own_connectors
        self._chores = dict(chores)
        self._next: dict[str, float] = dict.fromkeys(chores, 0.0)
        self._stop = threading.Event()
        self._followed: tuple[int, int] | None = None
        self.store_news = StoreNews()

    def _steps(self) -> Sequence[Callable[[], None]]:
        engine = self._engine
        return (
            engine.catch_up, self._follow_deploys, engine.dispatcher.refresh, engine.pressure.refresh, self._do_chores,
        )  # fmt: skip

    def sweep(self) -> None:
        """One round. What fails is logged and tried again in the next one."""
        away = ""
        for step in self._steps():
            try:
                step()
            except StoreAway as error:
                away = str(error)
                break  # nothing else can be done either, and each would wait for the server anew
            except (HubError, ConnectorError, *READ_ERRORS) as error:
                _log.warning("a sweep step failed and is tried again", step=step.__name__, reason=str(error))
            except Exception:
                # A mistake in one step must not end the one thread that retries, recovers and follows deploys.
                _log.exception("a sweep step failed and is tried again", step=step.__name__)
        self.store_news.note(away)

    def run(self) -> None:
        while not self._stop.wait(TICK_SECONDS):
            self.sweep()

    def stop(self) -> None:
        self._stop.set()

    def _follow_deploys(self) -> None:
        """Workers follow the row, not the disk. One that puts the same set in force again has secrets read again."""
        last = sets.last_activation(self._engine.store.reader())
        if last is not None and last[1] == self._engine.program.set_id and self._followed in (None, last):
            self._followed = last
            return
        known = self._engine.program
        is_known = last is not None and last[1] == known.set_id
        # Another one of the same, by which all that goes by a program knows that something was deployed.
        program = replace(known) if is_known else self._program_in_force()
        if program is not None:
            self._engine.activate(program)
            self._deployed()
            _log.info("a set of files was put in force", set_id=program.set_id, worker=self._engine.worker)
        self._followed = last

    def _program_in_force(self) -> Program | None:
        return active_program(self._engine.store, self._environment, self._own_connectors)

    def _deployed(self) -> None:
        """A set of files was put in force."""

    def _do_chores(self) -> None:
        now = self._engine.clock.monotonic()
        for name, (every, chore) in self._chores.items():
            if now >= self._next[name]:
                self._next[name] = now + every
                chore()
