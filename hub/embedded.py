"""The embedded hub put together: store, engine, worker, transformers, sweeper and its chores, in one process."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from hub import replay
from hub.apart import Apart
from hub.backtest.background import Background
from hub.chores import ClockWatch, beside_others, everything
from hub.deploy import active_program, deploy, is_taken_back, rollback
from hub.errors import ProjectError, UsageError
from hub.lease import Lease
from hub.loggers import structlog
from hub.pipeline.connections import open_destination
from hub.pipeline.engine import Engine
from hub.pipeline.program import Program
from hub.project import read_files
from hub.rounds import Chore
from hub.secret import DEFAULT_FOLDER, Secret, resolve
from hub.settings import Settings, load_settings
from hub.store import Store, clock_of, is_shared, leases, open_store
from hub.store.audit import Actor
from hub.sweeper import Sweeper
from hub.transformer import REQUESTS_AT_ONCE, Transformers
from hub.worker import LocalWorker

_PATIENCE_SECONDS, _AGAIN_SECONDS = 6.0, 0.2  # what a run that was killed has left is its own for five seconds
_log = structlog.get_logger("hub")


class Hub:
    """The parts of a running embedded hub. Raises HubError when the project or the store does not allow a start.

    ``again``: it takes the place of one that has died, and nobody has asked for other files to be put in force.
    ``name`` tells apart who runs on a server's store; one that takes another's place has its name, and need not wait.
    """

    def __init__(self, root: Path, again: bool = False, name: str = "") -> None:
        self.root = root
        self.environment = os.environ.get("O2C_ENV") or None
        own = root / "connectors"
        self.own_connectors = own if own.is_dir() else None
        files = read_files(root)
        settings, _ = load_settings(files, self.environment, self.own_connectors)
        self.secrets = root / (settings.secrets_folder or DEFAULT_FOLDER)
        self.store: Store = open_store(_address(settings, self.secrets), root)
        self.clock = clock_of(self.store)
        self._lease = self._be_alone(f"{leases.ALONE}{name or f'{socket.gethostname()}-{os.getpid()}'}")
        program = self._first_program(files, again)
        self.apart = Apart()
        self.telling = ThreadPoolExecutor(1, thread_name_prefix="telling")  # never behind look-ups that take their time
        self.worker = LocalWorker(_children() * REQUESTS_AT_ONCE)
        self.transformers = Transformers(self.store, self.clock, self.environment, self.own_connectors, _children())
        self.engine = Engine(
            self.store, program, self.clock, self.worker,
            lambda system: open_destination(system, self.secrets, self.own_connectors),
            worker=f"{socket.gethostname()}-{os.getpid()}-{self.clock.new_id()[-8:]}", run_apart=self.apart.run,
            transformer=self.transformers, secret=partial(resolve, folder=self.secrets),
        )  # fmt: skip
        self.backtests = Background(self.engine, self.environment, self.own_connectors)
        self.sweeper = Sweeper(
            self.engine,
            self.secrets,
            self.environment,
            everything(self.engine, self.secrets, self.telling) | self._own_chores(),
            self.own_connectors,
        )
        self._threads: list[threading.Thread] = []

    def _be_alone(self, name: str) -> Lease | None:
        """As long as this hub lives nobody else sweeps. On a server's store others could be at work, whose claims this
        hub would take for what a crash left."""
        if not is_shared(self.store.url):
            return None
        lease = Lease(self.store.url, self.root, leases.LEADER, name, _taken_over)
        until = time.monotonic() + _PATIENCE_SECONDS
        # First its own, then the others': a worker does the same, so that one of two that start at once sees the other.
        while not lease.take() or leases.workers(self.store.reader()):
            if time.monotonic() > until:
                lease.give_up()
                found = leases.workers(self.store.reader()) or [leases.leader(self.store.reader()) or "now gone"]
                others = ", ".join(found)
                raise UsageError(
                    f"store: another o2c run, o2c work or o2c sweep is at work on it ({others}), and o2c run is "
                    "everything in one process; end them, or start o2c serve"
                )
            time.sleep(_AGAIN_SECONDS)
        lease.keep()
        return lease

    def _own_chores(self) -> dict[str, Chore]:
        backtests: dict[str, Chore] = {"backtests": (1.0, self.backtests.round)}
        if is_shared(self.store.url):
            return {**beside_others(self.engine), **backtests}
        return {"clock": (0.0, ClockWatch(self.engine).look), **backtests}

    def deploy(self, actor: Actor, reason: str = "") -> int:
        """Put the project folder as it is now in force; gives the set's number. Raises ProjectError."""
        files, own = read_files(self.root), self.own_connectors
        program = deploy(self.store, files, self.environment, self.clock, actor, own, anew=True, reason=reason)
        self.engine.activate(program)
        return program.set_id

    def rollback(self, actor: Actor, reason: str = "") -> int:
        """Put the set before the one in force back; gives its number. Raises Conflict."""
        program = rollback(self.store, self.environment, self.clock, actor, self.own_connectors, reason)
        self.engine.activate(program)
        return program.set_id

    def _first_program(self, files: dict[str, bytes], again: bool) -> Program:
        """What the folder says, deployed; a folder with faults stops a first start and is reported at a later one. What
        is in force stays after a crash, and where the folder only holds what somebody has gone back from."""
        has_gone_back = not again and is_taken_back(self.store, files)
        if has_gone_back:
            _log.warning("the folder holds what was taken back; the set in force stays until: o2c deploy")
        if (again or has_gone_back) and (in_force := self._in_force()):
            return in_force
        try:
            return deploy(self.store, files, self.environment, self.clock, Actor("o2c run"), self.own_connectors)
        except ProjectError as error:
            earlier = self._in_force()
            if earlier is None:
                raise
            _log.error("the project has faults; the set deployed before stays in force", faults=len(error.faults))
            print(error, file=sys.stderr)
            return earlier

    def _in_force(self) -> Program | None:
        return active_program(self.store, self.environment, self.own_connectors)

    def start(self) -> None:
        """Recover what another run left, then work."""
        self.sweeper.recover()
        replay.resume(self.engine)
        self.apart.run(partial(self.transformers.warm, self.engine.program), "")
        self.worker.start(self.engine)
        self._thread(self.sweeper.run, "sweeper")

    def _thread(self, work: Callable[[], None], name: str) -> None:
        thread = threading.Thread(target=work, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def stop(self) -> None:
        """Take nothing more, finish what is in hand, close the store."""
        self.sweeper.stop()
        self.backtests.stop()
        self.worker.stop()
        self.engine.close()
        self.apart.close()
        self.telling.shutdown(wait=True, cancel_futures=True)
        for thread in self._threads:
            thread.join(10)
        if self._lease is not None:
            self._lease.end()
        self.store.close()


def _taken_over() -> None:
    """Nothing more is sent: whoever works on the store now takes what this process has in hand for a crash's."""
    _log.error("this hub could not say for five seconds that it lives, and another has taken over; it ends")
    sys.stderr.flush()
    os._exit(1)


def _children() -> int:
    """One transformer beside the hub for each further core, at least one."""
    return max(1, (os.cpu_count() or 2) - 1)


def _address(settings: Settings, secrets: Path) -> str:
    store = settings.store
    return resolve(store, secrets) if isinstance(store, Secret) else store
