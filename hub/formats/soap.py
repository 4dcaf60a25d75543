"""SOAP envelopes 1.1 and 1.2: headers, body or fault, attachments (SOAP with Attachments, MTOM), as documents and back.

What stands in headers and body is read as the format ``xml`` reads it. A file in an MTOM message is read where it
belongs, as base64. docs/reference/formats.md has the fields of a document.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast
from urllib.parse import unquote

from hub.errors import DecodeError
from hub.formats import BadRecord, Option, Place, Places, Record, Step, only_record
from hub.formats._mime_parts import Part, joined, parts_of
from hub.formats._xml import Element, line_of, parse, path_of
from hub.formats._xml_documents import Names, Writer, element_at, value_of
from hub.formats._xml_places import place_of
from hub.formats._xml_writing import DECLARATION, fault, in_text, plain

OPTIONS = (
    Option("version", "choice", "1.1", choices=("1.1", "1.2"), description="of SOAP, when writing a document that does "
           "not say it"),
    Option("lists", "list", description="elements that are a list also where there is one: `Line`"),
    Option("objects", "list", description="elements that are an object also where they have no attribute: `Price`"),
    Option("namespaces", "map", description="prefixes for names: `{m: 'urn:…'}` makes `m:ID`; `''` is the default "
           "namespace of what is in the body, when writing"),
)  # fmt: skip
CONTENT_TYPES = ("application/soap+xml", "text/xml", "application/xml", "multipart/related")
EXAMPLE = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b'<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Header><Token>t</Token></soap:Header>'
    b"<soap:Body><GetOrder><ID>4711</ID></GetOrder></soap:Body></soap:Envelope>",
    {"version": "1.1", "headers": {"Token": "t"}, "body": {"GetOrder": {"ID": "4711"}}},
)
NAMESPACES = {"1.1": "http://schemas.xmlsoap.org/soap/envelope/", "1.2": "http://www.w3.org/2003/05/soap-envelope"}
_VERSIONS = {uri: version for version, uri in NAMESPACES.items()}
_INCLUDE = "{http://www.w3.org/2004/08/xop/include}Include"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_MEDIA = {"1.1": "text/xml", "1.2": "application/soap+xml"}
_FIELDS = ("version", "headers", "must_understand", "body", "fault", "attachments")


def decode(chunks: Iterable[bytes], options: Mapping[str, Any]) -> Iterator[Record | BadRecord]:
    """The one envelope of a body, alone or with its attachments. Raises DecodeError with line and XPath."""
    raw = b"".join(chunks)
    parts = parts_of(raw)
    files = {part.content_id: part for part in parts[1:] if part.content_id} if parts else {}
    root = parse(parts[0].content if parts else raw)
    version = _version(root)
    included = _include(root, files)
    header, body = _sections(root, NAMESPACES[version])
    names = Names.of(options)
    document: dict[str, Any] = {"version": version}
    if header is not None and len(header):
        needed = [names.of_element(each) for each in header if _is_needed(each, NAMESPACES[version])]
        document["headers"] = _fields(header, names)
        if needed:
            document["must_understand"] = needed
    first = body[0] if len(body) else None
    if first is not None and first.tag == f"{{{NAMESPACES[version]}}}Fault":
        document["fault"] = _fault(first, version, names)
    else:
        document["body"] = _fields(body, names)
    if parts and (left := [part for part in parts[1:] if part.content_id not in included]):
        document["attachments"] = [_attachment(part) for part in left]
    yield Record(document, line_of(root))


def decode_one(raw: bytes, options: Mapping[str, Any]) -> Any:
    """The envelope of a body. Raises DecodeError with line and XPath."""
    return only_record(decode([raw], options))


def encode(documents: Iterable[Any], options: Mapping[str, Any]) -> bytes:
    """One envelope; with attachments a body of multipart/related, whose first line tells the boundary."""
    every = list(documents)
    if len(every) != 1:
        raise fault("", f"{len(every)} documents for one envelope", "one")
    return encode_one(every[0], options)


def holds_several(options: Mapping[str, Any]) -> bool:
    """One body holds one."""
    return False


def encode_one(document: Any, options: Mapping[str, Any]) -> bytes:
    """One envelope. Raises MappingError for what it has no place for."""
    if not isinstance(document, Mapping):
        raise fault("", "not a mapping", f"a mapping of {', '.join(_FIELDS)}")
    for name in document:
        if name not in _FIELDS:
            raise fault(str(name), "a field that an envelope does not have", f"one of {', '.join(_FIELDS)}")
    version = plain(document.get("version", options.get("version", "1.1")), "version")
    if version not in NAMESPACES:
        raise fault("version", repr(version[:20]), "'1.1' or '1.2'")
    if "fault" in document and "body" in document:
        raise fault("fault", "a body beside it", "either of them")
    writer = Writer(Names.of(options), 0, known=("soap",))
    out = writer.out
    out.append(f'<soap:Envelope xmlns:soap="{NAMESPACES[version]}">')
    if headers := document.get("headers"):
        needed = {plain(name, "must_understand") for name in _listed(document, "must_understand")}
        _write_all(writer, "soap:Header", _marked(headers, needed), "headers")
    if "fault" in document:
        out.append("<soap:Body>")
        _write_fault(writer, document["fault"], version)
        out.append("</soap:Body>")
    else:
        _write_all(writer, "soap:Body", document.get("body") or {}, "body")
    out.append("</soap:Envelope>")
    envelope = (DECLARATION + "".join(out)).encode()
    if not (attachments := _listed(document, "attachments")):
        return envelope
    root = Part("envelope", f"{_MEDIA[version]}; charset=UTF-8", envelope)
    return joined([root, *(_part(each, f"attachments[{number}]") for number, each in enumerate(attachments))])


def places(raw: bytes, options: Mapping[str, Any], index: int) -> Places:
    """Where what is in headers, body and fault stands; of a message in parts, where the envelope is not encoded."""
    parts = parts_of(raw)
    inner = parts[0].content if parts else raw
    root, begin = parse(inner), raw.find(inner)
    header, body = _sections(root, NAMESPACES[_version(root)])
    names, above = Names.of(options), raw.count(b"\n", 0, max(begin, 0))

    def find(steps: Sequence[Step]) -> Place | None:
        of, rest = steps[0] if steps else "", steps[1:]
        section: Element | None = {"headers": header, "body": body}.get(str(of), root)
        if of == "fault" and len(body):
            details = [each for each in body[0] if each.tag.lower().endswith("detail")]
            section, rest = (details[0], rest[1:]) if details and rest[:1] == ["detail"] else (body[0], [])
        below = None if section is None or begin < 0 else element_at(section, rest, names)
        found = None if below is None else place_of([inner], path_of(below))
        return found and Place(found.line + above, found.column, found.offset + begin)

    return find


# -- reading -------------------------------------------------------------------------------------------------------


def _version(root: Element) -> str:
    uri, _, local = root.tag.removeprefix("{").rpartition("}")
    if local == "Envelope" and uri in _VERSIONS:
        return _VERSIONS[uri]
    if local == "Envelope":
        seen = f"an Envelope of the namespace {uri[:100]!r}"
    else:
        seen = f"the root element is {local[:60]}"
    raise DecodeError(
        f"it is no SOAP envelope: {seen}", code="version_mismatch", position=line_of(root), field_path=path_of(root),
        expected=" or ".join(f"Envelope of {uri} ({version})" for version, uri in NAMESPACES.items()),
    )  # fmt: skip


def _sections(root: Element, uri: str) -> tuple[Element | None, Element]:
    own = [each for each in root if each.tag in (f"{{{uri}}}Header", f"{{{uri}}}Body")]
    kinds = [each.tag.rpartition("}")[2] for each in own]
    if kinds not in (["Body"], ["Header", "Body"]):
        seen = ", ".join(kinds[:5]) or "neither Header nor Body"
        raise DecodeError(
            f"the envelope has {seen}", code="malformed", position=line_of(root), field_path=path_of(root),
            expected="one Body, with one Header before it or none, in the namespace of the envelope",
        )  # fmt: skip
    return (own[0] if len(own) == 2 else None), own[-1]


def _fields(parent: Element, names: Names) -> dict[str, Any]:
    found = value_of(parent, names)
    return {} if not isinstance(found, dict) else {key: each for key, each in found.items() if key != "_text"}


def _is_needed(block: Element, uri: str) -> bool:
    return block.attrib.pop(f"{{{uri}}}mustUnderstand", "") in ("1", "true")


def _include(root: Element, files: Mapping[str, Part]) -> set[str]:
    """Put the files of MTOM where they belong; their content ids. One that is named in a thousand places does not
    become a thousand files."""
    found, room = set(), 2 * sum(len(part.content) for part in files.values())
    for include in list(root.iter(_INCLUDE)):
        content_id = unquote(include.get("href", "").removeprefix("cid:"))
        parent = include.getparent()
        if parent is None or content_id not in files:
            raise DecodeError(
                f"the file cid:{content_id[:100]} is not among the parts",
                code="no_such_part", position=line_of(include), field_path=path_of(include),
                expected=f"one of {len(files)} Content-IDs of the other parts", quoted=(content_id[:100],),
            )  # fmt: skip
        room -= len(files[content_id].content)
        if room < 0:
            raise DecodeError(
                f"the file cid:{content_id[:100]} stands in too many places: all would be twice as large as they came",
                code="too_large", position=line_of(include), field_path=path_of(include), expected="each in one place",
                quoted=(content_id[:100],),
            )  # fmt: skip
        parent.remove(include)
        parent.text = base64.b64encode(files[content_id].content).decode()
        found.add(content_id)
    return found


def _fault(element: Element, version: str, names: Names) -> dict[str, Any]:
    """``code`` and ``subcodes`` without prefixes, ``reason`` in the first language, ``actor`` (role), ``detail``."""
    uri = "{*}" if version == "1.1" else f"{{{NAMESPACES[version]}}}"  # some qualify what SOAP 1.1 does not

    def text(name: str, of: Element = element) -> str:
        found = of.find(uri + name)
        return "" if found is None else _all_of(found)

    detail = element.find(uri + ("detail" if version == "1.1" else "Detail"))
    if version == "1.1":
        codes, actor, reasons = [text("faultcode")], text("faultactor"), {"": text("faultstring")}
    else:
        code, codes = element.find(f"{uri}Code"), []
        while code is not None:
            codes.append(text("Value", code))
            code = code.find(f"{uri}Subcode")
        spoken = element.iterfind(f"{uri}Reason/{uri}Text")
        actor, reasons = (
            text("Role") or text("Node"),
            {each.get(_LANG, ""): _all_of(each) for each in spoken},
        )
    named = [code.rpartition(":")[2] for code in codes if code]
    found: dict[str, Any] = {"code": named[0] if named else "", "reason": next(iter(reasons.values()), "")}
    if named[1:]:
        found["subcodes"] = named[1:]
    if len(reasons) > 1:
        found["reasons"] = [{"language": language, "text": text} for language, text in reasons.items()]
    if actor:
        found["actor"] = actor
    if detail is not None:
        found["detail"] = value_of(detail, names)
    return found


def _all_of(element: Element) -> str:
    """The text of an element, also that of elements within."""
    return "".join(cast("Iterator[str]", element.itertext())).strip()


def _attachment(part: Part) -> dict[str, Any]:
    return {
        "content_id": part.content_id, "content_type": part.content_type,
        "content": base64.b64encode(part.content).decode(),
    }  # fmt: skip


# -- writing -------------------------------------------------------------------------------------------------------


def _write_all(writer: Writer, tag: str, fields: Any, path: str) -> None:
    if not isinstance(fields, Mapping):
        raise fault(path, "not a mapping", "a mapping from elements to what is in them")
    writer.element(tag, fields, path, 0, is_around=True)


def _listed(document: Mapping[Any, Any], name: str, above: str = "") -> Sequence[Any]:
    found = document.get(name)
    if found is not None and not isinstance(found, list | tuple):
        raise fault(f"{above}{name}", "not a list", "a list")
    return found or ()


def _marked(headers: Any, needed: set[Any]) -> Any:
    if not needed or not isinstance(headers, Mapping):
        return headers
    if unknown := sorted(str(name) for name in needed if name not in headers):
        raise fault("must_understand", f"'{unknown[0]}'", "the name of one of the headers")
    return {name: _as_needed(value) if name in needed else value for name, value in headers.items()}


def _as_needed(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_as_needed(each) for each in value]
    return {**(value if isinstance(value, Mapping) else {"_text": value}), "_soap:mustUnderstand": "1"}


def _write_fault(writer: Writer, given: Any, version: str) -> None:
    if not isinstance(given, Mapping):
        raise fault("fault", "not a mapping", "a mapping of code, reason, subcodes, actor, detail")
    code, reason = plain(given.get("code", "Server"), "fault.code"), plain(given.get("reason", ""), "fault.reason")
    code = _SAME[version].get(code, code)
    if version == "1.2" and code not in _CODES:
        raise fault("fault.code", repr(code[:60]), f"one of {', '.join(_CODES)}", hint="say more in subcodes")
    actor = given.get("actor")
    write = writer.out.append
    write("<soap:Fault>")
    if version == "1.1":
        write(f"<faultcode>soap:{in_text(code, 'fault.code')}</faultcode>")
        write(f"<faultstring>{in_text(reason, 'fault.reason')}</faultstring>")
        if actor:
            write(f"<faultactor>{in_text(plain(actor, 'fault.actor'), 'fault.actor')}</faultactor>")
    else:
        subcodes = _listed(given, "subcodes", "fault.")
        write(f"<soap:Code><soap:Value>soap:{in_text(code, 'fault.code')}</soap:Value>")
        for number, each in enumerate(subcodes):
            path = f"fault.subcodes[{number}]"
            write(f"<soap:Subcode><soap:Value>{in_text(plain(each, path), path)}</soap:Value>")
        write("</soap:Subcode>" * len(subcodes) + "</soap:Code>")
        write(f'<soap:Reason><soap:Text xml:lang="en">{in_text(reason, "fault.reason")}</soap:Text></soap:Reason>')
        if actor:
            write(f"<soap:Role>{in_text(plain(actor, 'fault.actor'), 'fault.actor')}</soap:Role>")
    if (detail := given.get("detail")) is not None:
        writer.element("detail" if version == "1.1" else "soap:Detail", detail, "fault.detail", 0, is_around=True)
    write("</soap:Fault>")


_CODES = ("Sender", "Receiver", "MustUnderstand", "VersionMismatch", "DataEncodingUnknown")
_SAME = {
    "1.1": {"Sender": "Client", "Receiver": "Server"},
    "1.2": {"Client": "Sender", "Server": "Receiver"},
}


def _part(given: Any, path: str) -> Part:
    if not isinstance(given, Mapping):
        raise fault(path, "not a mapping", "a mapping of content_id, content_type, content")
    try:
        content = base64.b64decode(plain(given.get("content", ""), f"{path}.content"), validate=True)
    except (binascii.Error, ValueError):
        raise fault(f"{path}.content", "text that is no base64", "the file in base64") from None
    names = [plain(given.get(name, ""), f"{path}.{name}") for name in ("content_id", "content_type")]
    for name, text in zip(("content_id", "content_type"), names, strict=True):
        if not text.isascii() or not text.isprintable() or (name == "content_id" and set(text) & set("<> ")):
            raise fault(f"{path}.{name}", repr(text[:60]), "text of ASCII in one line")
    return Part(names[0] or path.replace("[", "-").rstrip("]"), names[1] or "application/octet-stream", content)
