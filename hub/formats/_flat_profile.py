"""The profile of a flat file: its kinds of records, their fields, and which stands below which."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import msgspec

from hub.errors import UsageError
from hub.formats import Option, option_faults
from hub.formats._csv_text import ENCODINGS
from hub.formats._flat_fields import Field, field_faults
from hub.outline import Outline, Plain
from hub.yamldoc import did_you_mean

EBCDIC = ("cp037", "cp273", "cp500", "cp1140")
OPTIONS = (
    Option("records", "map", {}, description="the kinds of records by their names, each with `tag`, `at`, `below`, "
           "`once`, `document` and `fields`; default: a record is a `line` with its `text`"),
    Option("whole", "boolean", False, description="the file is one document; default: each record that stands below "
           "none is one, with those below it"),
    Option("unknown", "choice", "refuse", ("refuse", "skip"), "a line of no kind makes its document a bad record, or "
           "is passed over"),
    Option("encoding", "choice", "auto", (*ENCODINGS, *EBCDIC), "of its characters; `auto`: by byte order mark, "
           "else UTF-8"),
    Option("record_length", "integer", 0, description="bytes of each record in a file without line ends; 0: there are "
           "line ends"),
    Option("line_end", "choice", "crlf", ("crlf", "lf"), "line ends when writing; all are known when reading"),
    Option("trailing_blanks", "boolean", True, description="whether lines are written to their full length"),
)  # fmt: skip
_RECORD_KEYS = ("tag", "at", "below", "once", "document", "fields")
_KINDS = {"text": "text", "decimal": "number", "integer": "integer", "date": "date"}
_SINGLE_BYTE = tuple(name for name in ENCODINGS if name not in ("auto", "utf-8", "utf-16")) + EBCDIC
_LINE = 1_000_000


class RecordType(msgspec.Struct, frozen=True):
    """One kind of record: the tag it is known by and where that stands, what it is below, whether it comes once."""

    name: str
    fields: tuple[Field, ...]
    tag: str = ""
    at: int = 1
    below: str = ""
    once: bool = False
    document: bool = True

    @property
    def length(self) -> int:
        return max([self.at + len(self.tag) - 1, *(each.end for each in self.fields)])

    def fits(self, line: str) -> bool:
        return line.startswith(self.tag, self.at - 1)


class Profile(msgspec.Struct, frozen=True):
    """The options with their defaults filled in."""

    types: Mapping[str, RecordType]
    whole: bool
    skips_unknown: bool
    encoding: str
    record_length: int
    line_end: str
    trailing_blanks: bool

    def type_of(self, line: str) -> RecordType | None:
        """The kind with the longest tag that a line has."""
        found = [each for each in self.types.values() if each.fits(line)]
        return max(found, key=lambda each: len(each.tag), default=None)

    def below(self, name: str) -> Iterator[RecordType]:
        """The kinds that stand directly below another one; with an empty name those on top."""
        return (each for each in self.types.values() if each.below == name)


_DEFAULT = {"line": RecordType("line", (Field("text", 1, _LINE),))}


def profile_of(options: Mapping[str, Any]) -> Profile:
    """Raises UsageError with every fault of the options."""
    if faults := faults_of(options):
        raise UsageError("; ".join(faults.values()))
    given = {option.name: options.get(option.name, option.default) for option in OPTIONS}
    types = {
        name: RecordType(
            name,
            tuple(Field.of(each, about) for each, about in about.get("fields", {}).items()),
            **{key: value for key, value in about.items() if key != "fields"},
        )
        for name, about in given["records"].items()
    }
    return Profile(
        types or _DEFAULT, given["whole"], given["unknown"] == "skip", given["encoding"], given["record_length"],
        "\n" if given["line_end"] == "lf" else "\r\n", given["trailing_blanks"] and bool(types),
    )  # fmt: skip


def faults_of(options: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with the options, a sentence for each name: each alone, and those that do not go together."""
    return option_faults(OPTIONS, options) or _record_faults(options.get("records", {})) or _length_faults(options)


def _record_faults(records: Mapping[str, Any]) -> dict[str, str]:
    words = [word for name, about in records.items() for word in _faults_in(name, about, records)]
    return {"records": words[0]} if words else {}


