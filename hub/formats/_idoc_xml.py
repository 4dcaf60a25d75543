"""IDocs in XML: ``<ORDERS05><IDOC BEGIN="1">``: an element for each segment and each field."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from hub.errors import DecodeError
from hub.formats._idoc_lines import segments_in
from hub.formats._idoc_parts import Idoc, Part, refused
from hub.formats._xml import Element, line_of
from hub.formats._xml_stream import Stream
from hub.formats._xml_writing import DECLARATION, NAME, in_text, plain


def read_xml(chunks: Iterable[bytes]) -> Iterator[Idoc]:
    """Every IDoc of a file. Raises DecodeError where there is none."""
    stream, index = Stream(chunks, ["{*}IDOC"]), 0
    for element in stream.elements():
        assert stream.root is not None
        idoc = Idoc(line_of(element), _local(stream.root))
        try:
            _fill(idoc, element)
        except DecodeError as error:
            idoc.error = error
        yield idoc
        index += 1
    if index == 0:
        raise DecodeError("no element IDOC in it; expected <ORDERS05><IDOC …>", code="no_records")


def _fill(idoc: Idoc, element: Element) -> None:
    has_control, number = False, 0
    for child in element:
        if _local(child) == "EDI_DC40":
            if has_control:
                raise DecodeError("a second control; expected one (once: true)", position=line_of(child))
            has_control, idoc.control = True, _part(child, 0)[0].fields
        else:
            part, number = _part(child, number + 1)
            idoc.parts.append(part)
    if not has_control:
        raise DecodeError("an IDOC without EDI_DC40; expected its control record", position=line_of(element))


def _part(element: Element, number: int) -> tuple[Part, int]:
    """A segment with all below it, and the number of the last of them."""
    part = Part(_local(element), {}, line_of(element), number)
    if text := next((text for text in _texts_in(element) if text.strip()), ""):
        detail = f"the text {text.strip()[:40]!r} beside elements in {part.kind}; expected fields and segments alone"
        raise DecodeError(detail, position=line_of(element), quoted=(text.strip()[:40],))
    for child in element:
        if len(child) or child.get("SEGMENT") is not None:
            below, number = _part(child, number + 1)
            part.below.append(below)
        elif text := (child.text or "").rstrip(" "):
            name = _local(child)
            if name in part.fields:
                detail = f"the field {name} twice in {part.kind}; expected once"
                raise DecodeError(detail, position=line_of(child))
            part.fields[name] = text
    return part, number


def _texts_in(element: Element) -> Iterator[str]:
    """What stands in an element around those in it."""
    yield element.text or ""
    yield from (child.tail or "" for child in element)


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]


def write_xml(documents: Sequence[Mapping[str, Any]]) -> bytes:
    """A file of IDocs. Raises MappingError, also where they are of several types."""
    types = list(dict.fromkeys(_type(document) for document in documents))
    if len(types) != 1:
        raise refused("type", f"IDocs of the types {', '.join(types) or 'none'} in one file", "those of one type")
    inside = "".join(_idoc_text(document) for document in documents)
    return f"{DECLARATION}<{types[0]}>{inside}</{types[0]}>".encode()


def _type(document: Mapping[str, Any]) -> str:
    found = document.get("type") or document["control"].get("IDOCTYP") or ""
    if not isinstance(found, str) or not NAME.fullmatch(found):
        raise refused("type", "no type of IDoc", "one such as ORDERS05")
    return found


def _idoc_text(document: Mapping[str, Any]) -> str:
    control = {"TABNAM": "EDI_DC40", "IDOCTYP": _type(document), **document["control"]}
    below = {name: value for name, value in document.items() if name not in ("type", "control")}
    inside = "".join(_segment_text(*each) for each in segments_in(below, ""))
    return f'<IDOC BEGIN="1">{_segment_text("EDI_DC40", "control", control)}{inside}</IDOC>'


def _segment_text(kind: str, path: str, value: Mapping[str, Any]) -> str:
    fields = "".join(
        f"<{_named(name, path)}>{in_text(plain(each, f'{path}.{name}'), f'{path}.{name}')}</{name}>"
        for name, each in value.items() if each not in (None, "") and not isinstance(each, Mapping | list | tuple)
    )  # fmt: skip
    below = "".join(_segment_text(*each) for each in segments_in(value, path))
    return f'<{_named(kind, path)} SEGMENT="1">{fields}{below}</{kind}>'


def _named(name: Any, path: str) -> str:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise refused(path, f"{str(name)[:40]!r} as a name", "a name that XML allows")
    return name
