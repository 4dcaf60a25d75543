"""Envelopes of SOAP 1.1 and 1.2 on their way: what is around a body, which fault is in it, the parts beside it."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from urllib.parse import unquote

import msgspec
from lxml import etree

from connectors._soap_xml import Element, XmlRefused, name_of

ENVELOPES = {"1.1": "http://schemas.xmlsoap.org/soap/envelope/", "1.2": "http://www.w3.org/2003/05/soap-envelope"}
VERSIONS = {uri: version for version, uri in ENVELOPES.items()}
MEDIA = {"1.1": "text/xml", "1.2": "application/soap+xml"}
WSA = "http://www.w3.org/2005/08/addressing"
ANONYMOUS = f"{WSA}/anonymous"
_INCLUDE = "{http://www.w3.org/2004/08/xop/include}Include"
_PARAMETER = re.compile(r';\s*([A-Za-z0-9-]+)\s*=\s*(?:"([^"]*)"|([^;\s]+))')
_HEADER_END = re.compile(rb"\r?\n\r?\n")
_MOST_PARTS = 1000
_PLAIN = ("", "7bit", "8bit", "binary")


class Fault(msgspec.Struct, frozen=True):
    """A fault, from the outermost code to the innermost: (namespace, name) of each."""

    codes: Sequence[tuple[str, str]]
    reason: str
    actor: str
    detail: Element | None

    @property
    def code(self) -> str:
        """The outermost code, in the words of SOAP 1.1 in lower case: client, server, mustunderstand …"""
        first = self.codes[0][1].partition(".")[0].lower() if self.codes else ""
        return {"sender": "client", "receiver": "server"}.get(first, first)


def written(envelope: Element) -> bytes:
    """An envelope as bytes."""
    return etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")


def version_of(root: Element) -> str:
    """1.1 or 1.2; '' for what is no envelope."""
    uri, local = name_of(root)
    return VERSIONS.get(uri, "") if local == "Envelope" else ""


def section(root: Element, name: str) -> Element | None:
    """Header or Body of an envelope."""
    return root.find(f"{{{name_of(root)[0]}}}{name}")


def header_of(root: Element) -> Element:
    """The header of an envelope, put there where it had none."""
    if (found := section(root, "Header")) is not None:
        return found
    made = etree.Element(f"{{{name_of(root)[0]}}}Header")
    root.insert(0, made)
    return made


def first_in_body(root: Element) -> Element | None:
    """What stands in the body; None where nothing does, or it is no envelope."""
    body = section(root, "Body") if version_of(root) else None
    return body[0] if body is not None and len(body) else None


def fault_of(root: Element) -> Fault | None:
    """The fault in an envelope; None where it has none."""
    fault, uri = first_in_body(root), name_of(root)[0]
    if fault is None or fault.tag != f"{{{uri}}}Fault":
        return None
    if version_of(root) == "1.1":
        reason, actor = fault.findtext("{*}faultstring") or "", fault.findtext("{*}faultactor") or ""
        return Fault([_code(fault.find("{*}faultcode"))], reason.strip(), actor.strip(), fault.find("{*}detail"))
    codes, code = [], fault.find(f"{{{uri}}}Code")
    while code is not None:
        codes.append(_code(code.find(f"{{{uri}}}Value")))
        code = code.find(f"{{{uri}}}Subcode")
    reason = fault.findtext(f"{{{uri}}}Reason/{{{uri}}}Text") or ""
    actor = fault.findtext(f"{{{uri}}}Role") or fault.findtext(f"{{{uri}}}Node") or ""
    return Fault(codes, reason.strip(), actor.strip(), fault.find(f"{{{uri}}}Detail"))


def _code(element: Element | None) -> tuple[str, str]:
    if element is None:
        return "", ""
    prefix, _, local = (element.text or "").strip().rpartition(":")
    return element.nsmap.get(prefix or None, ""), local


def add_addressing(envelope: Element, action: str, to: str, message_id: str) -> None:
    """WS-Addressing 1.0: what is asked of whom, and the number of the message."""
    header = header_of(envelope)
    for name, text in (("Action", action), ("To", to), ("MessageID", message_id)):
        etree.SubElement(header, f"{{{WSA}}}{name}", nsmap={"wsa": WSA}).text = text
    reply = etree.SubElement(header, f"{{{WSA}}}ReplyTo", nsmap={"wsa": WSA})
    etree.SubElement(reply, f"{{{WSA}}}Address").text = ANONYMOUS


# -- parts ---------------------------------------------------------------------------------------------------------


class Part(msgspec.Struct, frozen=True):
    """One part of multipart/related; names of headers in lower case, ``start`` and ``end`` the place of its content."""

    headers: Mapping[str, str]
    content: bytes
    start: int
    end: int

    @property
    def content_id(self) -> str:
        return self.headers.get("content-id", "").strip().removeprefix("<").removesuffix(">")


def parameters(content_type: str) -> dict[str, str]:
    """What stands behind a media type: boundary, start, action …"""
    return {name.lower(): quoted or plain for name, quoted, plain in _PARAMETER.findall(content_type)}


def parts_of(raw: bytes, boundary: str) -> list[Part]:
    """The parts in their order, as they came. Raises XmlRefused where they do not end, or are too many."""
    line = re.compile(rb"(?:\A|\r?\n)--" + re.escape(boundary.encode()) + rb"(--)?[ \t]*(?=\r?\n|\Z)")
    marks = list(line.finditer(raw))
    if len(marks) > _MOST_PARTS:
        raise XmlRefused(f"{len(marks):,} parts of multipart/related; at most {_MOST_PARTS:,} are read")
    if not boundary or not marks or not marks[-1][1]:
        raise XmlRefused("a message in parts (multipart/related) whose last part does not end")
    return [_part(raw, here.end(), after.start()) for here, after in pairwise(marks)]


def _part(raw: bytes, start: int, end: int) -> Part:
    start += 2 if raw[start : start + 2] == b"\r\n" else 1
    found = _HEADER_END.search(raw, max(0, start - 1), end)
    head = raw[start : found.start()].decode("latin-1") if found and found.start() > start else ""
    begins = found.end() if found else end
    lines = re.sub(r"\r?\n[ \t]+", " ", head).splitlines()
    headers = {name.strip().lower(): value.strip() for name, _, value in (each.partition(":") for each in lines)}
    encoding = headers.get("content-transfer-encoding", "").lower()
    content = raw[begins:end]
    if encoding == "base64":
        try:
            content = base64.b64decode(b"".join(content.split()), validate=True)
        except binascii.Error:
            raise XmlRefused("a part is not the base64 that it says") from None
    elif encoding not in _PLAIN:
        raise XmlRefused(f"a part has Content-Transfer-Encoding {encoding[:40]!r}; expected base64, binary, 8bit, 7bit")
    return Part(headers, content, begins, end)


def root_of(parts: Sequence[Part], content_type: str) -> Part:
    """The part with the envelope: the one that ``start`` names, else the first."""
    start = parameters(content_type).get("start", "").removeprefix("<").removesuffix(">")
    return next((part for part in parts if start and part.content_id == start), parts[0])


def put_back(root: Element, parts: Sequence[Part]) -> None:
    """The files of MTOM where they belong, in base64. Raises XmlRefused for one that is not among the parts, or in so
    many places that all would be twice as large as they came."""
    files, room = {part.content_id: part for part in parts}, 2 * sum(len(part.content) for part in parts)
    for include in list(root.iter(_INCLUDE)):
        name, parent = unquote(include.get("href", "").removeprefix("cid:")), include.getparent()
        if parent is None or name not in files:
            raise XmlRefused(f"the file cid:{name[:100]} is not among the parts")
        room -= len(files[name].content)
        if room < 0:
            raise XmlRefused(f"the file cid:{name[:100]} stands in too many places")
        parent.remove(include)
        parent.text = base64.b64encode(files[name].content).decode()
