"""Keys, audit, counters, answers and notices, each in a database in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

import hub.store
from hub.store import answers, api_keys, audit, counters, notices
from hub.store.audit import Actor
from hub.store.counters import CountBuffer

ANNA = Actor("anna", "operator", "127.0.0.1")
_SCHEMA = Path(hub.store.__file__).parent / "migrations" / "sqlite"


@pytest.fixture
def db() -> Iterator[apsw.Connection]:
    connection = apsw.Connection(":memory:")
    for file in sorted(_SCHEMA.glob("*.sql")):
        connection.execute(file.read_text(encoding="utf-8"))
    yield connection
    connection.close()


# -- keys ----------------------------------------------------------------------------------------------------------


def test_only_the_hash_of_a_key_is_stored(db: apsw.Connection) -> None:
    token = api_keys.new_token()
    api_keys.add(db, "k1", "grafana", "viewer", token, 5.0)
    [row] = db.execute("SELECT * FROM api_keys").fetchall()
    assert token not in map(str, row)
    assert api_keys.find(db, token) == api_keys.ApiKey("k1", "grafana", "viewer", 5.0, None)


def test_tokens_are_long_distinct_and_told_by_their_prefix() -> None:
    tokens = {api_keys.new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(token.startswith("o2c_") and len(token) == 47 for token in tokens)


@pytest.mark.parametrize("token", ["", "o2c_", "o2c_x", "x" * 47, "o2c_" + "x" * 10_000, "o2c_ä"])
def test_what_is_no_key_finds_none(db: apsw.Connection, token: str) -> None:
    api_keys.add(db, "k1", "grafana", "viewer", api_keys.new_token(), 5.0)
    assert api_keys.find(db, token) is None


def test_a_revoked_key_is_found_no_more_and_stays_listed(db: apsw.Connection) -> None:
    token = api_keys.new_token()
    api_keys.add(db, "k1", "grafana", "viewer", token, 5.0)
    assert api_keys.revoke(db, "k1", 6.0)
    assert not api_keys.revoke(db, "k1", 7.0)
    assert api_keys.find(db, token) is None
    assert [key.revoked_at for key in api_keys.listed(db)] == [6.0]


@pytest.mark.parametrize(
    ("own", "allowed"),
    [("viewer", ["viewer"]), ("operator", ["viewer", "operator"]), ("admin", ["viewer", "operator", "admin"])],
)
def test_a_role_holds_those_below_it(own: str, allowed: list[str]) -> None:
    key = api_keys.ApiKey("k", "n", own, 0.0, None)
    assert [role for role in api_keys.ROLES if key.may(role)] == allowed


# -- audit ---------------------------------------------------------------------------------------------------------


def fill(db: apsw.Connection, rows: int) -> None:
    for number in range(rows):
        audit.append(db, 1.5 + number, ANNA, "delivery.hold", f"d{number}", {"n": number, "b": "ä"}, "why")


def test_the_chain_holds_over_what_was_written(db: apsw.Connection) -> None:
    assert audit.verify(db) is None
    fill(db, 5)
    assert audit.verify(db) is None
    assert [row["subject"] for row in audit.listed(db, 2)] == ["d4", "d3"]
    assert [row["subject"] for row in audit.listed(db, 9, before=2)] == ["d0"]
    assert audit.listed(db, 1)[0]["hash"] == audit.head(db)


def test_a_row_that_an_earlier_release_chained_with_a_nul_is_what_was_written(db: apsw.Connection) -> None:
    fill(db, 1)
    row = (2.5, "anna", "operator", "", "delivery.hold", "d", "{}", "a\0b")
    chained = audit._chained(audit.head(db), row)
    columns = "at, actor, role, origin, action, subject, detail, reason, hash"
    stored = (*row[:-1], "a\u2400b", chained)  # as PostgreSQL has it
    db.execute(f"INSERT INTO audit ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", stored)
    fill(db, 1)
    assert audit.verify(db) is None


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'x' WHERE audit_id = 3", "DELETE FROM audit"])
def test_the_database_itself_refuses_to_change_the_audit(db: apsw.Connection, statement: str) -> None:
    fill(db, 3)
    with pytest.raises(apsw.ConstraintError, match="append-only"):
        db.execute(statement)


@pytest.mark.parametrize(
    ("tampering", "broken"),
    [
        ("UPDATE audit SET actor = 'eve' WHERE audit_id = 3", 3),
        ("UPDATE audit SET detail = '{}' WHERE audit_id = 1", 1),
        ("UPDATE audit SET at = at + 0.001 WHERE audit_id = 5", 5),
        ("UPDATE audit SET hash = upper(hash) WHERE audit_id = 2", 2),
        ("DELETE FROM audit WHERE audit_id = 2", 3),
        ("DELETE FROM audit WHERE audit_id = 1", 2),
        ("DELETE FROM audit WHERE audit_id = 5", 5),
        ("DELETE FROM audit", 1),
        ("UPDATE audit SET audit_id = audit_id + 10 WHERE audit_id = 5", 15),
    ],
)
def test_tampering_breaks_the_chain_where_it_was_done(db: apsw.Connection, tampering: str, broken: int) -> None:
    fill(db, 5)
    for trigger in ("audit_append_only", "audit_kept"):
        db.execute(f"DROP TRIGGER {trigger}")
    db.execute(tampering)
    assert audit.verify(db) == broken


# -- counters ------------------------------------------------------------------------------------------------------


def test_counts_from_many_calls_become_one_row(db: apsw.Connection) -> None:
    buffer = CountBuffer()
    for at in (1.0, 3.0, 2.0):
        buffer.add(counters.REFUSED, "shop", "bad_signature", at, bytes=10)
    assert buffer.flush(db) == 1
    buffer.add(counters.REFUSED, "shop", "bad_signature", 4.0, bytes=5)
    buffer.flush(db)
    assert buffer.flush(db) == 0
    assert counters.listed(db, counters.REFUSED) == [
        {"name": "shop", "label": "bad_signature", "count": 4, "bytes": 35, "last_at": 4.0}
    ]


def test_a_flood_of_invented_names_stays_small(db: apsw.Connection) -> None:
    buffer = CountBuffer()
    for number in range(5000):
        buffer.add(counters.REFUSED, f"x{number}" * 50, "unknown_system", 1.0)
    buffer.flush(db)
    rows = counters.listed(db, counters.REFUSED)
    assert len(rows) <= 1001 and max(len(row["name"]) for row in rows) <= 80
    assert counters.total(db, counters.REFUSED) == 5000


def test_counts_are_kept_when_their_transaction_fails(db: apsw.Connection) -> None:
    buffer = CountBuffer()
    buffer.add(counters.REFUSED, "shop", "x", 1.0)
    db.execute("ALTER TABLE counters RENAME TO away")
    with pytest.raises(apsw.SQLError):
        buffer.flush(db)
    db.execute("ALTER TABLE away RENAME TO counters")
    buffer.flush(db)
    assert counters.total(db, counters.REFUSED) == 1


# -- answers -------------------------------------------------------------------------------------------------------


def test_a_key_is_begun_once_and_its_answer_kept_until_it_expires(db: apsw.Connection) -> None:
    assert answers.begin(db, "anna POST /x", "k", "f", 100.0) is None
    running = answers.begin(db, "anna POST /x", "k", "f", 101.0)
    assert running is not None and running.is_running
    answers.finish(db, "anna POST /x", "k", 201, b"{}")
    assert answers.begin(db, "anna POST /x", "k", "g", 102.0) == answers.Answer("f", 201, b"{}")
    assert answers.begin(db, "bert POST /x", "k", "f", 102.0) is None
    assert answers.begin(db, "anna POST /x", "k", "g", 101.0 + answers.KEEP_SECONDS) is None


def test_expired_answers_are_dropped_in_chunks(db: apsw.Connection) -> None:
    for number in range(7):
        answers.begin(db, "s", str(number), "f", float(number))
    assert answers.prune(db, answers.KEEP_SECONDS + 4.0, limit=3) == 3
    assert answers.prune(db, answers.KEEP_SECONDS + 4.0, limit=3) == 2
    assert answers.prune(db, answers.KEEP_SECONDS + 4.0, limit=3) == 0


# -- notices -------------------------------------------------------------------------------------------------------

OPEN = {"issue:1": ("dead_letters", "one")}


def told(db: apsw.Connection, channel: str = "ops") -> list[tuple[str, bool]]:
    """Tell a channel what it has to be told; gives (subject, whether it is over) of each."""
    found = notices.untold(db, channel)
    for notice in found:
        notices.mark_told(db, notice, 1.0)
    return [(notice.subject, notice.is_over) for notice in found]


def test_a_thing_is_told_once_when_it_opens_and_once_when_it_is_over(db: apsw.Connection) -> None:
    notices.settle(db, "ops", OPEN, 1.0)
    assert told(db) == [("issue:1", False)]
    notices.settle(db, "ops", {"issue:1": ("dead_letters", "now two")}, 2.0)
    assert told(db) == []
    notices.settle(db, "ops", {}, 3.0)
    assert told(db) == [("issue:1", True)]
    notices.settle(db, "ops", {}, 4.0)
    assert told(db) == []
    notices.settle(db, "ops", OPEN, 5.0)
    assert told(db) == [("issue:1", False)]


def test_what_is_over_before_anybody_was_told_is_not_told_at_all(db: apsw.Connection) -> None:
    notices.settle(db, "ops", OPEN, 1.0)
    notices.settle(db, "ops", {}, 2.0)
    assert notices.listed(db) == []


def test_what_comes_back_before_its_end_was_told_never_was_over(db: apsw.Connection) -> None:
    notices.settle(db, "ops", OPEN, 1.0)
    told(db)
    notices.settle(db, "ops", {}, 2.0)
    notices.settle(db, "ops", OPEN, 3.0)
    assert told(db) == []
    assert [notice.opened_at for notice in notices.listed(db)] == [1.0]


def test_each_channel_hears_its_own_opening_and_its_own_end(db: apsw.Connection) -> None:
    for channel in ("ops", "mail"):
        notices.settle(db, channel, OPEN, 1.0)
    assert told(db, "ops") == [("issue:1", False)]
    for channel in ("ops", "mail"):
        notices.settle(db, channel, {}, 2.0)
    assert (told(db, "ops"), told(db, "mail")) == ([("issue:1", True)], [])


def test_what_a_channel_knows_is_forgotten_when_it_is_no_longer_configured(db: apsw.Connection) -> None:
    notices.settle(db, "ops", OPEN, 1.0)
    notices.forget_others(db, ["mail"])
    assert notices.listed(db) == []
