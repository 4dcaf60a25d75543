"""Acknowledgements that are of nothing of ours: each a dead letter that says why, none without a trace."""

from __future__ import annotations

import pytest
from acknowledging import ACKING, contrl, functional, note
from replaying import adds_up
from trading import Trade, orders, purchase


@pytest.fixture
def partners() -> bytes:
    return ACKING


def uci(number: str, action: str = "7", more: str = "") -> bytes:
    return contrl("102", 77, action=action, more=more).replace(b"UCI+77+", f"UCI+{number}+".encode())


def ak1(kind: str, segment: str, more: str = "AK9*A*1*1*1~") -> bytes:
    return functional(8, segment + more, 2 + (segment + more).count("~"), kind)


NUMBERS = "and our control numbers are 1 or more"
CASES = {
    "CONTRL": (uci("ABC"), f"acme CONTRL interchange: UCI, element 1 is 'ABC', {NUMBERS}"),
    "CONTRL 0": (uci("0"), f"acme CONTRL interchange: UCI, element 1 is '0', {NUMBERS}"),
    "CONTRL without it": (uci(""), f"acme CONTRL interchange: UCI, element 1 is empty, {NUMBERS}"),
    "CONTRL that is long": (uci("9" * 30), f"acme CONTRL interchange: UCI, element 1 is '{'9' * 30}', {NUMBERS}"),
    "CONTRL without UCI": (
        uci("1").replace(b"UCI+1+4012345000009:14+5412345000013:14+7'UNT+3", b"UNT+2"),
        f"acme CONTRL interchange: UCI, element 1 is empty, {NUMBERS}",
    ),
    "CONTRL that rejects": (
        uci("A7", "4", "UCM+1+ORDRSP:D:96A:UN+4+29'"),
        f"acme CONTRL interchange: UCI, element 1 is 'A7', {NUMBERS}; it rejects something: message 1 ORDRSP: 29 "
        "(control count does not match)",
    ),
    "997": (ak1("997", "AK1*PR*ABC~"), f"northwind 997 group: AK1, element 2 is 'ABC', {NUMBERS}"),
    "997 0": (ak1("997", "AK1*PR*0~"), f"northwind 997 group: AK1, element 2 is '0', {NUMBERS}"),
    "997 without it": (ak1("997", "AK1*PR~"), f"northwind 997 group: AK1, element 2 is empty, {NUMBERS}"),
    "997 without AK1": (ak1("997", ""), f"northwind 997 group: AK1, element 2 is empty, {NUMBERS}"),
    "999": (ak1("999", "AK1*PR*A-1*004010~"), f"northwind 999 group: AK1, element 2 is 'A-1', {NUMBERS}"),
    "999 that rejects": (
        ak1("999", "AK1*PR**004010~", "AK9*R*1*1*0*5~"),
        f"northwind 999 group: AK1, element 2 is empty, {NUMBERS}; it rejects something: group: 5 "
        "(wrong number of transaction sets)",
    ),
    "TA1": (note("ABC", "A*000"), f"northwind TA1 interchange: TA1, element 1 is 'ABC', {NUMBERS}"),
    "TA1 0": (note("000000000", "A*000"), f"northwind TA1 interchange: TA1, element 1 is '000000000', {NUMBERS}"),
    "TA1 without it": (note("", "A*000"), f"northwind TA1 interchange: TA1, element 1 is empty, {NUMBERS}"),
    "TA1 that rejects": (
        note("", "R*020"),
        f"northwind TA1 interchange: TA1, element 1 is empty, {NUMBERS}; it rejects something: TA1 020 "
        "(invalid test indicator)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_one_that_names_no_number_of_ours_is_a_dead_letter(trade: Trade, case: str) -> None:
    body, told = CASES[case]
    trade.bring(orders("101", "A"), purchase(7, "A"))
    before = trade.rows("SELECT interchange, partner, ack FROM interchanges_sent ORDER BY partner, interchange")
    sent = len(trade.target("van").sent)
    trade.bring(body)
    partner, kind, words = told.split(" ", 2)
    [(_, code, detail)] = trade.failures()
    assert code == "acknowledges_nothing"
    assert detail == f"partner '{partner}' sends a {kind} that names no {words.replace(':', ' of ours:', 1)}"
    assert trade.messages()[-1] == (kind, "dead", "")
    after = trade.rows("SELECT interchange, partner, ack FROM interchanges_sent ORDER BY partner, interchange")
    assert (after, len(trade.target("van").sent)) == (before, sent)
    [(hint,)] = trade.rows("SELECT failure ->> 'hint' FROM messages WHERE state = 'dead'")
    assert f"o2c partners {partner}" in hint
    adds_up(trade)


def test_of_several_notes_those_that_name_a_number_count(trade: Trade) -> None:
    trade.bring(purchase(7, "A"))
    [(number,)] = trade.rows("SELECT interchange FROM interchanges_sent WHERE type = '855'")
    trade.bring(note(f"{number:09}", "A*000").replace(b"~IEA", b"~TA1*X*260921*1413*A*000~IEA"))
    assert trade.rows("SELECT ack FROM interchanges_sent WHERE type = '855'") == [("received",)]
    assert [code for _, code, _ in trade.failures()] == ["acknowledges_nothing"]
    adds_up(trade)
