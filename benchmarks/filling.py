"""A store on PostgreSQL filled by copying rows that the hub itself has made, with ids and keys of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg

from hub.store.postgres.connection import column_types

# What a copy has of its own. {n}: the number of the copy; other(): another id of the same form; the rest is as it was.
_OWN: Mapping[str, Mapping[str, str]] = {
    "receipts": {"seq": "seq + {n} * {last}", "receipt_id": "other(receipt_id, {n})",
                 "dedupe_key": "other(dedupe_key, {n})"},
    "dedupe": {"seq": "seq + {n} * {last}", "dedupe_key": "other(dedupe_key, {n})"},
    "messages": {"seq": "seq + {n} * {last}", "message_id": "other(message_id, {n})",
                 "main_key": "main_key || '-' || {n}"},
    "payloads": {"owner_id": "other(owner_id, {n})"},
    "keys": {"seq": "seq + {n} * {last}", "value": "value || '-' || {n}"},
    "edges": {"from_key": "from_key || '-' || {n}", "to_key": "to_key || '-' || {n}",
              "message_id": "other(message_id, {n})"},
    "deliveries": {"delivery_id": "other(delivery_id, {n})", "message_id": "other(message_id, {n})",
                   "lane_seq": "lane_seq + (({n} * {last}) << 20)", "lane": "lane || '-' || {n}"},
    "attempts": {"delivery_id": "other(delivery_id, {n})"},
}  # fmt: skip
_OTHER = """CREATE OR REPLACE FUNCTION other(id text, n int8) RETURNS text IMMUTABLE LANGUAGE sql AS
  $$ SELECT substr(id, 1, 24) || substr(md5(id || '-' || n || '-' || {last}), 1, 12) $$"""
HELD: Mapping[str, str] = {
    "state": "'held'", "holds_lane": "1", "hold_reason": "'operator'", "tries": "0", "attempts": "0",
    "failure": """'{{"class": "remote_rejected", "code": "held_by_operator", "step": "deliver"}}'""",
}  # fmt: skip


def multiply(url: str, orders: int, deliveries: Mapping[str, str] | None = None) -> int:
    """Copy what is in the store at ``url`` until it holds ``orders`` receipts; gives how many it then holds.

    ``deliveries`` says what columns of the copied deliveries are instead (``HELD``: each keeps its lane); they then
    have no attempts. The planner's statistics are made anew, as the server does by itself some time after such a load.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        there, last = _one(connection, "SELECT count(*), max(seq) FROM receipts")
        copies = max(0, -(-orders // there) - 1)
        connection.execute("SET synchronous_commit = off")
        connection.execute(_OTHER.format(last=last).encode())
        types = column_types(connection)
        for table, own in _OWN.items():
            if deliveries is not None and table == "attempts":
                continue
            changed = {**own, **(deliveries or {})} if table == "deliveries" else own
            _copy(connection, table, list(types[table]), changed, copies, last)
        connection.execute("DROP FUNCTION other(text, int8)")
        connection.execute(f"SELECT setval('receipt_numbers', {last * (copies + 1) + 1})".encode())
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")  # or it would fall into what is measured next
        return int(_one(connection, "SELECT count(*) FROM receipts")[0])


def _copy(
    connection: psycopg.Connection[Any], table: str, columns: list[str], own: Mapping[str, str], copies: int, last: int
) -> None:
    names = [name for name in columns if name != "payload_id"]
    chosen = [own.get(name, name).format(n="copy.n", last=last) if name in own else name for name in names]
    connection.execute(
        f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(chosen)} "
        f"FROM {table}, generate_series(1::int8, {copies}) AS copy(n)".encode()
    )


def _one(connection: psycopg.Connection[Any], statement: str) -> tuple[Any, ...]:
    row = connection.execute(statement.encode()).fetchone()
    assert row is not None
    return row
