"""Messages of trading partners once more: traced to their bytes, and back-tested, each as the message that it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from backtesting import backtested, changes, counts, meddle
from caller import Caller, new_key
from test_parts_of_messages import EACH, lined
from test_trading_by_grammar import NAMED
from trading import FILES, Trade, orders, purchase

from hub.api.application import create_app
from hub.backtest.versions import Unknown
from hub.tracing.stored import Again, Run
from hub.tracing.words import Ask

NAMED_X12 = {
    **FILES,
    "config/partners.yaml": NAMED["config/partners.yaml"],
    "mappings/answer-x12.yaml": b"""
mapping: answer-x12
version: 1
source: {schema: canonical/stock_level}
target: {format: x12, schema: x12/004010/855}
output:
  BAK:
    purpose: {const: "00"}
    acknowledgment_type: {const: AC}
    order_number: src.report_id
    date: {const: "20260305"}
""",
}
IN, OUT, ROUTES = "mappings/orders-in.yaml", "mappings/answer-out.yaml", "routes/trade.yaml"


@pytest.fixture
def store_url() -> str:
    return "sqlite:///hub.db"


def asking(message_id: str, delivery_id: str = "") -> Ask:
    return Ask(store_url="", environment="", own_connectors="", message_id=message_id, delivery_id=delivery_id)


def was_sent(trade: Trade, target: str) -> list[Run]:
    """What a target was sent, once more, in its order."""
    rows = trade.rows("SELECT message_id, delivery_id FROM deliveries WHERE target = ? ORDER BY lane_seq", target)
    return [Again(trade.store, asking(*row)).sent(None)[1] for row in rows]


def ids(trade: Trade) -> list[str]:
    """The messages that orders became, in their order."""
    return [id for (id,) in trade.rows("SELECT message_id FROM messages WHERE event = 'ORDERS' ORDER BY seq, position")]


def test_each_message_of_an_interchange_is_traced_to_its_own_bytes(tmp_path: Path) -> None:
    trade, raw = Trade(tmp_path, NAMED), orders("101", "A-1", "B-2")
    trade.bring(raw)
    for message_id, name in zip(ids(trade), (b"A-1", b"B-2"), strict=True):
        run = Again(trade.store, asking(message_id)).canonical()
        assert (run.failure, run.reproduced, run.document["report_id"]) == (None, True, name.decode())
        assert run.places is not None
        place = run.places(("BGM", "document", "number"))
        assert place is not None and place.offset == raw.index(name)
    trade.close()


def test_a_message_without_a_grammar_is_traced_by_its_segments(tmp_path: Path) -> None:
    trade, raw = Trade(tmp_path), orders("101", "A-1", "B-2")
    trade.bring(raw)
    run = Again(trade.store, asking(ids(trade)[1])).canonical()
    assert (run.reproduced, run.document["report_id"]) == (True, "B-2")
    assert run.places is not None
    place = run.places(("segments", 1, 2))
    assert place is not None and place.offset == raw.index(b"B-2")
    trade.close()


def test_a_part_of_a_message_is_traced_to_the_bytes_of_its_element(tmp_path: Path) -> None:
    trade, raw = Trade(tmp_path, EACH), lined("101", ["x1", "y2"], ["z3"])
    trade.bring(raw)
    for message_id, name in zip(ids(trade), (b"x1", b"y2", b"z3"), strict=True):
        run = Again(trade.store, asking(message_id)).canonical()
        assert run.reproduced is True
        assert run.places is not None
        place = run.places(("LIN_group", 0, "LIN", "item", "id"))
        assert place is not None and place.offset == raw.index(name)
    trade.close()


def test_a_message_in_x12_is_traced_by_its_segments(tmp_path: Path) -> None:
    trade, raw = Trade(tmp_path), purchase(7, "A-1", "B-2")
    trade.bring(raw)
    found = trade.rows("SELECT message_id FROM messages WHERE event = '850' ORDER BY position")
    for (message_id,), order in zip(found, (b"PO1", b"PO2"), strict=True):
        run = Again(trade.store, asking(message_id)).canonical()
        assert (run.failure, run.reproduced) == (None, True)
        assert run.document["stock_lines"][0]["item"]["name"] == "northwind"
        assert run.places is not None
        place = run.places(("segments", 1, 3))
        assert place is not None and place.offset == raw.index(order)
    trade.close()


@pytest.mark.parametrize(
    ("files", "raw", "targets"),
    [
        (NAMED, orders("101", "A-1", "B-2"), ("acme", "erp")),
        (FILES, orders("101", "A-1", "B-2"), ("acme", "erp")),
        (NAMED_X12, purchase(7, "A-1", "B-2"), ("northwind",)),
        (FILES, purchase(7, "A-1", "B-2"), ("northwind",)),
    ],
)
def test_what_a_partner_was_sent_is_made_again_whatever_its_numbers(
    tmp_path: Path, files: dict[str, bytes], raw: bytes, targets: tuple[str, ...]
) -> None:
    trade = Trade(tmp_path, files)
    trade.bring(raw)
    for target in targets:
        assert [(run.failure, run.reproduced) for run in was_sent(trade, target)] == [(None, True)] * 2
    trade.close()


@pytest.mark.parametrize(
    ("files", "target", "part"),
    [
        (NAMED, "acme", b"R-A-1"), (FILES, "acme", b"R-A-1"), (NAMED_X12, "northwind", b"*C-3*"),
        (FILES, "northwind", b"*C-3*"),
    ],
)  # fmt: skip
def test_what_a_partner_was_sent_otherwise_is_told(
    tmp_path: Path, files: dict[str, bytes], target: str, part: bytes
) -> None:
    trade = Trade(tmp_path, files)
    trade.bring(orders("101", "A-1"))
    trade.bring(purchase(7, "C-3"))
    [(delivery_id,)] = trade.rows("SELECT delivery_id FROM deliveries WHERE target = ?", target)
    [parcel] = [each for each in trade.target("van").sent if part in each.body]
    meddle(
        trade, "UPDATE payloads SET content = ?, compressed = 0, size = ? WHERE owner_id = ? AND stage = 'sent'",
        parcel.body.replace(part, part.lower()), len(parcel.body), delivery_id,
    )  # fmt: skip
    assert [run.reproduced for run in was_sent(trade, target)] == [False]
    trade.close()


def test_an_acknowledgement_of_the_hub_says_that_no_mapping_made_it(tmp_path: Path) -> None:
    trade = Trade(tmp_path, NAMED)
    trade.bring(orders("101", "A"))
    [row] = trade.rows("SELECT message_id, delivery_id FROM deliveries WHERE target = 'acknowledgement'")
    again = Again(trade.store, asking(*row))
    with pytest.raises(Unknown, match=r"^acknowledgement$"):
        again.sent(again.stored())
    with pytest.raises(Unknown, match=r"^acknowledgement$"):
        again.canonical()
    trade.close()


def test_the_admin_api_traces_what_came_in_an_interchange_and_what_went_out_in_one(tmp_path: Path) -> None:
    trade, raw = Trade(tmp_path, NAMED), orders("101", "A-1", "B-2")
    trade.bring(raw)
    operator = Caller(create_app(trade.engine), new_key(trade.store, "operator"))
    message_id = ids(trade)[1]
    found = operator.get(f"/api/v1/messages/{message_id}/trace?field=report_id").json
    assert (found["route"], found["reproduced"], found["reaches"], found["positions"]) == (
        "acme-orders", True, "raw", True,
    )  # fmt: skip
    assert found["fields"][0]["sources"] == ["src.BGM.document.number"]
    assert found["fields"][0]["places"][0]["offset"] == raw.index(b"B-2")
    sql = "SELECT delivery_id FROM deliveries WHERE message_id = ? AND target = 'acme'"
    [(delivery_id,)] = trade.rows(sql, message_id)
    sent = operator.get(f"/api/v1/deliveries/{delivery_id}/trace?field=BGM.document.number").json
    assert (sent["reproduced"], sent["reaches"], sent["fields"][0]["value"]) == (True, "raw", "R-B-2")
    assert sent["fields"][0]["from"][0]["places"][0]["offset"] == raw.index(b"B-2")
    [(delivery_id,)] = trade.rows("SELECT delivery_id FROM deliveries WHERE target = 'acknowledgement'")
    answer = operator.get(f"/api/v1/deliveries/{delivery_id}/trace")
    assert (answer.status, answer.code) == (409, "conflict")
    assert "the hub itself has written this acknowledgement" in answer.json["detail"]
    trade.close()


@pytest.mark.parametrize("files", [NAMED, FILES])
def test_a_back_test_of_what_has_not_changed_finds_all_equal(tmp_path: Path, files: dict[str, bytes]) -> None:
    trade = Trade(tmp_path, files)
    trade.bring(orders("101", "A", "B", "C", bad="B"))
    trade.bring(orders("102", "D"))
    trade.bring(orders("102", "D"))  # a repeat
    assert counts(backtested(trade, "acme-orders", {})) == {"equal": 9, "still_failing": 1}  # with two deliveries each
    assert counts(backtested(trade, "orders-in", {})) == {"equal": 3, "still_failing": 1}
    assert counts(backtested(trade, "answer-out", {})) == {"equal": 3}
    assert counts(backtested(trade, "northwind-orders", {})) == {}
    trade.close()


def test_an_edit_is_told_field_by_field_whatever_stands_around_the_message(tmp_path: Path) -> None:
    trade = Trade(tmp_path, NAMED)
    trade.bring(orders("101", "A", "B"))
    number = NAMED[IN].replace(b"src.BGM.document.number", b"\"src.BGM.document.number + '!'\"")
    found = backtested(trade, "orders-in", {IN: number})
    assert (counts(found), changes(found)) == ({"changed": 2}, [("canonical", "report_id", "changed", 2)])
    answer = NAMED[OUT].replace(b"'R-' + src", b"'S-' + src")
    found = backtested(trade, "answer-out", {OUT: answer})
    assert counts(found) == {"changed": 2}
    assert [change[1:] for change in changes(found)] == [("BGM.document.number", "changed", 2)]
    trade.close()


def test_an_edit_over_x12_is_told_by_the_names_of_its_elements(tmp_path: Path) -> None:
    trade = Trade(tmp_path, NAMED_X12)
    trade.bring(purchase(7, "A", "B"))
    assert counts(backtested(trade, "northwind-orders", {})) == {"equal": 4}  # a message and its answer each
    answer = "mappings/answer-x12.yaml"
    found = backtested(trade, "answer-x12", {answer: NAMED_X12[answer].replace(b"{const: AC}", b"{const: AD}")})
    assert (counts(found), changes(found)) == (
        {"changed": 2}, [("northwind", "BAK.acknowledgment_type", "changed", 2)],
    )  # fmt: skip
    long = NAMED_X12[answer].replace(b"src.report_id", b"src.report_id + src.as_of + src.as_of")
    found = backtested(trade, "answer-x12", {answer: long})
    assert counts(found) == {"newly_failing": 2}
    assert "BAK" in str(found["newly_failing"][0]["error"])
    trade.close()


def test_a_route_that_takes_a_type_no_more_is_told(tmp_path: Path) -> None:
    trade = Trade(tmp_path, NAMED)
    trade.bring(orders("101", "A", "B"))
    found = backtested(trade, "acme-orders", {ROUTES: NAMED[ROUTES].replace(b"event: ORDERS", b"event: ORDCHG")})
    assert counts(found) == {"newly_failing": 2}
    trade.close()


# -- messages that are parted otherwise, or stand elsewhere ------------------------------------------------------------

MIXED = {
    **EACH,
    "routes/more.yaml": EACH[ROUTES].partition(b"- route: north")[0].replace(b"acme-orders", b"acme-changes").replace(
        b"event: ORDERS", b"event: ORDCHG").replace(b"map: orders-in", b"map: as-is"),
    "mappings/as-is.yaml": FILES[IN].replace(b"orders-in", b"as-is"),
}  # fmt: skip
CHANGE = orders("9", "C-1", "C-2", type="ORDCHG").partition(b"'")[2].rpartition(b"UNZ")[0]


def mixed(number: str, *messages: list[str]) -> bytes:
    """An interchange of orders by lines, with two order changes behind them."""
    head, _, trailer = lined(number, *messages).rpartition(b"UNZ+")
    changes = CHANGE.replace(b"UNH+", b"UNH+9").replace(b"UNT+5+", b"UNT+5+9")
    return head + changes + b"UNZ+%d" % (len(messages) + 2) + trailer[trailer.index(b"+") :]


@pytest.mark.parametrize("raw", [mixed("101", ["x", "y"], ["z"]), mixed("101", ["x", "y"], ["z"]) * 2])
def test_an_edit_of_how_messages_are_parted_leaves_those_behind_them_as_they_are(tmp_path: Path, raw: bytes) -> None:
    trade = Trade(tmp_path, MIXED)
    trade.bring(raw)
    assert backtested(trade, "acme-changes", {})["counts"]["equal"] == 6  # two messages, two deliveries each
    whole = {IN: EACH[IN].replace(b", records: LIN_group", b"")}
    assert counts(backtested(trade, "acme-changes", whole)) == {"equal": 6}
    found = backtested(trade, "orders-in", whole)
    assert (counts(found), changes(found)) == (
        {"changed": 2, "equal": 1},
        [("canonical", "report_id", "changed", 1), ("message", "(record)", "removed", 1)],
    )  # fmt: skip
    trade.close()


def test_messages_that_are_parted_by_now_are_told_as_new(tmp_path: Path) -> None:
    trade = Trade(tmp_path, {**MIXED, IN: EACH[IN].replace(b", records: LIN_group", b"")})
    trade.bring(mixed("101", ["x", "y"], ["z"], ["bad", "w"]))
    found = backtested(trade, "orders-in", {IN: EACH[IN]})
    assert counts(found) == {"changed": 3, "equal": 1, "still_failing": 1}
    assert changes(found) == [("message", "(record)", "added", 2), ("canonical", "report_id", "changed", 1)]
    assert counts(backtested(trade, "acme-changes", {IN: EACH[IN]})) == {"equal": 6}
    trade.close()


def test_an_interchange_that_is_refused_by_now_says_why_of_each_of_its_messages(tmp_path: Path) -> None:
    trade = Trade(tmp_path, MIXED)
    trade.bring(mixed("101", ["x", "y"], ["z"]))
    edited = {"config/partners.yaml": EACH["config/partners.yaml"].replace(b"5412345000013", b"777")}
    found = backtested(trade, "acme-changes", edited)
    codes = [cause["error"]["code"] for cause in found["newly_failing"]]
    assert (counts(found), codes) == ({"newly_failing": 2}, ["unknown_partner"])
    trade.close()


def test_behind_a_large_interchange_that_came_before_nothing_is_overlooked(tmp_path: Path) -> None:
    trade = Trade(tmp_path, EACH)
    large, more = lined("101", *[[f"n{n}"] for n in range(450)]), lined("102", *[[f"x{n}", "y"] for n in range(100)])
    trade.bring(large)
    trade.bring(large + more)
    found = backtested(trade, "orders-in", {IN: EACH[IN].replace(b", records: LIN_group", b"")})
    assert counts(found) == {"equal": 450, "changed": 200}
    trade.close()
