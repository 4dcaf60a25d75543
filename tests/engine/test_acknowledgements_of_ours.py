"""Acknowledgements: what partners say of what they were sent, and what becomes of it, bad or late."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from acknowledging import ACKING, acks, carrier, contrl, functional, note, sent
from caller import Caller, new_key
from replaying import ANNA, NO, adds_up, deploy, replay_one
from test_replay_plans import work_of
from trading import ANSWER_OUT, Trade, orders, purchase

from connectors.base import LATER, Verdict
from hub import replay
from hub.api.application import create_app
from hub.errors import Conflict
from hub.message import Answered
from hub.metrics import render
from hub.pipeline.expiry import expire_interchanges
from hub.replay import Request
from hub.store import dead_letters, interchanges, is_shared
from hub.store.database import Database
from hub.store.search_terms import Filter
from hub.store.tally import Tally


@pytest.fixture
def partners() -> bytes:
    return ACKING


def test_an_acknowledgement_of_ours_is_noted(trade: Trade) -> None:
    trade.bring(orders("101", "A", "B"))
    assert acks(trade) == [(1, ""), (2, "")]
    assert interchanges.awaited(trade.store.reader()) == {"acme": (2, 0, 0)}
    trade.bring(contrl("102", 2, action="8"), contrl("103", 1))
    assert acks(trade) == [(1, "accepted"), (2, "received")]
    assert trade.failures() == []


def test_a_rejection_is_a_dead_letter_in_words(trade: Trade) -> None:
    trade.bring(orders("101", "A"))
    trade.bring(contrl("102", 1, more="UCM+1+ORDRSP:D:96A:UN+4'UCS+3'UCD+12+2:2'"))
    assert acks(trade) == [(1, "rejected")]
    assert interchanges.awaited(trade.store.reader()) == {"acme": (0, 0, 1)}
    assert trade.failures() == [(
        "interchange 102, message 1", "rejected_by_partner",
        "partner 'acme' has rejected our interchange 1: message 1 ORDRSP, segment 3, element 1, component 2: 12 "
        f"(invalid value){carrier(trade)}",
    )]  # fmt: skip


def test_a_rejected_group_is_a_rejection_of_what_went_in_it(trade: Trade) -> None:
    trade.bring(orders("101", "A"))
    trade.bring(contrl("102", 1, more="UCF+1+4012345000009:14+5412345000013:14+4+26+UNG'"))
    assert acks(trade) == [(1, "rejected")]
    assert [detail for _, _, detail in trade.failures()] == [
        f"partner 'acme' has rejected our interchange 1: group 1: 26 (duplicate detected){carrier(trade)}"
    ]


def test_a_997_is_matched_by_its_group_and_told_in_words(trade: Trade) -> None:
    trade.bring(purchase(7, "A"))
    group = trade.rows("SELECT group_number FROM interchanges_sent WHERE type = '855'")[0][0]
    body = f"AK1*PR*{group}~AK2*855*0001~AK3*BAK*2**8~AK4*2**7*AC~AK5*R*5~AK9*R*1*1*0~"
    trade.bring(functional(8, body, 8))
    assert [ack for _, ack in acks(trade)] == ["rejected"]
    assert trade.failures() == [(
        "interchange 000000008, group 8, message 0001", "rejected_by_partner",
        f"partner 'northwind' has rejected our group {group}: 855 0001, segment 2 BAK: 8 (segment has data element "
        "errors); 855 0001, segment 2 BAK, element 2: 7 (invalid code value), seen 'AC'; 855 0001: 5 (one or more "
        f"segments in error){carrier(trade)}",
    )]  # fmt: skip


def test_a_ta1_of_ours_is_noted(trade: Trade) -> None:
    trade.bring(purchase(7, "A"))
    number = trade.rows("SELECT interchange FROM interchanges_sent WHERE type = '855'")[0][0]
    trade.bring(note(f"{number:09}", "R*020"))
    assert [ack for _, ack in acks(trade)] == ["rejected"]
    assert trade.failures()[0][2] == (
        f"partner 'northwind' has rejected our interchange {number}: TA1 020 (invalid test indicator){carrier(trade)}"
    )


def test_what_was_accepted_with_errors_is_told_with_the_number(trade: Trade) -> None:
    trade.bring(orders("101", "A"), purchase(7, "A"))
    [(group,)] = trade.rows("SELECT group_number FROM interchanges_sent WHERE type = '855'")
    trade.bring(contrl("102", 1, more="UCM+1+ORDRSP:D:96A:UN+7'UCS+3'UCD+12+2:2'"))
    trade.bring(functional(8, f"AK1*PR*{group}~AK2*855*0001~AK3*BAK*2**8~AK4*2**7*AC~AK5*E~AK9*E*1*1*1~", 8))
    noted = trade.rows("SELECT type, ack, ack_receipt <> '' FROM interchanges_sent WHERE ack_within IS NOT NULL")
    assert sorted(noted) == [("855", "partial", True), ("ORDRSP", "partial", True)]
    assert trade.failures() == []


def test_what_is_not_acknowledged_in_time_is_a_dead_letter_once(trade: Trade) -> None:
    trade.bring(orders("101", "A", "B"))
    trade.bring(contrl("102", 2))
    trade.clock.at += 86399
    assert expire_interchanges(trade.engine) == 0
    trade.clock.at += 1
    assert (expire_interchanges(trade.engine), expire_interchanges(trade.engine)) == (1, 0)
    [(error_class, detail)] = trade.rows(
        "SELECT failure ->> 'class', failure ->> 'detail' FROM receipts WHERE state = 'dead'"
    )
    [(delivery_id,)] = trade.rows("SELECT delivery_id FROM interchanges_sent WHERE interchange = 1")
    assert error_class == "expired"
    assert detail == (
        f"partner 'acme' has not acknowledged our interchange 1 (ORDRSP) within 1d; its delivery is {delivery_id}"
    )
    [issue] = dead_letters.issues(trade.store.reader(), Filter())
    assert issue.command == f"o2c replay {delivery_id} --delivered send --reason 'not acknowledged'"
    assert issue.failure["hint"] == (
        "ask the partner whether it came; if it did not, replay its delivery; once it is settled: "
        f"o2c resolve {issue.examples[0]} --reason TEXT"
    )
    assert interchanges.awaited(trade.store.reader()) == {"acme": (0, 1, 0)}
    assert dead_letters.count(trade.store.reader()) == 1
    assert acks(trade) == [(1, "expired"), (2, "accepted")]
    assert b'o2c_unacknowledged{partner="acme"} 1.0' in render(trade.engine, Tally({}, {}, {}))
    adds_up(trade)
    trade.bring(contrl("103", 1, action="8"))
    assert (acks(trade)[0], dead_letters.count(trade.store.reader())) == ((1, "expired"), 1)
    trade.bring(contrl("104", 1))
    assert (acks(trade)[0], dead_letters.count(trade.store.reader())) == ((1, "accepted"), 0)
    adds_up(trade)


@pytest.mark.parametrize("version", ["as_run", "current"])
def test_time_runs_from_the_delivery_of_a_replay(make_trade: Callable[..., Trade], version: str) -> None:
    trade = make_trade(ACKING.replace(b"contrl: always", b"contrl: never"))
    trade.target("van").answers.extend([NO, NO])
    trade.bring(orders("101", "A"))
    if version == "current":
        deploy(trade, "mappings/answer-out.yaml", ANSWER_OUT.replace(b"version: 1", b"version: 2"))
    for _ in range(2):
        trade.clock.at += 90000
        planned = replay.plan(trade.engine, Request(filter=Filter(state="dead"), version=version), ANNA)
        replay.start(trade.engine, planned.replay_id, planned.plan_hash, ANNA)
        trade.run()
        trade.wait(1)
    assert len({parcel.body for parcel in trade.target("van").sent}) == 1 < len(trade.target("van").sent)
    assert [row["state"] for row in interchanges.listed(trade.store.reader(), "acme", 10)] == ["sent"]
    assert acks(trade) == [(1, "")]
    trade.clock.at += 86398
    assert expire_interchanges(trade.engine) == 0
    trade.clock.at += 2
    assert expire_interchanges(trade.engine) == 1
    assert acks(trade) == [(1, "expired")]
    adds_up(trade)


def test_what_was_delivered_keeps_its_time_when_it_is_sent_once_more(trade: Trade) -> None:
    trade.bring(orders("101", "A"))
    [before] = trade.rows("SELECT delivery_id FROM interchanges_sent WHERE ack_within IS NOT NULL")
    trade.clock.at += 80000
    replay_one(trade.engine, before[0], ANNA, version="as_run", delivered="send", reason="they lost it")
    trade.run()
    trade.wait(1)
    assert len(sent(trade, "ORDRSP")) == 2
    assert trade.rows("SELECT delivery_id FROM interchanges_sent WHERE ack_within IS NOT NULL") == [before]
    trade.clock.at += 6400
    assert expire_interchanges(trade.engine) == 1


@pytest.mark.parametrize("begin", ["start", "failed_step"])
def test_what_was_not_acknowledged_is_not_taken_for_something_that_came(trade: Trade, begin: str) -> None:
    trade.bring(orders("101", "A"))
    trade.clock.at += 86400
    expire_interchanges(trade.engine)
    [letter] = dead_letters.find(trade.store.reader(), Filter())
    planned = replay.plan(trade.engine, Request(filter=Filter(state="dead"), begin=begin), ANNA)
    assert (planned.plan["replayable"], planned.plan["not_replayable"]) == (0, {"went_out": 1})
    assert planned.plan["warnings"] == [
        "1 cannot be replayed: it holds what went to a partner; replay the delivery that it names, or `o2c resolve` it"
    ]
    with pytest.raises(Conflict, match="it holds what went to a partner"):
        replay_one(trade.engine, letter.id, ANNA, begin=begin)
    assert (dead_letters.count(trade.store.reader()), trade.failures()) == (1, [])


def test_what_was_not_acknowledged_is_sent_again_or_resolved_as_its_dead_letter_says(trade: Trade) -> None:
    trade.bring(orders("101", "A"))
    trade.clock.at += 86400
    expire_interchanges(trade.engine)
    app = create_app(trade.engine)
    operator = Caller(app, new_key(trade.store, "operator"))
    [issue] = operator.get("/api/v1/dead-letters?group_by=issue").json["issues"]
    delivery_id = issue["error"]["delivery_id"]
    assert issue["command"] == f"o2c replay {delivery_id} --delivered send --reason 'not acknowledged'"
    planned = operator.post("/api/v1/replays", issue["replay"]).json
    assert planned["plan"]["replayable"] == 1
    before = len(sent(trade, "ORDRSP"))
    started = operator.post(f"/api/v1/replays/{planned['replay_id']}/start", {"plan_hash": planned["plan_hash"]})
    assert started.status < 300
    trade.run()
    assert len(sent(trade, "ORDRSP")) == before + 1
    named = issue["error"]["hint"].rpartition("o2c resolve ")[2].partition(" ")[0]
    assert operator.post(f"/api/v1/messages/{named}/resolve", {"reason": "sent again"}).status == 200
    assert dead_letters.count(trade.store.reader()) == 0


def test_what_a_partner_rejects_is_corrected_and_sent_again_as_its_dead_letter_says(trade: Trade) -> None:
    trade.bring(orders("101", "A"))
    [(delivery_id,)] = trade.rows("SELECT delivery_id FROM interchanges_sent WHERE interchange = 1")
    trade.bring(contrl("102", 1, action="4"))
    operator = Caller(create_app(trade.engine), new_key(trade.store, "operator"))
    [issue] = operator.get("/api/v1/dead-letters?group_by=issue").json["issues"]
    assert issue["command"] == f"o2c replay {delivery_id} --delivered send --reason 'rejected by the partner'"
    deploy(trade, "mappings/answer-out.yaml", ANSWER_OUT.replace(b'"231"', b'"320"'))
    planned = operator.post("/api/v1/replays", issue["replay"]).json
    operator.post(f"/api/v1/replays/{planned['replay_id']}/start", {"plan_hash": planned["plan_hash"]})
    trade.run()
    assert ["BGM+320" in body for body in sent(trade, "ORDRSP")] == [False, True]
    trade.bring(contrl("103", 1, 3))
    assert operator.post(f"/api/v1/messages/{issue['examples'][0]}/resolve", {"reason": "sent again"}).status == 200
    assert dead_letters.count(trade.store.reader()) == 0
    adds_up(trade)


def test_time_runs_from_delivery(trade: Trade) -> None:
    trade.target("van").answers.extend([Verdict(LATER, code="http_503", status=503)])
    trade.bring(orders("101", "A"))
    trade.clock.at += 90000
    assert expire_interchanges(trade.engine) == 0
    trade.wait(1)
    assert expire_interchanges(trade.engine) == 0
    trade.clock.at += 86400
    assert expire_interchanges(trade.engine) == 1


def test_an_acknowledgement_of_what_was_never_sent_is_a_dead_letter(trade: Trade) -> None:
    trade.bring(contrl("102", 77))
    assert trade.failures() == [(
        "interchange 102, message 1", "acknowledges_nothing",
        "partner 'acme' acknowledges our interchange 77, which was never sent to it",
    )]  # fmt: skip
    adds_up(trade)


_MANY = 2000


def test_what_a_partner_says_is_noted_at_the_same_cost_however_much_was_sent(
    trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = """INSERT INTO interchanges_sent (delivery_id, revision, partner, interchange, group_number, message_number,
      type, content_hash, stamped_at, ack_within, ack, document)
      VALUES (?, 1, 'northwind', ?, ?, ?, '855', '', ?, 60, ?, ?)"""
    rows = [(f"d{n}", n, n, n, float(n), "accepted" if n > 8 else "", f"D{n}") for n in range(1, _MANY)]
    trade.store.write(lambda db: db.executemany(sent, rows))
    _with_deliveries(trade)
    answers = [
        Answered("northwind", "group", 1, "accepted", "r", 1, 1),
        Answered("northwind", "interchange", 2, "accepted", "r", 1, 1),
        Answered("northwind", "document", 3, "accepted", "r", 1, 1, (), 0),
        Answered("northwind", "document", 0, "accepted", "r", 1, 1, (), 4),
    ]
    with work_of(trade, monkeypatch) as work:
        assert trade.store.write(lambda db: interchanges.note_answers(db, answers, 1.0)) == []
        trade.store.write(lambda db: interchanges.overdue(db, 1e9, 100))
        assert trade.store.write(interchanges.unacknowledged) == {"northwind": 4}
        told = trade.store.write(lambda db: interchanges.listed(db, "northwind", 8, 9))
        assert [row["state"] for row in told] == ["unknown", "void", "sent", "waiting", "sent", "sent", "sent", "sent"]
    assert [(count, text) for count, text in work if count > 600] == []
    assert len(work) > 7


def _with_deliveries(trade: Trade) -> None:
    """Each delivered, but for some of the first; each message came by a replay."""
    receipt = """INSERT INTO receipts (seq, receipt_id, source, event, door, state, received_at, size, content_type,
      replay_of) VALUES (?, ?, 'van', '', 'replay', 'split', 1, 1, '', ?)"""
    message = """INSERT INTO messages (seq, position, message_id, place, source, event, route, type, state, main_key,
      received_at, correlation_id, causation_id, traceparent, set_id, fingerprint)
      VALUES (?, 1, ?, '', 'van', '', '', '', 'routed', '', 1, '', '', '', 1, '')"""
    delivery = """INSERT INTO deliveries (delivery_id, message_id, lane_seq, source, route, target, system, lane, state,
      holds_lane, created_at, updated_at, received_at, set_id, doubt, replay_of)
      VALUES (?, ?, ?, 'van', '', 'northwind', 'van', '', ?, 0, 1, 1, 1, 1, ?, ?)"""
    odd = {5: ("queued", 0), 6: ("resolved", 1), 7: ("resolved", 0), 8: ("cancelled", 1)}
    many = range(1, _MANY)
    deliveries = [(f"d{n}", f"m{n}", n, *odd.get(n, ("delivered", 0)), f"o{n}") for n in many]

    def fill(db: Database) -> None:
        db.executemany(receipt, [(n, f"r{n}", f"m{n + _MANY}") for n in many])
        db.executemany(message, [(n, f"m{n}") for n in many])
        db.executemany(delivery, deliveries)
        for table in ("interchanges_sent", "receipts", "messages", "deliveries"):
            if is_shared(trade.store.url):
                db.execute(f"ANALYZE {table}")

    trade.store.write(fill)


def ta1(number: int, of: int, count: int = 0) -> bytes:
    """An interchange of northwind with a TA1 that rejects ours."""
    isa = purchase(number).partition(b"GS*")[0]
    return isa + f"TA1*{of:09}*260921*1413*R*020~IEA*{count}*{number:09}~".encode()


@pytest.mark.parametrize("broken", [ta1(9, 1, count=3), ta1(9, 1)[:-4]])
def test_a_ta1_whose_envelope_is_at_fault_counts_once(trade: Trade, broken: bytes) -> None:
    trade.bring(purchase(7, "A"))
    trade.bring(broken)
    assert [ack for _, ack in acks(trade)] == ["rejected"]
    assert [(place, code) for place, code, _ in trade.failures()][1:] == [
        ("interchange 000000009, TA1", "rejected_by_partner")
    ]
    trade.bring(ta1(9, 1), broken)
    assert [code for _, code, _ in trade.failures()].count("rejected_by_partner") == 1


def test_a_rejection_by_ta1_that_comes_again_is_a_repeat(trade: Trade) -> None:
    trade.bring(purchase(7, "A"))
    trade.bring(ta1(9, 1), ta1(9, 1))
    assert [place for place, _, _ in trade.failures()] == ["interchange 000000009, TA1"]
    assert [event for event, state, _ in trade.messages() if state == "filtered"] == ["repeat"]


def test_acknowledgements_of_many_groups_stand_in_nobodys_place(make_trade: Callable[..., Trade]) -> None:
    trade = make_trade(ACKING.replace(b'"997": always', b'"997": always, "999": always'))
    isa, _, rest = purchase(7, "A").partition(b"GS*")
    group = b"GS*" + rest.partition(b"IEA*")[0]
    groups = [re.sub(rb"\*7(\*X|~)", rb"*%d\1" % n, group.replace(b"*A*", b"*A%d*" % n)) for n in range(1, 5)]
    trade.bring(isa + b"".join(groups) + b"IEA*4*000000007~" + purchase(8, "B"))
    assert trade.rows("SELECT state FROM receipts ORDER BY seq LIMIT 1") == [("split",)]
    assert len(sent(trade, "ST*855")) == 5
