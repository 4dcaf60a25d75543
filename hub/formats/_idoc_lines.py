"""The flat file of IDocs: a control record of 524 characters each, then data records of 63 and up to 1000."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hub.errors import DecodeError, quoted_in
from hub.formats._csv_text import raw_bytes, text_lines, unreadable_byte
from hub.formats._idoc_parts import CONTROL, Choose, Described, Idoc, Part, refused
from hub.formats._xml_writing import plain

DATA = {"SEGNAM": 30, "MANDT": 3, "DOCNUM": 16, "SEGNUM": 6, "PSGNUM": 6, "HLEVEL": 2}
HEAD, SDATA = sum(DATA.values()), 1000
_MAX_RAW, _MOST_SEGMENTS = 65_536, 100_000


@dataclass(slots=True)
class _Line:
    """A data record: its segment, and what it says of where that stands."""

    part: Part
    number: str
    parent: str
    level: int


@dataclass(slots=True)
class _Open:
    """An IDoc while its lines are read."""

    idoc: Idoc
    described: Described | None = None
    lines: list[_Line] = field(default_factory=list)


def read_idocs(chunks: Iterable[bytes], encoding: str, choose: Choose, start: int = 0) -> Iterator[Idoc]:
    """Every IDoc, in the memory of the largest. ``start`` is the byte that the text begins at."""
    opened: _Open | None = None
    offset = start
    for number, line in enumerate(text_lines(chunks, encoding), 1):
        text, here = line.rstrip("\r\n"), offset
        offset += len(line) if line.isascii() and encoding != "utf-16" else len(raw_bytes(line, encoding))
        if not text.strip(" \x1a"):
            continue
        if text.startswith("EDI_DC40") or opened is None:
            if opened:
                yield _nested(opened)
            opened = _Open(Idoc(f"line {number}"))
        idoc = opened.idoc
        if len(idoc.raw) < _MAX_RAW:
            idoc.raw += line
        try:
            _take(opened, text, number, here, choose)
        except DecodeError as error:
            idoc.error = idoc.error or error
    if opened:
        yield _nested(opened)


def _take(opened: _Open, text: str, number: int, offset: int, choose: Choose) -> None:
    if bad := unreadable_byte(text):
        raise _fault(number, bad[0], f"the byte {bad[1]}, which the encoding does not have", "the file's encoding:")
    if text.startswith("EDI_DC40"):
        control, rest = _cut(text, CONTROL)
        if rest.strip():
            raise _fault(number, 525, f"{rest.strip()[:40]!r} behind the control record", "524 characters")
        opened.idoc.control, opened.described = control, choose(control)
        return
    if opened.described is None:
        raise _fault(number, 1, f"{text[:30].strip()!r}", "the control record EDI_DC40 first", "structure")
    if len(opened.lines) >= _MOST_SEGMENTS:
        raise _fault(number, 1, f"more than {_MOST_SEGMENTS:,} segments in one IDoc", "fewer", "too_large")
    head, data = _cut(text, DATA)
    kind = opened.described.kind_of(head.get("SEGNAM", ""))
    part = Part(kind, {}, f"line {number}", len(opened.lines) + 1, offset)
    if lengths := opened.described.lengths(kind):
        part.fields, rest = _cut(data, lengths)
    else:
        part.fields, rest = ({"SDATA": data.rstrip(" ")} if data.strip() else {}), data[SDATA:]
    if rest.strip():
        part.rest, part.rest_column = rest.strip(), len(text) - len(rest) + 1
    opened.lines.append(_Line(part, _number(head, "SEGNUM"), _number(head, "PSGNUM"), _level(head, number)))


def _nested(opened: _Open) -> Idoc:
    """The IDoc with its segments below each other."""
    idoc, described = opened.idoc, opened.described
    says_parents = any(line.parent for line in opened.lines)
    above: list[_Line] = []
    for line in opened.lines:
        try:
            home = _home(idoc, line, above, described, says_parents)
        except DecodeError as error:
            idoc.error = idoc.error or error
            break
        home.append(line.part)
        above.append(line)
    return idoc


def _home(idoc: Idoc, line: _Line, above: list[_Line], described: Described | None, says_parents: bool) -> list[Part]:
    """What a segment stands below: that which PSGNUM names. Where it names none, what a grammar has it below, at the
    top where others name one, else the last of a higher level."""
    parents = described.parents(line.part.kind) if described is not None else None
    while above:
        last = above[-1]
        if line.parent:
            is_home = last.number == line.parent
        elif parents is not None:
            is_home = "" not in parents and last.part.kind in parents
        else:
            is_home = not says_parents and last.level < line.level
        if is_home:
            return last.part.below
        above.pop()
    if line.parent:
        expected = "the SEGNUM of a segment that it is below"
        detail = f"PSGNUM {line.parent}; expected {expected}"
        raise DecodeError(detail, code="structure", position=line.part.position_at(56), expected=expected,
                          quoted=(line.parent,))  # fmt: skip
    return idoc.parts


def _number(head: Mapping[str, str], name: str) -> str:
    return head.get(name, "").strip().lstrip("0")


def _level(head: Mapping[str, str], number: int) -> int:
    text = head.get("HLEVEL", "").strip() or "0"
    if not (text.isascii() and text.isdigit()):
        raise _fault(number, 62, f"HLEVEL {text!r}", "a number of two digits")
    return int(text)


def _cut(text: str, lengths: Mapping[str, int]) -> tuple[dict[str, str], str]:
    """The fields that are not blank, and what stands behind the last."""
    found, start = {}, 0
    for name, length in lengths.items():
        if value := text[start : start + length].rstrip(" "):
            found[name] = value
        start += length
    return found, text[start:]


def _fault(line: int, column: int, seen: str, expected: str, code: str = "") -> DecodeError:
    return DecodeError(
        f"{seen}; expected {expected}", code=code, position=f"line {line}, column {column}", expected=expected,
        quoted=quoted_in(seen),
    )  # fmt: skip


def write_idoc(document: Mapping[str, Any], described: Described, blanks: bool) -> Iterator[str]:
    """The lines of one IDoc, without their ends. Raises MappingError."""
    control = {"TABNAM": "EDI_DC40", "IDOCTYP": document.get("type", ""), **document["control"]}
    yield _laid(control, CONTROL, "control", blanks)
    head = {name: control.get(name, "") for name in ("MANDT", "DOCNUM")}
    number = 0

    def below(parent: int, level: int, value: Mapping[str, Any], path: str) -> Iterator[str]:
        nonlocal number
        for kind, at, each in segments_in(value, path):
            definition = described.definition(kind)
            if not definition:
                hint = f"write segments: {{{kind}: {{name: {kind[:1]}2{kind[2:]}000, fields: {{…}}}}}}"
                raise refused(at, "a segment whose definition is not told", "it under segments", hint)
            number += 1
            own = {"SEGNAM": definition, **head, "SEGNUM": f"{number:06}", "PSGNUM": f"{parent:06}"}
            lengths = described.lengths(kind) or {"SDATA": SDATA}
            fields = {name: one for name, one in each.items() if not isinstance(one, Mapping | list | tuple)}
            line = _laid({**own, "HLEVEL": f"{level:02}"}, DATA, at, True) + _laid(fields, lengths, at, True)
            yield line.ljust(HEAD + SDATA) if blanks else line.rstrip(" ")
            yield from below(number, level + 1, each, at)

    yield from below(0, 1, {name: one for name, one in document.items() if name not in ("type", "control")}, "")


def segments_in(value: Mapping[str, Any], path: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """The segments directly below: kind, path, value."""
    for kind, given in value.items():
        at = f"{path}.{kind}" if path else str(kind)
        if isinstance(given, Mapping):
            yield str(kind), at, given
        for index, each in enumerate(given if isinstance(given, list | tuple) else ()):
            if not isinstance(each, Mapping):
                raise refused(f"{at}[{index}]", "not a mapping", "the fields of a segment")
            yield str(kind), f"{at}[{index}]", each
        if not path and not isinstance(given, Mapping | list | tuple):
            raise refused(at, "a value", "a segment, with its fields")


def _laid(values: Mapping[str, Any], lengths: Mapping[str, int], path: str, blanks: bool) -> str:
    for name in values:
        if name not in lengths:
            raise refused(f"{path}.{name}", "a field that its segment does not have", "one of its fields")
    line = "".join(_padded(values.get(name), length, f"{path}.{name}") for name, length in lengths.items())
    return line if blanks else line.rstrip(" ")


def _padded(value: Any, length: int, path: str) -> str:
    text = "" if value is None else plain(value, path)
    if len(text) > length:
        raise refused(path, f"{text[:40]!r} of {len(text)} characters", f"at most {length}")
    if "\r" in text or "\n" in text:
        raise refused(path, "a line end", "text of one line")
    return text.ljust(length)
