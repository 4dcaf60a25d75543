"""What the hub says of itself during the demo, through the admin API a user has too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from hub.client import HubClient
from hub.states import DELIVERY_WAITING

Counts = Mapping[str, int]


class Facts(msgspec.Struct, frozen=True):
    """The counts of one moment, by state, and the open dead letters by cause."""

    receipts: Counts = msgspec.field(default_factory=dict)
    messages: Counts = msgspec.field(default_factory=dict)
    deliveries: Counts = msgspec.field(default_factory=dict)
    issues: Sequence[Mapping[str, Any]] = ()
    retrying: Sequence[Mapping[str, Any]] = ()

    @property
    def received(self) -> int:
        return sum(self.receipts.values())

    @property
    def in_progress(self) -> int:
        """Receipts not split and messages not routed yet."""
        unrouted = sum(self.messages.get(state, 0) for state in ("received", "decoded", "mapped"))
        return self.receipts.get("received", 0) + unrouted

    @property
    def waiting(self) -> int:
        """Deliveries on their way, whatever they wait for."""
        return sum(self.deliveries.get(state, 0) for state in DELIVERY_WAITING)

    @property
    def is_quiet(self) -> bool:
        """Nothing moves any more: what is held waits for a person."""
        return self.in_progress == 0 and self.waiting == self.deliveries.get("held", 0)


def read_facts(hub: HubClient) -> Facts:
    """The facts of now."""
    counts = hub.get("/counts")
    issues = hub.get("/dead-letters", group_by="issue")["issues"]
    retrying = hub.get("/messages", state="retrying", limit=5)["items"] if counts["deliveries"].get("retrying") else ()
    return Facts(counts["receipts"], counts["messages"], counts["deliveries"], issues, retrying)
