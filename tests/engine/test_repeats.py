"""What came before under its number: nothing beside it is lost, and its receipt is stored whatever happens."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import replaying
from acknowledging import ACKING, acks, contrl
from replaying import adds_up, deploy
from test_advices import answers, aperak
from test_parts_of_messages import EACH_LINE, STRICT, lined, of_orders
from test_trading_by_grammar import NAMED
from trading import ORDERS_IN, PARTNERS, Trade, orders

from connectors.base import REFUSED, Verdict
from hub.errors import StoreFull
from hub.pipeline import SLICE
from hub.replay import Request
from hub.store.search_terms import Filter

NO = Verdict(REFUSED, code="http_422", status=422)
MANY = [f"N{number}" for number in range(SLICE)]


def answered(trade: Trade) -> list[str]:
    """The orders of acme that were answered, in any order, each as often as it was."""
    bodies = [parcel.body.decode() for parcel in trade.target("van").sent]
    return sorted(name for body in bodies for name in re.findall(r"BGM\+231\+R-(\w+)", body))


@pytest.mark.parametrize("again", ["A", "other"])
def test_an_interchange_that_is_refused_behind_one_that_came_before_is_not_lost(trade: Trade, again: str) -> None:
    trade.bring(orders("101", "A"))
    trade.bring(orders("101", again) + orders("7", "B", sender="777:14") + orders("102", "C"))
    assert [(place, code) for place, code, _ in trade.failures()] == [
        *([("interchange 101", "control_number_used")] if again != "A" else []), ("interchange 7", "unknown_partner"),
    ]  # fmt: skip
    assert [state for event, state, _ in trade.messages() if event == "ORDERS"] == ["routed", "routed"]
    adds_up(trade)


@pytest.mark.parametrize("more", [[], ["other"]])
def test_a_large_one_that_came_before_and_was_interrupted_is_told_once(trade: Trade, more: list[str]) -> None:
    trade.bring(orders("101", *MANY, "A", "B"))
    commit = trade.engine.commit
    slices = iter((commit,))

    def away(*given: Any) -> None:
        then = next(slices, None)
        if then is None:
            raise StoreFull("no room")
        then(*given)

    trade.engine.commit = away  # type: ignore[method-assign]
    with pytest.raises(StoreFull):
        trade.bring(orders("101", *MANY, "A", "B", *more))
    trade.engine.commit = commit  # type: ignore[method-assign]
    trade.engine.catch_up()
    trade.run()
    assert trade.rows("SELECT state FROM receipts ORDER BY seq") == [("split",), ("split",)]
    told = ("", "dead", "acme-orders") if more else ("repeat", "filtered", "acme-orders")
    assert trade.messages()[SLICE + 2 :] == [told]
    adds_up(trade)


def test_what_a_refused_interchange_acknowledges_is_not_acknowledged(make_trade: Callable[..., Trade]) -> None:
    trade = make_trade(ACKING)
    trade.bring(orders("101", "A"))
    trade.bring(contrl("102", 999))
    trade.bring(contrl("102", 1))
    assert [code for _, code, _ in trade.failures()] == ["acknowledges_nothing", "control_number_used"]
    assert acks(trade) == [(1, "")]


def test_an_advice_that_comes_again_does_not_undo_a_later_one(make_trade: Callable[..., Trade]) -> None:
    trade = make_trade(ACKING)
    trade.bring(orders("101", "A"))
    rejected = aperak(102, "27", "R-A")
    trade.bring(rejected, aperak(103, "29", "R-A"))
    trade.bring(rejected)
    assert answers(trade) == [("R-A", "accepted")]


# -- what a replay takes in ----------------------------------------------------------------------------------------


def test_what_a_replay_takes_in_of_one_that_broke_off_is_not_done_twice(make_trade: Callable[..., Trade]) -> None:
    trade = make_trade()
    deploy(trade, "mappings/orders-in.yaml", NAMED["mappings/orders-in.yaml"])
    whole = orders("101", "A", "B", "C")
    whole = whole.replace(b"BGM+220+B+9'DTM+137:20260305:102", b"BGM+220+B+9'DTM+137:20269905:102")
    trade.bring(whole[:-10])
    assert answered(trade) == ["A", "C"]
    deploy(trade, "mappings/orders-in.yaml", ORDERS_IN)
    replaying.run(trade, Request(filter=Filter(state="dead", route="acme-orders"), begin="start"))
    assert answered(trade) == ["A", "B", "C"]
    trade.bring(whole)
    assert answered(trade) == ["A", "B", "C"]
    adds_up(trade)


def test_an_interchange_that_only_a_replay_took_in_is_a_repeat_from_then_on(trade: Trade) -> None:
    raw = orders("102", "A", "B", sender="777:14")
    trade.bring(raw, raw)
    deploy(trade, "config/partners.yaml", PARTNERS.replace(b"5412345000013", b"777"))
    replaying.run(trade, replaying.DEAD)
    trade.bring(raw)
    assert answered(trade) == ["A", "B"]
    assert [event for event, state, _ in trade.messages() if state == "filtered"] == ["repeat", "repeat"]
    adds_up(trade)


def test_a_document_that_only_a_replay_took_in_came_before(trade: Trade) -> None:
    deploy(trade, "mappings/orders-in.yaml", ORDERS_IN.replace(b"src.partner}", b"\"require(src, false, 'no')\"}"))
    trade.bring(orders("101", "A"))
    deploy(trade, "mappings/orders-in.yaml", ORDERS_IN)
    replaying.run(trade, replaying.DEAD)
    trade.bring(orders("102", "A"))
    assert [code for _, code, _ in trade.failures()][1:] == ["document_came_before"]
    replaying.run(trade, replaying.DEAD)
    assert answered(trade) == ["A", "A"]
    adds_up(trade)


def test_a_document_that_came_under_another_number_since_it_died_is_not_done_twice_by_its_replay(trade: Trade) -> None:
    deploy(trade, "mappings/orders-in.yaml", ORDERS_IN.replace(b"src.partner}", b"\"require(src, false, 'no')\"}"))
    trade.bring(orders("101", "A", "B"))
    deploy(trade, "mappings/orders-in.yaml", ORDERS_IN)
    trade.bring(orders("102", "A"))
    replaying.run(trade, replaying.DEAD)
    assert answered(trade) == ["A", "B"]
    told = [place for place, code, _ in trade.failures() if code == "document_came_before"]
    assert told == ["interchange 101, message 1"]
    [(id, hint)] = trade.rows(
        "SELECT message_id, failure ->> 'hint' FROM messages WHERE resolved_by IS NULL AND state = 'dead'"
    )
    assert f"o2c replay {id} --superseded send" in hint
    replaying.run(trade, Request(ids=(id,), superseded="send"))  # a person has read that, and means it
    assert answered(trade) == ["A", "A", "B"]
    adds_up(trade)


def test_a_document_that_was_taken_in_is_itself_when_it_is_replayed(trade: Trade) -> None:
    [accepted] = trade.bring(orders("101", "A"))
    again = Request(ids=(accepted.receipt_id,), begin="start", delivered="send", reason="again")
    replaying.run(trade, again)
    replaying.run(trade, again)
    assert (len(answered(trade)), trade.failures()) == (3, [])


def test_messages_with_other_bytes_are_taken_in_of_one_that_broke_off_where_that_was_agreed(
    make_trade: Callable[..., Trade],
) -> None:
    trade = make_trade(PARTNERS.replace(b"  directory: D96A\n", b"  directory: D96A\n  same_number: accept\n"))
    trade.bring(orders("101", "A", "B")[:-10])
    trade.bring(orders("101", "A", "X", "C"))
    assert answered(trade) == ["A", "B", "C", "X"]
    adds_up(trade)


def test_a_replay_of_an_interchange_does_not_do_what_is_a_dead_letter_of_its_own(
    make_trade: Callable[..., Trade],
) -> None:
    trade = make_trade()
    trade.bring(orders("101", "A", "B")[:-10])
    trade.bring(orders("101", "X", "B", "C")[:-10])
    assert [place for place, code, _ in trade.failures() if code == "control_number_used"] == [
        "interchange 101, message 1"
    ]
    replaying.run(trade, replaying.DEAD)  # both interchanges, and the message
    replaying.run(trade, replaying.DEAD)
    assert answered(trade) == ["A", "B", "C", "X"]
    adds_up(trade)


def test_a_replay_of_an_interchange_and_of_its_message_does_that_once(make_trade: Callable[..., Trade]) -> None:
    trade = make_trade()
    deploy(trade, "mappings/orders-in.yaml", NAMED["mappings/orders-in.yaml"])
    whole = orders("101", "A", "B", "C")
    trade.bring(whole.replace(b"BGM+220+B+9'DTM+137:20260305:102", b"BGM+220+B+9'DTM+137:20269905:102")[:-10])
    deploy(trade, "mappings/orders-in.yaml", ORDERS_IN)
    replaying.run(trade, replaying.DEAD)
    replaying.run(trade, replaying.DEAD)
    assert answered(trade) == ["A", "B", "C"]
    adds_up(trade)


# -- a large one that is interrupted and read otherwise from then on -----------------------------------------------


def interrupted(trade: Trade, raw: bytes, slices: int, mapping: bytes) -> None:
    """Bring an interchange of which only some slices are stored before the disk is full; then others files hold."""
    commit, left = trade.engine.commit, iter(range(slices))

    def away(*given: Any) -> None:
        if next(left, None) is None:
            raise StoreFull("no room")
        commit(*given)

    trade.engine.commit = away  # type: ignore[method-assign]
    with pytest.raises(StoreFull):
        trade.bring(raw)
    trade.engine.commit = commit  # type: ignore[method-assign]
    deploy(trade, "mappings/orders-in.yaml", mapping)
    trade.engine.catch_up()
    trade.run()


LARGE = lined("101", ["x", "y"], ["z", "q"], ["u", "v", "w"])


@pytest.mark.parametrize(
    ("first", "slices", "then", "reports"),
    [
        (STRICT, 1, EACH_LINE, ["A1/2x", "A2/2z", "A3/1u", "A3/1v", "A3/1w"]),  # behind a whole message
        (EACH_LINE, 3, EACH_LINE, ["A1/1x", "A1/1y", "A2/1z", "A2/1q", "A3/1u", "A3/1v", "A3/1w"]),
        (
            EACH_LINE,
            3,
            STRICT,
            ["A1/1x", "A1/1y", "A2/1z", "A2/1q", "A3/1u", "A3/1v"],
        ),  # within a message that is parted no more
    ],
)
def test_what_is_left_of_an_interrupted_interchange_goes_on_however_it_is_parted_by_then(
    make_trade: Callable[..., Trade], monkeypatch: pytest.MonkeyPatch,
    first: bytes, slices: int, then: bytes, reports: list[str],
) -> None:  # fmt: skip
    monkeypatch.setattr("hub.pipeline.SLICE", 2)
    trade = make_trade()
    for path in ("config/partners.yaml", "mappings/answer-out.yaml"):
        trade.files[path] = NAMED[path]
    deploy(trade, "mappings/orders-in.yaml", first)
    interrupted(trade, LARGE, slices, then)
    assert [report for _, state, report in of_orders(trade) if state == "routed"] == reports
    said = trade.rows("SELECT failure ->> 'code', failure ->> 'detail' FROM receipts WHERE state = 'dead'")
    assert said == ([] if "A3/1w" in reports else [(
        "interrupted", "the hub was interrupted behind interchange 101, message 3, LIN_group 2, and the files in force "
        "read these bytes otherwise than those before; the 6 records before it were taken in and went on",
    )])  # fmt: skip
    adds_up(trade)


def test_a_repeat_in_a_receipt_that_is_replayed_stays_one_also_in_the_replay_of_the_replay(trade: Trade) -> None:
    erp = trade.target("erp")
    trade.bring(orders("101", "A-1"))
    for (system,) in trade.rows("SELECT DISTINCT system FROM deliveries"):
        trade.target(str(system)).answers.extend([NO, NO])
    [file] = trade.bring(orders("101", "A-1") + orders("102", "A-2"))
    again = replaying.run(trade, Request(ids=(file.receipt_id,), begin="start", reason="the mapping is mended"))
    assert again["not_replayable"] == {}
    [(replayed,)] = trade.rows("SELECT receipt_id FROM receipts WHERE replay_of <> ''")
    replaying.run(trade, Request(ids=(str(replayed),), begin="start", reason="once more"))
    sent = [re.findall(r"A-[12]", parcel.body.decode())[0] for parcel in erp.sent]
    assert sent == ["A-1", "A-2", "A-2", "A-2"]
    assert [event for event, _, _ in trade.messages()].count("repeat") == 3
    adds_up(trade)
