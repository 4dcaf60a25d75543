"""JSON read in a hurry: what a glance at the bytes lets pass is what a slow reading of every token lets pass."""

from __future__ import annotations

import json as standard
import random
import re
from decimal import Decimal
from typing import Any, NoReturn

import pytest

from benchmarks.order_lines import order_of
from hub.errors import DecodeError, MappingError
from hub.formats import codec, encode_exact, json
from tests.unit.formats.test_json_format import CANNOT_BE_WRITTEN, READABLE, UNREADABLE, written

ORDER = json.encode_one(order_of(1, random.Random(1), lines=3), {})
PARTS = [
    b'"', b"{", b"}", b"[", b"]", b",", b":", b" ", b"\n", b"\\", b'\\"', b"\\u003a", b"\\ud800", b"\xff", b"\x00",
    b"null", b"NaN", b"-Infinity", b"1.5", b"e21", b"1E-20", b"9" * 38, b"9" * 41, b"1." + b"3" * 39, b"0." + b"7" * 40,
    b"[" * 99, b"]" * 99, b"[" * 101 + b"]" * 101, b'{"a":' * 100, b"}" * 100, b'"a":1,', b'"id":7,', b'{"x":1,"x":2}',
]  # fmt: skip
TEXT = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")


class Refused(Exception):
    """The slow reading refuses a text."""


def refuse(*_: object) -> NoReturn:
    raise Refused


def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return dict(pairs) if len({key for key, _ in pairs}) == len(pairs) else refuse()


def slowly(raw: bytes) -> Any:
    """The document by the standard library and three plain rules; no code of the codec."""
    try:
        text = raw.decode()
        value = standard.loads(text, parse_float=str, parse_int=str, parse_constant=refuse, object_pairs_hook=members)
        standard.dumps(value, ensure_ascii=False, default=str).encode()  # refuses half of a surrogate pair
    except (ValueError, RecursionError):
        refuse()
    bare, depth = TEXT.sub("", text), 0
    for sign in bare:
        depth += (sign in "[{") - (sign in "]}")
        if depth > 100:
            refuse()
    for number in NUMBER.findall(bare):
        mantissa, _, exponent = number.lower().partition("e")
        if len(re.sub("[^0-9]", "", mantissa)) > 40 or abs(int(exponent or 0)) > 20:
            refuse()
    return standard.loads(text, parse_float=Decimal)


def mutated(raw: bytes, chance: random.Random) -> bytes:
    changed = bytearray(raw)
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(len(changed) + 1)
        match chance.randrange(6):
            case 0:
                changed[at : at + 1] = chance.randbytes(1)
            case 1:
                del changed[at : at + chance.randrange(1, 9)]
            case 2:
                changed[at:at] = changed[chance.randrange(len(changed) + 1) :][: chance.randrange(60)]
            case _:
                changed[at:at] = chance.choice(PARTS)
    return bytes(changed)


@pytest.mark.parametrize("seed", range(10))
def test_mutated_texts_are_judged_and_read_as_a_slow_reading_does(seed: int) -> None:
    chance = random.Random(seed)
    texts = [ORDER, *(raw for raw, _ in READABLE), *(raw for raw, *_ in UNREADABLE)]
    accepted = 0
    for _ in range(400):
        raw = chance.choice([*texts, written(chance, chance.randrange(8), chance.choice([0, 97, 99, 100])).encode()])
        raw = mutated(raw, chance).removeprefix(b"\xef\xbb\xbf") if chance.random() < 0.8 else raw
        quick = verdict(json.decode_one, raw, {})
        assert quick == verdict(slowly, raw.removeprefix(b"\xef\xbb\xbf")), raw
        accepted += quick != "refused"
    assert 20 < accepted < 380


def verdict(read: Any, *arguments: Any) -> str:
    try:
        return repr(read(*arguments))
    except (DecodeError, Refused):
        return "refused"


@pytest.mark.parametrize("lead", range(17))
def test_a_number_that_is_too_long_is_seen_wherever_it_stands(lead: int) -> None:
    text = b'["' + b"x" * lead + b'",%s]'
    assert json.decode_one(text % (b"9" * 40), {})[1] == int("9" * 40)
    with pytest.raises(DecodeError, match="more than 40 digits"):
        json.decode_one(text % (b"9" * 41), {})


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_many_brackets_may_stand_side_by_side_and_none_too_deep_among_them(opening: bytes) -> None:
    def nested(levels: int) -> bytes:
        return opening * levels + b"1" + {b"[": b"]", b"{": b"}"}[opening[:1]] * levels

    wide = b",[],{}" * 300
    assert len(json.decode_one(b"[" + nested(99) + wide + b"]", {})) == 601
    with pytest.raises(DecodeError, match="nested more than 100 deep"):
        json.decode_one(b"[" + nested(100) + wide + b"]", {})


def test_too_deep_is_too_deep_also_under_a_key_that_is_read_over() -> None:
    with pytest.raises(DecodeError, match="nested more than 100 deep"):
        json.decode_one(b'{"a":' + b"[" * 100 + b"]" * 100 + b',"a":1}', {})


def test_a_decimal_that_came_before_is_the_same_to_the_last_digit() -> None:
    texts = [*(f"{number}.{'0' * zeros}" for number in range(3000) for zeros in (1, 2)), "1e2", "1E2", "-0.0", "0.0"]
    for _ in range(2):
        found = json.decode_one(f"[{','.join(texts)}]".encode(), {})
        assert [repr(value) for value in found] == [repr(Decimal(text)) for text in texts]


EXACT = [row for row in CANNOT_BE_WRITTEN if "binary float" not in row[2] and "not a number" not in row[2]]


@pytest.mark.parametrize(("document", "path", "text"), EXACT)
def test_what_is_known_to_be_exact_is_refused_for_all_else_that_json_has_not(
    document: Any, path: str, text: str
) -> None:
    with pytest.raises(MappingError) as caught:
        encode_exact(codec("json"), document, {})
    assert (caught.value.field_path, caught.value.code) == (path, "encode")
    assert str(caught.value).startswith(text)


@pytest.mark.parametrize("options", [{}, {"lines": True}, {"records": "rows"}, {"indent": 2}])
def test_what_is_known_to_be_exact_is_written_as_everything_is(options: dict[str, Any]) -> None:
    for raw, document in [*READABLE, (ORDER, json.decode_one(ORDER, {}))]:
        assert encode_exact(codec("json"), document, options) == json.encode_one(document, options), raw
