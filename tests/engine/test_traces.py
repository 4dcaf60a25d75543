"""Traces over the admin API: from what a target was sent, and from a canonical document, back to the raw bytes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from backtesting import know, meddle
from caller import Caller, new_key
from replaying import CSV_IN, deploy
from test_replies import ANSWER, CREATED
from world import ORDER_IN, ORDER_OUT, ROUTES, SYSTEMS, World, order

import hub.tracing
from hub.api.application import create_app
from hub.formats import codec
from hub.store import audit
from hub.tracing import stored
from hub.tracing.page import page_of
from hub.tracing.stored import Again
from hub.tracing.words import Ask

Call = Callable[..., Caller]
V1 = "/api/v1"
IN = "mappings/order-in.yaml"
RAW = b'{"id": "7",\n "lines": [{"name": "hose", "qty": 2}, {"name": "pump",\n  "qty": 3}]}'
CSV = b"id,name,qty\n1,hose,2\n2,pump,3\n"
NAMED_CSV_IN = CSV_IN.replace(b"name: src.id", b"name: src.name")
CUSTOMER = b"""
mapping: order-in
version: 1
source: {format: json}
target: {schema: canonical/customer}
output:
  customer_id: text(src.id)
  party: {let: {who: {name: src.who}}, item: {name: who.name}}
  segment: src.mail
  status: {const: active}
  updated_at: "'2026-03-05T10:00:00Z'"
"""
# Stands for a mapping that never ends, and for a library that brings its process down, on certain documents.
EVIL = """
import os, time
from hub.mapping.mapping import Mapping
_trace = Mapping.trace

def trace(self, document, context):
    if "hang" in str(document):
        time.sleep(600)
    if "abort" in str(document):
        os.abort()
    if "mistake" in str(document):
        raise RuntimeError(f"we did not think of {document}")
    return _trace(self, document, context)

