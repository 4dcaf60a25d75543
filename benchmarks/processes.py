"""Processes of a benchmark: started on the same two cores, found ready, watched for CPU time and memory, and ended."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

CORES = 2
_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class NotReady(Exception):
    """A process of the benchmark did not come up. The text holds the end of what it printed."""


@dataclass(slots=True)
class Running:
    """A started process and where its output goes."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])

    def wait_until(self, ready: Callable[[], bool], seconds: float = 30.0) -> None:
        """Until ``ready`` says so. Raises NotReady when the process ends or the time is over."""
        deadline = time.monotonic() + seconds
        while not ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise NotReady(f"{self.name} did not become ready:\n{self.tail()}")
            time.sleep(0.05)

    def cpu_seconds(self) -> float:
        """CPU time of the process and all that descend from it, children that have ended included."""
        return sum(_cpu_seconds(pid) for pid in tree(self.process.pid))

    def rss_mb(self) -> float:
        """Resident memory of the whole tree; pages that forked processes share are counted in each."""
        return sum(_rss_mb(pid) for pid in tree(self.process.pid))

    def stop(self) -> None:
        """Ask to end, then make it end, with everything it has started."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        with suppress(ProcessLookupError):  # nobody of its process group is left, as it should be
            os.killpg(self.process.pid, signal.SIGKILL)


def pin() -> list[int]:
    """Keep this process and all it starts on two cores. Gives which."""
    cores = sorted(os.sched_getaffinity(0))[:CORES]
    os.sched_setaffinity(0, cores)
    return cores


@contextmanager
def started(
    name: str, command: list[str], folder: Path, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Iterator[Running]:
    """A process that lives as long as the block. Its output goes to ``<folder>/<name>.log``."""
    log = folder / f"{name}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, cwd=cwd, env={**os.environ, **(env or {})},
            start_new_session=True,
        )  # fmt: skip
    running = Running(name, process, log)
    try:
        yield running
    finally:
        running.stop()


def module(name: str, *arguments: object) -> list[str]:
    """The command that runs a Python module with this interpreter."""
    return [sys.executable, "-m", name, *map(str, arguments)]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    """Whether someone accepts connections on a local port."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def get(url: str, timeout: float = 10.0) -> bytes:
    with urllib.request.urlopen(url, timeout=timeout) as answer:
        return bytes(answer.read())


@contextmanager
def redis(folder: Path) -> Iterator[tuple[Running, int]]:
    """A Redis server of our own without persistence, and its port."""
    if not (program := shutil.which("redis-server")):
        raise NotReady("redis-server is not installed; the compared script needs it (Debian: apt install redis-server)")
    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder)]
    with started("redis", [program, *options], folder) as server:
        server.wait_until(lambda: listens(port))
        yield server, port


def tree(root: int) -> list[int]:
    """The process and all its living descendants, the process first."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        if fields := _stat(path):
            children.setdefault(int(fields[1]), []).append(int(path.parent.name))
    found = [root]
    for pid in found:
        found.extend(children.get(pid, ()))
    return found


def machine_busy_seconds(cores: list[int]) -> float:
    """CPU time that anyone has used on these cores: what a run did not use itself is noise from elsewhere."""
    wanted = {f"cpu{core}" for core in cores}
    rows = [line.split() for line in Path("/proc/stat").read_text().splitlines() if line.split()[0] in wanted]
    return sum(sum(map(int, row[1:4])) + sum(map(int, row[6:9])) for row in rows) / _TICK


def _stat(path: Path) -> list[str] | None:
    """The fields behind the process name, which may itself hold blanks; None when the process is gone."""
    try:
        return path.read_text().rpartition(")")[2].split()
    except OSError:
        return None


def _cpu_seconds(pid: int) -> float:
    fields = _stat(Path(f"/proc/{pid}/stat"))
    return sum(map(int, fields[11:15])) / _TICK if fields else 0.0


def _rss_mb(pid: int) -> float:
    fields = _stat(Path(f"/proc/{pid}/stat"))
    return int(fields[21]) * _PAGE / 1e6 if fields else 0.0
