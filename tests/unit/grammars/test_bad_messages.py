"""Bad bytes by a shipped grammar: every fault at its byte, what is good still readable, in bounded time and memory."""

from __future__ import annotations

import time
import tracemalloc
from typing import Any

import pytest
from grammar_files import shipped

from hub.formats import edifact, x12
from hub.grammars import Interpreter
from tests.unit.formats.edi_texts import ISA, UNB, edifact_of, messages_of, x12_of

INTERPRETER = Interpreter(shipped())
HEAD, TAIL = "BGM+220+A+9'DTM+137:20261128:102'", "NAD+BY+541::9'LIN+1'QTY+21:48'UNS+S'"


def order(inner: str = "", head: str = HEAD, tail: str = TAIL, unb: str = UNB) -> bytes:
    body = f"UNH+1+ORDERS:D:96A:UN'{head}{inner}{tail}"
    return edifact_of(f"{body}UNT+{body.count(chr(39)) + 1}+1'", unb=unb)


def purchase(inner: str = "", tail: str = "PO1*1*10*EA*9.25~CTT*1~", isa: str = ISA) -> bytes:
    body = f"ST*850*0001~BEG*00*SA*A**20261128~{inner}{tail}"
    return x12_of(f"{body}SE*{body.count('~') + 1}*0001~", isa=isa)


@pytest.mark.parametrize(
    ("door", "raw", "expected"),
    [
        (edifact, order(), []),
        (edifact, order(tail=TAIL.replace("48", "48.5")), []),
        (edifact, order(tail="NAD:2:1+BY+541::9'LIN:1+1'QTY:1:1+21:48'UNS+S'"), []),
        (edifact, order(tail="NAD:2:1+BY+541::9'LIN:1+1'QTY:1:1+21:4,5'UNS+S'"), [("0085_19", "4,5'UNS+S")]),
        (edifact, order(tail=TAIL.replace("48", "48,5")), [("0085_19", "48,5'UNS+")]),
        (edifact, order(tail=TAIL.replace("48", "48,5"), unb="UNA:+,? '" + UNB), []),
        (edifact, order(tail=TAIL.replace("48", "48.5"), unb="UNA:+,? '" + UNB), [("0085_19", "48.5'UNS+")]),
        (edifact, order(tail=TAIL.replace("48", "1.048,5")), [("0085_37", "1.048,5'U")]),
        (x12, purchase(tail="PO1*1*10,5*EA*9.25~CTT*1~"), [("723_6", "10,5*EA*9")]),
        (edifact, order("DTM+2:20260230:102'"), [("0085_12", "20260230:")]),
        (edifact, order("DTM+2:2460:401'DTM+2:202611281260:203'DTM+2:260230:101'"),
         [("0085_12", "2460:401'"), ("0085_12", "202611281"), ("0085_12", "260230:10")]),
        (edifact, order("DTM+2:20260101:718'"), [("0085_12", "20260101:")]),
        (x12, purchase("DTM*002*20260230*2460~"), [("723_8", "20260230*"), ("723_9", "2460~PO1*")]),
        (edifact, order("CTA+IC'COM+1:TE'"), [("0085_15", "CTA+IC'CO"), ("0085_15", "COM+1:TE'")]),
        (edifact, order("LIN+1'NAD+BY'UNS+S'LIN+2'QTY+21:1'"), [("0085_15", "LIN+2'QTY"), ("0085_35", "UNS+S'UNT")]),
        (edifact, order("QTY+21:1'PRI+AAA:1'PIA+1+A:SA'"),
         [("0085_15", "QTY+21:1'"), ("0085_15", "PRI+AAA:1"), ("0085_15", "PIA+1+A:S")]),
        (x12, purchase(tail="CTT*1~PO1*1*10*EA*9.25~N1*BY*Shop~"), [("720_7", "PO1*1*10*")]),
    ],
)  # fmt: skip
def test_a_fault_is_told_at_its_byte(door: Any, raw: bytes, expected: list[tuple[str, str]]) -> None:
    (message,) = messages_of(door, raw, interpret=INTERPRETER)
    told = [(fault.full_code, raw[fault.offset : fault.offset + 9].decode("latin-1")) for fault in message.faults]
    assert told == expected
    lines = message.tree["LIN_group"] if door is edifact else message.tree["PO1_loop"]
    assert lines[-1]["LIN" if door is edifact else "PO1"]["line_number"] == "1"


