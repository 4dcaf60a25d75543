"""Who leads where several processes may sweep, and what only the one that leads does: it finds workers that died.

Whoever holds the lease leads, and renews it every second. When it dies the next one takes over within seconds; when it
ends on purpose, at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial

from hub import replay
from hub.clock import Clock
from hub.errors import StoreError
from hub.loggers import structlog
from hub.pipeline.engine import Engine
from hub.rounds import Chore, StoreNews
from hub.store import Store, leases, receipts
from hub.store.database import Database
from hub.sweeper import Sweeper

_log = structlog.get_logger("sweeper")
LEASE_SECONDS, _RENEW_SECONDS = 3.0, 1.0
# A leader that could not see the store for a while gives workers the time to renew what they hold.
_TRUST_SECONDS = 6.0
_LOOK_SECONDS = 10.0
_FORGET_SECONDS = 3600.0


class Leadership:
    """The lease of the one that leads, as far as the process called ``name`` can be sure of it."""

    def __init__(self, store: Store, clock: Clock, name: str, news: StoreNews) -> None:
        self._store, self._clock, self._name, self._news = store, clock, name, news
        self._sure_until = self._asked = float("-inf")
        self._since = 0.0

    def holds(self) -> bool:
        """Whether this process leads; asks the store every second."""
        now = self._clock.monotonic()
        if now >= self._asked + _RENEW_SECONDS:
            self._asked = now
            self._ask(now)
        return now < self._sure_until

    def _ask(self, now: float) -> None:
        hold = partial(leases.hold, name=leases.LEADER, holder=self._name, seconds=LEASE_SECONDS)
        try:
            held = self._store.write(hold, durable=False)
        except StoreError as error:
            self._news.note(str(error))
            return
        self._news.note("")
        if now >= self._sure_until:
            self._since = now
        self._sure_until = now + LEASE_SECONDS if held else float("-inf")

    @property
    def seconds(self) -> float:
        """How long this process has led without a gap."""
        return self._clock.monotonic() - self._since

    def end(self) -> None:
        with suppress(StoreError):  # it ends by itself
            self._store.write(lambda db: leases.let_go(db, leases.LEADER, self._name))


class Leader:
    """A process that sweeps while it leads, and stands by while another one does. ``make_sweeper`` is given the chores
    that only the one that leads has."""

    def __init__(self, engine: Engine, make_sweeper: Callable[[Mapping[str, Chore]], Sweeper]) -> None:
        self._engine, self._store = engine, engine.store
        forget = partial(leases.forget_ended, older_seconds=_FORGET_SECONDS)
        self.sweeper = make_sweeper({
            "dead workers": (0.5, self._recover),
            "read so far": (1.0, self._note_read),
            "old leases": (600.0, partial(self._write, forget)),
        })  # fmt: skip
        self.leadership = Leadership(engine.store, engine.clock, engine.worker, self.sweeper.store_news)
        self.is_leading = False
        self._firsts: list[tuple[str, int]] = []
        self._look_again = 0.0  # for workers gone without a trace; those whose lease has ended are seen at once

    def round(self) -> None:
        """One round, if this process leads."""
        leads = self.leadership.holds()
        if leads and not self.is_leading:
            _log.info("this sweeper leads", name=self._engine.worker)
            replay.resume(self._engine)
        if self.is_leading and not leads:
            _log.warning("this sweeper no longer leads", name=self._engine.worker)
        self.is_leading = leads
        if leads:
            self.sweeper.sweep()

    def _recover(self) -> None:
        """What workers that died had in hand is anybody's again."""
        db, moment = self._store.reader(), self._engine.clock.monotonic()
        if self.leadership.seconds < _TRUST_SECONDS or not (moment >= self._look_again or leases.some_ended(db)):
            return
        self._look_again = moment + _LOOK_SECONDS
        for worker in leases.abandoned(db):
            _log.warning("a worker died; what it had in hand goes on", worker=worker)
            self.sweeper.recover_from(worker)

    def _note_read(self) -> None:
        firsts = receipts.read_to(self._store.reader())
        if firsts != self._firsts:
            self._store.write(partial(receipts.note_read, firsts=firsts), durable=False)
            self._firsts = firsts

    def _write(self, job: Callable[[Database], None]) -> None:
        self._store.write(job)
