"""The door of a SOAP system: what a request calls and whether it may, what it is answered with, its WSDL for callers.

It reads elements that somebody else has parsed and judged by the types; it stores nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import msgspec
from lxml import etree

from connectors._extract import Extractor, extractor
from connectors._proofs import SignatureError
from connectors._soap_envelope import ANONYMOUS, ENVELOPES, MEDIA, WSA, fault_of, section, version_of, written
from connectors._soap_files import XSD, Documents
from connectors._soap_proofs import Verifier
from connectors._soap_replies import Replies, fault_bytes, relate
from connectors._soap_schema import OF_XML, XML, XML_XSD
from connectors._soap_security import WSSE
from connectors._soap_service import Operation, Service, service_of
from connectors._soap_values import Unfit, untyped
from connectors._soap_xml import Element, name_of
from connectors.base import ConnectorError, PermanentError

MESSAGE_ID, OPERATION = "message-id", "operation"
_ADDRESSES = ("{http://schemas.xmlsoap.org/wsdl/soap/}address", "{http://schemas.xmlsoap.org/wsdl/soap12/}address")
_LONGEST_ID = 500
_ME = {
    "1.1": ("", "http://schemas.xmlsoap.org/soap/actor/next"),
    "1.2": ("", f"{ENVELOPES['1.2']}/role/next", f"{ENVELOPES['1.2']}/role/ultimateReceiver"),
}  # fmt: skip
_NO_ADDRESS = (ANONYMOUS, f"{WSA}/none")


class Refused(ConnectorError):
    """A request that is answered with a fault: ``code`` (of SOAP 1.1), a stable short ``reason`` and a sentence."""

    def __init__(
        self, code: str, reason: str, detail: str, *, element: Element | None = None,
        subcode: tuple[str, str] | None = None, is_unproved: bool = False,
    ) -> None:  # fmt: skip
        self.code, self.reason, self.detail = code, reason, detail
        self.element, self.subcode, self.is_unproved = element, subcode, is_unproved
        super().__init__(detail)


class Asked(msgspec.Struct, frozen=True):
    """A request that is understood. ``first`` is what stands in its body, None where nothing does; ``once`` what
    no other request may have, '' where there is no such thing."""

    service: Service
    operation: Operation
    version: str
    first: Element | None
    message_id: str | None
    event: str
    dedupe_id: str | None
    headers: Mapping[str, str]
    body: Any
    once: str


class Endpoint:
    """One system that is called. Raises PermanentError for settings or a WSDL that cannot be."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.services = _services(config)
        self.verifier = Verifier(config)
        self.publishes = bool(config.get("publish", True))
        self._replies = Replies(config.get("replies") or {})
        event, dedupe = str(config.get("event") or OPERATION), (config.get("dedupe") or {}).get("id") or MESSAGE_ID
        self._event: Extractor | None = None if event == OPERATION else extractor(event, "event")
        self._dedupe: Extractor | None = None if dedupe == MESSAGE_ID else extractor(str(dedupe), "dedupe.id")
        self._hashes = str(dedupe) == "sha256"

    @property
    def content_types(self) -> frozenset[str]:
        """The media types of what it takes."""
        return frozenset({*(MEDIA[version] for version in self.services), "multipart/related"})

    def inspect(self) -> None:
        """Whether every operation can be answered. Raises PermanentError."""
        for service in self.services.values():
            if service.schema_fault is not None:
                raise service.schema_fault
            self._replies.inspect(service)

    def version_for(self, root: Element | None) -> str:
        """The version that a caller is answered in: its own, where the WSDL has it."""
        version = version_of(root) if root is not None else ""
        return version if version in self.services else next(iter(self.services))

    # -- what comes --------------------------------------------------------------------------------------------------

    def understand(self, root: Element, raw: bytes, headers: Mapping[str, str], now_epoch: float) -> Asked:
        """What is asked by whom. ``headers`` by lower-case name. Raises Refused, SignatureError."""
        service = self._service(root)
        header, message_id = section(root, "Header"), _message_id(root)
        told = self._told(root, raw, headers, message_id)
        once = self.verifier.check_envelope(root, raw, told, now_epoch)
        first = self._first(root)
        operation = service.asked_by(str(first.tag) if first is not None else "")
        if operation is None:
            known = ", ".join(sorted(each.input.tag or "nothing" for each in service.operations.values()))
            seen = first.tag if first is not None else "nothing"
            raise Refused("Client", "unknown_operation", f"the body holds {seen}; expected one of {known}",
                          element=first)  # fmt: skip
        self._check_understood(header, operation, service.version)
        body = _fields(first)
        event = self._event(headers, body) if self._event else operation.name
        return Asked(service, operation, service.version, first, message_id, event or "", told, headers, body, once)

    def _told(self, root: Element, raw: bytes, headers: Mapping[str, str], message_id: str | None) -> str | None:
        """What a repeat is told by; None where nothing tells it."""
        if self._dedupe is None:
            return message_id
        body = section(root, "Body")
        first = body[0] if body is not None and len(body) else None
        return self._dedupe(headers, raw if self._hashes else _fields(first))

    def _service(self, root: Element) -> Service:
        uri, local = name_of(root)
        if local != "Envelope":
            raise Refused("Client", "no_envelope", f"the root is {root.tag}; expected a SOAP envelope", element=root)
        version = version_of(root)
        if version not in self.services:
            spoken = " and ".join(f"{each} ({ENVELOPES[each]})" for each in self.services)
            raise Refused(
                "VersionMismatch", "version_mismatch", f"an envelope in {uri}; this service speaks SOAP {spoken}"
            )
        return self.services[version]

    def _first(self, root: Element) -> Element | None:
        body = section(root, "Body")
        if body is None or len(root.findall(body.tag)) != 1:
            raise Refused("Client", "no_body", "the envelope has no Body, or several", element=root)
        if len(body) > 1:
            raise Refused("Client", "several_bodies", f"{len(body)} elements in Body; expected one", element=body[1])
        if fault_of(root) is not None:
            raise Refused("Client", "fault_sent", "a fault is no call", element=body[0])
        return body[0] if len(body) else None

    def _check_understood(self, header: Element | None, operation: Operation, version: str) -> None:
        """What must be understood and is not."""
        uri = ENVELOPES[version]
        for block in header if header is not None else ():
            needed = block.get(f"{{{uri}}}mustUnderstand") in ("1", "true")
            role = block.get(f"{{{uri}}}actor" if version == "1.1" else f"{{{uri}}}role") or ""
            if needed and role in _ME[version] and not self._understands(block, operation):
                detail = f"the header {block.tag} has to be understood (mustUnderstand), and is not"
                raise Refused("MustUnderstand", "must_understand", detail, element=block)
        reply_to = header.findtext(f"{{{WSA}}}ReplyTo/{{{WSA}}}Address") if header is not None else None
        if reply_to and reply_to.strip() not in _NO_ADDRESS:
            detail = "ReplyTo names an address; the answer comes with this connection (anonymous) or not at all"
            raise Refused("Client", "reply_to", detail, subcode=(WSA, "OnlyAnonymousAddressSupported"))

    def _understands(self, block: Element, operation: Operation) -> bool:
        if block.tag == f"{{{WSSE}}}Security":
            return self.verifier.reads_security
        return name_of(block)[0] == WSA or block.tag in operation.input.header_tags

    # -- what is answered --------------------------------------------------------------------------------------------

    def reply(self, asked: Asked, message_id: str, received_at: str) -> bytes:
        """The envelope of the operation's answer; nothing where it goes one way. Raises Refused where there is none."""
        operation = asked.operation
        if operation.output is None:
            return b""
        given = {"message_id": message_id, "received_at": received_at, "operation": operation.name}
        try:
            envelope = self._replies.write(asked.service, operation, given, asked.headers, asked.body)
        except Unfit as error:
            raise Refused("Server", "no_reply", f"this request has no answer: {error}") from None
        if asked.message_id:
            relate(envelope, f"{operation.wsa_action or operation.name}Response", asked.message_id)
        return written(envelope)

    def fault(
        self, version: str, refused: Refused, errors: Sequence[Mapping[str, str]], relates_to: str = ""
    ) -> bytes:  # fmt: skip
        """The envelope of a fault. ``errors``: code, path, line and message of each thing that is wrong."""
        return fault_bytes(
            version, refused.code, refused.detail, subcode=refused.subcode, errors=errors, relates_to=relates_to
        )

    # -- its WSDL ----------------------------------------------------------------------------------------------------

    def wsdl(self, path: str, address: str) -> bytes | None:
        """The WSDL with this address in it, or ('path') a file that it imports; None where it has none of that path."""
        known = next(iter(self.services.values())).documents
        path = path or known.main
        if path == XML_XSD:
            return OF_XML
        return _published(known, path, address) if path in known.roots else None


