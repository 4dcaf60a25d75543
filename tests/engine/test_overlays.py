"""A partner's overlays: what comes is read by them and acknowledged so, what goes is checked by them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from acknowledging import ACKING
from replaying import adds_up, deploy
from test_trading_by_grammar import ANSWER_OUT as NAMED_OUT
from test_trading_by_grammar import ORDERS_IN as NAMED_IN
from trading import ANSWER_OUT, ORDERS_IN, Trade, orders

OVERLAYS = b"  directory: D96A\n  overlays: {ORDERS: edifact/acme/ORDERS, ORDRSP: edifact/acme/ORDRSP}\n"
THEIR_ORDERS = (
    b"title: Orders of acme\nextends: edifact/D96A/ORDERS\nrestrict:\n  DTM: M 1\n  BGM.document.number: an..3\n"
)
THEIR_ANSWERS = (
    b"title: Answers to acme\nextends: edifact/D96A/ORDRSP\nrestrict:\n  BGM.document.number: an..4\n"
    b"add:\n  after BGM:\n    - FTX M 1 as note\n"
)


@pytest.fixture
def trade(make_trade: Callable[..., Trade]) -> Trade:
    trade = make_trade(ACKING)
    trade.files |= {"schemas/edifact/acme/ORDERS.yaml": THEIR_ORDERS, "schemas/edifact/acme/ORDRSP.yaml": THEIR_ANSWERS}
    deploy(trade, "config/partners.yaml", ACKING.replace(b"  directory: D96A\n", OVERLAYS))
    return trade


def sent(trade: Trade, kind: str) -> list[str]:
    bodies = [parcel.body.decode() for parcel in trade.target("van").sent]
    return [body[body.index(kind) :] for body in bodies if kind in body]


def failed(trade: Trade) -> list[tuple[str, ...]]:
    """(code, detail) of every dead delivery."""
    return trade.rows("SELECT failure ->> 'code', failure ->> 'detail' FROM deliveries WHERE state = 'dead'")


@pytest.mark.parametrize("mapping", [NAMED_IN, ORDERS_IN])
def test_what_an_overlay_refuses_is_dead_and_rejected_in_the_acknowledgement(trade: Trade, mapping: bytes) -> None:
    deploy(trade, "mappings/orders-in.yaml", mapping)
    trade.bring(orders("101", "A", "LONG", "B").replace(b"+B+9'DTM+137:20260305:102'", b"+B+9'"))
    assert [state for _, state, _ in trade.messages()] == ["routed", "dead", "dead", "routed"]
    assert [place for place, _, _ in trade.failures()] == ["interchange 101, message 2", "interchange 101, message 3"]
    [contrl] = sent(trade, "CONTRL")
    assert "UCM+2+ORDERS:D:96A:UN+4'UCS+2'UCD+39+3'" in contrl
    assert "UCM+3+ORDERS:D:96A:UN+4+29+UNT'UCS+2+13'" in contrl
    adds_up(trade)


@pytest.mark.parametrize(
    ("mapping", "detail"),
    [
        (NAMED_OUT, "the segment note is missing; it is mandatory (and 1 more)"),
        (ANSWER_OUT, "segment 1 BGM, element 2: document.number (1004) is 5 long: 'R-A-1'; expected at most 4, by "
         "edifact/acme/ORDRSP (and 2 more)"),
    ],
)  # fmt: skip
def test_what_an_overlay_does_not_allow_is_not_sent(trade: Trade, mapping: bytes, detail: str) -> None:
    deploy(trade, "mappings/answer-out.yaml", mapping)
    trade.bring(orders("101", "A-1"))
    assert failed(trade) == [("encode", detail)]
    assert sent(trade, "ORDRSP") == []
    adds_up(trade)


@pytest.mark.parametrize(
    "mapping",
    [
        NAMED_OUT.replace(b"edifact/D96A/ORDRSP", b"edifact/acme/ORDRSP").replace(
            b"  UNS:", b"  note: {subject: {const: AAI}, lines: [{const: hello}]}\n  UNS:"
        ),
        ANSWER_OUT.replace(b'    - [{const: DTM}', b'    - [{const: FTX}, {const: AAI}, {const: ""}, {const: ""}, '
                           b'[{const: hello}]]\n    - [{const: DTM}') + b"    - [{const: UNS}, {const: S}]\n",
    ],
)  # fmt: skip
def test_what_an_overlay_wants_is_sent(trade: Trade, mapping: bytes) -> None:
    deploy(trade, "mappings/answer-out.yaml", mapping)
    trade.bring(orders("101", "A"))
    assert [body.partition("UNS")[0] for body in sent(trade, "ORDRSP")] == [
        "ORDRSP:D:96A:UN'BGM+231+R-A+29'FTX+AAI+++hello'DTM+137:20260305:102'"
    ]
