"""Columns of many rows as arrays in the server's binary form, with the type that the column has: what psycopg's own
lists cost several times, and are typed by what happens to be in them, so that each mixture is planned anew."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import psycopg
from psycopg.adapt import Dumper
from psycopg.pq import Format

_LENGTH, _NULL = struct.Struct("!i").pack, b"\xff\xff\xff\xff"
# Dimensions, whether one is NULL, the type of the elements, how many there are, the number of the first.
_HEAD = struct.Struct("!iiIii").pack


def _of_bytes(values: Iterable[bytes]) -> Iterable[bytes]:
    return [part for value in values for part in (_LENGTH(len(value)), value)]


def _of_texts(values: Iterable[str]) -> Iterable[bytes]:
    return _of_bytes([value.encode() for value in values])


def _of_numbers(letter: str) -> Callable[[Iterable[Any]], Iterable[bytes]]:
    pack = struct.Struct(f"!i{letter}").pack
    size = struct.calcsize(f"!{letter}")
    return lambda values: [pack(size, value) for value in values]


class _Array(bytes):
    """An array in the server's binary form."""


class _AsItIs(Dumper):
    format = Format.BINARY

    def dump(self, obj: Any) -> bytes:
        return obj  # type: ignore[no-any-return]


_KINDS: Mapping[str, tuple[int, int, Callable[[Iterable[Any]], Iterable[bytes]]]] = {
    "text": (25, 1009, _of_texts),
    "bytea": (17, 1001, _of_bytes),
    "int4": (23, 1007, _of_numbers("i")),
    "int8": (20, 1016, _of_numbers("q")),
    "float8": (701, 1022, _of_numbers("d")),
}
_CLASSES = {kind: type(f"_{kind}_array", (_Array,), {}) for kind in _KINDS}


def register(connection: psycopg.Connection[Any]) -> None:
    """Let a connection take what ``array`` makes."""
    for kind, (_, oid, _) in _KINDS.items():
        connection.adapters.register_dumper(_CLASSES[kind], type(f"_{kind}_dumper", (_AsItIs,), {"oid": oid}))


def array(kind: str, values: Sequence[Any]) -> Any:
    """The array of a column of this type. What is of another type stays a list, which the server is asked to cast."""
    if kind not in _KINDS or not values:
        return list(values)
    element, _, parts_of = _KINDS[kind]
    has_null = None in values
    try:
        if has_null:
            parts = [part for v in values for part in ((_NULL,) if v is None else parts_of((v,)))]
        else:
            parts = list(parts_of(values))
    except (AttributeError, TypeError, struct.error):
        return list(values)
    return _CLASSES[kind](b"".join((_HEAD(1, has_null, element, len(values), 1), *parts)))
