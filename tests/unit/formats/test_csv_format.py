"""CSV as it is sent: encodings, line ends, quotes, ragged rows, typed cells, groups."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import DecodeError, MappingError, UsageError
from hub.formats import BadRecord, Record, csv


def values(raw: bytes, **options: Any) -> list[Any]:
    return [
        f"{r.position}: {r.error.detail}" if isinstance(r, BadRecord) else r.value for r in csv.decode([raw], options)
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
def test_delimiter_line_ends_and_byte_order_marks_are_found(end: str, delimiter: str, encoding: str) -> None:
    text = end.join(["id{0}name", '1{0}"Ä{0}""x"""', "2{0}€", ""]).format(delimiter)
    mark = "\ufeff" if encoding == "utf-16-be" else ""
    assert values((mark + text).encode(encoding)) == [{"id": "1", "name": f'Ä{delimiter}"x"'}, {"id": "2", "name": "€"}]


@pytest.mark.parametrize(
    ("raw", "options", "expected"),
    [
        (b"sep=|\r\na|b,c;d;e\r\n1|2\r\n", {}, [{"a": "1", "b,c;d;e": "2"}]),
        (b'"a,b,c";d\n1;2\n', {}, [{"a,b,c": "1", "d": "2"}]),
        (b"only\n1\n\n2\n", {}, [{"only": "1"}, {"only": "2"}]),
        (b"a,b,\n1,2,\n3,4\n5,6,,,\n", {}, [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}, {"a": "5", "b": "6"}]),
        (b" a , b \n x , y \n", {"trim": True}, [{"a": "x", "b": "y"}]),
        (b" a , b \n x , y \n", {}, [{"a": " x ", "b": " y "}]),
        (b"a,b\n,\n1,2\n", {}, [{"a": "1", "b": "2"}]),
        (b"a,b\n,\n1,2\n", {"skip_blank": False}, [{"a": "", "b": ""}, {"a": "1", "b": "2"}]),
        (b"x,y\n1,2\n", {"columns": ["a", "b"]}, [{"a": "1", "b": "2"}]),
        (b"1,2\n", {"columns": ["a", "b"], "header": False}, [{"a": "1", "b": "2"}]),
        (b"# top\n\na,b\n#1,2\n3,#4\n", {"comment": "#"}, [{"a": "3", "b": "#4"}]),
        (b'a,b\n"#1\n#2",x\n', {"comment": "#"}, [{"a": "#1\n#2", "b": "x"}]),
        (b"a,b\n'x,y',2\n", {"quote": "'"}, [{"a": "x,y", "b": "2"}]),
        (b'a,b\n12" pipe,2\n', {"quote": ""}, [{"a": '12" pipe', "b": "2"}]),
        (b'a,b\n12" pipe,2\n', {}, [{"a": '12" pipe', "b": "2"}]),
        (b'a,b\n"say \\"x\\"",2\n', {"escape": "\\"}, [{"a": 'say "x"', "b": "2"}]),
        (b"a,b\nx\x0by\x0c,z\xc2\x85\xe2\x80\xa8\n", {}, [{"a": "x\x0by\x0c", "b": "z\x85\u2028"}]),
        (b"a\xa3,b\n1,2\n", {"encoding": "latin-1"}, [{"a£": "1", "b": "2"}]),
        (b"a,b\n1,2", {}, [{"a": "1", "b": "2"}]),
        (b"a,b\n", {}, []),
    ],
)
def test_rows_are_read_as_they_are_meant(raw: bytes, options: dict[str, Any], expected: list[Any]) -> None:
    assert values(raw, **options) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"a,b\n1\n3,4\n", ["line 2: 1 cell; expected 2, one for each column", "34"]),
        (b"a,b\n1,2,3\n3,4\n", ["line 2: 3 cells; expected 2, one for each column", "34"]),
        (b'a,b\n1,"2\n3,4\n', ["line 2: a quote is opened and never closed", "34"]),
        (b'a,b\n1,"2\n3,4\n"5",6\n', ["line 2: text after a closing quote; expected the delimiter", "34", "56"]),
        (b'a,b\n"1"x,2\n3,4\n', ["line 2: text after a closing quote; expected the delimiter", "34"]),
        (b"a,b\n\xff,2\n3,4\n", ["line 2: the byte 0xFF is not of the file's encoding", "34"]),
        (b'a,b\n1,"\n' + b"x" * 1_000_001 + b'"\n3,4\n', ["line 2: a cell of more than 1000000 characters", "*", "34"]),
    ],
)  # fmt: skip
def test_a_bad_row_spares_its_neighbours(raw: bytes, expected: list[str]) -> None:
    told = [value if isinstance(value, str) else value["a"] + value["b"] for value in values(raw)]
    assert len(told) == len(expected)
    assert all(want.endswith("*") or seen == want for seen, want in zip(told, expected, strict=True))


