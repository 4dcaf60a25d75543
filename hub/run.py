"""``o2c run``: everything in one process on the embedded store, under the small parent of ``hub.supervisor``."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path

from hub import beats, logs
from hub.api.doors import Doors
from hub.api.ingest import Ingest
from hub.api.on_demand import application, soap_door
from hub.collector import calm_the_collector
from hub.embedded import Hub
from hub.errors import HubError, StoreAway, StoreError, StoreFull
from hub.listening import certificate_files, listening_socket
from hub.loggers import structlog
from hub.project import content_hash, read_files
from hub.scaffold.keys import keep_local
from hub.store import is_shared
from hub.store.audit import Actor
from hub.web import WebServer
from hub.worker import STUCK_SECONDS

_log = structlog.get_logger("run")
_LOOK_SECONDS = 0.5  # at the folder, where it is followed
REFUSED, LATER = 78, 1  # what the parent does not try again, and what it does


def main(root: Path, beat: int, reload: bool, again: bool = False, name: str = "") -> int:
    """The hub process itself: serve until a signal, then finish what is in hand. ``again``: another one ran before it
    under the same parent, which names them all alike."""
    logs.configure()
    os.chdir(root)  # folders in the configuration are relative to the project
    made: list[Hub] = []
    # From now on: to bring a large store up to date takes as long as it takes.
    beats.beat(beat, lambda: all(hub.worker.seconds_stuck() < STUCK_SECONDS for hub in made))
    try:
        hub = Hub(root, again and not reload, name)  # who follows the folder has missed no edit by a crash
        http = hub.engine.program.settings.http
        listener = listening_socket(http)
        files = certificate_files(http.tls, root, hub.secrets) if http.tls else None
    except (StoreAway, StoreFull) as error:
        return _later(error)
    except HubError as error:
        print(error, file=sys.stderr)
        return REFUSED
    for number in (signal.SIGTERM, signal.SIGINT):
        # The web server raises the signal again when it has closed; by then there is still work to finish.
        signal.signal(number, lambda *_: None)
    made.append(hub)
    beats.tell(beat, beats.RUNS)
    try:
        hub.start()
    except StoreError as error:
        return _later(error)
    calm_the_collector()
    if reload:
        threading.Thread(target=_follow_files, args=(hub,), daemon=True).start()
    try:
        _serve(hub, listener, files)
    finally:
        hub.stop()
    return 0


def _later(error: StoreError) -> int:
    _log.error("the hub cannot start as long as its store is like this", reason=str(error))
    return LATER


def _serve(hub: Hub, listener: socket.socket, certificate: tuple[str, str] | None) -> None:
    http = hub.engine.program.settings.http
    ingest = Ingest(hub.engine, Doors(hub.secrets))
    soap = soap_door(hub.engine, ingest, hub.secrets)
    _tell_command_line(hub)
    is_alone = not is_shared(hub.store.url)  # o2c serve, or a command, may be at work on a server's
    app = application(hub.engine, ingest, soap, hub, own_connectors=hub.own_connectors, is_alone=is_alone)
    WebServer(ingest, soap, app, http, certificate).run(listener)


def _tell_command_line(hub: Hub) -> None:
    """Commands find the hub where it listens now, whatever the configuration said before."""
    try:
        keep_local(hub.root, hub.engine.program.settings, hub.engine.store, hub.engine.clock)
    except OSError as error:
        _log.warning("the command line's file cannot be written", file=error.filename, reason=error.strerror)


def _follow_files(hub: Hub) -> None:
    """``--reload``: deploy the folder whenever it changes; a faulty state of it is reported and the old set stays."""
    seen = _state(hub.root)
    while True:
        time.sleep(_LOOK_SECONDS)
        if (now := _state(hub.root)) == seen:
            continue
        seen = now
        try:
            hub.deploy(Actor("o2c run --reload"))
            _log.info("deployed", set_id=hub.engine.program.set_id)
        except (HubError, OSError) as error:
            print(error, file=sys.stderr)


def _state(root: Path) -> str:
    """One name for what the project's files are; why, where they cannot be read."""
    try:
        return content_hash(read_files(root))
    except (HubError, OSError) as error:
        return str(error)


if __name__ == "__main__":
    words = sys.argv[4:]
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), "reload" in words, "again" in words, sys.argv[3]))
