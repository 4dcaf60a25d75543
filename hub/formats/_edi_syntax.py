"""What EDIFACT and X12 have in common, and as data what they have not."""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Callable, Mapping
from typing import NamedTuple

from hub.formats._edi_envelopes import Group, Interchange, Interpret, Message
from hub.formats._edi_stream import MAX_MESSAGE, Service
from hub.formats._edi_times import Stamp
from hub.formats._segments import Repeats, Segment

ISA_LENGTHS = (2, 10, 2, 10, 2, 15, 2, 15, 6, 4, 1, 5, 9, 1, 1, 1)  # of ISA01 to ISA16


class Agreed(NamedTuple):
    """What was agreed with who has sent an interchange. ``charset`` is the set of X12, ``basic``; '' for EDIFACT, whose
    envelope names it."""

    is_strict: bool = False
    charset: str = ""


class Settings(NamedTuple):
    """How to read. ``is_strict``: what is only tolerated is an error. ``charset`` stands in for what the envelope says.
    ``limit`` is the longest message in bytes. ``agreed`` tells what holds for an interchange by its header."""

    is_strict: bool = False
    charset: str = ""
    interpret: Interpret | None = None
    limit: int = MAX_MESSAGE
    agreed: Callable[[Interchange], Agreed] | None = None

    def of(self, opened: Interchange) -> Settings:
        """Those that hold for an interchange whose header was read."""
        if self.agreed is None or not self.agreed(opened).is_strict:
            return self
        return self._replace(is_strict=True)

    @property
    def tolerated(self) -> str:
        """The severity of what is wrong and read all the same."""
        return "error" if self.is_strict else "warning"


class Syntax(NamedTuple):
    """``codes`` gives the standard's list and code for a fault of a level: ``("message", "count")``. ``words`` are the
    names of the units for a person; the trailers all hold a count and then a reference."""

    name: str
    title: str
    begins: str
    service: Service
    codes: Mapping[tuple[str, str], tuple[str, str]]
    number_element: (
        int  # where the interchange, the group and the message have their references, and the message its type
    )
    group_element: int
    reference_element: int
    type_element: int
    needs_groups: bool
    describe: Callable[[Message], None]
    group_of: Callable[[Segment, int], Group]
    charset_of: Callable[[Segment], str]  # out of the header of the interchange, as the name of Python's codec
    group_type: Callable[[str], str]  # of the group that a message of a type stands in; empty where nobody knows
    stamps_of: Callable[[Segment, Interchange], list[Stamp]]  # of the header of an interchange or a group

    def trailer_of(self, message: Message) -> str:
        """The tag that ends it."""
        return self.service.message[1] if message.kind == "message" else self.service.package[1]


def part(segment: Segment, element: int, component: int = 1) -> str:
    """The text of an element, or of a component of it; empty where there is none. Of repetitions the first counts."""
    value = segment[element] if element < len(segment) else ""
    if type(value) is Repeats:
        value = value[0]
    if type(value) is list:
        return str(value[component - 1]) if component <= len(value) else ""
    return value if component == 1 and type(value) is str else ""


def is_wrapped(window: bytes, terminator: bytes) -> bool:
    """Whether lines end where their width is reached, and not where a segment ends. ``window`` is the beginning of the
    interchange, some lines of it."""
    if terminator in b"\r\n" or b"\n" not in window:
        return False
    try:
        text = getincrementaldecoder("utf-8")().decode(window)  # a width counts characters
    except UnicodeDecodeError:
        text = window.decode("latin-1")
    *whole, rest = text.replace("\r\n", "\n").split("\n")
    width = len(whole[0])
    even = all(len(line) == width for line in whole[1:-1]) and len(whole[-1]) <= width and len(rest) <= width
    ends = terminator.decode("latin-1")
    breaks_within = any(len(line) == width and not line.endswith(ends) for line in whole)
    return even and breaks_within and (width in _WIDTHS or len(whole) > (2 if width >= 40 else 5))


_WIDTHS = {70, 72, 76, 78, 80, 128, 132, 256}
