"""``o2c serve``: the door, the admin API and the status page. It splits and sends nothing.

Two of them on one inherited socket are replaced one after the other without a failed request: whichever leaves accepts
nothing more, and what waits on the socket is the other's.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from hub import logs
from hub.api.doors import Doors
from hub.api.ingest import Ingest
from hub.api.on_demand import application, soap_door
from hub.broker.publisher import Publisher
from hub.chores import counting
from hub.collector import calm_the_collector
from hub.deploy import active_program, deploy, rollback
from hub.errors import HubError, StoreError
from hub.listening import certificate_files, inherited_socket, listening_socket
from hub.pipeline.engine import Engine
from hub.pipeline.program import Program
from hub.project import read_files
from hub.roles.ground import Ground
from hub.roles.readiness import tell
from hub.rounds import Rounds
from hub.store import leases, receipts
from hub.store.audit import Actor
from hub.transformer import Transformers
from hub.web import WebServer

_LEAVE_SECONDS = 3.0
# Receipts on their way to workers and back: each worker has a batch in hand, one stored and one before it.
_CALM = 384
# How often what waits is counted: more than the calm that comes in between waits for the next count. A long count is
# made less often, so that it takes a twentieth of the time.
_COUNT_SECONDS, _SHARE_OF_TIME = 0.05, 20


class Backlog:
    """How much waits to be split, for a process that does not split itself."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def count(self) -> float:
        """Count it; gives the seconds until the next count. While the store is away the last one stands."""
        clock = self._engine.clock
        began = clock.monotonic()
        with suppress(StoreError):
            self._engine.backlog = receipts.open_count(self._engine.store.reader())
        return max(_COUNT_SECONDS, _SHARE_OF_TIME * (clock.monotonic() - began))


class Serving:
    """The parts of a serving process, and what its API deploys with."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self.publisher = Publisher(ground.new_broker())
        own = ground.own_connectors
        # For documents that are looked at before they are taken in; the child is started for the first of them.
        self.transformers = Transformers(ground.store, ground.clock, ground.environment, own, 1)
        self.engine = ground.engine(self._first_program(), self.publisher, self.transformers)
        self._rounds = Rounds(self.engine, ground.environment, counting(self.engine), own)
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=work, name=name, daemon=True)
            for name, work in (("rounds", self._rounds.run), ("backlog", self._watch_backlog))
        ]

    def _first_program(self) -> Program:
        """What is in force; the folder's files where nothing is yet."""
        ground = self._ground
        active = ground.wait(lambda: active_program(ground.store, ground.environment, ground.own_connectors))
        return active or ground.wait(lambda: self._deployed(Actor("o2c serve")))

    def _deployed(self, actor: Actor, reason: str = "") -> Program:
        ground = self._ground
        files, own = read_files(ground.root), ground.own_connectors
        return deploy(ground.store, files, ground.environment, ground.clock, actor, own, anew=True, reason=reason)

    def deploy(self, actor: Actor, reason: str = "") -> int:
        """Put the project folder as it is now in force; gives the set's number. Raises ProjectError."""
        program = self._deployed(actor, reason)
        self.engine.activate(program)
        return program.set_id

    def rollback(self, actor: Actor, reason: str = "") -> int:
        """Put the set before the one in force back; gives its number. Raises Conflict."""
        ground = self._ground
        program = rollback(ground.store, ground.environment, ground.clock, actor, ground.own_connectors, reason)
        self.engine.activate(program)
        return program.set_id

    def others(self) -> Mapping[str, object]:
        """How the other processes are."""
        db = self.engine.store.reader()
        broker = "away" if self.publisher.is_away else "ok"
        return {"workers": len(leases.workers(db)), "sweeper": leases.leader(db) is not None, "broker": broker}

    def _watch_backlog(self) -> None:
        backlog, wait = Backlog(self.engine), 0.0
        while not self._stopping.wait(wait):
            wait = backlog.count()

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._rounds.stop()
        for thread in self._threads:
            thread.join(10)
        self.engine.close()
        self.publisher.stop()
        self._ground.close()


def main(root: Path, descriptor: int | None = None) -> int:
    """Serve until SIGTERM or SIGINT, then answer what is in hand."""
    logs.configure()
    os.chdir(root)
    try:
        listener = inherited_socket(descriptor)
        ground = Ground(root, "serve")
        http = ground.settings.http
        listener = listener or listening_socket(http)
        files = certificate_files(http.tls, root, ground.secrets) if http.tls else None
        serving = Serving(ground)
    except HubError as error:
        print(error, file=sys.stderr)
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        # The web server raises the signal again when it has closed; by then there is still work to finish.
        signal.signal(number, lambda *_: None)
    ingest = Ingest(serving.engine, Doors(ground.secrets), _CALM)
    soap = soap_door(serving.engine, ingest, ground.secrets)
    app = application(serving.engine, ingest, soap, serving, serving.others, ground.own_connectors)
    serving.start()
    calm_the_collector()
    try:
        WebServer(ingest, soap, app, http, files, _LEAVE_SECONDS).run(listener, lambda: tell("READY=1"))
        tell("STOPPING=1")
    finally:
        serving.stop()
    return 0
