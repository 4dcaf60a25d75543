"""Mutated interchanges of both syntaxes through all there is: read, every grammar check, written again, acknowledged.
Nothing but the codec's own errors comes out; an acknowledgement is itself without a fault."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from random import Random
from typing import Any

import pytest
from grammar_files import shipped

from hub.errors import DecodeError, MappingError
from hub.formats import BadRecord, Record, edifact, x12
from hub.formats import _edi_outgoing as outgoing
from hub.formats._ack_codes import WORDS
from hub.formats._acks import KINDS, Report, acknowledge
from hub.formats._edi_envelopes import Message, Party
from hub.formats._edi_faults import EdiFault
from hub.formats._edi_marks import filled
from hub.formats._segments import EDIFACT, X12
from hub.grammars import Interpreter, Writer, grammar_name
from tests.unit.formats.edi_texts import ISA, UNB

INVOICE = (
    "UNH+{0}+INVOIC:D:96A:UN:EAN008'BGM+380+R{0}+9'DTM+137:20261128:102'FTX+AAI+++10?+5?'s'RFF+ON:4711'NAD+SU+541::9'"
    "NAD+BY+401::9'CUX+2:EUR:4'LIN+1++4000862141404:EN'QTY+47:12.5:KGM'MOA+203:120.00'PRI+AAA:9.6'TAX+7+VAT+++:::19+S'"
    "UNS+S'CNT+2:1'MOA+77:142.80'TAX+7+VAT+++:::19+S'MOA+124:22.80'UNT+19+{0}'"
)
ADVICE = (
    "ST*856*{0:04d}~BSN*00*S{0}*20261128*1200*0001~HL*1**S~TD1*CTN25*3****G*45*LB~TD5**2*UPSN~REF*BM*4711~DTM*011*20261128~"
    "N1*ST*Shop*92*0042~HL*2*1*O~PRF*PO1***20261101~HL*3*2*I~LIN**UP*012345678905~SN1**12*EA~CTT*3~SE*15*{0:04d}~"
)
GS = "GS*SH*BUYER*SELLER*20261128*1200*1*X*{0}~"
UNG = "UNG+INVOIC+{0}:14+BUYER+261128:1200+{0}+UN+D:96A:EAN008'"
SEEDS: list[tuple[Any, bytes]] = [
    (edifact, (UNB + INVOICE.format(1) + INVOICE.format(2) + "UNZ+2+4711'").encode()),
    (edifact, ("UNA:+,?*'" + UNB.replace("UNOC:3", "UNOC:4") + INVOICE.format(1).replace("12.5", "12,5")
               + "UNZ+1+4711'").replace("'", "'\r\n").encode()),
    (edifact, (UNB + UNG.format(1) + INVOICE.format(1) + "UNE+1+1'" + UNG.format(2) + INVOICE.format(1)
               + "UNE+1+2'UNZ+2+4711'").encode()),
    (x12, (ISA + GS.format("004010") + ADVICE.format(1) + ADVICE.format(2) + "GE*2*1~IEA*1*000000001~").encode()),
    (x12, (ISA.replace("*U*00401", "*^*00501") + GS.format("005010") + ADVICE.format(1) + "GE*1*1~IEA*1*000000001~")
     .replace("*", "|").replace("~", "\n").encode()),
]  # fmt: skip
PIECES = [b"'", b"~", b"?", b"+", b"*", b":", b"|", b"\n", b"\x85", b"\xff", b"\xc3\xbc", b"\x00", b"9" * 20,
          b"20260230", b"1,5", b"LIN+1'", b"UNS+S'", b"HL*9*8*I~", b"UNT+3+1'", b"SE*1*1~", b"BIN*9*A~", b"a^b",
          b"a*b"]  # fmt: skip
INTERPRETER = Interpreter(shipped())
_ECHOES = ("UCI", "UCF", "UCM", "AK1", "AK2", "AK3", "IK3", "TA1")  # which hold references as they came
NOW = datetime(2026, 11, 29, 12)


def mutated(raw: bytes, chance: Random) -> bytes:
    changed, head = bytearray(raw), 110 if chance.random() < 0.8 else 3  # mostly behind the header
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(head, len(changed)) if len(changed) > head else 0
        match chance.randrange(5):
            case 0:
                changed[at : at + 1] = chance.randbytes(1)
            case 1:
                del changed[at : at + chance.randrange(1, 30)]
            case 2:
                changed[at:at] = chance.choice(PIECES)
            case 3:
                begin = chance.randrange(len(changed))
                changed[at:at] = changed[begin : begin + chance.randrange(1, 60)]
            case _:
                changed[at : at + 1] = chance.choice(PIECES)
    return bytes(changed)


@pytest.mark.parametrize(("door", "seed"), SEEDS, ids=range(len(SEEDS)))
def test_mutated_files_come_through_everything(door: Any, seed: bytes) -> None:
    chance, seen = Random(seed), Counter[str]()
    for _ in range(250):
        raw = mutated(seed, chance)
        seen.update(dict.fromkeys(_told(door, raw), 1))
    assert {"read", "refused by a grammar", "written", "named and written", "acknowledged"} <= seen.keys(), seen
    assert seen["acknowledged"] > 150 and seen["written"] > 100 and seen["refused by a grammar"] > 50


def _told(door: Any, raw: bytes) -> Iterator[str]:
    try:
        for interchange in door.read([raw], interpret=INTERPRETER):
            report = Report(interchange)
            for message in interchange.messages():
                report.add(message)
                yield from _message(message)
            for report.is_taken in (False, True) if interchange.header else ():
                yield from _acknowledged(report)
        yield "read"
    except DecodeError:
        return
    yield from _written(door, raw)


def _message(message: Message) -> Iterator[str]:
    for fault in message.faults:
        assert fault.message and fault.code_list in WORDS and fault.offset >= message.offset
    if not message.is_accepted:
        yield "refused by a grammar"
    name = grammar_name(message)
    if message.kind == "message" and shipped().has(name):
        segments, faults = Writer(shipped().message(name)).segments(message.tree)
        assert segments or faults
        yield "named and written" if not faults else "named"


def _written(door: Any, raw: bytes) -> Iterator[str]:
    records = list(door.decode([raw], {"faulty": "pass"}))
    documents = [{**one.value, "faults": []} for one in records if isinstance(one, Record)]
    assert all(one.error.code for one in records if isinstance(one, BadRecord))
    try:
        again = door.encode(documents, {})
    except MappingError as error:
        assert error.detail and (error.position or error.field_path)
        return
    if documents:
        found = [one.value for one in door.decode([again], {"faulty": "pass"}) if isinstance(one, Record)]
        if len(found) == len(documents):
            yield "written"


def _is_echo(fault: EdiFault) -> bool:
    """Whether it is in what an acknowledgement repeats as it came; a TA1 has the date and time of an ISA."""
    return (fault.tag in _ECHOES and fault.level == "element") or (fault.tag == "TA1" and fault.element in (2, 3))


def _acknowledged(report: Report) -> Iterator[str]:
    is_x12 = report.interchange.syntax == "x12"
    header = outgoing.Header(
        report.interchange.syntax, Party("US", "ZZ"), Party("THEM", "ZZ"), "00401" if is_x12 else "3",
        "utf-8" if is_x12 else "UNOC", X12 if is_x12 else EDIFACT, codes=("US", "THEM"),
    )  # fmt: skip
    for document in acknowledge(report, dict.fromkeys(KINDS, "always")):
        notes = document.get("notes", [])
        body = None if notes else outgoing.Body(
            document["type"], document["version"], document.get("association", ""), document["segments"]
        )  # fmt: skip
        try:
            raw = outgoing.interchange(header, body, notes)
        except MappingError as error:  # a reference holds what separates here, or is of another character set
            assert error.detail and error.expected
            continue
        raw = filled(raw, {"interchange": 1, "group": 1, "message": 1}, NOW)
        back = next((x12 if is_x12 else edifact).read([raw], interpret=INTERPRETER))
        messages = list(back.messages())
        assert len(messages) == (document["type"] != "TA1")
        faults = [*(fault for message in messages for fault in message.faults), *back.faults]
        if not shipped().has(f"{'x12' if is_x12 else 'edifact'}/{document.get('version')}/{document['type']}"):
            faults = back.faults  # a 997 has the version of its group, whatever that is
        assert [str(fault) for fault in faults if not _is_echo(fault)] == [], raw
        yield "acknowledged"
