"""Whatever bytes come in: located faults, bounded memory, the rest of the file delivered, no exception of others."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from hub.errors import DecodeError, MappingError
from hub.formats import Record, codec, edifact, x12
from hub.formats._edi_faults import MOST_FAULTS
from tests.unit.formats.edi_texts import (
    GS,
    ISA,
    ORDER,
    SET,
    UNB,
    edifact_of,
    faults_of,
    messages_of,
    orders,
    sets,
    x12_of,
)

SEEDS: list[tuple[str, bytes]] = [
    ("edifact", edifact_of(*orders(1, 2))),
    ("edifact", edifact_of("UNH+1+ORDERS:D:96A:UN'FTX+a?+b?:c?'d??+f\xfcr'BGM+a*b:c*d'UNT+4+1'", *orders(2),
                           unb="UNA:+.?*'" + UNB.replace("UNOC:3", "UNOC:4"))),
    ("edifact", edifact_of("UNG+ORDERS+A+B+261128:1200+1+UN+D:96A'", *orders(1), "UNE+1+1'",
                           "UNO+7+1:x+:y+4'A'B'UNP+4+7'", unz="UNZ+1+4711'").replace(b"'", b"'\r\n")),
    ("x12", x12_of(*sets(1, 2))),
    ("x12", x12_of("ST*841*0001~BIN*6*A~SE*~~BEG*a^b>c~SE*4*0001~", *sets(2), isa=ISA.replace("*U*00401", "*^*00501"))),
    ("x12", x12_of(*sets(1)).replace(b"~", b"\n") + x12_of(*sets(2)).replace(b"000000001", b"000000002")),
]  # fmt: skip
_wrapped = edifact_of(*orders(1, 2, 3))
SEEDS.append(("edifact", b"\r\n".join(_wrapped[at : at + 70] for at in range(0, len(_wrapped), 70))))
PIECES = [b"'", b"~", b"?", b"+", b"*", b":", b"\r\n", b"\x1a", b"UNT+", b"UNH+", b"UNZ+", b"UNB+", b"UNA", b"SE*",
          b"ST*", b"GS*", b"ISA*", b"BIN*5*", b"UNO+", b"UNP+", b"UNG+", b"\xff", b"\x00", b"  "]  # fmt: skip


def mutated(raw: bytes, chance: Random) -> bytes:
    changed = bytearray(raw)
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(len(changed) + 1)
        match chance.randrange(5):
            case 0:
                changed[at : at + 1] = chance.randbytes(1)
            case 1:
                del changed[at : at + chance.randrange(1, 30)]
            case 2:
                changed[at:at] = chance.choice(PIECES)
            case 3:
                changed[at:at] = changed[chance.randrange(len(changed) + 1) :][: chance.randrange(1, 60)]
            case _:
                del changed[at:]
                changed += b"'"
    return bytes(changed)


def told(name: str, chunks: list[bytes]) -> list[Any]:
    """Everything a reader says of the bytes: segments, faults with their places, or the error."""
    module: Any = codec(name)
    found: list[Any] = []
    try:
        for interchange in module.read(chunks):
            for message in interchange.messages():
                found.append((message.offset, message.raw, message.segments, message.object, message.faults))
            found.append((interchange.header, interchange.trailer, interchange.faults))
    except DecodeError as error:
        found.append(str(error))
    return found


@pytest.mark.parametrize(("name", "seed"), SEEDS, ids=range(len(SEEDS)))
def test_mutated_interchanges_give_faults_within_the_file_and_no_other_exception(name: str, seed: bytes) -> None:
    chance = Random(seed)
    for _ in range(400):
        raw = mutated(seed, chance)
        for message in told(name, [raw]):
            faults = message[-1] if isinstance(message, tuple) else []
            assert all(0 <= fault.offset <= len(raw) and fault.message for fault in faults), (raw, faults)
            if isinstance(message, tuple) and len(message) == 5:
                assert raw[message[0] :].startswith(message[1]) and all(
                    type(segment[0]) is str for segment in message[2]
                )


@pytest.mark.parametrize(("name", "seed"), SEEDS, ids=range(len(SEEDS)))
def test_how_the_bytes_are_cut_into_chunks_makes_no_difference(name: str, seed: bytes) -> None:
    chance = Random(seed)
    for raw in [seed, *(mutated(seed, chance) for _ in range(60))]:
        size = chance.randrange(1, 40)
        assert told(name, [raw[at : at + size] for at in range(0, len(raw), size)]) == told(name, [raw]), raw


@pytest.mark.parametrize(("name", "seed"), SEEDS[:-1], ids=range(len(SEEDS) - 1))
def test_what_is_read_of_mutated_interchanges_can_be_written_and_read_again(name: str, seed: bytes) -> None:
    chance, module, count = Random(seed), codec(name), 0
    for _ in range(300):
        try:
            read = [record.value for record in module.decode([mutated(seed, chance)], {}) if isinstance(record, Record)]
            again = list(module.decode([module.encode(read, {})], {})) if read else []
        except (DecodeError, MappingError):
            continue
        values = [record.value["segments"][:-1] for record in again if isinstance(record, Record)]
        if len(values) == len(read):
            count += 1
            assert values == [document["segments"][:-1] for document in read]
    assert count > 100


def test_bytes_are_read_in_the_memory_of_a_message_however_many_there_are() -> None:
    def chunks() -> Iterator[bytes]:
        yield UNB.encode()
        for number in range(1, 60_001):
            yield ORDER.format(number).encode()
        yield b"UNZ+60000+4711'"

    tracemalloc.start()
    count = sum(1 for found in edifact.read(chunks()) for message in found.messages() if message.is_accepted)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 60_000 and peak < 2_000_000


@pytest.mark.parametrize(
    ("name", "raw", "code"),
    [
        ("edifact", edifact_of(f"UNH+1+ORDERS:D:96A:UN'FTX+{'x' * 10_000_000}'UNT+3+1'", *orders(2)), "18"),
        ("edifact", edifact_of(f"UNH+1+ORDERS:D:96A:UN'FTX+{'a:' * 1_000_000}'UNT+3+1'", *orders(2)), "18"),
        ("edifact", edifact_of(f"UNH+1+ORDERS:D:96A:UN'FTX+{'a*' * 1_000_000}'UNT+3+1'", *orders(2),
                               unb=UNB.replace("UNOC:3", "UNOC:4")), "18"),
        ("edifact", edifact_of("UNH+1+ORDERS:D:96A:UN'" + "DTM+137:20261128:102'" * 800_000, *orders(2)), "18"),
        ("x12", x12_of(f"ST*850*0001~MSG*{'x' * 10_000_000}~SE*3*0001~", *sets(2)), "8"),
        ("x12", x12_of("ST*850*0001~" + "MSG*x~" * 3_000_000, *sets(2)), "5"),
    ],
    ids=["segment of 10 MB", "million components", "million repeats", "message of 17 MB", "X12 segment", "X12 set"],
)  # fmt: skip
def test_what_is_too_long_is_told_and_the_next_message_is_delivered(name: str, raw: bytes, code: str) -> None:
    chunks = [raw[at : at + 65_536] for at in range(0, len(raw), 65_536)]
    started = time.monotonic()
    tracemalloc.start()
    found = [
        (message.reference, [fault.code for fault in message.faults]) for message in messages_of(codec(name), chunks)
    ]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert code in found[0][1] and found[-1][0] in ("2", "0002") and found[-1][1] == []
    assert peak < 150_000_000 and time.monotonic() - started < 60


def test_of_very_many_faults_the_first_thousand_are_kept() -> None:
    raw = edifact_of("UNH+1+ORDERS:D:96A:UN'" + "BGM''" * 5_000 + "UNT+3+1'")
    assert len(faults_of(edifact, raw)) == MOST_FAULTS


def test_places_of_many_faults_in_a_long_message_are_found_in_a_moment() -> None:
    def interpret(message):  # type: ignore[no-untyped-def]
        return None, [
            message.fault("0085", "12", "wrong", segment=number, element=2) for number in range(1, 200_000, 200)
        ]

    raw = edifact_of("UNH+1+ORDERS:D:96A:UN'" + "DTM+137+20261128'" * 199_998 + "UNT+200000+1'")
    started = time.monotonic()
    (message,) = messages_of(edifact, raw, interpret=interpret)
    assert [raw[fault.offset :].startswith(b"20261128'") for fault in message.faults[1:]] == [True] * 999
    assert time.monotonic() - started < 30


def test_a_million_segments_with_nothing_in_them_are_read_in_a_moment() -> None:
    started = time.monotonic()
    faults_of(x12, (ISA + GS + "~" * 1_000_000 + SET.format(1)).encode())
    faults_of(edifact, (UNB + "'" * 1_000_000 + ORDER.format(1)).encode())
    faults_of(edifact, (UNB + "UNT+1+1'" * 100_000).encode())
    assert time.monotonic() - started < 60


@pytest.mark.parametrize("number", ["\u00b2", "9" * 5000])
def test_a_reference_that_python_takes_for_no_number_is_a_located_fault(number: str) -> None:
    (told,) = faults_of(x12, x12_of(*sets(1), gs=GS.replace("*1*X*", f"*{number}*X*")))
    assert "GE has the number '1', its header" in told
