"""One trial: a load on a system under test, the sink behind it, and what came of it.

A rate is orders delivered divided by the time from the first order sent to the last one delivered, so that a system
which accepts faster than it delivers pays for its backlog, and one that ran ahead gets no credit for it.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.processes import NotReady, Running, free_port, get, listens, machine_busy_seconds, module, pin, started

STALL_SECONDS = 20.0  # no delivery for so long: the rest is not coming
SAMPLE_SECONDS = 0.5
# At once: what nobody works for is answered half a second later, so few senders would find no ceiling.
MANY_SENDERS = 1536


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked of the generator: so many orders or so many seconds; a rate makes the loop an open one."""

    orders: int = 0
    seconds: float = 0.0
    connections: int = 64
    rate: float = 0.0
    topics: int = 1

    def arguments(self) -> list[str]:
        names = ("orders", "seconds", "connections", "rate", "topics")
        return [part for name in names for part in (f"--{name}", str(getattr(self, name)))]


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of a trial. CPU is that of the system under test alone, its servers included, per delivered order.

    ``elsewhere`` is the share of the two cores that something outside the benchmark used meanwhile.
    """

    accepted: int
    delivered: int
    duplicates: int
    refused: int
    per_second: float
    cpu_us: float
    p50_ms: float
    p99_ms: float
    rss_mb: float
    rss_growth: float
    generator_us: float
    sink_us: float
    elsewhere: float
    parts: dict[str, float] = field(default_factory=dict)  # CPU µs an order of each system under test

    def __str__(self) -> str:
        return (
            f"{self.per_second:7.0f}/s  {self.cpu_us:6.0f} µs CPU an order  end to end p50 {self.p50_ms:.1f} "
            f"p99 {self.p99_ms:.1f} ms  {self.rss_mb:.0f} MB  delivered {self.delivered} of {self.accepted}"
            f"{f', {self.duplicates} twice' if self.duplicates else ''}"
            f"{f', {self.refused} refused and sent again' if self.refused else ''}"
            f"{f'  (other work took {self.elsewhere:.0%} of the cores)' if self.elsewhere > 0.03 else ''}"
        )


@dataclass(slots=True)
class Rig:
    """The sink, the cores, the order numbers already used: what all trials of a run share."""

    folder: Path
    cores: list[int]
    sink: Running
    sink_port: int
    next_number: int = 0

    @property
    def sink_url(self) -> str:
        return f"http://127.0.0.1:{self.sink_port}"

    def sink_state(self) -> dict[str, int]:
        if (code := self.sink.process.poll()) is not None:
            raise NotReady(f"the sink ended during the run with exit code {code}:\n{self.sink.tail()}")
        return dict(json.loads(get(f"{self.sink_url}/state")))

    def run(self, systems: list[Running], url: str, load: Load) -> Measured:
        """Send the load to ``url``, wait until all of it reached the sink or nothing more comes, and measure."""
        first = self.next_number
        watch = _Watch(self, systems)
        tally, sent = self._generate(url, first, load, watch)
        self.next_number = first + len(sent)
        self._wait_for(watch, tally["accepted"])
        return watch.measured(tally, sent, self.times(first, len(sent)))

    def ingest(self, server: Running, url: str, load: Load) -> float:
        """CPU µs a request of a server that only takes orders in. Raises RuntimeError when it did not take them all."""
        watch, before = _Watch(self, []), server.cpu_seconds()
        tally, sent = self._generate(url, self.next_number, load, watch)
        self.next_number += len(sent)
        if tally["accepted"] != len(sent):
            raise RuntimeError(f"{server.name} took {tally['accepted']} of {len(sent)} orders:\n{server.tail()}")
        return (server.cpu_seconds() - before) / len(sent) * 1e6

    def accept(self, url: str, load: Load) -> float:
        """Seconds that a hub takes to take orders in which go nowhere yet. Raises RuntimeError when not all were."""
        tally, sent = self._generate(url, self.next_number, load, _Watch(self, []))
        self.next_number += len(sent)
        if tally["accepted"] != len(sent):
            raise RuntimeError(f"{tally['accepted']} of {len(sent)} orders were taken in: {tally['statuses']}")
        return float(tally["seconds"])

    def _generate(self, url: str, first: int, load: Load, watch: _Watch) -> tuple[dict[str, Any], array[float]]:
        times = self.folder / "sent.times"
        command = module("benchmarks.load", "--url", url, "--first", first, "--times", times, *load.arguments())
        with subprocess.Popen(command, stdout=subprocess.PIPE) as generator:
            while generator.poll() is None:
                watch.sample()
                time.sleep(SAMPLE_SECONDS)
            assert generator.stdout
            printed = generator.stdout.read()
        if generator.returncode:
            raise RuntimeError("the load generator failed; its own words are above")
        return json.loads(printed), array("d", times.read_bytes())

    def _wait_for(self, watch: _Watch, accepted: int) -> None:
        delivered, last_change = -1, time.monotonic()
        while delivered < accepted and time.monotonic() - last_change < STALL_SECONDS:
            now = watch.delivered()
            if now != delivered:
                delivered, last_change = now, time.monotonic()
            watch.sample()
            time.sleep(SAMPLE_SECONDS if delivered < accepted else 0)

    def times(self, first: int, count: int) -> array[float]:
        """When orders were first seen by the sink, monotonic seconds; 0.0 for never."""
        return array("d", get(f"{self.sink_url}/times?first={first}&count={count}"))


@dataclass(slots=True)
class _Watch:
    """CPU and memory of the systems under test, from before the load on."""

    rig: Rig
    systems: list[Running]
    rss: list[float] = field(default_factory=list)
    before: dict[str, int] = field(init=False)
    cpu: dict[str, float] = field(init=False)
    sink_cpu: float = field(init=False)
    busy: float = field(init=False)
    started_at: float = field(init=False)

    def __post_init__(self) -> None:
        self.before = self.rig.sink_state()
        self.cpu, self.sink_cpu = self._cpu(), self.rig.sink.cpu_seconds()
        self.busy, self.started_at = machine_busy_seconds(self.rig.cores), time.monotonic()

    def sample(self) -> None:
        self.rss.append(sum(system.rss_mb() for system in self.systems))

    def delivered(self) -> int:
        return self.rig.sink_state()["orders"] - self.before["orders"]

    def measured(self, tally: dict[str, Any], sent: array[float], seen: array[float]) -> Measured:
        delays = sorted(there - gone for gone, there in zip(sent, seen, strict=False) if there)
        parts = {name: seconds - self.cpu[name] for name, seconds in self._cpu().items()}
        cpu, sink = sum(parts.values()), self.rig.sink.cpu_seconds() - self.sink_cpu
        generator = tally["cpu_us_per_request"] * (tally["accepted"] + tally["refused"]) / 1e6
        span = max(seen, default=0.0) - min(sent, default=0.0)
        return Measured(
            accepted=tally["accepted"], delivered=len(delays), refused=tally["refused"],
            duplicates=self.rig.sink_state()["duplicates"] - self.before["duplicates"],
            per_second=len(delays) / span if delays else 0.0, cpu_us=cpu / max(len(delays), 1) * 1e6,
            p50_ms=_quantile(delays, 0.50) * 1000, p99_ms=_quantile(delays, 0.99) * 1000,
            rss_mb=max(self.rss), rss_growth=self._growth(),
            generator_us=tally["cpu_us_per_request"], sink_us=sink / max(len(delays), 1) * 1e6,
            elsewhere=self._elsewhere(cpu + sink + generator),
            parts={name: seconds / max(len(delays), 1) * 1e6 for name, seconds in parts.items()},
        )  # fmt: skip

    def _cpu(self) -> dict[str, float]:
        return {system.name: system.cpu_seconds() for system in self.systems}

    def _growth(self) -> float:
        """Median memory of the last third over that of the second one: start-up is not growth."""
        third = max(len(self.rss) // 3, 1)
        return median(self.rss[-third:]) / median(self.rss[third : 2 * third] or self.rss) - 1.0

    def _elsewhere(self, ours: float) -> float:
        seconds = (time.monotonic() - self.started_at) * len(self.rig.cores)
        return max(0.0, machine_busy_seconds(self.rig.cores) - self.busy - ours) / seconds


def _quantile(ordered: list[float], share: float) -> float:
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else float("nan")


@contextmanager
def rig(folder: Path) -> Iterator[Rig]:
    """The sink on its own port, everything on two cores."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended and removed
    cores, port = pin(), free_port()
    with started("sink", module("benchmarks.sink", "--port", port), folder) as sink:
        sink.wait_until(lambda: listens(port))
        yield Rig(folder, cores, sink, port)
