"""Calls of the connector soap to a scripted server, and what that says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from scripted_server import Line, Request, Script, ScriptedServer
from sending import FAST, send
from soap_services import WSDL, wsdl_files

from connectors import soap
from connectors.base import DELIVERED, DOUBT, LATER, REFUSED, STOPPED, Parcel, Verdict

S11, S12 = "http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
ORDER = {
    "number": "A-1", "date": "2026-03-05", "line": [{"item": "hose", "quantity": 2, "price": {"_value_1": "9.90",
    "currency": "EUR"}}], "total": {"_value_1": "19.80", "currency": "EUR"},
}  # fmt: skip
CREATED = "<r:CreateOrderResponse xmlns:r='urn:example:orders'><r:number>S-1</r:number></r:CreateOrderResponse>"


def envelope(body: str, uri: str = S11) -> bytes:
    return f'<s:Envelope xmlns:s="{uri}"><s:Body>{body}</s:Body></s:Envelope>'.encode()


def fault(code: str, text: str = "why", more: str = "") -> bytes:
    """A fault of SOAP 1.1."""
    return envelope(f"<s:Fault><faultcode {more}>{code}</faultcode><faultstring>{text}</faultstring></s:Fault>")


def fault12(code: str, subcode: str = "") -> bytes:
    inner = f"<s:Subcode><s:Value xmlns:w='{WSSE}'>{subcode}</s:Value></s:Subcode>" if subcode else ""
    text = "<s:Reason><s:Text xml:lang='en'>why</s:Text></s:Reason>"
    return envelope(f"<s:Fault><s:Code><s:Value>s:{code}</s:Value>{inner}</s:Code>{text}</s:Fault>", S12)


def parcel(document: Any = None, number: int = 1, **more: Any) -> Parcel:
    content = document if isinstance(document, bytes) else json.dumps(document or {"CreateOrder": ORDER}).encode()
    return Parcel(f"d-{number}", f"d-{number}.1", content, **more)


Make = Callable[..., soap.SoapDestination]


@contextmanager
def destinations() -> Iterator[Make]:
    """What makes a destination, closed at the end."""
    made: list[soap.SoapDestination] = []

    def build(server: ScriptedServer | str, **config: Any) -> soap.SoapDestination:
        url = server if isinstance(server, str) else f"{server.url}/orders?client=7"
        made.append(soap.destination({"wsdl": WSDL, "files": wsdl_files(), "address": url, "timeouts": FAST, **config}))
        return made[-1]

    yield build
    for each in made:
        each.close()


def says(status: int, body: bytes, kind: str = "text/xml; charset=utf-8", **headers: str) -> Script:
    async def script(request: Request, line: Line) -> None:
        await line.answer(status, body, content_type=kind, **headers)

    return script


def judged(make: Make, script: Script, document: Any = None, **config: Any) -> Verdict:
    with ScriptedServer(script) as server:
        [verdict] = send(make(server, **config), parcel(document))
    return verdict


WSSE_FAULT = f"xmlns:w='{WSSE}'"
ANSWERS = [
    (200, envelope(CREATED), DELIVERED, ""),
    (500, fault("s:Client", "no such item"), REFUSED, "fault_client"),
    (200, fault("s:Client"), REFUSED, "fault_client"),
    (400, fault("s:Client.Unknown"), REFUSED, "fault_client"),
    (500, fault("s:MustUnderstand"), REFUSED, "fault_mustunderstand"),
    (500, fault("s:VersionMismatch"), REFUSED, "fault_versionmismatch"),
    (500, fault("s:Server"), DOUBT, "fault_server"),
    (200, fault("s:Server"), DOUBT, "fault_server"),
    (500, fault("anything"), DOUBT, "fault_anything"),
    (500, fault("w:FailedAuthentication", "", WSSE_FAULT), STOPPED, "credentials_refused"),
    (500, fault("w:InvalidSecurityToken", "", WSSE_FAULT), STOPPED, "credentials_refused"),
    (500, fault("FailedAuthentication"), DOUBT, "fault_failedauthentication"),
    (500, fault("s:Client.Authentication"), STOPPED, "credentials_refused"),
    (500, fault("wsu:MessageExpired"), LATER, "fault_messageexpired"),
    (401, fault("s:Server"), STOPPED, "credentials_refused"),
    (403, b"", STOPPED, "access_denied"),
    (410, b"", STOPPED, "gone"),
    (429, fault("s:Client"), LATER, "http_429"),
    (503, fault("s:Server"), LATER, "http_503"),
    (504, b"<html/>", DOUBT, "http_504"),
    (500, b"<html><body>Oops</body></html>", DOUBT, "http_500"),
    (404, b"<html/>", REFUSED, "http_404"),
    (302, b"", REFUSED, "http_302"),
    (200, b"<!DOCTYPE html><html><body>Sign in</body></html>", DOUBT, "not_soap"),
    (200, b"<html><body>OK</body></html>", DOUBT, "not_soap"),
    (200, b'{"ok": true}', DOUBT, "not_soap"),
    (200, b"", DOUBT, "unexpected_answer"),
    (202, b"", DOUBT, "unexpected_answer"),
    (200, envelope(""), DOUBT, "unexpected_answer"),
    (200, envelope("<r:FindOrderResponse xmlns:r='urn:example:orders'/>"), DOUBT, "unexpected_answer"),
    (200, envelope("<CreateOrderResponse/>"), DOUBT, "unexpected_answer"),
    (200, envelope(CREATED)[:-20], DOUBT, "not_soap"),
]  # fmt: skip
