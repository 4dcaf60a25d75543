"""Mutated messages against every stage: nothing but findings comes out, nothing is lost, and the writer takes it "
"back."""

from __future__ import annotations

import random
from typing import Any

import pytest
from grammar_files import shipped

from hub.errors import DecodeError
from hub.formats import edifact, x12
from hub.formats._segments import Repeats
from hub.grammars import Checker, Interpreter, Matcher, Namer, Writer
from hub.grammars.types import SegmentNode

NOISE = [
    "", "1", "x" * 600, "-", ".", ",", "1.5.5", "²", "٣", "\x00", "9" * 5000, "1e999999", "é", " ", "NaN", "20240230",
    "2460",
]  # fmt: skip
STRANGE: list[Any] = [
    *NOISE, [], ["", ""], ["a"] * 40, Repeats(["a", ["b", "c"]]), Repeats(["1"] * 200), b"\x00\xff", ["137", "x",
    "102"],
]  # fmt: skip
NAMES = [
    "edifact/D96A/INVOIC", "edifact/D01B/DESADV", "edifact/41/CONTRL", "x12/004010/856", "x12/005010/810",
    "eancom/1997/ORDERS",
]  # fmt: skip
ORDER = (
    b"UNB+UNOC:3+541:14+401:14+240131:1200+R1'UNH+1+ORDERS:D:96A:UN'BGM+220+PO1+9'DTM+137:20240131:102'NAD+BY+1::9'"
    b"LIN+1++4:EN'QTY+21:4'PRI+AAA:9.5'UNS+S'CNT+2:1'UNT+10+1'UNZ+1+R1'"
)
PURCHASE = (
    b"ISA*00*          *00*          *ZZ*US             *ZZ*THEM           *240131*1200*U*00401*000000007*0*P*>~"
    b"GS*PO*US*THEM*20240131*1200*7*X*004010~ST*850*0001~BEG*00*NE*PO1**20240131~N1*BY*A~"
    b"PO1*1*10*EA*9.25**UP*123~CTT*1~SE*6*0001~GE*1*7~IEA*1*000000007~"
)


@pytest.mark.parametrize("name", NAMES)
def test_segments_of_any_kind_give_findings_and_a_document(name: str) -> None:
    random.seed(name)
    message = shipped().message(name)
    matcher, checker, namer, writer = Matcher(message), Checker(message), Namer(message), Writer(message)
    kinds = [node.segment for _, node in message.walk() if isinstance(node, SegmentNode)]
    for _ in range(20):
        segments: list[list[Any]] = []
        at = 0
        while at < len(kinds) and len(segments) < 60:
            at += random.choice([0, 1, 1, 1, 2, 5]) if random.random() < 0.9 else -random.randrange(at + 1)
            kind = kinds[min(at, len(kinds) - 1)]
            tag = kind.tag if random.random() < 0.97 else random.choice(NOISE)
            segments.append([tag, *(random.choice(STRANGE) for _ in range(random.randrange(len(kind.slots) + 3)))])
        match = matcher.match(segments)
        found = [*match.findings, *checker.check(match)]
        assert all(1 <= one.segment <= len(segments) + 1 and one.message for one in found)
        assert all(one.code(message.syntax) for one in found)
        assert len(match.places) == len(segments)
        written, faults = writer.segments(namer.document(match))
        assert all(fault.path and fault.message for fault in faults)
        assert sum(place is not None for place in match.places) >= len(written)


@pytest.mark.parametrize(("door", "raw"), [(edifact, ORDER), (x12, PURCHASE)], ids=["edifact", "x12"])
def test_mutated_bytes_give_documents_and_faults(door: Any, raw: bytes) -> None:
    random.seed(17)
    interpreter = Interpreter(shipped())
    seen = 0
    for _ in range(300):
        mutated = bytearray(raw)
        for _ in range(random.randrange(1, 5)):
            at = random.randrange(len(mutated))
            match random.randrange(4):
                case 0:
                    mutated[at] = random.randrange(256)
                case 1:
                    del mutated[at : at + random.randrange(1, 12)]
                case 2:
                    mutated[at:at] = random.choice([b"'", b"+", b":", b"*", b"~", b"?", b"\n", b"UNH", b"LIN", b"\xff"])
                case _:
                    other = random.randrange(len(mutated))
                    mutated[at:at] = mutated[other : other + 30]
        try:
            for interchange in door.read([bytes(mutated)], interpret=interpreter):
                for message in interchange.messages():
                    seen += len(message.faults)
                    assert all(fault.message and fault.code for fault in message.faults)
                    assert isinstance(message.tree, dict)
        except DecodeError:
            pass
    assert seen > 200
