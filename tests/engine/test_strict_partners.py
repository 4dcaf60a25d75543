"""A partner may be read strictly or leniently: what else is tolerated is a dead letter then, or a finding."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from caller import Caller, new_key
from replaying import deploy
from test_trading import replayed
from trading import PARTNERS, Trade, orders, purchase

from hub.api.application import create_app

MakeTrade = Callable[..., Trade]


@pytest.fixture
def store_url() -> str:
    return "sqlite:///hub.db"  # how bytes are read has nothing to do with where they are stored


def with_settings(name: str, lines: bytes) -> bytes:
    """The partners, one of them with more settings."""
    head = name.encode() + b":\n"
    return PARTNERS.replace(head, head + b"".join(b"  %s\n" % one for one in lines.split(b"\n")))


def sent(trade: Trade) -> list[bytes]:
    return [parcel.body for parcel in trade.target("van").sent]


def routed(trade: Trade) -> int:
    return [state for _, state, _ in trade.messages()].count("routed")


SMALL = orders("102", "B-1", "b-2", "B-3").replace(b"UNOC", b"UNOA")
EMPTY = orders("103", "C-1", "C-2").replace(b"BGM+220+C-2+9'", b"BGM+220+C-2+9''")
UNPADDED = purchase(8, "D-1").replace(b"NORTHWIND      ", b"NORTHWIND")
USAGE = purchase(9, "E-1", usage="X")
BASIC = purchase(10, "F-1", "f-2", "F-3")


@pytest.mark.parametrize("is_strict", [True, False], ids=["strict", "lenient"])
@pytest.mark.parametrize(
    ("name", "more", "raw", "dead", "taken"),
    [
        ("acme", b"", SMALL, [("interchange 102, message 2", "0085_21",
         "the character 'b' is not of the level UNOA")], 2),
        ("acme", b"", EMPTY, [("interchange 103, message 2", "0085_22", "an empty segment")], 1),
        ("northwind", b"", UNPADDED, [("interchange 000000008", "I18_022",
         "ISA is 100 characters long, its elements are not padded to their fixed lengths")], 0),
        ("northwind", b"", USAGE, [("interchange 000000009", "I18_020",
         "the usage indicator 'X' is none of P, T and I")], 0),
        ("northwind", b"\ncharset: basic", BASIC, [("interchange 000000010, group 10, message 0002", "720_8",
         "the character 'f' is not of the character set basic")], 2),
    ],
    ids=["small letters", "an empty segment", "an ISA that is not padded", "a usage indicator", "a set of X12"],
)  # fmt: skip
def test_what_is_tolerated_is_a_dead_letter_of_a_strict_partner_and_taken_in_of_another(
    make_trade: MakeTrade, name: str, more: bytes, raw: bytes, dead: list[tuple[str, str, str]], taken: int,
    is_strict: bool,
) -> None:  # fmt: skip
    trade = make_trade(with_settings(name, b"strict: %s" % str(is_strict).lower().encode() + more))
    trade.bring(raw)
    found = [(place, code, detail.partition(";")[0]) for place, code, detail in trade.failures()]
    assert found == (dead if is_strict else [])
    assert routed(trade) == (taken if is_strict else taken + len(dead))


@pytest.mark.parametrize(
    ("strict", "told"),
    [
        (b"true", b"AK1*PO*10~AK2*850*0001~AK5*A~AK2*850*0002~AK3*BEG*2**8~AK5*R*5~AK2*850*0003~AK5*A~AK9*P*3*3*2~"),
        (b"false", b"AK1*PO*10~AK2*850*0001~AK5*A~AK2*850*0002~AK5*A~AK2*850*0003~AK5*A~AK9*A*3*3*3~"),
    ],
)
def test_a_strict_partner_is_told_what_it_did_and_a_lenient_one_is_not(
    make_trade: MakeTrade, strict: bytes, told: bytes
) -> None:
    trade = make_trade(with_settings("northwind", b'strict: %s\ncharset: basic\nack: {"997": always}' % strict))
    trade.bring(BASIC)
    [raw] = [raw for raw in sent(trade) if b"ST*997*" in raw]
    assert raw[raw.index(b"AK1*") : raw.index(b"SE*")] == told


def test_what_is_read_leniently_has_its_findings_in_the_trace(make_trade: MakeTrade) -> None:
    trade = make_trade(with_settings("acme", b"strict: false"))
    trade.bring(SMALL)
    found = {}
    for role in ("operator", "viewer"):
        caller = Caller(create_app(trade.engine), new_key(trade.store, role))
        found[role] = [
            caller.get(f"/api/v1/messages/{id}/trace").json["findings"]
            for (id,) in trade.rows("SELECT message_id FROM messages ORDER BY position")
        ]
    at = f"interchange 102, message 2, segment 2 BGM, byte {SMALL.index(b'b-2')}"
    finding = {"position": at, "code": "0085_21", "detail": "the character 'b' is not of the level UNOA"}
    assert found["operator"] == [[], [finding], []]
    assert found["viewer"] == [[], [{**finding, "detail": None}], []]


def test_once_a_partner_is_read_leniently_a_replay_takes_its_message_in(make_trade: MakeTrade) -> None:
    trade = make_trade(with_settings("acme", b"strict: true"))
    trade.bring(SMALL)
    assert len(trade.failures()) == 1
    deploy(trade, "config/partners.yaml", PARTNERS)
    replayed(trade)
    assert routed(trade) == 3


@pytest.mark.parametrize(("charset", "said"), [(b"basic", "'r' is not of the character set basic"), (b"extended", "")])
def test_what_goes_to_a_partner_keeps_to_the_set_of_x12_that_was_agreed(
    make_trade: MakeTrade, charset: bytes, said: str
) -> None:
    trade = make_trade(with_settings("northwind", b"charset: " + charset))
    trade.bring(purchase(11, "G-1"), purchase(12, "r-2"))
    went = [raw for raw in sent(trade) if b"BAK*00*AC*" in raw]
    assert len(went) == (1 if said else 2)
    refused = [detail for (detail,) in trade.rows("SELECT failure ->> 'detail' FROM deliveries WHERE state = 'dead'")]
    assert refused == ([said] if said else [])


@pytest.mark.parametrize("strict", [b"true", b"false"])
def test_an_acknowledgement_repeats_references_as_they_came(make_trade: MakeTrade, strict: bytes) -> None:
    trade = make_trade(with_settings("acme", b"strict: %s\ncharset: UNOA\nack: {contrl: always}" % strict))
    trade.bring(SMALL.replace(b"+102'", b"+no102'").replace(b"UNH+2+", b"UNH+b2+").replace(b"+3+2'", b"+3+b2'"))
    [raw] = [raw for raw in sent(trade) if b"CONTRL" in raw]
    assert raw[raw.index(b"UCI+") : raw.index(b"UNT+")].startswith(b"UCI+no102+")
    assert trade.rows("SELECT failure ->> 'detail' FROM deliveries WHERE state = 'dead'") == []
