"""The small parent of ``o2c run``: starts the hub, and starts it again when it dies or falls silent.

It watches a pipe that the hub writes a beat to, and once that it runs. No beat for 30 seconds, or a death, and it
starts a new one within a second; what the old one had in hand is found in the store. It loads next to nothing, so that
it costs next to nothing.

    python -m hub.supervisor PROJECT [reload]
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import NoReturn

from hub.beats import RUNS  # said by a hub that nothing has refused; it beats before

_RESTART_SECONDS = 0.3
_SILENT_SECONDS = 30.0
_LONGEST_PAUSE = 10.0
_TICK_SECONDS = 0.1
# How a hub ends that the project or the store refuses; one that is ended by a mistake, or by a full disk, ends with 1.
_REFUSED = 78


def become(root: Path, reload: bool) -> NoReturn:
    """Turn this process into the parent of a hub: what it has loaded so far is given up."""
    os.environ.setdefault("MALLOC_ARENA_MAX", "2")  # each thread's own heap costs megabytes and saves a hub nothing
    arguments = [sys.executable, "-m", "hub.supervisor", str(root), *(["reload"] if reload else [])]
    os.execv(sys.executable, arguments)  # noqa: S606  our own module, our own interpreter


def run(root: Path, reload: bool = False) -> int:
    """Keep one hub process going until SIGTERM or SIGINT. Gives the exit code of a hub that ended on purpose: when it
    was told to, or when it was refused before it ever ran. One that has run before, and is refused now, is tried again:
    somebody may be in the middle of an edit."""
    stopping: list[int] = []
    child = 0

    def stop(number: int, _: FrameType | None) -> None:
        stopping.append(number)
        if child:
            _end(child)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    name = f"{os.uname().nodename}-{os.getpid()}-{os.urandom(4).hex()}"
    pause, has_run = _RESTART_SECONDS, False
    while True:
        reading, writing = os.pipe()
        started = time.monotonic()
        child = _spawn(root, name, reload, writing, has_run)
        if stopping:
            _end(child)
        os.close(writing)
        (code, runs), child = _watch(child, reading), 0
        os.close(reading)
        has_run = has_run or runs
        if stopping and code == -signal.SIGTERM:  # it was ended before it could see to that itself
            return 0
        if stopping or code == 0 or (code == _REFUSED and not has_run):
            return code
        # One that ends itself as soon as it starts is given more time each time; one that was killed starts at once.
        ends_itself = code > 0 and time.monotonic() - started < _SILENT_SECONDS
        pause = min(2 * pause, _LONGEST_PAUSE) if ends_itself else _RESTART_SECONDS
        _log("the hub died and is started again", exit=code, pause_seconds=pause)
        _rest(pause, stopping)
        if stopping:
            return 0


def _rest(seconds: float, stopping: list[int]) -> None:
    until = time.monotonic() + seconds
    while not stopping and time.monotonic() < until:
        time.sleep(_TICK_SECONDS)


def _end(child: int) -> None:
    with suppress(ProcessLookupError):  # it has ended by itself, just now
        os.kill(child, signal.SIGTERM)


def _spawn(root: Path, name: str, reload: bool, beat: int, again: bool) -> int:
    words = [*(["reload"] if reload else []), *(["again"] if again else [])]
    arguments = [sys.executable, "-m", "hub.run", str(root), str(beat), name, *words]
    os.set_inheritable(beat, True)
    return os.posix_spawn(sys.executable, arguments, os.environ)


def _watch(child: int, reading: int) -> tuple[int, bool]:
    """The child's exit code, negative for a signal, and whether it came to run. A child without a beat is killed."""
    runs = False
    while True:
        ready, _, _ = select.select([reading], [], [], _SILENT_SECONDS)
        if ready and (heard := os.read(reading, 100)):
            runs = runs or RUNS in heard
            continue
        if not ready:
            _log("the hub has made no progress and is ended", seconds=_SILENT_SECONDS)
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status), runs


def _log(event: str, **fields: float) -> None:
    """An error as the hub logs it; what it logs with would cost this process more than all else it does."""
    told = {"event": event, **fields, "logger": "run", "level": "error", "timestamp": datetime.now(UTC).isoformat()}
    line = f"{event} ({', '.join(f'{key} {value}' for key, value in fields.items())})"
    print(line if sys.stderr.isatty() else json.dumps(told), file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]), "reload" in sys.argv[2:]) != 0)
