"""Files of JSON objects: one, a list, one a line; in whatever pieces they come."""

from __future__ import annotations

import json

import pytest

from hub.errors import DecodeError
from hub.formats import BadRecord
from hub.formats.json import decode_any

BODIES = [
    (b'{"a": 1}', [1]),
    (b'\xef\xbb\xbf [ {"a": 1} , {"a": 2} ]\n', [1, 2]),
    (b'{"a": 1}\n\n{"a": 2}\r\n{"a": 3}', [1, 2, 3]),
    (b"[]", []),
    (b" ", []),
    (b'[{"a": "]}\\"{"}, {"a": {"b": [1, {"c": "\\\\"}]}}]', [']}"{', {"b": [1, {"c": "\\"}]}]),
    ('{"a": "é€😀"}{"a": 1}'.encode(), ["é€😀", 1]),
]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(("body", "values"), BODIES)
def test_every_object_is_read_in_whatever_pieces_it_comes(body: bytes, values: list[object], size: int) -> None:
    chunks = [body[at : at + size] for at in range(0, len(body), size)]
    found = list(decode_any(chunks))
    assert [record.value["a"] for record in found if not isinstance(record, BadRecord)] == values
    assert [record.index for record in found] == list(range(len(values)))


FAULTS = [
    (b'{"a": 1} x', "line 1, column 10", "expected a document, an object in { }, found 'x'"),
    (b'[{"a": 1} {"a": 2}]', "line 1, column 11", "expected a comma or ']', found '{'"),
    (b'[{"a": 1},]', "line 1, column 11", "expected a document, an object in { }, found ']'"),
    (b'[{"a": 1},\n 5]', "line 2, column 2", "expected a document, an object in { }, found '5'"),
    (b'\n [{"a": 1}', "line 2, column 2", "the list that opens here is never closed; expected ']' at the end"),
    (b"[] []", "line 1, column 4", "expected nothing more"),
    (b'"text"', "line 1, column 1", "expected a document"),
    (b'[{"a": 1}]]', "line 1, column 11", "expected nothing more"),
]


@pytest.mark.parametrize("size", [1, 1000])
@pytest.mark.parametrize(("body", "position", "detail"), FAULTS)
def test_what_stands_between_objects_is_told_with_its_place(body: bytes, position: str, detail: str, size: int) -> None:
    with pytest.raises(DecodeError) as raised:
        list(decode_any([body[at : at + size] for at in range(0, len(body), size)]))
    assert raised.value.position == position
    assert detail in raised.value.detail


@pytest.mark.parametrize(
    ("body", "position"),
    [
        (b'[{"a": 1}, {"a": }]', "line 1, column 18"),
        (b'{"a": 1}\n{"a":\n 1,}', "line 3, column 3"),
        ('[{"é": 1}, {"a": }]'.encode(), "line 1, column 18"),
        (b'{"a": 1}\n{"a": 1, "a": 2}', "line 2, column 10"),
        (b'{"a": 1}\n{"a": [1', "line 2, column 9"),  # where it ends
    ],
)
def test_an_object_that_cannot_be_read_spares_the_others_and_has_its_place(body: bytes, position: str) -> None:
    good, bad = list(decode_any([body]))
    assert not isinstance(good, BadRecord)
    assert isinstance(bad, BadRecord)
    assert bad.error.position == position


def test_a_long_text_in_small_pieces_costs_no_more_than_its_length() -> None:
    body = json.dumps({"a": "x" * 6_000_000}).encode() + b'{"a": 1}' * 5_000
    found = decode_any(body[at : at + 500] for at in range(0, len(body), 500))
    assert sum(not isinstance(record, BadRecord) for record in found) == 5_001


def test_a_long_list_takes_the_memory_of_one_object() -> None:
    one = json.dumps({"a": "x" * 1000}).encode()
    alive = 0

    def chunks():
        nonlocal alive
        yield b"["
        for number in range(20_000):  # 20 MB
            alive = number
            yield one + b","
        yield one + b"]"

    reader = decode_any(chunks())
    for index, _ in zip(range(100), reader, strict=False):
        assert alive <= index + 1  # no more was asked for than the next object needs
    assert sum(1 for _ in reader) == 19_901
