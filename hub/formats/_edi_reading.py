"""Every interchange of a stream: found between what is none, opened, and read to its end. For EDIFACT and X12."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from hub.errors import shown
from hub.formats._edi_assembly import Assembly
from hub.formats._edi_charsets import X12_SETS
from hub.formats._edi_envelopes import Interchange
from hub.formats._edi_faults import EdiError, EdiFault
from hub.formats._edi_numbers import Numbers
from hub.formats._edi_relatives import relative
from hub.formats._edi_stream import JUNK, Feed
from hub.formats._edi_syntax import Settings, Syntax
from hub.formats._segments import Delimiters

_MARK = b"\xef\xbb\xbf"
_FIRST = 4096  # bytes that are looked at to know what it is
Open = Callable[[Feed, Settings], Interchange]


class Door(NamedTuple):
    """How a syntax begins. ``here`` is what begins an interchange where one is due, ``anywhere`` one within other
    bytes; ``open`` takes the header off the bytes, or raises EdiError."""

    syntax: Syntax
    here: re.Pattern[bytes]
    anywhere: re.Pattern[bytes]
    open: Open


def read(door: Door, chunks: Iterable[bytes], settings: Settings) -> Iterator[Interchange]:
    """Every interchange in turn. What cannot be read as one is an Interchange without a header, with its fault; raises
    EdiError when there is nothing else in the bytes."""
    feed, numbers, unread, has_one = Feed(chunks), Numbers(), list[Interchange](), False
    while True:
        blanks = feed.skip(_MARK + JUNK) if not feed.offset else feed.skip()
        if not feed.ensure(_FIRST) and not feed.left:
            break
        found = _next(door, feed, settings)
        if not found.header:
            unread = [*unread[:99], found]
            if has_one:
                yield unread.pop()
            continue
        if blanks.lstrip(_MARK) and not has_one:
            found.faults.append(_leading(door, found, settings.of(found)))
        yield from unread
        unread, has_one = [], True
        _check_number(door.syntax, found, numbers)
        yield found
        deque(found.messages(), maxlen=0)
    if not has_one:
        raise EdiError([fault for one in unread for fault in one.faults] or [_nothing(door.syntax)])


def _next(door: Door, feed: Feed, settings: Settings) -> Interchange:
    start = feed.offset
    if door.here.match(feed.data, feed.pos):
        try:
            opened = door.open(feed, settings)
        except EdiError as error:
            _skip_to_one(door, feed)
            return _unreadable(door, start, error.faults)
        opened.begin(Assembly(door.syntax, _as_agreed(opened, settings), opened, feed).messages())
        return opened
    first = feed.data[feed.pos : feed.pos + _FIRST]
    _skip_to_one(door, feed)
    return _unreadable(door, start, [_no_interchange(door.syntax, first, start, feed.offset - start)])


def _as_agreed(opened: Interchange, settings: Settings) -> Settings:
    """The settings for an interchange; what its header was tolerated for is an error where they are strict."""
    own = settings.of(opened)
    if own is not settings:
        opened.faults = [fault._replace(severity="error") for fault in opened.faults]
    charset = settings.agreed(opened).charset if settings.agreed and not settings.charset else ""
    if charset:
        opened.level, opened.charset = charset, X12_SETS[charset]
    return own


def _unreadable(door: Door, offset: int, faults: list[EdiFault]) -> Interchange:
    return Interchange(door.syntax.name, Delimiters("", "", ""), [], offset, faults=faults)


def _skip_to_one(door: Door, feed: Feed) -> None:
    """Read over what is no interchange; at least one byte of it."""
    least = feed.offset + 1
    while (found := door.anywhere.search(feed.data, max(least - (feed.offset - feed.pos), 0))) is None:
        feed.pos = max(feed.pos, len(feed.data) - 256)
        if not feed.more():
            feed.pos = len(feed.data)
            return
    feed.pos = found.start()


def _no_interchange(syntax: Syntax, first: bytes, offset: int, length: int) -> EdiFault:
    name, begins = relative(first, syntax.name), shown(first[:40].decode("latin-1"))
    what = f"this is {name}; it is not {syntax.title}" if name else f"{length} bytes that are no interchange: {begins}"
    code_list, code = syntax.codes["interchange", "outside"]
    return EdiFault(
        "interchange", code_list, code, f"{what}; expected {syntax.begins}", offset=offset, seen=begins,
        expected=syntax.begins,
    )  # fmt: skip


def _nothing(syntax: Syntax) -> EdiFault:
    code_list, code = syntax.codes["interchange", "outside"]
    return EdiFault("interchange", code_list, code, f"nothing in it; expected {syntax.begins}", offset=0)


def _leading(door: Door, found: Interchange, settings: Settings) -> EdiFault:
    code_list, code = door.syntax.codes["interchange", "outside"]
    return EdiFault(
        "interchange", code_list, code, f"blanks or line ends before the interchange; expected {door.syntax.begins} "
        "as the first bytes", settings.tolerated, found.control_number, offset=0,
    )  # fmt: skip


def _check_number(syntax: Syntax, found: Interchange, numbers: Numbers) -> None:
    if not found.control_number:
        return
    sender, receiver = found.sender, found.receiver
    key = (sender.qualifier, sender.id, receiver.qualifier, receiver.id, found.control_number)
    if not numbers.add("\x00".join(key)):
        code_list, code = syntax.codes["interchange", "duplicate"]
        text = f"the control number {found.control_number} stood in an earlier interchange of these partners"
        tag, element = str(found.header[0]), syntax.number_element
        found.faults.append(
            EdiFault("interchange", code_list, code, text, "error", found.control_number, tag=tag, element=element,
                     offset=found.offset, seen=found.control_number, expected="a control number of its own")
        )  # fmt: skip
