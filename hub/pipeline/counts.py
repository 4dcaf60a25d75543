"""What this process has done since it started: plain numbers, read by /metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from hub.message import Accepted, Arrival, Finish
from hub.pipeline.transformed import Transformed


class Counts:
    """Counters by label. Increments happen under the interpreter's lock; a lost one would be a rounding error."""

    def __init__(self) -> None:
        self.receipts: Counter[tuple[str, str]] = Counter()  # (source, accepted | duplicate)
        self.messages: Counter[tuple[str, str]] = Counter()  # (route, state)
        self.deliveries: Counter[tuple[str, str, str]] = Counter()  # (route, system, state)
        self.attempts: Counter[tuple[str, str]] = Counter()  # (system, code)
        self.refused: Counter[tuple[str, str]] = Counter()  # (source, reason)
        self.latency_seconds: Counter[str] = Counter()  # system -> sum of end to end seconds
        self.put_off: Counter[str] = Counter()  # system -> retries beyond its budget
        self.store_failures = 0

    def received(self, group: Sequence[tuple[Arrival, Accepted]]) -> None:
        for arrival, accepted in group:
            self.receipts[(arrival.source, "duplicate" if accepted.duplicate else "accepted")] += 1

    def transformed(self, parts: Sequence[Transformed]) -> None:
        for part in parts:
            for message in part.messages:
                self.messages[(message.route, message.state)] += 1
            if part.failure is not None:
                self.messages[(part.route, "unreadable")] += 1

    def finished(self, ended: Sequence[tuple[Any, Finish]]) -> None:
        for sent, finish in ended:
            delivery = sent.delivery
            count = int(sent.context.get("count", 1))  # of a batch, all that are in it
            self.deliveries[(delivery.route, delivery.system, finish.state)] += count
            self.attempts[(delivery.system, finish.code or finish.state)] += 1
            if finish.state == "delivered":
                self.latency_seconds[delivery.system] += count * (finish.at - delivery.received_at)

    def store_failed(self) -> None:
        self.store_failures += 1
