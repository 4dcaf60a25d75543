"""The error tree. Raise the leaf, catch the branch.

HubError
├── ProjectError        files the user edits are wrong; carries every Fault with file:line:column
├── MessageError        one message cannot go on; carries what an operator needs to see
│   ├── DecodeError     bytes are not what their format says
│   ├── MappingError    a mapping cannot be applied to this document
│   └── ValidationError a document breaks its schema or a business rule
├── StoreError          the database refused or is away
│   ├── StoreAway       its server cannot be reached, or the connection was lost
│   ├── StoreBusy       another hub process holds the embedded store
│   ├── StoreRefused    a rule of the schema, or a statement, is against it
│   └── StoreFull       no room on the disk: answer 503, try again later
├── NotFound            no such message, delivery, route, system
├── Conflict            the thing is not in a state that allows this
│   └── PlanStale       what a replay was planned for has changed since
├── Gone                it was there, and is not stored any more
├── Unfinished          work on something was broken off, or has ended the process that did it
├── Unavailable         files or a program that are wanted for this are not installed
├── HubAway             a command needs the running hub and none answers
└── UsageError          a command or a request is not well formed
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Fault:
    """One mistake in a file that a person edits, where it is and what to write instead.

    ``line`` and ``column`` count from 1; 0 means the whole file. ``severity`` is ``error`` or ``warning``. ``width`` is
    how many characters are at fault, ``excerpt`` the line with a mark below them.
    """

    file: str
    line: int
    column: int
    message: str
    severity: str = "error"
    excerpt: str = field(default="", compare=False)
    width: int = field(default=1, compare=False)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.severity}: {self.message}"


class HubError(Exception):
    """Anything this hub raises on purpose. Its text is fit to be shown to a user."""


class ProjectError(HubError):
    """Files the user edits are wrong. ``faults`` names them all."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = list(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


_QUOTED = re.compile(r"(?<!\w)'.*?'(?!\w)", re.DOTALL)
_NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)*")
_OTHERS = re.compile(r" \(and \d+ more\)")


class MessageError(HubError):
    """One message cannot go on.

    The fields are those of a dead letter: ``code`` is stable and fit for grouping, ``detail`` says what was seen and
    what was expected, ``field_path`` is a path in the document, ``position`` a place in the raw bytes
    (``line 3, column 14``, ``segment 14 LIN``). ``cause`` is what is wrong without any value of this document: with the
    code and the field it tells whether two messages have the same fault. Where none is given it is what was expected,
    else the detail without what is quoted and counted in it. ``value_excerpt`` and ``quoted`` are what the detail has
    of the document, in its very letters: who may not see the document sees the detail without them.
    """

    code = "message"

    def __init__(
        self,
        detail: str,
        *,
        code: str = "",
        file: str = "",
        line: int = 0,
        column: int = 0,
        field_path: str = "",
        position: str = "",
        value_excerpt: str = "",
        expected: str = "",
        hint: str = "",
        cause: str = "",
        quoted: Iterable[str] = (),
    ) -> None:
        self.detail = detail
        self.quoted = tuple(text for text in quoted if text)
        self.code = code or self.code
        self.file, self.line, self.column = file, line, column
        self.field_path, self.position = field_path, position
        self.value_excerpt, self.expected, self.hint = value_excerpt, expected, hint
        self.cause = cause or (without_numbers(expected) if expected else without_values(detail, value_excerpt))
        where = f"{file}:{line}:{column}: " if file else ""
        super().__init__(where + detail + (f" ({position})" if position else ""))


def without_numbers(text: str) -> str:
    """The text with ``#`` for every number in it."""
    return _NUMBER.sub("#", text)


def without_values(text: str, seen: str = "") -> str:
    """The text without what is quoted in it, without numbers, and without how many other faults there are. ``seen`` is
    a value that may stand in it with quotes of its own."""
    if seen:
        text = text.replace(seen if seen[0] == seen[-1] == "'" != seen else f"'{seen}'", "'…'")
    return without_numbers(_QUOTED.sub("'…'", _OTHERS.sub("", text)))


def shown(text: str) -> str:
    """A piece of data in a message: quoted, at most 40 characters, controls told by their number."""
    cut = text if len(text) <= 40 else text[:37] + "..."
    return "'" + "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in cut) + "'"


def quoted_in(text: str) -> tuple[str, ...]:
    """What stands in quotes in a sentence that quotes one thing, which may have quotes of its own."""
    return tuple(found[1] for sign in "'\"" if (found := re.search(f"{sign}(.+){sign}", text, re.DOTALL)))


class DecodeError(MessageError):
    """Bytes are not what their format says."""

    code = "decode"


class MappingError(MessageError):
    """A mapping cannot be applied to this document."""

    code = "mapping"


class ValidationError(MessageError):
    """A document breaks its schema or a business rule. ``faults`` names every fault, the first is the summary."""

    code = "schema"

    def __init__(self, detail: str, *, faults: Sequence[DocumentFault] = (), **where: Any) -> None:
        super().__init__(detail, **where)
        self.faults = list(faults)


@dataclass(frozen=True, slots=True)
class DocumentFault:
    """One fault of a document: the path (``order_lines[0].quantity.value``), what was seen, what was expected.

    ``wanted`` is what was expected in words that hold nothing of this document; empty where ``expected`` does already.
    """

    path: str
    code: str
    message: str
    seen: str = ""
    expected: str = ""
    severity: str = "error"
    wanted: str = ""

    @property
    def cause(self) -> str:
        """What is wrong, without any value."""
        return f"{self.code}: {self.wanted or self.expected}"

    def __str__(self) -> str:
        return f"{self.path or '(document)'}: {self.message}"


class StoreError(HubError):
    """The database refused or is away."""


class StoreAway(StoreError):
    """The database's server cannot be reached, or the connection to it was lost."""


class StoreBusy(StoreError):
    """Another hub process holds the embedded store."""


class StoreRefused(StoreError):
    """A rule of the database's schema is against a row, or the statement is wrong: trying again changes nothing."""


class StoreFull(StoreError):
    """No room on the disk: answer 503, try again later."""


class NotFound(HubError):
    """No such message, delivery, route or system."""


class Conflict(HubError):
    """The thing is not in a state that allows this."""


class Gone(HubError):
    """It was there, and is not stored any more."""


class Unfinished(HubError):
    """Work on something took too long and was broken off, or has ended the process that did it."""


class Unavailable(HubError):
    """Files or a program that are wanted for this are not installed; the text says which, and how to get them."""


class HubAway(HubError):
    """A command needs the running hub and none answers."""


class PlanStale(Conflict):
    """What a replay was planned for has changed since: plan it again."""


class UsageError(HubError):
    """A command or a request is not well formed."""
