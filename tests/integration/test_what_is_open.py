"""What is still open is found on a real PostgreSQL server however much was read since its last vacuum."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from servers import PostgresServer

from hub.store import Store, deliveries, leases, receipts
from hub.store.postgres.connection import connect
from hub.store.postgres.dialect import translate


@pytest.fixture
def store(postgres: PostgresServer) -> Iterator[Store]:
    with postgres.opened() as opened:
        yield opened


OPEN_ONES: dict[str, tuple[str, list[Any]]] = {
    "the first unread": (deliveries._FIRST_UNREAD, ["shop"]),
    "unread between": (receipts._UNREAD_BETWEEN, ['[["shop", 0, 1000000]]', "me"]),
    "those that were lost": (receipts._FIRST_UNTAKEN, ["shop", 5]),
    "how many": (receipts._OPEN_COUNT, []),
    "those of the dead": (leases._ABANDONED, []),
}
_MANY = """INSERT INTO receipts
    (seq, receipt_id, source, event, door, state, received_at, size, content_type, claimed_by)
  SELECT n, 'r-' || n, 'shop', '', 'http', 'received', 1, 1, '', 'w' FROM generate_series(1, 20000) n"""


@pytest.mark.parametrize("name", OPEN_ONES)
def test_what_is_read_is_not_walked_over_to_find_what_is_open(store: Store, name: str) -> None:
    text, values = OPEN_ONES[name]

    def pages() -> int:
        explain = f"EXPLAIN (ANALYZE, BUFFERS, TIMING off, FORMAT JSON) {translate(text).text}"
        with connect(store.url) as connection:
            (plans,) = connection.execute(explain.encode(), values).fetchone() or ([],)
        return int(plans[0]["Plan"]["Shared Hit Blocks"])

    store.write(lambda db: receipts.note_read(db, [("shop", 0)]))
    with psycopg.connect(store.url, autocommit=True) as connection:
        connection.execute("ALTER TABLE receipts SET (autovacuum_enabled = false)")
        connection.execute(_MANY.encode())
        connection.execute("UPDATE receipts SET state = 'split', claimed_by = NULL WHERE seq <= 19995")
    pages()  # whoever looks first marks what is dead
    assert pages() > 50
    store.write(lambda db: receipts.note_read(db, receipts.read_to(db)))
    assert pages() < 20
