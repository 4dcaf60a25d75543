"""How a system knows us: what stands in the request, and what an OAuth2 grant makes of an answer."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import pytest

from connectors._http_plan import plan_of
from connectors._oauth2 import Grant
from connectors._opening import address_of
from connectors._request import RequestMaker
from connectors.auth import Outgoing, credentials
from connectors.base import Parcel, PermanentError

NOW = 1_772_700_000.0
ADDRESS = address_of("https://erp.example/api", "base_url")


def head_of(auth: dict[str, Any] | None, path: str = "/orders", body: bytes = b"{}") -> str:
    maker = RequestMaker("POST", ADDRESS, path, "path", {}, credentials(auth))
    return maker.make(Parcel("d", "d.1", body), NOW)[0].decode()


FIXED: list[tuple[dict[str, Any] | None, str]] = [
    (None, "POST /api/orders HTTP/1.1\r\n"),
    ({"type": "none"}, "POST /api/orders HTTP/1.1\r\n"),
    ({"type": "basic", "user": "hub", "password": "pä:ss"}, "\r\nAuthorization: Basic aHViOnDDpDpzcw==\r\n"),
    ({"type": "key", "key": "k1"}, "\r\nX-API-Key: k1\r\n"),
    ({"type": "key", "key": "k1", "header": "Authorization", "prefix": "Token "}, "\r\nAuthorization: Token k1\r\n"),
    ({"type": "key", "key": "a&b=ü", "query": "api key"}, "POST /api/orders?api%20key=a%26b%3D%C3%BC HTTP/1.1\r\n"),
    ({"type": "bearer", "token": "t"}, "\r\nAuthorization: Bearer t\r\n"),
    ({"type": "bearer", "token": "t", "prefix": "bearer "}, "\r\nAuthorization: bearer t\r\n"),
]


@pytest.mark.parametrize(("auth", "expected"), FIXED, ids=range(len(FIXED)))
def test_fixed_credentials_stand_in_every_request(auth: dict[str, Any] | None, expected: str) -> None:
    head = head_of(auth)
    assert expected in head
    assert head.endswith("\r\n\r\n")
    assert head.count("\r\n\r\n") == 1


@pytest.mark.parametrize("secret", ["s3{cret", "s3{cre}t", "{s3cret}", "s3}cret"])
def test_a_brace_in_the_secret_of_a_header_is_a_brace(secret: str) -> None:
    config = {
        "base_url": "https://erp.example/api", "headers": {"X-Key": secret, "X-Id": "{key}"}, "secrets": [secret],
        "idempotency": {"mode": "lookup", "request": "GET /orders?ref={key}"},
    }  # fmt: skip
    plan = plan_of(config)
    assert plan.asker is not None
    for maker in (plan.maker, plan.asker):
        head = maker.make(Parcel("d", "d.1", b"{}"), NOW)[0].decode()
        assert f"\r\nX-Key: {secret}\r\n" in head
        assert "\r\nX-Id: d.1\r\n" in head


def test_a_key_in_the_query_follows_the_query_of_the_path() -> None:
    assert head_of({"type": "key", "key": "k", "query": "q"}, "/orders?v=2").startswith("POST /api/orders?v=2&q=k HTTP")


def test_a_signature_covers_what_signed_names() -> None:
    auth = {"type": "hmac", "secret": "s", "header": "X-Sign", "encoding": "hex", "prefix": "sha256=",
            "signed": "{method}|{path}|{key}|{timestamp}|{body}", "timestamp_header": "X-Time"}  # fmt: skip
    head = head_of(auth, "/orders?v=2", '{"a": "ä"}'.encode())
    message = 'POST|/api/orders?v=2|d.1|1772700000|{"a": "ä"}'.encode()
    assert f"\r\nX-Sign: sha256={hmac.new(b's', message, hashlib.sha256).hexdigest()}\r\n" in head
    assert "\r\nX-Time: 1772700000\r\n" in head


def test_the_three_headers_of_standard_webhooks() -> None:
    secret = "whsec_" + base64.b64encode(b"k" * 24).decode()
    head = head_of({"type": "hmac", "secret": secret, "style": "standard-webhooks"}, body=b"{}")
    signature = base64.b64encode(hmac.new(b"k" * 24, b"d.1.1772700000.{}", hashlib.sha256).digest()).decode()
    assert f"\r\nwebhook-signature: v1,{signature}\r\n" in head
    assert "\r\nwebhook-id: d.1\r\n" in head
    assert "\r\nwebhook-timestamp: 1772700000\r\n" in head


def grant() -> Grant:
    made = credentials({"type": "oauth2", "token_url": "https://id.example/t", "client_id": "c", "client_secret": "x"})
    assert isinstance(made, Grant)
    return made


@pytest.mark.parametrize(
    ("expires_in", "good_for"),
    [
        ("3600", 3570),
        ('"3600"', 3570),
        ("100", 90),
        ("null", 270),
        ("0", 270),
        ("-1", 270),
        ('"x"', 270),
        ("1e300", 270),
    ],
)
def test_a_token_is_renewed_before_it_expires(expires_in: str, good_for: float) -> None:
    known = grant()
    assert not known.is_valid(NOW)
    assert known.accept(200, f'{{"access_token": "t", "expires_in": {expires_in}}}'.encode(), NOW) is None
    assert known.is_valid(NOW + good_for - 1)
    assert not known.is_valid(NOW + good_for)


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({}, "Authorization: Bearer t1"),
        ({"prefix": "bearer "}, "Authorization: bearer t1"),
        ({"header": "X-Shopify-Access-Token"}, "X-Shopify-Access-Token: t1"),
        ({"header": "X-Token", "prefix": "Token "}, "X-Token: Token t1"),
    ],
)
def test_a_token_goes_where_the_system_looks_for_it(more: dict[str, str], line: str) -> None:
    known = credentials({"type": "oauth2", "token_url": "https://id.example/t", "client_id": "c", "client_secret": "x",
                         **more})  # fmt: skip
    assert isinstance(known, Grant)
    known.accept(200, b'{"access_token": "t1"}', NOW)
    assert known.lines(Outgoing("POST", "/", "", b"", 0)) == [f"{line}\r\n"]


def test_only_the_token_that_was_refused_is_forgotten() -> None:
    known = grant()
    known.accept(200, b'{"access_token": "t2"}', NOW)
    known.forget("t1")
    assert known.is_valid(NOW)
    known.forget("t2")
    assert not known.is_valid(NOW)


@pytest.mark.parametrize(
    "auth",
    [{"type": "basic", "user": "u"}, {"type": "key"}, {"type": "bearer"}, {"type": "hmac"},
     {"type": "oauth2", "client_id": "c", "client_secret": "s"}, {"type": "bearer", "token": None}],
)  # fmt: skip
def test_what_a_strategy_needs_must_be_there(auth: dict[str, Any]) -> None:
    with pytest.raises(PermanentError, match=rf"^auth\.\w+ is missing: type {auth['type']} needs it$"):
        credentials(auth)
