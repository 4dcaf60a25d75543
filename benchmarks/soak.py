"""The hub for a long time at half of what it can do: whether memory, file handles, threads or waiting times grow.

    python -m benchmarks.soak [--minutes 60] [--scaled]

Full load for a short while says what half is; then orders fall due at that rate until the time is over. The time is
cut into parts, each of which gives one sample of everything; the first few, in which things are loaded once, are left
out. Waiting times and CPU are judged by what generator and sink take for an order meanwhile. Exit code 1 when memory,
open files, connections, threads, p99 or CPU grow, when an order takes more of the store in the end than in the
beginning, or when one is lost or delivered twice.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from benchmarks.cluster import cluster, ground
from benchmarks.hub_project import hub
from benchmarks.processes import Running, tree
from benchmarks.slopes import Line, Series, heading
from benchmarks.trial import Load, Measured, Rig, rig

PARTS = 24  # of the whole time; each gives one sample of everything
SKIPPED = 4  # of them, at the beginning: what is loaded once is no growth
MEMORY = Series("memory", "MB", 0.05, 5.0)
HANDLES = Series("open files", "", 0.05, 8.0)
# Each stays open for 30 s after its last use, so how many there are tells how many were needed at a time lately: up to
# the 64 that the ERP of the benchmark bears. Some 3,000 come and go in an hour; one that stays would be seen.
CONNECTIONS = Series("connections", "", 0.0, 64.0)
THREADS = Series("threads", "", 0.0, 2.0)
# What generator and sink take for an order is always the same work: how quick the machine is, which changes in an hour.
YARDSTICK = Series("yardstick, CPU an order", "µs")
P50 = Series("end to end p50", "ms")
P99 = Series("end to end p99", "ms")
P99_MEASURED = Series("p99 by the yardstick", "ms/µs", 0.25, 0.2)
CPU = Series("CPU an order", "µs")
CPU_MEASURED = Series("CPU by the yardstick", "x", 0.10, 0.1)
BYTES = Series("store, bytes an order", "bytes", 0.15, 500.0)
ELSEWHERE = Series("other work on the cores", "%")
ALL = (MEMORY, HANDLES, CONNECTIONS, THREADS, YARDSTICK, P50, P99, P99_MEASURED, CPU, CPU_MEASURED, BYTES, ELSEWHERE)


@dataclass(frozen=True, slots=True)
class Subject:
    """What is looked at: its processes, its door, those of its own whose memory counts, and the size of its store."""

    systems: list[Running]
    own: list[Running]
    url: str
    store_bytes: Callable[[], int]


@dataclass(slots=True)
class Samples:
    """One value of every series for each part of the time; ``lost`` orders and those delivered twice beside."""

    hours: list[float] = field(default_factory=list)
    values: dict[str, list[float]] = field(default_factory=lambda: {series.name: [] for series in ALL})
    orders: int = 0
    lost: int = 0
    twice: int = 0

    def add(self, hour: float, found: dict[str, float]) -> None:
        self.hours.append(hour)
        for name, value in found.items():
            self.values[name].append(value)

    def lines(self, skipped: int = SKIPPED) -> list[Line]:
        """The verdict on each series, without the parts at the beginning."""
        return [series.judge(self.hours[skipped:], self.values[series.name][skipped:]) for series in ALL]


@contextmanager
def embedded(place: Rig) -> Iterator[Subject]:
    """The hub in one process on SQLite."""
    folder = place.folder / "hub"
    with hub(place, folder) as (running, url):
        data = folder / "data"
        yield Subject(
            [running], [running], url, lambda: sum(path.stat().st_size for path in data.glob("hub.db*"))
        )  # fmt: skip


@contextmanager
def scaled(place: Rig) -> Iterator[Subject]:
    """The hub in several processes on PostgreSQL and Redis, two of them working."""
    with ground(place) as below, cluster(place, below, workers=2) as running:

        def store_bytes() -> int:
            with psycopg.connect(running.store) as connection:
                row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
                return int(row[0]) if row else 0

        yield Subject(running.systems, list(running.roles.values()), running.url, store_bytes)


def soak(place: Rig, subject: Subject, seconds: float, full_seconds: float = 20.0, parts: int = PARTS) -> Samples:
    """Full load to find the rate, then half of it for so long, in parts with a moment between them in which everything
    that was accepted is delivered and what is held and open is looked at."""
    place.run(subject.systems, subject.url, Load(orders=1000))
    full = place.run(subject.systems, subject.url, Load(seconds=full_seconds))
    say(f"At full load:\n  {full}")
    samples, began = Samples(), time.monotonic()
    for number in range(parts):
        before = subject.store_bytes()
        part = place.run(subject.systems, subject.url, Load(seconds=seconds / parts, rate=full.per_second / 2))
        found = _sample(subject, part, (subject.store_bytes() - before) / max(part.delivered, 1))
        samples.add((time.monotonic() - began) / 3600, found)
        samples.orders += part.delivered
        samples.lost += part.accepted - part.delivered
        samples.twice += part.duplicates
        say(f"  {number + 1}/{parts}  {part}")
    return samples


def _sample(subject: Subject, part: Measured, store_bytes: float) -> dict[str, float]:
    pids = [pid for running in subject.own for pid in tree(running.process.pid)]
    opened = [kind for pid in pids for kind in _opened(pid)]
    sockets = sum(kind.startswith("socket:") for kind in opened)
    pace = part.generator_us + part.sink_us
    return {
        MEMORY.name: sum(running.rss_mb() for running in subject.own),
        HANDLES.name: len(opened) - sockets, CONNECTIONS.name: sockets,
        THREADS.name: sum(1 for pid in pids for _ in _in(pid, "task")),
        YARDSTICK.name: pace, P50.name: part.p50_ms, P99.name: part.p99_ms, P99_MEASURED.name: part.p99_ms / pace,
        CPU.name: part.cpu_us, CPU_MEASURED.name: part.cpu_us / pace, BYTES.name: store_bytes,
        ELSEWHERE.name: part.elsewhere * 100,
    }  # fmt: skip


def _opened(pid: int) -> Iterator[str]:
    """What each descriptor of a process leads to."""
    for entry in _in(pid, "fd"):
        with suppress(OSError):  # it has been closed meanwhile
            yield str(entry.readlink())


def _in(pid: int, folder: str) -> list[Path]:
    try:
        return list(Path(f"/proc/{pid}/{folder}").iterdir())
    except OSError:  # it has ended meanwhile
        return []


def report(samples: Samples, lines: Sequence[Line]) -> str:
    end = f"{samples.orders:,} orders; accepted and not delivered {samples.lost}, delivered twice {samples.twice}"
    return "\n".join([heading(), *map(str, lines), end])


def holds(samples: Samples, lines: Sequence[Line]) -> bool:
    return all(line.holds for line in lines) and not samples.lost and not samples.twice


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="The hub for a long time at half load")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--scaled", action="store_true", help="in several processes, on PostgreSQL and Redis")
    parser.add_argument("--folder", type=Path, help="where the store is made; an hour takes some tens of GB")
    options = parser.parse_args()
    kind = scaled if options.scaled else embedded
    with (
        tempfile.TemporaryDirectory(prefix="o2c-soak-", dir=options.folder) as folder,
        rig(Path(folder)) as place,
        kind(place) as subject,
    ):
        samples = soak(place, subject, options.minutes * 60)
    lines = samples.lines()
    print(report(samples, lines))
    return 0 if holds(samples, lines) else 1


if __name__ == "__main__":
    sys.exit(main())
