"""XML in parts, in the memory of the largest part: the same door as for a whole document, for files of any size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import cast

from lxml import etree

from hub.errors import DecodeError
from hub.formats._xml import (
    LIMITS,
    SETTINGS,
    Element,
    Limits,
    check_extent,
    check_prolog,
    malformed,
    path_of,
    refuse_document_type,
)  # fmt: skip

_PIECE = (
    65_536  # bytes; libxml2 refuses pieces above 10 MB, and what one holds is in the tree before any of it is given
)


_Events = Iterator[tuple[str, Element]]
_GROWN = 4 * _PIECE


def grown(chunks: Iterable[bytes], after: int = _GROWN, limits: Limits = LIMITS) -> Iterator[tuple[Element, int, bool]]:
    """The root of a document again and again while it grows, ``after`` so many bytes: with the bytes that have come
    since, and whether it is complete. What is in it may be taken out, but for the last child of what may still be open.
    Raises DecodeError with line and column."""
    pieces = from_root(chunks)
    try:
        begin, tag = _beginning(pieces)
        reader = etree.XMLPullParser(("start",), tag=tag, huge_tree=False, **SETTINGS)
        root: Element | None = None
        size = 0
        for piece in chain(begin, pieces):
            reader.feed(piece)
            size += len(piece)
            if root is None:
                root = next((element for _, element in cast("_Events", reader.read_events())), None)
            if root is not None and size >= after:
                check_extent(root, limits)
                yield root, size, False
                size = 0
        root = reader.close()
    except etree.XMLSyntaxError as error:
        raise malformed(error) from None
    refuse_document_type(root)
    check_extent(root, limits)
    yield root, size, True


def _beginning(pieces: Iterator[bytes]) -> tuple[list[bytes], str]:
    """The pieces until the root has begun, and its name."""
    begin, reader = [], etree.XMLPullParser(("start",), huge_tree=False, **SETTINGS)
    for piece in pieces:
        begin.append(piece)
        reader.feed(piece)
        for _, element in cast("_Events", reader.read_events()):
            refuse_document_type(element)
            return begin, element.tag
    return begin, reader.close().tag


def from_root(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The bytes in pieces, the first as long as it has to be to reach the first element. Raises DecodeError where what
    stands before it is refused."""
    pieces, head = iter(chunks), b""
    while not check_prolog(head):
        piece = next(pieces, None)
        if piece is None:
            check_prolog(head, is_all=True)
            break
        head += piece
    for piece in chain((head,), pieces):
        for start in range(0, len(piece), _PIECE):
            yield piece[start : start + _PIECE]


class Stream:
    """The elements of some names, each when it is complete; see ``elements``. ``root`` is the first of all, without
    what has been read; None until it has come."""

    def __init__(self, chunks: Iterable[bytes], names: Iterable[str], size: int = 16_000_000) -> None:
        """``names``: ``{namespace}local``, ``{*}local`` or ``*``. ``size``: bytes that one element may have, or what
        stands between two."""
        self.root: Element | None = None
        self._chunks, self._names, self._size = chunks, tuple(names), size
        self._gone: Counter[tuple[Element, str]] = Counter()

    def elements(self) -> Iterator[Element]:
        """Every element asked for when it is complete, an inner one before the one that it is in. With the next one it
        is taken out of the tree, and all that stands before it in its parent; until then its parent has what came
        before. Raises DecodeError with line and column."""
        reader = etree.XMLPullParser(("end",), tag=self._names, huge_tree=False, **SETTINGS)
        pending = 0
        try:
            for chunk in from_root(self._chunks):
                reader.feed(chunk)
                pending += len(chunk)
                for _, element in cast("_Events", reader.read_events()):
                    if self.root is None:
                        self._begin(element)
                    pending = 0
                    yield element
                    self._free(element)
                if pending > self._size:
                    detail = f"an element, or what stands between two, is larger than {self._size:,} bytes"
                    raise DecodeError(detail, code="too_large")
            self._begin(reader.close())
            # The parser has begun with a document of four bytes only now.
            yield from (element for _, element in cast("_Events", reader.read_events()))
        except etree.XMLSyntaxError as error:
            raise malformed(error) from None

    def path_of(self, element: Element) -> str:
        """The XPath of an element in the file, also where those before it are gone."""
        return path_of(element, self._gone)

    def pass_over(self, parent: Element, tag: str) -> None:
        """Count a child that does not come from here, for the XPath of those that do."""
        self._gone[parent, tag] += 1

    def _free(self, element: Element) -> None:
        element.clear()
        parent = element.getparent()
        if parent is not None:
            while (before := parent[0]) is not element:
                self._gone[parent, before.tag] += 1
                del parent[0]

    def _begin(self, element: Element) -> None:
        self.root = element.getroottree().getroot()
        refuse_document_type(self.root)
