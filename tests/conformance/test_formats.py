"""Every format there is: its example both ways, its golden files, and whatever bytes one may throw at it."""

from __future__ import annotations

import copy
import json
import random
import re
import time
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hub.errors import DecodeError, MappingError
from hub.formats import BadRecord, Codec, Option, Record, codec, encode_exact, names, option_faults

GOLDEN = Path(__file__).parent.parent / "golden"
CASES = [path for name in names() for path in sorted((GOLDEN / name).glob("*.in"))]
TYPE_NAMES = re.compile(r"NoneType|\bdict\b|\bstr\b|\bint\b|Traceback|object at 0x|msgspec|codec can't")

OTHERS: list[Any] = [
    None, True, 0, -1, 10**30, Decimal("1E+20"), Decimal("-0.001"), "", " ", "x", "x" * 300, "\x00", "é\n'+~",
    "2026-02-30", "9999-12-31", [], [[]], [None], ["x"] * 3, {}, {"a": {}}, {"_text": "x"},
    {"amount": "1", "currency": "EUR"},
]  # fmt: skip

everyone = pytest.mark.parametrize("name", names())
each_case = pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}-{path.stem}")


@everyone
def test_a_format_has_what_a_codec_offers(name: str) -> None:
    module = codec(name)
    assert all(isinstance(option, Option) and option.description for option in module.OPTIONS)
    assert module.CONTENT_TYPES and module.__doc__
    for call in ("decode", "decode_one", "encode", "encode_one"):
        assert callable(getattr(module, call)) and getattr(module, call).__doc__


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *((name, "text/plain") for name in ("bai2", "coda", "csv", "edifact", "flat", "mt940", "mt942", "x12")),
        *((name, "text/xml") for name in ("camt053", "cii", "idoc", "pain", "soap", "ubl", "xml")),
        ("edifact", "application/edi-consent"), ("x12", "application/edi-consent"), ("soap", "multipart/related"),
    ],
)  # fmt: skip
def test_a_format_is_known_by_the_content_types_that_senders_use(name: str, kind: str) -> None:
    assert kind in codec(name).CONTENT_TYPES


@everyone
def test_the_example_holds_in_both_directions(name: str) -> None:
    module = codec(name)
    raw, document = module.EXAMPLE
    assert module.decode_one(raw, {}) == document
    assert module.encode_one(document, {}) == encode_exact(module, document, {}) == raw
    assert [record.value for record in module.decode([raw], {}) if isinstance(record, Record)] == [document]


@everyone
def test_the_defaults_of_the_options_are_in_order(name: str) -> None:
    declared = codec(name).OPTIONS
    given = {option.name: option.default for option in declared if option.default is not None}
    assert option_faults(declared, given) == {}


@everyone
def test_a_misspelt_option_is_named_with_what_it_should_be(name: str) -> None:
    declared = codec(name).OPTIONS
    if declared:
        right = declared[0].name
        assert f"did you mean '{right}'" in option_faults(declared, {right + "x": 1})[right + "x"]


@each_case
def test_a_golden_file_is_read_as_its_documents(path: Path) -> None:
    assert read(path, [path.read_bytes()]) == expected(path)


@each_case
@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_how_the_bytes_are_cut_into_chunks_makes_no_difference(path: Path, size: int) -> None:
    raw = path.read_bytes()
    chunks = [raw[start : start + size] for start in range(0, len(raw), size)]
    assert read(path, [b"", *chunks, b""]) == expected(path)


@each_case
def test_what_was_read_can_be_written_and_read_again(path: Path) -> None:
    module, options = codec(path.parent.name), options_for(path)
    good = [record.value for record in module.decode([path.read_bytes()], options) if isinstance(record, Record)]
    again = module.encode(good, options)
    assert [record.value for record in module.decode([again], options) if isinstance(record, Record)] == good


@everyone
def test_random_bytes_give_an_error_of_ours_or_a_document(name: str) -> None:
    chance = random.Random(4711)
    ends = Counter(survive(codec(name), chance.randbytes(chance.randrange(200)), {}) for _ in range(400))
    assert ends["error"] > 100 and ends.total() == 400


