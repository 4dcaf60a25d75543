"""The one door for XML: bytes to a tree that nothing in them can abuse, whole here and in parts in _xml_stream.

A document type is refused wherever it stands, so there are no entities but the five of XML, and none of another file.
Comments and processing instructions are left out and the text around them is one text, as is that of CDATA. Nothing
is fetched, included or transformed. What is not well formed, or larger than the limits, gives a DecodeError with line
and column; nothing else comes out, whatever goes in.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, cast

import msgspec
from lxml import etree

from hub.errors import DecodeError, quoted_in

Element = etree._Element


class Limits(msgspec.Struct, frozen=True):
    """What is too much. ``size``: bytes of a document that is read whole, or between two elements that are asked for in
    one that is read in parts; ``depth``: elements in each other; ``attributes``: of one element."""

    size: int = 64_000_000
    depth: int = 200
    attributes: int = 200


LIMITS = Limits()
_HUGE = 10_000_000  # below, libxml2's own limits hold; a text may be longer than they allow: a file in an invoice
_PROLOG = 65_536
_AROUND = re.compile(rb"(?:\s+|<\?.*?\?>|<!--.*?-->)*", re.DOTALL)
_ELEMENT = re.compile(rb"<[A-Za-z_:\x80-\xff]")
_WIDE = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be", b"<\0": "utf-16-le", b"\0<": "utf-16-be"}
_DECLARED = re.compile(rb"""<\?xml\s[^>]*?encoding\s*=\s*["']([^"'>]*)["']""")
# What libxml2 says of a document without quotes; behind a line end it shows the line.
_TOLD = re.compile(
    r"mismatch: (\S+) line \d+ and (\S+)|attribute (\S+)|Start Tag (\S+)|PI (\S+)"
    r"|prefix (\S+)(?: for (\S+))? on (\S+)|\n(.+)",
    re.DOTALL,
)
_ENCODINGS = re.compile(r"utf-8|utf-16(-[lb]e)?|ascii|iso8859-\d+|cp125\d")


# "internal": an entity that nobody has declared is an error; left alone it would cut the text that it stands in, unseen
SETTINGS: Mapping[str, Any] = MappingProxyType({
    "resolve_entities": "internal", "no_network": True, "load_dtd": False, "dtd_validation": False, "recover": False,
    "remove_comments": True, "remove_pis": True, "strip_cdata": True,
})  # fmt: skip


def parse(raw: bytes, limits: Limits = LIMITS) -> Element:
    """The root of a document."""
    if len(raw) > limits.size:
        raise DecodeError(f"{len(raw):,} bytes of XML; at most {limits.size:,} are read", code="too_large")
    check_prolog(raw, is_all=True)
    try:
        root = etree.fromstring(raw, etree.XMLParser(huge_tree=len(raw) > _HUGE, **SETTINGS))
    except etree.XMLSyntaxError as error:
        raise malformed(error) from None
    refuse_document_type(root)
    check_extent(root, limits, is_wide=raw.count(b"=") > limits.attributes)
    return root


def check_prolog(raw: bytes, is_all: bool = False) -> bool:
    """Look at what stands before the first element: True when that has come, False where more bytes have to (with
    ``is_all`` there are none). Raises DecodeError for a document type, for an encoding that is not read, and where no
    element comes."""
    if len(raw) < 4 and not is_all:
        return False  # one cannot see the encoding yet
    text = _narrow(raw[:_PROLOG])
    if declared := _DECLARED.match(text):
        _check_encoding(declared[1].decode("latin-1"), is_wide=b"\0" in raw[:4] or raw[:2] in _WIDE)
    begins = text[_AROUND.match(text).end() :]  # type: ignore[union-attr]  # it matches nothing too
    if begins[:9] == b"<!DOCTYPE":
        line = text.count(b"\n", 0, len(text) - len(begins)) + 1
        raise DecodeError(
            "it has a document type (<!DOCTYPE …>), which could read other files or grow without end; none is read",
            code="document_type", position=f"line {line}", hint="write the document without <!DOCTYPE …>",
        )  # fmt: skip
    if _ELEMENT.match(begins):
        return True
    is_unfinished = begins in (b"", b"<") or begins[:2] in (b"<!", b"<?")
    is_all = is_all or len(raw) >= _PROLOG
    if is_all or not is_unfinished:
        raise _no_xml(begins, is_empty=not raw.strip())
    return False


def _narrow(head: bytes) -> bytes:
    """The same with one byte for each ASCII character."""
    for begin, encoding in _WIDE.items():
        if head.startswith(begin):
            return head.decode(encoding, "ignore").removeprefix("\ufeff").encode("utf-8", "ignore")
    return head.removeprefix(codecs.BOM_UTF8)


def _check_encoding(name: str, is_wide: bool) -> None:
    try:
        known = codecs.lookup(name).name
    except (LookupError, ValueError):
        known = ""
    if not _ENCODINGS.fullmatch(known):
        raise DecodeError(
            f"its encoding '{name[:40]}' is not read",
            code="encoding", position="line 1",
            expected="UTF-8, UTF-16, US-ASCII, ISO-8859-1 to -16, windows-1250 to -1258",
        )  # fmt: skip
    if known.startswith("utf-16") and not is_wide:
        raise DecodeError(
            f"it says encoding '{name}', and its characters are of one byte",
            code="encoding", position="line 1", hint="leave the encoding out where it is UTF-8",
        )  # fmt: skip


def _no_xml(begins: bytes, is_empty: bool) -> DecodeError:
    if is_empty:
        return DecodeError("nothing in it; expected an XML document", code="no_xml", position="line 1")
    seen = begins[:20].decode("latin-1")
    return DecodeError(
        f"it is no XML document: it begins with {seen!r}" if seen else "it is no XML document: no element is in it",
        code="no_xml", position="line 1", expected="<?xml …?> or the first element", quoted=(seen,),
    )  # fmt: skip


def malformed(error: etree.XMLSyntaxError) -> DecodeError:
    """A fault of libxml2 in our words and with its place."""
    line, column = error.position
    text = re.sub(r",? line \d+, column \d+.*$", "", error.msg or "").removeprefix("xmlParseCharRef: ")
    text = re.sub(", (try|use) XML_PARSE_HUGE( option)?", "", text)
    position, limit = f"line {line}, column {max(column, 1)}", text.removeprefix("Resource limit exceeded: ")
    if limit != text:
        return DecodeError(f"the XML is too large: {limit[:300]}", code="too_large", position=position)
    detail = f"the XML is not well formed: {text[:300]}"
    told = [each for found in _TOLD.finditer(text[:300]) for each in found.groups() if each]
    return DecodeError(detail, code="malformed", position=position, quoted=(*quoted_in(text[:300]), *told))


def refuse_document_type(element: Element) -> None:
    """The same once more, by the parser's own word for what it has read."""
    if element.getroottree().docinfo.internalDTD is not None:
        raise DecodeError("it has a document type (<!DOCTYPE …>); none is read", code="document_type")


