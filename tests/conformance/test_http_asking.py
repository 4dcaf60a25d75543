"""What is asked before and around a delivery: whether it is there already, the token that a session needs; and bodies
that are written down around the document."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import pytest
from scripted_server import Line, Request, ScriptedServer, always
from sending import brief, closed_port, closes, make, parcel, send
from shop import answer

from connectors import http
from connectors.base import ABSENT, DELIVERED, DOUBT, FOUND, LATER, REFUSED, STOPPED, Parcel, PermanentError
from hub.mapping import compile_expression

ALWAYS = {"mode": "lookup", "request": "GET /sales?ref={key}", "ask": "always"}


def rule(text: str) -> Any:
    return compile_expression(text, file="systems.yaml", line=1, column=1, names=("status", "body", "headers"))


# -- looked for before it is made


class Erp:
    """Makes a sale of everything it is sent, however often: it knows no idempotency key."""

    def __init__(self) -> None:
        self.sales: list[str] = []

    async def __call__(self, request: Request, line: Line) -> None:
        if request.method == "GET":
            ref = request.path.partition("ref=")[2]
            rows = [{"id": n, "ref": sale} for n, sale in enumerate(self.sales, 1) if sale == ref]
            await answer(line, {"rows": rows})
        else:
            self.sales.append(request.headers["idempotency-key"])
            await line.answer(201, b'{"id": %d}' % len(self.sales))


def asking(**more: Any) -> dict[str, Any]:
    return {"idempotency": {**ALWAYS, "found": rule("count(body.rows) > 0"), **more},
            "reference": rule("body.rows[0].id or body.id")}  # fmt: skip


def test_a_system_that_does_not_deduplicate_makes_one_thing_however_often_it_is_sent(make: Any) -> None:
    erp = Erp()
    with ScriptedServer(erp) as server:
        to = make(server, **asking())
        first = [verdict for n in range(5) for verdict in send(to, parcel(n))]
        again = send(to, *(parcel(number) for number in range(5)))
    assert erp.sales == [f"d-{number}.1" for number in range(5)]
    assert [brief(verdict) for verdict in first] == [(DELIVERED, "")] * 5
    assert [brief(verdict) for verdict in again] == [(FOUND, "found_before")] * 5
    assert sorted(verdict.reference for verdict in again) == ["1", "2", "3", "4", "5"]
    assert {verdict.detail for verdict in again} == {"it was there already, and was not sent"}


def test_in_doubt_only_nothing_is_asked_before(make: Any) -> None:
    with ScriptedServer(Erp()) as server:
        send(make(server, **asking(ask="in_doubt")))
        assert [request.method for request in server.requests] == ["POST"]


NOT_SENT = [
    (always(500), LATER, "http_500"), (always(429, retry_after="9"), LATER, "http_429"),
    (closes, LATER, "connection_closed"),
    (always(401), STOPPED, "credentials_refused"), (always(400), REFUSED, "http_400"),
    (always(200, b"<html>"), REFUSED, "rule_failed"),
]  # fmt: skip


@pytest.mark.parametrize(("script", "kind", "code"), NOT_SENT, ids=range(len(NOT_SENT)))
def test_while_it_cannot_be_told_nothing_is_sent(make: Any, script: Any, kind: str, code: str) -> None:
    with ScriptedServer(script) as server:
        [verdict] = send(make(server, **asking()))
        assert brief(verdict) == (kind, code)
        assert verdict.detail.startswith("not sent: ")
        assert {request.method for request in server.requests} == {"GET"}
    [verdict] = send(make(f"http://127.0.0.1:{closed_port()}", **asking()))
    assert brief(verdict) == (LATER, "connect_refused")


def test_what_may_have_had_its_effect_stays_in_doubt_where_the_question_does_not_fit(make: Any) -> None:
    with ScriptedServer(always(400)) as server:
        settling = msgspec.structs.replace(parcel(), settling=True)
        assert brief(send(make(server, **asking()), settling)[0]) == (DOUBT, "http_400")


def test_closing_gives_back_what_was_only_asked_for() -> None:
    erp = Erp()
    with ScriptedServer(erp) as server:
        to = http.destination({"base_url": server.url, **asking()})
        to.close()
        assert brief(send_closed(to)) == (LATER, "closing")
    assert erp.sales == []


def send_closed(to: Any) -> Any:
    got: list[Any] = []
    to.submit([parcel()], got.extend)
    return got[0][1]


# -- written down around the document


def test_the_document_stands_in_the_body_that_the_settings_write_down(make: Any) -> None:
    body = {"jsonrpc": "2.0", "method": "sale.create", "params": ["db", 1, "{body}"], "id": "{key}", "n": None,
            "note": "for {order_id}: { id } {id}"}  # fmt: skip
    with ScriptedServer() as server:
        [verdict] = send(make(server, body=body), parcel(variables={"order_id": "A-1"}))
        [request] = server.requests
    assert verdict.kind == DELIVERED
    assert json.loads(request.body) == {
        "jsonrpc": "2.0", "method": "sale.create", "params": ["db", 1, {"order": 1}], "id": "d-1.1", "n": None,
        "note": "for A-1: { id } {id}",
    }  # fmt: skip
    assert (request.headers["content-type"], request.headers["content-length"]) == (
        "application/json",
        str(len(request.body)),
    )


def test_numbers_of_the_document_are_not_touched(make: Any) -> None:
    exact = msgspec.structs.replace(
        parcel(), body=b'{"total": 12345678901234567.10, "big": 123456789012345678901234567890}'
    )
    with ScriptedServer() as server:
        send(make(server, body={"params": "{body}"}), exact)
        assert server.requests[0].body == b'{"params":' + exact.body + b"}"


def test_what_is_no_json_goes_as_text_or_in_base64(make: Any) -> None:
    invoice = msgspec.structs.replace(parcel(), body="<a>é</a>".encode(), content_type="application/xml")
    with ScriptedServer() as server:
        to = make(server, body={"xml": "{text}", "file": "{base64}"})
        send(to, invoice)
        assert json.loads(server.requests[0].body) == {"xml": "<a>é</a>", "file": "PGE+w6k8L2E+"}
        [verdict] = send(to, msgspec.structs.replace(invoice, body=b"\xff"))
        assert brief(verdict) == (REFUSED, "bad_body")
        [verdict] = send(make(server, body={"xml": "{body}"}), invoice)
        assert brief(verdict) == (REFUSED, "bad_body")
        assert "{body} takes JSON, and this document is application/xml; write {text} or {base64}" in verdict.detail
        [verdict] = send(make(server, body={"a": "{odrer_id}"}), parcel(variables={"order_id": "1"}))
        assert "needs the variable 'odrer_id', which is missing; the document gives: " in verdict.detail
        assert len(server.requests) == 1


def test_parts_of_the_document_stand_in_path_headers_and_body(make: Any) -> None:
    refund = msgspec.structs.replace(parcel(), body=b'{"payment": "P/1", "request": {"amount": {"value": 10.50}}}')
    with ScriptedServer() as server:
        path = "/payments/{body.payment}/refunds"
        to = make(server, path=path, headers={"X-Of": "{body.request.amount.value}"}, body="{body.request}")
        send(to, refund)
        [request] = server.requests
        assert (request.path, request.headers["x-of"]) == ("/payments/P%2F1/refunds", "10.50")
        assert request.body == b'{"amount": {"value": 10.50}}'
        missing = msgspec.structs.replace(refund, body=b'{"payment": null, "request": []}')
        assert [brief(verdict) for verdict in send(to, missing)] == [(REFUSED, "missing_variable")]
        inner = make(server, body={"value": "{body.request.amount}"})
        [verdict] = send(inner, missing)
        assert brief(verdict) == (REFUSED, "bad_body")
        assert "needs the variable 'body.request.amount', which is missing" in verdict.detail
        assert len(server.requests) == 1


def test_a_document_goes_as_a_form(make: Any) -> None:
    body = '{"amount": 10.50, "on": true, "note": null, "metadata": {"of": "é&1"}, "expand": ["a", "b"]}'
    refund = msgspec.structs.replace(parcel(), body=body.encode())
    with ScriptedServer() as server:
        send(make(server, body="{form}", content_type="application/x-www-form-urlencoded"), refund)
        [request] = server.requests
        assert request.headers["content-type"] == "application/x-www-form-urlencoded"
        assert parse_qsl(request.body.decode()) == [
            ("amount", "10.50"), ("on", "true"), ("metadata[of]", "é&1"), ("expand[0]", "a"), ("expand[1]", "b"),
        ]  # fmt: skip


def test_a_question_may_have_a_body(make: Any) -> None:
    async def odoo(request: Request, line: Line) -> None:
        said = json.loads(request.body)["params"]
        await answer(line, {"result": 1 if said == [["ref", "=", "A-1"]] else 0})

    look = {"mode": "lookup", "request": "POST /jsonrpc", "found": rule("body.result > 0"),
            "body": {"params": [["ref", "=", "{order_id}"]]}}  # fmt: skip
    with ScriptedServer(odoo) as server:
        to = make(server, idempotency=look)
        assert to.look_up(parcel(variables={"order_id": "A-1"})).kind == FOUND
        assert to.look_up(parcel(variables={"order_id": "A-2"})).kind == ABSENT


CUSTOMER = b'{"name": "Erika", "credit": 12.50, "addresses": [["create", [{"city": "Lyon"}]]]}'
FIELDS = {
    "name": "{body.name}", "city": "{body.addresses.0.1.0.city}", "credit": "{body.credit}", "code": "{body.code}",
    "text": "of {body.name}: {body.addresses.0.1}",
}  # fmt: skip
WANTED = rb'{"name":"Erika","city":"Lyon","credit":12.50,"code":null,"text":"of Erika: [{\"city\": \"Lyon\"}]"}'


def test_a_question_may_ask_by_fields_of_the_document_and_what_is_found_is_not_sent(make: Any) -> None:
    known: list[bytes] = [WANTED]

    async def erp(request: Request, line: Line) -> None:
        if request.path == "/search":
            await answer(line, [{"id": 7}] if request.body in known else [])
        else:
            await line.answer(201, b'{"id": 8}')

    look = {"mode": "lookup", "ask": "always", "request": "POST /search", "body": FIELDS,
            "found": rule("count(body) > 0")}  # fmt: skip
    with ScriptedServer(erp) as server:
        to = make(server, idempotency=look, reference=rule("first(listed(body)).id"))
        customer = msgspec.structs.replace(parcel(), body=CUSTOMER)
        [verdict] = send(to, customer)
        assert (brief(verdict), verdict.reference) == ((FOUND, "found_before"), "7")
        assert to.look_up(customer).kind == FOUND
        other = msgspec.structs.replace(parcel(2), body=CUSTOMER.replace(b"Lyon", b"Nice"))
        [verdict] = send(to, other)
        assert (brief(verdict), verdict.reference) == ((DELIVERED, ""), "8")
        assert server.requests[-1].body == other.body
        [verdict] = send(to, msgspec.structs.replace(parcel(3), body=b"<a/>", content_type="application/xml"))
        assert brief(verdict) == (REFUSED, "bad_body")
        assert "takes JSON, and this document is application/xml" in verdict.detail


# -- a token against forged requests


class Sap:
    """Takes nothing without its newest token and the cookies that came with it."""

    def __init__(self) -> None:
        self.sessions = 0
        self.written: list[bytes] = []

    async def __call__(self, request: Request, line: Line) -> None:
        if request.headers.get("x-csrf-token") == "Fetch":
            self.sessions += 1
            head = (
                f"HTTP/1.1 200 OK\r\nX-CSRF-Token: t{self.sessions}\r\nSet-Cookie: SAP_SESSIONID=s{self.sessions}; "
                f"path=/\r\n"
                "Set-Cookie: sap-usercontext=client=100; expires=Thu, 01-Jan-2037 00:00:00 GMT\r\nContent-Length: "
                "2\r\n\r\n{}"
            )
            await line.send(head.encode())
        elif (request.headers.get("x-csrf-token"), request.headers.get("cookie")) == (
            f"t{self.sessions}", f"SAP_SESSIONID=s{self.sessions}; sap-usercontext=client=100"
        ):  # fmt: skip
            self.written.append(request.body)
            await line.answer(201)
        else:
            await line.answer(403, b"CSRF token validation failed", x_csrf_token="Required")


CSRF = {"csrf": {"request": "GET /sap/opu/odata/sap/API_SALES_ORDER_SRV/"}}


def test_a_token_is_fetched_once_and_anew_when_its_session_is_over(make: Any) -> None:
    sap = Sap()
    with ScriptedServer(sap) as server:
        to = make(server, **CSRF, auth={"type": "basic", "user": "hub", "password": "s3cret"})
        assert [v.kind for n in range(3) for v in send(to, parcel(n))] == [DELIVERED] * 3
        assert sap.sessions == 1
        sap.sessions += 1  # the server has forgotten it
        assert brief(send(to, parcel(9))[0]) == (DELIVERED, "")
        assert len(sap.written) == 4
        assert {request.headers["authorization"][:6] for request in server.requests} == {"Basic "}
        assert make(server, **CSRF).check() == []


def test_what_belongs_to_a_session_is_not_in_what_is_kept_of_an_answer(make: Any) -> None:
    sap = Sap()

    async def shows(request: Request, line: Line) -> None:
        await (sap(request, line) if request.method == "GET" else answer(line, request.headers))

    with ScriptedServer(shows) as server:
        [verdict] = send(make(server, **CSRF))
        assert server.requests[1].headers["cookie"] == "SAP_SESSIONID=s1; sap-usercontext=client=100"
    assert b"x-csrf-token" in verdict.response and b"SAP_SESSIONID" not in verdict.response


NO_TOKEN = [
    (always(200), LATER, "no_csrf_token", "csrf.request was answered 200, without a X-CSRF-Token that could be used"),
    (always(401), STOPPED, "no_csrf_token", "csrf.request was answered 401"),
    (always(500), LATER, "no_csrf_token", "csrf.request was answered 500"),
    (closes, LATER, "connection_closed", "no X-CSRF-Token: the connection was closed"),
]  # fmt: skip


@pytest.mark.parametrize(("script", "kind", "code", "why"), NO_TOKEN, ids=range(len(NO_TOKEN)))
def test_without_a_token_nothing_is_sent(make: Any, script: Any, kind: str, code: str, why: str) -> None:
    with ScriptedServer(script) as server:
        [verdict] = send(make(server, **CSRF))
        assert brief(verdict) == (kind, code)
        assert why in verdict.detail
        assert {request.method for request in server.requests} == {"GET"}


def test_a_403_that_is_not_about_the_token_stops_the_system(make: Any) -> None:
    sap = Sap()

    async def forbids(request: Request, line: Line) -> None:
        await (sap(request, line) if request.method == "GET" else line.answer(403))

    with ScriptedServer(forbids) as server:
        assert brief(send(make(server, **CSRF))[0]) == (STOPPED, "access_denied")
        assert [request.method for request in server.requests] == ["GET", "POST"]


# -- errors inside an answer that says it is well, and the other way round

INSIDE = [
    (always(200, b'{"error": ["UserError", "no such party"]}'), DOUBT, "error_in_success"),
    (always(200, b'{"jsonrpc": "2.0", "result": 7, "id": "1"}'), DELIVERED, ""),
    (always(200, b"<!DOCTYPE html><p>Login</p>", content_type="text/html"), DOUBT, "error_in_success"),
    (always(500, b'{"field": "unit", "error": "unknown"}'), REFUSED, "http_500"),
    (always(500, b"Internal Server Error"), DOUBT, "http_500"),
    (always(200, b'{"error": {"code": "invalid_unit"}}'), REFUSED, "http_200"),
]  # fmt: skip


@pytest.mark.parametrize(("script", "kind", "code"), INSIDE, ids=range(len(INSIDE)))
def test_the_rules_of_a_system_say_what_its_answers_mean(make: Any, script: Any, kind: str, code: str) -> None:
    rules = {
        "success": rule("has(body.result)"),
        "permanent": rule("(status == 500 and has(body.field)) or has(body.error.code)"),
    }
    with ScriptedServer(script) as server:
        assert brief(send(make(server, **rules))[0]) == (kind, code)


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"body": {"a": "{body}"}, "method": "DELETE"}, "body: DELETE has none; take it out, or write another method:"),
    ({"body": 7}, "body: expected a mapping, a list or a text"),
    ({"csrf": {"request": "POST /x"}}, "csrf.request: expected GET and a path, such as GET /sap/opu/odata/sap/NAME/"),
    ({"idempotency": {"mode": "none", "ask": "always"}}, "idempotency.ask: it is for mode: lookup; write that, or "
                                                         "take"),
    ({"idempotency": {**ALWAYS, "request": "GET /x/{reference}"}}, "idempotency.request: {reference} is not known "
                                                                   "before"),
    ({"idempotency": {**ALWAYS, "body": {}}}, "idempotency.body: GET has no body; write POST in request:, or take it"),
    ({"fetch_back": {"request": "GET /x"}}, "fetch_back.request: expected fields of the webhook's body in it, such as"),
    ({"fetch_back": {"request": "POST /x/{id}"}}, "fetch_back.request: expected GET and a path, such as GET "
                                                  "/v2/payments"),
]  # fmt: skip


@pytest.mark.parametrize(("config", "text"), MISTAKES, ids=range(len(MISTAKES)))
def test_a_setting_that_cannot_be_is_named_with_what_to_write_instead(config: dict[str, Any], text: str) -> None:
    with pytest.raises(PermanentError) as caught:
        http.lint({"base_url": "http://localhost", **config})
    assert str(caught.value).startswith(text)