@everyone
def test_mutated_examples_and_golden_files_give_an_error_of_ours_or_a_document(name: str) -> None:
    module, chance = codec(name), random.Random(4712)
    seeds = [(module.EXAMPLE[0], {})]
    seeds += [(path.read_bytes()[:4000], options_for(path)) for path in CASES if path.parent.name == name]
    rounds = max(1, 1500 // len(seeds))
    ends = Counter(
        survive(module, mutated(raw, chance), options) for _ in range(rounds) for raw, options in seeds
    )  # fmt: skip
    assert ends["error"] and ends["document"] and ends.total() == rounds * len(seeds)


@everyone
def test_a_document_with_anything_anywhere_is_written_or_refused(name: str) -> None:
    module, chance = codec(name), random.Random(4713)
    known = [(module.EXAMPLE[1], {})]
    known += [(one, options_for(path)) for path in CASES if path.parent.name == name for one in good(path)]
    ends: Counter[str] = Counter()
    for _ in range(600):
        document, options = chance.choice(known)
        try:
            module.encode([changed(document, chance)], options)
            ends["written"] += 1
        except MappingError as error:
            assert error.detail and error.code == "encode" and not TYPE_NAMES.search(error.detail), error.detail
            ends["refused"] += 1
    assert ends["written"] > 20 or name in ("cii", "coda", "mt940", "mt942"), ends


@everyone
@pytest.mark.parametrize("filling", [b"[", b"{", b'"', b"(", b"\n", b",", b"\x00", b"9", b"\\", b"<", b"'", b"+"])
def test_a_megabyte_of_one_byte_is_answered_within_seconds(name: str, filling: bytes) -> None:
    started = time.monotonic()
    survive(codec(name), filling * 1_000_000, {})
    assert time.monotonic() - started < 10


@everyone
def test_a_binary_float_is_refused_and_named(name: str) -> None:
    module = codec(name)
    _, document = module.EXAMPLE
    if not isinstance(document, dict):
        pytest.fail("an example is a mapping")
    for key in document:
        with pytest.raises(MappingError) as caught:
            module.encode_one({**document, key: 1.1}, {})
        assert not TYPE_NAMES.search(str(caught.value))


def survive(module: Codec, raw: bytes, options: dict[str, Any]) -> str:
    """Reading ends, with records or with an error of ours that says what a user understands: which, as a word."""
    end = "document"
    for call in (lambda: list(module.decode([raw], options)), lambda: [Record(module.decode_one(raw, options))]):
        try:
            found = call()
        except DecodeError as error:
            check(error)
            end = "error"
            continue
        for index, record in enumerate(found):
            if isinstance(record, BadRecord):
                assert record.position and record.index == index and len(record.raw) <= 65_536
                check(record.error)
                end = "error"
            else:
                assert is_exact(record.value), raw
    return end


def is_exact(value: Any) -> bool:
    """No binary float, NaN or infinity in it: what a mapping and ``encode_exact`` build upon."""
    match value:
        case dict():
            return all(is_exact(item) for item in value.values())
        case list():
            return all(is_exact(item) for item in value)
        case Decimal():
            return value.is_finite()
    return not isinstance(value, float)


def check(error: DecodeError) -> None:
    assert error.detail and error.code
    assert not TYPE_NAMES.search(str(error)), str(error)
    assert len(str(error)) < 600


def mutated(raw: bytes, chance: random.Random) -> bytes:
    changed = bytearray(raw)
    for _ in range(chance.randrange(1, 5)):
        at = chance.randrange(len(changed) + 1)
        match chance.randrange(4):
            case 0:
                changed[at : at + 1] = chance.randbytes(1)
            case 1:
                del changed[at : at + chance.randrange(1, 9)]
            case 2:
                changed[at:at] = chance.choice(
                    [b'"', b"{", b"]", b",", b"\\u", b"\n", b"'", b"\xff", b"1e9", b"\x00", b"<"]
                )
            case _:
                changed[at:at] = changed[chance.randrange(len(changed) + 1) :][:20]
    return bytes(changed)


def good(path: Path) -> list[Any]:
    records = codec(path.parent.name).decode([path.read_bytes()], options_for(path))
    return [record.value for record in records if isinstance(record, Record)]


def changed(document: Any, chance: random.Random) -> Any:
    """The document with one to three of its values left out, or others in their place."""
    found = copy.deepcopy(document)
    for _ in range(chance.randrange(1, 4)):
        if not (places := list(places_below(found))):
            break
        holder, key = chance.choice(places)
        if chance.randrange(4):
            holder[key] = copy.deepcopy(chance.choice(OTHERS))
        else:
            del holder[key]
    return found


def places_below(value: Any) -> Iterator[tuple[Any, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield value, key
        yield from places_below(inner)


def read(path: Path, chunks: list[bytes]) -> list[Any]:
    return [told(record) for record in codec(path.parent.name).decode(iter(chunks), options_for(path))]


def told(record: Record | BadRecord) -> Any:
    if isinstance(record, BadRecord):
        return {"error": record.error.detail, "position": record.position}
    return record.value


def options_for(path: Path) -> dict[str, Any]:
    file = path.with_suffix(".options.json")
    return json.loads(file.read_text()) if file.exists() else {}


def expected(path: Path) -> Any:
    """The documents of a golden file. A text that begins with ``@`` is a decimal, digit for digit."""
    return exact(json.loads(path.with_suffix(".json").read_text()))


def exact(value: Any) -> Any:
    match value:
        case dict():
            return {key: exact(item) for key, item in value.items()}
        case list():
            return [exact(item) for item in value]
        case str() if value.startswith("@"):
            return Decimal(value[1:])
    return value