def _faults_in(name: str, about: Any, records: Mapping[str, Any]) -> Iterator[str]:
    if not isinstance(about, Mapping) or not isinstance(fields := about.get("fields", {}), Mapping):
        yield f"the record '{name}' wants {{tag: …, fields: {{…}}}}"
        return
    for key in about:
        if key not in _RECORD_KEYS:
            yield f"the record '{name}' has '{key}'{did_you_mean(str(key), _RECORD_KEYS)}"
    if not isinstance(about.get("tag", ""), str) or not isinstance(about.get("at", 1), int) or about.get("at", 1) < 1:
        yield f"the record '{name}': tag is a text (quote it), at its position from 1"
        return
    if not about.get("tag") and len(records) > 1:
        yield f"the record '{name}' needs a tag, by which its lines are known from those of others"
    if not all(isinstance(about.get(key, True), bool) for key in ("once", "document")):
        yield f"the record '{name}': once and document are true or false"
    yield from _place_faults(name, about, records)
    yield from filter(None, (field_faults(str(each), given) for each, given in fields.items()))
    yield from _overlaps(name, fields)


def _place_faults(name: str, about: Mapping[str, Any], records: Mapping[str, Any]) -> Iterator[str]:
    below, above = about.get("below", ""), [name]
    while below:
        if below not in records:
            yield f"the record '{name}' is below '{below}', which records lacks{did_you_mean(str(below), records)}"
            return
        if below in above:
            yield f"the record '{name}' is below itself"
            return
        above.append(below)
        other = records[below]
        below = other.get("below", "") if isinstance(other, Mapping) else ""
    if len(above) > 1 and about.get("document") is False:
        yield f"the record '{name}' is below another one; document: false is for those that are below none"
    for field, given in about.get("fields", {}).items():
        counted = given.get("counts", "") if isinstance(given, Mapping) else ""
        if counted and counted != "*" and counted not in records:
            yield f"the field '{field}' counts '{counted}', which records lacks{did_you_mean(str(counted), records)}"
        if field in (
            each for each, other in records.items() if isinstance(other, Mapping) and other.get("below") == name
        ):
            yield f"the record '{name}' has a field '{field}', and records of that name are below it"


def _overlaps(name: str, fields: Mapping[str, Any]) -> Iterator[str]:
    if any(field_faults(str(each), given) for each, given in fields.items()):
        return
    spans = sorted((given["at"], given["at"] + given["length"] - 1, each) for each, given in fields.items())
    for (_, end, one), (start, _, other) in pairwise(spans):
        if start <= end:
            yield f"the record '{name}': '{other}' begins at {start}, and '{one}' ends at {end}"


def _length_faults(options: Mapping[str, Any]) -> dict[str, str]:
    length, encoding = options.get("record_length", 0), options.get("encoding", "auto")
    if length < 0:
        return {"record_length": "record_length is a number of bytes"}
    if length and encoding not in _SINGLE_BYTE:
        known = ", ".join(_SINGLE_BYTE)
        return {"encoding": f"record_length counts bytes; write an encoding that has one for each character: {known}"}
    if encoding in EBCDIC and not length:
        return {"encoding": f"{encoding} is of files without line ends; write their record_length"}
    for name, about in options.get("records", {}).items():
        ends = [given["at"] + given["length"] - 1 for given in about.get("fields", {}).values()]
        if length and max(ends, default=0) > length:
            return {"record_length": f"the record '{name}' has {max(ends)} characters, record_length is {length}"}
    return {}


def outline_of(options: Mapping[str, Any]) -> Outline | None:
    """What the options say of a document; None where they are at fault."""
    if faults_of(options):
        return None
    profile = profile_of(options)
    tops = {each.name: _outline(each, profile) for each in profile.below("") if each.document or profile.whole}
    if profile.whole:
        return Plain("object", {
            name: outline if profile.types[name].once else Plain("list", element=outline)
            for name, outline in tops.items()
        })  # fmt: skip
    return Plain("object", tops, required=tuple(tops) if len(tops) == 1 else ())


def _outline(kind: RecordType, profile: Profile) -> Outline:
    fields: dict[str, Outline] = {each.name: Plain(_KINDS[each.type]) for each in kind.fields}
    for below in profile.below(kind.name):
        inner = _outline(below, profile)
        fields[below.name] = inner if below.once else Plain("list", element=inner)
    return Plain("object", fields, required=tuple(each.name for each in kind.fields))
