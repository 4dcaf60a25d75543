"""Interchanges of partners: each message to its route, what cannot be taken in a dead letter with its reason."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from caller import Caller, new_key
from replaying import ANNA, adds_up, deploy
from trading import PARTNERS, Trade, orders, purchase

from hub import replay
from hub.api.application import create_app
from hub.replay import Request
from hub.store import interchanges
from hub.store.search_terms import Filter


def replayed(trade: Trade) -> None:
    """Every dead letter once more, from its bytes, with the set in force."""
    planned = replay.plan(trade.engine, Request(filter=Filter(state="dead"), begin="start"), ANNA)
    replay.start(trade.engine, planned.replay_id, planned.plan_hash, ANNA)
    trade.run()


def test_each_message_of_an_interchange_takes_the_route_of_its_partner_and_type(trade: Trade) -> None:
    trade.bring(orders("101", "A", "B"), purchase(7, "C"))
    assert trade.messages() == [
        ("ORDERS", "routed", "acme-orders"), ("ORDERS", "routed", "acme-orders"), ("850", "routed", "northwind-orders"),
    ]  # fmt: skip
    assert trade.rows("SELECT place FROM messages ORDER BY seq, position") == [
        ("interchange 101, message 1",), ("interchange 101, message 2",),
        ("interchange 000000007, group 7, message 0001",),
    ]  # fmt: skip
    adds_up(trade)


def test_an_answer_has_in_its_header_what_was_agreed(make_trade: Callable[..., Trade]) -> None:
    own = b'  directory: D96A\n  application_reference: "{type}"\n  agreement: EANCOM\n'
    trade = make_trade(PARTNERS.replace(b"  directory: D96A\n", own))
    trade.bring(orders("101", "A"))
    [parcel] = trade.target("van").sent
    assert parcel.body.partition(b"'")[0].endswith(b"+260921:1613+1++ORDRSP+++EANCOM")


def test_an_answer_is_an_interchange_of_its_own(trade: Trade) -> None:
    trade.bring(orders("101", "A"), purchase(7, "C"))
    edifact, x12 = (parcel.body.decode() for parcel in trade.target("van").sent)
    assert edifact == (
        "UNB+UNOC:3+4012345000009:14+5412345000013:14+260921:1613+1'UNH+1+ORDRSP:D:96A:UN'BGM+231+R-A+29'"
        "DTM+137:20260305:102'UNT+4+1'UNZ+1+1'"
    )
    assert x12 == (
        f"ISA*00*{'':10}*00*{'':10}*ZZ*{'4012345000':15}*ZZ*{'NORTHWIND':15}*260921*1413*U*00401*000000001*0*P*>~"
        "GS*PR*EXAMPLE*NWSTORES*20260921*1413*1*X*004010~ST*855*0001~BAK*00*AC*C*20260305~CTT*0~SE*4*0001~GE*1*1~"
        "IEA*1*000000001~"
    )
    assert [parcel.content_type for parcel in trade.target("van").sent] == [
        "application/edifact",
        "application/edi-x12",
    ]


def test_an_unknown_partner_is_told_by_its_ids_with_what_to_write(trade: Trade) -> None:
    trade.bring(orders("102", "A", "B", sender="5412345000013:9"))
    [(failure,)] = trade.rows("SELECT failure FROM messages")
    assert trade.failures() == [(
        "interchange 102", "unknown_partner",
        "interchange 102 is from '5412345000013' (qualifier '9') to '4012345000009' (qualifier '14'): no partner of "
        "system 'van' has these identifications; partner 'acme' is 5412345000013:14 and we are 4012345000009:14 to it",
    )]  # fmt: skip
    assert (
        'NAME: {system: van, syntax: edifact, us: {id: \\"4012345000009\\", qualifier: \\"14\\"}, them: {id: '
        '\\"5412345000013\\", qualifier: \\"9\\"}}; then replay this from the start'
    ) in failure
    assert trade.states() == []


def test_of_many_partners_an_unknown_one_is_told_the_nearest_and_no_other(
    make_trade: Callable[..., Trade],
) -> None:
    partners = PARTNERS + b"".join(
        b'n%04d: {system: van, syntax: edifact, us: {id: "4012345000009"}, them: {id: "%013d"}}\n' % (each, each * 7919)
        for each in range(1000)
    )
    trade = make_trade(partners)
    trade.bring(orders("102", "A", sender="5412345000031:14") + orders("103", "B", sender="X:14"))
    near, far = (failure for (failure,) in trade.rows("SELECT failure FROM messages ORDER BY seq"))
    assert "partner 'acme' is 5412345000013:14 and we are 4012345000009:14 to it" in near
    assert all("the identifications of one of 1,002 partners" in told and len(told) < 1500 for told in (near, far))
    assert "n0" not in near + far
    assert "acme" not in far


def test_once_the_partner_is_known_a_replay_takes_the_whole_interchange(trade: Trade) -> None:
    trade.bring(orders("102", "A", "B", sender="777:14") + orders("103", "C", sender="778:14"))
    deploy(trade, "config/partners.yaml", PARTNERS.replace(b"5412345000013", b"777"))
    replayed(trade)
    assert [event for event, state, _ in trade.messages() if state == "routed"] == ["ORDERS", "ORDERS"]
    assert [body.partition(b"BGM+231+")[2][:3] for body in (p.body for p in trade.target("van").sent)] == [
        b"R-A",
        b"R-B",
    ]
    adds_up(trade)


@pytest.mark.parametrize(
    ("body", "code", "detail"),
    [
        (orders("1", "A", test=True), "test_flag", "interchange 1 is a test, and partner 'acme' sends us real ones"),
        (purchase(1, "A", usage="T"), "test_flag",
         "interchange 000000001 is a test, and partner 'northwind' sends us real ones"),
        (orders("1", "A", type="INVRPT"), "no_route",
         "no route takes a message of the type 'INVRPT' from partner 'acme'"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_in_is_a_dead_letter_with_its_reason(
    trade: Trade, body: bytes, code: str, detail: str
) -> None:
    trade.bring(body)
    [(_, seen_code, seen)] = trade.failures()
    assert (seen_code, seen.partition(" (and ")[0]) == (code, detail)
    assert trade.states() == []
    adds_up(trade)


def test_types_that_no_route_takes_are_counted_by_partner_who_is_told_with_each(trade: Trade) -> None:
    trade.bring(orders("1", "A", "B", type="INVRPT"), orders("2", "C", type="SLSRPT"), orders("3", "D"))
    trade.bring(purchase(1, "A").replace(b"ST*850", b"ST*830"), orders("4", "E", bad="E", type="INVRPT"))
    found = {"acme": {"INVRPT": 2, "SLSRPT": 1}, "northwind": {"830": 1}}
    assert interchanges.unrouted(trade.store.reader()) == found
    operator = Caller(create_app(trade.engine), new_key(trade.store, "operator"))
    told = [row["error"] for row in operator.get("/api/v1/dead-letters?group_by=none").json["items"]]
    assert sorted(error.get("partner") or "" for error in told) == ["", "acme", "acme", "acme", "northwind"]
    assert {error["class"] for error in told if error.get("partner")} == {"no_route"}


def test_a_bad_message_holds_back_no_other(trade: Trade) -> None:
    trade.bring(orders("104", "A", "B", "C", bad="B"))
    assert [state for _, state, _ in trade.messages()] == ["routed", "dead", "routed"]
    assert trade.failures() == [("interchange 104, message 2", "0085_29", "UNT counts '9' segments; there are 5")]


STRICTLY = PARTNERS.replace(b"  directory: D96A\n", b"  directory: D96A\n  bad_envelope: refuse\n")


@pytest.mark.parametrize(
    ("body", "code", "detail"),
    [
        (orders("1", "A", count=4), "0085_29", "UNZ counts '4' messages; there are 1"),
        (orders("1", "A")[:-10], "0085_13", "UNZ is missing: the bytes end"),
    ],
)
def test_an_envelope_at_fault_refuses_the_whole_interchange_where_that_is_wanted(
    make_trade: Callable[..., Trade], body: bytes, code: str, detail: str
) -> None:
    trade = make_trade(STRICTLY)
    trade.bring(body)
    assert trade.failures() == [("interchange 1", code, detail)]
    assert trade.states() == []


@pytest.mark.parametrize(
    ("setting", "body"),
    [
        (b"  wrong_test_flag: accept\n", orders("1", "A", test=True)),
        (b"  test: true\n", orders("1", "A", test=True)),
    ],
)
def test_a_partner_may_be_taken_as_it_is(make_trade: Callable[..., Trade], setting: bytes, body: bytes) -> None:
    trade = make_trade(PARTNERS.replace(b"  directory: D96A\n", b"  directory: D96A\n" + setting))
    trade.bring(body)
    assert trade.messages() == [("ORDERS", "routed", "acme-orders")]
    assert (b"++++++1'" in trade.target("van").sent[0].body) is (b"test: true" in setting)


def test_the_same_interchange_is_a_repeat_also_days_later(trade: Trade) -> None:
    trade.bring(orders("101", "A", "B"))
    trade.wait(20 * 86400)
    trade.bring(orders("101", "A", "B"), orders("101", "A", "B").replace(b"'", b"'\r\n"))
    assert [event for event, _, _ in trade.messages()] == ["ORDERS", "ORDERS", "repeat", "repeat"]
    assert len(trade.target("van").sent) == 2
    assert sum(lane.in_hand for lane in trade.engine.dispatcher._lanes.values()) == 0
    adds_up(trade)


def test_the_same_number_with_other_content_is_a_dead_letter_and_a_replay_takes_it_in(trade: Trade) -> None:
    [first] = trade.bring(orders("101", "A"))
    trade.bring(orders("101", "X", "Y"))
    assert trade.failures() == [(
        "interchange 101", "control_number_used",
        f"partner 'acme' has used the control number 101 before, with other content: receipt {first.receipt_id}, "
        "received 2026-09-21T14:13:20.000Z",
    )]  # fmt: skip
    replayed(trade)
    assert [event for event, state, _ in trade.messages() if state == "routed"] == ["ORDERS"] * 3
    adds_up(trade)


def test_a_document_that_came_before_under_another_number_is_a_dead_letter_until_it_is_replayed(trade: Trade) -> None:
    [first] = trade.bring(orders("101", "A"))
    trade.wait(20 * 86400)
    trade.bring(orders("102", "B", "A"), orders("101", "A"))
    assert [(event, state) for event, state, _ in trade.messages()] == [
        ("ORDERS", "routed"), ("ORDERS", "routed"), ("ORDERS", "dead"), ("repeat", "filtered"),
    ]  # fmt: skip
    assert trade.failures() == [(
        "interchange 102, message 2", "document_came_before",
        "partner 'acme' has sent this ORDERS (stock::main) before, the same in every field, under another control "
        f"number: receipt {first.receipt_id}, received 2026-09-21T14:13:20.000Z",
    )]  # fmt: skip
    assert sorted(re.findall(r"R-\w", str(trade.target("van").sent))) == ["R-A", "R-B"]
    assert sum(lane.in_hand for lane in trade.engine.dispatcher._lanes.values()) == 0
    adds_up(trade)
    replayed(trade)
    assert sorted(re.findall(r"R-\w", str(trade.target("van").sent))) == ["R-A", "R-A", "R-B"]
    adds_up(trade)


def test_a_document_twice_in_one_interchange_is_taken_in_once(trade: Trade) -> None:
    trade.bring(orders("101", "A", "A"))
    assert [state for _, state, _ in trade.messages()] == ["routed", "dead"]


def test_documents_that_differ_or_did_not_go_on_are_none_that_came_before(trade: Trade) -> None:
    trade.bring(orders("101", "A"))
    trade.bring(orders("102", "A").replace(b"UNS+S'UNT+5", b"UNS+S'CNT+2:1'UNT+6"))
    trade.bring(orders("103", "B", bad="B"))
    trade.bring(orders("104", "B"))
    assert [state for _, state, _ in trade.messages()] == ["routed", "routed", "dead", "routed"]


def test_the_same_document_is_taken_in_where_that_was_agreed(make_trade: Callable[..., Trade]) -> None:
    trade = make_trade(PARTNERS.replace(b"  time_zone: Europe/Brussels\n", b"  same_document: accept\n"))
    trade.bring(orders("101", "A"), orders("102", "A"))
    assert [state for _, state, _ in trade.messages()] == ["routed", "routed"]


def test_an_interchange_that_was_refused_has_not_used_its_number(make_trade: Callable[..., Trade]) -> None:
    trade = make_trade(STRICTLY)
    trade.bring(orders("101", "A")[:-10])
    trade.bring(orders("101", "A"))
    assert [state for _, state, _ in trade.messages()] == ["dead", "routed"]


def test_two_partners_may_use_the_same_number(trade: Trade) -> None:
    trade.bring(purchase(7, "A"), orders("000000007", "B"))
    assert [state for _, state, _ in trade.messages()] == ["routed", "routed"]


def test_a_large_interchange_that_came_before_is_told_once(trade: Trade) -> None:
    names = [f"N{number}" for number in range(1100)]
    trade.bring(orders("101", *names))
    trade.bring(orders("101", *names), orders("101", *names, "more"))
    assert [line for line in trade.messages() if line[0] != "ORDERS"] == [
        ("repeat", "filtered", "acme-orders"), ("", "dead", "acme-orders"),
    ]  # fmt: skip
    assert len(trade.messages()) == 1102
    adds_up(trade)


def test_the_partners_of_a_system_are_looked_through_once(trade: Trade) -> None:
    program = trade.engine.program
    assert [partner.name for partner in program.partners_at("van")] == ["acme", "northwind"]
    assert program.partners_at("van") is program.partners_at("van")
    assert program.partners_at("erp") == ()
