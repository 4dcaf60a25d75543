"""What an interchange proves its sender with: written where it was agreed, looked at, and stored and told nowhere."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import replaying
from acknowledging import ACKING, contrl, sent
from replaying import adds_up
from test_replies import ANSWER
from trading import ORDERS_IN, ROUTES, Trade, orders, purchase

from connectors.base import DELIVERED, DOUBT, FOUND, REFUSED, Parcel, Verdict
from hub.pipeline.proofs import proved
from hub.store import payloads

OURS, THEIRS = "ours?1", "theirs+2"
SECRETS = {"OURS": OURS, "THEIRS": THEIRS, "NOTE": "note", "KEY": "key7"}
PROVED = (
    ACKING.replace(
        b'us: {id: "4012345000009", qualifier: "14"}',
        b'us: {id: "4012345000009", qualifier: "14", password: secret://env/OURS, password_qualifier: BB}',
    )
    .replace(
        b'them: {id: "5412345000013", qualifier: "14"}',
        b'them: {id: "5412345000013", qualifier: "14", password: secret://env/THEIRS, password_qualifier: AA}',
    )
    .replace(b"group: EXAMPLE", b"group: EXAMPLE, authorization: secret://env/NOTE, password: secret://env/KEY")
    .replace(b"group: NWSTORES", b"group: NWSTORES, authorization: secret://env/NOTE, password: secret://env/KEY")
)


@pytest.fixture
def partners() -> bytes:
    return PROVED


@pytest.fixture
def trade(trade: Trade) -> Trade:
    trade.secrets |= SECRETS
    return trade


def kept(trade: Trade, *stages: str) -> list[bytes]:
    """What is stored of these stages."""
    owners = trade.rows("SELECT DISTINCT owner_id, stage FROM payloads")
    db = trade.store.reader()
    return [payloads.read(db, owner, stage) or b"" for owner, stage in owners if stage in stages]


def with_password(raw: bytes, number: str, s005: str) -> bytes:
    """An interchange of acme with what stands in S005."""
    return raw.replace(f"+260305:0930+{number}".encode(), f"+260305:0930+{number}+{s005}".encode(), 1)


def with_isa(raw: bytes, fields: str) -> bytes:
    """An interchange of northwind with ISA01 to ISA04."""
    return b"ISA*" + fields.encode() + raw[len("ISA*00*          *00*          ") :]


GOOD = with_password(orders("101", "A"), "101", "theirs?+2:AA")
GOOD_X12 = with_isa(purchase(7, "A"), "03*note      *01*key7      ")


def test_what_we_send_proves_us_and_what_is_stored_of_it_does_not(trade: Trade) -> None:
    trade.bring(GOOD, GOOD_X12)
    assert trade.failures() == []
    unb, isa = (sent(trade, kind)[0] for kind in ("UNB", "ISA"))
    assert unb.split("+")[6].startswith("ours??1:BB")
    assert isa.startswith("ISA*03*note      *01*key7      *ZZ*4012345000     *")
    assert len(isa.partition("~")[0]) == 105
    stored = kept(trade, "sent")
    assert len(stored) == 6
    assert not [raw for raw in stored if b"ours" in raw or b"note" in raw or b"key7" in raw]
    adds_up(trade)


def test_a_try_again_proves_us_with_what_is_right_by_then(trade: Trade) -> None:
    del trade.secrets["OURS"]
    trade.bring(GOOD)
    dead = trade.rows("SELECT failure ->> 'code', failure ->> 'detail' FROM deliveries WHERE state = 'dead'")
    assert set(dead) == {("no_secret", "not sent: secret://env/OURS: the environment variable OURS is not set")}
    assert trade.target("van").sent == []
    trade.secrets["OURS"] = "new"
    replaying.run(trade, replaying.DEAD)
    assert {body.split("+")[6].partition("'")[0] for body in sent(trade, "UNB")} == {"new:BB"}
    adds_up(trade)


def test_bytes_for_others_stay_what_they_are() -> None:
    parcel = Parcel("d1", "d1.1", b"%PDF \x00password 10\x00 \x00\x00")
    under_way: Any = {"d1": SimpleNamespace(target=SimpleNamespace(partner=None))}
    assert proved([parcel], under_way, None) == ([parcel], [])


def test_bytes_that_were_made_with_a_password_that_is_gone_are_not_sent(trade: Trade) -> None:
    del trade.secrets["OURS"]
    trade.bring(GOOD)
    plain = PROVED.replace(b", password: secret://env/OURS, password_qualifier: BB", b"")
    replaying.deploy(trade, "config/partners.yaml", plain)
    replaying.run(trade, replaying.DEAD)
    assert not [raw for raw in trade.target("van").sent if b"\x00" in raw.body]
    adds_up(trade)


def test_an_answer_that_repeats_what_proves_us_is_kept_without_it(trade: Trade) -> None:
    said = "seen ours??1:BB, ours?1, {url: ours%3F%3F1} and *note      *, sorry"
    trade.target("van").answers += [Verdict(REFUSED, "http_422", said, 422, said.encode())] * 4
    trade.bring(GOOD, GOOD_X12)
    told = {
        (detail, bytes(raw).decode())
        for detail, raw in trade.rows("SELECT detail, response FROM attempts WHERE status = 422")
    }
    edifact = "seen ***:BB, ***, {url: ***} and *note      *, sorry"
    x12 = said.replace("*note ", "**** ")
    assert told == {(edifact, edifact), (x12, x12)}
    dead = [failure for (failure,) in trade.rows("SELECT failure ->> 'detail' FROM deliveries WHERE state = 'dead'")]
    assert set(dead) == {edifact, x12}


def test_a_look_up_that_shows_what_was_sent_is_kept_without_what_proves_us(trade: Trade) -> None:
    known = b'idempotency: {mode: lookup, request: "GET /x?ref={key}", found: "status == 200", settle: 60s}'
    systems = trade.files["config/systems.yaml"]
    van = systems.index(b"van:")
    looking = systems[:van] + systems[van:].replace(b"idempotency: {mode: native}", known)
    replaying.deploy(trade, "config/systems.yaml", looking)
    trade.target("van").answers.append(Verdict(DOUBT, "read_timeout", "it did not answer"))
    trade.target("van").found.append(Verdict(FOUND, "", "it has UNB+ours??1", 200, b"UNB+ours??1:BB"))
    trade.bring(GOOD)
    trade.wait(100)
    shown = trade.rows("SELECT detail, response FROM attempts WHERE status = 200 AND outcome LIKE 'looked_up%'")
    assert [(detail, bytes(raw)) for detail, raw in shown] == [("it has UNB+***", b"UNB+***:BB")]


def test_a_reply_is_taken_in_as_it_came_whatever_a_secret_looks_like(trade: Trade) -> None:
    trade.secrets["OURS"] = "7"
    replaying.deploy(trade, "mappings/erp-answer.yaml", ANSWER)
    with_reply = ROUTES.replace(b"map: answer-out}", b"map: answer-out, reply: {map: erp-answer}}")
    replaying.deploy(trade, "routes/trade.yaml", with_reply)
    trade.target("van").answers += [Verdict(DELIVERED, "", "", 201, b'{"number": 1789}', "application/json")] * 2
    trade.bring(GOOD)
    assert b'{"number": 1789}' in kept(trade, "raw")
    shown = trade.rows("SELECT response FROM attempts WHERE status = 201")
    assert {bytes(raw) for (raw,) in shown} == {b'{"number": 1***89}'}


@pytest.mark.parametrize(
    ("raw", "told", "why"),
    [
        (orders("101", "A"), "4+13+UNB+7:1'", "its password (UNB 0022) is missing"),
        (with_password(orders("101", "A"), "101", "guess:AA"), "4+12+UNB+7:1'", "its password (UNB 0022) is wrong"),
        (
            with_password(orders("101", "A"), "101", "theirs?+2:BB"), "4+12+UNB+7:2'",
            "its password (UNB 0022) has another qualifier than was agreed on",
        ),
        (purchase(7, "A"), "R*011~", "its authorization (ISA02) is missing"),
        (with_isa(purchase(7, "A"), "03*note      *01*guess     "), "R*013~", "its password (ISA04) is wrong"),
    ],
)  # fmt: skip
def test_one_that_does_not_prove_its_sender_is_refused_and_uses_no_number(
    trade: Trade, raw: bytes, told: str, why: str
) -> None:
    trade.bring(raw)
    [(_, code, detail)] = trade.failures()
    assert (code, detail.partition(": ")[2]) == ("sender_not_proved", why)
    [said] = [parcel.body.decode() for parcel in trade.target("van").sent]
    assert told in said
    trade.bring(GOOD, GOOD_X12)
    assert len(trade.failures()) == 1
    adds_up(trade)


def test_no_document_and_no_dead_letter_holds_what_came(trade: Trade) -> None:
    seen = ORDERS_IN.replace(b"src.partner}", b"\"'S005 is <' + src.interchange[6] + '>'\"}")
    replaying.deploy(trade, "mappings/orders-in.yaml", seen)
    trade.bring(with_password(orders("100", "A"), "100", "guess:AA"), GOOD)
    [body] = trade.target("erp").sent
    assert b"S005 is <>" in body.body
    told = [str(row) for row in trade.rows("SELECT failure FROM messages")]
    assert not [row for row in told if "guess" in row or "theirs" in row]
    assert not [raw for raw in kept(trade, "canonical", "sent") if b"guess" in raw or b"theirs" in raw]


def test_a_secret_of_theirs_that_is_not_there_is_told_by_its_name_and_to_nobody_else(trade: Trade) -> None:
    del trade.secrets["THEIRS"]
    trade.bring(GOOD)
    [(_, code, detail)] = trade.failures()
    assert (code, detail.partition("in: ")[2]) == (
        "sender_not_proved", "secret://env/THEIRS: the environment variable THEIRS is not set",
    )  # fmt: skip
    assert trade.target("van").sent == []
    trade.secrets |= SECRETS
    replaying.run(trade, replaying.DEAD)
    assert len(sent(trade, "ORDRSP")) == 1
    adds_up(trade)


def test_an_acknowledgement_that_does_not_prove_its_sender_settles_nothing(trade: Trade) -> None:
    trade.bring(GOOD)
    before = len(trade.target("van").sent)
    trade.bring(contrl("102", 1))
    assert [code for _, code, _ in trade.failures()] == ["sender_not_proved"]
    assert trade.rows("SELECT ack FROM interchanges_sent WHERE type = 'ORDRSP'") == [("",)]
    assert len(trade.target("van").sent) == before


def test_a_large_one_is_refused_as_a_whole(trade: Trade, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.pipeline.SLICE", 2)
    trade.bring(orders("101", "A", "B", "C", "D", "E"))
    assert [(place, code) for place, code, _ in trade.failures()] == [("interchange 101", "sender_not_proved")]
    assert [event for event, _, _ in trade.messages()] == ["", "CONTRL"]
    adds_up(trade)
