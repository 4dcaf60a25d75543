"""JSON: exact values, limits, and errors that say where."""

from __future__ import annotations

import itertools
import json as standard
import random
import re
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from hub.errors import DecodeError, MappingError
from hub.formats import BadRecord, Record, json

NESTED_100 = b"[" * 100 + b"]" * 100

READABLE: list[tuple[bytes, Any]] = [
    (b'{"a":0.10}', {"a": Decimal("0.10")}),
    (b"12345678901234567.10", Decimal("12345678901234567.10")),
    (b"[1e20,1E-20,-0.0]", [Decimal("1E+20"), Decimal("1E-20"), Decimal("-0.0")]),
    (b"9" * 40, int("9" * 40)),
    (b'"' + b"9" * 400 + b'"', "9" * 400),
    (b'{"uuid":"1e3000000","text":"[[[{{{\\"]"}', {"uuid": "1e3000000", "text": '[[[{{{"]'}),
    (b'\xef\xbb\xbf{"a":1}\r\n', {"a": 1}),
    (b'{"a:b":"c:d","e":"\\u003a\\u003A","f":"\\\\u003a"}', {"a:b": "c:d", "e": "::", "f": "\\u003a"}),
    (b'{"a":{"x":1},"b":{"x":1}}', {"a": {"x": 1}, "b": {"x": 1}}),
    (b'"\\ud83d\\ude42"', "🙂"),
    (b"null", None),
]
UNREADABLE: list[tuple[bytes, str, str]] = [
    (b'{"a":1,}', "a comma before '}'; expected another value", "line 1, column 7"),
    (b"[1,\n 2,\n]", "a comma before ']'; expected another value", "line 2, column 3"),
    (b'{\n  "a" 1}', "expected ':' after the key, found '1'", "line 2, column 7"),
    (b'{"a":1 "b":2}', "expected ',' or '}' after the value, found '\"'", "line 1, column 8"),
    (b"[1 2]", "expected ',' or ']' after the value, found '2'", "line 1, column 4"),
    (b'{"a":[1,2}', "expected ',' or ']' after the value, found '}'", "line 1, column 10"),
    (b'{"a":NaN}', "expected a value, found 'NaN'", "line 1, column 6"),
    (b"[-Infinity]", "expected a value, found '-Infinity'", "line 1, column 3"),
    (b'{"a":True}', "expected a value, found 'True'", "line 1, column 6"),
    (b"{'a':1}", "expected a key in double quotes, found '''", "line 1, column 2"),
    (b"<html>", "expected a value, found '<'", "line 1, column 1"),
    (b"01", "expected a number such as 12.50, found '1'", "line 1, column 2"),
    (b'{"a":1}\n{"a":2}', "expected the end of the document, found '{'", "line 2, column 1"),
    (b"", "the text is empty; expected a JSON document", "line 1, column 1"),
    (b'{"a":"x"', "the text ends too early; expected '}'", "line 1, column 9"),
    (b'{"a":"x', "the text ends too early; expected a closing quote", "line 1, column 8"),
    (b'{"a":"x\ty"}', "a tab within a text; expected it escaped", "line 1, column 8"),
    (b'["\\x"]', "an escape that JSON does not have: \\x", "line 1, column 3"),
    (b'["\\ud800"]', "half of a surrogate pair", "line 1, column 3"),
    (b'["\xc3\xa4",\n"\xe4"]', "byte 9 (0xE4) is not UTF-8", "line 2, column 2"),
    (b'{"\xff":1}', "byte 3 (0xFF) is not UTF-8", "line 1, column 3"),
    ('{"a":1}'.encode("utf-16"), "the text is UTF-16; expected UTF-8", "line 1, column 1"),
    (b'["\xc3\xa4",x]', "expected a value, found 'x'", "line 1, column 6"),
    (b"[" + NESTED_100 + b"]", "nested more than 100 deep", "line 1, column 101"),
    (b'["(((\\"[[",' + NESTED_100 + b"]", "nested more than 100 deep", "line 1, column 111"),
    (b'{"n":' + b"9" * 41 + b"}", "a number of more than 40 digits; the limit is 40", "line 1, column 6"),
    (b'{"n":0.' + b"9" * 40 + b"}", "a number of 41 digits; the limit is 40", "line 1, column 6"),
    (b'{"n":"1e30","m":1e30}', "a number with the exponent 30; the limit is 20", "line 1, column 17"),
    (b"[1e3000000]", "a number with the exponent 3000000; the limit is 20", "line 1, column 2"),
    (b"[1E-21]", "a number with the exponent 21; the limit is 20", "line 1, column 2"),
    (b'{"a":1,\n"b":{"x":1,"x":1}}', "the key 'x' stands twice in one object", "line 2, column 12"),
    (b'{"a":1,"\\u0061":2}', "the key 'a' stands twice in one object", "line 1, column 8"),
    (b'{"\\u003a":1,":":2,"c":"\\u003a"}', "the key ':' stands twice in one object", "line 1, column 13"),
]
CANNOT_BE_WRITTEN: list[tuple[Any, str, str]] = [
    ({"a": [1, {"b": 1.5}]}, "a[1].b", "a[1].b: a binary float; expected a decimal"),
    (float("nan"), "", "the document: a binary float; expected a decimal"),
    ({"a": Decimal("NaN")}, "a", "a: not a number; expected a decimal number or null"),
    ({"a": {"b": Decimal("-Infinity")}}, "a.b", "a.b: not a number; expected a decimal number or null"),
    ({"a": "\ud800"}, "a", "a: half of a surrogate pair; expected text that can be written as UTF-8"),
    ({"a": object()}, "a", "a: a value that JSON does not have; expected text, a number"),
    ({"a": {None: 1}}, "a", "a: a key that is not text; expected text keys"),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "document"), READABLE)
