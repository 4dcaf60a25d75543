"""``o2c sweep``: finds what is due, orphaned or lost by the broker, polls sources, tells people, prunes.

Of several, one leads."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hub.backtest.background import Background
from hub.broker.publisher import Publisher
from hub.chores import beside_others, everything
from hub.errors import HubError
from hub.leading import Leader
from hub.loggers import structlog
from hub.roles.ground import Ground, begin
from hub.roles.readiness import tell
from hub.rounds import TICK_SECONDS, Chore
from hub.sweeper import Sweeper

_log = structlog.get_logger("sweeper")


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
        }
        self._leader = Leader(
            self.engine,
            lambda own: Sweeper(
                self.engine, ground.secrets, ground.environment, {**chores, **own}, ground.own_connectors
            ),
        )

    def round(self) -> None:
        """One round, if this process leads."""
        self._leader.round()

    def stop(self) -> None:
        self._leader.sweeper.stop()
        self._leader.leadership.end()
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
