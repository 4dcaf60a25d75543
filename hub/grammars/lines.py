"""The notation of grammar files: what one line says of one node. Every mistake is told at its own column."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from hub.errors import Fault
from hub.grammars.types import UNLIMITED, ElementType, Note
from hub.yamldoc import Node

_WORD = re.compile(r"\S+")
_TAG = re.compile(r"[A-Z][A-Z0-9]{1,2}")
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_NUMBER = re.compile(r"[A-Z]?[0-9]{1,4}")
_NAME = re.compile(r"\.|[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")
_NOTE = re.compile(r"[PRECLON]([0-9]{2}){2,}")
_EDIFACT_FORM = re.compile(r"(an|a|n)(\.\.)?([1-9][0-9]{0,5})")
_X12_LENGTHS = re.compile(r"([0-9]{1,6})/([1-9][0-9]{0,9})")
_X12_FORM = re.compile(r"[MC]\s+[A-Z][A-Z0-9]?\s+[0-9]+/")
_X12_TYPES = re.compile(r"AN|ID|R|N[0-9]?|DT|TM|B")


class BadLine(Exception):
    """A line that is not in the notation; carries the fault. Never leaves the package."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


class Words:
    """The words of a scalar and their columns, taken one after the other."""

    def __init__(self, node: Node) -> None:
        self.node = node
        shift = node.column if node.plain else node.column + 1
        self._left = [(match[0], shift + match.start()) for match in _WORD.finditer(node.text)]
        self._left.reverse()
        self.last = (node.text, node.column)

    def peek(self) -> str:
        return self._left[-1][0] if self._left else ""

    def take(self, expected: str) -> str:
        """The next word. Raises BadLine where there is none."""
        if not self._left:
            raise BadLine(self.node.fault(f"ends too early: {expected} is missing here: '{self.node.text}'"))
        self.last = self._left.pop()
        return self.last[0]

    def bad(self, message: str) -> BadLine:
        """A fault at the word that was taken last."""
        text, column = self.last
        return BadLine(Fault(self.node.file, self.node.line, column, message, width=max(len(text), 1)))

    def end(self, notation: str) -> None:
        """Raises BadLine where more is left."""
        if self._left:
            word = self.take("")
            raise self.bad(f"'{word}' is too much; expected {notation}")


class Use(msgspec.Struct, frozen=True):
    """``DTM M 35``: a segment or a group in a structure."""

    tag: str
    is_mandatory: bool
    repeats: int
    key: str
    is_list: bool


class Entry(msgspec.Struct, frozen=True):
    """``C212 M x5 items``: an element or a composite in a segment, or an element in a composite."""

    number: str
    is_mandatory: bool
    repeats: int
    positions: int
    name: str


class Bounds(msgspec.Struct, frozen=True):
    """``M 3`` or ``C an..17``: what an overlay narrows or widens. None: left as it is."""

    is_mandatory: bool | None
    repeats: int | None
    element: ElementType | None


class Used(msgspec.Struct, frozen=True):
    """``party.agency M an..3 9``: an element that a subset uses, and of its codes those that it uses, if it says."""

    node: Node
    name: str
    is_mandatory: bool
    element: ElementType | None
    codes: tuple[str, ...]


USE = "TAG M|C REPEATS, for example DTM M 35"
ENTRY = "NUMBER M|C REPEATS xPOSITIONS NAME, for example 1225 C function or C212 M x5 items"
USED = "NAME M|C TYPE CODES, for example number M, party.id M an..13 or qualifier M BY SU DP"
ELEMENT = "NAME TYPE, for example document_number an..35 or quantity R 1/15"


def use_of(node: Node) -> Use:
    """A node of a structure. A group's key is whatever stands as its tag. Raises BadLine."""
    words = Words(node)
    tag = words.take(USE)
    if not _KEY.fullmatch(tag):
        raise words.bad(f"'{tag}' is no segment and no group; expected {USE}")
    is_mandatory = _presence(words, USE)
    repeats = _repeats(words)
    is_list = words.peek() == "list"
    if is_list:
        words.take("")
    key = tag
    if words.peek() == "as":
        words.take("")
        key = words.take("the name after 'as'")
        if not _KEY.fullmatch(key):
            raise words.bad(f"'{key}' is no name; write letters, digits and _")
    words.end(USE)
    return Use(tag, is_mandatory, repeats or 1, key, is_list or (repeats or 1) > 1)


def entry_of(node: Node) -> Entry:
    """An element or composite of a segment or a composite. Raises BadLine."""
    words = Words(node)
    number = words.take(ENTRY)
    if not _NUMBER.fullmatch(number):
        raise words.bad(f"'{number}' is not the number of an element or a composite; expected {ENTRY}")
    is_mandatory = _presence(words, ENTRY)
    repeats, positions, name = _repeats(words) or 1, 1, ""
    if re.fullmatch(r"x[0-9]+", words.peek()):
        positions = _positions(words)
    if words.peek():
        name = words.take("")
        if not _NAME.fullmatch(name):
            raise words.bad(f"'{name}' is no name; write lower case letters, digits and _, with '.' between parts")
    words.end(ENTRY)
    return Entry(number, is_mandatory, repeats, positions, name)