def test_values_are_exact(raw: bytes, document: Any) -> None:
    found = json.decode_one(raw, {})
    assert found == document
    assert repr(found) == repr(document)


@pytest.mark.parametrize(("raw", "detail", "position"), UNREADABLE)
def test_an_error_says_what_was_seen_what_was_expected_and_where(raw: bytes, detail: str, position: str) -> None:
    with pytest.raises(DecodeError) as caught:
        json.decode_one(raw, {})
    assert (caught.value.detail, caught.value.position) == (detail, position)


@pytest.mark.parametrize("seed", range(20))
def test_texts_are_judged_as_a_slow_and_plain_reading_judges_them(seed: int) -> None:
    """Brackets, colons, digits and escapes within texts fool neither the bounds nor the search for repeated keys."""
    chance = random.Random(seed)
    for _ in range(40):
        text = written(chance, chance.randrange(8), chance.choice([0, 0, 97, 98, 99, 100]))
        assert verdict(text.encode()) == plain_verdict(text), text


def written(chance: random.Random, breadth: int, depth: int) -> str:
    """A well-formed text, often with a key twice, at times too deep, full of texts that look like structure."""
    inner = ",".join(f"{word(chance)}:{leaf(chance)}" for _ in range(breadth))
    outer = "".join(chance.choice(["[", '{"d":', '["]",', '{"[":"\\\\","e":']) for _ in range(depth))
    closing = {"[": "]", "{": "}"}
    ends = [closing[part] for part in re.sub(r'"(?:[^"\\]|\\.)*"', "", outer) if part in closing]
    return f"{outer}{{{inner}}}{''.join(reversed(ends))}"


def word(chance: random.Random) -> str:
    parts = ["a", "b", ":", "[", "{", "]", '\\"', "\\\\", "\\u003a", "\\\\u003a", "\\u003A", "é", "9" * 20]
    return '"' + "".join(chance.choice(parts) for _ in range(chance.randrange(3))) + '"'


def leaf(chance: random.Random) -> str:
    leaves = [
        "0.10",
        "[[[]]]",
        '{"a":{"a":1}}',
        "null",
        "1" * 40,
        "9" * 41,
        '"' + "9" * 41 + '"',
        "1e20",
        "0",
        "2.5e-3",
    ]
    return chance.choice([*leaves[:5], *leaves, word(chance)] if chance.random() < 0.2 else [word(chance), *leaves[:4]])


def verdict(raw: bytes) -> Any:
    try:
        return json.decode_one(raw, {})
    except DecodeError as error:
        return error.code


