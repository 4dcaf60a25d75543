"""The codecs: bytes to documents and back, one file per format, found by its name. The folder is the registry.

A codec is a module with the names of ``Codec``. It does no I/O and keeps no state between calls. Bytes that are not
what they say give a ``DecodeError`` (the whole is unreadable) or a ``BadRecord`` (one record is); nothing else comes
out, whatever goes in. A document that a format cannot carry gives a ``MappingError`` with the code ``encode``.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol, cast

from hub.errors import DecodeError
from hub.yamldoc import did_you_mean


@dataclass(frozen=True, slots=True)
class Option:
    """One setting of a codec, as data: the lint and the reference page are made from it.

    ``kind``: text, character (one character or nothing), boolean, integer, choice, list, map, path (``data.orders``).
    """

    name: str
    kind: str = "text"
    default: Any = None
    choices: tuple[str, ...] = ()
    description: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """One document out of the bytes. ``position`` is where it began (``line 7``), empty for a whole document."""

    value: Any
    position: str = ""
    index: int = 0


@dataclass(frozen=True, slots=True)
class BadRecord:
    """One record that cannot be read; its neighbours can. ``raw`` is what stood there, cut at 64 KB."""

    error: DecodeError
    raw: bytes
    position: str
    index: int


class Codec(Protocol):
    """What a module of this folder offers. ``EXAMPLE`` is a pair (bytes, document) that holds in both directions."""

    OPTIONS: tuple[Option, ...]
    CONTENT_TYPES: tuple[str, ...]
    EXAMPLE: tuple[bytes, Any]

    def decode(self, chunks: Iterable[bytes], options: Mapping[str, Any]) -> Iterator[Record | BadRecord]:
        """Every record in its order. Raises DecodeError, at the latest from the iterator, when nothing can be read."""
        ...

    def decode_one(self, raw: bytes, options: Mapping[str, Any]) -> Any:
        """The one document of these bytes. Raises DecodeError, also where there are several."""
        ...

    def encode(self, documents: Iterable[Any], options: Mapping[str, Any]) -> bytes:
        """One body that holds all documents. Raises MappingError for what the format cannot carry."""
        ...

    def encode_one(self, document: Any, options: Mapping[str, Any]) -> bytes:
        """One body that holds one document."""
        ...


@cache
def names() -> tuple[str, ...]:
    """The names of all formats there are."""
    return tuple(sorted(info.name for info in pkgutil.iter_modules(__path__) if not info.name.startswith("_")))


@cache
def codec(name: str) -> Codec:
    """The codec of a format. Raises KeyError with the name when there is none."""
    if name not in names():
        raise KeyError(name)
    return cast(Codec, importlib.import_module(f"{__name__}.{name}"))


def only_record(records: Iterator[Record | BadRecord]) -> Any:
    """The document of the one record there is. Raises the DecodeError of a bad record, or one that counts them."""
    first = next(records, None)
    if first is None:
        raise DecodeError("no record in it; expected one")
    if isinstance(first, BadRecord):
        raise first.error
    if (second := next(records, None)) is not None:
        raise DecodeError("more than one record in it; expected one", code="many_records", position=second.position)
    return first.value


def faults_of(name: str, given: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with the options given to a format, also where they do not go together; for the lint."""
    module = codec(name)
    own = getattr(module, "faults_of", None)
    return own(given) if own else option_faults(module.OPTIONS, given)


def option_faults(declared: tuple[Option, ...], given: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with a format's options, a sentence for each name. Empty when nothing is."""
    known = {option.name: option for option in declared}
    faults = {name: _fault(known.get(name), name, value, known) for name, value in given.items()}
    return {name: fault for name, fault in faults.items() if fault}


def _fault(option: Option | None, name: str, value: Any, known: Iterable[str]) -> str:
    if option is None:
        return f"unknown option '{name}'{did_you_mean(name, known)}"
    if option.choices and value not in option.choices:
        return f"option '{name}' is one of {', '.join(option.choices)}{did_you_mean(str(value), option.choices)}"
    if not _FITS[option.kind](value):
        return f"option '{name}' must be {_WANTED[option.kind]}"
    return ""


_FITS = {
    "text": lambda value: isinstance(value, str),
    "path": lambda value: isinstance(value, str),
    "choice": lambda value: isinstance(value, str),
    "character": lambda value: isinstance(value, str) and len(value) <= 1,
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "list": lambda value: isinstance(value, list | tuple) and all(isinstance(item, str) for item in value),
    "map": lambda value: isinstance(value, Mapping),
}
_WANTED = {
    "text": "text",
    "path": "a path such as data.orders",
    "choice": "one of its choices",
    "character": "one character",
    "boolean": "true or false",
    "integer": "a whole number",
    "list": "a list of texts",
    "map": "a mapping",
}
