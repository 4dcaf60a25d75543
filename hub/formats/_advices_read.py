"""APERAK and 824 that a partner sends: which documents of ours they are about, what they say in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hub.formats._acks_read import ACCEPTED, REJECTED, listed
from hub.formats._edi_envelopes import Message
from hub.formats._edi_syntax import part
from hub.formats._segments import Segment

_REFUSED, _TAKEN = "27", ("6", "29", "44")  # 1225: not accepted; confirmed, accepted without change, without reserves
_ACCEPTING, _REFUSING = ("A", "C", "E"), ("R", "P")  # 110, behind the letter for batch, group, interchange or set
_NOT_DOCUMENTS = ("LI", "AGO", "ACW")


@dataclass(slots=True)
class Judged:
    """What a partner says of a document of ours by its content. ``documents`` are the numbers it may have, the
    likeliest first; ``message`` and ``group`` our control numbers where it names them, else 0."""

    documents: list[str] = field(default_factory=list)
    message: int = 0
    group: int = 0
    verdict: str = ACCEPTED
    told: list[str] = field(default_factory=list)

    @property
    def detail(self) -> str:
        return listed(self.told)


def judged_by(message: Message) -> list[Judged]:
    """What an APERAK or 824 says, of each document it names."""
    return [_aperak(message.segments)] if message.type == "APERAK" else _application_advice(message.segments)


def _aperak(segments: Sequence[Segment]) -> Judged:
    judged, function, is_error, code = Judged(), "", False, ""
    for segment in segments:
        tag, first = segment[0], part(segment, 1)
        if tag == "BGM":
            function = part(segment, 3)
        elif tag == "RFF" and not is_error:
            _refer(judged, first, part(segment, 1, 2))
        elif tag == "RFF" and first == "LI":
            judged.told.append(f"line {part(segment, 1, 2)}")
        elif tag == "ERC":
            is_error, code = True, first
            judged.told.append(f"error {code}")
        elif tag == "FTX" and (text := _lines(segment, 4)):
            if is_error and judged.told and judged.told[-1] == f"error {code}":
                judged.told[-1] = f"{code}: {text}"
            else:
                judged.told.append(text)
    if function == _REFUSED or (is_error and function not in _TAKEN):
        judged.verdict = REJECTED
    return judged


def _refer(judged: Judged, qualifier: str, value: str) -> None:
    if qualifier == "ACW":
        judged.message = _number(value)
    if value and qualifier in _NOT_DOCUMENTS:
        judged.documents.append(value)
    elif value:
        judged.documents.insert(0, value)


def _lines(segment: Segment, element: int) -> str:
    return " ".join(filter(None, (part(segment, element, n) for n in range(1, 6))))


def _application_advice(segments: Sequence[Segment]) -> list[Judged]:
    found: list[Judged] = []
    for segment in segments:
        tag = segment[0]
        if tag == "OTI":
            code = part(segment, 1)[1:]
            verdict = ACCEPTED if code in _ACCEPTING else REJECTED
            told = [] if code in _ACCEPTING + _REFUSING else [f"OTI01 is '{part(segment, 1)}', which accepts nothing"]
            found.append(Judged([part(segment, 3)], 0, _number(part(segment, 8)), verdict, told))
        elif tag == "TED" and found:
            found[-1].told.append(_error(segment))
        elif tag == "NTE" and found and found[-1].told:
            found[-1].told[-1] += f" {part(segment, 2)}"
    return found


def _error(segment: Segment) -> str:
    code, text, tag, position, element, seen = (part(segment, n) for n in (1, 2, 3, 4, 5, 7))
    place = f", segment {position} {tag}".rstrip() if position or tag else ""
    place += f", element {element}" if element else ""
    return f"{code}{place}: {text or 'no text'}" + (f", seen '{seen}'" if seen else "")


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
