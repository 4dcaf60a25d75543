"""Trade with a partner that others wrote, mock-edi: as it should be, and with each of its misbehaviours.

docs/reference/edi-misbehaviours.md is the table of what each of them ends in. Every case is played at once in X12 and
in EDIFACT, over HTTP and through folders.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from retailco import EVENTS, PROJECT, Side, Trade, routes, sides, trading

SELL, BUY, LATE = (sides(role) for role in ("sell", "buy", "late"))
ANSWER = ("order_response", "despatch_advice", "invoice")
FAULT = {
    "x12": "ACK, element 3: 7 (invalid code value), seen 'LT'",
    "edifact": "element 1, component 3: 12 (invalid value)",
}
SHIPPED = {  # by the mappings that travel with the hub
    "edifact-order", "x12-order", "order-to-edifact", "edifact-order-change", "edifact-order-response",
    "edifact-despatch-advice", "x12-despatch-advice", "x12-invoice",
}  # fmt: skip
CORRUPT = [("718_4", "SE counts"), ("0085_29", "UNT counts")]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trade]:
    with trading(tmp_path_factory.mktemp("trade")) as trade:
        yield trade


@pytest.fixture
def trade(running: Trade) -> Trade:
    running.begin()
    return running


def number(side: Side, case: str) -> str:
    return f"{case}-{side.syntax[:3]}-{side.transport}".upper()


def behave(trade: Trade, ours: list[Side], behaviour: str) -> None:
    for side in ours:
        trade.behave(side, behaviour)


def ordered(trade: Trade, ours: list[Side], case: str) -> dict[Side, dict[str, Any]]:
    """RETAILCO orders; gives the orders as the ERP has them."""
    for side in ours:
        trade.purchase(side, number(side, case))
    return {side: trade.until(lambda s=side: trade.erp.about(number(s, case)))[0][1] for side in ours}


def answered(trade: Trade, case: str, *kinds: str) -> None:
    """We order of RETAILCO; wait until the ERP has what comes of it, in this order."""
    for side in BUY:
        trade.order(side, number(side, case))
    for side in BUY:
        trade.until(lambda s=side: trade.erp.kinds(number(s, case)) == list(kinds))


def named(side: Side, *kinds: str) -> list[str]:
    """What a syntax calls these documents."""
    return [EVENTS[side.syntax][kind.replace("_", "-")] for kind in kinds]


def quantities(document: dict[str, Any]) -> list[str]:
    lines = next(document[key] for key in ("order_lines", "despatch_lines", "invoice_lines") if key in document)
    names = ("quantity", "delivered_quantity", "invoiced_quantity")
    return [next(line[name]["value"] for name in names if name in line) for line in lines]


def finds_nothing(trade: Trade, side: Side, case: str) -> None:
    """RETAILCO has nothing to say against what it got, and waits for no acknowledgement."""
    documents = trade.retailco.documents(partner=side.id)
    assert [d for d in documents if d["reference"] in ("", number(side, case)) and d["findings"]] == []
    assert trade.retailco.order(number(side, case), partner=side.id).get("disagreements", []) == []
    trade.until(lambda: side.id not in [row["partner"] for row in trade.retailco.unacknowledged()])


def test_the_mappings_that_travel_with_the_hub_are_traded_by() -> None:
    used = {name for name in re.findall(r"map: ([\w-]+)", routes()) if not name.startswith("erp-")}
    own = {path.stem for path in (PROJECT / "mappings").glob("*/*.yaml")}
    assert used - own == SHIPPED
    assert own <= used


@pytest.mark.parametrize("behaviour", ["accept", "strict"])
def test_an_order_of_theirs_is_answered_shipped_and_billed(trade: Trade, behaviour: str) -> None:
    behave(trade, SELL, behaviour)
    for order in ordered(trade, SELL, behaviour).values():
        assert (order["buyer"]["party_id"], quantities(order)) == ("RETAILCO", ["100", "40"])
        trade.confirm(order)  # all at once: their order is kept
        trade.ship(order)
        trade.bill(order)
    for side in SELL:
        trade.acks(side, *((kind, "accepted") for kind in named(side, *ANSWER)))
        matched = trade.retailco.order(number(side, behaviour), partner=side.id)["reconciliation"]
        assert [(line["confirmed"], line["shipped"], line["billed"]) for line in matched] == [("100",) * 3, ("40",) * 3]
        finds_nothing(trade, side, behaviour)
    assert trade.dead() == []


@pytest.mark.parametrize("behaviour", ["accept", "strict"])
def test_an_order_of_ours_is_answered_shipped_and_billed(trade: Trade, behaviour: str) -> None:
    behave(trade, BUY, behaviour)
    answered(trade, f"b-{behaviour}", *ANSWER)
    for side in BUY:
        assert [quantities(document) for _, document in trade.erp.about(number(side, f"b-{behaviour}"))] == [
            ["10", "10"]
        ] * 3
        trade.acks(side, *((kind, "accepted") for kind in named(side, "order")))
        finds_nothing(trade, side, f"b-{behaviour}")
    assert trade.dead() == []


@pytest.mark.parametrize(("behaviour", "ack"), [("accept", "partial"), ("strict", "rejected")])
def test_a_fault_of_ours_is_noted_or_a_dead_letter_that_names_the_element(
    trade: Trade, behaviour: str, ack: str
) -> None:
    behave(trade, SELL, behaviour)
    for order in ordered(trade, SELL, f"f-{behaviour}").values():
        trade.confirm(order, unit_code="LTR")  # a unit that RETAILCO does not know
    for side in SELL:
        trade.acks(side, *((kind, ack) for kind in named(side, "order-response")))
    dead = trade.dead()
    assert {(error["class"], error["code"]) for error in dead} == (
        {("remote_rejected", "rejected_by_partner")} if behaviour == "strict" else set()
    )
    for side in SELL if dead else ():
        [detail] = [error["detail"] for error in dead if f"'{side.name}'" in error["detail"]]
        assert FAULT[side.syntax] in detail


def test_a_partner_that_rejects_everything_is_told_with_the_delivery(trade: Trade) -> None:
    behave(trade, SELL, "reject-ack")
    for order in ordered(trade, SELL, "reject-ack").values():
        trade.confirm(order)
    for side in SELL:
        trade.acks(side, *((kind, "rejected") for kind in named(side, "order-response")))
    dead = trade.dead()
    assert {(error["class"], error["code"]) for error in dead} == {("remote_rejected", "rejected_by_partner")}
    for side in SELL:
        [row] = trade.sent(side)
        said = f"it does not say why; it went as {row['type']}, delivery {row['delivery_id']}"
        assert [error["detail"].endswith(said) for error in dead if side.name in error["detail"]] == [True]


def test_a_partner_that_never_acknowledges_is_a_dead_letter_and_its_order_goes_on(trade: Trade) -> None:
    behave(trade, LATE, "no-ack")
    for order in ordered(trade, LATE, "no-ack").values():
        trade.confirm(order)
    for side in LATE:
        trade.acks(side, *((kind, "expired") for kind in named(side, "order-response")))
    dead = trade.dead()
    assert [(error["class"], error["code"]) for error in dead] == [("expired", "unacknowledged")] * 4
    for side in LATE:
        [row] = trade.sent(side)
        assert [row["delivery_id"] in error["detail"] for error in dead if side.name in error["detail"]] == [True]


def test_an_acknowledgement_that_comes_an_hour_late_settles_its_dead_letter(trade: Trade) -> None:
    orders = ordered(trade, LATE, "late")
    behave(trade, LATE, "late")
    for order in orders.values():
        trade.confirm(order)
    for side in LATE:
        trade.acks(side, *((kind, "expired") for kind in named(side, "order-response")))
    assert len(trade.dead()) == 4
    trade.retailco.advance(seconds=3601)
    for side in LATE:
        trade.acks(side, *((kind, "accepted") for kind in named(side, "order-response")))
    assert trade.dead() == []


def rejections(trade: Trade, side: Side, case: str) -> int:
    """How many of its documents about an order RETAILCO knows to be rejected by us."""
    return str(trade.retailco.timeline(number(side, case), partner=side.id)).count("receipt rejected our")


@pytest.mark.parametrize("role", ["sell", "buy"])
def test_a_trailer_that_counts_wrong_holds_the_message_and_is_told_to_the_partner(trade: Trade, role: str) -> None:
    behave(trade, sides(role), "corrupt")
    for side in sides(role):
        (trade.purchase if role == "sell" else trade.order)(side, number(side, f"{role}-corrupt"))
    each = 1 if role == "sell" else 3
    trade.until(lambda: len(trade.dead()) >= 4 * each)
    dead = trade.dead()
    for code, said in CORRUPT:
        found = [error for error in dead if error["code"] == code]
        assert len(found) == 2 * each
        assert all(
            e["class"] == "parse" and said in e["detail"] and e["position"].startswith("interchange") for e in found
        )
    for side in sides(role):
        assert trade.erp.about(number(side, f"{role}-corrupt")) == []
        trade.until(lambda s=side: rejections(trade, s, f"{role}-corrupt") == each)


def test_an_order_that_is_sent_twice_reaches_the_erp_once(trade: Trade) -> None:
    behave(trade, SELL, "duplicate-order")
    ordered(trade, SELL, "twice")
    trade.retailco.advance(everything=True)
    trade.until(lambda: len(trade.dead()) == 4)
    assert {(error["class"], error["code"]) for error in trade.dead()} == {("duplicate", "document_came_before")}
    for side in SELL:
        assert trade.erp.kinds(number(side, "twice")) == ["order"]
        finds_nothing(trade, side, "twice")


def test_an_invoice_that_is_sent_twice_reaches_the_erp_once(trade: Trade) -> None:
    behave(trade, BUY, "duplicate-invoice")
    answered(trade, "twice-inv", *ANSWER)
    trade.retailco.advance(everything=True)
    trade.until(lambda: len(trade.dead()) == 4)
    assert {(error["class"], error["code"]) for error in trade.dead()} == {("duplicate", "document_came_before")}
    for side in BUY:
        assert trade.erp.kinds(number(side, "twice-inv")) == list(ANSWER)
        finds_nothing(trade, side, "twice-inv")


def test_the_same_interchange_sent_again_is_left_out(trade: Trade) -> None:
    ordered(trade, SELL, "again")
    wanted = {number(side, "again") for side in SELL}
    for row in trade.retailco.outbox():
        if row["kind"] == "order" and row["reference"] in wanted and row["status"] == "delivered":
            trade.retailco.expect("POST", f"/_mock/outbox/{row['id']}/resend")
    trade.retailco.settle()
    assert trade.dead() == []
    assert [trade.erp.kinds(each) for each in sorted(wanted)] == [["order"]] * 4


@pytest.mark.parametrize(
    ("behaviour", "case", "change", "lines"),
    [("change-after-confirm", "change", "change", ["50"]), ("cancel-late", "cancel", "cancel", [])],
)
def test_a_change_after_the_answer_reaches_the_erp_behind_its_order(
    trade: Trade, behaviour: str, case: str, change: str, lines: list[str]
) -> None:
    behave(trade, SELL, behaviour)
    for order in ordered(trade, SELL, case).values():
        trade.confirm(order)
        trade.ship(order) if case == "cancel" else None
    for side in SELL:
        trade.until(lambda s=side: trade.erp.kinds(number(s, case)) == ["order", "order_change"])
        document = trade.erp.about(number(side, case))[1][1]
        assert (document["change_type"], quantities(document) if lines else []) == (change, lines)
    assert trade.dead() == []


@pytest.mark.parametrize(
    ("behaviour", "code", "confirmed", "shipped"),
    [
        ("short-ship", "CA", ["8", "8"], ["8", "8"]),
        ("over-ship", "AP", ["10", "10"], ["13", "13"]),
        ("reject-line", "CA", ["10", "0"], ["10"]),
        ("reject-all", "RE", ["0", "0"], []),
    ],
)
def test_what_they_confirm_and_ship_otherwise_reaches_the_erp_as_they_say(
    trade: Trade, behaviour: str, code: str, confirmed: list[str], shipped: list[str]
) -> None:
    behave(trade, BUY, behaviour)
    answered(trade, behaviour, *(ANSWER if shipped else ANSWER[:1]))
    for side in BUY:
        response, *others = (document for _, document in trade.erp.about(number(side, behaviour)))
        assert (response["order_response_code"], quantities(response)) == (code, confirmed)
        assert [quantities(document) for document in others] == [shipped, shipped][: len(others)]
        finds_nothing(trade, side, behaviour)
    assert trade.dead() == []


def test_documents_in_the_wrong_order_reach_the_erp_as_they_came(trade: Trade) -> None:
    behave(trade, BUY, "out-of-order")
    answered(trade, "order", "invoice", "despatch_advice", "order_response")
    assert trade.dead() == []


def test_an_invoice_that_never_comes_is_nothing_to_the_hub(trade: Trade) -> None:
    behave(trade, BUY, "no-invoice")
    answered(trade, "no-inv", *ANSWER[:2])
    trade.retailco.advance(everything=True)
    assert trade.dead() == []
    for side in BUY:
        assert trade.erp.kinds(number(side, "no-inv")) == list(ANSWER[:2])
        found = trade.api(f"/messages?text={number(side, 'no-inv')}")["items"]
        assert {item["type"] for item in found} == {f"canonical/{kind}" for kind in ("order", *ANSWER[:2])}
