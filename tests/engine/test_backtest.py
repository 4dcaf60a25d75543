"""Stored messages through edited files: what comes out otherwise is told, what comes out the same is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from backtesting import (
    FANCY_OUT,
    IN,
    RENAMED,
    ROUTE,
    backtested,
    changes,
    counts,
    know,
    left_out,
    looks_up,
    rows_of_csv,
)
from replaying import CSV_IN
from world import HUB, ORDER_IN, ORDER_OUT, ROUTES, World, order

from hub.deploy import deploy
from hub.store.audit import Actor

Open = Callable[..., World]


@pytest.fixture
def store_url() -> str:
    return "sqlite:///hub.db"  # each test starts processes of its own; the tests of the API run on both databases


def test_unchanged_files_make_no_difference(world: World) -> None:
    world.send(order(1), order(2, lines=3), {"id": "bad"})
    for name in ("order-in", "order-out", "orders"):
        found = backtested(world, name, {})
        assert set(counts(found)) <= {"equal", "still_failing"}
        assert counts(found)["equal"] >= 2
        assert found["changes"] == []


def test_decimals_are_run_again_as_the_decimals_they_were(make_world: Open) -> None:
    world = make_world(
        order_in=ORDER_IN + b"  extensions: {own: {weight: src.weight}}\n",
        order_out=ORDER_OUT + b"  twice: 2 * src.extensions.own.weight\n",
    )
    world.send(b'{"id":1,"lines":[{"name":"hose","qty":1}],"weight":0.10}')
    assert counts(backtested(world, "order-out", {})) == {"equal": 1}


def test_a_field_that_a_mapping_changes_is_told_with_its_values(world: World) -> None:
    [one] = world.send(order(1, lines=2))
    world.send(order(2))

    found = backtested(world, "order-in", RENAMED)

    assert counts(found) == {"equal": 1, "changed": 1}
    assert changes(found) == [("canonical", "stock_lines[].item.name", "changed", 1)]
    [sample] = found["changes"][0]["samples"]
    assert sample == {"message_id": one.receipt_id, "before": '"item 1"', "after": '"item 1!"'}


def test_messages_that_an_edit_would_make_fail_are_told_with_the_line_of_the_mapping(world: World) -> None:
    world.send(*[order(number, lines=1 if number % 16 == 3 else 2) for number in range(50)])
    edited = {IN: ORDER_IN.replace(b"report_id: text(src.id)", b"report_id: text(src.id) + src.lines[1].name")}

    found = backtested(world, "order-in", edited)

    assert (found["counts"]["newly_failing"], found["counts"]["changed"]) == (3, 47)
    [fault] = found["newly_failing"]
    assert (fault["count"], len(fault["message_ids"])) == (3, 3)
    assert (fault["error"]["file"], fault["error"]["line"]) == (IN, 7)
    assert fault["error"]["step"] == "map"


def test_messages_that_an_edit_repairs_are_told_as_fixed(world: World) -> None:
    world.send(order(1), {"id": "2", "lines": [{"qty": 1}]})
    edited = {IN: ORDER_IN.replace(b"name: l.name", b"name: \"default(l.name, 'nameless')\"")}

    found = backtested(world, "order-in", edited)

    assert counts(found) == {"equal": 1, "newly_fixed": 1}
    [fixed] = found["newly_fixed"]
    assert fixed["error"]["field_path"].endswith("item.name")


def test_what_fails_as_before_is_counted_and_what_fails_otherwise_is_told(world: World) -> None:
    world.send({"id": "1", "lines": [{"qty": 1}]})
    same = backtested(world, "order-in", {IN: ORDER_IN + b"  # a comment\n"})
    assert (counts(same), same["failing_otherwise"]) == ({"still_failing": 1}, [])

    other = backtested(world, "order-in", {IN: ORDER_IN.replace(b"text(src.id)", b"text(src.nr)")})
    assert counts(other) == {"still_failing": 1}
    assert [fault["error"]["field_path"] for fault in other["failing_otherwise"]] == ["report_id"]


def test_the_bytes_for_a_target_are_compared_field_by_field(world: World) -> None:
    world.send(order(1), order(2))
    found = backtested(world, "order-out", FANCY_OUT)
    assert changes(found) == [("erp", "first", "added", 2)]
    assert found["changes"][0]["samples"][0]["after"] == '"item 0"'


def test_a_route_is_compared_by_who_gets_what(world: World) -> None:
    world.send(order(1), order(2, lines=2), order(3, lines=3))
    edited = {
        ROUTE: ROUTES.replace(
            b"{system: erp, map: order-out}",
            b"{system: erp, map: order-out, when: count(src.stock_lines) > 1}\n  - {system: crm}",
        ),
        **RENAMED,
    }
    found = backtested(world, "orders", edited)
    assert changes(found) == [("message", "(crm)", "added", 3), ("message", "(erp)", "removed", 1)]
    # What a route is asked about are its deliveries; that its documents differ shows in them.
    deeper = backtested(world, "orders", {**FANCY_OUT, **RENAMED})
    assert changes(deeper) == [("erp", "first", "added", 3)]
    assert deeper["changes"][0]["samples"][0]["after"] == '"item 0"'


def test_a_target_that_is_new_is_told_and_where_it_would_fail_too(world: World) -> None:
    world.send(order(1), order(2, lines=2))
    edited = {
        ROUTE: ROUTES.replace(b"map: order-out}", b"map: order-out}\n  - {system: crm, map: order-crm}"),
        "mappings/order-crm.yaml": ORDER_OUT.replace(b"mapping: order-out", b"mapping: order-crm").replace(
            b"ref: src.report_id", b"ref: src.stock_lines[1].item.name"
        ),
    }
    found = backtested(world, "orders", edited)
    assert changes(found) == [("message", "(crm)", "added", 2)]
    [fault] = found["newly_failing"]
    assert (fault["part"], fault["count"], fault["error"]["field_path"]) == ("crm", 1, "ref")


def test_a_record_that_cannot_be_read_fails_as_it_did(make_world: Open) -> None:
    world = make_world(order_in=CSV_IN)
    world.send(rows_of_csv(250) + b'"open\n')
    assert world.rows("SELECT state, message_count FROM receipts") == [("split", 251)]
    assert counts(backtested(world, "order-in", {})) == {"equal": 250, "still_failing": 1}


def test_a_message_that_would_be_filtered_is_a_change_of_its_state(world: World) -> None:
    world.send(order(1))
    edited = {ROUTE: ROUTES.replace(b"map: order-out}", b"map: order-out, when: count(src.stock_lines) > 5}")}
    found = backtested(world, "orders", edited)
    assert ("message", "(state)", "changed", 1) in changes(found)
    assert found["changes"][1]["samples"][0]["after"] == '"filtered"'


def test_a_document_that_no_route_would_take_any_more_fails(world: World) -> None:
    world.send(order(1))
    found = backtested(world, "orders", {ROUTE: ROUTES.replace(b"event: order}", b"event: sale}")})
    assert counts(found) == {"newly_failing": 1}
    assert found["newly_failing"][0]["error"]["class"] == "no_route"


def test_a_document_that_no_route_took_is_fixed_by_a_route_for_it(world: World) -> None:
    world.send(order(1), event="sale")
    found = backtested(world, "orders", {ROUTE: ROUTES.replace(b"event: order}", b"event: sale}")})
    assert counts(found) == {"newly_fixed": 1}


def test_each_record_of_a_receipt_is_compared(make_world: Open) -> None:
    world = make_world(order_in=CSV_IN)
    world.send(rows_of_csv(700, bad=(5, 650)))
    edited = {IN: CSV_IN.replace(b"report_id: src.id", b"report_id: src.id + 'x' if src.id == '699' else src.id")}

    found = backtested(world, "order-in", edited)

    assert counts(found) == {"equal": 697, "changed": 1, "still_failing": 2}
    assert changes(found) == [("canonical", "report_id", "changed", 1)]


def test_records_that_come_or_go_with_a_format_are_told(make_world: Open) -> None:
    world = make_world(order_in=CSV_IN)
    world.send(rows_of_csv(3))
    edited = {
        IN: CSV_IN.replace(b"source: {format: csv", b"source: {format: csv, header: false, columns: [id, name, qty]")
    }
    found = backtested(world, "order-in", edited)
    assert ("message", "(record)", "added", 1) in changes(found)


def test_look_ups_are_answered_as_they_were_then(make_world: Open) -> None:
    asks = ORDER_IN.replace(b"{const: main}", b"default(xref('erp', 'place', 'p'), 'nowhere')")
    world = make_world(order_in=asks)
    know(world, "old")
    world.send(order(1))
    world.clock.at += 60
    know(world, "new")

    assert counts(backtested(world, "order-in", {})) == {"equal": 1}
    current = backtested(world, "order-in", {}, lookups="current")
    # The files of then are asked in the same way: they would give the new place too.
    assert left_out(current) == {"not_reproduced": 1}


def test_a_look_up_that_was_not_made_then_is_answered_if_nothing_has_changed(make_world: Open) -> None:
    world = make_world()
    know(world, "old")
    world.clock.at += 60
    world.send(order(1))
    edited = {IN: ORDER_IN.replace(b"{const: main}", b"default(xref('erp', 'place', 'p'), 'nowhere')")}

    found = backtested(world, "order-in", edited)
    assert [sample["after"] for sample in found["changes"][0]["samples"]] == ['"old"']

    world.clock.at += 60
    know(world, "new")
    assert left_out(backtested(world, "order-in", edited)) == {"lookup_not_recorded": 1}


def test_tables_and_company_are_those_of_then_but_for_a_table_that_is_the_candidate(make_world: Open) -> None:
    world, table = make_world(), "mappings/tables/places.csv"
    world.files |= {table: b"key,value\nitem 0,north\n", IN: looks_up(ORDER_IN)}
    world.engine.activate(deploy(world.store, world.files, None, world.clock, Actor("test")))
    world.send(order(1))
    moved = {table: b"key,value\nitem 0,south\n", "config/hub.yaml": HUB.replace(b"Example", b"Other")}

    assert counts(backtested(world, "order-in", moved)) == {"equal": 1}
    found = backtested(world, "order-in", moved, candidates=[table])
    assert changes(found) == [("canonical", "stock_lines[].location_id", "changed", 1)]
    assert found["changes"][0]["samples"][0]["after"] == '"south of Example GmbH"'
    both = backtested(world, "order-in", moved, lookups="current")
    assert both["changes"][0]["samples"][0]["after"] == '"south of Other GmbH"'
