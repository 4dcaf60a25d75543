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
from pathlib import Path

from hub import logs
from hub.api import create_app
from hub.api.doors import Doors
from hub.api.ingest import Ingest
from hub.broker.publisher import Publisher
from hub.chores import counting
from hub.deploy import active_program, deploy, rollback
from hub.errors import HubError
from hub.listening import certificate_files, inherited_socket, listening_socket
from hub.pipeline.program import Program
from hub.project import read_files
from hub.roles.ground import Ground
from hub.roles.readiness import tell
from hub.rounds import Rounds
from hub.store import leases, receipts
from hub.transformer import Transformers
from hub.web import WebServer, calm_the_collector

_LEAVE_SECONDS = 3.0
# Receipts on their way to workers and back: they are counted four times a second only, and each worker takes batches.
_CALM = 256


class Serving:
    """The parts of a serving process, and what its API deploys with."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self.publisher = Publisher(ground.new_broker())
        own = ground.own_connectors
        # For documents that are looked at before they are taken in; the child is started for the first of them.
        self.transformers = Transformers(ground.store, ground.environment, own, 1)
        self.engine = ground.engine(self._first_program(), self.publisher, self.transformers)
        chores = {**counting(self.engine), "backlog": (0.25, self._count_backlog)}
        self._rounds = Rounds(self.engine, ground.environment, chores, own)
        self._thread = threading.Thread(target=self._rounds.run, name="rounds", daemon=True)

    def _first_program(self) -> Program:
        """What is in force; the folder's files where nothing is yet."""
        ground = self._ground
        active = ground.wait(lambda: active_program(ground.store, ground.environment, ground.own_connectors))
        return active or ground.wait(lambda: self._deployed("o2c serve"))

    def _deployed(self, actor: str) -> Program:
        ground = self._ground
        files = read_files(ground.root)
        return deploy(ground.store, files, ground.environment, ground.clock, actor, ground.own_connectors)

    def deploy(self, actor: str) -> int:
        """Put the project folder as it is now in force; gives the set's number. Raises ProjectError."""
        program = self._deployed(actor)
        self.engine.activate(program)
        return program.set_id

    def rollback(self, actor: str) -> int:
        """Put the set before the one in force back; gives its number. Raises Conflict."""
        ground = self._ground
        program = rollback(ground.store, ground.environment, ground.clock, actor, ground.own_connectors)
        self.engine.activate(program)
        return program.set_id

    def others(self) -> Mapping[str, object]:
        """How the other processes are."""
        db = self.engine.store.reader()
        broker = "away" if self.publisher.is_away else "ok"
        return {"workers": len(leases.workers(db)), "sweeper": leases.leader(db) is not None, "broker": broker}

    def _count_backlog(self) -> None:
        self.engine.backlog = receipts.open_count(self.engine.store.reader())

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._rounds.stop()
        self._thread.join(10)
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
    app = create_app(serving.engine, ingest=ingest, deployer=serving, others=serving.others)
    serving.start()
    calm_the_collector()
    try:
        WebServer(ingest, app, http, files, _LEAVE_SECONDS).run(listener, lambda: tell("READY=1"))
        tell("STOPPING=1")
    finally:
        serving.stop()
    return 0
