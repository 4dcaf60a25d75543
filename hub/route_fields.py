"""The keys of a route file, as a table: the lint, the JSON Schema and the reference page are made from it."""

from __future__ import annotations

from msgspec.structs import replace

from connectors.base import WHEN, Field

EXPRESSION_NAMES = ("src", "envelope")
RESERVED = frozenset((
    "at", "cash", "every", "expect", "join", "journey", "journeys", "receivables", "reconcile", "schedule",
    "split", "steps",
))  # fmt: skip
ON_ERROR = ("dead_letter", "block_key", "skip", "stop")
_ON_ERROR_TEXT = "What a delivery that cannot succeed does: dead_letter frees its lane, block_key keeps it, skip goes "
_ON_ERROR_TEXT += "on, stop pauses the route."

RETRY_FIELDS = (
    Field("attempts", "integer", "How often a delivery is tried in all.", default=8),
    Field("first", "duration", "The longest wait before the second try.", default=10.0),
    Field("factor", "number", "By how much each wait grows.", default=3),
    Field("cap", "duration", "No wait is longer.", default=900.0),
    Field("jitter", "choice", "full: each wait is a random part of the longest, so that retries do not come together; "
          "none: exactly the longest.", default="full", choices=("full", "none")),
)  # fmt: skip


def quota_field(whose: str, door: str) -> Field:
    """``quota:``, the same for the hub, a source and a route."""
    return Field(
        "quota", "group", f"How much {whose} may keep in the store. What is over goes before its time, the oldest that "
        f"has ended first, never what is on its way or a dead letter; where that is not enough, {door} 503.",
        fields=(
            Field("size", "size", "Payloads, as they are stored, compressed; none: any size."),
            Field("messages", "integer", "Messages, with all that is known of them; none: any number."),
        ),
    )  # fmt: skip


TARGET_FIELDS = (
    Field("system", "text", "The system it goes to; or"),
    Field("partner", "text", "the trading partner it goes to, in an interchange of its own unless collected."),
    Field("id", "text", "This target's own name; the system's or partner's unless two targets go to one."),
    Field("map", "text", "The mapping from the canonical document to the system's; none: the document itself."),
    Field("when", "expression", "Sent only where this holds; src is the canonical document.", names=EXPRESSION_NAMES),
    Field("after", "text", "The target whose delivery must have arrived first."),
    Field("key", "expression", "The business key whose order is kept for this target.", names=EXPRESSION_NAMES),
    Field("collect", "group", "Gather deliveries and send them together, as one file or interchange.", fields=(
        Field("every", "duration", "How often, counted from midnight: 15m is at 00:00, 00:15 and so on."),
        *WHEN,
        Field("max", "integer", "How many at most; as soon as so many wait they are sent.", default=1000),
    )),
    Field("expires", "duration", "How long after it was received it may be sent; what has not arrived by then expires: "
          "a dead letter that frees its lane."),
    Field("profile", "text", "The profile its bytes must be valid by before they are sent, e.g. en16931 or pain.001."),
    Field("reply", "group", "What becomes of the system's answer.",
          fields=(Field("map", "text", "The mapping from the answer to a canonical document.", required=True),)),
    Field("on_error", "choice", _ON_ERROR_TEXT, choices=ON_ERROR),
    Field("retry", "group", "The route's retry policy, changed for this target.",
          fields=tuple(replace(part, default=None) for part in RETRY_FIELDS)),
)  # fmt: skip

FIELDS = (
    Field("route", "text", "The route's name, unique in the project.", required=True),
    Field("description", "text", "What the route is for, in your own words.", default=""),
    Field(
        "from", "group", "Where its documents come from.", required=True,
        fields=(
            Field("system", "text", "The system that sends them; or"),
            Field("partner", "text", "the trading partner that sends them, in interchanges."),
            Field("event", "texts", "The event, or a list of them; none: every event of the system. Of a partner the "
                  "message type: ORDERS, or 850; one kind of it with its code: INVOIC 381, or 810 CR.", default=()),
            Field("profile", "text", "The profile that what comes must be valid by, e.g. camt.053 or peppol-bis-3."),
            Field("invalid", "choice", "What becomes of what is not: refuse makes it a dead letter with all its "
                  "faults, log takes it in and writes them to the log.", default="refuse", choices=("refuse", "log")),
        ),
    ),
    Field("map", "text", "The mapping from the system's document to a canonical one.", required=True),
    Field("order", "choice", "per_key: documents of one business key arrive in the order they came; none: as it comes.",
          default="per_key", choices=("per_key", "none")),
    Field("key", "expression", "The business key; none: the main key of the canonical type.", names=EXPRESSION_NAMES),
    Field("to", "list", "The targets.", required=True, fields=TARGET_FIELDS),
    Field("weight", "number", "The route's part of a system that several routes wait for; one of 2 sends twice as much "
          "as one of 1.", default=1),
    Field("retry", "group", "When a delivery that failed is tried again.", fields=RETRY_FIELDS),
    Field("on_error", "choice", _ON_ERROR_TEXT, default="dead_letter", choices=ON_ERROR),
    Field("validate", "choice", "sync: an invalid document is answered 422; async: it is taken in, then a dead letter.",
          default="async", choices=("async", "sync")),
    Field(
        "retention", "group", "How long this route's data is kept; what is not said is as in config/hub.yaml.",
        fields=tuple(Field(name, "duration", text) for name, text in (
            ("raw", "The bytes as they came."), ("stages", "What the steps made of them."),
            ("metadata", "States, keys, attempts."),
        )),
    ),
    Field(
        "backlog", "group", "How much of this route may wait before the door answers its documents 429.",
        fields=(Field("deliveries", "integer", "Deliveries that wait, about, for all its targets; 0: no limit but "
                      "those of the targets.", default=0),),
    ),
    quota_field("this route", "its documents are answered"),
)  # fmt: skip
