"""Columns as arrays, read back by a real server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from servers import PostgresServer

from hub.store.postgres.arrays import array
from hub.store.postgres.connection import connect


@pytest.fixture(scope="module")
def connection(postgres: PostgresServer) -> Iterator[psycopg.Connection[Any]]:
    url = postgres.new_database()
    with connect(url) as opened:
        yield opened
    postgres.drop(url)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("text", ["", "a", "Zo\u00eb \U0001f600", "x" * 70_000, 'quo"te,{}', "NULL"]),
        ("text", [None, "a", None]),
        ("text", [None, None]),
        ("bytea", [b"", b"\x00\xff", None]),
        ("int4", [0, -1, 2**31 - 1, -(2**31), None, True]),
        ("int8", [0, 2**63 - 1, -(2**63)]),
        ("float8", [0.1, -1e300, 3, None]),
        ("text", []),
    ],
)
def test_the_server_reads_a_column_as_it_was(connection: psycopg.Connection[Any], kind: str, values: list[Any]) -> None:
    found = connection.execute(f"SELECT v FROM unnest($1::{kind}[]) AS v".encode(), [array(kind, values)])
    assert [value for (value,) in found] == values


@pytest.mark.parametrize(("kind", "values"), [("int8", [1.0, 2.0]), ("text", [1, 2])])
def test_values_of_another_type_are_cast_by_the_server(
    connection: psycopg.Connection[Any], kind: str, values: list[Any]
) -> None:
    found = connection.execute(f"SELECT v FROM unnest($1::{kind}[]) AS v".encode(), [array(kind, values)])
    assert [value for (value,) in found] == [1, 2] if kind == "int8" else ["1", "2"]


def test_one_statement_is_planned_once_whatever_is_in_its_columns(connection: psycopg.Connection[Any]) -> None:
    statement = "SELECT count(*) FROM unnest($1::text[], $2::int8[]) AS v(a, b)"
    connection.prepare_threshold = 0
    for texts, numbers in ((["a"], [1]), ([None], [2**40]), (["b", None], [70_000, -1])):
        connection.execute(statement, [array("text", texts), array("int8", numbers)])
    (prepared,) = connection.execute(
        "SELECT count(*) FROM pg_prepared_statements WHERE statement = $1", [statement]
    ).fetchone() or (0,)
    assert prepared == 1
