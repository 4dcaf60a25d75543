"""Acknowledgements are not acknowledged, whichever side sends them: two hubs would go on for ever."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from acknowledging import ACKING, contrl, functional, note, sent
from replaying import adds_up
from trading import Trade, orders, purchase

from hub.pipeline.expiry import expire_interchanges
from hub.store import interchanges

ALL = ACKING.replace(b'{"997": always', b'{"997": always, "999": always')


@pytest.fixture
def partners() -> bytes:
    return ALL


def number_of(trade: Trade, kind: str) -> tuple[int, int]:
    """Interchange and group number of what went out of this kind."""
    [numbers] = trade.rows(f"SELECT interchange, group_number FROM interchanges_sent WHERE type = '{kind}'")
    return numbers


def theirs(kind: str, interchange: int, group: int) -> bytes:
    """What the partner sends to acknowledge ours."""
    if kind == "CONTRL":
        return contrl("901", interchange)
    if kind == "TA1":
        return note(f"{interchange:09}", "A*000", 91)
    return functional(92, f"AK1*FA*{group}~AK9*A*1*1*1~", 4, kind)


KINDS = ("CONTRL", "TA1", "997", "999")


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_partner_sends_to_acknowledge_gets_no_answer(trade: Trade, kind: str) -> None:
    trade.bring(orders("101", "A"), purchase(7, "A"))
    ours = number_of(trade, "ORDRSP" if kind == "CONTRL" else "855")
    before = len(trade.target("van").sent)
    assert before == 6  # two answers, and a CONTRL, a TA1, a 997 and a 999
    trade.bring(theirs(kind, *ours))
    assert trade.messages()[-1] == (kind, "filtered", "")
    assert (len(trade.target("van").sent), trade.failures()) == (before, [])
    adds_up(trade)


@pytest.mark.parametrize("wrong", ["unreadable", "of nothing"])
@pytest.mark.parametrize("kind", KINDS)
def test_nor_does_one_that_is_wrong_itself(trade: Trade, kind: str, wrong: str) -> None:
    body = theirs(kind, 77, 77)
    if wrong == "unreadable":
        body = body.replace(b"UNT+3", b"UNT+9").replace(b"SE*4", b"SE*9").replace(b"TA1*000000077", b"TA1*")
    trade.bring(body)
    assert len(trade.failures()) == 1
    assert trade.target("van").sent == []
    adds_up(trade)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("why", ["test", "cut"])
def test_nor_does_one_whose_interchange_is_refused(make_trade: Callable[..., Trade], kind: str, why: str) -> None:
    refusing = b"wrong_test_flag: refuse\n  bad_envelope: refuse\n"
    trade = make_trade(ALL.replace(b"  ack: {", b"  " + refusing + b"  ack: {"))
    body = theirs(kind, 77, 77)
    if why == "cut":
        body = body[:-17]
    else:
        body = body.replace(b"+901'UNH", b"+901++++++1'UNH").replace(b"*P*>", b"*T*>")
    trade.bring(body)
    assert len(trade.failures()) == 1
    assert trade.target("van").sent == []
    adds_up(trade)


@pytest.mark.parametrize("kind", KINDS)
def test_what_we_send_to_acknowledge_is_not_awaited(trade: Trade, kind: str) -> None:
    trade.bring(orders("101", "A", bad="A"), purchase(7, "A").replace(b"SE*4", b"SE*9"))
    assert trade.rows(f"SELECT ack_within FROM interchanges_sent WHERE type = '{kind}'") == [(None,)]
    assert [body.partition("'")[0].split("+")[6:] for body in sent(trade, "UNB")] == [[]]
    assert {body[body.index("*U*00401*") :].split("*")[4] for body in sent(trade, "ISA")} == {"0"}
    trade.clock.at += 10 * 86400
    assert expire_interchanges(trade.engine) == 0
    assert interchanges.unacknowledged(trade.store.reader()) == {}


@pytest.mark.parametrize("kind", KINDS)
def test_one_of_ours_that_the_partner_acknowledges_all_the_same_is_noted_and_no_more(trade: Trade, kind: str) -> None:
    trade.bring(orders("101", "A"), purchase(7, "A"))
    ours = number_of(trade, kind)
    before = len(trade.target("van").sent)
    trade.bring(theirs(kind, *ours))
    told = "received" if kind == "TA1" else "accepted"
    assert trade.rows(f"SELECT ack FROM interchanges_sent WHERE type = '{kind}'") == [(told,)]
    assert (len(trade.target("van").sent), trade.failures()) == (before, [])


def test_what_stands_beside_an_acknowledgement_gets_its_answer(trade: Trade) -> None:
    trade.bring(orders("101", "A"), purchase(7, "A"))
    _, group = number_of(trade, "855")
    before = len(sent(trade, "ST*997"))
    head, _, ordered = purchase(8, "B").partition(b"GS*")
    _, _, acknowledges = functional(9, f"AK1*PR*{group}~AK9*A*1*1*1~", 4).rpartition(b"GS*")
    both = acknowledges.partition(b"IEA*")[0] + b"GS*" + ordered.replace(b"IEA*1", b"IEA*2")
    trade.bring(head + b"GS*" + both)
    answers = trade.rows("SELECT ack FROM interchanges_sent WHERE type = '855' ORDER BY interchange")
    assert answers == [("accepted",), ("",)]
    assert [ack.partition("AK1*")[2].partition("~")[0] for ack in sent(trade, "ST*997")[before:]] == ["PO*8"]
    order = orders("103", "C").partition(b"UNH+1")[2].partition(b"UNZ")[0].replace(b"UNT+5+1", b"UNT+5+2")
    trade.bring(contrl("103", 1).replace(b"UNZ+1", b"UNH+2" + order + b"UNZ+2"))
    assert [ack.split("+")[1] for ack in sent(trade, "UCI")] == ["101", "103"]


# -- 999 that comes ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "ack"),
    [
        ("AK2*855*0001~IK5*A~AK9*A*1*1*1~", "accepted"),
        ("AK2*855*0001*005010X231A1~IK5*A~AK9*A*1*1*1~", "accepted"),
        ("AK2*855*0001~IK3*BAK*2**8~CTX*SITUATIONAL TRIGGER*BAK*2~IK4*2*587*I12~IK5*E*I5~AK9*E*1*1*1~", "partial"),
        ("AK2*855*0001~IK5*A~AK9*E*1*1*1*5~", "partial"),
    ],
)
def test_a_999_that_accepts_is_noted(trade: Trade, body: str, ack: str) -> None:
    trade.bring(purchase(7, "A"))
    _, group = number_of(trade, "855")
    trade.bring(functional(8, f"AK1*PR*{group}*004010~{body}", 3 + body.count("~"), "999"))
    assert trade.rows("SELECT ack, ack_receipt <> '' FROM interchanges_sent WHERE type = '855'") == [(ack, True)]
    assert trade.failures() == []
    adds_up(trade)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (
            "AK2*855*0001~IK3*BAK*2**8~IK4*2*587*7*AC~IK5*R*5~AK9*R*1*1*0~",
            "{set}, segment 2 BAK: 8 (segment has data element errors); {set}, segment 2 BAK, element 2: 7 "
            "(invalid code value), seen 'AC'; {set}: 5 (one or more segments in error)",
        ),
        (
            "AK2*855*0001~IK3*CTT*3**I6~IK5*R*I5~AK9*R*1*1*0~",
            "{set}, segment 3 CTT: I6 (segment missing that another one requires); {set}: I5 (one or more segments "
            "break the implementation guide)",
        ),
        (
            "AK2*855*0001~IK3*BAK*2*1000*8~IK4*2>1*587*1~IK5*R*5~AK9*P*2*2*1~",
            "{set}, segment 2 BAK: 8 (segment has data element errors); {set}, segment 2 BAK, element 2, "
            "component 1: 1 (required data element missing); {set}: 5 (one or more segments in error)",
        ),
        ("AK9*R*1*1*0*1~", "group {group}: 1 (functional group not supported)"),
        ("AK2*855*0001~IK5*R~AK9*R*1*1*0~", "it does not say why"),
    ],
)
def test_a_999_that_rejects_all_or_a_part_is_a_dead_letter_in_words(trade: Trade, body: str, told: str) -> None:
    trade.bring(purchase(7, "A"))
    _, group = number_of(trade, "855")
    trade.bring(functional(8, f"AK1*PR*{group}*004010~{body}", 3 + body.count("~"), "999"))
    assert trade.rows("SELECT ack FROM interchanges_sent WHERE type = '855'") == [("rejected",)]
    [(delivery,)] = trade.rows("SELECT delivery_id FROM interchanges_sent WHERE type = '855'")
    words = told.format(group=group, set="855 0001")
    assert trade.failures() == [(
        "interchange 000000008, group 8, message 0001", "rejected_by_partner",
        f"partner 'northwind' has rejected our group {group}: {words}; it went as 855, delivery {delivery}",
    )]  # fmt: skip
    adds_up(trade)