def plain_verdict(text: str) -> Any:
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', "", text)
    if re.search("[0-9]{41}", bare):
        return "number_too_long"
    depths = list(itertools.accumulate((part in "[{") - (part in "]}") for part in bare))
    if max(depths) > 100:
        return "too_deep"
    repeated: list[str] = []

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        repeated.extend(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        return dict(pairs)

    value = standard.loads(text, parse_float=Decimal, object_pairs_hook=members)
    return "duplicate_key" if repeated else value


def test_nesting_up_to_the_limit_is_fine() -> None:
    assert len(str(json.decode_one(NESTED_100, {}))) >= 200
    assert json.decode_one(b'{"a":[' + b'{"b":"]"},' * 500 + b"[]]}", {}) == {"a": [{"b": "]"}] * 500 + [[]]}


@pytest.mark.parametrize(
    "raw",
    [
        b"[" * 5_000_000,
        b"[" * 2_500_000 + b"]" * 2_500_000,
        b'["]",' * 1_000_000,
        b'[["(("],' * 600_000,
        b'{"a":' * 1_000_000,
        b'["' + b'\\"[' * 1_500_000,
    ],
)
def test_megabytes_of_brackets_are_refused_and_never_overflow_a_stack(raw: bytes) -> None:
    with pytest.raises(DecodeError):
        json.decode_one(raw, {})


@pytest.mark.parametrize(("document", "path", "text"), CANNOT_BE_WRITTEN)
def test_what_json_cannot_carry_is_refused_with_its_path(document: Any, path: str, text: str) -> None:
    with pytest.raises(MappingError) as caught:
        json.encode_one(document, {})
    assert (caught.value.field_path, caught.value.code) == (path, "encode")
    assert str(caught.value).startswith(text)


def test_a_document_without_end_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(MappingError, match="deeper than 100"):
        json.encode_one(endless, {})


@pytest.mark.parametrize(
    ("document", "raw"),
    [
        ({"b": Decimal("10.50"), "a": 10**30}, b'{"b":10.50,"a":1000000000000000000000000000000}'),
        ({"n": "NaN", "i": "Infinity", "ratio": "˃ 1.5"}, '{"n":"NaN","i":"Infinity","ratio":"˃ 1.5"}'.encode()),
        ([Decimal("1E+2"), Decimal("-0.00"), 0, None, True], b"[100,-0.00,0,null,true]"),
    ],
)
def test_decimals_are_written_as_numbers_digit_for_digit(document: Any, raw: bytes) -> None:
    assert json.encode_one(document, {}) == raw


def test_indented_text_says_the_same() -> None:
    document = {"a": [1, {"b": Decimal("2.50")}]}
    text = json.encode_one(document, {"indent": 2})
    assert b'\n    {\n      "b": 2.50\n    }' in text
    assert json.decode_one(text, {}) == document


@pytest.mark.parametrize(
    ("raw", "path", "lines"),
    [
        (b"[]", ".", []),
        (b' [ 1 ,\n [2],"]" ]', ".", ["line 1", "line 2", "line 2"]),
        (b'{"1":1,"a":[1,\n1,\n1]}', "a", ["line 1", "line 2", "line 3"]),
        (b'{"a":{"b":[9]},"c":{"b":[7,\n8]}}', "c.b", ["line 1", "line 2"]),
    ],
)
def test_the_elements_of_a_list_are_records_with_their_lines(raw: bytes, path: str, lines: list[str]) -> None:
    assert [record.position for record in json.decode([raw], {"records": path})] == lines


@pytest.mark.parametrize(
    ("raw", "path", "detail", "position"),
    [
        (b'{"data":{"orders":[]}}', "data.order", "no member 'order' in 'data'; did you mean 'orders'?",
         "line 1, column 9"),
        (b'{"data":[]}', "data.orders", "'data' is a list; expected an object", "line 1, column 9"),
        (b'{"data":\n7}', "data", "'data' is a number; expected a list", "line 2, column 1"),
        (b'{"a":1}', ".", "the document is an object; expected a list", "line 1, column 1"),
        (b"[1,2", ".", "the text ends too early; expected ']'", "line 1, column 5"),
        (b'{"a":[1],\n"a":[2]}', "a", "the key 'a' stands twice in one object", "line 2, column 1"),
        (b'{"b":0,"b":[1],"a":[2]}', "a", "the key 'b' stands twice in one object", "line 1, column 8"),
        (b'{"a":{"x":1,"b":[],"x":2}}', "a.b", "the key 'x' stands twice in one object", "line 1, column 20"),
    ],
)  # fmt: skip
def test_a_list_that_is_not_there_is_told(raw: bytes, path: str, detail: str, position: str) -> None:
    with pytest.raises(DecodeError) as caught:
        list(json.decode([raw], {"records": path}))
    assert (caught.value.detail, caught.value.position) == (detail, position)


def test_a_fault_in_an_element_is_placed_in_the_whole_text_and_spares_the_others() -> None:
    found = list(json.decode([b'{"rows": [\n {"a":1},\n {"a":1,\n  "a":2}, {"a":3}]}'], {"records": "rows"}))
    good, bad, last = found
    assert isinstance(good, Record) and isinstance(bad, BadRecord) and isinstance(last, Record)
    assert (bad.position, bad.error.position, bad.raw) == ("line 3", "line 4, column 3", b'{"a":1,\n  "a":2}')
    assert (last.value, last.index, last.position) == ({"a": 3}, 2, "line 4")


@pytest.mark.parametrize(
    ("raw", "position"),
    [
        ('[ "é", {"a":1,"a":2}]', "line 1, column 15"),
        ('{"é":\n["é",{"a":1},{"é":1,\n\n "a":1,"a":2}]}', "line 4, column 8"),
        ('["é",\n 7, {"é":1,"a":1,"a":2}]', "line 2, column 18"),
    ],
)
def test_the_column_of_a_fault_in_an_element_counts_the_characters_before_it(raw: str, position: str) -> None:
    found = json.decode([raw.encode()], {"records": "é" if raw[0] == "{" else "."})
    assert [record.error.position for record in found if isinstance(record, BadRecord)] == [position]


def test_a_list_of_bad_elements_costs_no_more_than_its_length() -> None:
    element = '{"a":"' + "é" * 5_000 + '","a":1}'
    found = list(json.decode([f"[{','.join([element] * 2_000)}]".encode()], {"records": "."}))
    last = found[-1]
    assert isinstance(last, BadRecord) and last.error.position == f"line 1, column {1_999 * (len(element) + 1) + 5_010}"
    assert len(found) == 2_000


@pytest.mark.parametrize(
    "bad", [b"9" * 41, b"1e99", NESTED_100[:100] + b"1," + NESTED_100[:100] + NESTED_100[100:] * 2]
)
def test_an_element_beyond_a_limit_spares_the_others(bad: bytes) -> None:
    found = list(json.decode([b"[1," + bad + b",3]"], {"records": "."}))
    assert [type(record) for record in found] == [Record, BadRecord, Record]


def test_a_list_nested_without_end_is_refused() -> None:
    with pytest.raises(DecodeError, match="nested too deep"):
        list(json.decode([b"[" * 1_000_000], {"records": "."}))


def test_a_fault_on_a_line_is_placed_in_the_whole_text() -> None:
    *_, bad = json.decode([b'{"a":1}\n\n{"a":', b"1,}"], {"lines": True})
    assert isinstance(bad, BadRecord)
    assert (bad.position, bad.error.position, bad.index) == ("line 3", "line 3, column 7", 1)


def test_a_line_beyond_the_limit_is_one_bad_record() -> None:
    chunks = [b'{"a":1}\n"', *[b"x" * 1_000_000] * 11, b'"\n{"a":2}\n']
    first, bad, last = json.decode(chunks, {"lines": True})
    assert isinstance(first, Record) and isinstance(last, Record)
    assert isinstance(bad, BadRecord) and len(bad.raw) == 65_536
    assert bad.error.detail == "a line of more than 10000000 bytes"


def test_lines_are_read_in_constant_memory() -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(50):
            yield b'{"order_id":"4711","total":129.90}\n' * 200

    tracemalloc.start()
    try:
        count = sum(1 for _ in json.decode(chunks(), {"lines": True}))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (count, peak < 200_000) == (10_000, True)


@pytest.mark.parametrize(
    ("raw", "options", "detail"),
    [
        (b"[1,2]", {"records": "."}, "more than one record in it; expected one"),
        (b"\n\n", {"lines": True}, "no record in it; expected one"),
    ],
)
def test_one_document_is_asked_for_where_there_are_more_or_none(raw: bytes, options: Any, detail: str) -> None:
    with pytest.raises(DecodeError, match=detail):
        json.decode_one(raw, options)


@pytest.mark.parametrize(
    ("options", "raw"),
    [
        ({}, b'[{"a":1},{"a":2}]'),
        ({"lines": True}, b'{"a":1}\n{"a":2}\n'),
        ({"records": "."}, b'[{"a":1},{"a":2}]'),
        ({"records": "data.rows"}, b'{"data":{"rows":[{"a":1},{"a":2}]}}'),
    ],
)
def test_several_documents_are_written_as_the_options_say(options: Any, raw: bytes) -> None:
    assert json.encode(iter([{"a": 1}, {"a": 2}]), options) == raw
