"""The states of receipts, messages and deliveries, and which may follow which.

The store's CHECK constraints and triggers are tested against these tables; nothing else decides about states.
"""

from __future__ import annotations

RECEIPT_STATES = ("received", "split", "dead")

MESSAGE_STATES = ("received", "decoded", "mapped", "routed", "filtered", "dead")
MESSAGE_FINAL = frozenset({"routed", "filtered", "dead"})

DELIVERY_STATES = (
    "queued", "delivering", "retrying", "unknown", "held",
    "delivered", "skipped", "dead", "resolved", "cancelled", "expired",
)  # fmt: skip
DELIVERY_WAITING = frozenset({"queued", "delivering", "retrying", "unknown", "held"})
DELIVERY_FINAL = frozenset(DELIVERY_STATES) - DELIVERY_WAITING

# What an operator may find in the dead-letter view: somebody has to look.
NEEDS_A_PERSON = frozenset({"dead", "held", "expired"})

DELIVERY_TRANSITIONS: dict[str, frozenset[str]] = {
    "queued": frozenset({"delivering", "skipped", "held", "dead", "cancelled", "expired", "resolved"}),
    "delivering": frozenset({"delivered", "retrying", "unknown", "held", "skipped", "dead", "queued"}),
    "retrying": frozenset({"delivering", "held", "dead", "cancelled", "expired", "resolved"}),
    "unknown": frozenset({"delivering", "delivered", "retrying", "held", "dead", "cancelled", "resolved"}),
    "held": frozenset({"queued", "delivered", "dead", "cancelled", "resolved", "expired"}),
    "dead": frozenset({"resolved", "cancelled"}),
    "delivered": frozenset(),
    "skipped": frozenset(),
    "resolved": frozenset(),
    "cancelled": frozenset(),
    "expired": frozenset(),
}


def may_follow(before: str, after: str) -> bool:
    """Whether a delivery in state ``before`` may go to ``after``."""
    return after in DELIVERY_TRANSITIONS[before]