Mapping.trace = trace
"""


@pytest.fixture
def store_url() -> str:
    return "sqlite:///hub.db"  # each test starts processes of its own; the tests of the API run on both databases


def traced(caller: Caller, path: str) -> Any:
    answer = caller.get(f"{V1}{path}")
    assert (answer.status, answer.headers["cache-control"]) == (200, "no-store"), answer.body
    return answer.json


def by_path(found: Any) -> dict[str, Any]:
    return {entry["path"]: entry for entry in found["fields"]}


def caller_of(world: World, role: str = "operator") -> Caller:
    return Caller(create_app(world.engine), new_key(world.store, role))


def delivery_of(world: World, message_id: str) -> str:
    return str(world.rows("SELECT delivery_id FROM deliveries WHERE message_id = ?", message_id)[0][0])


def where(entry: Any) -> tuple[str, int, int]:
    return entry["file"], entry["line"], entry["column"]


def place_in(text: bytes, part: bytes) -> tuple[int, int]:
    """Line and column, from 1, of a part of a text."""
    at = text.index(part)
    return text.count(b"\n", 0, at) + 1, at - text.rfind(b"\n", 0, at)


def test_every_field_of_a_message_leads_to_its_place_in_the_raw_bytes(world: World, call: Call) -> None:
    [one] = world.send(RAW)
    found = traced(call("operator"), f"/messages/{one.receipt_id}/trace")
    head = ("message_id", "route", "mapping", "schema", "reproduced", "reaches", "positions", "masked", "error")
    assert [found[name] for name in head] == [
        one.receipt_id, "orders", "order-in", "canonical/stock_level", True, "raw", True, False, None,
    ]  # fmt: skip
    assert (found["total"], found["next_cursor"]) == (11, None)
    entry = by_path(found)["stock_lines[1].available_quantity.value"]
    assert (entry["value"], entry["expression"], entry["sources"]) == ("3", "text(l.qty)", ["src.lines[1].qty"])
    assert where(entry) == (IN, *place_in(ORDER_IN, b"text(l.qty)"))
    assert entry["places"] == [{"line": 3, "column": 10, "offset": RAW.rindex(b"3")}]
    assert by_path(found)["stock_lines[1].item.name"]["places"][0]["offset"] == RAW.index(b'"pump"')
    written = by_path(found)["report_type"]
    assert (written["value"], written["expression"], written["sources"]) == ("full", "{const: full}", [])
    assert where(written) == (IN, *place_in(ORDER_IN, b"{const: full}"))


def test_what_a_target_was_sent_leads_through_the_canonical_document_to_the_raw_bytes(world: World, call: Call) -> None:
    [one] = world.send(RAW)
    delivery_id = delivery_of(world, one.receipt_id)
    found = traced(call("operator"), f"/deliveries/{delivery_id}/trace")
    assert (found["delivery_id"], found["target"], found["mapping"]) == (delivery_id, "erp", "order-out")
    assert (found["reproduced"], found["reaches"], found["positions"]) == (True, "raw", True)
    ref = by_path(found)["ref"]
    assert (ref["value"], ref["sources"], ref["from_total"]) == ("7", ["src.report_id"], 1)
    assert where(ref) == ("mappings/order-out.yaml", *place_in(ORDER_OUT, b"src.report_id"))
    [origin] = ref["from"]
    assert (origin["path"], origin["sources"]) == ("report_id", ["src.id"])
    assert where(origin) == (IN, *place_in(ORDER_IN, b"text(src.id)"))
    assert origin["places"] == [{"line": 1, "column": 8, "offset": 7}]
    parts = ("item.name", "available_quantity.value", "available_quantity.unit_code", "location_id")
    assert [each["path"] for each in by_path(found)["lines"]["from"]] == [
        f"stock_lines[{number}].{part}" for number in range(2) for part in parts
    ]


def test_a_target_without_a_mapping_was_sent_the_canonical_fields(make_world: Callable[..., World]) -> None:
    world = make_world(routes=ROUTES.replace(b", map: order-out", b""))
    [one] = world.send(RAW)
    found = traced(caller_of(world), f"/deliveries/{delivery_of(world, one.receipt_id)}/trace")
    assert (found["mapping"], found["schema"], found["reproduced"]) == (None, "canonical/stock_level", True)
    assert by_path(found)["report_id"]["places"] == [{"line": 1, "column": 8, "offset": 7}]


def test_each_record_of_a_file_has_its_own_line(make_world: Callable[..., World]) -> None:
    world = make_world(systems=SYSTEMS.replace(b"format: json", b"format: csv"), order_in=NAMED_CSV_IN)
    [file] = world.send(CSV)
    first, second = (row[0] for row in world.rows("SELECT message_id FROM messages ORDER BY position"))
    caller = caller_of(world)
    for message_id, line in ((first, 2), (second, 3)):
        found = traced(caller, f"/messages/{message_id}/trace")
        entry = by_path(found)["stock_lines[0].available_quantity.value"]
        assert (entry["value"], entry["places"]) == (str(line), [{"line": line, "column": 3, "what": "column 'qty'"}])
        assert found["reproduced"] is True
    answer = caller.get(f"{V1}/messages/{file.receipt_id}/trace")
    assert (answer.status, answer.code) == (409, "conflict")
    assert answer.json["detail"] == "2 messages were made of this receipt"


def test_an_amount_of_a_statement_is_traced_to_its_subfield_and_what_was_odd_is_told(make_world: Any) -> None:
    mapping = CSV_IN.replace(b"csv", b"mt940").replace(b"src.id", b"src.message_id")
    mapping = mapping.replace(b"    - item:", b"    each: src.entries\n    as: e\n    item:\n      item:")
    mapping = mapping.replace(b"src.qty", b"text(e.amount.amount)")
    world = make_world(systems=SYSTEMS.replace(b"format: json", b"format: mt940"), order_in=mapping)
    world.send(codec("mt940").EXAMPLE[0].replace(b"C269,33N", b"C269.33N"))
    [(message_id,)] = world.rows("SELECT message_id FROM messages")
    found = traced(caller_of(world), f"/messages/{message_id}/trace")
    entry = by_path(found)["stock_lines[0].available_quantity.value"]
    assert (entry["value"], entry["places"]) == ("269.33", [{"line": 5, "column": 16, "what": ":61: amount"}])
    detail = "the amount '269.33' has a point for its decimal comma"
    assert found["findings"] == [{"position": "line 5, column 16, :61:", "code": "statement_amount", "detail": detail}]
    viewed = traced(caller_of(world, "viewer"), f"/messages/{message_id}/trace")
    assert viewed["findings"] == [{"position": "line 5, column 16, :61:", "code": "statement_amount", "detail": None}]


def test_a_message_is_traced_with_the_files_it_was_made_with(world: World, call: Call) -> None:
    [old] = world.send(order(1))
    deploy(world, IN, ORDER_IN.replace(b"name: l.name", b"name: l.name + '!'"))
    deploy(world, "mappings/order-out.yaml", ORDER_OUT.replace(b"ref: src.report_id", b"ref: src.report_id + '!'"))
    [new] = world.send(order(2))
    told = {}
    for one in (old, new):
        found = traced(call("operator"), f"/messages/{one.receipt_id}/trace?field=stock_lines[0].item.name")
        sent = traced(call("operator"), f"/deliveries/{delivery_of(world, one.receipt_id)}/trace?field=ref")
        assert (found["total"], found["reproduced"], sent["reproduced"]) == (1, True, True)
        told[one.receipt_id] = [(each["fields"][0]["value"], each["fields"][0]["expression"]) for each in (found, sent)]
    assert told == {
        old.receipt_id: [("item 0", "l.name"), ("1", "src.report_id")],
        new.receipt_id: [("item 0!", "l.name + '!'"), ("2!", "src.report_id + '!'")],
    }


def test_a_cross_reference_is_as_it_was_answered_then(make_world: Callable[..., World]) -> None:
    world = make_world(
        order_in=ORDER_IN.replace(b"{const: main}", b"default(xref('erp', 'place', 'p'), 'nowhere')"),
        order_out=ORDER_OUT + b"  place: xref('erp', 'place', 'p')\n",
    )
    know(world, "then")
    [one] = world.send(order(1))
    world.clock.at += 10
    know(world, "now")
    caller, paths = caller_of(world), ("messages/" + one.receipt_id, "deliveries/" + delivery_of(world, one.receipt_id))
    for path, field in zip(paths, ("stock_lines[0].location_id", "place"), strict=True):
        found = traced(caller, f"/{path}/trace")
        assert (by_path(found)[field]["value"], found["reproduced"]) == ("then", True)
    meddle(world, "DELETE FROM payloads WHERE stage = 'lookups'")
    answers = [caller.get(f"{V1}/{path}/trace") for path in paths]
    assert [(answer.status, answer.code) for answer in answers] == [(410, "gone")] * 2


def test_what_is_pruned_is_not_made_up(world: World, call: Call) -> None:
    [one] = world.send(order(1))
    operator, delivery_id = call("operator"), delivery_of(world, one.receipt_id)
    meddle(world, "DELETE FROM payloads WHERE stage = 'raw'")
    answer = operator.get(f"{V1}/messages/{one.receipt_id}/trace")
    assert (answer.status, answer.code) == (410, "gone")
    assert answer.headers["content-type"] == "application/problem+json"
    found = traced(operator, f"/deliveries/{delivery_id}/trace")
    assert (found["reaches"], found["positions"], found["reproduced"]) == ("canonical", False, True)
    ref = by_path(found)["ref"]
    assert (ref["value"], ref["sources"], ref["from"]) == ("1", ["src.report_id"], [])
    meddle(world, "DELETE FROM payloads WHERE stage = 'canonical'")
    assert operator.get(f"{V1}/deliveries/{delivery_id}/trace").code == "gone"


def test_a_canonical_document_that_is_pruned_is_made_of_its_raw_bytes(world: World, call: Call) -> None:
    [one] = world.send(order(1))
    meddle(world, "DELETE FROM payloads WHERE stage <> 'raw'")
    found = traced(call("operator"), f"/deliveries/{delivery_of(world, one.receipt_id)}/trace")
    assert (found["reaches"], found["reproduced"], by_path(found)["ref"]["value"]) == ("raw", None, "1")


def test_what_is_stored_is_compared_with_what_comes_out(world: World, call: Call) -> None:
    [one] = world.send(order(1))
    document = b'{"report_id":"another"}'
    meddle(
        world, "UPDATE payloads SET content = ?, compressed = 0, size = ? WHERE stage = 'canonical'", document,
        len(document),
    )  # fmt: skip
    assert traced(call("operator"), f"/messages/{one.receipt_id}/trace")["reproduced"] is False
    found = traced(call("operator"), f"/deliveries/{delivery_of(world, one.receipt_id)}/trace")
    assert (by_path(found)["ref"]["value"], found["reproduced"]) == ("another", False)


def test_a_viewer_sees_where_values_came_from_but_no_personal_data(make_world: Callable[..., World]) -> None:
    world = make_world(order_in=CUSTOMER, order_out=ORDER_OUT.replace(b"src.report_id", b"src.party.name").replace(
        b"canonical/stock_level", b"canonical/customer").replace(b"src.stock_lines", b"[src]"),
        routes=ROUTES.replace(b"key: src.report_id", b"key: src.customer_id"))  # fmt: skip
    [one] = world.send({"id": "7", "who": "Erika Muster", "mail": "erika@example.com"})
    paths = [f"/messages/{one.receipt_id}/trace", f"/deliveries/{delivery_of(world, one.receipt_id)}/trace"]
    viewer = caller_of(world, "viewer")
    shown, sent = (traced(viewer, path) for path in paths)
    assert (shown["masked"], sent["masked"]) == (True, True)
    assert {path: entry["value"] for path, entry in by_path(shown).items()} == {
        "customer_id": "7", "party.name": "[redacted]", "segment": "[redacted]", "updated_at": "2026-03-05T10:00:00Z",
        "status": "active", "party.let who.name": "[redacted]",
    }  # fmt: skip
    assert by_path(shown)["party.name"]["places"][0]["line"] == 1
    assert [entry["value"] for entry in sent["fields"]] == ["[redacted]", "[redacted]"]
    assert by_path(sent)["ref"]["from"][0]["value"] == "[redacted]"
    for path in paths:
        assert b"rika" not in viewer.get(V1 + path).body
        assert b"Erika Muster" in caller_of(world).get(V1 + path).body


def test_every_reading_is_in_the_audit(world: World, call: Call) -> None:
    [one] = world.send(order(1))
    delivery_id = delivery_of(world, one.receipt_id)
    traced(call("viewer"), f"/messages/{one.receipt_id}/trace")
    traced(call("operator"), f"/deliveries/{delivery_id}/trace")
    rows = audit.listed(world.store.reader(), 2)
    assert [(row["action"], row["actor"], row["subject"], row["detail"]) for row in rows] == [
        ("trace.read", "operator", one.receipt_id, {"delivery": delivery_id, "redacted": False}),
        ("trace.read", "viewer", one.receipt_id, {"delivery": "", "redacted": True}),
    ]


def test_a_trace_is_read_page_by_page_and_by_field(world: World, call: Call) -> None:
    [one] = world.send(order(1, lines=3))
    operator, path = call("operator"), f"/messages/{one.receipt_id}/trace"
    whole = traced(operator, path)
    pages = [traced(operator, f"{path}?limit=5")]
    while pages[-1]["next_cursor"]:
        pages.append(traced(operator, f"{path}?limit=5&cursor={pages[-1]['next_cursor']}"))
    assert [len(page["fields"]) for page in pages] == [5, 5, 5]
    assert [entry for page in pages for entry in page["fields"]] == whole["fields"]
    found = traced(operator, f"{path}?field=stock_lines[].item")
    assert [entry["path"] for entry in found["fields"]] == [f"stock_lines[{number}].item.name" for number in range(3)]
    assert [entry["path"] for entry in traced(operator, f"{path}?field=stock_lines[1]")["fields"]] == [
        f"stock_lines[1].{part}"
        for part in ("item.name", "available_quantity.value", "available_quantity.unit_code", "location_id")
    ]
    for wrong in ("cursor=x", "limit=0", "limit=1001"):
        assert operator.get(f"{V1}{path}?{wrong}").code == "not_valid"


def test_an_answer_is_bounded_whatever_a_document_holds(world: World, call: Call) -> None:
    lines = [{"name": "x" * 3000, "qty": 1} for _ in range(1000)]
    [one] = world.send({"id": "1", "lines": lines})
    answer = call("operator").get(f"{V1}/messages/{one.receipt_id}/trace?limit=1000&field=stock_lines[].item")
    assert (answer.status, answer.json["total"]) == (200, 1000)
    assert 900_000 < len(answer.body) < 1_100_000
    assert answer.json["next_cursor"] == str(len(answer.json["fields"]))
    entry = by_path(answer.json)["stock_lines[0].item.name"]
    assert (entry["is_cut"], entry["value"]) == (True, '"' + "x" * 1999)
    sent = traced(call("operator"), f"/deliveries/{delivery_of(world, one.receipt_id)}/trace")
    assert (len(by_path(sent)["lines"]["from"]), by_path(sent)["lines"]["from_total"]) == (20, 4000)


def test_a_dead_message_is_traced_up_to_what_killed_it(make_world: Callable[..., World]) -> None:
    world = make_world(order_in=ORDER_IN.replace(b"text(l.qty)", b"text(dec(l.qty))"))
    refused, invalid = world.send(
        {"id": "1", "lines": [{"name": "Anna", "qty": "Anna-7"}]}, {"id": "", "lines": [{"name": "Anna", "qty": 1}]}
    )
    found = traced(caller_of(world), f"/messages/{refused.receipt_id}/trace")
    assert (found["error"]["class"], found["error"]["file"], found["fields"]) == ("mapping", IN, [])
    assert "Anna-7" in str(found["error"])
    assert "Anna-7" not in str(traced(caller_of(world, "viewer"), f"/messages/{refused.receipt_id}/trace"))
    found = traced(caller_of(world), f"/messages/{invalid.receipt_id}/trace")
    assert (found["error"], by_path(found)["report_id"]["value"], found["reproduced"]) == (None, "", True)


def test_places_in_what_is_too_large_to_be_held_are_left_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    [one] = world.send(RAW)
    monkeypatch.setattr(stored, "_LARGEST", len(RAW) - 1)
    ask = Ask(store_url="", environment="", own_connectors="", message_id=one.receipt_id)
    found = msgspec.json.decode(page_of(Again(world.store, ask), ask))
    assert (found["positions"], found["reproduced"]) == (False, True)
    entry = by_path(found)["report_id"]
    assert (entry["value"], entry["sources"], entry["places"]) == ("7", ["src.id"], [None])


@pytest.fixture
def evil(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sitecustomize.py").write_text(EVIL)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))


@pytest.mark.parametrize("word", ["hang", "abort"])
@pytest.mark.usefixtures("evil")
def test_a_mapping_that_hangs_or_kills_its_process_harms_nobody(
    world: World, call: Call, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = world.send({"id": word, "lines": []}, order(1))
    if word == "hang":
        monkeypatch.setattr(hub.tracing, "SECONDS", 5.0)
    answer = call("operator").get(f"{V1}/messages/{bad.receipt_id}/trace")
    assert (answer.status, answer.code) == (504, "unfinished")
    assert {"hang": "was broken off", "abort": "signal 6"}[word] in answer.json["detail"]
    monkeypatch.setattr(hub.tracing, "SECONDS", 60.0)
    assert traced(call("operator"), f"/messages/{good.receipt_id}/trace")["reproduced"] is True
    assert [row["subject"] for row in audit.listed(world.store.reader(), 10)] == [good.receipt_id, "1"]  # and the set


@pytest.mark.usefixtures("evil")
def test_a_mistake_of_the_hub_s_own_shows_nothing_of_a_document(
    world: World, call: Call, capfd: pytest.CaptureFixture[str]
) -> None:
    [one] = world.send({"id": "mistake, Erika", "lines": []})
    answer = call("operator").get(f"{V1}/messages/{one.receipt_id}/trace")
    assert (answer.status, answer.code) == (500, "internal")
    logged = "".join(capfd.readouterr())
    assert "the hub failed on a trace" in logged and "RuntimeError" in logged
    assert "Erika" not in logged + answer.body.decode()


def test_more_traces_at_once_than_a_few_are_refused(world: World, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    [one] = world.send(order(1))
    monkeypatch.setattr(hub.tracing, "_PATIENCE_SECONDS", 0.01)
    with hub.tracing._slots, hub.tracing._slots:
        answer = call("operator").get(f"{V1}/messages/{one.receipt_id}/trace")
    assert (answer.status, answer.json["hint"]) == (504, "try again in some seconds")
    assert call("operator").get(f"{V1}/messages/{one.receipt_id}/trace").status == 200


def test_an_answer_of_a_target_is_traced_too(make_world: Callable[..., World]) -> None:
    routes = ROUTES.replace(b"map: order-out}", b"map: order-out, reply: {map: erp-answer}}")
    world = make_world(routes=routes, erp_answer=ANSWER)
    world.target("erp").answers.append(CREATED)
    world.send(order(1))
    [reply] = world.rows("SELECT message_id FROM messages WHERE route LIKE '%#%'")
    found = traced(caller_of(world), f"/messages/{reply[0]}/trace")
    assert (found["mapping"], found["reproduced"]) == ("erp-answer", True)
    assert by_path(found)["report_id"]["places"] == [{"line": 1, "column": 12, "offset": 11}]


def test_what_cannot_be_traced_says_why(world: World, call: Call) -> None:
    [ignored] = world.send({}, event="ping")
    [unrouted] = world.send({}, event="other")
    [one] = world.send(order(1))
    operator = call("operator")
    for path, status, told in (
        (f"messages/{ignored.receipt_id}", 409, "no route takes this event"),
        (f"messages/{unrouted.receipt_id}", 409, "no message was made of this receipt"),
        ("messages/nobody", 404, "there is no message, receipt or delivery"),
        ("deliveries/nobody", 404, "there is no delivery"),
        (f"deliveries/{one.receipt_id}", 404, "there is no delivery"),
    ):
        answer = operator.get(f"{V1}/{path}/trace")
        assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json"), path
        assert told in answer.json["detail"]
    assert call("").get(f"{V1}/messages/{one.receipt_id}/trace").status == 401
    assert [row["action"] for row in audit.listed(world.store.reader(), 10)] == ["set.deploy"]
