"""The small parent of ``o2c work``: starts its workers, and starts one again when it dies or falls silent.

It loads next to nothing and never opens the store. On SIGTERM it lets every worker finish what is in hand.

    python -m hub.roles.team PROJECT PROCESSES
"""

from __future__ import annotations

import os
import secrets
import select
import signal
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

from hub import logs
from hub.loggers import structlog
from hub.roles.readiness import tell

_log = structlog.get_logger("work")
_RESTART_SECONDS, _LONGEST_PAUSE = 0.3, 10.0
_SILENT_SECONDS = 30.0
_TICK_SECONDS = 0.2


def become(root: Path, processes: int) -> NoReturn:
    """Turn this process into the parent of workers: what it has loaded so far is given up."""
    os.execv(sys.executable, [sys.executable, "-m", "hub.roles.team", str(root), str(processes)])  # noqa: S606


def children_of_each(processes: int, cores: int) -> int:
    """How many transformers each of some workers has: one for each core of its share beside its own, at least one. Of
    several the documents come back in another order, and those that come back early wait for the others."""
    return max(1, cores // processes - 1)


@dataclass(slots=True)
class Member:
    """A place in the team, and the process that fills it."""

    pid: int = 0
    pipe: int = -1
    started: float = 0.0
    heard: float = 0.0
    is_ready: bool = False
    start_at: float = 0.0
    name: str = ""
    pause: float = _RESTART_SECONDS


class Team:
    """Keeps so many workers going until SIGTERM or SIGINT, or until one says that the project does not allow it."""

    def __init__(self, root: Path, size: int) -> None:
        self._command = [sys.executable, "-m", "hub.roles.work", str(root)]
        self._children = str(children_of_each(size, os.cpu_count() or 2))
        self._members = [Member() for _ in range(size)]
        self._stopping = False
        self._was_ready = False
        self._code = 0

    def run(self) -> int:
        """The exit code: 0 after a signal, else that of the worker that could not start."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        while not self._stopping or any(member.pid for member in self._members):
            self._start_missing()
            self._listen()
            self._end_silent()
            if not self._was_ready and all(member.is_ready for member in self._members):
                self._was_ready = True
                tell("READY=1")
        return self._code

    def _stop(self, number: int, frame: FrameType | None) -> None:
        if not self._stopping:
            tell("STOPPING=1")
        self._stopping = True
        for member in self._members:
            if member.pid:
                os.kill(member.pid, signal.SIGTERM)

    def _start_missing(self) -> None:
        for member in self._members:
            if not member.pid and not self._stopping and time.monotonic() >= member.start_at:
                self._start(member)

    def _start(self, member: Member) -> None:
        reading, writing = os.pipe()
        os.set_inheritable(writing, True)
        # The store knows a worker by its name; the next one in its place tells the store that it is gone.
        before, member.name = member.name, f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        arguments = [*self._command, str(writing), self._children, member.name, before]
        member.pid = os.posix_spawn(sys.executable, arguments, os.environ)
        os.close(writing)
        member.pipe, member.started, member.is_ready = reading, time.monotonic(), False
        member.heard = member.started
        if self._stopping:  # the signal came while it was started
            os.kill(member.pid, signal.SIGTERM)

    def _listen(self) -> None:
        pipes = {member.pipe: member for member in self._members if member.pid}
        ready, _, _ = select.select(list(pipes), [], [], _TICK_SECONDS)
        for pipe in ready:
            member, heard = pipes[pipe], os.read(pipe, 100)
            if heard:
                member.heard = time.monotonic()
                member.is_ready = member.is_ready or b"R" in heard
            else:
                self._ended(member)

    def _end_silent(self) -> None:
        for member in self._members:
            if member.pid and time.monotonic() - member.heard > _SILENT_SECONDS:
                _log.error("a worker has made no progress and is ended", seconds=_SILENT_SECONDS)
                os.kill(member.pid, signal.SIGKILL)
                member.heard = time.monotonic()

    def _ended(self, member: Member) -> None:
        _, status = os.waitpid(member.pid, 0)
        code, now = os.waitstatus_to_exitcode(status), time.monotonic()
        os.close(member.pipe)
        member.pid = 0
        if self._stopping:
            return
        if code == 2:  # the project does not allow a start, and it said why
            self._code = 1
            self._stop(0, None)
            return
        ends_itself = code >= 0 and now - member.started < _SILENT_SECONDS
        member.pause = min(2 * member.pause, _LONGEST_PAUSE) if ends_itself else _RESTART_SECONDS
        member.start_at = now + member.pause
        _log.error("a worker died and is started again", exit=code, pause_seconds=member.pause)


if __name__ == "__main__":
    logs.configure()
    sys.exit(Team(Path(sys.argv[1]), int(sys.argv[2])).run())
