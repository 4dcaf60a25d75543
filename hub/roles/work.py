"""One process of ``o2c work``: splits receipts and sends deliveries, woken through the broker.

Its claims are its own as long as it holds its lease. On SIGTERM it takes nothing more, finishes what it has in hand and
gives back what it has only heard of.

    python -m hub.roles.work PROJECT BEAT CHILDREN NAME DEAD
"""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from functools import partial
from pathlib import Path

import dramatiq

from hub import beats
from hub.broker import QUEUE
from hub.broker.publisher import messages
from hub.broker.remote import RemoteBroker
from hub.broker.wire import WireError
from hub.chores import counting
from hub.collector import calm_the_collector
from hub.errors import HubError, StoreError
from hub.lease import Lease
from hub.loggers import structlog
from hub.pipeline.line import Between
from hub.roles.ground import Ending, Ground, begin
from hub.rounds import Rounds
from hub.store import leases, receipts
from hub.store.database import Database
from hub.transformer import REQUESTS_AT_ONCE, Transformers
from hub.worker import STUCK_SECONDS, LocalWorker

_log = structlog.get_logger("worker")
# Receipts that a process knows of and has not begun with; more is left to others, so that those of one source that
# follow each other are in hand at the same time, wherever that is.
_HEARD = 128
REFUSED = 2  # the project does not allow a start; another try would say the same


class Hearing:
    """Passes on to this process's worker what the broker brings, no more than it gets done soon."""

    def __init__(self, broker: RemoteBroker, local: LocalWorker) -> None:
        self._broker, self._local = broker, local
        self._stopping = threading.Event()
        dramatiq.actor(broker=broker, queue_name=QUEUE, actor_name="process")(self._process)
        dramatiq.actor(broker=broker, queue_name=QUEUE, actor_name="deliver")(local.pump)
        self._worker = dramatiq.Worker(broker, worker_timeout=1000, worker_threads=2)
        self._worker.queue_prefetch = 1

    def start(self) -> None:
        self._worker.start()

    def _process(self, seqs: list[int]) -> None:
        while self._local.heard() >= _HEARD and not self._stopping.is_set():
            self._local.wait_for_room(0.05)
        self._local.process(seqs)

    def stop(self) -> None:
        self._stopping.set()
        self._worker.stop(timeout=10_000)

    def give_back(self, db: Database) -> None:
        """What was heard of and not begun with, or was left to this process, is told again to whoever is there."""
        seqs, sources = self._local.left()
        with suppress(StoreError, WireError):  # the sweeper finds the rows
            seqs += [seq for source in sorted(sources) for seq in receipts.oldest_free(db, source)]
            self._broker.push(messages(seqs, ()))
        self._broker.close()


class Working:
    """The parts of a working process."""

    def __init__(self, ground: Ground, children: int, dead: str) -> None:
        self._ground = ground
        self._tell_of(dead)
        self.local = LocalWorker(children * REQUESTS_AT_ONCE, self._earlier)
        own = ground.own_connectors
        self.transformers = Transformers(ground.store, ground.clock, ground.environment, own, children)
        self.engine = ground.engine(ground.program(), self.local, self.transformers)
        self._lease = Lease(ground.store.url, ground.root, leases.worker_lease(ground.name), ground.name)
        chores = {"left to others": (0.0, self.local.look_at_left), **counting(self.engine)}
        self._rounds = Rounds(self.engine, ground.environment, chores, own)
        self._thread = threading.Thread(target=self._rounds.run, name="rounds", daemon=True)
        self._hearing = Hearing(ground.new_broker(), self.local)

    def _earlier(self, between: Between) -> list[str]:
        with suppress(StoreError):  # whoever stores the batch finds out what to do about it
            return receipts.unread_between(self._ground.store.reader(), between, self._ground.name)
        return []

    def start(self) -> None:
        """Nothing is claimed before the lease is held."""
        self._ground.wait(self._take_lease)
        self._lease.keep()
        self.engine.run_apart(partial(self.transformers.warm, self.engine.program), "")
        self.local.start(self.engine)
        self._thread.start()
        self._hearing.start()

    def _take_lease(self) -> None:
        self._lease.take()
        leader = leases.leader(self._ground.store.reader()) or ""
        if leader.startswith(leases.ALONE):
            self._lease.give_up()
            raise StoreError(f"another hub is at work on it, and is everything in one process ({leader}); end that one")

    def stop(self) -> None:
        """Take nothing more, finish what is in hand, record it."""
        self._hearing.stop()
        self.local.stop()
        self.engine.close()
        self._hearing.give_back(self._ground.store.reader())
        self._rounds.stop()
        self._thread.join(10)
        self._ground.apart.close()  # look-ups and the last of destinations that are ending are still this worker's
        self._lease.end()
        self._ground.close()

    def _tell_of(self, dead: str) -> None:
        """What the worker that was here before had in hand is looked for at once."""
        with suppress(StoreError):  # its lease ends by itself
            self._ground.store.write(lambda db: leases.end(db, leases.worker_lease(dead), dead))


def main(root: Path, beat: int, children: int, name: str = "", dead: str = "") -> int:
    """Work under ``name`` until SIGTERM, or until the parent is gone. ``dead`` is the worker that was here before."""
    ending = begin(root)
    try:
        ground = Ground(root, "work", partial(_while_waiting, beat, ending), name)
        working = Working(ground, children, dead)
    except HubError as error:
        print(error, file=sys.stderr)
        return REFUSED
    working.start()
    calm_the_collector()
    beats.tell(beat, beats.RUNS)
    beats.beat(beat, lambda: working.local.seconds_stuck() < STUCK_SECONDS)
    ending.wait()
    working.stop()
    return 0


def _while_waiting(beat: int, ending: Ending) -> None:
    beats.tell(beat)
    if ending.has_come:
        sys.exit(0)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:]))