def test_a_bad_row_keeps_its_bytes_and_says_where_it_stood() -> None:
    raw = b'a,b\r\n"x\r\ny",\xe4\r\n'
    (bad,) = csv.decode([raw], {})
    assert isinstance(bad, BadRecord)
    assert (bad.raw, bad.position, bad.error.position) == (b'"x\r\ny",\xe4\r\n', "line 2", "line 3, column 4")


@pytest.mark.parametrize(
    ("raw", "options", "detail"),
    [
        (b"", {}, "the file is empty; expected a header row"),
        (b"\xef\xbb\xbf\r\n \n", {}, "the file is empty; expected a header row"),
        (b"a,,c\n", {}, "column 2 has no name in the header"),
        (b"a,b,a\n", {}, "the column 'a' stands twice in the header"),
        (b"<html>Sorry</html>", {}, "the header is '<html>Sorry</html>': this is a page, XML or PGP, and no CSV"),
        (b"\x1f\x8b\x08\x00", {"encoding": "latin-1"}, "this is gzip, and no CSV"),
        (b"PK\x03\x04\x14", {}, "this is a ZIP archive, and no CSV"),
        (b"a,b\n", {"columns": ["x"]}, "the header has 2 columns, the option columns 1"),
        (b"quantity,b\n1,2\n", {"types": {"quantty": "integer"}},
         "the file has no column 'quantty', which types names; did you mean 'quantity'?"),
        (b"id,b\n1,2\n", {"group_by": ["order"]}, "the file has no column 'order', which group_by names; known: b, id"),
        ("a,b\n1".encode("utf-16")[:-1], {}, "not UTF-16 from byte 11 on"),
        (b'"a,b\n1,2\n', {}, "a quote is opened and never closed"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_at_all_is_told(raw: bytes, options: dict[str, Any], detail: str) -> None:
    with pytest.raises(DecodeError) as caught:
        values(raw, **options)
    assert caught.value.detail == detail


@pytest.mark.parametrize(
    ("kind", "cell", "options", "value"),
    [
        ("decimal", "12.50", {}, Decimal("12.50")),
        ("decimal", " -0.10 ", {}, Decimal("-0.10")),
        ("decimal", "+7", {}, Decimal(7)),
        ("decimal", "1.234.567,89", {"decimal_mark": ",", "thousands": "."}, Decimal("1234567.89")),
        ("decimal", "1234,5", {"decimal_mark": ",", "thousands": "."}, Decimal("1234.5")),
        ("decimal", "1'234.50", {"thousands": "'"}, Decimal("1234.50")),
        ("decimal", "", {}, None),
        ("integer", "-007", {}, -7),
        ("date", "2026-03-05", {}, "2026-03-05"),
        ("date", "05.03.26", {"date_format": "%d.%m.%y"}, "2026-03-05"),
        ("boolean", "Yes", {}, True),
        ("boolean", "0", {}, False),
        ("boolean", " ", {}, None),
        ("text", "0012", {}, "0012"),
        ("text", "", {}, ""),
    ],
)
def test_typed_cells_are_exact(kind: str, cell: str, options: dict[str, Any], value: Any) -> None:
    (found,) = values(f'id,x\n1,"{cell}"\n'.encode(), types={"x": kind}, **options)
    assert repr(found["x"]) == repr(value)


@pytest.mark.parametrize(
    ("kind", "cell", "options", "expected"),
    [
        ("decimal", "12,50", {}, "a decimal such as 1234.50"),
        ("decimal", "1,234.50", {}, "a decimal such as 1234.50"),
        ("decimal", "12.34,5", {"decimal_mark": ",", "thousands": "."}, "a decimal such as 1.234,50"),
        ("decimal", "1e5", {}, "a decimal such as 1234.50"),
        ("decimal", "NaN", {}, "a decimal such as 1234.50"),
        ("decimal", "١٢", {}, "a decimal such as 1234.50"),
        ("decimal", "9" * 41, {}, "at most 40 digits"),
        ("integer", "1.0", {}, "a whole number of at most 40 digits"),
        ("integer", "9" * 41, {}, "a whole number of at most 40 digits"),
        ("date", "05.03.2026", {}, "a date such as 2026-03-05"),
        ("date", "2026-02-30", {}, "a date such as 2026-03-05"),
        ("date", "2026-03-05", {"date_format": "%d.%m.%Y"}, "a date written as %d.%m.%Y"),
        ("boolean", "ja", {}, "true or false (also yes/no, y/n, 1/0)"),
    ],
)
def test_a_cell_of_another_type_is_one_bad_row(kind: str, cell: str, options: dict[str, Any], expected: str) -> None:
    raw = f'id,x\n1,"{cell}"\n2,\n'.encode()
    bad, good = csv.decode([raw], {"types": {"x": kind}, **options})
    assert isinstance(bad, BadRecord) and isinstance(good, Record)
    assert (bad.error.expected, bad.error.field_path, bad.error.position) == (expected, "x", "line 2")
    assert bad.error.detail == f"column 'x': expected {expected}, got '{cell[:24]}'"


def test_rows_in_a_row_with_one_key_become_one_record() -> None:
    raw = b"order,country,sku\n1,BE,A\n1,BE,B\n1,NL,C\n2,NL,D\n1,BE,E\n"
    assert values(raw, group_by=["order", "country"]) == [
        {"order": "1", "country": "BE", "rows": [{"sku": "A"}, {"sku": "B"}]},
        {"order": "1", "country": "NL", "rows": [{"sku": "C"}]},
        {"order": "2", "country": "NL", "rows": [{"sku": "D"}]},
        {"order": "1", "country": "BE", "rows": [{"sku": "E"}]},
    ]


def test_an_order_with_a_bad_row_is_bad_as_a_whole() -> None:
    first, bad, last = csv.decode(
        [b"id,qty\n1,1\n2,1\n2,x\n2,3\n3,1\n"], {"group_by": ["id"], "types": {"qty": "integer"}}
    )
    assert isinstance(first, Record) and isinstance(last, Record) and isinstance(bad, BadRecord)
    assert (bad.position, bad.error.position, bad.raw) == ("line 3", "line 4", b"2,1\n2,x\n2,3\n")


@pytest.mark.parametrize(
    ("raw", "good", "bad"),
    [
        (b"id,q\n1,1\n9\n2,2\n3,3\n", ["3"], ["line 2", "line 4"]),
        (b"id,q\n9\n1,1\n2,2\n", ["2"], ["line 2", "line 3"]),
        (b"id,q\n1,1\n9\n", [], ["line 2"]),
        (b"id,q\n9\n", [], ["line 2"]),
        (b"id,q\n8\n9\n", [], ["line 2", "line 3"]),
        (b"id,q\n7\n8\n9\n1,1\n2,2\n", ["2"], ["line 2", "line 3", "line 4", "line 5"]),
        (b"id,q\n1,1\n9\n1,2\n2,2\n", ["2"], ["line 2"]),
    ],
)
def test_a_row_of_no_known_group_spoils_the_groups_around_it(raw: bytes, good: list[str], bad: list[str]) -> None:
    found = list(csv.decode([raw], {"group_by": ["id"]}))
    assert [record.value["id"] for record in found if isinstance(record, Record)] == good
    assert [record.position for record in found if isinstance(record, BadRecord)] == bad
    assert [record.index for record in found] == list(range(len(found)))


def test_a_group_beyond_the_limit_is_bad() -> None:
    (bad,) = csv.decode([b"id,q\n" + b"1,1\n" * 100_001], {"group_by": ["id"]})
    assert isinstance(bad, BadRecord)
    assert bad.error.detail == "more than 100000 rows with one key"


def test_a_large_file_is_read_in_constant_memory() -> None:
    def chunks() -> Iterator[bytes]:
        yield b"order,sku,qty\n"
        for number in range(50):
            yield b"".join(b"%d,SKU-%d,1\n" % (number, line) for line in range(400))

    tracemalloc.start()
    try:
        count = sum(1 for _ in csv.decode(chunks(), {}))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (count, peak < 300_000) == (20_000, True)


def test_a_header_of_many_columns_costs_no_more_than_its_length() -> None:
    names = [f"c{number}" for number in range(100_000)]
    (row,) = values(f"{','.join(names)}\n{',' * 99_999}\n".encode(), skip_blank=False)
    assert list(row) == names


def test_a_file_of_open_quotes_costs_no_more_than_its_length() -> None:
    raw = b"a,b\n" + b'"x,1\n' * 50_000
    assert all(isinstance(record, BadRecord) for record in csv.decode([raw], {}))


@pytest.mark.parametrize(
    ("documents", "options", "raw"),
    [
        ([{"a": "x,y", "b": 'say "z"'}], {}, b'a,b\r\n"x,y","say ""z"""\r\n'),
        ([{"a": Decimal("1E+3"), "b": None}, {"b": True}], {"line_end": "lf"}, b"a,b\n1000,\n,true\n"),
        ([{"a": Decimal("12.50")}], {"decimal_mark": ",", "delimiter": ";"}, b"a\r\n12,50\r\n"),
        ([{"a": "12.50"}], {"decimal_mark": ",", "types": {"a": "decimal"}}, b'a\r\n"12,50"\r\n'),
        ([{"a": "2026-03-05"}], {"date_format": "%d.%m.%Y", "types": {"a": "date"}}, b"a\r\n05.03.2026\r\n"),
        ([{"a": "0026-03-05"}], {"date_format": "%d.%m.%Y", "types": {"a": "date"}}, b"a\r\n05.03.0026\r\n"),
        ([{"b": 1, "a": 2}], {"columns": ["a", "b"], "header": False}, b"2,1\r\n"),
        ([{"a": "ä"}], {"byte_order_mark": True}, b"\xef\xbb\xbfa\r\n\xc3\xa4\r\n"),
        ([{"a": "x"}], {"encoding": "utf-16"}, "\ufeffa\r\nx\r\n".encode("utf-16-le")),
        ([{"a": "a\tb"}], {"delimiter": "tab"}, b'a\r\n"a\tb"\r\n'),
        ([{"a": 'x"y'}], {"escape": "\\"}, b'a\r\nx\\"y\r\n'),
        ([{"id": "1", "rows": [{"q": 1}, {"q": 2}]}], {"group_by": ["id"]}, b"id,q\r\n1,1\r\n1,2\r\n"),
        ([{"a": "=1+1", "b": "-5.00"}], {"formulas": "quote"}, b"a,b\r\n'=1+1,-5.00\r\n"),
        ([{"a": "=1+1"}], {}, b"a\r\n=1+1\r\n"),
        ([{"a": "x\ry", "b": "u\nv"}], {"line_end": "lf"}, b'a,b\n"x\ry","u\nv"\n'),
        ([{"#a": "#1", "b": "#2"}], {"comment": "#"}, b'"#a",b\r\n"#1",#2\r\n'),
        ([{"a": "#1"}], {"comment": "#", "quote": "", "escape": "\\"}, b"a\r\n\\#1\r\n"),
        ([], {"columns": ["a"]}, b"a\r\n"),
        ([], {}, b""),
    ],
)
def test_documents_are_written_as_the_options_say(documents: list[Any], options: dict[str, Any], raw: bytes) -> None:
    assert csv.encode(documents, options) == raw


@given(
    st.lists(st.tuples(*[st.text("a#\r\n\",;\\ '", max_size=5)] * 2), min_size=1, max_size=3),
    st.fixed_dictionaries(
        {
            "quote": st.sampled_from(['"', "'", ""]), "escape": st.sampled_from(["", "\\"]),
            "line_end": st.sampled_from(["crlf", "lf"]), "comment": st.sampled_from(["", "#", "a#"]),
            "delimiter": st.sampled_from([",", ";"]), "header": st.booleans(),
        }
    ),
)  # fmt: skip
def test_what_is_written_is_read_again(rows: list[tuple[str, str]], options: dict[str, Any]) -> None:
    documents = [{"x": first, "y": second, "z": "1"} for first, second in rows]
    options |= {"columns": ["x", "y", "z"]}
    try:
        written = csv.encode(documents, options)
    except MappingError as error:
        assert "a cell that holds the delimiter or a line end" in str(error)
        return
    assert values(written, **options) == documents


@pytest.mark.parametrize(
    ("documents", "options", "text"),
    [
        ([{"a": 1}, {"a": 1, "colour": 2}], {}, "record 2, column 'colour': a column that is not in the header"),
        ([{"a": {"b": 1}}], {}, "record 1, column 'a': a mapping; expected text, a decimal, a whole number"),
        ([{"a": [1]}], {}, "record 1, column 'a': a list; expected text"),
        ([{"a": 1.5}], {}, "record 1, column 'a': a binary float; expected text"),
        ([{"a": Decimal("NaN")}], {}, "record 1, column 'a': a value that is not plain"),
        (["x"], {}, "record 1: not a mapping; expected a mapping from column to value"),
        ([{"a": "€"}], {"encoding": "latin-1"}, "line 2: the character U+20AC, which latin-1 does not have"),
        ([{"a": "@x"}], {"formulas": "refuse"}, "record 1, column 'a': text that a spreadsheet would run as a formula"),
        ([{"a": "x,y"}], {"quote": ""}, "record 1: a cell that holds the delimiter or a line end, or begins as"),
        ([{"a": "x\ry"}], {"quote": "", "line_end": "lf"}, "record 1: a cell that holds the delimiter or a line end"),
        ([{"a": "#1"}], {"quote": "", "comment": "#"}, "record 1: a cell that holds the delimiter or a line end, or b"),
        ([{"a": "#1"}, {"a": "'x"}], {"comment": "'", "quote": "'"}, "record 2: a cell that holds the delimiter or a"),
        ([{"id": 1, "rows": 2}], {"group_by": ["id"]}, "record 1, column 'rows': not a list; expected a list"),
        ([{"id": 1, "x": 2, "rows": []}], {"group_by": ["id"]}, "record 1, column 'x': a column that is neither in"),
    ],
)  # fmt: skip
def test_what_a_row_cannot_carry_is_refused(documents: list[Any], options: dict[str, Any], text: str) -> None:
    with pytest.raises(MappingError) as caught:
        csv.encode(documents, options)
    assert str(caught.value).startswith(text)
    assert caught.value.code == "encode"


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"delimeter": ";"}, "unknown option 'delimeter'; did you mean 'delimiter'?"),
        ({"delimiter": ";;"}, "option 'delimiter' must be one character, tab or auto"),
        ({"delimiter": '"'}, "delimiter, quote and escape must differ"),
        ({"delimiter": "\n"}, "delimiter, quote and escape cannot be a blank or a line end"),
        ({"quote": "ab"}, "option 'quote' must be one character"),
        ({"encoding": "utf8"}, "option 'encoding' is one of auto, utf-8"),
        ({"types": {"a": "decmal"}}, "column 'a' has the type 'decmal'; did you mean 'decimal'?"),
        ({"header": False}, "header: false needs columns"),
        ({"columns": ["a", "a"]}, "a name stands twice in columns"),
        (
            {"columns": ["qty"], "types": {"qt": "integer"}},
            "types names the column 'qt', which columns lacks; did you mean",
        ),
        ({"thousands": "."}, "thousands and decimal_mark must differ"),
        ({"header": "yes"}, "option 'header' must be true or false"),
    ],
)
def test_options_that_make_no_sense_are_told(options: dict[str, Any], fault: str) -> None:
    with pytest.raises(UsageError) as caught:
        csv.encode([], options)
    assert str(caught.value).startswith(fault)
    assert next(iter(csv.faults_of(options).values())).startswith(fault)
