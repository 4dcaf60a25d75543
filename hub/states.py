"""The states of receipts, messages and deliveries, and which may follow which.

Some are names that nothing takes on: a message is stored once it is ``routed``, ``filtered`` or ``dead``. Lists can be
filtered by them, and counts have them.
The store's CHECK constraints and triggers are tested against these tables; nothing else decides about states.
"""

from __future__ import annotations

RECEIPT_STATES = ("received", "split", "dead")

MESSAGE_STATES = ("received", "decoded", "mapped", "routed", "filtered", "dead")

DELIVERY_STATES = (
    "queued", "delivering", "retrying", "unknown", "held",
    "delivered", "skipped", "dead", "resolved", "cancelled", "expired",
)  # fmt: skip
DELIVERY_WAITING = frozenset({"queued", "delivering", "retrying", "unknown", "held"})
DELIVERY_FINAL = frozenset(DELIVERY_STATES) - DELIVERY_WAITING

# What an operator may find in the dead-letter view: somebody has to look.
NEEDS_A_PERSON = frozenset({"dead", "held", "expired"})

DELIVERY_TRANSITIONS: dict[str, frozenset[str]] = {
    # What was released, or waits to be sent again, may turn out to have arrived before.
    "queued": frozenset({"delivering", "delivered", "skipped", "held", "dead", "cancelled", "expired", "resolved"}),
    "delivering": frozenset({"delivered", "retrying", "unknown", "held", "skipped", "dead", "queued"}),
    "retrying": frozenset({"delivering", "delivered", "held", "dead", "cancelled", "expired", "resolved"}),
    "unknown": frozenset({"delivering", "delivered", "retrying", "held", "skipped", "dead", "cancelled", "resolved"}),
    "held": frozenset({"queued", "unknown", "delivered", "dead", "cancelled", "resolved"}),
    "dead": frozenset({"resolved", "cancelled"}),
    "delivered": frozenset(),
    "skipped": frozenset(),
    "resolved": frozenset(),
    "cancelled": frozenset(),
    "expired": frozenset({"resolved", "cancelled"}),
}


def switching_on(kind: str, name: str) -> str:
    """The command that lets what is switched off go on: a route that is paused, a system that is stopped."""
    return f"o2c route {name} resume" if kind == "route" else f"o2c circuit {name} start"


# What a reader is told first where several states stand for one thing: what needs a person, what moves, what is over.
_URGENCY = (
    "dead", "expired", "held", "unknown", "retrying", "received", "decoded", "mapped", "queued", "delivering",
    "delivered", "skipped", "split", "routed", "filtered", "resolved", "cancelled",
)  # fmt: skip


def by_urgency(state: str) -> int:
    """A sort key for states of any kind: the most urgent first."""
    return _URGENCY.index(state)


def standing(state: str, resolved_by: str | None, replay_state: str | None) -> str:
    """How a message is, in words: its state, and what came of it where it was dead and somebody saw to it."""
    if state != "dead" or not resolved_by:
        return state
    return f"dead, replayed: {replay_state}" if replay_state else "dead, resolved"
