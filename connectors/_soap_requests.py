"""Making the requests of a SOAP system: what a delivery holds becomes an envelope, what is around it is added.

A delivery is JSON: the operation's values under its name, ``{"CreateOrder": {…}}``, or the values alone where the
system says ``operation:``. Or it is an envelope that the format ``soap`` has written, with its files beside it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
from lxml import etree

from connectors._exact import decode
from connectors._request import Template
from connectors._soap_envelope import (
    MEDIA,
    add_addressing,
    first_in_body,
    header_of,
    parts_of,
    version_of,
    written,
)
from connectors._soap_security import Security
from connectors._soap_service import Operation, Service, described
from connectors._soap_values import Unfit
from connectors._soap_xml import Element, XmlRefused, name_of, parse
from connectors.base import Parcel

HEADERS = "_headers"  # the field of a document that holds SOAP headers
_LARGEST = 64_000_000
_BOUNDARY = re.compile(rb"\s*--([^\r\n]{1,70}?)[ \t]*\r?\n")


class Envelopes(msgspec.Struct, frozen=True):
    """What is the same for a system. ``operation`` is '' where documents name it."""

    service: Service
    address: str
    operation: str
    headers: Mapping[str, Any]
    addresses: bool
    security: Security
    validates: bool

    def make(self, parcel: Parcel, now_epoch: float, chance: bytes) -> tuple[Parcel, Operation]:
        """The parcel as it is sent, and what it calls. Raises Unfit for a document that calls nothing."""
        begin = parcel.body.lstrip()[:2]
        if begin[:1] == b"<":
            return self._of_envelope(parcel, parcel.body, now_epoch, chance)
        if begin == b"--":
            return self._of_parts(parcel, now_epoch, chance)
        operation, values, headers = self._called(parcel.body)
        return self.ask(parcel, operation, values, headers, now_epoch, chance)

    def ask(
        self, parcel: Parcel, operation: Operation, values: Any, headers: Mapping[str, Any], now_epoch: float,
        chance: bytes,
    ) -> tuple[Parcel, Operation]:  # fmt: skip
        """A call of an operation with these values."""
        every = {**self.headers, **headers}
        typed = {name: value for name, value in every.items() if not name.startswith("{")}
        path = "" if self.operation else operation.name
        envelope = operation.input.write(values, typed, path)
        for tag, value in every.items():
            if tag.startswith("{"):
                header_of(envelope).append(_untyped(tag, value))
        return self._finished(parcel, envelope, operation, now_epoch, chance), operation

    def _called(self, body: bytes) -> tuple[Operation, Any, Mapping[str, Any]]:
        try:
            document = decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise Unfit("", "neither JSON nor an envelope (format: json or format: soap)") from None
        if not isinstance(document, dict):
            raise Unfit("", "expected an object with the operation's name")
        headers = document.pop(HEADERS, None) or {}
        if not isinstance(headers, dict):
            raise Unfit(HEADERS, "expected an object of SOAP headers by their names")
        if self.operation:
            return self.service.operation(self.operation), document, headers
        if len(document) != 1:
            there = ", ".join(sorted(document)[:10]) or "nothing"
            raise Unfit("", f"expected one field, the operation's name, got {there}; or say operation: in the system")
        [(name, values)] = document.items()
        return self.service.operation(name), values, headers

    def _of_envelope(self, parcel: Parcel, raw: bytes, now_epoch: float, chance: bytes) -> tuple[Parcel, Operation]:
        try:
            root = parse(raw, _LARGEST)
        except XmlRefused as error:
            raise Unfit("", f"the envelope: {error}") from None
        version, first = version_of(root), first_in_body(root)
        if version != self.service.version:
            raise Unfit("", f"an envelope of SOAP {version or 'of no version'}; expected {self.service.version}")
        operation = self.service.asked_by(first.tag) if first is not None else None
        if operation is None:
            known = ", ".join(sorted(each.input.tag for each in self.service.operations.values()))
            raise Unfit("", f"no operation is called by {first.tag if first is not None else 'an empty body'}; {known}")
        for tag, value in self.headers.items():
            header_of(root).append(_untyped(tag, value))
        return self._finished(parcel, root, operation, now_epoch, chance), operation

    def _of_parts(self, parcel: Parcel, now_epoch: float, chance: bytes) -> tuple[Parcel, Operation]:
        """The same with files beside it, which are not touched."""
        begin = _BOUNDARY.match(parcel.body)
        boundary = begin[1].decode("latin-1") if begin else ""
        try:
            first = parts_of(parcel.body, boundary)[0]
        except (XmlRefused, IndexError) as error:
            raise Unfit("", str(error)) from None
        made, operation = self._of_envelope(parcel, first.content, now_epoch, chance)
        body = parcel.body[: first.start] + made.body + parcel.body[first.end :]
        start = f'; start="<{first.content_id}>"' if first.content_id else ""
        kind = f'multipart/related; type="{MEDIA[self.service.version]}"; boundary="{boundary}"{start}'
        return msgspec.structs.replace(made, body=body, content_type=kind), operation

    def _finished(
        self, parcel: Parcel, envelope: Element, operation: Operation, now_epoch: float, chance: bytes
    ) -> Parcel:
        first = first_in_body(envelope)
        if self.validates and (faults := self.service.faults(first)):
            raise Unfit("", f"not valid by the WSDL: {described(faults)}")
        if self.addresses:
            fallback = f"{name_of(first)[0]}/{operation.name}" if first is not None else operation.name
            add_addressing(envelope, operation.wsa_action or fallback, self.address, f"urn:o2c:{parcel.key}")
        self.security.add(envelope, now_epoch, chance)
        media, headers = f"{MEDIA[self.service.version]}; charset=utf-8", dict(parcel.headers)
        if self.service.version == "1.1":
            headers["SOAPAction"] = f'"{operation.action}"'
        elif operation.action:
            media += f'; action="{operation.action}"'
        return msgspec.structs.replace(parcel, body=written(envelope), content_type=media, headers=headers)


def _untyped(tag: str, value: Any) -> Element:
    """A header that the WSDL does not declare: ``{namespace}Name``, what is in it in the same namespace."""
    try:
        made = etree.Element(tag)
    except ValueError:
        raise Unfit(HEADERS, f"'{tag[:80]}' cannot name a header; write {{namespace}}Name") from None
    if not isinstance(value, Mapping):
        made.text = str(value)
        return made
    uri = name_of(made)[0]
    for name, each in value.items():
        made.append(_untyped(f"{{{uri}}}{name}" if uri else str(name), each))
    return made


def filled(value: Any, variables: Mapping[str, str], setting: str) -> Any:
    """Values with the variables in their texts filled in. Raises Unmakeable for one that is missing."""
    if isinstance(value, Mapping):
        return {name: filled(each, variables, f"{setting}.{name}") for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [filled(each, variables, setting) for each in value]
    return Template(value, setting).fill(variables, str) if isinstance(value, str) else value
