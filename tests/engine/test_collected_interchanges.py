"""Several messages to a partner in one interchange: a number for each, and what the partner says of each."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from acknowledging import ACKING, acks, contrl, functional
from replaying import ANNA, replay_one
from trading import FILES, ROUTES, Trade, orders, purchase

from connectors.base import LATER, REFUSED, Verdict
from hub.pipeline.expiry import expire_interchanges
from hub.store import conservation, interchanges

COLLECTING = ROUTES.replace(b"map: answer-out}", b"map: answer-out, collect: {every: 1h, max: 100}}").replace(
    b"map: answer-x12}", b"map: answer-x12, collect: {every: 1h}}"
)


@pytest.fixture
def trade(make_trade: Callable[..., Trade], monkeypatch: pytest.MonkeyPatch) -> Trade:
    monkeypatch.setitem(FILES, "routes/trade.yaml", COLLECTING)
    return make_trade(ACKING)


def answers(trade: Trade, kind: str) -> list[str]:
    return [body for parcel in trade.target("van").sent if kind in (body := parcel.body.decode())]


def adds_up(trade: Trade) -> None:
    with trade.store.snapshot() as db:
        assert conservation.check(db) == []


def sent(trade: Trade) -> list[tuple[int, int, int, str, str]]:
    return trade.rows(
        "SELECT interchange, group_number, message_number, document, ack FROM interchanges_sent "
        "WHERE ack_within IS NOT NULL ORDER BY interchange, message_number"
    )


def test_messages_to_a_partner_go_in_one_interchange(trade: Trade) -> None:
    trade.bring(orders("101", "A", "B", "C"))
    assert answers(trade, "ORDRSP") == []
    trade.wait(3600)
    [body] = answers(trade, "ORDRSP")
    number = sent(trade)[0][0]
    assert [segment.split("+")[0] for segment in body.split("'")].count("UNB") == 1
    assert [f"UNH+{n}+ORDRSP" in body and f"+{n}'" in body for _, _, n, _, _ in sent(trade)] == [True] * 3
    assert body.endswith(f"UNZ+3+{number}'")
    assert [(row[0], row[3]) for row in sent(trade)] == [(number, "R-A"), (number, "R-B"), (number, "R-C")]
    assert len({row[2] for row in sent(trade)}) == 3
    assert interchanges.awaited(trade.store.reader()) == {"acme": (1, 0, 0)}
    adds_up(trade)


def test_numbers_are_taken_once_and_a_retry_sends_the_same(trade: Trade) -> None:
    trade.target("van").answers.append(Verdict(LATER, code="http_503", status=503))
    trade.bring(purchase(7, "A", "B"))
    trade.target("van").answers.clear()
    trade.target("van").answers.append(Verdict(LATER, code="http_503", status=503))
    trade.wait(3600)
    trade.wait(10)
    first, second = answers(trade, "*855*")
    assert first == second
    assert [(row[0], row[1]) for row in sent(trade)] == [(sent(trade)[0][0], sent(trade)[0][1])] * 2
    assert (first.count("~ST*855*"), first.count("~GS*"), "~GE*2*" in first) == (2, 1, True)
    adds_up(trade)


def test_an_acknowledgement_of_the_whole_is_that_of_each(trade: Trade) -> None:
    trade.bring(orders("101", "A", "B"))
    trade.wait(3600)
    trade.bring(contrl("102", sent(trade)[0][0]))
    assert [row[4] for row in sent(trade)] == ["accepted", "accepted"]
    assert trade.failures() == []


def test_a_message_that_is_rejected_is_one_of_several(trade: Trade) -> None:
    trade.bring(orders("101", "A", "B", "C"))
    trade.wait(3600)
    number, _, second, _, _ = sent(trade)[1]
    trade.bring(contrl("102", number, more=f"UCM+{second}+ORDRSP:D:96A:UN+4+12'"))
    assert [(row[3], row[4]) for row in sent(trade)] == [("R-A", "accepted"), ("R-B", "rejected"), ("R-C", "accepted")]
    [(_, code, detail)] = trade.failures()
    [(delivery_id,)] = trade.rows("SELECT delivery_id FROM interchanges_sent WHERE document = 'R-B'")
    assert code == "rejected_by_partner"
    assert detail.endswith(f"it went as ORDRSP, delivery {delivery_id}")
    assert trade.rows("SELECT failure ->> 'delivery_id' FROM messages WHERE state = 'dead'") == [(delivery_id,)]
    replay_one(trade.engine, delivery_id, ANNA, delivered="send", reason="corrected")
    trade.run()
    assert len(answers(trade, "ORDRSP")) == 1
    trade.wait(3600)
    assert "R-B" in answers(trade, "ORDRSP")[1]
    assert "UNZ+1+" in answers(trade, "ORDRSP")[1]
    adds_up(trade)


def test_a_set_of_x12_that_is_rejected_is_one_of_several(trade: Trade) -> None:
    trade.bring(purchase(7, "A", "B"))
    trade.wait(3600)
    rows = [row for row in sent(trade) if row[3] in ("A", "B")]
    group, first, second = rows[0][1], rows[0][2], rows[1][2]
    body = f"AK1*PR*{group}~AK2*855*{first:04}~AK5*A~AK2*855*{second:04}~AK5*R*5~AK9*P*2*2*1~"
    trade.bring(functional(8, body, 8))
    assert [row[4] for row in sent(trade) if row[3] in ("A", "B")] == ["accepted", "rejected"]
    trade.bring(purchase(9, "D", "E"))
    trade.wait(3600)
    last = sent(trade)[-1]
    trade.bring(functional(10, f"AK1*PR*{last[1]}~AK9*R*2*2*0~", 4))
    assert [row[4] for row in sent(trade) if row[1] == last[1]] == ["rejected", "rejected"]


def test_an_interchange_that_is_not_acknowledged_is_one_dead_letter(trade: Trade) -> None:
    trade.bring(orders("101", "A", "B", "C"))
    trade.wait(3600)
    trade.clock.at += 25 * 3600
    assert expire_interchanges(trade.engine) == 1
    assert expire_interchanges(trade.engine) == 0
    assert [row[4] for row in sent(trade)] == ["expired"] * 3
    assert interchanges.awaited(trade.store.reader()) == {"acme": (0, 1, 0)}
    trade.bring(contrl("102", sent(trade)[0][0]))
    assert [row[4] for row in sent(trade)] == ["accepted"] * 3
    assert acks(trade)


def test_the_numbers_of_what_was_refused_are_void(trade: Trade) -> None:
    trade.bring(orders("101", "A", "B"))
    trade.target("van").answers.append(Verdict(REFUSED, code="http_422", status=422))
    trade.wait(3600)
    listed = interchanges.listed(trade.store.reader(), "acme", 10)
    assert [row["state"] for row in listed if row["type"] == "ORDRSP"] == ["void", "void"]
