"""Interchanges some of which is missing, and their second transmission: nothing is lost and nothing is done twice."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

import pytest
from acknowledging import ACKING
from replaying import ANNA, adds_up
from trading import Trade, orders, purchase

from hub import replay
from hub.replay import Request
from hub.store.search_terms import Filter


def edifact(number: int) -> bytes:
    return orders(str(number), *names(number))


def x12(number: int) -> bytes:
    return purchase(number, *names(number))


def names(number: int) -> list[str]:
    return [f"N{number}{letter}" for letter in "ABC"]


def cuts(whole: bytes) -> list[bytes]:
    """The interchange up to the end of each segment behind its header, to the middle of each, and whole."""
    ends = [found.end() for found in re.finditer(rb"['~]", whole)]
    places = [ends[0], *(place for end, after in pairwise(ends) for place in (after - 2, after))]
    return [whole[:place] for place in dict.fromkeys(places) if place >= ends[0]]


def answered(trade: Trade) -> list[str]:
    """The orders that were answered, in any order, each as often as it was."""
    bodies = [parcel.body.decode() for parcel in trade.target("van").sent]
    return sorted(re.findall(r"(?:BGM\+231\+R-|BAK\*00\*AC\*)(N\d+[A-C])", "".join(bodies)))


@pytest.mark.parametrize("written", [edifact, x12])
def test_a_file_cut_anywhere_and_sent_again_is_taken_in_once(trade: Trade, written: Callable[[int], bytes]) -> None:
    expected: list[str] = []
    for number, cut in enumerate(cuts(written(100)), 100):
        first = written(number)[: len(cut)]
        trade.bring(first)
        came = [name for name in names(number) if name in answered(trade)]
        assert len(came) >= first.count(b"UNT+5") + first.count(b"SE*4") - 1, first
        assert all(re.search(rf"\b{name}\b", first.decode()) for name in came), first
        trade.bring(written(number))
        expected += names(number)
        assert answered(trade) == expected, first
        trade.bring(written(number), first)
        assert answered(trade) == expected, first
    adds_up(trade)


def test_what_is_wrong_with_the_envelope_is_a_dead_letter_beside_the_messages(trade: Trade) -> None:
    trade.bring(edifact(101)[:-10])
    assert trade.messages() == [("", "dead", "")] + [("ORDERS", "routed", "acme-orders")] * 3
    assert trade.failures() == [
        ("interchange 101", "0085_13", "UNZ is missing: the bytes end; its good messages are taken in")
    ]
    trade.bring(edifact(101))
    assert trade.messages()[4:] == [("repeat", "filtered", "acme-orders")]
    adds_up(trade)


def test_a_replay_of_it_does_nothing_twice(trade: Trade) -> None:
    trade.bring(edifact(101)[:-30])
    assert [state for _, state, _ in trade.messages()] == ["dead", "routed", "routed", "dead"]
    planned = replay.plan(trade.engine, Request(filter=Filter(state="dead"), begin="start"), ANNA)
    replay.start(trade.engine, planned.replay_id, planned.plan_hash, ANNA)
    trade.run()
    assert answered(trade) == ["N101A", "N101B"]
    trade.bring(edifact(101))
    assert answered(trade) == names(101)
    adds_up(trade)


def test_a_message_with_the_same_reference_and_other_bytes_is_a_dead_letter_and_the_others_go_on(trade: Trade) -> None:
    [first] = trade.bring(edifact(101)[:-10])
    trade.bring(edifact(101).replace(b"N101B", b"N999B").replace(b"UNZ+3", b"UNZ+4"))
    assert trade.messages()[4:] == [("", "dead", ""), ("ORDERS", "dead", "acme-orders")]
    assert trade.failures()[-1] == (
        "interchange 101, message 2", "control_number_used",
        f"partner 'acme' has used the control number 101 before, with other content: receipt {first.receipt_id}, "
        "received 2026-09-21T14:13:20.000Z",
    )  # fmt: skip
    assert answered(trade) == names(101)
    adds_up(trade)


def test_a_group_that_breaks_off_spares_those_before_it(trade: Trade) -> None:
    whole = x12(7)
    sets = whole[whole.index(b"GS*") : whole.index(b"IEA*")]
    second = sets.replace(b"N7", b"N8").replace(b"GS*PO*NWSTORES*EXAMPLE*20260305*0930*7", b"GS*PO*NWSTORES*EXAMPLE*"
                          b"20260305*0930*8").replace(b"GE*3*7", b"GE*3*8")  # fmt: skip
    both = whole.replace(sets, sets + second).replace(b"IEA*1", b"IEA*2")
    trade.bring(both[: both.index(b"N8B")])
    assert answered(trade) == [*names(7), "N8A"]
    trade.bring(both)
    assert answered(trade) == [*names(7), *names(8)]


def test_a_large_interchange_that_breaks_off_is_taken_in_once(trade: Trade) -> None:
    many = [f"N{number}A" for number in range(1200)]
    trade.bring(orders("101", *many[:1100], count=1200))
    trade.bring(orders("101", *many))
    assert answered(trade) == sorted(many)
    assert [event for event, _, _ in trade.messages() if event != "ORDERS"] == ["", "repeat"]
    adds_up(trade)


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_crash_between_the_two_loses_nothing(make_trade: Callable[..., Trade], at: int) -> None:
    trade = make_trade(ACKING)
    for step, body in enumerate((edifact(101)[:-30], edifact(101), edifact(101))):
        trade.bring(body)
        if step == at:
            trade.crash("w2")
            trade.run()
    assert answered(trade) == names(101)
