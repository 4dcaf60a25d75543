"""Where values stand in raw bytes: what is found there is the value, whatever else is in the document."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.formats import BadRecord, Places, codec, names, places_in
from hub.formats._bank_lines import text_lines

GOLDEN = Path(__file__).parents[2] / "golden"

KEYS = st.text('aé"\\\n:{[,🦊', max_size=4)
LEAVES = st.none() | st.booleans() | st.integers(-1000, 1000) | st.text('aé"\\\n:{[,🦊', max_size=6)
VALUES = st.recursive(LEAVES, lambda each: st.lists(each, max_size=3) | st.dictionaries(KEYS, each, max_size=3))


def places_of(name: str, raw: bytes, options: Mapping[str, Any], index: int) -> Places:
    found = places_in(codec(name), raw, options, index)
    assert found is not None, f"{name} does not tell where values stand"
    return found


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    yield path, value
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in entries:
        yield from leaves(child, (*path, key))


@given(VALUES, st.sampled_from([None, 1, 2]), st.booleans(), st.booleans())
def test_a_value_of_json_stands_where_it_is_said_to(value: Any, indent: int | None, ascii: bool, mark: bool) -> None:
    raw = b"\xef\xbb\xbf" * mark + json.dumps(value, indent=indent, ensure_ascii=ascii).encode()
    found = places_of("json", raw, {}, 0)
    for path, leaf in leaves(value):
        place = found(path)
        assert place is not None
        text = raw[place.offset :].decode()
        assert json.JSONDecoder().raw_decode(text)[0] == leaf
        lines = raw.decode("utf-8-sig").split("\n")
        assert "\n".join([lines[place.line - 1][place.column - 1 :], *lines[place.line :]]) == text


@pytest.mark.parametrize(
    ("raw", "options", "index", "path", "expected"),
    [
        (b'{"n":1}\n\n {"n":22}\n', {"lines": True}, 1, ["n"], "3:7 (byte 15)"),
        (b'{"n":1}\n', {"lines": True}, 5, ["n"], "None"),
        (b'{"o":[{"n":1},\n {"n":2}]}', {"records": "o"}, 1, ["n"], "2:7 (byte 21)"),
        (b'[{"n":1},\n{"n":2}]', {"records": "."}, 1, ["n"], "2:6 (byte 15)"),
        (b'{"a":{"b":[1]}}', {}, 0, ["a", "c"], "None"),
        (b'{"a":{"b":[1]}}', {}, 0, ["a", "b", 1], "None"),
        (b'{"a":{"b":[1]}}', {}, 0, ["a", "b", 0, "x"], "None"),
        (b'{"a":{"b":[1]}}', {}, 0, [], "1:1 (byte 0)"),
        (b"not json", {}, 0, ["a"], "None"),
    ],
)
def test_places_in_json(
    raw: bytes, options: Mapping[str, Any], index: int, path: Sequence[str | int], expected: str
) -> None:
    assert str(places_of("json", raw, options, index)(path)) == expected


ROWS = b'id,n,\r\n1,a,\r\n\r\n1,"b\r\nc",\r\n2,d,\r\n1,e,\r\n'


@pytest.mark.parametrize(
    ("options", "index", "path", "expected"),
    [
        ({}, 0, ["n"], "2:2 (column 'n')"),
        ({}, 2, ["n"], "6:2 (column 'n')"),
        ({}, 1, ["id"], "4:1 (column 'id')"),
        ({}, 0, [], "2:1"),
        ({}, 0, ["x"], "None"),
        ({}, 9, ["n"], "None"),
        ({"group_by": ["id"]}, 0, ["rows", 1, "n"], "4:2 (column 'n')"),
        ({"group_by": ["id"]}, 0, ["id"], "2:1 (column 'id')"),
        ({"group_by": ["id"]}, 1, ["rows", 0, "n"], "6:2 (column 'n')"),
        ({"group_by": ["id"]}, 2, ["rows", 0, "n"], "7:2 (column 'n')"),
        ({"group_by": ["id"]}, 0, ["rows", 2, "n"], "None"),
        ({"group_by": ["id"]}, 0, ["rows"], "2:1"),
        ({"header": False, "columns": ["x", "y", "z"]}, 0, ["y"], "1:2 (column 'y')"),
    ],
)
def test_places_in_csv(options: Mapping[str, Any], index: int, path: Sequence[str | int], expected: str) -> None:
    assert str(places_of("csv", ROWS, options, index)(path)) == expected


@pytest.mark.parametrize("bad", [b"8\r\n9\r\n1,a\r\n", b"1,a\r\n8\r\n9\r\n2,b\r\n"])
def test_a_cell_of_a_group_behind_bad_rows_stands_where_it_is_said_to(bad: bytes) -> None:
    raw, options = b"id,n\r\n" + bad + b"3,c\r\n3,d\r\n", {"group_by": ["id"]}
    *_, last = codec("csv").decode([raw], options)
    place = places_of("csv", raw, options, last.index)(["rows", 1, "n"])
    assert place is not None and place.line == len(raw.splitlines())


@pytest.mark.parametrize("options", [{}, {"group_by": ["id"]}])
def test_a_cell_of_csv_stands_where_it_is_said_to(options: Mapping[str, Any]) -> None:
    lines = ROWS.decode().split("\r\n")
    for record in codec("csv").decode([ROWS], options):
        found = places_of("csv", ROWS, options, record.index)
        for path, value in leaves(record.value):  # type: ignore[union-attr]
            if isinstance(value, str) and "\n" not in value:
                place = found(path)
                assert place is not None
                assert lines[place.line - 1].split(",")[place.column - 1].strip('"') in (value, value.split("\r")[0])


BANKS = ("mt940", "mt942", "coda", "bai2")
STATEMENTS = [path for name in BANKS for path in sorted((GOLDEN / name).glob("*.in")) if path.stem != "bad"]


@pytest.mark.parametrize("path", STATEMENTS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_what_a_bank_wrote_stands_where_it_is_said_to(path: Path) -> None:
    name, raw, settings = path.parent.name, path.read_bytes(), path.with_suffix(".options.json")
    options = json.loads(settings.read_text()) if settings.exists() else {}
    lines = [line.text for line in text_lines([raw], options.get("encoding", "auto"))]
    checked = 0
    for record in codec(name).decode([raw], options):
        found = places_of(name, raw, options, record.index)
        if isinstance(record, BadRecord):
            assert found([]) is None
            continue
        for steps, value in leaves(record.value):
            place = found(steps)
            assert place is not None, steps
            if isinstance(value, str) and len(value) > 1 and any(value in line for line in lines):
                text = lines[place.line - 1]
                assert text[place.column - 1 :].startswith(value) or value in place.what, (steps, value, str(place))
                checked += 1
    assert checked > 10


LONGER = codec("mt940").EXAMPLE[0].replace(b"EUR219,33", b"EUR229,33").replace(
    b":62F", b":61:260310C10,00NMSC//E2\r\nAGAIN\r\n:86:RENT 3\r\nMARCH\r\n:62F")  # fmt: skip


@pytest.mark.parametrize(
    ("options", "index", "path", "expected"),
    [
        ({}, 0, ["entries"], "5:5 (:61:)"),
        ({}, 0, ["entries", 1], "8:5 (:61:)"),
        ({}, 0, ["entries", 0, "amount", "amount"], "5:16 (:61: amount)"),
        ({}, 0, ["entries", 0, "amount", "currency"], "4:13 (:60F: currency)"),
        ({}, 0, ["entries", 0, "value_date"], "5:5 (:61: value date)"),
        ({}, 0, ["entries", 0, "booking_date"], "5:11 (:61: entry date)"),
        ({}, 0, ["entries", 0, "transactions", 0, "end_to_end_id"], "6:29 (:86: EREF)"),
        ({}, 0, ["entries", 0, "transactions", 0, "debtor_name"], "6:65 (:86: 32)"),
        ({}, 0, ["entries", 1, "amount", "amount"], "8:12 (:61: amount)"),
        ({}, 0, ["entries", 1, "booking_date"], "8:5 (:61: value date)"),
        ({}, 0, ["entries", 1, "transactions", 0, "additional_information"], "9:1 (:61: line 2)"),
        ({}, 0, ["entries", 1, "transactions", 0, "remittance_unstructured", 1], "11:1 (:86:)"),
        ({}, 0, ["closing_balance"], "12:6 (:62F:)"),
        ({}, 0, ["entries", 2], "None"),
        ({}, 1, [], "None"),
        ({"part": 1}, 1, ["entries", 0, "amount"], "8:12 (:61: amount)"),
        ({"part": 1}, 1, ["entries", 0, "entry_ref"], "8:23 (:61: bank reference)"),
        ({"part": 1}, 1, ["entries", 1], "None"),
    ],
)
def test_places_in_mt940(options: Mapping[str, Any], index: int, path: Sequence[str | int], expected: str) -> None:
    assert str(places_of("mt940", LONGER, options, index)(path)) == expected


@pytest.mark.parametrize(
    ("name", "path", "expected"),
    [
        ("coda", ["entries", 0, "amount"], "3:33 (record 21 amount)"),
        ("coda", ["entries", 0, "transactions", 0, "debtor_name"], "5:48 (record 23 name)"),
        ("coda", ["closing_balance", "amount"], "6:43 (record 8 amount)"),
        ("bai2", ["entries", 0, "amount"], "5:8 (record 16 amount)"),
        ("bai2", ["closing_balance", "amount"], "4:8 (record 03 amount of 015)"),
        ("bai2", ["sender_id"], "1:4 (record 01 sender)"),
        ("mt942", ["summary", "credits", "sum"], "7:10 (:90C: amount)"),
    ],
)
def test_places_in_other_statements(name: str, path: Sequence[str | int], expected: str) -> None:
    assert str(places_of(name, codec(name).EXAMPLE[0], {}, 0)(path)) == expected


def test_every_format_tells_where_values_stand() -> None:
    silent = [name for name in names() if places_of(name, codec(name).EXAMPLE[0], {}, 0)([]) is None]
    assert silent == []
