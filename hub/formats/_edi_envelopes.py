"""Interchange, group and message as they are read, one at a time, for EDIFACT and X12 alike.

    for interchange in edifact.read(chunks):
        for message in interchange.messages():
            message.segments, message.faults

What a message consists of is the grammar's matter: ``read(chunks, interpret=...)`` takes a function from a message to
its tree and its faults, called when ``tree`` or ``faults`` is first asked for. It makes its faults with
``message.fault(...)``, which knows the references and finds the byte. The reader itself tells only what the envelope
and the delimiters show. An interchange is read while its messages are asked for: what stands behind them (its trailer,
its ``faults``) is known when they are through, and asking for the next interchange reads over those left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias

from hub.formats._edi_charsets import unshifted
from hub.formats._edi_faults import MOST_FAULTS, EdiFault
from hub.formats._edi_places import Places, offset_in
from hub.formats._segments import Delimiters, Segment

tag_of = itemgetter(0)  # of a segment


class Party(NamedTuple):
    """A sender or receiver: the identification, its qualifier (``14``, ``ZZ``) and, in EDIFACT, its internal one."""

    id: str = ""
    qualifier: str = ""
    internal: str = ""

    @property
    def element(self) -> str | list[str]:
        """As it stands in UNB, UNG or UCI: with qualifier and internal part as far as there are."""
        parts = [self.id, self.qualifier, self.internal]
        while len(parts) > 1 and not parts[-1]:
            parts.pop()
        return parts if len(parts) > 1 else parts[0]


NOBODY = Party()


@dataclass(slots=True)
class Group:
    """UNG to UNE, or GS to GE. ``type`` is ``ORDERS`` or ``PO``; ``version`` ``D96A`` or ``004010``, ``association``
    what follows it (``EAN008``, ``VICS``, ``X231A1``); ``offset`` the byte of its first segment. ``faults`` are those
    of its header and trailer, complete when its messages are through."""

    reference: str
    type: str
    version: str
    association: str
    sender: Party
    receiver: Party
    header: Segment
    offset: int
    messages: int = 0  # how many were read so far
    faults: list[EdiFault] = field(default_factory=list)


@dataclass(slots=True)
class Interchange:
    """UNA or UNB to UNZ, or ISA to IEA. ``syntax`` is ``edifact`` or ``x12``.

    ``version`` is the syntax version (``3``) or that of the interchange (``00401``); ``level`` is the EDIFACT syntax
    level (``UNOC``); ``date`` and ``time`` are texts as sent. ``charset`` is the name of the Python codec. ``faults``
    are those of the envelope: interchange and groups, complete when the messages are through.
    """

    syntax: str
    delimiters: Delimiters
    header: Segment
    offset: int
    sender: Party = NOBODY
    receiver: Party = NOBODY
    control_number: str = ""
    date: str = ""
    time: str = ""
    version: str = ""
    level: str = ""
    application_reference: str = ""
    is_test: bool = False
    charset: str = "ascii"
    line_end: str = ""
    has_service_string: bool = False  # a UNA stood before it
    is_wrapped: bool = False  # lines end wherever their width is reached
    trailer: Segment | None = None
    count: int = 0  # messages and packages read so far
    groups: int = 0
    notes: list[Segment] = field(default_factory=list)  # TA1 and TA3, which stand between ISA and the first group
    faults: list[EdiFault] = field(default_factory=list)
    _messages: Iterator[Message] | None = None

    @property
    def is_accepted(self) -> bool:
        """No fault of the envelope is an error; known when the messages are through."""
        return not any(fault.is_error for fault in self.faults)

    def begin(self, messages: Iterator[Message]) -> None:
        """Where the messages come from: for the reader."""
        self._messages = messages

    def messages(self) -> Iterator[Message]:
        """The messages, each once, in their order; whatever is wrong with one, the next follows."""
        return self._messages if self._messages is not None else iter(())


Interpret: TypeAlias = "Callable[[Message], tuple[Any, Sequence[EdiFault]]]"


class Message:
    """UNH to UNT, ST to SE, or a package, UNO to UNP (``kind`` is ``message`` or ``package``).

    ``type``, ``version``, ``association``: ``ORDERS D96A EAN008`` or ``850 004010`` (and ``X231A1``); those of X12 are
    of ST03 where it stands, else of the group. ``segments`` holds all of them, header and trailer too; segment number n
    stands at index n - 1. ``raw`` are its bytes, ``offset`` where they begin in the file, ``index`` counts the messages
    of the interchange from 0. ``object`` are the bytes of a package. One that ``is_cut`` is a beginning only.
    """

    __slots__ = (
        "_faults", "_interpret", "_places", "_tags", "_tree", "association", "group", "index", "interchange", "is_cut",
        "kind", "object", "offset", "raw", "reference", "segments", "type", "version",
    )  # fmt: skip

    def __init__(
        self, interchange: Interchange, group: Group | None, raw: bytes, offset: int, index: int,
        segments: list[Segment], interpret: Interpret | None = None, tags: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        self.interchange, self.group = interchange, group
        self.raw, self.offset, self.index, self.segments = raw, offset, index, segments
        self.kind, self.object, self.is_cut = "message", b"", False
        self.type = self.version = self.association = self.reference = ""
        self._interpret, self._tree, self._tags = interpret, None, tags
        self._faults: list[EdiFault] = []
        self._places: Places | None = None

    @property
    def tags(self) -> tuple[str, ...]:
        """The tag of each of its segments."""
        self._tags = self._tags or tuple(map(tag_of, self.segments))
        return self._tags

    @property
    def tree(self) -> Any:
        """What ``interpret`` made of it; None without one."""
        self._interpreted()
        return self._tree

    @property
    def faults(self) -> list[EdiFault]:
        """Everything that is wrong with it: what the reader found, then what ``interpret`` did."""
        self._interpreted()
        return self._faults

    def found(self, faults: Iterable[EdiFault]) -> None:
        """More faults: for the reader. Of very many only the first are kept."""
        self._faults.extend(islice(faults, max(0, MOST_FAULTS - len(self._faults))))

    @property
    def is_accepted(self) -> bool:
        """No fault is an error."""
        self._interpreted()
        return not self._faults or not any(fault.is_error for fault in self._faults)

    def _interpreted(self) -> None:
        if self._interpret is not None:
            interpret, self._interpret = self._interpret, None
            self._tree, found = interpret(self)
            if found:
                self.found(found)

    def fault(
        self, code_list: str, code: str, message: str, *, level: str = "", segment: int = 0, element: int = 0,
        component: int = 0, repetition: int = 0, severity: str = "error", seen: str = "", expected: str = "",
    ) -> EdiFault:  # fmt: skip
        """A fault of this message; places count from 1, ``segment`` is that of ``segments``. It is returned, not kept:
        ``interpret`` gives back all it found. The level is told by the numbers where it is not given."""
        tag = self.segments[segment - 1][0] if 0 < segment <= len(self.segments) else ""
        return EdiFault(
            level or ("element" if element else "segment" if segment else "message"), code_list, code, message,
            severity, self.interchange.control_number, self.group.reference if self.group else "", self.reference,
            segment, tag, element, component, repetition,
            self.offset_of(segment, element, component, repetition), seen, expected,
        )  # fmt: skip

    def offset_of(self, segment: int = 0, element: int = 0, component: int = 0, repetition: int = 0) -> int:
        """The byte in the file where a segment of this message, or a part of it, begins; of the nearest part there is
        where there is no such one."""
        if self.kind == "package" and segment == 2:  # behind the object, which is not text
            begin = max(self.raw.rfind(self.segments[1][0].encode()), 0)
            return self.offset + offset_in(self.raw, self.interchange.delimiters, begin, element)
        return self.offset + self.places.offset(segment, element, component, repetition)

    @property
    def places(self) -> Places:
        """Where its parts stand in ``raw``."""
        if self._places is None:
            raw = unshifted(self.raw, self.interchange.charset)
            self._places = Places(raw, self.interchange.delimiters)
        return self._places
