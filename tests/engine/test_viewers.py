"""What a viewer is shown, and finds: no value of a document, in errors nor by what is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape
from typing import Any
from urllib.parse import quote

import pytest
from banking import FOUR, IBAN, THREE, Bank, mt940
from caller import Caller, new_key
from replaying import NO, dead_orders
from world import ORDER_OUT, ROUTES, World, order
from xml_documents import INVOICE

from connectors.base import LATER, Verdict
from hub.api.application import create_app
from hub.profiles.rules import rules_process

V1 = "/api/v1"
LISTS = ("/messages", "/dead-letters", "/dead-letters?group_by=none")


@pytest.fixture
def files(files: dict[str, bytes]) -> dict[str, bytes]:
    return {**files, "mappings/tables/reps.csv": b"key,value\na,b\n"}


@pytest.fixture(scope="module", autouse=True)
def end() -> Iterator[None]:
    yield
    rules_process().close()


OUTPUT = b"""
target: {schema: canonical/stock_level}
output:
  report_id: {const: r-1}
  as_of: "'2026-03-05T10:00:00Z'"
  report_type: {const: full}
  stock_lines:
    - item:
        name: NAME
      available_quantity: {value: {const: "1"}, unit_code: {const: C62}}
      location_id: {const: main}
"""
JSON = b"mapping: order-in\nversion: 1\nsource: {format: json}"
FLAT = b"""mapping: order-in
version: 1
source: {format: flat, records: {cust: {tag: C, fields: {no: {at: 2, length: 5}, day: {at: 7, length: 8, type: date}}}}}
"""
XML = b"mapping: order-in\nversion: 1\nsource: {format: xml, records: orders.order}"
# What is asked, the mapping that meets it, and what of the document the error quotes.
ERRORS: dict[str, tuple[Any, dict[str, bytes], str]] = {
    "a value of another kind": ({"id": "1", "lines": [{"name": "a", "qty": "Anna-Muster-7"}]}, {}, "Anna-Muster-7"),
    "by a schema": (
        b" ".join(INVOICE.replace(b"<cbc:IssueDate>", b"<cbc:IssueDate>Anna Muster, 'Hof' 7 ", 1).split()),
        {"routes": ROUTES.replace(b"event: order}", b"event: order, profile: ubl-invoice}"),
         "order_in": b"mapping: order-in\nversion: 1\nsource: {format: csv, header: false, columns: [xml]}"
                     + OUTPUT.replace(b"NAME", b"src.xml")},
        "Anna Muster, 'Hof' 7 2026",
    ),
    "behind fixed columns": (
        b"C0000120260305 Anna Muster, Hauptstr. 7", {"order_in": FLAT + OUTPUT.replace(b"NAME", b"text(src.cust.no)")},
        "Anna Muster, Hauptstr. 7",
    ),
    "in a fixed column": (
        b"C00001A Muster", {"order_in": FLAT + OUTPUT.replace(b"NAME", b"text(src.cust.no)")}, "A Muster",
    ),
    "a record of no kind": (
        b"Xnna", {"order_in": FLAT + OUTPUT.replace(b"NAME", b"text(src.cust.no)")}, "X",
    ),
    "looked up": (
        {"name": "Mustermann"},
        {"order_in": JSON + b"\ntables: [reps]" + OUTPUT.replace(b"NAME", b"lookup(src.name, 'reps')")},
        "Mustermann",
    ),
    "required": (
        {"name": "Anna Muster"},
        {"order_in": JSON + OUTPUT.replace(b"NAME", b"""require(src.name, 1 > 2, f'the rep {src.name} is unknown')""")},
        "Anna Muster",
    ),
    "no XML": (
        b"Anna Muster, Hauptstr. 7", {"order_in": XML + OUTPUT.replace(b"NAME", b"src.name")}, "Anna Muster, Hauptst",
    ),
    "broken XML": (
        b"<orders><order>5</Muster></orders>", {"order_in": XML + OUTPUT.replace(b"NAME", b"src.name")}, "Muster",
    ),
    "no JSON": (b'{"name": Muster}', {}, "Muster"),
}  # fmt: skip


@pytest.mark.parametrize("error", ERRORS)
def test_a_viewer_sees_no_value_of_a_document_in_an_error(make_world: Callable[..., World], error: str) -> None:
    document, changed, value = ERRORS[error]
    world = make_world(**changed)
    world.send(document)
    viewer, operator = somebody(world, "viewer"), somebody(world, "operator")
    [line] = viewer.get(V1 + "/messages").json["items"]
    for path in (f"/messages/{line['message_id']}", *LISTS):
        seen = detail_of(viewer, path)
        assert "[redacted]" in seen and value not in seen
        assert value in detail_of(operator, path)
    assert escape(value) not in viewer.get("/").body.decode()


def somebody(world: World, role: str) -> Caller:
    return Caller(create_app(world.engine), new_key(world.store, role))


def detail_of(caller: Caller, path: str) -> str:
    """What the only error there is says."""
    answer = caller.get(V1 + path).json
    [found] = answer.get("issues") or answer.get("items") or [answer]
    assert "quoted" not in found["error"]
    return str(found["error"]["detail"])


BY_TABLE = ORDER_OUT.replace(b"output:", b"tables: [reps]\noutput:") + b"  rep: lookup(src.report_id, 'reps')\n"


def test_a_viewer_sees_no_value_of_a_document_in_why_a_route_is_paused(make_world: Callable[..., World]) -> None:
    world = make_world(routes=ROUTES + b"on_error: stop\n", order_out=BY_TABLE)
    world.send(order(4711))
    told = "field 'rep': the table 'reps' has no key '[redacted]'"
    [route] = somebody(world, "viewer").get(V1 + "/routes").json["items"]
    assert route["off"]["reason"].endswith(told)
    assert "4711" not in somebody(world, "viewer").get("/").body.decode()
    [held] = somebody(world, "operator").get(V1 + "/dead-letters?group_by=none").json["items"]
    assert "no key '4711'" in held["error"]["detail"]


def test_names_of_tables_and_fields_stay(make_world: Callable[..., World]) -> None:
    document, changed, _ = ERRORS["looked up"]
    world = make_world(**changed)
    world.send(document)
    told = "required target field 'stock_lines[0].item.name': the table 'reps' has no key '[redacted]'"
    assert detail_of(somebody(world, "viewer"), "/messages") == told


def found(caller: Caller, path: str, text: str) -> bool:
    asked = f"{path}{'&' if '?' in path else '?'}text={quote(text)}"
    answer = caller.get(V1 + asked).json
    return bool(answer["issues"] if path == "/dead-letters" else answer["items"])


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("text", ["Anna", '"value_excerpt":"a', "seen"])
def test_a_viewer_finds_nothing_by_parts_of_what_they_are_not_shown(
    call: Callable[..., Caller], world: World, path: str, text: str
) -> None:
    world.send({"id": "1", "lines": [{"name": "a", "qty": "Anna-Muster-7"}]})
    assert not found(call("viewer"), path, text)


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("text", ["SCHEMA", "available_quantity", "decimal string"])
def test_a_viewer_finds_what_an_error_says_without_values(
    call: Callable[..., Caller], world: World, path: str, text: str
) -> None:
    world.send({"id": "1", "lines": [{"name": "a", "qty": "Anna-Muster-7"}]})
    assert found(call("viewer"), path, text)


@pytest.mark.parametrize("path", LISTS)
def test_a_viewer_finds_keys_by_their_whole_value(call: Callable[..., Caller], world: World, path: str) -> None:
    dead_orders(world, 1)
    assert found(call("viewer"), path, "main")
    assert not found(call("viewer"), path, "mai") and not found(call("viewer"), path, "ain")


@pytest.mark.parametrize("account", [IBAN, "12030000/202051"])
def test_a_viewer_sees_no_account_in_keys(bank: Bank, account: str) -> None:
    bank.bring(mt940("3/1", "2026-03-03", "100", "10", "-5", account=account))
    viewer, operator = somebody(bank, "viewer"), somebody(bank, "operator")
    [line] = viewer.get(V1 + "/messages").json["items"]
    assert line["main_key"] == "statement:[redacted]:2026-3"
    seen = viewer.get(f"{V1}/messages/{line['message_id']}").json
    assert seen["main_key"] == line["main_key"]
    assert {"statement:2026-3", "iban:[redacted]"} <= set(seen["keys"])
    assert "statement:[redacted]:2026-3" in viewer.get("/").body.decode()
    assert f"iban:{account}" in operator.get(f"{V1}/messages/{line['message_id']}").json["keys"]


def test_a_viewer_sees_no_account_in_keys_of_what_waits_or_is_dead(bank: Bank) -> None:
    answers = bank.target("books").answers
    answers += [Verdict(LATER, code="http_503", status=503, detail="busy"), NO]
    bank.bring(THREE)
    bank.bring(FOUR)
    viewer = somebody(bank, "viewer")
    assert IBAN not in viewer.get("/").body.decode()
    [letter] = viewer.get(V1 + "/dead-letters?group_by=none").json["items"]
    assert letter["main_key"] == "statement:[redacted]:2026-4"