@pytest.mark.parametrize(
    ("door", "raw", "code"),
    [
        (edifact, order("FTX+AAI+" + "a*" * 490_000 + "a'", unb=UNB.replace("UNOC:3", "UNOC:4")), "0085_35"),
        (edifact, order("FTX+AAI+" + "a:" * 490_000 + "a'"), "0085_16"),
        (edifact, order("FTX+AAI+" + "a+" * 490_000 + "a'"), "0085_16"),
        (edifact, order("FTX+AAI+++" + "?+" * 490_000 + "'"), "0085_39"),
        (x12, purchase("N9*ZZ*" + "a^" * 490_000 + "a~", isa=ISA.replace("*U*00401", "*^*00501")), "723_3"),
        (edifact, order("DTM+2:20260230:102'" * 60_000), "0085_12"),
        (edifact, order("PIA+1'LIN+1'CTA+1'NAD+1'" * 15_000), "0085_15"),
        (x12, purchase("CTT*1~PO1*1~N1*BY~" * 20_000), "720_7"),
        (edifact, order("A'" * 100_000), "0085_15"),
        (edifact, order(tail="LIN+1'" * 200_001 + "UNS+S'"), "0085_36"),
    ],
    ids=["repetitions", "components", "elements", "releases", "X12 repetitions", "wrong dates", "nested wrong groups",
         "X12 loops", "unknown segments", "groups"],
)  # fmt: skip
def test_of_very_many_faults_the_first_are_told_in_a_moment(door: Any, raw: bytes, code: str) -> None:
    started = time.monotonic()
    (message,) = messages_of(door, raw, interpret=INTERPRETER)
    assert code in {fault.full_code for fault in message.faults}
    assert (
        all(0 < fault.offset < len(raw) and fault.message for fault in message.faults) and len(message.faults) <= 1000
    )
    assert message.tree["BGM" if door is edifact else "BEG"]
    assert time.monotonic() - started < 60


def test_a_message_of_too_many_segments_is_cut_and_the_next_is_read() -> None:
    head, end = "UNH+{0}+ORDERS:D:96A:UN'" + HEAD, "UNT+4+{0}'"
    raw = edifact_of(head.format(1) + "A'" * 1_000_000 + end.format(1), head.format(2) + "UNS+S'" + end.format(2))
    tracemalloc.start()
    first, second = messages_of(edifact, [raw[at : at + 65_536] for at in range(0, len(raw), 65_536)])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [fault.message for fault in first.faults][:1] == [
        "the message has 1000004 segments; read are at most 1000000"
    ]
    assert first.segments[1] == ["BGM", "220", "A", "9"] and 65_500 < len(first.raw) <= 65_536
    assert second.reference == "2" and len(second.segments) == 5 and peak < 60_000_000


def test_a_part_of_very_many_is_found_at_its_byte() -> None:
    raw = edifact_of("UNH+1+ORDERS:D:96A:UN'FTX+" + "a*b?*:c*" * 100_000 + "z'UNT+3+1'", unb=UNB.replace(":3+", ":4+"))
    (message,) = messages_of(edifact, raw)
    started = time.monotonic()
    for repetition in range(200_001, 198_001, -2):
        at = message.offset_of(2, 1, 0, repetition)
        assert raw[at : at + 2] == (b"z'" if repetition == 200_001 else b"a*")
        at = message.offset_of(2, 1, 2, repetition - 1)
        assert raw[at : at + 2] == b"c*"
    assert time.monotonic() - started < 30
