"""Acknowledgements of what came in: CONTRL, 997, 999 and TA1, made of the faults that reading found.

Each is given as the documents that are sent: type, version and segments without header and trailer. Of an interchange
that holds nothing but acknowledgements none is made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hub.formats._edi_charsets import writable
from hub.formats._edi_codec import GROUPS, faults_above
from hub.formats._edi_envelopes import Group, Interchange, Message
from hub.formats._edi_faults import EdiFault
from hub.formats._segments import Repeats, Segment

KINDS = ("contrl", "997", "999", "ta1")
ACKNOWLEDGEMENTS = frozenset({"CONTRL", "997", "999", "TA1"})
_MOST = 500  # faults that are told of one interchange; behind them one of each message
_MOST_CODES = 5  # in AK5 and AK9
_CONTRL = {"1": "22", "2": "22", "3": "D3", "4": "41"}  # the version of CONTRL that goes with that of the syntax
_RELEASE = re.compile("00[2-9]0[0-9]{2}[A-Za-z0-9]{0,6}")  # what GS08 may be

Document = dict[str, Any]


@dataclass(slots=True)
class Told:
    """What is told of one message: its errors, one at least where it is not accepted."""

    type: str
    reference: str
    header: Segment
    association: str
    faults: Sequence[EdiFault] = ()

    @property
    def is_accepted(self) -> bool:
        return not self.faults


@dataclass(slots=True)
class Report:
    """What acknowledging an interchange takes. ``refused``: (list, code) of why nothing of it was taken in.
    ``is_taken``: its good messages were, whatever is wrong with its envelope. ``kinds`` are the types of its messages,
    also of those that are not told of."""

    interchange: Interchange
    groups: list[tuple[Group | None, list[Told]]] = field(default_factory=list)
    refused: tuple[str, str] | None = None
    is_taken: bool = False
    kinds: set[str] = field(default_factory=set)
    _room: int = _MOST

    def add(self, message: Message) -> None:
        """Note a message and what is wrong with it, or with the group that it stands in."""
        if not self.groups or self.groups[-1][0] is not message.group:
            self.groups.append((message.group, []))
        errors = [fault for fault in (*faults_above(message), *message.faults) if fault.is_error][: max(self._room, 1)]
        self._room -= len(errors)
        told = Told(message.type, message.reference, message.segments[0], message.association, errors)
        self.groups[-1][1].append(told)
        self.kinds.add(message.type)

    @property
    def messages(self) -> Iterable[Told]:
        return (told for _, group in self.groups for told in group)

    @property
    def is_clean(self) -> bool:
        """Nothing is wrong with it."""
        if self.refused or not self.interchange.is_accepted:
            return False
        return all(told.is_accepted for told in self.messages)

    @property
    def only_acknowledges(self) -> bool:
        return self.kinds <= ACKNOWLEDGEMENTS if self.kinds else bool(self.interchange.notes)

    @property
    def code(self) -> tuple[str, str] | None:
        """(list, code) of what is wrong with the envelope; None: nothing."""
        found = next((f for f in self.interchange.faults if f.is_error), None)
        return self.refused or ((found.code_list, found.code) if found else None)

    @property
    def is_rejected(self) -> bool:
        """Nothing of it was taken in."""
        return self.code is not None and not self.is_taken


def acknowledge(report: Report, policy: dict[str, str]) -> list[Document]:
    """The acknowledgements an interchange deserves: ``policy`` says for each of KINDS always, on_error or never."""
    if report.only_acknowledges:
        return []
    wanted = {kind for kind in KINDS if policy.get(kind) == "always"}
    wanted |= {kind for kind in KINDS if policy.get(kind) == "on_error" and not report.is_clean}
    if report.interchange.syntax == "edifact":
        return [contrl(report)] if "contrl" in wanted else []
    made = [ta1(report)] if "ta1" in wanted else []
    if not report.is_rejected:
        for kind in ("997", "999"):
            if kind in wanted:
                made += [
                    functional(kind, group, told, report.interchange.level)
                    for group, told in report.groups
                    if group is not None and told[0].type not in ACKNOWLEDGEMENTS
                ]
    return made


def for_another_reason(document: Document, fault: EdiFault) -> Document:
    """The CONTRL or TA1 of one that is refused, with what else it is refused for."""
    if notes := document.get("notes"):
        return {**document, "notes": [[*notes[0][:5], fault.code]]}
    head, *rest = document["segments"]
    return {**document, "segments": [[*head[:5], fault.code, *_place(fault)], *rest]}


def of_used_number(interchange: Interchange, kinds: set[str], policy: dict[str, str]) -> list[Document]:
    """The acknowledgements of one that is refused since its control number came before, with other content: a CONTRL
    or a TA1, where one is wanted."""
    fault = _USED[interchange.syntax]
    return acknowledge(Report(replace(interchange, faults=[fault]), kinds=kinds), policy)


_USED = {
    "edifact": EdiFault("interchange", "0085", "26", "duplicate", tag="UNB", element=5),
    "x12": EdiFault("interchange", "I18", "025", "duplicate", tag="ISA", element=13),
}


# -- CONTRL --------------------------------------------------------------------------------------------------------


def contrl(report: Report) -> Document:
    """CONTRL in the version that the interchange's syntax has: every group and message that is not accepted, with its
    faults. What is wrong with the envelope, or with a group, is told beside that, where its messages were taken in."""
    interchange = report.interchange
    head: Segment = [
        "UCI", interchange.control_number, interchange.sender.element, interchange.receiver.element,
        "4" if report.is_rejected else "7",
    ]  # fmt: skip
    named, loose = list[tuple[Group, list[Told]]](), list[Told]()
    for group, told in () if report.is_rejected else report.groups:
        if group is not None and group.reference:
            named.append((group, told))
        else:
            loose += told
    of_groups = {id(fault) for group, _ in named for fault in group.faults}
    own = next((f for f in interchange.faults if f.is_error and id(f) not in of_groups), None)
    if report.refused is not None:
        head.append(report.refused[1])
    elif own is not None:
        head += [own.code, *_place(own)]
    has_repeats = interchange.version == "4"
    segments = [head, *_all_rejected(loose, has_repeats)]
    for group, told in named:
        segments += _of_group(group, told, has_repeats)
    return {"type": "CONTRL", "version": _CONTRL.get(interchange.version, "D3"), "segments": segments}


def _of_group(group: Group, messages: Sequence[Told], has_repeats: bool) -> list[Segment]:
    """What is told of a group and below it, nothing where all of it is accepted. One whose header is at fault is
    rejected as a whole."""
    errors = [fault for fault in group.faults if fault.is_error]
    first = next((f for f in errors if f.tag in GROUPS), errors[0] if errors else None)
    is_rejected = first is not None and first.tag in GROUPS
    below = [] if is_rejected else _all_rejected(messages, has_repeats)
    if first is None and not below:
        return []
    head: Segment = ["UCF", group.reference, group.sender.element, group.receiver.element, "4" if is_rejected else "7"]
    return [head + ([first.code, *_place(first)] if first is not None else []), *below]


def _all_rejected(messages: Iterable[Told], has_repeats: bool) -> list[Segment]:
    return [segment for told in messages if not told.is_accepted for segment in _rejected(told, has_repeats)]


def _place(fault: EdiFault) -> list[Any]:
    """Where in the envelope a fault is: the segment, and the element where one is at fault."""
    return [fault.tag, *([_position(fault)] if fault.element else [])] if fault.tag else []


def _rejected(told: Told, has_repeats: bool) -> list[Segment]:
    whole = next((f for f in told.faults if f.level == "message"), None)
    named = told.header[2] if len(told.header) > 2 else told.type
    if told.type == "UNO":  # ISO 9735-4: a package has its own elements in UCM, and neither UCS nor UCD
        place = [whole.code, whole.tag] if whole is not None else ["", ""]
        return [["UCM", "", "", "4", *place, "", told.reference, named[0] if type(named) is Repeats else named]]
    head: Segment = ["UCM", told.reference, named, "4"]
    if whole is not None:
        head += [whole.code, *([whole.tag] if whole.tag in ("UNH", "UNT") else [])]
    segments = [head]
    at = -1
    for fault in (f for f in told.faults if f.segment and f.level in ("segment", "element")):
        if _missing(fault):
            # 0096: a segment that is missing is told by the last one before the place where it should stand.
            segments.append(["UCS", str(max(fault.segment - 1, 1)), fault.code])
            at = -1
            continue
        if fault.segment != at:
            at = fault.segment
            segments.append(["UCS", str(at), *([fault.code] if fault.level == "segment" else [])])
        if fault.level == "element":
            segments.append(["UCD", fault.code, _position(fault, has_repeats)])
    return segments


def _missing(fault: EdiFault) -> str:
    """The tag of a segment that is not there; '' where the fault is another."""
    is_it = fault.level == "segment" and (fault.code_list, fault.code) in (("0085", "13"), ("720", "3"))
    return fault.expected if is_it and fault.expected.isalnum() else ""


def _position(fault: EdiFault, has_repeats: bool = False) -> list[str]:
    # S011: 0098 counts the segment's tag as 1, so that our element 1 is 2; 0104 begins with 1, and so does 0136, which
    # syntax version 4 has.
    return _numbers(fault.element + 1, fault.component, fault.repetition if has_repeats else 0)


def _numbers(element: int, component: int, repetition: int) -> list[str]:
    """Where something stands in a segment, as far as it takes numbers to tell."""
    numbers = [str(number or "") for number in (element, component, repetition)]
    while not numbers[-1]:
        numbers.pop()
    return numbers


# -- 997, 999, TA1 -------------------------------------------------------------------------------------------------


def ta1(report: Report) -> Document:
    """TA1 alone in an interchange: accepted, accepted with errors noted, or rejected."""
    interchange, code = report.interchange, report.code
    noted = next((f for f in interchange.faults if f.code_list == "I18"), None)
    status = "R" if report.is_rejected else "E" if noted is not None else "A"
    unnoted = "024" if report.is_rejected else "000"  # what is wrong with a group is its own acknowledgement's matter
    number = code[1] if code and code[0] == "I18" else noted.code if noted else unnoted
    note = ["TA1", interchange.control_number, interchange.date, interchange.time, status, number]
    return {"type": "TA1", "notes": [note], "segments": []}


def functional(kind: str, group: Group, messages: Sequence[Told], charset: str = "") -> Document:
    """997 or 999 of one group, in the group's own version, if it is one; what is wrong with the group as such is told
    at its end. ``charset`` is the set of characters that was agreed on."""
    is_999 = kind == "999"
    faults = [fault for fault in group.faults if fault.is_error and fault.code_list == "716"]
    accepted = sum(told.is_accepted for told in messages)
    release = group.version + group.association
    segments: list[Segment] = [["AK1", group.type, group.reference, *([release] if is_999 else [])]]
    has_repeats = is_999 or group.version >= "00402"  # C030 has 1686 since then
    for told in messages:
        segments.append(["AK2", told.type, told.reference, *([told.association and release] if is_999 else [])])
        segments += _set_faults(told, is_999, has_repeats, charset)
    status = ("E" if faults else "A") if accepted == len(messages) else "P" if accepted else "R"
    codes = list(dict.fromkeys(fault.code for fault in faults))[:_MOST_CODES]
    told_count = next((f.seen for f in faults if f.code == "5" and f.seen.isdigit()), str(len(messages)))
    segments.append(["AK9", status, told_count, str(len(messages)), str(accepted), *codes])
    association = "X231A1" if is_999 else group.association
    version = group.version if not is_999 else "005010"
    if not _RELEASE.fullmatch(version + association):
        version, association = "004010", ""
    return {"type": kind, "version": version, "association": association, "segments": segments}


def _set_faults(told: Told, is_999: bool, has_repeats: bool, charset: str) -> list[Segment]:
    prefix = "IK" if is_999 else "AK"
    found: list[Segment] = []
    at = -1
    for fault in (f for f in told.faults if f.segment and f.code_list in ("720", "723")):
        missing = _missing(fault)
        if missing or fault.segment != at:
            at = -1 if missing else fault.segment
            code = fault.code if fault.code_list == "720" else "8"
            found.append([f"{prefix}3", _tag(missing or fault.tag), str(fault.segment), "", code])
        if fault.code_list == "723":
            place = _numbers(fault.element, fault.component, fault.repetition if has_repeats else 0)
            found.append(
                [f"{prefix}4", place if len(place) > 1 else place[0], "", fault.code, _safe(fault.seen, charset)]
            )
    codes = list(dict.fromkeys(f.code for f in told.faults if f.code_list == "718"))
    if found and "5" not in codes:
        codes.append("5")
    found.append([f"{prefix}5", "R", *codes[:_MOST_CODES]] if told.faults else [f"{prefix}5", "A"])
    return found


def _tag(seen: str) -> str:
    """A segment's tag as AK301 can tell it: two or three characters, ZZZ where there are none."""
    tag = "".join(char for char in seen if char.isascii() and char.isalnum()).upper()[:3]
    return tag if len(tag) > 1 else "ZZZ"


def _safe(seen: str, charset: str) -> str:
    """A copy of bad data, where it can stand in an acknowledgement."""
    text = seen.strip("'")
    is_safe = text.isascii() and text.replace(" ", "").isalnum() and len(text) <= 99
    return text if is_safe and (not charset or writable(text, charset) == text) else ""
