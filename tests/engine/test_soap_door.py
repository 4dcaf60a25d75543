"""The door for calls, in process: what is taken in and answered, what is refused with a fault, and where it errs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from lxml import etree
from soap_calling import (
    BASIC,
    ORDER,
    ROUTE,
    S11,
    S12,
    SESSION,
    SHOP,
    WSA,
    WSSE,
    WSSE_SHOP,
    Caller,
    calling,
    envelope,
    number,
)
from world import HUB

from connectors._soap_security import Security
from hub.api.doors import Doors
from hub.errors import StoreAway
from hub.message import RAW
from hub.store import payloads


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Caller]]:
    with calling(tmp_path, monkeypatch) as build:
        yield build


# -- what is taken in ----------------------------------------------------------------------------------------------


def test_a_call_is_stored_and_answered_with_the_reply_of_its_template(make: Callable[..., Caller]) -> None:
    call = make()
    said = call(envelope())
    [first] = said.root.find(f"{{{S11}}}Body")
    [receipt] = call.world.rows("SELECT receipt_id FROM receipts")
    assert (said.status, said.headers["content-type"]) == (200, "text/xml; charset=utf-8")
    assert [(etree.QName(each).localname, each.text) for each in first] == [
        ("number", receipt[0]), ("received", "2026-09-21T14:13:20.000Z"), ("warning", "A-1"),
    ]  # fmt: skip
    assert call.kept() == [("CreateOrder", "text/xml")]
    assert [parcel.variables.get("report_id") for parcel in call.world.target("erp").sent] != []


def test_the_receipt_holds_the_bytes_as_they_came(make: Callable[..., Caller]) -> None:
    call = make()
    body = envelope(header=number("m-1")).replace(b"<s:Body>", b"<s:Body><!-- as it is -->")
    assert call(body).status == 200
    [(receipt,)] = call.world.rows("SELECT receipt_id FROM receipts")
    assert payloads.read(call.world.store.reader(), receipt, RAW) == body


def test_soap_12_is_answered_in_its_own_terms(make: Callable[..., Caller]) -> None:
    call = make()
    said = call(envelope(uri=S12), "application/soap+xml; action=x")
    assert (said.status, said.root.tag) == (200, f"{{{S12}}}Envelope")
    assert said.headers["content-type"] == "application/soap+xml; charset=utf-8"


def test_one_way_is_answered_202_with_nothing(make: Callable[..., Caller]) -> None:
    call = make()
    said = call(envelope("<Notify xmlns='urn:example:orders'><text>hello</text></Notify>"))
    assert (said.status, said.body, call.kept()) == (202, b"", [("Notify", "text/xml")])


def test_a_message_is_taken_in_once_and_answered_the_same(make: Callable[..., Caller]) -> None:
    call = make()
    first = call(envelope(header=number("m-1")))
    call.world.clock.at += 60
    again = call(envelope(header=number("m-1")))
    other, without = call(envelope(header=number("m-2"))), [call(envelope()).status for _ in range(2)]
    assert (first.status, again.status, other.status, without) == (200, 200, 200, [200, 200])
    assert first.body == again.body
    assert len(call.kept()) == 4
    relates = first.root.find(f"{{{S11}}}Header/{{{WSA}}}RelatesTo").text
    assert relates == "m-1"


@pytest.mark.parametrize(
    ("dedupe", "bodies", "kept"),
    [
        ("field:CreateOrder.number", [envelope(), envelope(header=number("m"))], 1),
        ("sha256", [envelope(), envelope(), envelope(header=number("m"))], 2),
        ("header:X-Id", [envelope(), envelope()], 2),
    ],
)
def test_what_tells_a_repeat_can_be_said(
    make: Callable[..., Caller], dedupe: str, bodies: list[bytes], kept: int
) -> None:
    call = make(SHOP.replace("  replies", f"  dedupe: {{id: '{dedupe}'}}\n  replies"))
    for body in bodies:
        assert call(body).status == 200
    assert len(call.kept()) == kept


@pytest.mark.parametrize(
    ("event", "expected"), [("header:X-Topic", "X"), ("field:CreateOrder.number", "A-1"), ("order", "order")]
)
def test_the_event_can_be_something_else(make: Callable[..., Caller], event: str, expected: str) -> None:
    call = make(SHOP.replace("  replies", f"  event: '{event}'\n  replies"))
    assert call(envelope(), x_topic="X").status == 200
    assert call.kept() == [(expected, "text/xml")]


def test_an_envelope_with_files_beside_it(make: Callable[..., Caller]) -> None:
    call = make()
    parts = b"--x\r\nContent-Type: text/xml\r\nContent-ID: <e>\r\n\r\n" + envelope() + (
        b"\r\n--x\r\nContent-Type: image/png\r\nContent-ID: <p>\r\n\r\n\x00\r\n--x--\r\n"
    )  # fmt: skip
    assert call(parts, 'multipart/related; boundary=x; start="<e>"').status == 200
    assert call.kept() == [("CreateOrder", "multipart/related")]
    assert call.dead() == []
    assert call(parts, 'multipart/related; boundary=x; start="<p>"').errors[0]["code"] == "start"
    assert call(b"preamble\r\n" + parts, "multipart/related; boundary=x").errors[0]["code"] == "no_parts"
    assert call(parts[:-10], "multipart/related; boundary=x").errors[0]["code"] == "truncated"


# -- what is refused -----------------------------------------------------------------------------------------------

MUST = "<h:Lock xmlns:h='urn:h' xmlns:s='%s' s:mustUnderstand='1' %s/>"
DTD = b"<!DOCTYPE s [<!ENTITY a 'b'>]>"
REPLY_TO = f"<a:ReplyTo xmlns:a='{WSA}'><a:Address>http://elsewhere.example</a:Address></a:ReplyTo>"
REFUSALS = [
    (envelope(ORDER.replace(">2<", ">two<")), 500, "Client", "not_valid"),
    (envelope(ORDER.replace("<date>2026-03-05</date>", "")), 500, "Client", "not_valid"),
    (envelope(ORDER.replace("A-1", "lower case")), 500, "Client", "not_valid"),
    (envelope("<x:CreateOrder xmlns:x='urn:other'/>"), 500, "Client", "unknown_operation"),
    (envelope("<CreateOrderResponse xmlns='urn:example:orders'/>"), 500, "Client", "unknown_operation"),
    (envelope(""), 500, "Client", "unknown_operation"),
    (envelope(ORDER + ORDER), 500, "Client", "several_bodies"),
    (envelope("<s:Fault/>"), 500, "Client", "fault_sent"),
    (b"<order/>", 500, "Client", "no_envelope"),
    (f"<s:Envelope xmlns:s='{S11}'/>".encode(), 500, "Client", "no_body"),
    (envelope(uri="urn:soap:13"), 500, "VersionMismatch", "version_mismatch"),
    (envelope(header=MUST % (S11, "")), 500, "MustUnderstand", "must_understand"),
    (envelope(header=f"<w:Security xmlns:w='{WSSE}' s:mustUnderstand='1'/>"), 500, "MustUnderstand", "must_understand"),
    (envelope(header=REPLY_TO), 500, "OnlyAnonymousAddressSupported", "reply_to"),
    (envelope(header=number("m" * 600)), 500, "Client", "message_id"),
    (envelope()[:-5], 500, "Client", "malformed"),
    (b"", 500, "Client", "no_xml"),
    (b"hello", 500, "Client", "no_xml"),
    (b'{"order": 1}', 500, "Client", "no_xml"),
    (DTD + envelope(), 500, "Client", "document_type"),
    (envelope(ORDER.replace("A-1", "&a;")), 500, "Client", "malformed"),
    (envelope(ORDER.replace("<number>", "<number " + " ".join(f"a{n}='1'" for n in range(300)) + ">")), 500, "Client",
     "too_large"),
    (envelope("<a>" * 230 + "</a>" * 230), 500, "Client", "too_large"),
    (b'<?xml version="1.0" encoding="UTF-7"?>' + envelope(), 500, "Client", "encoding"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "status", "code", "reason"), REFUSALS, ids=lambda value: str(value)[-40:])
def test_what_is_wrong_is_a_fault_and_nothing_is_kept(
    make: Callable[..., Caller], body: bytes, status: int, code: str, reason: str
) -> None:
    call = make()
    said = call(body)
    assert (said.status, said.code, said.errors[0]["code"]) == (status, code, reason)
    assert call.kept() == []


def test_a_fault_says_line_and_path_of_what_is_wrong(make: Callable[..., Caller]) -> None:
    wrong = ORDER.replace(">2<", ">two<").replace("<line>", "\n\n<line>").replace("2026-03-05", "5.3.2026")
    said = make()(envelope(wrong, number("m-1")))
    assert [(error["line"], error["path"].rpartition("/")[2]) for error in said.errors] == [
        ("1", "date"), ("3", "quantity"),
    ]  # fmt: skip
    assert said.reason.startswith("the body is not valid by the WSDL: ")
    assert "two" in said.errors[1]["message"]
    assert said.root.find(f"{{{S11}}}Header/{{{WSA}}}RelatesTo").text == "m-1"


def test_faults_of_soap_12_are_of_soap_12(make: Callable[..., Caller]) -> None:
    call = make()
    kind = "application/soap+xml"
    wrong = call(envelope("<x/>", uri=S12), kind)
    assert (wrong.status, wrong.code, wrong.headers["content-type"][:20]) == (400, "Sender", "application/soap+xml")
    must = call(envelope(header=MUST % (S12, ""), uri=S12), kind)
    assert (must.status, must.code) == (500, "MustUnderstand")


def test_headers_that_are_known_or_not_for_us_are_understood(make: Callable[..., Caller]) -> None:
    call = make()
    session = "<o:Session xmlns:o='urn:example:orders' s:mustUnderstand='1'><o:token>t</o:token></o:Session>"
    elsewhere = MUST % (S11, "s:actor='http://other.example'")
    numbered = number("m").replace("<a:MessageID", "<a:MessageID s:mustUnderstand='1'")
    assert [call(envelope(header=header)).status for header in (session, elsewhere, numbered)] == [200, 200, 200]


def test_ten_thousand_faults_are_told_soon(make: Callable[..., Caller]) -> None:
    line = "<line><item>hose</item><quantity>x</quantity><price currency='EUR'>9.90</price></line>"
    began = time.monotonic()
    said = make()(envelope(ORDER.replace("<line>", line * 10_000 + "<line>", 1)))
    assert (said.status, len(said.errors)) == (500, 10)
    assert "more)" in said.reason
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 415),
        ("text/plain", 415),
        ("application/soap+xml", 200),
        ("application/xml", 200),
        ("", 200),
    ],
)
def test_media_types(make: Callable[..., Caller], kind: str, status: int) -> None:
    said = make()(envelope(), kind)
    assert (said.status, said.code if status != 200 else "") == (status, "Client" if status != 200 else "")


def test_an_encoding_that_only_http_tells_is_refused(make: Callable[..., Caller]) -> None:
    call = make()
    body = envelope(ORDER.replace("hose", "Schläuche")).decode().encode("latin-1")
    assert call(body, "text/xml; charset=iso-8859-1").errors[0]["code"] == "encoding"
    declared = b'<?xml version="1.0" encoding="iso-8859-1"?>' + body
    assert call(declared, "text/xml; charset=iso-8859-1").status == 200


def test_what_is_too_large_is_refused(make: Callable[..., Caller]) -> None:
    call = make(**{"config/hub.yaml": HUB + b"\nhttp: {max_body: 2KB}\n"})
    said = call(envelope(ORDER + " " * 3000))
    assert (said.status, said.code, call.kept()) == (413, "Client", [])


def test_where_too_much_waits_the_caller_is_told_when_to_come_again(make: Callable[..., Caller]) -> None:
    call = make(**{"config/hub.yaml": HUB + b"\nhttp: {backlog: 1}\n"})
    call.world.engine.backlog = 5
    said = call(envelope())
    assert (said.status, said.code, said.headers["retry-after"], call.kept()) == (429, "Server", "5", [])


def test_a_store_that_is_away_is_a_fault_of_the_server(make: Callable[..., Caller]) -> None:
    call = make()
    call.world.engine.accept_soon = lambda group, answered: answered(group, None, StoreAway("away"))
    said = call(envelope())
    assert (said.status, said.code, said.headers["retry-after"]) == (503, "Server", "10")


def test_a_route_may_see_it_before_it_is_taken_in(make: Callable[..., Caller]) -> None:
    call = make(**{"routes/orders.yaml": ROUTE.replace(b"map:", b"validate: sync\nmap:")})
    assert call(envelope()).status == 200
    said = call(envelope(ORDER.replace("hose", "")))
    assert (said.status, said.code) == (422, "Client")
    assert len(call.kept()) == 1


# -- who calls -----------------------------------------------------------------------------------------------------


def test_a_token_and_basic_credentials_are_told_by_http(make: Callable[..., Caller]) -> None:
    call = make(SESSION)
    assert [call(envelope(), x_token=token).status for token in ("t-1", "t-2")] == [200, 401]
    assert call(envelope()).errors[0]["code"] == "missing_token"


def test_basic(make: Callable[..., Caller]) -> None:
    call = make(BASIC)
    assert call(envelope(), authorization="Basic dTp0LTE=").status == 200
    said = call(envelope(), authorization="Basic dTp0LTI=")
    assert (said.status, said.headers["www-authenticate"], said.code) == (401, 'Basic realm="hub"', "Client")


def test_a_username_token_in_the_envelope(make: Callable[..., Caller]) -> None:
    call = make(WSSE_SHOP)
    now = call.world.clock.epoch()

    def with_token(password: str, at: float = now) -> bytes:
        root = etree.fromstring(envelope())
        Security({"type": "username-token", "user": "u", "password": password}, {}).add(root, at, bytes(16))
        return etree.tostring(root)

    assert call(with_token("t-1")).status == 200
    for body, reason in ((with_token("t-2"), "bad_credentials"), (with_token("t-1", now - 999), "stale_timestamp"),
                         (envelope(), "missing_credentials")):  # fmt: skip
        said = call(body)
        assert (said.status, said.code, said.errors[0]["code"]) == (500, "FailedAuthentication", reason)
    assert len(call.kept()) == 1


@pytest.mark.parametrize(
    ("dedupe", "other"), [("header:X-Id", "replayed"), ("field:CreateOrder.number", ""), ("sha256", "")]
)
def test_a_token_comes_again_only_with_what_its_repeat_is_told_by(
    make: Callable[..., Caller], dedupe: str, other: str
) -> None:
    call = make(WSSE_SHOP.replace("  replies", f"  dedupe: {{id: '{dedupe}'}}\n  replies"))
    root = etree.fromstring(envelope())
    settings = {"type": "username-token", "user": "u", "password": "t-1"}
    Security(settings, {}).add(root, call.world.clock.epoch(), bytes(16))
    body = etree.tostring(root)
    long = "1" * 1500  # of which a digest is stored
    assert [call(body, x_id=long).status for _ in range(2)] == [200, 200]
    again = call(body, x_id=f"{long}2")  # which nobody has signed
    assert [error["code"] for error in again.errors] == ([other] if other else [])
    assert len(call.kept()) == 1


def test_a_token_comes_once_whichever_process_is_called(make: Callable[..., Caller]) -> None:
    call = make(WSSE_SHOP)
    other = Caller(call.world)

    def with_token(nonce: int, message_id: str, order: str = ORDER) -> bytes:
        root = etree.fromstring(envelope(order, number(message_id) if message_id else ""))
        settings = {"type": "username-token", "user": "u", "password": "t-1"}
        Security(settings, {}).add(root, call.world.clock.epoch(), bytes([nonce] * 16))
        return etree.tostring(root)

    first = call(with_token(1, "m-1"))
    assert (first.status, other(with_token(1, "m-1")).body) == (200, first.body)
    assert call(with_token(2, "m-1")).body == first.body  # tried again, as a client does: with another token
    for nonce in (1, 2):
        for stolen in (with_token(nonce, "m-2", ORDER.replace("A-1", "B-1")), with_token(nonce, "")):
            assert [error["code"] for error in other(stolen).errors] == ["replayed"]
    assert call(with_token(3, "")).status == 200
    assert [error["code"] for error in other(with_token(3, "")).errors] == ["replayed"]
    assert len(call.kept()) == 2


# -- its WSDL ------------------------------------------------------------------------------------------------------


def test_the_wsdl_is_given_out_with_our_address_and_its_imports(make: Callable[..., Caller]) -> None:
    call = make()
    said = call(method="GET", query="WSDL", host="hub.example:8443")
    assert (said.status, said.headers["content-type"]) == (200, "text/xml; charset=utf-8")
    places = {each.get("location") for each in said.root.iter("{*}address")}
    imports = [each.get("schemaLocation") for each in said.root.iter("{http://www.w3.org/2001/XMLSchema}import")]
    assert places == {"https://hub.example:8443/soap/shop"}
    assert imports == ["https://hub.example:8443/soap/shop?wsdl=schemas/types/order.xsd"]
    types = call(method="GET", query="wsdl=schemas/types/order.xsd", host="hub.example:8443")
    assert b"?wsdl=schemas/types/money.xsd" in types.body
    assert call(method="HEAD", query="wsdl").body == b""


@pytest.mark.parametrize(
    ("method", "query", "status"),
    [
        ("GET", "wsdl=config/systems.yaml", 404), ("GET", "wsdl=../../etc/passwd", 404), ("GET", "", 405),
        ("PUT", "", 405), ("GET", "wsdl=schemas/canonical/order.schema.json", 404),
    ],
)  # fmt: skip
def test_nothing_else_is_given_out(make: Callable[..., Caller], method: str, query: str, status: int) -> None:
    assert make()(method=method, query=query).status == status


def test_a_host_that_is_none_is_not_repeated(make: Callable[..., Caller]) -> None:
    said = make()(method="GET", query="wsdl", host='x"/><evil')
    assert b"evil" not in said.body
    assert b"https://hub:1/soap/shop" in said.body


def test_a_wsdl_can_be_kept_for_oneself(make: Callable[..., Caller]) -> None:
    call = make(SHOP.replace("  replies", "  publish: false\n  replies"))
    assert (call(method="GET", query="wsdl").status, call(envelope()).status) == (404, 200)


def test_other_systems_have_no_door_here_and_this_one_none_elsewhere(make: Callable[..., Caller]) -> None:
    call = make()
    assert [call(envelope(), path=path).status for path in ("/soap/erp", "/soap/none", "/soap/")] == [404, 404, 404]
    assert Doors(call.world.folder).find(call.world.engine.program, "shop") is None
