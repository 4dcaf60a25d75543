"""Acknowledgements: what partners get of what they send."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from acknowledging import ACKING, EDIFACT_ACK, contrl, sent
from replaying import adds_up
from trading import Trade, orders, purchase

from connectors.base import LATER, Verdict


@pytest.fixture
def partners() -> bytes:
    return ACKING


def test_a_good_interchange_is_acknowledged(trade: Trade) -> None:
    trade.bring(orders("101", "A", "B"))
    [ack] = sent(trade, "CONTRL")
    assert ack == "CONTRL:D:3:UN'UCI+101+5412345000013:14+4012345000009:14+7'UNT+3+3'UNZ+1+3'"
    assert trade.rows("SELECT route, target, state FROM deliveries WHERE target = 'acknowledgement'") == [
        ("partner:acme", "acknowledgement", "delivered")
    ]
    adds_up(trade)


def test_a_bad_message_is_rejected_and_the_others_are_not(trade: Trade) -> None:
    trade.bring(orders("101", "A", "B", bad="B"))
    [ack] = sent(trade, "CONTRL")
    assert ack == (
        "CONTRL:D:3:UN'UCI+101+5412345000013:14+4012345000009:14+7'UCM+2+ORDERS:D:96A:UN+4+29+UNT'UNT+4+2'UNZ+1+2'"
    )


@pytest.mark.parametrize(
    ("body", "uci"),
    [
        (orders("101", "A", count=4), "UCI+101+5412345000013:14+4012345000009:14+4+29+UNZ+2'"),
        (orders("101", "A")[:-10], "UCI+101+5412345000013:14+4012345000009:14+4+13+UNZ'"),
        (orders("101", "A", test=True), "UCI+101+5412345000013:14+4012345000009:14+4+25'"),
    ],
)
def test_an_interchange_that_is_refused_is_rejected_with_its_code(
    make_trade: Callable[..., Trade], body: bytes, uci: str
) -> None:
    trade = make_trade(ACKING.replace(EDIFACT_ACK, EDIFACT_ACK + b"  bad_envelope: refuse\n"))
    trade.bring(body)
    assert sent(trade, "UCI") == [f"{uci}UNT+3+1'UNZ+1+1'"]


@pytest.mark.parametrize(
    ("body", "uci"),
    [
        (orders("101", "A", "B", count=4), "7+29+UNZ+2'UNT"),
        (orders("101", "A", "B")[:-10], "7+13+UNZ'UNT"),
        (orders("101", "A", "B")[:-22], "7+13+UNZ'UCM+2+ORDERS:D:96A:UN+4+13'UNT"),
    ],
)
def test_what_is_taken_in_of_a_bad_envelope_is_accepted_with_what_is_wrong(trade: Trade, body: bytes, uci: str) -> None:
    trade.bring(body)
    [told] = sent(trade, "UCI")
    assert told.startswith(f"UCI+101+5412345000013:14+4012345000009:14+{uci}")


@pytest.mark.parametrize(
    ("body", "ak9", "ta1"),
    [
        (purchase(7, "A", "B")[:-16], "AK9*A*2*2*2~", "E*023"),  # without IEA
        (purchase(7, "A", "B")[:-23], "AK9*E*2*2*2*3~", "E*023"),  # nor GE
        (purchase(7, "A", "B")[:-30], "AK9*P*2*2*1*3~", "E*023"),  # and half a set
        (purchase(7, "A", "B").replace(b"GE*2", b"GE*3"), "AK9*E*3*2*2*5~", "A*000"),
        (purchase(7, "A", "B").replace(b"IEA*1", b"IEA*2"), "AK9*A*2*2*2~", "E*021"),
    ],
)
def test_a_997_and_a_ta1_tell_what_is_wrong_with_an_envelope_whose_sets_are_taken_in(
    trade: Trade, body: bytes, ak9: str, ta1: str
) -> None:
    trade.bring(body)
    assert [note.split("~")[0][-5:] for note in sent(trade, "TA1")] == [ta1]
    assert [ack[ack.index("AK9") :].partition("SE*")[0] for ack in sent(trade, "ST*997")] == [ak9]


def test_a_group_that_is_not_taken_in_is_rejected_and_its_namesake_is_not(trade: Trade) -> None:
    head, gs, rest = purchase(7, "A").partition(b"GS*")
    group, iea, trailer = (gs + rest).partition(b"IEA*")
    trade.bring(head + group + group.replace(b"*A*", b"*B*") + iea + trailer.replace(b"1", b"2", 1))
    assert [ack[ack.index("AK5") :].partition("SE*")[0] for ack in sent(trade, "ST*997")] == [
        "AK5*A~AK9*A*1*1*1~", "AK5*R~AK9*R*1*1*0*19~",
    ]  # fmt: skip
    assert len(sent(trade, "ST*855")) == 1


def test_an_unknown_partner_gets_nothing(trade: Trade) -> None:
    trade.bring(orders("101", "A", sender="1:14"))
    assert trade.target("van").sent == []


def test_a_997_has_the_version_of_the_group_and_a_ta1_stands_alone(trade: Trade) -> None:
    trade.bring(purchase(7, "A", "B").replace(b"~SE*4*0002", b"~SE*9*0002"))
    [ta1] = sent(trade, "TA1")
    [ack] = sent(trade, "ST*997")
    assert ta1 == "TA1*000000007*260305*0930*A*000~IEA*0*000000002~"
    assert ack == (
        "ST*997*0002~AK1*PO*7~AK2*850*0001~AK5*A~AK2*850*0002~AK5*R*4~AK9*P*2*2*1~SE*8*0002~GE*1*2~IEA*1*000000003~"
    )
    [body] = [parcel.body for parcel in trade.target("van").sent if b"ST*997" in parcel.body]
    assert b"GS*FA*EXAMPLE*NWSTORES*" in body
    assert b"*2*X*004010~ST*997" in body


def test_an_acknowledgement_is_not_acknowledged(trade: Trade) -> None:
    trade.bring(orders("101", "A"))
    before = len(trade.target("van").sent)
    trade.bring(contrl("102", 1))
    assert len(trade.target("van").sent) == before
    assert trade.messages()[-1] == ("CONTRL", "filtered", "")


def test_a_repeat_gets_its_acknowledgement_once_more(trade: Trade) -> None:
    trade.bring(orders("101", "A"))
    trade.bring(orders("101", "A"))
    assert len(sent(trade, "CONTRL")) == 2
    assert len(sent(trade, "ORDRSP")) == 1
    adds_up(trade)


def test_an_acknowledgement_that_cannot_go_is_tried_again_with_the_same_bytes(trade: Trade) -> None:
    trade.target("van").answers.extend([Verdict(LATER, code="http_503", status=503)] * 2)
    trade.bring(orders("101", "A"))
    trade.wait(3600)
    assert len(set(sent(trade, "CONTRL"))) == 1 < len(sent(trade, "CONTRL"))


def test_only_errors_are_told_where_the_partner_wants_it_so(make_trade: Callable[..., Trade]) -> None:
    trade = make_trade(ACKING.replace(b"contrl: always", b"contrl: on_error"))
    trade.bring(orders("101", "A"), orders("102", "B", bad="B"))
    assert [ack.split("+")[1] for ack in sent(trade, "UCI")] == ["102"]
