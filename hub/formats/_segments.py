"""Splits and joins the segments of EDIFACT and X12; the delimiters are data. No I/O, no state between calls.

A segment is a plain list ``[tag, element, ...]``, so that element 1 of the standard stands at index 1. The tag is
always a ``str``. An element is

- ``str``: a simple element; the empty text where nothing stands. Trailing empty elements stand as they were sent,
- ``list[str]``: a composite, only where a component separator stands: one component alone is a ``str``,
- ``Repeats``: repetitions of one element, each a ``str`` or a ``list[str]``, only where a repetition separator stands,
- ``bytes``: the object of a BIN or BDS segment.

>>> splitter(EDIFACT)("LIN+1++4000862141404:SRV'FTX+AAI+++10?+5?'s'")
[['LIN', '1', '', ['4000862141404', 'SRV']], ['FTX', 'AAI', '', '', "10+5's"]]
>>> joiner(EDIFACT)([["FTX", "AAI", "", "", ["10+5's", "?"]]])
"FTX+AAI+++10?+5?'s:??'"
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple, TypeAlias


class Repeats(list[Any]):
    """The repetitions of one element, in their order: a list of its own kind, to be told from a composite."""

    __slots__ = ()


class CutSegment(list[Any]):
    """A segment that was too long to be read: its tag alone."""

    __slots__ = ()


Element: TypeAlias = str | list[str] | Repeats | bytes
Segment: TypeAlias = list[Any]
Split: TypeAlias = Callable[[str], list[Segment]]
Join: TypeAlias = Callable[[Iterable[Segment]], str]


class Delimiters(NamedTuple):
    """The service characters of one interchange, one character each; empty: there is none of this kind."""

    element: str
    component: str
    terminator: str
    release: str = ""
    repetition: str = ""
    decimal_mark: str = "."

    @property
    def all(self) -> str:
        """Every character that releases, separates or ends."""
        return self.release + self.element + self.component + self.repetition + self.terminator


EDIFACT = Delimiters(element="+", component=":", terminator="'", release="?")
X12 = Delimiters(element="*", component=">", terminator="~")

_first = itemgetter(0)
BLANK = " \t\r\n"  # not what Python takes for white space: UNOB separates with the controls 1C to 1F
# What no decoded text holds, as a rule and without exception. A released character is such a mark and a digit.
_MARK, _RARE_MARK, _NEVER = "\x00", "\ud800", "\ud801"


class Collision(Exception):
    """A character of the data is one of the delimiters, and there is no release character; or an element is repeated
    (``character`` is empty then), and nothing separates repetitions. Places count as usual."""

    def __init__(self, segment: int, element: int, component: int, repetition: int, character: str, text: str) -> None:
        self.segment, self.element, self.component, self.repetition = segment, element, component, repetition
        self.character, self.text = character, text
        super().__init__(f"segment {segment}, element {element}: '{character}' is a delimiter")


@lru_cache(maxsize=256)
def splitter(delimiters: Delimiters) -> Split:
    """The function from the text of whole segments to segments. Line ends and blanks before a tag do not count."""
    split, component = bare_splitter(delimiters), delimiters.component
    return lambda text: with_plain_tags(split(text), component)


@lru_cache(maxsize=256)
def bare_splitter(delimiters: Delimiters) -> Split:
    """The same for who looks at the tags himself: they may be as ``with_plain_tags`` finds them."""
    element, component, terminator = delimiters.element, delimiters.component, delimiters.terminator
    repetition, release = delimiters.repetition, delimiters.release
    unlined, rare = _unliner(terminator), _Rare(delimiters, _MARK)
    released = release + terminator if release else _NEVER

    def split(text: str) -> list[Segment]:
        if ("\n" in text or "\r" in text) and released not in text:
            text = unlined(text)
        if (release and release in text) or (repetition and repetition in text):
            return rarely(text)
        pieces = text.removesuffix(terminator).split(terminator)
        if component not in text:
            return [piece.split(element) for piece in pieces]
        found = []
        for piece in pieces:
            segment: Segment = piece.split(element)
            if component in piece:  # without a call for each segment: this is where reading spends its time
                index = 0
                for part in segment:
                    if component in part:
                        segment[index] = part.split(component)
                    index += 1  # noqa: SIM113 - a tenth of the time of all
            found.append(segment)
        return found

    def rarely(text: str) -> list[Segment]:
        careful = rare if _MARK not in text else _Rare(delimiters, _RARE_MARK)
        one, sign, mark = careful.segment, release or _NEVER, _NEVER
        repeats = repetition if repetition and repetition in text else _NEVER
        if released in text:
            text, mark = unlined(careful.hidden_terminators(text)), careful.mark
        found = []
        for piece in text.removesuffix(terminator).split(terminator):
            if sign in piece or mark in piece or repeats in piece:
                found.append(one(piece))
                continue
            segment: Segment = piece.split(element)
            if component in piece:
                index = 0
                for part in segment:
                    if component in part:
                        segment[index] = part.split(component)
                    index += 1  # noqa: SIM113 - a tenth of the time of all
            found.append(segment)
        return found

    return split


def with_plain_tags(found: list[Segment], component: str) -> list[Segment]:
    """The same segments; a tag that tells its nesting (LIN:1:2) and was split is whole, blanks before one are gone."""
    try:
        if "".join(map(_first, found)).isalnum():
            return found
    except TypeError:
        pass
    for segment in found:
        tag = segment[0]
        segment[0] = (component.join(tag) if type(tag) is list else tag).lstrip(BLANK)
    return found


class _Rare:
    """Splits one segment that may hold repetitions or released characters. A released character becomes a mark and a
    digit while the text is split."""

    def __init__(self, delimiters: Delimiters, mark: str) -> None:
        self.mark, self._delimiters = mark, delimiters
        release, terminator = delimiters.release, delimiters.terminator
        codes = [(char, mark + str(number)) for number, char in enumerate(dict.fromkeys(delimiters.all))]
        self._codes = codes if release else []
        self._ends = [(char, code) for char, code in self._codes if char in (release, terminator)]
        self._needless = re.compile(re.escape(release) + "(.)", re.DOTALL)

    def hidden_terminators(self, text: str) -> str:
        """The text in which every terminator ends a segment."""
        for char, code in self._ends:  # the release character itself first
            text = text.replace(self._delimiters.release + char, code)
        return text

    def segment(self, text: str) -> Segment:
        release, repetition = self._delimiters.release, self._delimiters.repetition
        if release and release in text:
            for char, code in self._codes:
                text = text.replace(release + char, code)
            if release in text:
                text = self._needless.sub(r"\1", text)
        one, mark, component = self._one, self.mark, self._delimiters.component
        segment: Segment = text.split(self._delimiters.element)
        for index, part in enumerate(segment):
            if repetition and repetition in part and index:
                segment[index] = Repeats(map(one, part.split(repetition)))
            elif mark in part or component in part:
                segment[index] = one(part)
        return segment

    def _one(self, text: str) -> str | list[str]:
        component = self._delimiters.component
        if self.mark not in text:
            return text.split(component) if component in text else text
        if component in text:
            return [self._restored(item) if self.mark in item else item for item in text.split(component)]
        return self._restored(text)

    def _restored(self, text: str) -> str:
        for char, code in self._codes:
            text = text.replace(code, char)
        return text


def _unliner(terminator: str) -> Callable[[str], str]:
    """The function that takes away line ends behind terminators; elsewhere they are data."""
    between = re.compile(re.escape(terminator) + f"[{BLANK}]+")

    def unlined(text: str) -> str:
        if terminator == "\n":
            return between.sub("\n", text.replace("\r\n", "\n"))
        if terminator == "\r":
            return between.sub("\r", text)
        text = text.replace(terminator + ("\r\n" if "\r" in text else "\n"), terminator)
        return between.sub(terminator, text) if "\n" in text or "\r" in text else text

    return unlined


@lru_cache(maxsize=256)
def joiner(delimiters: Delimiters) -> Join:
    """The function from segments to their text, each with its terminator. It writes a released character where there
    is a release character and raises Collision where there is none, and for repetitions that nothing separates."""
    element, component, repetition = delimiters.element, delimiters.component, delimiters.repetition
    terminator, release = delimiters.terminator, delimiters.release
    special = re.compile(f"[{re.escape(delimiters.all)}]")

    def escaped(text: str) -> str:
        return special.sub(lambda found: release + found[0], text) if special.search(text) else text

    def one(value: Any) -> str:
        if type(value) is str:
            return escaped(value)
        if type(value) is Repeats:
            if not repetition and len(value) > 1:
                raise _Collides(value)
            return repetition.join([one(item) for item in value])
        return component.join([escaped(item) for item in value])

    def join(segments: Iterable[Segment]) -> str:
        written = []
        for number, (tag, *elements) in enumerate(segments, 1):
            try:
                written.append(element.join([tag, *map(one, elements)]))
            except _Collides as fault:
                raise _located(number, elements, fault.args[0], special) from None
        return terminator.join([*written, ""])

    def refuse(text: str) -> str:
        if special.search(text):
            raise _Collides(text)
        return text

    if not release:
        escaped = refuse
    return join


class _Collides(Exception):
    """The text that holds a delimiter, or the repetitions that nothing separates."""


def _located(number: int, elements: list[Any], text: str | Repeats, special: re.Pattern[str]) -> Collision:
    if isinstance(text, Repeats):
        place = next(index for index, value in enumerate(elements, 1) if value is text)
        return Collision(number, place, 0, 0, "", str(text[0]))
    found = special.search(text)
    character = found[0] if found else ""
    for index, value in enumerate(elements, 1):
        for repetition, repeat in enumerate(value if type(value) is Repeats else [value], 1):
            for component, item in enumerate(repeat if type(repeat) is list else [repeat], 1):
                if item == text:
                    return Collision(
                        number, index, component if type(repeat) is list else 0,
                        repetition if type(value) is Repeats else 0, character, text,
                    )  # fmt: skip
    return Collision(number, 0, 0, 0, character, text)
