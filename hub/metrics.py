"""What monitoring reads: the process's own counts, and the counts by state of the store, for /metrics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from hub.store import dead_letters, switches
from hub.store.tally import Tally

if TYPE_CHECKING:
    from hub.pipeline.engine import Engine

# Attribute of the engine's counts: (metric, what it counts, labels).
_COUNTED = {
    "receipts": ("o2c_receipts", "Documents that came in.", ("source", "result")),
    "messages": ("o2c_messages", "Messages by the state they got to.", ("route", "state")),
    "deliveries": ("o2c_deliveries", "Ends of tries by the state they led to.", ("route", "system", "state")),
    "attempts": ("o2c_attempts", "Tries by their result.", ("system", "code")),
    "refused": ("o2c_refused", "Documents that were refused at the door.", ("source", "reason")),
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
        failures = CounterMetricFamily("o2c_store_failures", "Commits that failed.")
        failures.add_metric([], self._engine.counts.store_failures)
        yield failures


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
