"""What is found in headers and bodies, as it was sent."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from connectors._extract import extractor
from connectors.base import PermanentError

HEADERS = {"x-topic": "orders/create"}
BODY = (
    b'{"id": 7, "total": 10.50, "big": 12345678901234567890, "paid": true, "none": null, '
    b'"list": [{"n": "a"}, {"n": "b"}]}'
)

FOUND: list[tuple[str, Any]] = [
    ("header:X-Topic", "orders/create"), ("header:x-topic", "orders/create"), ("header:X-Other", None),
    ("field:id", "7"), ("field:total", "10.50"), ("field:big", "12345678901234567890"), ("field:paid", "true"),
    ("field:none", None), ("field:missing", None), ("field:list", None), ("field:list.0.n", "a"),
    ("field:list.*.n", "a,b"), ("field:list.9.n", None), ("field:id.deeper", None), ("field:list.x", None),
    ("sha256", hashlib.sha256(BODY).hexdigest()), ("orders/create", "orders/create"), ("a:b", "a:b"),
    ("{field:id}-{header:X-Topic}", "7-orders/create"), ("{field:id}-{field:missing}", None),
    ("{sha256}:{field:id}", hashlib.sha256(BODY).hexdigest() + ":7"),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "expected"), FOUND, ids=[row[0] for row in FOUND])
def test_a_spec_finds_its_text_as_it_was_sent(spec: str, expected: str | None) -> None:
    assert extractor(spec)(HEADERS, BODY) == expected


@pytest.mark.parametrize("spec", ["field:id", "field:list.0.n", "{field:id}"])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no json",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"7",
        b"[" * 50_000,
        b'{"id": {"a": 1}}',
        b'{"id": ' + b"9" * 5000 + b"}",
    ],
)
def test_a_body_that_has_no_such_field_gives_nothing(spec: str, body: bytes) -> None:
    assert extractor(spec)({}, body) is None


def test_a_decoded_body_will_do_as_well() -> None:
    assert extractor("field:id")({}, {"id": 7}) == "7"
    assert extractor("field:a.b")({}, {"a": {"b": "c"}}) == "c"


@pytest.mark.parametrize(
    ("spec", "text"),
    [("", "event: empty; write header:NAME, field:PATH or a fixed text"),
     ("header:X Topic", "event: 'X Topic' cannot name a header; write header:X-Name"),
     ("header:", "event: '' cannot name a header"), ("field:a..b", "event: 'a..b' is not a path; write field:name"),
     ("field:", "event: '' is not a path"), ("{field:a", "event: a brace without its partner in '{field:a'"),
     ("{}", "event: empty")],
)  # fmt: skip
def test_a_spec_that_is_none_is_said(spec: str, text: str) -> None:
    with pytest.raises(PermanentError) as caught:
        extractor(spec, "event")
    assert str(caught.value).startswith(text)
