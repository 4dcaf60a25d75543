"""``o2c run``: everything in one process on the embedded store, under a small parent that restarts it.

The parent watches a pipe that the hub writes a beat to. No beat for 30 seconds, or a death, and it starts a new one
within a second; what the old one had in hand is found in the store.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import FrameType

import structlog
import uvicorn

from hub.api import create_app
from hub.api.doors import Doors
from hub.api.ingest import Ingest
from hub.clock import SystemClock
from hub.deploy import active_program, deploy, rollback
from hub.errors import HubError, ProjectError, UsageError
from hub.pipeline.connections import open_destination
from hub.pipeline.engine import Engine
from hub.pipeline.program import Program
from hub.project import content_hash, read_files
from hub.secret import DEFAULT_FOLDER, Secret, resolve
from hub.settings import Settings, load_settings
from hub.store import Store, deliveries, open_store
from hub.sweeper import Chore, Sweeper
from hub.transformer import Transformers
from hub.worker import STUCK_SECONDS, LocalWorker

_log = structlog.get_logger("run")
_BEAT_SECONDS = 1.0
_RESTART_SECONDS = 0.3


# -- the parent ----------------------------------------------------------------------------------------------------


def run(root: Path, reload: bool = False) -> int:
    """Keep one hub process going until SIGTERM or SIGINT. Gives the exit code of a hub that ended on purpose."""
    stopping: list[int] = []
    child = 0

    def stop(number: int, _: FrameType | None) -> None:
        stopping.append(number)
        if child:
            os.kill(child, signal.SIGTERM)

    while True:
        reading, writing = os.pipe()
        child = _spawn(root, reload, writing)
        os.close(writing)
        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        code = _watch(child, reading)
        os.close(reading)
        if stopping or code in (0, 1, 2):
            return code
        _log.error("the hub died and is started again", exit=code)
        time.sleep(_RESTART_SECONDS)


def _spawn(root: Path, reload: bool, beat: int) -> int:
    arguments = [sys.executable, "-m", "hub.run", str(root), str(beat), "reload" if reload else ""]
    os.set_inheritable(beat, True)
    return os.posix_spawn(sys.executable, arguments, os.environ)


def _watch(child: int, reading: int) -> int:
    """The child's exit code; negative for a signal. A child without a beat is killed."""
    while True:
        ready, _, _ = select.select([reading], [], [], STUCK_SECONDS)
        if ready and os.read(reading, 100):
            continue
        if not ready:
            _log.error("the hub has made no progress and is ended", seconds=STUCK_SECONDS)
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status)


# -- the hub -------------------------------------------------------------------------------------------------------


