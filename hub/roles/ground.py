"""What every process of a hub stands on: the project folder, the shared store, the broker. Waits for what is not there
yet, so that nothing has to be started first."""

from __future__ import annotations

import os
import select
import signal
import socket
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TypeVar

from hub import logs
from hub.apart import Apart
from hub.broker import open_wire
from hub.broker.remote import RemoteBroker
from hub.clock import SystemClock
from hub.deploy import active_program
from hub.errors import StoreError, UsageError
from hub.loggers import structlog
from hub.pipeline.connections import open_destination
from hub.pipeline.engine import Engine, WakeUp
from hub.pipeline.program import Program
from hub.pipeline.split import Transformer
from hub.project import read_files
from hub.secret import DEFAULT_FOLDER, Secret, resolve
from hub.settings import load_settings
from hub.store import Store, clock_of, is_shared, open_store

_log = structlog.get_logger("hub")
_AGAIN_SECONDS = 0.5
_TELL_SECONDS = 30.0

Found = TypeVar("Found")
Alive = Callable[[], None]  # called while something is waited for


class Ending:
    """Whether SIGTERM or SIGINT has come.

    A pipe and no ``threading.Event``, whose lock may be held by the very thread that the signal interrupts: that would
    never end.
    """

    def __init__(self) -> None:
        self.has_come = False
        self._reading, self._writing = os.pipe()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._come)

    def _come(self, number: int, frame: FrameType | None) -> None:
        self.has_come = True
        os.write(self._writing, b".")

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for it, or so long; gives whether it has come."""
        select.select([self._reading], [], [], seconds)
        return self.has_come


def begin(root: Path) -> Ending:
    """What every process does first: its logs, its folder, how it is told to end."""
    logs.configure()
    os.chdir(root)  # folders in the configuration are relative to the project
    return Ending()


class Ground:
    """Raises UsageError where the project is not one for several processes. ``role`` is the command's name."""

    def __init__(self, root: Path, role: str, alive: Alive = lambda: None, name: str = "") -> None:
        self.root, self._alive = root, alive
        self.clock = SystemClock()
        self.environment = os.environ.get("O2C_ENV") or None
        own = root / "connectors"
        self.own_connectors = own if own.is_dir() else None
        self.settings, _ = load_settings(read_files(root), self.environment, self.own_connectors)
        self.secrets = root / (self.settings.secrets_folder or DEFAULT_FOLDER)
        self.name = name or f"{socket.gethostname()}-{os.getpid()}-{self.clock.new_id()[-8:]}"
        url = _required(self._told(self.settings.store), role)
        self.broker = self._told(self.settings.broker)
        self.apart = Apart()
        self.store = self._store(url)
        self.clock = self.wait(partial(clock_of, self.store))

    def _told(self, value: str | Secret) -> str:
        return resolve(value, self.secrets) if isinstance(value, Secret) else value

    def _store(self, url: str) -> Store:
        """The store, waited for as long as it is away or has not the tables of this version."""
        return self.wait(partial(open_store, url, self.root))

    def program(self) -> Program:
        """The set of files in force, waited for until somebody deploys one."""

        def active() -> Program:
            program = active_program(self.store, self.environment, self.own_connectors)
            if program is None:
                raise StoreError("no set of files is in force yet; o2c serve or o2c deploy puts one in force")
            return program

        return self.wait(active)

    def wait(self, find: Callable[[], Found]) -> Found:
        """What ``find`` gives, once it raises StoreError no more."""
        told = float("-inf")
        while True:
            try:
                return find()
            except StoreError as error:
                if self.clock.monotonic() - told > _TELL_SECONDS:
                    told = self.clock.monotonic()
                    _log.warning("waiting for the store", reason=str(error))
            self._alive()
            time.sleep(_AGAIN_SECONDS)

    def new_broker(self) -> RemoteBroker:
        return RemoteBroker(partial(open_wire, self.broker))

    def engine(self, program: Program, wake: WakeUp, transformer: Transformer | None = None) -> Engine:
        """This process's hold on the flow. What it takes in is any worker's to split."""
        return Engine(
            self.store, program, self.clock, wake,
            lambda system: open_destination(system, self.secrets, self.own_connectors),
            worker=self.name, run_apart=self.apart.run, transformer=transformer, keeps=False,
            secret=partial(resolve, folder=self.secrets),
        )  # fmt: skip

    def close(self) -> None:
        self.apart.close()
        self.store.close()


def _required(url: str, role: str) -> str:
    if is_shared(url):
        return url
    raise UsageError(
        f"store: an embedded store is one process's, and o2c {role} is one of several; "
        "write store: postgresql://… (see o2c copy-store), or start everything in one process with o2c run"
    )
