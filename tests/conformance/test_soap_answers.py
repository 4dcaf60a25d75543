"""The connector soap on the wire: what is sent, and what each answer means for a delivery."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from lxml import etree
from scripted_server import Request, Script, ScriptedServer
from sending import FAST, RUDE, Collected, brief, send
from soap_calls import (
    ANSWERS,
    CREATED,
    ORDER,
    S11,
    S12,
    WSSE,
    Make,
    destinations,
    envelope,
    fault,
    fault12,
    judged,
    parcel,
    says,
)
from soap_services import WSDL, wsdl_files

from connectors import soap
from connectors.base import (
    ABSENT,
    DELIVERED,
    DOUBT,
    FOUND,
    LATER,
    REFUSED,
    STOPPED,
    Parcel,
    PermanentError,
    Said,
    Verdict,
)  # fmt: skip


@pytest.fixture
def make() -> Iterator[Make]:
    with destinations() as build:
        yield build


@pytest.mark.parametrize(("status", "body", "kind", "code"), ANSWERS, ids=lambda value: str(value)[:40])
def test_what_an_answer_means(make: Make, status: int, body: bytes, kind: str, code: str) -> None:
    assert brief(judged(make, says(status, body))) == (kind, code)


def test_a_refusal_tells_code_and_text_of_the_fault(make: Make) -> None:
    verdict = judged(make, says(500, fault("s:Client.Item", "there is no item 7")))
    assert verdict.detail == "the system answered with the fault Client.Item: there is no item 7"


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (fault12("Sender"), REFUSED, "fault_client"),
        (fault12("Receiver"), DOUBT, "fault_server"),
        (fault12("DataEncodingUnknown"), REFUSED, "fault_dataencodingunknown"),
        (fault12("Sender", "w:FailedAuthentication"), STOPPED, "credentials_refused"),
    ],
)
def test_faults_of_soap_12(make: Make, body: bytes, kind: str, code: str) -> None:
    script = says(400, body, "application/soap+xml")
    assert brief(judged(make, script, service="Orders", port="Orders12")) == (kind, code)


def test_one_way_operations_are_answered_with_nothing(make: Make) -> None:
    document = {"Notify": {"text": "hello"}}
    assert brief(judged(make, says(202, b""), document)) == (DELIVERED, "")
    assert brief(judged(make, says(200, envelope("")), document)) == (DELIVERED, "")
    assert brief(judged(make, says(200, b"<html/>"), document)) == (DOUBT, "not_soap")
    assert brief(judged(make, says(500, fault("s:Client")), document)) == (REFUSED, "fault_client")


NOT_WHOLE = [row for row in RUDE if row[2] in ("answer_cut", "response_too_large")]


@pytest.mark.parametrize("script, kind, code", NOT_WHOLE, ids=lambda value: getattr(value, "__name__", str(value)))
def test_an_answer_that_is_not_whole_is_as_for_http(make: Make, script: Script, kind: str, code: str) -> None:
    verdict = judged(make, script)
    assert verdict.kind == kind
    assert verdict.code.startswith(code)


BOMB = b'<!DOCTYPE s [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>' + envelope(
    CREATED.replace("S-1", "&b;")
)
LEAK = b'<!DOCTYPE s [<!ENTITY a SYSTEM "file:///etc/hostname">]>' + envelope(CREATED.replace("S-1", "&a;"))
WIDE = envelope(CREATED.replace("<r:number>", "<r:number " + " ".join(f"a{n}='1'" for n in range(300)) + ">"))
DEEP = envelope("<a>" * 300 + "</a>" * 300)
UNDECLARED = envelope(CREATED.replace("S-1", "S&e;1"))


@pytest.mark.parametrize(
    "body", [BOMB, LEAK, WIDE, DEEP, UNDECLARED], ids=["bomb", "leak", "wide", "deep", "undeclared"]
)
def test_an_answer_that_would_abuse_its_reader_is_no_envelope(make: Make, body: bytes) -> None:
    assert brief(judged(make, says(200, body))) == (DOUBT, "not_soap")


def test_a_comment_does_not_cut_a_text(make: Make) -> None:
    verdict = judged(make, says(200, envelope(CREATED.replace("S-1", "S<!-- x -->-<?x?>1"))))
    assert json.loads(verdict.response) == {"number": "S-1"}


# -- rules and what comes of an answer -----------------------------------------------------------------------------

ANSWER = envelope(
    "<r:CreateOrderResponse xmlns:r='urn:example:orders'><r:number>S-1</r:number>"
    "<r:received>2026-03-05T10:00:00Z</r:received><r:warning>late</r:warning></r:CreateOrderResponse>"
)


def test_the_reply_is_json_by_the_types_of_the_wsdl(make: Make) -> None:
    verdict = judged(make, says(200, ANSWER))
    assert verdict.response_type == "application/json"
    assert json.loads(verdict.response) == {"number": "S-1", "received": "2026-03-05T10:00:00Z", "warning": ["late"]}


def test_the_reply_may_be_the_envelope(make: Make) -> None:
    verdict = judged(make, says(200, ANSWER), answer="envelope")
    assert (verdict.kind, verdict.response, verdict.response_type) == (DELIVERED, ANSWER, "text/xml; charset=utf-8")


def test_rules_see_body_and_fault(make: Make) -> None:
    known = {
        "success": lambda body, fault, **_: fault is not None and fault["code"] == "Client.Exists",
        "permanent": lambda fault, **_: fault is not None and "closed" in fault["reason"],
        "reference": lambda body, **_: body["number"],
    }
    exists = judged(make, says(500, fault("s:Client.Exists")), **known)
    closed = judged(make, says(500, fault("s:Server", "the year is closed")), **known)
    assert [brief(exists), brief(closed)] == [(DELIVERED, ""), (REFUSED, "fault_server")]
    assert "the rule permanent: calls that final" in closed.detail
    warned = judged(
        make, says(200, ANSWER), success=lambda body, **_: not body["warning"], reference=known["reference"]
    )
    assert (brief(warned), warned.reference) == ((DOUBT, "error_in_success"), "S-1")


def test_files_of_an_answer_are_put_where_they_belong(make: Make) -> None:
    body = ANSWER.replace(b"S-1", b"<i:Include xmlns:i='http://www.w3.org/2004/08/xop/include' href='cid:a%40b'/>")
    mime = (
        b"--x\r\nContent-Type: application/xop+xml\r\nContent-ID: <root>\r\n\r\n" + body +
        b"\r\n--x\r\nContent-Type: image/png\r\nContent-ID: <a@b>\r\nContent-Transfer-Encoding: binary\r\n\r\n"
        b"\x00\xff\r\n--x--\r\n"
    )  # fmt: skip
    kind = 'multipart/related; boundary="x"; start="<root>"; type="application/xop+xml"'
    verdict = judged(make, says(200, mime, kind))
    assert (verdict.kind, json.loads(verdict.response)["number"]) == (DELIVERED, "AP8=")
    cut = judged(make, says(200, mime[:-20], kind))
    assert brief(cut) == (DOUBT, "not_soap")
    large = mime.replace(b"\x00\xff", b"\x00\xff" * 5000)
    assert judged(make, says(200, large, kind)).kind == DELIVERED
    often = re.sub(rb"(<i:Include[^>]*>)", rb"\1" * 20, large)  # it would be put into each of these places
    assert brief(judged(make, says(200, often, kind))) == (DOUBT, "not_soap")


# -- what is sent --------------------------------------------------------------------------------------------------


def wire(make: Make, document: Any = None, answer: bytes = ANSWER, tries: int = 1, **config: Any) -> list[Request]:
    with ScriptedServer(says(200, answer)) as server:
        to = make(server, **config)
        for _ in range(tries):
            send(to, parcel(document))
        return server.requests


def test_a_request_is_what_the_wsdl_says(make: Make) -> None:
    [request] = wire(make, {"CreateOrder": ORDER, "_headers": {"session": {"token": "t-1"}}})
    assert (request.method, request.path) == ("POST", "/orders?client=7")
    assert request.headers["soapaction"] == '"urn:example:orders/CreateOrder"'
    assert request.headers["content-type"] == "text/xml; charset=utf-8"
    root = etree.fromstring(request.body)
    names = {"s": S11, "o": "urn:example:orders", "t": "urn:example:types"}
    assert root.xpath("string(s:Header/o:Session/o:token)", namespaces=names) == "t-1"
    assert [child.tag for child in root.find(f"{{{S11}}}Body")[0]] == [
        f"{{urn:example:types}}{name}" for name in ("number", "date", "line", "total")
    ]


def test_soap_12_names_the_action_in_its_media_type(make: Make) -> None:
    answer = envelope(CREATED, S12)
    [request] = wire(make, answer=answer, port="Orders12", operation="CreateOrder", document=ORDER)
    assert request.headers["content-type"] == (
        'application/soap+xml; charset=utf-8; action="urn:example:orders/CreateOrder"'
    )
    assert "soapaction" not in request.headers
    assert etree.fromstring(request.body).tag == f"{{{S12}}}Envelope"


def test_each_try_sends_the_same_body_under_the_same_number(make: Make) -> None:
    security = {"type": "username-token", "user": "hub", "password": "p", "digest": True}
    first, second = wire(make, tries=2, addressing=True, idempotency={"mode": "native"}, security=security)
    wsa = "{http://www.w3.org/2005/08/addressing}MessageID"
    roots = [etree.fromstring(request.body) for request in (first, second)]
    assert [root.find(f"{{{S11}}}Header/{wsa}").text for root in roots] == ["urn:o2c:d-1.1"] * 2
    assert [request.headers["idempotency-key"] for request in (first, second)] == ["d-1.1"] * 2
    bodies = [etree.tostring(root.find(f"{{{S11}}}Body"), method="c14n") for root in roots]
    assert bodies[0] == bodies[1]
    assert first.body != second.body  # nonce and time of the token are those of the try


def test_an_envelope_of_the_format_soap_is_sent_with_what_is_to_be_added(make: Make) -> None:
    whole = wire(make, {"CreateOrder": ORDER})[0].body
    [request] = wire(make, whole, addressing=True, soap_headers={"{urn:x}Tenant": {"id": "7"}})
    root = etree.fromstring(request.body)
    header = root.find(f"{{{S11}}}Header")
    assert [etree.QName(each).localname for each in header] == ["Tenant", "Action", "To", "MessageID", "ReplyTo"]
    assert request.headers["soapaction"] == '"urn:example:orders/CreateOrder"'


def test_files_beside_an_envelope_go_along_untouched(make: Make) -> None:
    whole = wire(make, {"CreateOrder": ORDER})[0].body
    mime = (
        b"--b1\r\nContent-Type: text/xml\r\nContent-ID: <envelope>\r\n\r\n" + whole +
        b"\r\n--b1\r\nContent-Type: application/pdf\r\nContent-ID: <plan>\r\n\r\n\x00\r\n\xff\r\n--b1--\r\n"
    )  # fmt: skip
    [request] = wire(make, mime, addressing=True)
    assert request.headers["content-type"] == ('multipart/related; type="text/xml"; boundary="b1"; start="<envelope>"')
    assert request.body.endswith(b"Content-ID: <plan>\r\n\r\n\x00\r\n\xff\r\n--b1--\r\n")
    assert b"MessageID" in request.body


BAD = [
    ({"CreateOrders": ORDER}, "the WSDL has no operation 'CreateOrders'; it has CreateOrder, FindOrder, Notify"),
    ({"CreateOrder": {**ORDER, "lines": []}}, "CreateOrder.lines: there is no such field; expected customer, date"),
    ({"CreateOrder": {**ORDER, "number": None}}, "Missing element number (CreateOrder.number)"),
    ({"CreateOrder": {**ORDER, "number": "lower"}}, "not valid by the WSDL: /ns0:CreateOrder/ns1:number"),
    ({"CreateOrder": {**ORDER, "date": "5.3.2026"}}, "not valid by the WSDL: /ns0:CreateOrder/ns2:date"),
    ({"CreateOrder": {**ORDER, "line": []}}, "CreateOrder"),
    ({"CreateOrder": ORDER, "FindOrder": {}}, "expected one field, the operation's name, got CreateOrder, FindOrder"),
    ({"CreateOrder": ORDER, "_headers": {"Sesion": {}}}, "Sesion"),
    (b"[1]", "expected an object with the operation's name"),
    (b"plain", "neither JSON nor an envelope"),
    (b'{"CreateOrder": {"number": 1e9999999999999999999}}', "neither JSON nor an envelope"),
    (b"\xff\xfe", "neither JSON nor an envelope"),
    (b"<order/>", "an envelope of SOAP of no version; expected 1.1"),
    (envelope(CREATED, S12), "an envelope of SOAP 1.2; expected 1.1"),
    (envelope("<x/>"), "no operation is called by x"),
    (LEAK, "the envelope: "),
    (b"--x\r\n\r\n<a/>", "whose last part does not end"),
]  # fmt: skip


@pytest.mark.parametrize(("document", "said"), BAD, ids=lambda value: str(value)[:50])
def test_what_the_wsdl_does_not_take_is_refused_and_not_sent(make: Make, document: Any, said: str) -> None:
    with ScriptedServer(says(200, ANSWER)) as server:
        [verdict] = send(make(server), parcel(document))
        assert server.requests == []
    assert brief(verdict) == (REFUSED, "arguments")
    assert said in verdict.detail


def test_of_several_the_good_ones_go(make: Make) -> None:
    with ScriptedServer(says(200, ANSWER)) as server:
        parcels = [parcel(number=1), parcel({"Nothing": {}}, number=2), parcel(number=3)]
        to = make(server)
        collected = Collected(3)
        to.submit(parcels, collected)
        collected.wait()
        pairs = {sent.delivery_id: verdict.kind for sent, verdict in collected.pairs}
    assert pairs == {"d-1": DELIVERED, "d-2": REFUSED, "d-3": DELIVERED}


# -- looking up ----------------------------------------------------------------------------------------------------

LOOKUP = {
    "mode": "lookup", "operation": "FindOrder", "arguments": {"reference": "{order_id}"},
    "found": lambda body, **_: bool(body["number"]),
}  # fmt: skip
NOTHING = envelope("<r:FindOrderResponse xmlns:r='urn:example:orders'/>")
FOUND_IT = envelope("<r:FindOrderResponse xmlns:r='urn:example:orders'><r:number>S-1</r:number></r:FindOrderResponse>")


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (200, FOUND_IT, FOUND, ""), (200, NOTHING, DOUBT, "rule_failed"),
        (500, fault("s:Server"), DOUBT, "rule_failed"),
        (401, b"", STOPPED, "credentials_refused"), (503, b"", LATER, "http_503"), (500, b"", LATER, "http_500"),
        (200, b"<html/>", LATER, "not_soap"),
    ],
)  # fmt: skip
def test_a_look_up_calls_an_operation(make: Make, status: int, body: bytes, kind: str, code: str) -> None:
    with ScriptedServer(says(status, body)) as server:
        verdict = make(server, idempotency=LOOKUP).look_up(parcel(variables={"order_id": "A-1"}))
        [request] = server.requests
    assert b"<ns0:reference>A-1</ns0:reference>" in request.body
    assert (verdict.kind, verdict.code) == (kind, code)


def test_a_brace_in_a_secret_of_a_look_up_is_a_brace(make: Make) -> None:
    with ScriptedServer(says(200, FOUND_IT)) as server:
        config = {**LOOKUP, "arguments": {"reference": "s3{cre}t{"}}
        assert make(server, idempotency=config, secrets=["s3{cre}t{"]).look_up(parcel()).kind == FOUND
        [request] = server.requests
    assert b"<ns0:reference>s3{cre}t{</ns0:reference>" in request.body


def test_what_is_not_found_is_absent(make: Make) -> None:
    with ScriptedServer(says(200, NOTHING)) as server:
        config = {**LOOKUP, "found": lambda body, **_: bool(body.get("number"))}
        assert make(server, idempotency=config).look_up(parcel(variables={"order_id": "A-1"})).kind == ABSENT
        assert make(server, idempotency=config).look_up(parcel()).kind == DOUBT
        assert make(server).look_up(parcel()).code == "no_look_up"


# -- set-up --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"idempotency": {"mode": "lookup"}}, "idempotency.operation is missing"),
        ({"address": "ftp://x"}, "address: expected an http or https address"),
        ({"auth": {"type": "basic"}}, "auth.user is missing"),
    ],
)
def test_settings_that_cannot_be_are_found_before_anything_runs(config: dict[str, Any], said: str) -> None:
    with pytest.raises(PermanentError, match=said):
        soap.lint({"wsdl": WSDL, "address": "http://host.example", **config})


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"service": "Order"}, "service: there is no service 'Order' in schemas/orders.wsdl; it has Orders"),
        ({"port": "Orders13"}, "port: there is no port 'Orders13'"),
        ({"operation": "Create"}, "operation: the WSDL has no operation 'Create'"),
        ({"idempotency": {"operation": "Find"}}, "idempotency.operation: the WSDL has no operation 'Find'"),
    ],
)
def test_names_that_the_wsdl_has_not_are_found_by_a_look_into_it(config: dict[str, Any], said: str) -> None:
    with pytest.raises(PermanentError, match=said.replace(".", r"\.")):
        soap.inspect({"wsdl": WSDL, "files": wsdl_files(), **config})


def test_a_rehearsal_makes_what_is_sent_and_judges_as_it_is_judged(make: Make) -> None:
    config = {"addressing": True, "idempotency": LOOKUP, "headers": {"X-Shop": "a"}}
    [request] = wire(make, **config)
    address = f"http://{request.headers['host']}/orders?client=7"
    rehearsal = soap.rehearsal({"wsdl": WSDL, "files": wsdl_files(), "address": address, **config})
    rehearsed = rehearsal.send(parcel(), Said(200, {"Content-Type": "text/xml"}, ANSWER), 0.0)
    assert rehearsed.request is not None
    assert rehearsed.request.line == "POST /orders?client=7"
    assert rehearsed.request.body == request.body
    assert {name.lower(): value for name, value in rehearsed.request.headers.items()} == request.headers
    assert (rehearsed.verdict.kind, json.loads(rehearsed.verdict.response)["number"]) == (DELIVERED, "S-1")
    assert rehearsal.send(parcel({"Nothing": {}}), Said(200), 0.0).verdict.code == "arguments"
    asked = rehearsal.look_up(parcel(variables={"order_id": "A"}), Said(200, {}, FOUND_IT), 0.0)
    assert asked.verdict.kind == FOUND
    assert rehearsal.look_up(parcel(variables={"order_id": "A"}), None, 0.0).verdict.kind == ABSENT


def test_an_answer_that_cannot_be_read_by_a_mistake_of_ours_proves_nothing(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> Verdict:
        raise RuntimeError

    monkeypatch.setattr("connectors._soap_verdicts.Rules.final", fails)
    assert brief(judged(make, says(200, envelope(CREATED)))) == (DOUBT, "unread_answer")