class Hub:
    """The parts of a running embedded hub, put together."""

    def __init__(self, root: Path) -> None:
        self.root, self.clock = root, SystemClock()
        self.environment = os.environ.get("O2C_ENV") or None
        files = read_files(root)
        settings, _ = load_settings(files, self.environment)
        self.secrets = root / (settings.secrets_folder or DEFAULT_FOLDER)
        self.store: Store = open_store(_address(settings, self.secrets), root)
        program = self._first_program(files)
        self.pool = ThreadPoolExecutor(8, thread_name_prefix="apart")
        self.worker = LocalWorker()
        self.engine = Engine(
            self.store, program, self.clock, self.worker, lambda system: open_destination(system, self.secrets),
            worker=f"{socket.gethostname()}-{os.getpid()}-{self.clock.new_id()[-8:]}", run_apart=self._run_apart,
            transformer=Transformers(self.store, self.environment, _children()),
        )  # fmt: skip
        self.sweeper = Sweeper(self.engine, self.secrets, self.environment, self._chores())
        self._threads: list[threading.Thread] = []

    def _chores(self) -> dict[str, Chore]:
        """What is done now and then beside: every so many seconds, this."""
        engine, write = self.engine, self.store.write
        return {
            "counters": (1.0, lambda: write(engine.beside.flush, durable=False)),
            "heads of lanes": (30.0, self._repair_heads),
        }

    def _repair_heads(self) -> None:
        for system in self.store.write(partial(deliveries.repair_heads, at=self.clock.epoch())):
            self.engine.wake.pump(system)

    def deploy(self, actor: str) -> int:
        """Put the project folder as it is now in force; gives the set's number. Raises ProjectError."""
        self.engine.activate(deploy(self.store, read_files(self.root), self.environment, self.clock, actor))
        return self.engine.program.set_id

    def rollback(self, actor: str) -> int:
        """Put the set before the one in force back; gives its number. Raises Conflict."""
        self.engine.activate(rollback(self.store, self.environment, self.clock, actor))
        return self.engine.program.set_id

    def _first_program(self, files: dict[str, bytes]) -> Program:
        """What the folder says, deployed; a folder with faults stops a first start and is reported at a later one."""
        try:
            return deploy(self.store, files, self.environment, self.clock, "o2c run")
        except ProjectError as error:
            earlier = active_program(self.store, self.environment)
            if earlier is None:
                raise
            _log.error("the project has faults; the set deployed before stays in force", faults=len(error.faults))
            print(error, file=sys.stderr)
            return earlier

    def _run_apart(self, work: Callable[[], None]) -> None:
        self.pool.submit(work)

    def start(self) -> None:
        """Recover what another run left, then work."""
        self.sweeper.recover()
        self.worker.start(self.engine)
        self._thread(self.sweeper.run, "sweeper")

    def _thread(self, work: Callable[[], None], name: str) -> None:
        thread = threading.Thread(target=work, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def stop(self) -> None:
        """Take nothing more, finish what is in hand, close the store."""
        self.sweeper.stop()
        self.worker.stop()
        self.engine.close()
        self.pool.shutdown(wait=True)
        for thread in self._threads:
            thread.join(10)
        self.store.close()


def main(root: Path, beat: int, reload: bool) -> int:
    """The hub process itself: serve until a signal, then finish what is in hand."""
    os.chdir(root)  # folders in the configuration are relative to the project
    try:
        hub = Hub(root)
    except HubError as error:
        print(error, file=sys.stderr)
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        # The web server raises the signal again when it has closed; by then there is still work to finish.
        signal.signal(number, lambda *_: None)
    beating = threading.Thread(target=_beat, args=(hub, beat), daemon=True)
    beating.start()
    hub.start()
    _calm_the_collector()
    if reload:
        threading.Thread(target=_follow_files, args=(hub,), daemon=True).start()
    try:
        _serve(hub)
    finally:
        hub.stop()
    return 0


def _calm_the_collector() -> None:
    """What is there now stays; what comes is short-lived trees without cycles, so look at it less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    # Threads that wait for the disk or a socket should not wait five milliseconds for the interpreter after it.
    sys.setswitchinterval(0.0005)


def _serve(hub: Hub) -> None:
    http = hub.engine.program.settings.http
    app = create_app(hub.engine, ingest=Ingest(hub.engine, Doors(hub.secrets)), deployer=hub)
    tls = http.tls
    config = uvicorn.Config(
        app, host=http.host, port=http.port, log_config=None, access_log=False, loop="uvloop", http="httptools",
        proxy_headers=bool(http.trusted_proxies), forwarded_allow_ips=list(http.trusted_proxies) or None,
        ssl_certfile=tls.certificate if tls else None, ssl_keyfile=_key_file(hub, tls.key) if tls else None,
        server_header=False, lifespan="off", timeout_graceful_shutdown=20,
    )  # fmt: skip
    uvicorn.Server(config).run()


def _children() -> int:
    """One transformer beside the hub for each further core, at least one."""
    return max(1, (os.cpu_count() or 2) - 1)


def _key_file(hub: Hub, key: Secret) -> str:
    """OpenSSL reads private keys from files only: a ``file`` secret is one, any other is refused with a reason."""
    if key.scheme != "file":
        raise UsageError(f"http.tls.key: {key} must be a file; write secret://file/NAME")
    return str(hub.secrets / key.name)


def _beat(hub: Hub, beat: int) -> None:
    while hub.worker.seconds_stuck() < STUCK_SECONDS:
        os.write(beat, b".")
        time.sleep(_BEAT_SECONDS)


def _follow_files(hub: Hub) -> None:
    """``--reload``: deploy the folder whenever it changes; a faulty state of it is reported and the old set stays."""
    seen = content_hash(read_files(hub.root))
    while True:
        time.sleep(_BEAT_SECONDS / 2)
        try:
            files = read_files(hub.root)
            if (now := content_hash(files)) == seen:
                continue
            seen = now
            hub.deploy("o2c run --reload")
            _log.info("deployed", set_id=hub.engine.program.set_id)
        except (HubError, OSError) as error:
            print(error, file=sys.stderr)


def _address(settings: Settings, secrets: Path) -> str:
    store = settings.store
    return resolve(store, secrets) if isinstance(store, Secret) else store


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "reload"))