def cluster_of(node: Node) -> tuple[str, int]:
    """``items x10``, the key of elements that come several times one after the other. Raises BadLine."""
    notation = "NAME xTIMES, for example {items x10: [235 C qualifier, 234 C id]}"
    words = Words(node)
    name = words.take(notation)
    if not _NAME.fullmatch(name) or name == ".":
        raise words.bad(f"'{name}' is no name; expected {notation}")
    if not re.fullmatch(r"x[0-9]+", words.peek()):
        words.take("xTIMES")
        raise words.bad(f"'{words.last[0]}' says not how often; expected {notation}")
    positions = _positions(words)
    words.end(notation)
    return name, positions


def note_of(node: Node) -> Note | None:
    """``P0304``; None where the scalar is no note."""
    if not _NOTE.fullmatch(node.text):
        return None
    digits = node.text[1:]
    return Note(node.text[0], tuple(int(digits[at : at + 2]) for at in range(0, len(digits), 2)))


def element_of(number: str, node: Node) -> ElementType:
    """``document_number an..35``. Raises BadLine."""
    words = Words(node)
    name = words.take(ELEMENT)
    if not _NAME.fullmatch(name) or "." in name:
        raise words.bad(f"'{name}' is no name; write lower case letters, digits and _: {ELEMENT}")
    element = _form(words)
    words.end(ELEMENT)
    return replace(element, number=number, name=name)


def bounds_of(node: Node) -> Bounds:
    """What an overlay says of a node or an element. Raises BadLine."""
    notation = "M or C, repeats or a type: for example M 3, C >1 or M an..17"
    words = Words(node)
    is_mandatory = None
    if words.peek() in ("M", "C"):
        is_mandatory = words.take("") == "M"
    repeats = _repeats(words)
    element = _form(words) if words.peek() else None
    words.end(notation)
    if is_mandatory is None and repeats is None and element is None:
        raise BadLine(node.fault(f"says nothing; expected {notation}"))
    return Bounds(is_mandatory, repeats, element)


def used_of(node: Node) -> Used:
    """An element that is used at a place. Raises BadLine."""
    words = Words(node)
    name = words.take(USED)
    if not _NAME.fullmatch(name) or name == ".":
        raise words.bad(f"'{name}' is no name of an element; expected {USED}")
    is_mandatory = _presence(words, USED)
    is_form = _EDIFACT_FORM.fullmatch(words.peek()) or _X12_FORM.search(node.text)
    element = _form(words) if is_form else None
    codes = []
    while words.peek():
        codes.append(words.take(""))
    return Used(node, name, is_mandatory, element, tuple(codes))


def title_of(node: Node) -> tuple[str, str]:
    """The tag or number and the title of a definition's key: ``BGM beginning of message``. Raises BadLine."""
    words = Words(node)
    tag = words.take("a tag and a title")
    if not (_TAG.fullmatch(tag) or _NUMBER.fullmatch(tag)):
        raise words.bad(f"'{tag}' is no tag and no number; expected a tag and a title: BGM beginning of message")
    return tag, node.text[len(tag) :].strip()


def codes_of(node: Node) -> dict[str, str]:
    """The codes of a list: with blanks between them, or one a line with its meaning and behind a ``+`` the rest."""
    if node.plain:
        return dict.fromkeys(node.text.removeprefix("+ ").split(), "")
    codes: dict[str, str] = {}
    for line in node.text.splitlines():
        first, _, rest = line.strip().partition(" ")
        if first == "+":
            codes |= dict.fromkeys(rest.split(), "")
        elif first:
            codes[first] = rest.strip()
    return codes


def is_addition(node: Node) -> bool:
    """Whether codes come to those there are: ``+ 22E 33E``."""
    return node.is_scalar and node.plain and node.text.startswith("+ ")


def text_list(node: Node) -> Sequence[Node]:
    """The elements of a list, or the one scalar that stands instead of a list."""
    return node.elements() if node.is_list else [node]


def _presence(words: Words, notation: str) -> bool:
    word = words.take("M or C")
    if word not in ("M", "C"):
        advice = "; write C" if word in ("O", "X", "N", "D") else ""
        raise words.bad(f"'{word}' stands where M (mandatory) or C (conditional) is expected{advice}: {notation}")
    return word == "M"


def _repeats(words: Words) -> int | None:
    word = words.peek()
    if word == ">1":
        words.take("")
        return UNLIMITED
    if not word.isdecimal():
        return None
    words.take("")
    if not 1 <= int(word[:12]) <= UNLIMITED:
        raise words.bad(f"'{word}' is not how often something may be repeated; write 1 or more, or >1 without a limit")
    return int(word)


def _positions(words: Words) -> int:
    word = words.take("")
    if not 2 <= int(word[1:5]) <= 99:
        raise words.bad(f"'{word}' is not a number of positions; write x2 to x99")
    return int(word[1:])


def _form(words: Words) -> ElementType:
    word = words.take("a type")
    if found := _EDIFACT_FORM.fullmatch(word):
        length = int(found[3])
        return ElementType("", "", found[1], 1 if found[2] else length, length)
    if not _X12_TYPES.fullmatch(word):
        raise words.bad(f"'{word}' is no type; expected an..35, a3 or n..15 in EDIFACT, AN 1/22 or ID 2/2 in X12")
    lengths = words.take("its shortest and longest length, for example 1/22")
    found = _X12_LENGTHS.fullmatch(lengths)
    if not found or int(found[1]) > int(found[2]):
        raise words.bad(f"'{lengths}' is not the shortest and the longest length; write for example 1/22")
    return ElementType("", "", "N0" if word == "N" else word, int(found[1]), int(found[2]))
