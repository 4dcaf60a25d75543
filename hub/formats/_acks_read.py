"""Acknowledgements that a partner sends: which interchanges or groups of ours they are of, what they say in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from hub.formats._ack_codes import words
from hub.formats._edi_envelopes import Message
from hub.formats._edi_syntax import part
from hub.formats._segments import Segment

ACCEPTED, RECEIVED, REJECTED = "accepted", "received", "rejected"
PARTIAL = "partial"  # accepted, with errors that were noted
_MOST = 20  # faults that are told in words
# What AK5 and AK9 say (717, 715), and UCI, UCF and UCM (0083). Any other code says no more than that it came.
_STATUS = {"A": ACCEPTED, "E": PARTIAL, **dict.fromkeys("MPRWX", REJECTED)}
_ACTION = {**dict.fromkeys("157", ACCEPTED), "2": PARTIAL, **dict.fromkeys("346", REJECTED), "8": RECEIVED}
_NONE: Mapping[str, str] = {}


class Said(msgspec.Struct, frozen=True):
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
    level = _ACTION.get(part(head, 4), RECEIVED)
    told = [f"interchange: {words('0085', part(head, 5))}"] if part(head, 5) else []
    whole, messages, message, place = level == REJECTED, dict[str, str](), "", ""
    for segment in segments:
        tag = segment[0]
        if tag == "UCF":
            whole = whole or _ACTION.get(part(segment, 4)) == REJECTED
            told += [f"group {part(segment, 1)}: {words('0085', part(segment, 5))}"] if part(segment, 5) else []
        elif tag == "UCM":
            message, place = f"message {part(segment, 1)} {part(segment, 2)}", ""
            action = _ACTION.get(part(segment, 3), RECEIVED)
            messages[part(segment, 1)] = PARTIAL if action == ACCEPTED and part(segment, 4) else action
            told += [f"{message}: {words('0085', part(segment, 4))}"] if part(segment, 4) else []
        elif tag == "UCS":
            place = f"{message}, segment {part(segment, 1)}"
            # 0096 of what is missing is that of the last segment before its place.
            where = f"{message}, behind segment {part(segment, 1)}" if part(segment, 2) == "13" else place
            told += [f"{where}: {words('0085', part(segment, 2))}"] if part(segment, 2) else []
        elif tag == "UCD":
            element = f"{place}, element {_element(part(segment, 2))}"
            element += f", component {part(segment, 2, 2)}" if part(segment, 2, 2) else ""
            element += f", repetition {part(segment, 2, 3)}" if part(segment, 2, 3) else ""
            told.append(f"{element}: {words('0085', part(segment, 1))}")
    if whole:
        return _said("interchange", "UCI", 1, part(head, 1), REJECTED, listed(told))
    verdict = _least([level, *messages.values(), *([PARTIAL] if told else [])])
    return _said("interchange", "UCI", 1, part(head, 1), verdict, listed(told), messages, level)


def _least(verdicts: Iterable[str]) -> str:
    """What holds for all of which these were said: one that is rejected or not judged speaks for it."""
    said = set(verdicts)
    return next((verdict for verdict in (REJECTED, RECEIVED, PARTIAL, ACCEPTED) if verdict in said), RECEIVED)


def _element(position: str) -> str:
    """The number of an element as all else counts it: 0098 begins with the segment's tag."""
    return str(int(position) - 1) if _is_number(position) else position


def _functional(segments: Sequence[Segment]) -> Said:
    told: list[str] = []
    statuses = set[str]()  # of the messages and of the group, where they have one
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
            element += f", repetition {part(segment, 1, 3)}" if part(segment, 1, 3) else ""
            told.append(f"{place}, {element}: {words('723', part(segment, 3))}{seen}")
        elif tag in ("AK5", "IK5"):
            if status := part(segment, 1):
                messages[reference] = _STATUS.get(status, RECEIVED)
                statuses.add(messages[reference])
            told += [f"{message}: {words('718', part(segment, n))}" for n in range(2, 7) if part(segment, n)]
        elif tag == "AK9":
            whole = part(segment, 1)
            statuses |= {_STATUS.get(whole, RECEIVED)} if whole else set()
            told += [
                f"{f'group {group}'.rstrip()}: {words('716', part(segment, n))}"
                for n in range(5, 10)
                if part(segment, n)
            ]
    # A group of which a part is accepted, or all with errors, names the messages that are not, or have them.
    rest = ACCEPTED if whole == "E" or (whole == "P" and messages) else _STATUS.get(whole, RECEIVED)
    messages = {} if rest == REJECTED else messages
    return _said("group", "AK1", 2, group, _least(statuses), listed(told), messages, rest)


def listed(told: Sequence[str]) -> str:
    """What is told, the first of very much."""
    more = f" (and {len(told) - _MOST} more)" if len(told) > _MOST else ""
    return "; ".join(told[:_MOST]) + more
