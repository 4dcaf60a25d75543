"""Header fields that are decoded all at once say what they say one by one."""

from __future__ import annotations

import pytest

from hub.api.ingest import joined
from hub.api.short_way import _fields

Field = tuple[bytes, bytes]


@pytest.mark.parametrize(
    "fields",
    [
        [],
        [(b"Host", b"hub"), (b"X-Shopify-Topic", b"orders/create"), (b"content-length", b"7")],
        [(b"Host", b"")],
        [(b"X-Name", "Jürgen".encode("latin-1")), (b"X-Utf8", "Jürgen".encode())],
        [(b"X-Signature", b"one"), (b"Host", b"hub"), (b"x-signature", b"two")],
        [(b"X-Odd", b"a\0b"), (b"Host", b"hub")],
        [(b"X-Odd", b"a\0b"), (b"x-odd", b"c")],
    ],
)
def test_fields_are_those_that_are_read_one_by_one(fields: list[Field]) -> None:
    names, values = [name for name, _ in fields], [value for _, value in fields]
    assert _fields(names, values) == joined([(name.lower(), value) for name, value in fields])
