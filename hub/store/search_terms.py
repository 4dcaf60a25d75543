"""The filters of lists and replays as SQL: which index to start from, and what each row must satisfy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from hub.keys import bounded
from hub.states import DELIVERY_STATES, MESSAGE_STATES
from hub.store.database import Database
from hub.store.partial import CLOSED_STATES, TROUBLED_STATES, is_closed, is_troubled

_SLACK_SECONDS = 3600.0  # a large body is numbered after it was received; clocks are set back


class Filter(msgspec.Struct, frozen=True):
    """Which messages; empty fields do not matter. ``keys`` are (scheme, value) and must all match.

    ``state`` is that of the message or of one of its deliveries; ``issue`` a fingerprint; ``destination`` a target or
    its system; ``text`` the beginning of a key's value, or words of the error of something that needs a person. With
    ``is_masked`` it is a whole value, or words of what an error says without any value of a document: who may not see
    those could spell them out by what is found.
    """

    state: str = ""
    error_class: str = ""
    code: str = ""
    issue: str = ""
    route: str = ""
    source: str = ""
    destination: str = ""
    type: str = ""
    keys: tuple[tuple[str, str], ...] = ()
    received_from: float | None = None
    received_until: float | None = None
    text: str = ""
    replay_of: str = ""
    is_masked: bool = False

    @property
    def is_empty(self) -> bool:
        return self == Filter()


class Sql(msgspec.Struct, frozen=True):
    """A piece of a statement with the values of its placeholders."""

    text: str
    values: tuple[Any, ...] = ()


def joined(terms: Sequence[Sql]) -> Sql:
    """All of them must hold."""
    return Sql(" AND ".join(t.text for t in terms) or "TRUE", tuple(value for t in terms for value in t.values))


def driver(db: Database, wanted: Filter) -> Sql | None:
    """A subquery of message ids from the most selective index; None where no index helps."""
    if wanted.keys:
        first = _with_key(*wanted.keys[0])
        return Sql(f"(SELECT DISTINCT {first.text})", first.values)
    if wanted.replay_of:
        text = """(SELECT x.message_id FROM receipts r CROSS JOIN messages x ON x.seq = r.seq
            WHERE r.replay_of = ? AND r.replay_of <> ''
          UNION SELECT message_id FROM deliveries WHERE replay_of = ? AND replay_of <> '')"""
        return Sql(text, (wanted.replay_of, wanted.replay_of))
    if wanted.text:
        return _text_driver(db, wanted)
    if wanted.issue and "@" not in wanted.issue:
        text = """(SELECT message_id FROM deliveries WHERE fingerprint = ? AND fingerprint <> ''
          UNION SELECT message_id FROM messages WHERE fingerprint = ? AND fingerprint <> '')"""
        return Sql(text, (wanted.issue, wanted.issue))
    return _state_driver(wanted)


def _with_key(scheme: str, value: str) -> Sql:
    text = """x.message_id FROM keys k CROSS JOIN messages x
      ON x.seq = k.seq AND x.position = k.position WHERE k.scheme = ? AND k.value = ?"""
    return Sql(text, (scheme, bounded(value)))


def _state_driver(wanted: Filter) -> Sql | None:
    if wanted.state == "delivering":
        text = "SELECT DISTINCT message_id FROM deliveries INDEXED BY deliveries_claimed WHERE claimed_by IS NOT NULL"
        return Sql(f"({text})")
    if wanted.state in CLOSED_STATES:
        text = f"(SELECT DISTINCT message_id FROM deliveries WHERE state = ? AND {is_closed()})"
        return Sql(text, (wanted.state,))
    if wanted.state in ("filtered", "received", "decoded", "mapped"):
        return Sql("(SELECT message_id FROM messages WHERE state = ? AND state <> 'routed')", (wanted.state,))
    if wanted.state in TROUBLED_STATES or (not wanted.state and (wanted.error_class or wanted.code or wanted.issue)):
        return _troubled(wanted.state)
    return None


def _troubled(state: str) -> Sql:
    """Messages in trouble, or with a delivery that is; of one state, or of any."""
    states = (state,) if state else TROUBLED_STATES
    marks = ", ".join("?" * len(states))
    text = f"SELECT message_id FROM deliveries WHERE state IN ({marks}) AND {is_troubled()}"
    if "dead" in states:
        text += " UNION SELECT message_id FROM messages WHERE state = 'dead' AND state <> 'routed'"
    return Sql(f"({text})", states)


def _text_driver(db: Database, wanted: Filter) -> Sql:
    """Keys whose value begins with the text, by the index of each scheme, and troubled ones whose error holds it."""
    schemes, error = _schemes(db), said(wanted, "failure")
    marks = ", ".join("?" * len(schemes)) or "''"
    value, values = ">= ? AND k.value < ?", [wanted.text, wanted.text + "\U0010ffff"]
    if wanted.is_masked:
        value, values = "= ?", [bounded(wanted.text)]
    keys = f"""SELECT x.message_id FROM keys k CROSS JOIN messages x ON x.seq = k.seq AND x.position = k.position
      WHERE k.scheme IN ({marks}) AND k.value {value}"""
    errors = f"""UNION SELECT message_id FROM deliveries WHERE {is_troubled()} AND {error.text}
      UNION SELECT message_id FROM messages WHERE state = 'dead' AND state <> 'routed' AND {error.text}"""
    return Sql(f"({keys} {errors})", (*schemes, *values, *error.values, *error.values))


def said(wanted: Filter, column: str) -> Sql:
    """An error, as far as it may be looked into, holds the text."""
    places = [column]
    if wanted.is_masked:
        places = [f"{column} ->> '$.{name}'" for name in ("class", "code", "field_path", "expected")]
    terms = " OR ".join(f"instr(lower({place}), ?) > 0" for place in places)
    return Sql(f"({terms})", (wanted.text.lower(),) * len(places))


def _schemes(db: Database) -> tuple[str, ...]:
    """The key schemes there are, by skipping from one to the next in the index."""
    rows = db.execute(
        """WITH RECURSIVE s(name) AS (SELECT min(scheme) FROM keys UNION ALL
             SELECT (SELECT min(scheme) FROM keys WHERE scheme > s.name) FROM s WHERE s.name IS NOT NULL)
           SELECT name FROM s WHERE name IS NOT NULL"""
    )
    return tuple(name for (name,) in rows)


def message_terms(wanted: Filter) -> Sql:
    """What a message (``m``) must satisfy."""
    plain = {"m.route": wanted.route, "m.source": wanted.source, "m.type": wanted.type}
    terms = [Sql(f"{column} = ?", (value,)) for column, value in plain.items() if value]
    for scheme, value in wanted.keys:
        with_it = _with_key(scheme, value)  # all at once: to look for each row goes through all of one key each time
        terms.append(Sql(f"m.message_id IN (SELECT {with_it.text})", with_it.values))
    terms += _received(wanted, "m")
    if any((wanted.state, wanted.error_class, wanted.code, wanted.issue, wanted.destination)):
        terms.append(_own_or_delivery(wanted))
    return joined(terms)


def _own_or_delivery(wanted: Filter) -> Sql:
    """State and error are those of the message itself or, together, those of one of its deliveries."""
    delivery = delivery_terms(wanted)
    choices = [
        Sql(
            f"EXISTS (SELECT 1 FROM deliveries d WHERE d.message_id = m.message_id AND {delivery.text})",
            delivery.values,
        )
    ]
    if wanted.state and wanted.state not in DELIVERY_STATES:
        choices = []
    if not wanted.destination and (not wanted.state or wanted.state in MESSAGE_STATES):
        choices.append(_state_and_error(wanted, "m"))
    text = " OR ".join(c.text for c in choices) or "FALSE"
    return Sql(f"({text})", tuple(value for c in choices for value in c.values))


def delivery_terms(wanted: Filter) -> Sql:
    """What a delivery (``d``) must satisfy."""
    terms = [_state_and_error(wanted, "d")]
    if wanted.destination:
        terms.append(Sql("(d.target = ? OR d.system = ?)", (wanted.destination, wanted.destination)))
    return joined(terms)


def _state_and_error(wanted: Filter, table: str) -> Sql:
    code, at, route = wanted.issue.partition("@")
    # An issue is a fingerprint, or code@route for what has none.
    issue = (
        {"{t}.fingerprint || ({t}.failure ->> '$.code')": code, "{t}.route": route} if at else {"{t}.fingerprint": code}
    )
    plain = {
        "{t}.state": wanted.state, "{t}.failure ->> '$.class'": wanted.error_class,
        "{t}.failure ->> '$.code'": wanted.code, **issue,
    }  # fmt: skip
    return joined([Sql(f"{column.format(t=table)} = ?", (value,)) for column, value in plain.items() if value])


def receipt_states(wanted: Filter) -> tuple[str, ...]:
    """The states of receipts that a list shows as lines of their own: none where a filter speaks of messages only."""
    if wanted.keys or wanted.type or wanted.destination or wanted.state not in ("", "received", "dead"):
        return ()
    if wanted.state:
        return (wanted.state,)
    return ("dead",) if wanted.issue or wanted.error_class or wanted.code or wanted.text else ("received", "dead")


def receipt_terms(wanted: Filter) -> Sql:
    """What a receipt (``r``) must satisfy."""
    plain = {"r.route": wanted.route, "r.source": wanted.source, "r.replay_of": wanted.replay_of}
    terms = [Sql(f"{column} = ?", (value,)) for column, value in plain.items() if value]
    if wanted.text:
        terms.append(said(wanted, "r.failure"))
    own = Filter(issue=wanted.issue, error_class=wanted.error_class, code=wanted.code)
    return joined([*terms, *_received(wanted, "r"), _state_and_error(own, "r")])


def _received(wanted: Filter, table: str) -> list[Sql]:
    terms = []
    if wanted.received_from is not None:
        terms.append(Sql(f"{table}.received_at >= ?", (wanted.received_from,)))
    if wanted.received_until is not None:
        terms.append(Sql(f"{table}.received_at < ?", (wanted.received_until,)))
    return terms


def received_between(db: Database, wanted: Filter) -> tuple[int, int]:
    """The receipts' numbers that a time span can lie between: numbers grow with time, so bisecting finds them."""
    last = db.execute("SELECT max(seq) FROM receipts").get or 0
    first, until = wanted.received_from, wanted.received_until
    low = 0 if first is None else _bisect(db, first - _SLACK_SECONDS, last)
    high = last if until is None else _bisect(db, until + _SLACK_SECONDS, last)
    return low, high


def _bisect(db: Database, at: float, last: int) -> int:
    """The first receipt received at or after a time; ``last + 1`` when there is none."""
    low, high = 0, last + 1
    while low < high:
        middle = (low + high) // 2
        row = db.execute(
            "SELECT seq, received_at FROM receipts WHERE seq >= ? ORDER BY seq LIMIT 1", (middle,)
        ).fetchone()
        if row is None or row[1] >= at:
            high = middle
        else:
            low = row[0] + 1
    return low
