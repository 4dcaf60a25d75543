"""Small interchanges for the tests of EDIFACT and X12, and what a reader tells of them as plain texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.formats import edifact, x12

UNB = "UNB+UNOC:3+4012345000009:14+5412345000013:14+261128:1200+4711'"
UNB_4 = UNB.replace("UNOC:3", "UNOC:4").replace("261128", "20261128")
ORDER = "UNH+{0}+ORDERS:D:96A:UN:EAN008'BGM+220+A{0}+9'UNT+3+{0}'"
ISA = "ISA*00*          *00*          *ZZ*BUYER          *01*123456789      *261128*1200*U*00401*000000001*0*P*>~"
GS = "GS*PO*BUYER*SELLER*20261128*1200*1*X*004010VICS~"
SET = "ST*850*{0:04d}~BEG*00*SA*A{0}**20261128~SE*3*{0:04d}~"


def edifact_of(*messages: str, unb: str = UNB, unz: str = "") -> bytes:
    """An interchange with these messages (``ORDER`` by its number) and a right trailer."""
    return (unb + "".join(messages) + (unz or f"UNZ+{len(messages)}+4711'")).encode("latin-1")


def x12_of(*sets: str, isa: str = ISA, gs: str = GS, ge: str = "", iea: str = "") -> bytes:
    trailers = (ge or f"GE*{len(sets)}*1~") + (iea or "IEA*1*000000001~")
    return (isa + gs + "".join(sets) + trailers).encode("latin-1")


def orders(*numbers: int) -> list[str]:
    return [ORDER.format(number) for number in numbers]


def sets(*numbers: int) -> list[str]:
    return [SET.format(number) for number in numbers]


def messages_of(module: Any, raw: bytes | Sequence[bytes], **settings: Any) -> list[Any]:
    chunks = [raw] if isinstance(raw, bytes) else raw
    return [message for found in module.read(chunks, **settings) for message in list(found.messages())]


def faults_of(module: Any, raw: bytes, **settings: Any) -> list[str]:
    """Every fault, of the envelope behind those of its messages, and the first bytes of the file where it is:
    ``error 0085:29 4711//1 3 UNT/1 @4+1': UNT counts ...``."""
    told = []
    for found in module.read([raw], **settings):
        inner = [fault for message in found.messages() for fault in message.faults]
        told += [_line(fault, raw) for fault in [*inner, *found.faults]]
    return told


def _line(fault: Any, raw: bytes) -> str:
    place = "/".join([fault.interchange, fault.group, fault.reference]).strip("/")
    segment = f"{fault.segment} {fault.tag}" if fault.segment else fault.tag
    element = f"/{fault.element}" if fault.element else ""
    there = ascii(raw[fault.offset : fault.offset + 5].decode("latin-1"))[1:-1]
    words = [fault.severity, f"{fault.code_list}:{fault.code}", place, segment + element]
    return " ".join([*filter(None, words), f"@{there}@ {fault.message}"])


def texts_of(message: Any) -> list[list[Any]]:
    return [list(segment) for segment in message.segments]


__all__ = ["GS", "ISA", "ORDER", "SET", "UNB", "edifact", "edifact_of", "faults_of", "messages_of", "orders", "sets",
           "texts_of", "x12", "x12_of"]  # fmt: skip
