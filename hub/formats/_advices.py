"""APERAK and 824: what became of a message by its content, once its syntax was in order.

Each is given as the document that is sent: type, version and segments without header and trailer.
"""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap
from typing import Any

import msgspec

from hub.formats._edi_envelopes import Message
from hub.formats._edi_titles import title_of
from hub.message import Subject

ADVICES = {"edifact": "APERAK", "x12": "824"}
_LINES, _LINE = 5, 70  # of one FTX
_TED, _NTE = 60, 80
_OTHER = "024"  # 647: a reason that no other code names
# The kind of reference that the number of a document is (X12 128); else TN, that of a transaction.
_QUALIFIERS = {"850": "PO", "855": "PO", "860": "PO", "865": "PO", "810": "IV", "856": "SI", "940": "OQ", "945": "OQ"}


class Objection(msgspec.Struct, frozen=True):
    """What is wrong with a document: a code of up to eight letters, a text in words, and the document's own number of
    the line it is about, '' where that is not known."""

    code: str
    text: str
    line: str = ""


def subject_of(message: Message) -> Subject:
    """What an advice says of the message it is about."""
    group = message.group
    number, date = title_of(message.segments)
    return Subject(
        message.type, message.version, message.association, message.reference, message.interchange.control_number,
        group.reference if group else "", number, date, group.sender.id if group else "",
        group.receiver.id if group else "",
    )  # fmt: skip


def advice(syntax: str, subject: Subject, objections: Sequence[Objection], number: str, at: str) -> dict[str, Any]:
    """The advice about a message: a rejection with objections, else an acceptance. ``number`` is its own number, up
    to 30 characters, ``at`` its local time, ``202603050930``."""
    return (_aperak if syntax == "edifact" else _application_advice)(subject, objections, number, at)


def _aperak(subject: Subject, objections: Sequence[Objection], number: str, at: str) -> dict[str, Any]:
    segments: list[Any] = [["BGM", "", number, "27" if objections else "29"], ["DTM", ["137", at, "203"]]]
    # ACE: the document, ACW: the message, AGO: the interchange it came in.
    for qualifier, value in (("ACE", subject.number), ("ACW", subject.reference), ("AGO", subject.interchange)):
        if value:
            segments.append(["RFF", [qualifier, value[:35]]])
        if value and qualifier == "ACE" and (form := _FORMS.get(len(subject.date))):
            segments.append(["DTM", ["171", subject.date, form]])
    for objection in objections:
        lines = wrap(objection.text, _LINE)[:_LINES]
        segments += [["ERC", objection.code[:8]], ["FTX", "AAO", "", "", lines]]
        segments += [["RFF", ["LI", objection.line[:35]]]] if objection.line else []
    return {"type": "APERAK", "version": subject.release, "segments": segments}


_FORMS = {6: "101", 8: "102", 12: "203"}


def _application_advice(subject: Subject, objections: Sequence[Objection], number: str, at: str) -> dict[str, Any]:
    date = subject.date if len(subject.date) == 8 and subject.date.isdigit() else ""
    segments: list[Any] = [
        ["BGN", "11", number, at[:8], at[8:]],
        ["OTI", "TR" if objections else "TA", _QUALIFIERS.get(subject.type, "TN"),
         (subject.number or subject.reference)[:30], subject.sender, subject.receiver, date, "", subject.group,
         subject.reference, subject.type, (subject.release + subject.association)[:12]],
    ]  # fmt: skip
    for objection in objections:
        text = f"line {objection.line}: {objection.text}" if objection.line else objection.text
        first, *more = wrap(text, _TED) or [""]
        segments.append(["TED", _OTHER, first])
        segments += [["NTE", "", line] for line in wrap(" ".join(more), _NTE)[:_LINES]]
    association = "" if subject.association.startswith("X") else subject.association  # that is of its own type only
    return {"type": "824", "version": subject.release, "association": association, "segments": segments}
