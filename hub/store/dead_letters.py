"""Dead letters: receipts, messages and deliveries that somebody has to look at, one by one or grouped by issue.

What has been replayed or resolved is no dead letter any more. An issue is what has the same fingerprint; where there is
none (held by a person, held behind another delivery) it is ``code@route``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from hub.message import LANE_SHIFT
from hub.store import search_terms
from hub.store.database import Database
from hub.store.deliveries import HELD_BEHIND
from hub.store.partial import DEAD_STATES, is_dead
from hub.store.search_terms import Filter, Sql

_EXAMPLES = 3
_MOST_INSTEAD = 500
_NOT_ARRIVED = "it has not arrived"
_END = "\U0010ffff"  # no key has it
_ISSUE = """CASE WHEN {0}.fingerprint <> '' THEN {0}.fingerprint
  ELSE coalesce({0}.failure ->> '$.code', '') || '@' || {0}.route END"""

_DEAD_IN_DOUBT = "{0}.state = 'dead' AND {0}.doubt = 1 AND {0}.batch_id <> ''"  # of a batch
# How many of an issue no replay takes: held in doubt, in a batch, or behind another one; how many of its deliveries may
# have arrived; and how many are dead of a batch that may have.
_COUNTS = f"""sum(CASE WHEN d.state = 'held' AND (d.doubt = 1 OR d.batch_id <> '' OR (d.waits_for <> '' AND (
      d.{HELD_BEHIND} OR EXISTS (SELECT 1 FROM deliveries p WHERE p.delivery_id = d.waits_for
        AND p.state <> 'delivered')))) THEN 1 ELSE 0 END),
  sum(d.doubt), sum(CASE WHEN {_DEAD_IN_DOUBT.format("d")} THEN 1 ELSE 0 END)"""
_AHEAD = f"""SELECT DISTINCT {_ISSUE.format("d")}, p.delivery_id,
    CASE WHEN {_DEAD_IN_DOUBT.format("p")} THEN 1 ELSE 0 END
  FROM deliveries d INDEXED BY deliveries_dead CROSS JOIN deliveries p ON p.delivery_id = d.waits_for
  WHERE d.state = 'held' AND d.waits_for <> '' AND d.{HELD_BEHIND} AND p.state IN ('dead', 'expired')
  ORDER BY 1, 2"""

_SEQ = "(CASE WHEN r.origin_seq <> 0 THEN r.origin_seq ELSE r.seq END)"
_COLUMNS = {
    "receipt": f"""'receipt', r.receipt_id, r.receipt_id, {_SEQ} << {LANE_SHIFT}, r.route, r.source, '', '', r.state,
      r.received_at, r.received_at, r.failure, {_ISSUE.format("r")}, ''""",
    "message": f"""'message', m.message_id, m.message_id,
      ({_SEQ} << {LANE_SHIFT}) | m.position,
      m.route, m.source, '', '', m.state, m.received_at, m.received_at, m.failure, {_ISSUE.format("m")}, m.main_key""",
    "delivery": f"""'delivery', d.delivery_id, d.message_id, d.lane_seq, d.route, d.source, d.target, d.system, d.state,
      d.received_at, d.updated_at, d.failure, {_ISSUE.format("d")}, m.main_key""",
}
_OPEN = {
    "receipt": "FROM receipts r WHERE r.state = 'dead' AND r.resolved_by IS NULL",
    "message": """FROM messages m INDEXED BY messages_dead CROSS JOIN receipts r ON r.seq = m.seq
      WHERE m.state = 'dead' AND m.resolved_by IS NULL""",
    "delivery": f"""FROM deliveries d INDEXED BY deliveries_dead
      CROSS JOIN messages m ON m.message_id = d.message_id
      WHERE {is_dead("d")}""",
}


class DeadLetter(msgspec.Struct, frozen=True):
    """Something that somebody has to look at. ``order`` is its place in the order of arrival."""

    kind: str
    id: str
    message_id: str
    order: int
    route: str
    source: str
    target: str
    system: str
    state: str
    received_at: float
    since: float
    failure: dict[str, Any]
    issue: str
    main_key: str


class Issue(msgspec.Struct, frozen=True):
    """What has one cause, as far as a fingerprint can tell. ``examples`` are ids of the newest; ``instead`` are the
    deliveries to be replayed where that is not the dead letters themselves, 500 at most; ``delivered`` is why what may
    have arrived is sent once more, ``release`` why what no replay takes is let go, '' each where that is not so."""

    issue: str
    count: int
    first_seen: float
    last_seen: float
    kinds: dict[str, int]
    states: dict[str, int]
    route: str
    source: str
    system: str
    failure: dict[str, Any]
    examples: tuple[str, ...]
    instead: tuple[str, ...]
    delivered: str
    release: str

    @property
    def command(self) -> str:
        """What sends everything of it again, from a terminal; what follows others goes with these, which it lists."""
        if self.release:
            return f"o2c release --issue {self.issue} --reason '{self.release}'"
        if self.instead and "delivery_id" not in self.failure:
            return f"o2c dead --route {self.route}"
        what = " ".join(self.instead) or f"--issue {self.issue}"
        asked = " --superseded send" if self.is_superseded else ""
        return f"o2c replay {what}{asked}" + (
            f" --delivered send --reason '{self.delivered}'" if self.delivered else ""
        )

    @property
    def is_superseded(self) -> bool:
        """What is newer has arrived: whoever replays it says that he knows."""
        return self.failure.get("code") == "superseded"


def find(db: Database, wanted: Filter, limit: int = -1) -> list[DeadLetter]:
    """The dead letters that a filter selects, in the order of arrival; the first ``limit`` of them, or all."""
    found = [
        letter
        for kind in _COLUMNS
        for state in _states(kind, wanted)
        for letter in _find(db, kind, replace(wanted, state=state), limit)
    ]
    found.sort(key=lambda letter: (letter.order, letter.kind, letter.id))
    return found if limit < 0 else found[:limit]


def _states(kind: str, wanted: Filter) -> list[str]:
    """Of each state they are found in their order, so that no more are read than are wanted."""
    possible = DEAD_STATES if kind == "delivery" else ("dead",)
    return [state for state in possible if wanted.state in ("", state)]


def _find(db: Database, kind: str, wanted: Filter, limit: int) -> Iterator[DeadLetter]:
    terms = _terms(kind, wanted)
    if terms is None:
        return
    sql = f"SELECT {_COLUMNS[kind]} {_OPEN[kind]} AND {terms.text} ORDER BY 4, 2 LIMIT ?"
    for row in db.execute(sql, (*terms.values, limit)):
        yield _letter(row)


def _letter(row: tuple[Any, ...]) -> DeadLetter:
    failure = msgspec.json.decode(row[11] or "{}")
    return DeadLetter(*[*row[:11], failure, row[12], row[13] or ""])


def _terms(kind: str, wanted: Filter) -> Sql | None:
    """What a dead letter of a kind must satisfy; None where the filter leaves none of this kind."""
    if wanted.destination and kind != "delivery":
        return None
    if not _states(kind, wanted):
        return None
    if kind == "receipt" and (wanted.keys or wanted.type):
        return None
    terms = [] if wanted.issue == "" else [Sql(f"{_ISSUE.format(kind[0])} = ?", (wanted.issue,))]
    rest = replace(wanted, issue="", text="", replay_of="")
    if kind == "delivery":
        alone = Filter(state=rest.state, error_class=rest.error_class, code=rest.code, destination=rest.destination)
        terms.append(search_terms.delivery_terms(alone))
        rest = replace(rest, state="", error_class="", code="", destination="")
    terms.append(search_terms.receipt_terms(rest) if kind == "receipt" else search_terms.message_terms(rest))
    return search_terms.joined([*terms, *_text_terms(kind, wanted), *_replay_terms(kind, wanted)])


def _text_terms(kind: str, wanted: Filter) -> list[Sql]:
    if not wanted.text:
        return []
    error = search_terms.said(wanted, f"{kind[0]}.failure")
    if kind == "receipt":
        return [error]
    key = Sql("instr(lower(m.main_key), ?) > 0", (wanted.text.lower(),))
    if wanted.is_masked:
        key = Sql("instr(lower(m.main_key) || ?, ?) > 0", (_END, f":{wanted.text.lower()}{_END}"))
    return [Sql(f"({error.text} OR {key.text})", (*error.values, *key.values))]


def _replay_terms(kind: str, wanted: Filter) -> list[Sql]:
    place = "d" if kind == "delivery" else "r"
    return [Sql(f"{place}.replay_of = ?", (wanted.replay_of,))] if wanted.replay_of else []


def issues(db: Database, wanted: Filter) -> list[Issue]:
    """The dead letters that a filter selects, grouped by issue, the most frequent first."""
    groups: dict[str, list[tuple[Any, ...]]] = {}
    for kind in _COLUMNS:
        terms = _terms(kind, wanted)
        if terms is None:
            continue
        place = kind[0]
        since = "d.updated_at" if kind == "delivery" else f"{place}.received_at"
        own_id = f"{place}.{kind}_id"
        counts = _COUNTS if kind == "delivery" else "0, 0, 0"
        sql = f"""SELECT {_ISSUE.format(place)} AS issue, '{kind}', {place}.state, count(*), min({since}), max({since}),
            max({own_id}), {counts} {_OPEN[kind]} AND {terms.text} GROUP BY issue, {place}.state"""
        for row in db.execute(sql, terms.values):
            groups.setdefault(row[0], []).append(row[1:])
    ahead = _ahead(db)
    found = [_issue(db, issue, rows, ahead.get(issue, [])) for issue, rows in groups.items()]
    return sorted(found, key=lambda issue: (-issue.count, issue.issue))


def _ahead(db: Database) -> dict[str, list[tuple[str, bool]]]:
    """By issue the dead and expired deliveries that what is held is held behind, 500 at most, and of each whether it is
    of a batch that may have arrived."""
    found: dict[str, list[tuple[str, bool]]] = {}
    for issue, id, is_doubtful in db.execute(_AHEAD):
        if len(ahead := found.setdefault(issue, [])) < _MOST_INSTEAD:
            ahead.append((str(id), bool(is_doubtful)))
    return found


def _issue(db: Database, issue: str, rows: list[tuple[Any, ...]], ahead: Sequence[tuple[str, bool]]) -> Issue:
    kinds: dict[str, int] = {}
    states: dict[str, int] = {}
    for kind, state, count, *_ in rows:
        kinds[kind] = kinds.get(kind, 0) + count
        states[state] = states.get(state, 0) + count
    newest = sorted(rows, key=lambda row: row[4], reverse=True)
    example = one(db, newest[0][0], newest[0][5])
    failure, count = example.failure if example else {}, sum(kinds.values())
    held, doubtful, batched = (sum(row[at] for row in rows) for at in (6, 7, 8))
    instead, delivered = _instead(failure, ahead)
    release = "" if instead or held < count else _NOT_ARRIVED if doubtful == count else "it is to go now"
    return Issue(
        issue=issue, count=count, first_seen=min(row[3] for row in rows),
        last_seen=max(row[4] for row in rows), kinds=kinds, states=states, route=example.route if example else "",
        source=example.source if example else "", system=example.system if example else "",
        failure=failure, examples=tuple(row[5] for row in newest[:_EXAMPLES]), instead=instead,
        delivered=delivered or (_NOT_ARRIVED if batched == count else ""), release=release,
    )  # fmt: skip


def _instead(failure: Mapping[str, Any], ahead: Sequence[tuple[str, bool]]) -> tuple[tuple[str, ...], str]:
    """The deliveries to be replayed instead, and why they are where they have arrived, or may have: what was sent to a
    partner, or the dead and expired ones that others are held behind."""
    if failure.get("delivery_id"):
        is_rejected = failure.get("code") == "rejected_by_partner"
        return (str(failure["delivery_id"]),), "rejected by the partner" if is_rejected else "not acknowledged"
    is_doubtful = bool(ahead) and all(doubtful for _, doubtful in ahead)
    return tuple(id for id, _ in ahead), _NOT_ARRIVED if is_doubtful else ""


_ONE = {
    "receipt": "FROM receipts r WHERE r.receipt_id = ?",
    "message": "FROM messages m CROSS JOIN receipts r ON r.seq = m.seq WHERE m.message_id = ?",
    "delivery": "FROM deliveries d LEFT JOIN messages m ON m.message_id = d.message_id WHERE d.delivery_id = ?",
}


def one(db: Database, kind: str, id: str) -> DeadLetter | None:
    """A receipt, message or delivery in the same form, whatever its state."""
    row = db.execute(f"SELECT {_COLUMNS[kind]} {_ONE[kind]}", (id,)).fetchone()
    return None if row is None else _letter(row)


def of_receipt(db: Database, receipt_id: str) -> list[DeadLetter]:
    """The open dead letters among what one receipt was split into."""
    seq = db.execute("SELECT seq FROM receipts WHERE receipt_id = ?", (receipt_id,)).get
    joins = {
        "message": "FROM messages m CROSS JOIN receipts r ON r.seq = m.seq",
        "delivery": "FROM messages m CROSS JOIN deliveries d ON d.message_id = m.message_id",
    }
    rules = {
        "message": "m.state = 'dead' AND m.resolved_by IS NULL",
        "delivery": "d.state IN ('dead', 'held', 'expired')",
    }
    found = [
        _letter(row)
        for kind, join in joins.items()
        for row in db.execute(f"SELECT {_COLUMNS[kind]} {join} WHERE m.seq = ? AND {rules[kind]}", (seq,))
    ]
    return sorted(found, key=lambda letter: (letter.order, letter.kind, letter.id))


def count(db: Database, wanted: Filter | None = None) -> int:
    """How many dead letters are open, of those that a filter selects."""
    total = 0
    for kind in _COLUMNS:
        terms = _terms(kind, wanted or Filter())
        if terms is not None:
            total += db.execute(f"SELECT count(*) {_OPEN[kind]} AND {terms.text}", terms.values).get or 0
    return total
