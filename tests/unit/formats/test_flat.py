"""Flat files: what is told of bad lines and bad profiles, and that what is written is read back, whatever it is."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from hub.errors import MappingError
from hub.formats import BadRecord, Record, flat

RECORDS: dict[str, Any] = {
    "order": {"tag": "10", "fields": {
        "number": {"at": 3, "length": 8}, "total": {"at": 11, "length": 9, "type": "decimal", "decimals": 2},
        "placed": {"at": 20, "length": 8, "type": "date"}}},
    "line": {"tag": "20", "below": "order", "fields": {
        "sku": {"at": 3, "length": 6}, "n": {"at": 9, "length": 5, "type": "integer", "sign": "trailing"}}},
    "sum": {"tag": "90", "below": "order", "once": True, "fields": {
        "lines": {"at": 3, "length": 3, "type": "integer", "counts": "line"}}},
}  # fmt: skip
OPTIONS = {"records": RECORDS, "line_end": "lf"}
ORDER = b"104711    00001299020261128\n"


def told(raw: bytes, options: dict[str, Any] | None = None) -> list[str]:
    found = flat.decode([raw], OPTIONS | (options or {}))
    return [str(each.error) if isinstance(each, BadRecord) else "" for each in found]


BAD = [
    (b"104711    00001x990\n", "order.total: '00001x990'; expected digits with 2 implied decimals (line 1, column 11)"),
    (b"104711    00001299020261328\n", "order.placed: '20261328'; expected a date as YYYYMMDD (line 1, column 20)"),
    (b"20SKU    1\n", "a record 'line' that stands below none; expected a record 'order' before it (line 1, column 1)"),
    (ORDER + b"30\n", "'30', which is no kind of record; expected one of '10' (order), '20' (line), '90' (sum) "
     "(line 2, column 1)"),
    (ORDER + b"90001\n", "sum.lines: 1 records 'line'; expected 0, as there are (line 2, column 3)"),
    (ORDER + b"90\n90\n", "a second record 'sum' below its 'order'; expected one (once: true) (line 3, column 1)"),
    (ORDER[:-1] + b" more\n", "'more' behind the last field of 'order'; expected at most 27 characters "
     "(line 1, column 28)"),
    (b"10\xff\n", "the byte 0xFF, which UTF-8 does not have; expected characters of UTF-8 (line 1, column 3)"),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "message"), BAD)
def test_a_bad_line_is_told_with_its_place_and_spares_its_neighbours(raw: bytes, message: str) -> None:
    assert told(raw + ORDER) == [message, ""]


def test_a_line_that_cannot_be_read_counts_all_the_same() -> None:
    found = told(ORDER + b"20SKU   x\n90001\n" + ORDER)
    assert found == ["line.n: 'x'; expected digits (line 2, column 9)", ""]


def test_lines_of_no_kind_are_passed_over_where_that_is_said() -> None:
    assert told(b"99 what\n" + ORDER + b"30\n20SKU   00001\n", {"unknown": "skip"}) == [""]


@pytest.mark.parametrize(
    ("field", "raw", "told"),
    [
        ({"length": 3}, b"Habc", "h.n: abc records; expected 1, as there are (line 1, column 2)"),
        ({"length": 3}, b"H  2", "h.n: 2 records; expected 1, as there are (line 1, column 2)"),
        ({"length": 3, "type": "decimal", "decimals": 1}, b"H015", "h.n: 1.5 records; expected 1, as there are"),
        ({"length": 3}, b"H 1", ""),
        ({"length": 3}, b"H", ""),
    ],
)
def test_a_count_is_held_against_what_is_there_whatever_it_is(field: dict[str, Any], raw: bytes, told: str) -> None:
    records = {"h": {"tag": "H", "fields": {"n": {"at": 2, "counts": "*", **field}}}}
    (found,) = flat.decode([raw], {"records": records})
    assert isinstance(found, BadRecord) == bool(told)
    assert told in str(getattr(found, "error", ""))


def test_lines_whose_blanks_were_cut_off_are_read_and_written_so() -> None:
    [found] = [each for each in flat.decode([b"104711\n20A\n"], OPTIONS) if isinstance(each, Record)]
    assert found.value == {
        "order": {"number": "4711", "total": None, "placed": None, "line": [{"sku": "A", "n": None}]}
    }
    assert flat.encode_one(found.value, {**OPTIONS, "trailing_blanks": False}) == b"104711\n20A\n"


NUMBERS = some.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-999999, max_value=9999999)
TEXTS = some.text("ABCÄß 01-+.", max_size=8).map(str.rstrip)
LINES = some.fixed_dictionaries({"sku": TEXTS.map(lambda text: text[:6].rstrip()), "n": some.integers(-9999, 99999)})


@given(some.lists(some.tuples(TEXTS, NUMBERS, some.none() | some.dates(), some.lists(LINES, max_size=3)), max_size=3))
def test_what_is_written_is_read_back_and_written_the_same(orders: list[Any]) -> None:
    documents = []
    for number, total, placed, lines in orders:
        day = placed.isoformat() if placed else None
        order: dict[str, Any] = {"number": number, "total": total, "placed": day}
        documents.append({"order": {**order, **({"line": lines} if lines else {}), "sum": {"lines": len(lines)}}})
    raw = flat.encode(documents, OPTIONS)
    read = [each.value for each in flat.decode([raw], OPTIONS) if isinstance(each, Record)]
    assert read == documents
    assert flat.encode(read, OPTIONS) == raw


WRONG = [
    ({"number": "123456789"}, "order.number: '123456789' of 9 characters; expected at most 8"),
    ({"total": Decimal("1.005")}, "order.total: the number 1.005; expected at most 2 decimals"),
    ({"total": 1.5}, "order.total: a binary float; expected an exact decimal, or a text"),
    ({"numbr": "1"}, "order.numbr: 'order' has no field 'numbr'; did you mean 'number'?"),
    ({"line": {"sku": "A"}}, "order.line: not a list; expected a list of records 'line'"),
    ({"placed": "28.11."}, "order.placed: what is no date; expected a date such as 2026-03-05"),
    ({"number": "a\nb"}, "order.number: a line end; expected text of one line"),
    ({"line": [{"n": -12345}]}, "order.line[0].n: '12345-' of 6 characters; expected at most 5"),
]


@pytest.mark.parametrize(("order", "message"), WRONG)
def test_what_does_not_fit_is_refused_never_cut(order: dict[str, Any], message: str) -> None:
    with pytest.raises(MappingError) as caught:
        flat.encode_one({"order": order}, OPTIONS)
    assert str(caught.value) == message


PROFILES = [
    ({"a": {"tag": "1", "belw": "x"}}, "the record 'a' has 'belw'; did you mean 'below'?"),
    ({"a": {"tag": "1"}, "b": {}}, "the record 'b' needs a tag, by which its lines are known from those of others"),
    ({"order": {"tag": "1"}, "b": {"tag": "2", "below": "ordr"}}, "the record 'b' is below 'ordr', which records lacks"
     "; did you mean 'order'?"),
    ({"a": {"tag": "1", "below": "b"}, "b": {"tag": "2", "below": "a"}}, "the record 'a' is below itself"),
    ({"a": {"fields": {"x": {"at": 1, "length": 5}, "y": {"at": 5, "length": 2}}}}, "the record 'a': 'y' begins at 5, "
     "and 'x' ends at 5"),
    ({"a": {"fields": {"x": {"at": 1}}}}, "the field 'x' needs length: a whole number from 1"),
    ({"a": {"fields": {"x": {"at": 1, "length": 2, "type": "number"}}}}, "the field 'x' has type: number; it is one of "
     "text, decimal, integer, date"),
    ({"a": {"fields": {"x": {"at": 1, "length": 2, "counts": "b"}}}}, "the field 'x' counts 'b', which records lacks"),
    ({"a": {"fields": {"x": {"at": 1, "length": 8, "type": "date", "format": "DD.MM"}}}}, "the field 'x' has format: "
     "DD.MM; write it of YYYY or YY, MM and DD"),
]  # fmt: skip


@pytest.mark.parametrize(("records", "message"), PROFILES)
def test_a_profile_that_is_wrong_is_told(records: dict[str, Any], message: str) -> None:
    assert flat.faults_of({"records": records})["records"].startswith(message)


def test_what_is_known_of_a_document_comes_from_the_profile() -> None:
    outline = flat.outline_of(OPTIONS)
    assert outline is not None
    order = outline.field("order")
    assert order is not None and list(order.names or ()) == ["number", "total", "placed", "line", "sum"]
    line, total = order.field("line"), order.field("total")
    assert line is not None and line.kind == "list" and line.element is not None
    assert total is not None and total.kind == "number"
    assert list(line.element.names or ()) == ["sku", "n"]


def test_a_field_is_found_again_in_the_bytes() -> None:
    find = flat.places(ORDER + ORDER + b"20SKU   00001\n20B\n", OPTIONS, 1)
    assert str(find(["order", "total"])) == "2:11 (field 'total')"
    assert str(find(["order", "line", 1, "sku"])) == "4:3 (field 'sku')"
    assert find(["order", "line", 2, "sku"]) is None


def test_a_file_of_any_size_is_read_document_by_document() -> None:
    came: list[int] = []

    def chunks() -> Any:
        for number in range(1000):
            came.append(number)
            yield ORDER

    first = next(iter(flat.decode(chunks(), OPTIONS)))
    assert isinstance(first, Record) and len(came) < 10
