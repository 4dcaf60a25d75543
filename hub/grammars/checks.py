"""The second stage: every element of every segment against its type, codes and notes; all faults of a message.

A segment is first looked at quickly, for whether anything is wrong at all; only then is everything said about it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from msgspec.structs import replace

from hub.formats._segments import CutSegment, Repeats
from hub.grammars.findings import Finding
from hub.grammars.matched import Match
from hub.grammars.notes import RULES, is_there
from hub.grammars.notes import broken as broken_at
from hub.grammars.quick import QuickLook, dates_in
from hub.grammars.types import SEVERITIES, MessageType, Note, SegmentType, Slot
from hub.grammars.values import is_edifact_date, value_fault

_MOST_FINDINGS = 1000
_SHOWN = 40
_CODE_LIST, _AGENCY, _UNITED_NATIONS = "1131", "3055", "6"


class Checker:
    """Checks the messages of one type. ``decimal_mark`` is the interchange's."""

    def __init__(self, message: MessageType, decimal_mark: str = ".") -> None:
        self._mark = decimal_mark
        self._extra, self._codes = SEVERITIES[message.extra], SEVERITIES[message.unknown_codes]
        self._unused = SEVERITIES[message.unused]
        self._looks: dict[int, QuickLook] = {}
        self._kept: list[SegmentType] = []

    def check(self, match: Match) -> list[Finding]:
        """Every fault of the elements of a message, in their order; at most 1000."""
        found: list[Finding] = []
        for number, (segment, place) in enumerate(zip(match.body, match.places, strict=True), match.first):
            if place is None or self.is_clean(segment, place.node.segment):
                continue
            if type(segment) is not CutSegment:
                left = _MOST_FINDINGS - len(found)  # of one element there may be a million
                found += (
                    replace(one, segment=number) for one in islice(self._segment(segment, place.node.segment), left)
                )
                if len(found) == _MOST_FINDINGS:
                    return found
        return found

    def is_clean(self, segment: Sequence[Any], kind: SegmentType) -> bool:
        """The quick look: true where nothing is wrong; false where something is, or may be."""
        look = self._looks.get(id(kind))
        if look is None:
            used = kind.used if self._unused and kind.used else kind
            look = self._looks[id(kind)] = QuickLook(used, self._mark, has_codes=bool(self._codes))
            self._kept.append(kind)  # an id is that of one object only while it lives
        return look.is_clean(segment)

    def segment_findings(self, segment: Sequence[Any], kind: SegmentType, number: int) -> list[Finding]:
        """Every fault of one segment."""
        return [replace(one, segment=number) for one in self._segment(segment, kind)]

    def _segment(self, segment: Sequence[Any], kind: SegmentType) -> Iterator[Finding]:
        told = set()
        for one in self._faults(segment, kind):
            told.add((one.problem, one.element, one.component, one.repetition))
            yield one
        if kind.used is not None and self._unused:
            for one in self._faults(segment, kind.used):
                if (one.problem, one.element, one.component, one.repetition) not in told:
                    text = f"{one.message} (the grammar's uses of this place)"
                    yield replace(one, message=text, severity=self._unused)

    def _faults(self, segment: Sequence[Any], kind: SegmentType) -> Iterator[Finding]:
        for at, slot in enumerate(kind.slots, 1):
            yield from self._position(segment[at] if at < len(segment) else "", slot, at)
        beyond = [at for at in range(len(kind.slots) + 1, len(segment)) if is_there(segment[at])]
        if beyond and self._extra:
            text = f"{kind.tag} has {len(kind.slots)} elements in this grammar; here is element {beyond[0]}"
            yield _finding("too_many_elements", text, beyond[0], seen=segment[beyond[0]], severity=self._extra)
        for note in kind.notes:
            if (broken := broken_at(note, segment)) is not None:
                yield _note_finding(note, broken, [slot.number for slot in kind.slots], [s.name for s in kind.slots])

    def _position(self, value: Any, slot: Slot, at: int) -> Iterator[Finding]:
        if not is_there(value):
            if slot.is_mandatory:
                text = f"{slot.name or slot.number} ({slot.number}) is missing; it is mandatory"
                yield _finding("missing_element", text, at, expected=slot.number)
            return
        if not slot.repeats:
            yield _finding("unused_element", f"{slot.name} ({slot.number}) is not used here", at, seen=value)
            return
        every = value if type(value) is Repeats else [value]
        if len(every) > slot.repeats:
            text = f"{slot.name} ({slot.number}) is repeated {len(every)} times; at most {slot.repeats}"
            yield _finding("too_many_repetitions", text, at, expected=str(slot.repeats))
        for times, one in enumerate(every, 1):
            repetition = times if len(every) > 1 else 0
            if slot.components:
                yield from self._composite(one, slot, at, repetition)
            elif isinstance(one, list):
                yield from self._value(one[0], slot, at, 0, repetition)
                if any(one[1:]):
                    text = f"{slot.name} ({slot.number}) is no composite; here it has {len(one)} components"
                    yield _finding("too_many_components", text, at, 2, repetition, seen=one[1])
            else:
                yield from self._value(one, slot, at, 0, repetition)

    def _composite(self, value: Any, slot: Slot, at: int, repetition: int) -> Iterator[Finding]:
        parts = value if isinstance(value, list) else [value]
        for number, component in enumerate(slot.components, 1):
            part = parts[number - 1] if number <= len(parts) else ""
            name = ".".join(text for text in (slot.name, component.name) if text)
            if part:
                if component.repeats:
                    is_free = _is_of_another_list(slot.components[number:], parts[number:])
                    yield from self._value(part, component, at, number, repetition, name, is_free)
                else:
                    text = f"{name} ({component.number}) is not used here"
                    yield _finding("unused_element", text, at, number, repetition, seen=part)
            elif component.is_mandatory:
                text = f"{name} ({component.number}) is missing; it is mandatory where {slot.number} stands"
                yield _finding("missing_element", text, at, number, repetition, expected=component.number)
        if any(parts[len(slot.components) :]) and self._extra:
            text = f"{slot.number} has {len(slot.components)} components; here are {len(parts)}"
            place = len(slot.components) + 1
            yield _finding("too_many_components", text, at, place, repetition, seen=parts[-1], severity=self._extra)
        if (dates := dates_in(slot.components)) and max(dates) < len(parts):
            date, form = parts[dates[0]], parts[dates[1]]
            if date and form and not is_edifact_date(date, form):
                text = f"{_shown(date)} is not a date of the format {form}"
                yield _finding("wrong_date", text, at, dates[0] + 1, repetition, seen=date, expected=form)
        for note in slot.notes:
            if (broken := broken_at(note, ["", *parts])) is not None:
                numbers, names = [one.number for one in slot.components], [one.name for one in slot.components]
                yield _note_finding(note, broken, numbers, names, at)

    def _value(
        self, value: Any, slot: Slot, at: int, component: int, repetition: int, name: str = "", is_free: bool = False
    ) -> Iterator[Finding]:
        if type(value) is not str or not value or slot.element is None:
            return
        codes = slot.codes if self._codes and not is_free else None
        fault = value_fault(slot.element, codes, value, self._mark)
        if fault is not None:
            problem, what, expected = fault
            text = f"{name or slot.name} ({slot.number}) {what}: {_shown(value)}; expected {expected}"
            severity = self._codes if problem == "unknown_code" else "error"
            yield _finding(problem, text, at, component, repetition, value, expected, severity)


