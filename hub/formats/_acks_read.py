"""Acknowledgements that a partner sends: which interchanges or groups of ours they are of, what they say in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hub.formats._ack_codes import words
from hub.formats._edi_envelopes import Message
from hub.formats._edi_syntax import part
from hub.formats._segments import Segment

ACCEPTED, RECEIVED, REJECTED = "accepted", "received", "rejected"
PARTIAL = "partial"  # accepted, with errors that were noted
_MOST = 20  # faults that are told in words
_REFUSED = {"R", "P", "M", "W", "X"}
_NONE: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Said:
    """What a partner says of ``number``, one of our ``interchange`` or ``group`` control numbers, which are 1 or more.
    0: it names none, and ``seen`` stands in its place, element ``element`` of the segment ``tag``. Where there are
    several messages in it, ``messages`` has what is said of those it names, by number, and ``rest`` what holds for the
    others."""

    kind: str
    number: int
    verdict: str
    detail: str = ""
    tag: str = ""
    element: int = 0
    seen: str = ""
    messages: tuple[tuple[int, str], ...] = ()
    rest: str = ""


def said_by(message: Message) -> Said:
    """What a CONTRL, 997 or 999 says."""
    if message.type == "CONTRL":
        return _contrl(message.segments)
    return _functional(message.segments)


def said_by_note(note: Segment) -> Said:
    """What a TA1 says."""
    verdict = REJECTED if part(note, 4) == "R" else RECEIVED
    return _said("interchange", "TA1", 1, part(note, 1), verdict, f"TA1 {words('I18', part(note, 5))}")


def _said(
    kind: str, tag: str, element: int, seen: str, verdict: str, detail: str, messages: Mapping[str, str] = _NONE,
    rest: str = "",
) -> Said:  # fmt: skip
    number = int(seen) if _is_number(seen) else 0
    named = tuple((int(name), said) for name, said in messages.items() if _is_number(name))
    return Said(
        kind, number, verdict, detail if verdict == REJECTED else "", tag, element, seen, named, rest or verdict
    )


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _contrl(segments: Sequence[Segment]) -> Said:
    head = next((segment for segment in segments if segment[0] == "UCI"), [""])
    action = part(head, 4)
    told = [f"interchange: {words('0085', part(head, 5))}"] if part(head, 5) else []
    whole, messages, message, place = action == "4", dict[str, str](), "", ""
    for segment in segments:
        tag = segment[0]
        if tag == "UCF":
            whole = whole or part(segment, 4) == "4"
            told += [f"group {part(segment, 1)}: {words('0085', part(segment, 5))}"] if part(segment, 5) else []
        elif tag == "UCM":
            message, place = f"message {part(segment, 1)} {part(segment, 2)}", ""
            messages[part(segment, 1)] = _of_message(part(segment, 3) == "4", bool(part(segment, 4)))
            told += [f"{message}: {words('0085', part(segment, 4))}"] if part(segment, 4) else []
        elif tag == "UCS":
            place = f"{message}, segment {part(segment, 1)}"
            told += [f"{place}: {words('0085', part(segment, 2))}"] if part(segment, 2) else []
        elif tag == "UCD":
            element = f"{place}, element {_element(part(segment, 2))}"
            element += f", component {part(segment, 2, 2)}" if part(segment, 2, 2) else ""
            told.append(f"{element}: {words('0085', part(segment, 1))}")
    if whole:
        return _said("interchange", "UCI", 1, part(head, 1), REJECTED, listed(told))
    rest = RECEIVED if action == "8" else ACCEPTED
    well = RECEIVED if action == "8" else PARTIAL if told else ACCEPTED
    verdict = REJECTED if REJECTED in messages.values() else well
    return _said("interchange", "UCI", 1, part(head, 1), verdict, listed(told), messages, rest)


def _of_message(is_rejected: bool, has_faults: bool) -> str:
    return REJECTED if is_rejected else PARTIAL if has_faults else ACCEPTED


def _element(position: str) -> str:
    """The number of an element as all else counts it: 0098 begins with the segment's tag."""
    return str(int(position) - 1) if _is_number(position) else position


def _functional(segments: Sequence[Segment]) -> Said:
    told: list[str] = []
    statuses = set[str]()  # of the messages and of the group
    messages = dict[str, str]()
    group = message = place = reference = whole = ""
    for segment in segments:
        tag = segment[0]
        if tag == "AK1":
            group = part(segment, 2)
        elif tag == "AK2":
            reference = part(segment, 2)
            message = f"{part(segment, 1)} {reference}"
        elif tag in ("AK3", "IK3"):
            place = f"{message}, segment {part(segment, 2)} {part(segment, 1)}"
            told.append(f"{place}: {words('720', part(segment, 4))}")
        elif tag in ("AK4", "IK4"):
            seen = f", seen '{part(segment, 4)}'" if part(segment, 4) else ""
            element = f"element {part(segment, 1)}"
            element += f", component {part(segment, 1, 2)}" if part(segment, 1, 2) else ""
            told.append(f"{place}, {element}: {words('723', part(segment, 3))}{seen}")
        elif tag in ("AK5", "IK5"):
            statuses.add(part(segment, 1))
            messages[reference] = _of_message(part(segment, 1) in _REFUSED, part(segment, 1) == "E")
            told += [f"{message}: {words('718', part(segment, n))}" for n in range(2, 7) if part(segment, n)]
        elif tag == "AK9":
            whole = part(segment, 1)
            statuses.add(whole)
            told += [
                f"{f'group {group}'.rstrip()}: {words('716', part(segment, n))}"
                for n in range(5, 10)
                if part(segment, n)
            ]
    told_well = PARTIAL if "E" in statuses else ACCEPTED if any(statuses) else RECEIVED
    verdict = REJECTED if statuses & _REFUSED else told_well
    # A group of which a part is accepted (P) names the messages that are not.
    refused = whole in _REFUSED - {"P"} or (whole == "P" and not messages)
    rest = REJECTED if refused else ACCEPTED if whole else told_well
    return _said("group", "AK1", 2, group, verdict, listed(told), {} if refused else messages, rest)


def listed(told: Sequence[str]) -> str:
    """What is told, the first of very much."""
    more = f" (and {len(told) - _MOST} more)" if len(told) > _MOST else ""
    return "; ".join(told[:_MOST]) + more
