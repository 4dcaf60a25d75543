"""A field of a target and the canonical fields that it was made of, found by the paths that it read."""

from __future__ import annotations

import pytest

from hub.formats import codec, places_in
from hub.mapping import TraceEntry
from hub.tracing.fields import Origins, is_part, place_of, steps_of

PATHS = (
    "order_id", "buyer", "order_lines[0].price.value", "order_lines[0].taxes[0].rate", "order_lines[0].taxes[1].rate",
    "order_lines[1].price.value", "order_lines[1].taxes[0].rate", "order_lines[10].price.value",
)  # fmt: skip


def entry(path: str, *sources: str) -> TraceEntry:
    return TraceEntry(path, None, "mappings/m.yaml", 1, 1, path, sources)


@pytest.mark.parametrize(
    ("read", "found"),
    [
        ("src.order_id", ["order_id"]),
        ("src.order_lines[1].price.value", ["order_lines[1].price.value"]),
        ("src.order_lines[1].price", ["order_lines[1].price.value"]),
        ("src.order_lines[1]", ["order_lines[1].price.value", "order_lines[1].taxes[0].rate"]),
        ("src.order_lines[].price.value", [path for path in PATHS if path.endswith("price.value")]),
        ("src.order_lines.price.value", [path for path in PATHS if path.endswith("price.value")]),
        ("src.order_lines[0].taxes[].rate", ["order_lines[0].taxes[0].rate", "order_lines[0].taxes[1].rate"]),
        ("src.buyer.contact.name", ["buyer"]),  # one expression made all of it
        ("src.order", []),
        ("src.seller.name", []),
        ("company.name", []),
    ],
)
def test_a_read_path_leads_to_what_stands_there(read: str, found: list[str]) -> None:
    origins = Origins([entry(path) for path in PATHS])
    assert [each.path for each in origins.of(entry("target", read))] == found


def test_what_is_read_twice_is_told_once() -> None:
    origins = Origins([entry(path) for path in PATHS])
    read = entry("target", "src.order_lines[0].price", "src.order_id", "src.order_lines[0].price.value")
    assert [each.path for each in origins.of(read)] == ["order_lines[0].price.value", "order_id"]


@pytest.mark.parametrize(
    ("path", "wanted", "is_one"),
    [
        ("lines[1].price", "lines", True), ("lines[1].price", "lines[1]", True), ("lines[10].price", "lines[1]", False),
        ("lines[10].price", "lines[].price", True), ("lines[10].prices", "lines[].price", False),
        ("lines[1].price.value", "lines[].price", True), ("lines[1].price", "lines[]", True),
        ("linesman", "lines", False), ("lines[1].a.b", "lines[].(a", False),
    ],
)  # fmt: skip
def test_what_is_within_a_field(path: str, wanted: str, is_one: bool) -> None:
    assert is_part(path, wanted) is is_one


def test_steps_are_names_and_elements() -> None:
    assert steps_of("order_lines[0].price.value") == ["order_lines", None, "price", "value"]


@pytest.mark.parametrize(
    ("read", "text"),
    [
        ("src.a.b", b"1}, "),  # the key there is, before one that only looks like it
        ("src.order.no", b'"7", '),
        ("src.lines[0].net.price.eur", b"3}]"),
        ("src.order.nothing", None),
    ],
)
def test_a_key_with_a_point_has_its_place(read: str, text: bytes | None) -> None:
    raw = b'{"a": {"b":  1}, "a.b": 2, "order.no":"7", "lines": [{"net.price.eur": 3}]}'
    place = place_of(read, places_in(codec("json"), raw, {}, 0))
    assert raw[place.offset :].startswith(text) if place and text else place is None
