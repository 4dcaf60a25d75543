"""The codecs: bytes to documents and back, one file per format, found by its name. The folder is the registry.

A codec is a module with the names of ``Codec``. It does no I/O and keeps no state between calls. Bytes that are not
what they say give a ``DecodeError`` (the whole is unreadable) or a ``BadRecord`` (one record is); nothing else comes
out, whatever goes in. A document that a format cannot carry gives a ``MappingError`` with the code ``encode``.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple, Protocol, cast

from hub.errors import DecodeError
from hub.outline import Outline
from hub.spelling import did_you_mean


class Option(NamedTuple):
    """One setting of a codec, as data: the lint and the reference page are made from it.

    ``kind``: text, character (one character or nothing), boolean, integer, choice, list, map, path (``data.orders``).
    """

    name: str
    kind: str = "text"
    default: Any = None
    choices: tuple[str, ...] = ()
    description: str = ""


class RecordFault(Protocol):
    """One of several faults of a record: ``severity`` is ``error`` or ``warning``, ``full_code`` stable."""

    @property
    def position(self) -> str: ...
    @property
    def severity(self) -> str: ...
    @property
    def full_code(self) -> str: ...
    @property
    def message(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Record:
    """One document out of the bytes. ``position`` is where it began (``line 7``), empty for a whole document;
    ``faults`` are those it has and is read with."""

    value: Any
    position: str = ""
    index: int = 0
    faults: Sequence[RecordFault] = ()


Step = str | int


class Place(NamedTuple):
    """Where a value stands in raw bytes: line and column from 1; the byte it begins at, from 0, where that says more;
    and what else names the place (``column 'price'``)."""

    line: int
    column: int
    offset: int = -1
    what: str = ""

    def __str__(self) -> str:
        more = self.what or (f"byte {self.offset}" if self.offset >= 0 else "")
        return f"{self.line}:{self.column}{f' ({more})' if more else ''}"


Places = Callable[[Sequence[Step]], Place | None]


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


def places_in(chosen: Codec, raw: bytes, options: Mapping[str, Any], index: int) -> Places | None:
    """Where the values of one record stand in the bytes, by their paths; None where the format does not tell. A format
    that does has ``places(raw, options, index)``."""
    make: Callable[..., Places] | None = getattr(chosen, "places", None)
    return make(raw, options, index) if make is not None else None


class FileWanted(NamedTuple):
    """The file that a document takes with it into what is written: the ``field`` of the document that holds it, in
    Base64; its media type; and the id of the attachment that it is, '' where only one is of that type."""

    field: str
    mime_code: str
    id: str = ""


def file_wanted(chosen: Codec, options: Mapping[str, Any]) -> FileWanted | None:
    """The file of the canonical document that a document needs before it is written; None where it needs none. A format
    that does has ``file_wanted(options)``."""
    own: Callable[..., FileWanted | None] | None = getattr(_plain(chosen), "file_wanted", None)
    return own(options) if own else None


def content_type(chosen: Codec, options: Mapping[str, Any]) -> str:
    """The media type of what is written with these options; a format with several has ``content_type(options)``."""
    own: Callable[..., str] | None = getattr(_plain(chosen), "content_type", None)
    return own(options) if own else chosen.CONTENT_TYPES[0]


def _plain(chosen: Codec) -> Codec:
    """That of the format itself, where this one is for documents of one type."""
    return getattr(chosen, "of_any_type", chosen)


def encode_exact(codec: Codec, document: Any, options: Mapping[str, Any]) -> bytes:
    """One body of a document that holds no binary float and no NaN, as a decoded one or one that a mapping made of it.
    A format that has to search others for them has a quicker ``encode_exact(document, options)``."""
    write: Callable[..., bytes] = getattr(codec, "encode_exact", codec.encode_one)
    return write(document, options)


def holds_several(name: str, given: Mapping[str, Any]) -> bool:
    """Whether a body of a format with these options can hold several documents."""
    own: Callable[..., bool] | None = getattr(codec(name), "holds_several", None)
    return own(given) if own else True


def together(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The options with which a format writes any number of documents the same way, also one."""
    own: Callable[..., dict[str, Any]] | None = getattr(codec(name), "together", None)
    return own(given) if own else dict(given)


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


def outline_of(name: str, given: Mapping[str, Any]) -> Outline | None:
    """What documents of a format with these options look like, where the options alone say it."""
    own = getattr(codec(name), "outline_of", None)
    found: Outline | None = own(given) if own else None
    return found


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
