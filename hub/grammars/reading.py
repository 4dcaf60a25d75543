"""A message off the wire to its document and its faults: match, check, name, with the grammar that it says it has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from hub.errors import NotFound
from hub.formats._edi_envelopes import Group, Interchange, Message, Party
from hub.formats._edi_faults import EdiFault
from hub.formats._segments import Segment
from hub.grammars.checks import Checker
from hub.grammars.findings import Finding
from hub.grammars.library import Grammars
from hub.grammars.matching import Matcher
from hub.grammars.naming import Namer
from hub.grammars.types import MessageType

Choose = Callable[[Message], str]


class _Made(msgspec.Struct, frozen=True):
    """One message type made ready for one decimal mark."""

    matcher: Matcher
    checker: Checker
    namer: Namer


class Interpreter:
    """What ``read(chunks, interpret=...)`` takes: from a message to its document and its faults.

    ``choose`` names the grammar of a message; by default it is that of its type and version. A message without a
    grammar is a fault, and its document holds its segments as they are. A package has none, and stays as it is.
    """

    def __init__(self, grammars: Grammars, choose: Choose | None = None) -> None:
        self._grammars, self._choose = grammars, choose or grammar_name
        self._made: dict[tuple[str, str], _Made] = {}

    def __call__(self, message: Message) -> tuple[dict[str, Any] | None, list[EdiFault]]:
        return self.by(self._choose(message), message)

    def by(self, name: str, message: Message) -> tuple[dict[str, Any] | None, list[EdiFault]]:
        """The same by the grammar of this name."""
        if message.kind == "package":
            return None, []
        try:
            made = self._of(name, message.interchange.delimiters.decimal_mark)
        except NotFound as error:
            document = {**envelope_of(message), "segments": [_raw(segment) for segment in message.segments]}
            return document, [_unknown_type(message, str(error))]
        segments = segments_of(message)
        match = made.matcher.match(segments, message.tags if segments is message.segments else ())
        structure = match.findings
        if message.is_cut:  # what is missing behind the last segment may stand in what was not read
            structure = [one for one in structure if one.segment < match.first + len(match.body)]
        findings = sorted((*structure, *made.checker.check(match)), key=_place)
        faults = [_fault(message, finding) for finding in findings]
        return {**envelope_of(message), **made.namer.document(match)}, faults

    def _of(self, name: str, mark: str) -> _Made:
        made = self._made.get((name, mark))
        if made is None:
            kind: MessageType = self._grammars.message(name)
            made = self._made[name, mark] = _Made(Matcher(kind), Checker(kind, mark), Namer(kind, mark))
        return made


def segments_of(message: Message) -> list[Segment]:
    """The segments without what a tag may tell of nesting: ``LIN:1:2`` is LIN (ISO 9735, explicit indication)."""
    separator, segments = message.interchange.delimiters.component, message.segments
    if message.interchange.syntax != "edifact" or separator not in "".join(message.tags):
        return segments
    return [[segment[0].split(separator)[0], *segment[1:]] for segment in segments]


def grammar_name(message: Message) -> str:
    """``edifact/D96A/ORDERS``, ``x12/004010/850``."""
    return f"{message.interchange.syntax}/{message.version}/{message.type}"


def envelope_of(message: Message) -> dict[str, Any]:
    """What a document says of its envelope: ``interchange``, ``group`` where there is one, ``message``."""
    envelope: dict[str, Any] = {"interchange": _interchange(message.interchange)}
    if message.group is not None:
        envelope["group"] = _group(message.group)
    named = {name: getattr(message, name) for name in ("type", "version", "association", "reference")}
    envelope["message"] = _filled(named)
    return envelope


def _interchange(interchange: Interchange) -> dict[str, Any]:
    texts = ("control_number", "date", "time", "version", "application_reference")
    named = _filled({name: getattr(interchange, name) for name in texts})
    parties = {"sender": _party(interchange.sender), "receiver": _party(interchange.receiver)}
    return {**parties, **named, "is_test": interchange.is_test}


def _group(group: Group) -> dict[str, Any]:
    named = _filled({name: getattr(group, name) for name in ("type", "version", "association", "reference")})
    return {"sender": _party(group.sender), "receiver": _party(group.receiver), **named}


def _party(party: Party) -> dict[str, Any]:
    return _filled({"id": party.id, "qualifier": party.qualifier, "internal": party.internal})


def _filled(named: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in named.items() if value}


def _raw(segment: Sequence[Any]) -> dict[str, Any]:
    return {"tag": segment[0], "elements": list(segment[1:])}


def _place(finding: Finding) -> tuple[int, int, int, int]:
    return finding.segment, finding.element, finding.repetition, finding.component


def _fault(message: Message, finding: Finding) -> EdiFault:
    code_list, code = finding.code(message.interchange.syntax)
    return message.fault(
        code_list, code, finding.message, segment=finding.segment, element=finding.element,
        component=finding.component, repetition=finding.repetition, severity=finding.severity, seen=finding.seen,
        expected=finding.expected,
    )  # fmt: skip


def _unknown_type(message: Message, text: str) -> EdiFault:
    code_list, code = ("718", "1") if message.interchange.syntax == "x12" else ("0085", "14")
    return message.fault(code_list, code, f"the message cannot be read: {text}", level="message", seen=message.type)
