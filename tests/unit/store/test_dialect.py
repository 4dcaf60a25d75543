"""Statements of the store in PostgreSQL's words."""

from __future__ import annotations

import pytest

from hub.store.postgres.dialect import translate, translate_many

TYPES = {"parts": {"id": "text", "seq": "int8", "at": "float8", "tries": "int4"}}


@pytest.mark.parametrize(
    ("sqlite", "postgresql"),
    [
        ("SELECT 1 WHERE a = ? AND b = ?", "SELECT 1 WHERE a = $1 AND b = $2"),
        ("SELECT ?2, ?1, ?2", "SELECT $2, $1, $2"),
        ("SET a = ? WHERE b = ? AND a <> ?1", "SET a = $1 WHERE b = $2 AND a <> $1"),
        ("FROM a INDEXED BY a_open WHERE b", "FROM a  WHERE b"),
        ("FROM a CROSS JOIN b ON a.x = b.x", "FROM a JOIN b ON a.x = b.x"),
        ("WHERE instr(lower(a), ?) > 0", "WHERE strpos(lower(a), $1) > 0"),
        ("d.failure ->> '$.code' = ?", "(d.failure::json ->> 'code') = $1"),
        ("SELECT 1 FROM json_each(?) j", "SELECT 1 FROM json_array_elements($1::json) AS j(value)"),
        ("SELECT a LIMIT ?", "SELECT a LIMIT nullif($1::int8, -1)"),
        ("SELECT seq FROM sqlite_sequence", "SELECT seq FROM numbers"),
    ],
)  # fmt: skip
def test_a_statement_is_put_in_postgresqls_words(sqlite: str, postgresql: str) -> None:
    assert translate(sqlite).text == postgresql


@pytest.mark.parametrize(
    ("sqlite", "postgresql"),
    [
        (
            "INSERT INTO parts (id, seq, at) VALUES (?, 7, ?)",
            "INSERT INTO parts (id, seq, at) SELECT v.p1, 7, v.p2 FROM unnest($1::text[], $2::float8[]) AS v(p1, p2)",
        ),
        (
            "INSERT INTO parts VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING seq",
            "INSERT INTO parts (id, seq, at, tries) SELECT v.p1, v.p2, v.p3, v.p4 FROM unnest($1::text[], $2::int8[], "
            "$3::float8[], $4::int4[]) AS v(p1, p2, p3, p4) ON CONFLICT DO NOTHING RETURNING seq",
        ),
        (
            "UPDATE parts SET tries = tries + ?2 WHERE id = ?1 AND at <> 0 RETURNING seq",
            "UPDATE parts SET tries = tries + v.p2 FROM unnest($1::text[], $2::int4[]) AS v(p1, p2) "
            "WHERE id = v.p1 AND at <> 0 RETURNING seq",
        ),
        (
            "UPDATE parts AS d SET tries = 0 WHERE id = ?1 AND state = 'x' AND NOT EXISTS (SELECT 1 FROM e WHERE "
            "e.state = 'y')",
            "UPDATE parts AS d SET tries = 0 FROM unnest($1::text[]) AS v(p1) WHERE id = v.p1 "
            "AND CASE WHEN state = 'x' THEN TRUE ELSE FALSE END "
            "AND NOT EXISTS (SELECT 1 FROM e WHERE e.state = 'y')",
        ),
        (
            "SELECT seq, at FROM parts\n  WHERE id = ? ORDER BY tries",
            "SELECT seq, at FROM unnest($1::text[]) WITH ORDINALITY AS v(p1, n) CROSS JOIN LATERAL "
            "(SELECT * FROM parts WHERE id = v.p1 OFFSET 0) AS parts ORDER BY v.n, tries",
        ),
        (
            "INSERT INTO parts (id, seq, tries) SELECT ?, seq, tries FROM parts WHERE id = ? AND seq = ?",
            "INSERT INTO parts (id, seq, tries) SELECT v.p1, seq, tries FROM unnest($1::text[], $2::text[], $3::int8[])"
            " WITH ORDINALITY AS v(p1, p2, p3, n) CROSS JOIN LATERAL "
            "(SELECT * FROM parts WHERE id = v.p2 AND seq = v.p3 OFFSET 0) AS parts",
        ),
        (
            "DELETE FROM parts WHERE id = ? AND seq = ?",
            "DELETE FROM parts USING unnest($1::text[], $2::int8[]) AS v(p1, p2) WHERE id = v.p1 AND seq = v.p2",
        ),
    ],
)
def test_a_statement_for_many_rows_becomes_one_over_arrays(sqlite: str, postgresql: str) -> None:
    translated = translate_many(sqlite, TYPES)
    assert translated.is_batch
    assert translated.text == postgresql


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO parts VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET at = excluded.at",
        "UPDATE parts SET at = lower(?) WHERE id = ?",
        "DELETE FROM parts WHERE (id, seq) = (?, ?)",
    ],
)
def test_what_cannot_be_put_over_arrays_is_run_row_by_row(statement: str) -> None:
    assert not translate_many(statement, TYPES).is_batch
