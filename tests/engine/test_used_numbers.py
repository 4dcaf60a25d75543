"""A control number that a partner has used before, with other content: it is told so, and nobody else is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import replaying
from acknowledging import ACKING, EDIFACT_ACK, contrl, functional, note, sent
from replaying import adds_up
from trading import PARTNERS, Trade, orders, purchase

from hub.pipeline import SLICE

USED_EDIFACT = "UCI+101+5412345000013:14+4012345000009:14+4+26+UNB+6'UNT+3+"
USED_X12 = "TA1*000000007*260305*0930*R*025~IEA*0*"
ON_ERROR = ACKING.replace(b"contrl: always", b"contrl: on_error").replace(b"ta1: always", b"ta1: on_error")


@pytest.fixture
def partners() -> bytes:
    return ACKING


def told(trade: Trade) -> list[str]:
    """What the partners were told of numbers that came before."""
    return [ack for kind in ("UCI", "TA1") for ack in sent(trade, kind) if "+4+" in ack or "*R*" in ack]


@pytest.mark.parametrize("policy", [ACKING, ON_ERROR])
def test_a_partner_is_told_of_the_number_and_the_dead_letter_remains(
    make_trade: Callable[..., Trade], policy: bytes
) -> None:
    trade = make_trade(policy)
    trade.bring(orders("101", "A"), purchase(7, "A"))
    trade.bring(orders("101", "B"), purchase(7, "B"))
    assert [code for _, code, _ in trade.failures()] == ["control_number_used"] * 2
    edifact, x12 = told(trade)
    assert edifact.startswith(USED_EDIFACT)
    assert x12.startswith(USED_X12)
    assert len(sent(trade, "ST*997")) == 1
    assert trade.rows("SELECT name, event FROM receipts WHERE door = 'hub' ORDER BY event") == [
        ("CONTRL about interchange 101", "CONTRL"), ("TA1 about interchange 000000007", "TA1"),
    ]  # fmt: skip
    adds_up(trade)


def test_two_that_are_taken_in_together_are_told_apart(trade: Trade) -> None:
    trade.bring(orders("101", "A"), orders("101", "B"))
    assert [ack[: ack.index("'")] for ack in sent(trade, "UCI")] == [
        "UCI+101+5412345000013:14+4012345000009:14+7", "UCI+101+5412345000013:14+4012345000009:14+4+26+UNB+6",
    ]  # fmt: skip
    adds_up(trade)


@pytest.mark.parametrize("more", [0, 1])
def test_one_of_as_many_messages_as_are_stored_at_once_is_told_of_once(trade: Trade, more: int) -> None:
    trade.bring(orders("101", "A"))
    trade.bring(orders("101", *(f"N{number}" for number in range(SLICE + more))))
    assert [ack[: len(USED_EDIFACT)] for ack in sent(trade, "UCI")][1:] == [USED_EDIFACT]
    adds_up(trade)


def test_the_same_bytes_again_are_acknowledged_as_before_and_not_rejected(trade: Trade) -> None:
    trade.bring(orders("101", "A"), purchase(7, "A"))
    trade.bring(orders("101", "A"), purchase(7, "A"))
    assert (told(trade), trade.failures()) == ([], [])
    adds_up(trade)


def test_who_wants_no_acknowledgement_gets_none(make_trade: Callable[..., Trade]) -> None:
    trade = make_trade(PARTNERS)
    for name in ("A", "B"):
        trade.bring(orders("101", name), purchase(7, name))
    assert len(trade.failures()) == 2
    assert (told(trade), trade.rows("SELECT 1 FROM receipts WHERE door = 'hub'")) == ([], [])


def test_nor_does_who_has_agreed_to_use_numbers_again(make_trade: Callable[..., Trade]) -> None:
    trade = make_trade(ACKING.replace(EDIFACT_ACK, EDIFACT_ACK + b"  same_number: accept\n"))
    trade.bring(orders("101", "A"))
    trade.bring(orders("101", "B"))
    assert (told(trade), trade.failures()) == ([], [])


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (contrl("102", 1), contrl("102", 2)),
        (functional(8, "AK1*PO*1~AK9*A*1*1*1~", 4), functional(8, "AK1*PO*2~AK9*A*1*1*1~", 4)),
        (note("000000001", "A*000"), note("000000002", "A*000")),
    ],
)
def test_an_acknowledgement_under_a_used_number_is_not_acknowledged(trade: Trade, first: bytes, then: bytes) -> None:
    trade.bring(first)
    trade.bring(then)
    assert trade.failures()[-1][1] == "control_number_used"
    assert trade.target("van").sent == []


def test_a_replay_on_purpose_takes_it_in_and_tells_nothing_more(trade: Trade) -> None:
    trade.bring(orders("101", "A"))
    trade.bring(orders("101", "B"))
    assert len(told(trade)) == 1
    replaying.run(trade, replaying.DEAD)
    assert len(sent(trade, "ORDRSP")) == 2
    assert len(told(trade)) == 1
    adds_up(trade)
