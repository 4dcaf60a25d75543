"""``o2c sweep``: finds what is due, orphaned or lost by the broker, polls sources, tells people, prunes.

Of several, one leads: whoever holds the lease, renewed every second. When it dies the next one takes over within
seconds; when it ends on purpose, at once.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path

from hub import replay
from hub.backtest.background import Background
from hub.broker.publisher import Publisher
from hub.chores import beside_others, everything
from hub.errors import HubError, StoreError
from hub.loggers import structlog
from hub.roles.ground import Ground, begin
from hub.roles.readiness import tell
from hub.rounds import TICK_SECONDS, Chore, StoreNews
from hub.store import leases, receipts
from hub.sweeper import Sweeper

_log = structlog.get_logger("sweeper")
LEASE_SECONDS, _RENEW_SECONDS = 3.0, 1.0
# A leader that could not see the store for a while gives workers the time to renew what they hold.
_TRUST_SECONDS = 6.0
_LOOK_SECONDS = 10.0
_FORGET_SECONDS = 3600.0


class Leadership:
    """The lease of the one that leads, as far as this process can be sure of it."""

    def __init__(self, ground: Ground, news: StoreNews) -> None:
        self._ground, self._news = ground, news
        self._sure_until = self._asked = float("-inf")
        self._since = 0.0

    def holds(self) -> bool:
        """Whether this process leads; asks the store every second."""
        now = self._ground.clock.monotonic()
        if now >= self._asked + _RENEW_SECONDS:
            self._asked = now
            self._ask(now)
        return now < self._sure_until

    def _ask(self, now: float) -> None:
        hold = partial(leases.hold, name=leases.LEADER, holder=self._ground.name, seconds=LEASE_SECONDS)
        try:
            held = self._ground.store.write(hold, durable=False)
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
        return self._ground.clock.monotonic() - self._since

    def end(self) -> None:
        with suppress(StoreError):  # it ends by itself
            self._ground.store.write(lambda db: leases.let_go(db, leases.LEADER, self._ground.name))


class Sweeping:
    """The parts of a sweeping process."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self.publisher = Publisher(ground.new_broker())
        self.engine = ground.engine(ground.program(), self.publisher)
        self._telling = ThreadPoolExecutor(1, thread_name_prefix="telling")
        self._backtests = Background(self.engine, ground.environment, ground.own_connectors)
        chores: dict[str, Chore] = {
            **everything(self.engine, ground.secrets, self._telling),
            **beside_others(self.engine),
            "backtests": (1.0, self._backtests.round),
            "dead workers": (0.5, self._recover),
            "read so far": (1.0, self._note_read),
            "old leases": (600.0, partial(self._write, partial(leases.forget_ended, older_seconds=_FORGET_SECONDS))),
        }
        self._sweeper = Sweeper(self.engine, ground.secrets, ground.environment, chores, ground.own_connectors)
        self._leadership = Leadership(ground, self._sweeper.store_news)
        self._is_leading = False
        self._firsts: list[tuple[str, int]] = []
        self._look_again = 0.0  # for workers gone without a trace; those whose lease has ended are seen at once

    def round(self) -> None:
        """One round, if this process leads."""
        leads = self._leadership.holds()
        if leads and not self._is_leading:
            _log.info("this sweeper leads", name=self._ground.name)
            replay.resume(self.engine)
        if self._is_leading and not leads:
            _log.warning("this sweeper no longer leads", name=self._ground.name)
        self._is_leading = leads
        if leads:
            self._sweeper.sweep()

    def _recover(self) -> None:
        """What workers that died had in hand is anybody's again."""
        db, moment = self._ground.store.reader(), self._ground.clock.monotonic()
        if self._leadership.seconds < _TRUST_SECONDS or not (moment >= self._look_again or leases.some_ended(db)):
            return
        self._look_again = moment + _LOOK_SECONDS
        for worker in leases.abandoned(db):
            _log.warning("a worker died; what it had in hand goes on", worker=worker)
            self._sweeper.recover_from(worker)

    def _note_read(self) -> None:
        firsts = receipts.read_to(self._ground.store.reader())
        if firsts != self._firsts:
            self._ground.store.write(partial(receipts.note_read, firsts=firsts), durable=False)
            self._firsts = firsts

    def _write(self, job: partial[None]) -> None:
        self._ground.store.write(job)

    def stop(self) -> None:
        self._sweeper.stop()
        self._leadership.end()
        self._backtests.stop()
        self.engine.close()
        self._telling.shutdown(wait=True, cancel_futures=True)
        self.publisher.stop()
        self._ground.close()


def main(root: Path) -> int:
    """Sweep, or stand by, until SIGTERM or SIGINT."""
    ending = begin(root)
    try:
        sweeping = Sweeping(Ground(root, "sweep", lambda: sys.exit(0) if ending.has_come else None))
    except HubError as error:
        print(error, file=sys.stderr)
        return 1
    tell("READY=1")
    while not ending.wait(TICK_SECONDS):
        try:
            sweeping.round()
        except HubError as error:
            _log.warning("a round failed and is tried again", reason=str(error))
    tell("STOPPING=1")
    sweeping.stop()
    return 0
