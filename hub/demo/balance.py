"""Whether the demo's numbers add up: what the hub counts against what the stubs counted for themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec

from hub.demo.facts import Facts
from hub.demo.shop import Shop
from hub.demo.stubs import Stub


@dataclass(frozen=True, slots=True)
class Line:
    """One equation of the summary: a total, and the parts that must make it."""

    what: str
    total: int
    parts: Mapping[str, int]

    @property
    def holds(self) -> bool:
        return self.total == sum(self.parts.values())

    @property
    def right(self) -> str:
        """The parts as a sum."""
        return " + ".join(f"{count} {name}" for name, count in self.parts.items()) or "0"

    def __str__(self) -> str:
        return f"{self.what}: {self.total} {'=' if self.holds else 'IS NOT'} {self.right}"


class Counted(msgspec.Struct, frozen=True):
    """What the demo did itself: the shop, the stub systems, the orders in the partner's file, receipts of replays."""

    shop: Shop
    stubs: Mapping[str, Stub]
    file_orders: int
    replays: int

    def effects(self, system: str) -> int:
        """How many different documents a system has."""
        return len(self.stubs[system].ledger.effects)


def balance(facts: Facts, counted: Counted) -> Iterator[Line]:
    """Every equation; the left side and the right side come from different counters wherever there are two."""
    answers = counted.shop.posted.answers
    yield Line("webhooks the shop posted", answers.total(), dict(answers))
    documents = answers["accepted"] + counted.file_orders
    yield Line("documents taken in", documents, {
        "in the ERP": counted.effects("erp"), "filtered": facts.messages.get("filtered", 0),
        "dead": _dead_documents(facts), "in flight": facts.in_progress + facts.waiting,
    })  # fmt: skip
    yield Line("receipts in the hub", facts.received, {
        "webhooks": answers["accepted"], "file": 1 if counted.file_orders else 0, "replayed": counted.replays,
        "answers of the ERP": counted.effects("erp"),
    })  # fmt: skip
    yield Line("messages in the hub", sum(facts.messages.values()), _messages(facts))
    yield Line("deliveries in the hub", sum(facts.deliveries.values()), _deliveries(facts))
    arrived = {name: counted.effects(name) for name in counted.stubs}
    yield Line("delivered, says the hub", facts.deliveries.get("delivered", 0), arrived)
    yield Line("double effects in the systems", sum(stub.ledger.doubles for stub in counted.stubs.values()), {})


def _messages(facts: Facts) -> dict[str, int]:
    ended = {name: facts.messages.get(name, 0) for name in ("routed", "filtered", "dead")}
    return {**ended, "in progress": facts.in_progress - facts.receipts.get("received", 0)}


def _deliveries(facts: Facts) -> dict[str, int]:
    final = ("delivered", "skipped", "dead", "resolved", "cancelled", "expired")
    ended = {name: facts.deliveries[name] for name in final if facts.deliveries.get(name)}
    return {**ended, "waiting": facts.waiting}


def _dead_documents(facts: Facts) -> int:
    """Open dead letters that never became a delivery, and dead deliveries to the ERP."""
    whole = sum(int(count) for issue in facts.issues for kind, count in issue["kinds"].items() if kind != "delivery")
    return whole + sum(int(issue["states"].get("dead", 0)) for issue in facts.issues if issue.get("system") == "erp")
