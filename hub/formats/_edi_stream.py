"""Bytes in chunks to the units of an interchange: whole messages, envelope segments, and what stands between them.

Only what is needed to cut is looked at here: service segments behind a terminator that is not released, and the
lengths of binary objects. A unit is at most ``MAX_MESSAGE`` bytes long; memory is bounded by that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from hub.formats._edi_places import BLANK, is_released, object_end, segment_end
from hub.formats._segments import Delimiters

MAX_MESSAGE = 16_000_000
_PIECE = 65_536
KEPT = 65_536  # of a message that is too long
_WINDOW = 64  # how far behind the end of the bytes at hand a service tag may begin
JUNK = BLANK + b"\x1a\x00"


class Feed:
    """The bytes at hand, from ``pos`` on, and those still to come. ``offset`` is where ``pos`` is in the file."""

    __slots__ = ("_base", "_chunks", "data", "is_done", "pos")

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks, self._base = _pieces(chunks), 0
        self.data, self.pos, self.is_done = b"", 0, False

    @property
    def offset(self) -> int:
        return self._base + self.pos

    @property
    def left(self) -> int:
        """How many bytes are at hand."""
        return len(self.data) - self.pos

    def more(self) -> bool:
        """At least as many bytes again; False when there are none. ``pos`` becomes 0."""
        wanted, gathered, parts = max(_PIECE, self.left), 0, [self.data[self.pos :]]
        while gathered < wanted and not self.is_done:
            piece = next(self._chunks, None)
            if piece is None:
                self.is_done = True
            else:
                parts.append(piece)
                gathered += len(piece)
        self._base += self.pos
        self.data, self.pos = b"".join(parts), 0
        return gathered > 0

    def ensure(self, count: int) -> bool:
        """Whether so many bytes are at hand, once more were asked for."""
        while self.left < count and self.more():
            pass
        return self.left >= count

    def take(self, count: int) -> bytes:
        """The next bytes, which are through with it."""
        raw = self.data[self.pos : self.pos + count]
        self.pos += len(raw)
        return raw

    def skip(self, characters: bytes = JUNK) -> bytes:
        """Take what consists of these characters; only the first 64 of them are told."""
        seen = b""
        while True:
            rest = self.data[self.pos : self.pos + 64]
            kept = rest.lstrip(characters)
            seen = (seen + rest[: len(rest) - len(kept)])[:64]
            self.pos += len(rest) - len(kept)
            if kept or not (rest or self.more()):
                return seen


def _pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    for chunk in chunks:
        for start in range(0, len(chunk), _PIECE):
            yield chunk[start : start + _PIECE]


class Service(NamedTuple):
    """The tags of a syntax's service segments. ``single`` are those that stand alone between messages."""

    openers: tuple[str, ...]
    closer: str
    group: tuple[str, str]
    message: tuple[str, str]
    package: tuple[str, str] = ("", "")
    single: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()

    @property
    def tags(self) -> tuple[str, ...]:
        every = (*self.openers, self.closer, *self.group, *self.message, *self.package, *self.single, *self.objects)
        return tuple(tag for tag in every if tag)


class Unit(NamedTuple):
    """``kind``: segment, message, package, stray (what belongs nowhere), long (a message beyond the limit, its
    beginning). ``length`` is what it took in the file."""

    kind: str
    tag: str
    raw: bytes
    offset: int
    length: int


@lru_cache(maxsize=256)
def _boundary(service: Service, delimiters: Delimiters, is_wrapped: bool) -> re.Pattern[bytes]:
    """A terminator and the tag of a service segment behind it. In wrapped lines a line may end within the tag."""
    between = "[\r\n]*" if is_wrapped else ""
    ends = f"{between}[{re.escape(delimiters.element + delimiters.terminator)}]"
    tags = "|".join(between.join(tag) for tag in service.tags if tag != "UNA")
    una = f"|({between.join('UNA')}[^A-Za-z0-9\r\n])" if "UNA" in service.openers else ""
    text = f"{re.escape(delimiters.terminator)}[{BLANK.decode()}]*(?:({tags}){ends}{una})"
    return re.compile(text.encode("latin-1"), re.DOTALL)


