"""Flat files of fixed columns, by a profile of their records: lines that are known by a tag, one kind below another.

A document is a record that stands below none with all that are below it, or with ``whole`` the file. Fields are texts,
exact decimals with implied decimals, whole numbers and dates. A bad line spoils its document and no other. Limits: a
line 10,000,000 characters, a document 100,000 records; a file of any size takes the memory of its largest document.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from hub.formats import BadRecord, Place, Places, Record, Step, only_record
from hub.formats._flat_profile import OPTIONS, Profile, faults_of, outline_of, profile_of
from hub.formats._flat_reading import Group, groups, raw_of
from hub.formats._flat_writing import write_records

__all__ = [
    "CONTENT_TYPES", "EXAMPLE", "OPTIONS", "decode", "decode_one", "encode", "encode_one", "faults_of", "outline_of",
    "places",
]  # fmt: skip

CONTENT_TYPES = ("text/plain",)
EXAMPLE = (b"4711  WIDGET    12\r\n", {"line": {"text": "4711  WIDGET    12"}})


def decode(chunks: Iterable[bytes], options: Mapping[str, Any]) -> Iterator[Record | BadRecord]:
    """The documents of a file, each with what stands below it. Raises DecodeError for bytes that cannot be lines."""
    profile = profile_of(options)
    word, index = ("record" if profile.record_length else "line"), 0
    for group in groups(chunks, profile):
        position = f"{word} {group.line}"
        if group.error is not None:
            yield BadRecord(group.error, raw_of(group, profile), position, index)
        elif group.is_document:
            yield Record(group.value, position, index)
        else:
            continue
        index += 1


def decode_one(raw: bytes, options: Mapping[str, Any]) -> Any:
    """The one document of a file. Raises DecodeError where there are several or none."""
    return only_record(decode([raw], options))


def encode(documents: Iterable[Any], options: Mapping[str, Any]) -> bytes:
    """One file of all documents. Raises MappingError for what does not fit its field: nothing is cut."""
    return write_records(documents, profile_of(options))


def encode_one(document: Any, options: Mapping[str, Any]) -> bytes:
    """A file of one document."""
    return encode([document], options)


def places(raw: bytes, options: Mapping[str, Any], index: int) -> Places:
    """Where the fields of one document stand: line and column."""
    profile = profile_of(options)
    found = (group for group in groups([raw], profile) if group.is_document or group.error)
    chosen = next((group for number, group in enumerate(found) if number == index), None)
    return lambda steps: _place(chosen, profile, steps) if chosen is not None else None


def _place(group: Group, profile: Profile, steps: Sequence[Step]) -> Place | None:
    """The place of a field, or of the record that a path leads to."""
    at: Any = group.value
    line, kind = group.line, ""
    for step in steps:
        own = profile.types.get(kind)
        field = next((each for each in own.fields if each.name == step), None) if own else None
        if field is not None:
            return Place(line, field.at, what=f"field '{field.name}'")
        if isinstance(step, int):
            at = at[step] if isinstance(at, list) and -len(at) <= step < len(at) else None
        else:
            at, kind = (at.get(step) if isinstance(at, dict) else None), step
        if at is None:
            return None
        line = group.lines.get(id(at), line)
    return Place(line, 1)
