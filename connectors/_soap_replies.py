"""What a caller is told: the reply of its operation from a template, or a fault of SOAP 1.1 or 1.2."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from lxml import etree

from connectors._extract import extractor
from connectors._soap_envelope import ENVELOPES, WSA, header_of, written
from connectors._soap_service import Operation, Service, described
from connectors._soap_values import Unfit
from connectors._soap_xml import Element
from connectors.base import PermanentError

ERROR = "urn:o2c-hub:error"
_PART = re.compile(r"\{([^{}]+)\}")
_GIVEN = ("message_id", "received_at", "operation")
_SAMPLES = {
    "message_id": "01890000-0000-7000-8000-000000000000", "received_at": "2026-01-01T00:00:00Z", "operation": "o",
}  # fmt: skip
_NEWER = {"Client": "Sender", "Server": "Receiver"}
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


class Replies:
    """The answers of a service's operations. ``templates``: by operation; one without a template is answered empty."""

    def __init__(self, templates: Mapping[str, Any]) -> None:
        self._templates = templates

    def write(
        self, service: Service, operation: Operation, given: Mapping[str, str], headers: Mapping[str, str], body: Any
    ) -> Element:
        """The envelope of a reply. Raises Unfit where template and request do not give what the WSDL wants."""
        assert operation.output is not None, "what goes one way has no reply"

        def find(name: str) -> str:
            found = given[name] if name in _GIVEN else extractor(name, "replies")(headers, body)
            if found is None:
                raise Unfit(f"replies.{operation.name}", f"the request has no {name}")
            return found

        values = _filled(self._templates.get(operation.name) or {}, find)
        envelope = operation.output.write(values, path=f"replies.{operation.name}")
        body_element = envelope.find(f"{{{ENVELOPES[service.version]}}}Body")
        first = body_element[0] if body_element is not None and len(body_element) else None
        if faults := service.faults(first):
            raise Unfit(f"replies.{operation.name}", f"not valid by the WSDL: {described(faults)}")
        return envelope

    def inspect(self, service: Service) -> None:
        """Whether every operation can be answered. Raises PermanentError that names the template."""
        for name in self._templates:
            if name not in service.operations or service.operations[name].output is None:
                there = ", ".join(sorted(key for key, each in service.operations.items() if each.output is not None))
                raise PermanentError(f"replies.{name}: no operation with an answer has this name; there are {there}")
        for operation in service.operations.values():
            if operation.output is not None:
                self._inspect(service, operation)

    def _inspect(self, service: Service, operation: Operation) -> None:
        template = self._templates.get(operation.name)
        is_open = False

        def sample(name: str) -> str:
            nonlocal is_open
            if name not in _GIVEN:
                extractor(name, f"replies.{operation.name}")
                is_open = True
            return _SAMPLES.get(name, "0")

        try:
            values = _filled(template or {}, sample)
            assert operation.output is not None, "looked at above"
            envelope = operation.output.write(values, path=f"replies.{operation.name}")
            first = envelope.find(f"{{{ENVELOPES[service.version]}}}Body")
            faults = service.faults(first[0]) if first is not None and len(first) and not is_open else []
            wrong = described(faults) if faults else ""
        except Unfit as error:
            wrong = error.detail
        if wrong and template is None:
            raise PermanentError(f"replies.{operation.name} is missing: its answer cannot be empty ({wrong})")
        if wrong:
            raise PermanentError(f"replies.{operation.name}: {wrong}")


def _filled(value: Any, find: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _filled(each, find) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_filled(each, find) for each in value]
    return _PART.sub(lambda found: find(found[1]), value) if isinstance(value, str) else value


def fault_bytes(
    version: str, code: str, reason: str, *, subcode: tuple[str, str] | None = None,
    errors: Sequence[Mapping[str, str]] = (), relates_to: str = "",
) -> bytes:  # fmt: skip
    """A fault as an envelope. ``code`` is one of SOAP 1.1 (Client, Server, MustUnderstand, VersionMismatch), ``errors``
    what is wrong where: code, path, line, message."""
    uri = ENVELOPES[version]
    spaces = {"soap": uri, **({"s": subcode[0]} if subcode else {})}
    envelope = etree.Element(f"{{{uri}}}Envelope", nsmap=spaces)
    body = etree.SubElement(envelope, f"{{{uri}}}Body")
    fault = etree.SubElement(body, f"{{{uri}}}Fault")
    if version == "1.1":
        shown = f"s:{subcode[1]}" if subcode else f"soap:{code}"
        etree.SubElement(fault, "faultcode").text = shown
        etree.SubElement(fault, "faultstring").text = _clean(reason)
        detail = etree.SubElement(fault, "detail") if errors else None
    else:
        outer = etree.SubElement(fault, f"{{{uri}}}Code")
        etree.SubElement(outer, f"{{{uri}}}Value").text = f"soap:{_NEWER.get(code, code)}"
        if subcode:
            inner = etree.SubElement(outer, f"{{{uri}}}Subcode")
            etree.SubElement(inner, f"{{{uri}}}Value").text = f"s:{subcode[1]}"
        text = etree.SubElement(etree.SubElement(fault, f"{{{uri}}}Reason"), f"{{{uri}}}Text")
        text.text, text.attrib[_LANG] = _clean(reason), "en"
        detail = etree.SubElement(fault, f"{{{uri}}}Detail") if errors else None
    for error in errors:
        assert detail is not None, "made where there are errors"
        made = etree.SubElement(detail, f"{{{ERROR}}}error", nsmap={"e": ERROR})
        for name, value in error.items():
            if value:
                etree.SubElement(made, f"{{{ERROR}}}{name}").text = _clean(value)
    if relates_to:
        relate(envelope, f"{WSA}/fault", relates_to)
    return written(envelope)


def relate(envelope: Element, action: str, message_id: str) -> None:
    """WS-Addressing: what this is an answer to."""
    header = header_of(envelope)
    etree.SubElement(header, f"{{{WSA}}}Action", nsmap={"wsa": WSA}).text = action
    etree.SubElement(header, f"{{{WSA}}}RelatesTo", nsmap={"wsa": WSA}).text = message_id


def _clean(text: str) -> str:
    """A text without the characters that XML does not have."""
    return re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text)
