"""What monitoring reads: the process's own counts, and the counts by state of the store, for /metrics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from hub.store import circuits, collecting, dead_letters, findings, interchanges, quotas, sources, switches, usage
from hub.store.database import Database
from hub.store.tally import Tally
from hub.store.usage import Limit
from hub.systems import System

if TYPE_CHECKING:
    from hub.pipeline.engine import Engine

# Attribute of the engine's counts: (metric, what it counts, labels).
_COUNTED = {
    "receipts": ("o2c_receipts", "Documents that came in.", ("source", "result")),
    "messages": ("o2c_messages", "Messages by the state they got to.", ("route", "state")),
    "deliveries": ("o2c_deliveries", "Ends of tries by the state they led to.", ("route", "system", "state")),
    "attempts": ("o2c_attempts", "Tries by their result.", ("system", "code")),
    "refused": ("o2c_refused", "Documents that were refused at the door.", ("source", "reason")),
    "put_off": ("o2c_retries_put_off", "Retries beyond the retry budget, each time they had to wait.", ("system",)),
    "latency_seconds": ("o2c_delivery_seconds", "Sum of the seconds from receipt to delivery.", ("system",)),
}


class _HubCollector(Collector):
    """Reads the counts when it is asked for them."""

    def __init__(self, engine: Engine, tally: Tally) -> None:
        self._engine, self._tally = engine, tally

    def collect(self) -> Iterable[Metric]:
        for attribute, (name, text, labels) in _COUNTED.items():
            yield _counter(name, text, labels, getattr(self._engine.counts, attribute, {}))
        yield _stored(self._tally)
        yield from self._now()

    def _now(self) -> Iterator[Metric]:
        db = self._engine.store.reader()
        yield _gauge("o2c_dead_letters", "Things that need a person.", dead_letters.count(db))
        yield _gauge("o2c_waiting_deliveries", "Deliveries on their way.", self._tally.waiting)
        yield _gauge("o2c_backlog_receipts", "Documents not yet split.", self._tally.receipts.get("received", 0))
        yield _gauge("o2c_switched_off", "Paused routes and stopped systems.", len(switches.listed(db)))
        yield _gauge("o2c_store_bytes", "Size of the store.", self._engine.store.size())
        yield _gauge("o2c_active_set", "Number of the set of files in force.", self._engine.program.set_id)
        text = "Interchanges whose acknowledgement has not come."
        waiting = GaugeMetricFamily("o2c_unacknowledged", text, labels=("partner",))
        for partner, count in interchanges.unacknowledged(db).items():
            waiting.add_metric([partner], count)
        yield waiting
        yield _collecting(collecting.counts(db))
        yield _findings(findings.count_open(db))
        yield _circuits(circuits.open_now(db), self._engine.program.settings.systems)
        yield from _sources(db, self._engine.program.settings.systems)
        yield from _quotas(db, quotas.limits_of(self._engine.program.settings, self._engine.program.route_files))
        failures = CounterMetricFamily("o2c_store_failures", "Commits that failed.")
        failures.add_metric([], self._engine.counts.store_failures)
        yield failures


def _collecting(waiting: Iterable[tuple[str, str, str, int]]) -> Metric:
    text = "Deliveries that wait to be collected."
    family = GaugeMetricFamily("o2c_collecting_deliveries", text, labels=("system", "route", "target"))
    for system, route, target, count in waiting:
        family.add_metric([system, route, target], count)
    return family


def _findings(found: Mapping[tuple[str, str], int]) -> GaugeMetricFamily:
    text = "Messages that something was found about and that nobody has seen to: a missing bank statement or reply."
    family = GaugeMetricFamily("o2c_open_findings", text, labels=("source", "code"))
    for (source, code), count in sorted(found.items()):
        family.add_metric([source, code], count)
    return family


def _circuits(open_now: Mapping[str, circuits.Circuit], systems: Mapping[str, System]) -> GaugeMetricFamily:
    family = GaugeMetricFamily("o2c_circuit", "0 closed, 1 half open, 2 open.", labels=("system",))
    for name in sorted(name for name, system in systems.items() if system.has_circuit):
        circuit = open_now.get(name)
        family.add_metric([name], 0 if circuit is None else 1 if circuit.state == circuits.HALF_OPEN else 2)
    return family


def _sources(db: Database, systems: Mapping[str, System]) -> Iterator[GaugeMetricFamily]:
    """When each source was last read, and which cannot be read now."""
    labels, known = ("system",), sources.states(db)
    read = GaugeMetricFamily("o2c_source_read_seconds", "When it was last read to its end (Unix).", labels=labels)
    failing = GaugeMetricFamily("o2c_source_failing", "1 while it cannot be read.", labels=labels)
    for name in sorted(name for name, system in systems.items() if system.fetches and name in known):
        read.add_metric([name], known[name].read_at or 0)
        failing.add_metric([name], int(known[name].failing_since is not None))
    yield from (read, failing) if read.samples else ()


def _quotas(db: Database, limits: Sequence[Limit]) -> Iterator[GaugeMetricFamily]:
    """What is stored against each quota, and which are full."""
    states, labels = {(state.kind, state.name): state for state in usage.states(db)}, ("kind", "name")
    used = GaugeMetricFamily("o2c_quota_used", "What is stored, of what may be.", labels=(*labels, "what"))
    most = GaugeMetricFamily("o2c_quota_limit", "How much may be stored.", labels=(*labels, "what"))
    full = GaugeMetricFamily("o2c_quota_full", "1 while doors are shut because of it.", labels=labels)
    for limit in limits:
        key = (limit.kind, limit.name)
        state = states.get(key, usage.State(*key))
        for what, now, allowed in (
            ("bytes", state.bytes, limit.bytes), ("messages", state.messages, limit.messages),
        ):  # fmt: skip
            if allowed is not None:
                used.add_metric([*key, what], now)
                most.add_metric([*key, what], allowed)
        full.add_metric(key, int(state.full_since is not None))
    yield from (used, most, full) if limits else ()


def _counter(name: str, text: str, labels: tuple[str, ...], counts: Mapping[Any, float]) -> CounterMetricFamily:
    family = CounterMetricFamily(name, text, labels=labels)
    for key, count in sorted(counts.items()):
        family.add_metric([key] if isinstance(key, str) else list(key), count)
    return family


def _stored(tally: Tally) -> GaugeMetricFamily:
    family = GaugeMetricFamily("o2c_stored", "Everything the store ever held, by state.", labels=("what", "state"))
    for what in ("receipts", "messages", "deliveries"):
        for state, count in sorted(getattr(tally, what).items()):
            family.add_metric([what, state], count)
    return family


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)


def render(engine: Engine, tally: Tally) -> bytes:
    """The metrics in the text form that Prometheus reads."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_HubCollector(engine, tally))
    return generate_latest(registry)