def _trailer(delimiters: Delimiters, tag: str) -> re.Pattern[bytes]:
    """A terminator and the trailer of a message behind it, to the next terminator."""
    end = re.escape(delimiters.terminator)
    return re.compile(f"{end}{tag}{re.escape(delimiters.element)}[^{end}]*{end}".encode("latin-1"))


class Cutter:
    """The units of one interchange, behind its header. It ends with the trailer, before the next interchange, or with
    the bytes."""

    def __init__(
        self, feed: Feed, service: Service, delimiters: Delimiters, is_wrapped: bool, line_end: str, limit: int
    ) -> None:
        self._feed, self._service, self._delimiters = feed, service, delimiters
        self._pattern = _boundary(service, delimiters, is_wrapped)
        self._element = delimiters.element.encode("latin-1")
        self._terminator = delimiters.terminator.encode("latin-1")
        self._release, self._limit = delimiters.release.encode("latin-1"), limit
        self._opening = service.message[0].encode() + self._element
        self._trailer = _trailer(delimiters, line_end + service.message[1])
        self._is_wrapped = self._is_careful = is_wrapped
        self._is_through, self._line_end = False, line_end.encode()
        self._tags = dict.fromkeys((service.closer, *service.group, *service.single), "segment")
        self._tags[service.message[0]] = "message"
        if service.package[0]:
            self._tags[service.package[0]] = "package"
        ends = re.escape(delimiters.element + delimiters.terminator)
        self._tag = re.compile(f"[A-Z0-9\r\n]{{2,9}}?(?=[{ends}])".encode("latin-1"))

    def next(self) -> Unit | None:
        """The next unit, whatever it is; None behind the last one."""
        feed, service = self._feed, self._service
        while not self._is_through:
            first = feed.data[feed.pos : feed.pos + 1]
            if not first or first in JUNK:
                feed.skip()
                if feed.left:
                    continue
            if not feed.ensure(_WINDOW) and not feed.left:
                break
            tag = self._tag_here()
            if tag in service.openers or ("UNA" in service.openers and feed.data.startswith(b"UNA", feed.pos)):
                break
            kind = self._tags.get(tag, "stray")
            if tag == service.closer and kind == "segment":
                self._is_through = self._is_careful = True
            return self._message(tag) if kind == "message" else self._other(kind, tag)
        self._is_through = self._is_careful = True
        return None

    def look_closer(self, raw: bytes) -> None:
        """The bytes that were given last are odd, no message, or more than one: until a whole message has come, nothing
        is likely."""
        self._feed.pos -= len(raw)
        self._is_careful = True

    def likely(self) -> bytes:
        """What is likely a message that is at hand as a whole: the bytes from here to the next trailer, which then end
        where the feed is; empty where a closer look is due. Whoever finds a service segment or an object within them
        asks for one."""
        feed = self._feed
        data, pos, release = feed.data, feed.pos, self._release
        if self._is_careful:
            return b""
        if not data.startswith(self._opening, pos):
            if not data.startswith(self._line_end + self._opening, pos):
                return b""
            pos += len(self._line_end)
        if (found := self._trailer.search(data, pos)) is None:
            return b""
        before, end = found.span()
        if end - pos > self._limit or (release and release in (data[before - 1 : before], data[end - 2 : end - 1])):
            return b""
        feed.pos = end
        return data[pos:end]

    def _tag_here(self) -> str:
        found = self._tag.match(self._feed.data, self._feed.pos)
        return found[0].translate(None, b"\r\n").decode() if found else ""

    def _message(self, tag: str) -> Unit:
        feed, offset = self._feed, self._feed.offset
        end, follower, next_tag = self._next(0)
        if end > self._limit:
            return self._skipped(tag, offset)
        if next_tag == self._service.message[1]:
            end = self._segment_end(follower)
            self._is_careful = self._is_wrapped
        return Unit("message", tag, feed.take(end), offset, end)

    def _other(self, kind: str, tag: str) -> Unit:
        if kind == "stray":
            end = self._next(0)[0]
            return (
                self._skipped(tag, self._feed.offset, "stray") if end > self._limit else self._unit("stray", tag, end)
            )
        end = self._segment_end(0)
        if kind == "package":
            end = self._package_end(end)
        return self._unit(kind, tag, end)

    def _unit(self, kind: str, tag: str, end: int) -> Unit:
        offset = self._feed.offset
        return Unit(kind, tag, self._feed.take(end), offset, end)

    def _segment_end(self, begin: int) -> int:
        """How far behind ``pos`` the segment that begins there ends, its terminator included."""
        feed = self._feed
        while True:
            end = segment_end(feed.data, self._delimiters, feed.pos + begin)
            if end >= 0:
                return end + 1 - feed.pos
            if feed.left - begin > self._limit or not feed.more():
                return feed.left

    def _package_end(self, header: int) -> int:
        """The same of a package: its header tells how long the object is."""
        feed = self._feed
        length = package_length(feed.data[feed.pos : feed.pos + header], self._delimiters)
        if length is not None and length <= self._limit and feed.ensure(header + length + 4):
            begin = header + length
            rest = feed.data[feed.pos + begin : feed.pos + begin + 8].lstrip(BLANK)
            if rest.startswith(self._service.package[1].encode()):
                return self._segment_end(begin)
        found = feed.data.find(self._service.package[1].encode() + self._element, feed.pos + header)
        return self._segment_end(found - feed.pos) if found >= 0 else self._next(header - 1)[0]

    def _next(self, begin: int) -> tuple[int, int, str]:
        """The next service segment: the end of what stands before it, where it begins, its tag; all behind ``pos``.
        What is longer than the limit is told as one more than the limit; without another, the end of the bytes."""
        feed, start = self._feed, begin
        while True:
            found = self._pattern.search(feed.data, feed.pos + start)
            if found is None:
                if feed.left > self._limit:
                    return self._limit + 1, 0, ""
                start = max(begin, feed.left - _WINDOW)
                if not feed.more():
                    return feed.left, feed.left, ""
                continue
            at, tag_at, tag = self._read(found)
            if self._release and is_released(feed.data, self._release, at, feed.pos):
                start = at + 1 - feed.pos
            elif tag in self._service.objects:
                start = max(start + 1, self._object_end(tag_at - feed.pos))
            else:
                return at + 1 - feed.pos, tag_at - feed.pos, tag

    @staticmethod
    def _read(found: re.Match[bytes]) -> tuple[int, int, str]:
        group = 1 if found.start(1) >= 0 else 2
        return found.start(), found.start(group), found[group][:9].translate(None, b"\r\n").decode("latin-1")[:3]

    def _object_end(self, begin: int) -> int:
        """Where the object of a BIN or BDS segment ends; the end of the bytes where it is cut off."""
        feed = self._feed
        feed.ensure(begin + _WINDOW)
        while True:
            end = object_end(feed.data, self._delimiters, feed.pos + begin)
            if end >= 0:
                return end - feed.pos
            if feed.left > self._limit or not feed.more():
                return feed.left

    def _skipped(self, tag: str, offset: int, kind: str = "long") -> Unit:
        """Read over what is longer than the limit, to the next service segment."""
        feed, kept = self._feed, self._feed.data[self._feed.pos : self._feed.pos + KEPT]
        while True:
            found = self._pattern.search(feed.data, feed.pos)
            if found is not None:
                at, tag_at, next_tag = self._read(found)
                if self._release and is_released(feed.data, self._release, at, feed.pos):
                    feed.pos = at + 1
                    continue
                feed.pos = at + 1
                if next_tag == self._service.message[1]:
                    feed.take(self._segment_end(tag_at - feed.pos))
                elif next_tag in self._service.objects:
                    continue
                break
            feed.pos = max(feed.pos, len(feed.data) - _WINDOW)
            if not feed.more():
                feed.pos = len(feed.data)
                break
        return Unit(kind, tag, kept, offset, feed.offset - offset)


def package_length(header: bytes, delimiters: Delimiters) -> int | None:
    """The bytes of the object that follows a UNO segment (0810, first component of its fourth element)."""
    element, component = delimiters.element.encode("latin-1"), delimiters.component.encode("latin-1")
    elements = header.rstrip(delimiters.terminator.encode("latin-1")).split(element)
    digits = elements[4].split(component)[0] if len(elements) > 4 else b""
    return int(digits) if digits.isdigit() and len(digits) <= 18 else None
