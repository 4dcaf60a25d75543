"""A second reader of EDIFACT and X12, which shares nothing with the hub's: what ``public_samples.py`` compares with.

Simple instead of fast: the whole file is one text, a character a byte. It knows delimiters, release characters, counts
and references, and no more. Line ends within values and characters beyond ASCII are left out of values, so that
wrapped lines and character sets are no matter here.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field

Values = list[list[list[str]]]  # of one segment: elements, repetitions, components; the tag is element 0
_LEFT_OUT = re.compile("[\r\n\x80-\xff]")
# What the service segments do; those between messages that do nothing have no word for it.
_ROLES = {
    "edifact": {"UNA": "", "UNB": "", "UNO": "", "UNP": "", "UNH": "message", "UNT": "message end", "UNG": "group",
                "UNE": "group end", "UNZ": "interchange end"},
    "x12": {"ISA": "", "TA1": "", "TA3": "", "ISB": "", "ISE": "", "ST": "message", "SE": "message end", "GS": "group",
            "GE": "group end", "IEA": "interchange end"},
}  # fmt: skip
# Trailers, and the codes of their absence, of a wrong count, of a wrong reference.
_TRAILERS = {
    "edifact": {kind: (tag, "0085:13", "0085:29", "0085:28")
                for kind, tag in (("interchange", "UNZ"), ("group", "UNE"), ("message", "UNT"))},
    "x12": {"interchange": ("IEA", "I18:023", "I18:021", "I18:001"), "group": ("GE", "716:3", "716:5", "716:4"),
            "message": ("SE", "718:2", "718:4", "718:3")},
}  # fmt: skip
_MISSING, _COUNT, _REFERENCE = 0, 1, 2
_OUTSIDE = {"edifact": "0085:33", "x12": "I18:024"}
# Where the references stand: of the interchange, the group, the message; and the type of the message.
_PLACES = {"edifact": (5, 5, 1, 2), "x12": (13, 6, 2, 1)}


@dataclass(slots=True)
class Message:
    type: str
    reference: str
    segments: list[Values] = field(default_factory=list)


@dataclass(slots=True)
class Plain:
    """What stands in a file. ``complaints`` are a code, the tag of the segment at fault, and its first byte, or that of
    what stands in its place."""

    syntax: str = ""
    messages: list[Message] = field(default_factory=list)
    complaints: list[tuple[str, str, int]] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)

    def number_at(self, byte: int) -> int:
        """The number of the segment in the file that holds a byte, from 1."""
        return max(bisect_right(self.starts, byte), 1)


def read(raw: bytes) -> Plain:
    """Every interchange of the file, from its first byte on but for blanks and a byte order mark."""
    text, plain = raw.decode("latin-1"), Plain()
    at = _blanks(text, 3 if text.startswith("\xef\xbb\xbf") else 0)
    while re.match(r"(UNA.{6}\s*)?UNB[^A-Z]|ISA[^A-Z]", text[at : at + 40], re.DOTALL):
        try:
            at = _blanks(text, _Interchange(text, at, plain).end)
        except (IndexError, ValueError):  # a header without its elements
            break
    return plain


def plain_values(segment: list[object]) -> Values:
    """A segment as the hub has it, in the form of this module."""
    return [_plain_value(value) for value in segment]


def _plain_value(value: object) -> list[list[str]]:
    if isinstance(value, bytes):
        return [[_kept(value.decode("latin-1"))]]
    if isinstance(value, str):
        return [[_kept(value)]]
    assert isinstance(value, list)
    if type(value) is not list:  # repetitions are a list of their own kind
        return [_plain_value(one)[0] for one in value]
    return [[_kept(one) for one in value]]


def _kept(text: str) -> str:
    return "".join(char for char in text if char < "\x80" and char not in "\r\n")


def _blanks(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n\x1a\x00":
        at += 1
    return at


class _Interchange:
    """One interchange; ``end`` is behind its trailer, or where the next one begins."""

    def __init__(self, text: str, at: int, plain: Plain) -> None:
        self._text, self._plain = text, plain
        self._release = self._repetition = ""
        plain.syntax = "x12" if text.startswith("ISA", at) else "edifact"
        at = self._delimiters(at)
        every = self._element + self._component + self._repetition + self._terminator
        release = f"{re.escape(self._release)}(.)|" if self._release else ""
        self._marks = re.compile(f"{release}[{re.escape(every)}]", re.DOTALL)
        self._message: Message | None = None
        self._number = ""
        self._group: str | None = None  # its reference
        self._groups = self._count = self._in_group = 0
        self.end = self._read(at)

    def _delimiters(self, at: int) -> int:
        """Where the header begins."""
        text = self._text
        if self._plain.syntax == "x12":
            self._element = text[at + 3]
            header = text[at : at + 400].split(self._element, 16)
            self._component, self._terminator = header[16][:2]
            if header[12] >= "00402" and not header[11].isalnum():
                self._repetition = header[11].strip()
            return at
        self._component, self._element, self._release, self._terminator = ":+?'"
        if text.startswith("UNA", at):
            self._component, self._element, _, release, repetition, self._terminator = text[at + 3 : at + 9]
            self._release, self._repetition = release.strip(), repetition.strip()
            return _blanks(text, at + 9)
        if text[at + 3] == "\x1d":
            self._component, self._element, self._release, self._terminator = "\x1f\x1d\0\x1c"
        elif found := re.match(r"UNB(\W)\w{4}(\W)\d.*?(\W)[\r\n]*UN[HGO]\1", text[at : at + 1000], re.DOTALL):
            self._element, self._component, self._terminator = found.groups()
        if re.match(r"UNB\+[A-Z]+:4", text[at : at + 20]):
            self._repetition = "*"
        return at

    def _read(self, at: int) -> int:
        plain, text, first, is_stray = self._plain, self._text, at, False
        while (at := _blanks(text, at)) < len(text):
            values, end = self._segment(at)
            tag = _LEFT_OUT.sub("", ":".join(values[0][0])).strip()
            if (tag in ("UNB", "ISA") and at != first) or text.startswith("UNA" + self._component, at):
                break
            begin, at = at, end
            if values == [[[""]]]:
                continue
            plain.tags.append(tag if re.fullmatch("[A-Z0-9]{2,9}", tag) else "-")
            plain.starts.append(begin)
            is_outside = not self._take(tag, [[[tag]], *_without(values[1:])])
            if is_outside and not is_stray:
                plain.complaints.append((_OUTSIDE[plain.syntax], plain.tags[-1], begin))
            is_stray = is_outside
            if _ROLES[plain.syntax].get(tag) == "interchange end":
                return at
        self._close_message(1)
        self._close_group(at)
        self._complain("interchange", _MISSING, at)
        return at

    def _segment(self, at: int) -> tuple[Values, int]:
        """The segment that begins there, and where the next may."""
        text, values, begin = self._text, [[[""]]], at
        while True:
            found = self._marks.search(text, at)
            values[-1][-1][-1] += text[begin : found.start() if found else len(text)]
            if found is None:
                return values, len(text)
            begin = at = found.end()
            if self._release and found[1] is not None:
                values[-1][-1][-1] += found[1]
            elif found[0] == self._terminator:
                return values, at
            elif found[0] == self._element:
                values.append([[""]])
                begin = at = at + self._object(values)
                values[-1][-1][-1] = text[found.end() : at]
            elif found[0] == self._component:
                values[-1][-1].append("")
            elif len(values) > 1:
                values[-1].append([""])
            else:
                values[-1][-1][-1] += found[0]

    def _object(self, values: Values) -> int:
        """How long the object of a BIN or BDS segment is that begins here; 0 where none does."""
        place = {"BIN": 2, "BDS": 3}.get(values[0][0][0].strip(), 0) if self._plain.syntax == "x12" else 0
        length = values[-2][0][0] if place == len(values) - 1 else ""
        return int(length) if length.isdigit() else 0

    def _take(self, tag: str, values: Values) -> bool:
        """Whether the segment has a place where it stands."""
        syntax, role = self._plain.syntax, _ROLES[self._plain.syntax].get(tag)
        numbered, grouped, referenced, typed = _PLACES[syntax]
        if role not in (None, "message end"):
            self._close_message()
        if role == "message":
            self._message = Message(_at(values, typed), _at(values, referenced))
            self._plain.messages.append(self._message)
            self._count, self._in_group = self._count + 1, self._in_group + 1
        if self._message is not None:
            self._message.segments.append(values)
            if role == "message end":
                self._compare("message", values, len(self._message.segments), self._message.reference)
                self._message = None
            return True
        if role == "group":
            self._close_group(self._plain.starts[-1])
            self._group, self._groups, self._in_group = _at(values, grouped), self._groups + 1, 0
        elif role == "group end" and self._group is not None:
            self._compare("group", values, self._in_group, self._group)
            self._group = None
        elif role == "interchange end":
            self._close_group(self._plain.starts[-1])
            self._compare("interchange", values, self._groups if self._in_groups else self._count, self._number)
        elif tag in ("UNB", "ISA"):
            self._number = _at(values, numbered)
        else:
            return role == ""
        return True

    @property
    def _in_groups(self) -> bool:
        return self._groups > 0 or self._plain.syntax == "x12"

    def _close_message(self, before: int = 2) -> None:
        """Tell that the trailer is missing; its last segment is the one before the one at hand."""
        if self._message is not None:
            code = _TRAILERS[self._plain.syntax]["message"][1]
            self._plain.complaints.append((code, self._plain.tags[-before], self._plain.starts[-before]))
            self._message = None

    def _close_group(self, at: int) -> None:
        if self._group is not None:
            self._complain("group", _MISSING, at)
            self._group = None

    def _compare(self, kind: str, values: Values, count: int, reference: str) -> None:
        told, said, at = _at(values, 1), _at(values, 2).strip(), self._plain.starts[-1]
        if not (told.isdigit() and int(told) == count):
            self._complain(kind, _COUNT, at)
        has_zeros = self._plain.syntax == "x12" and kind != "message"  # which may be left out
        if said.lstrip("0" * has_zeros) != reference.strip().lstrip("0" * has_zeros):
            self._complain(kind, _REFERENCE, at)

    def _complain(self, kind: str, what: int, at: int) -> None:
        tag, *codes = _TRAILERS[self._plain.syntax][kind]
        self._plain.complaints.append((codes[what], tag, at))


def _without(values: Values) -> Values:
    return [[[_LEFT_OUT.sub("", one) for one in repeat] for repeat in element] for element in values]


def _at(values: Values, element: int) -> str:
    return values[element][0][0] if element < len(values) else ""
