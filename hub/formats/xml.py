"""XML of any kind as documents: elements by their names, attributes as ``_name``, text beside them as ``_text``.

An element without attributes and children is its text; one that comes several times is a list, and always if ``lists``
names it. The root is the one field of the document. Namespaces are looked through, but for those that ``namespaces``
gives a prefix. hub/formats/_xml.py says what is refused; docs/explanation/xml.md tells more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from lxml import etree

from hub.errors import DecodeError
from hub.formats import BadRecord, Option, Place, Places, Record, Step, only_record
from hub.formats._xml import Element, line_of, parse, path_of
from hub.formats._xml_documents import Names, Writer, element_at, value_of
from hub.formats._xml_places import place_of
from hub.formats._xml_stream import Stream
from hub.formats._xml_writing import DECLARATION, fault

OPTIONS = (
    Option("records", "path", description="the elements that are the records: `Orders.Order`; default: the whole "
           "document is one record"),
    Option("lists", "list", description="elements that are a list also where there is one: `Line`"),
    Option("objects", "list", description="elements that are an object also where they have no attribute: `Price`"),
    Option("namespaces", "map", description="prefixes for names: `{cbc: 'urn:…'}` makes `cbc:ID`; `''` is the default "
           "namespace when writing"),
    Option("indent", "integer", 0, description="blanks per level when writing; 0 writes all in one line"),
)  # fmt: skip
CONTENT_TYPES = ("application/xml", "text/xml")
EXAMPLE = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b'<Order id="4711"><Line>A</Line><Line>B</Line><Total currency="EUR">129.90</Total></Order>',
    {"Order": {"_id": "4711", "Line": ["A", "B"], "Total": {"_currency": "EUR", "_text": "129.90"}}},
)
_MAX_RAW = 65_536


def decode(chunks: Iterable[bytes], options: Mapping[str, Any]) -> Iterator[Record | BadRecord]:
    """The documents of a file: the whole, or every record in the memory of the largest."""
    names = Names.of(options)
    if not (path := options.get("records")):
        root = parse(b"".join(chunks))
        yield Record({names.of_element(root): value_of(root, names)}, line_of(root))
        return
    *above, last = path.split(".")
    stream, index = Stream(chunks, [f"{{*}}{last.rpartition(':')[2]}"]), 0
    for element in stream.elements():
        if names.above(element) == [*above, last]:
            yield _record(element, names, index)
            index += 1
    if index == 0 and stream.root is not None:
        root_name = names.of_element(stream.root)
        raise DecodeError(
            f"no element {path} in it; its root is {root_name}", code="no_records", position=line_of(stream.root),
            expected=f"records: a path from the root, {root_name}.…",
        )  # fmt: skip


def _record(element: Element, names: Names, index: int) -> Record | BadRecord:
    try:
        return Record(value_of(element, names), line_of(element), index)
    except DecodeError as error:
        raw = etree.tostring(element, encoding="unicode", with_tail=False).encode()
        return BadRecord(error, raw[:_MAX_RAW], line_of(element), index)


def decode_one(raw: bytes, options: Mapping[str, Any]) -> Any:
    """The document of a body. Raises DecodeError with line and column."""
    return only_record(decode([raw], options))


def encode(documents: Iterable[Any], options: Mapping[str, Any]) -> bytes:
    """One document, or under the path ``records`` all there are. Raises MappingError."""
    every = list(documents)
    if path := options.get("records"):
        *above, last = path.split(".")
        whole: Any = {last: every}
        for name in reversed(above):
            whole = {name: whole}
    elif len(every) == 1:
        whole = every[0]
    else:
        raise fault("", f"{len(every)} documents for one file of XML", "one", hint="name them with records:")
    if not isinstance(whole, Mapping) or len(whole) != 1 or isinstance(next(iter(whole.values())), list):
        raise fault("", "not a mapping with one root element", "one field, whose name is the root element's")
    writer = Writer(Names.of(options), options.get("indent", 0))
    ((name, value),) = whole.items()
    writer.element(name, value, str(name), 0)
    return (DECLARATION + "".join(writer.out)).encode()


def encode_one(document: Any, options: Mapping[str, Any]) -> bytes:
    """One document. Raises MappingError for a float, a name or a character that XML does not have."""
    return encode([document], options)


def holds_several(options: Mapping[str, Any]) -> bool:
    """Only where a path says under what they stand."""
    return bool(options.get("records"))


def places(raw: bytes, options: Mapping[str, Any], index: int) -> Places:
    """Where the values of one record stand, an attribute's where its element begins."""
    return _XmlPlaces(raw, Names.of(options), options.get("records"), index)


class _XmlPlaces:
    """The places of one record, each looked up when it is asked for."""

    def __init__(self, raw: bytes, names: Names, records: str | None, index: int) -> None:
        self._raw, self._names = raw, names
        root = parse(raw)
        found: Sequence[Element] = [root]
        if records:
            found = [each for each in root.iter("*") if names.above(each) == records.split(".")]
        self._is_whole = not records
        self._record = found[index] if index < len(found) else None

    def __call__(self, steps: Sequence[Step]) -> Place | None:
        element, rest = self._record, list(steps)
        if element is None or (self._is_whole and rest and rest.pop(0) != self._names.of_element(element)):
            return None
        below = element_at(element, rest, self._names)
        return None if below is None else place_of([self._raw], path_of(below))