def _note_finding(
    note: Note, broken: list[int], numbers: Sequence[str], names: Sequence[str], element: int = 0
) -> Finding:
    every = ", ".join(f"{names[at - 1]} ({numbers[at - 1]})" for at in note.positions)
    is_too_much = note.letter in "EN" or (note.letter == "O" and broken[0] != note.positions[0])
    problem = "excluded_element" if is_too_much else "missing_related"
    text = f"{note}: of {every} {RULES[note.letter]}"
    return _finding(problem, text, element or broken[0], broken[0] if element else 0)


def _finding(
    problem: str, text: str, element: int, component: int = 0, repetition: int = 0, seen: Any = "",
    expected: str = "", severity: str = "error",
) -> Finding:  # fmt: skip
    short = seen[:_SHOWN] if isinstance(seen, str) else ""
    return Finding(problem, text, 0, element, component, repetition, short, expected, severity)


def _is_of_another_list(components: Sequence[Slot], parts: Sequence[Any]) -> bool:
    """Whether the list or the agency that stands behind a code says that it is none of the directory's (EDIFACT)."""
    for component, part in zip(components, parts, strict=False):
        if component.number not in (_CODE_LIST, _AGENCY):
            return False
        if part and (component.number == _CODE_LIST or part != _UNITED_NATIONS):
            return True
    return False


def _shown(value: str) -> str:
    return f"'{value[:_SHOWN]}…'" if len(value) > _SHOWN else f"'{value}'"