def unproved(error: SignatureError, is_of_envelope: bool) -> Refused:
    """The fault for who does not prove who they are."""
    subcode = (WSSE, "FailedAuthentication") if is_of_envelope else None
    return Refused("Client", error.reason, error.detail, subcode=subcode, is_unproved=True)


def _services(config: Mapping[str, Any]) -> dict[str, Service]:
    """The port of each version that the service is called by."""
    main, files = str(config["wsdl"]), config.get("files") or {}
    names = str(config.get("service") or ""), str(config.get("port") or "")
    found: dict[str, Service] = {}
    wrong: PermanentError | None = None
    for version in ENVELOPES:
        try:
            found[version] = service_of(main, files, *names, version=version)
        except PermanentError as error:
            wrong = error
    if not found:
        assert wrong is not None, "there is a service or a reason"
        raise wrong
    return found


def _fields(first: Element | None) -> dict[str, Any]:
    return {name_of(first)[1]: untyped(first)} if first is not None else {}


def _message_id(root: Element) -> str | None:
    header = section(root, "Header")
    text = (header.findtext(f"{{{WSA}}}MessageID") or "").strip() if header is not None else ""
    if len(text) > _LONGEST_ID:
        raise Refused("Client", "message_id", f"a MessageID of {len(text)} characters; at most {_LONGEST_ID}")
    return text or None


def _published(known: Documents, path: str, address: str) -> bytes:
    root = etree.fromstring(known.raw[path], etree.XMLParser(resolve_entities=False, no_network=True))
    shown = Documents(known.main, known.raw, {**known.roots, path: root})
    for element, attribute, found in list(shown.named_by(path)):
        element.set(attribute, f"{address}?wsdl={quote(found)}")
    for element in root.iter(f"{{{XSD}}}import"):  # some callers would fetch it from its authors
        if element.get("namespace") == XML and not element.get("schemaLocation"):
            element.set("schemaLocation", f"{address}?wsdl={XML_XSD}")
    for place in root.iter(*_ADDRESSES):
        place.set("location", address)
    return written(root)