def check_extent(root: Element, limits: Limits, is_wide: bool = True) -> None:
    """Raises DecodeError where an element has too many attributes, or elements are too deep in each other. ``is_wide``:
    False where there are fewer attributes in all of it, as is known beforehand."""
    wide, deep = _searches(limits)
    for element in cast("list[Element]", wide(root)) if is_wide else ():
        detail = f"{len(element.attrib):,} attributes of one element; at most {limits.attributes} are read"
        raise DecodeError(detail, code="too_large", position=line_of(element), field_path=path_of(element))
    for element in cast("list[Element]", deep(root)):
        detail = f"more than {limits.depth} elements in each other"
        raise DecodeError(detail, code="too_large", position=line_of(element), expected="less depth")


@cache
def _searches(limits: Limits) -> tuple[etree.XPath, etree.XPath]:
    return etree.XPath(f"(//*[@*[{limits.attributes + 1}]])[1]"), etree.XPath(f"({'/*' * (limits.depth + 1)})[1]")


def line_of(element: Element) -> str:
    """Where an element begins: ``line 7``."""
    return f"line {element.sourceline}"


def path_of(element: Element, gone: Mapping[tuple[Element, str], int] = MappingProxyType({})) -> str:
    """An element's XPath with the prefixes of its document: ``/Invoice/cac:InvoiceLine[3]/cbc:ID``; a number stands
    where there are several. ``gone``: how many of a name have been taken out of a parent before this one."""
    steps = []
    here: Element | None = element
    while here is not None:
        parent = here.getparent()
        step = f"/{here.prefix}:" if here.prefix else "/"
        step += here.tag.rpartition("}")[2]
        if parent is not None:
            before = gone.get((parent, here.tag), 0) + sum(1 for _ in here.itersiblings(here.tag, preceding=True))
            if before or next(here.itersiblings(here.tag), None) is not None:
                step += f"[{before + 1}]"
        steps.append(step)
        here = parent
    return "".join(reversed(steps))
