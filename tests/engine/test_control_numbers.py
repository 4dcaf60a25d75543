"""Control numbers: given with the bytes that hold them, in one transaction; none twice and none left out."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from acknowledging import contrl
from caller import Caller, new_key
from replaying import ANNA, NO, adds_up, deploy, replay_one
from trading import ANSWER_OUT, FILES, PARTNERS, Trade, orders, purchase

from connectors.base import DOUBT, LATER, Verdict
from hub import replay
from hub.api.application import create_app
from hub.errors import StoreFull
from hub.metrics import render
from hub.replay import Request, steps
from hub.store import database, interchanges, payloads
from hub.store.search_terms import Filter
from hub.store.tally import Tally

BUSY = Verdict(LATER, code="http_503", status=503)


def numbers(trade: Trade) -> list[int]:
    """The interchange control numbers of what was sent, in order."""
    return [
        int(found[1]) for parcel in trade.target("van").sent if (found := re.search(rb"UNZ\+1\+(\d+)", parcel.body))
    ]


def states(trade: Trade) -> list[tuple[int, str]]:
    return [(row["interchange"], row["state"]) for row in interchanges.listed(trade.store.reader(), "acme", 100)]


def replayed(trade: Trade, **request: Any) -> None:
    planned = replay.plan(trade.engine, Request(filter=Filter(state="dead"), **request), ANNA)
    replay.start(trade.engine, planned.replay_id, planned.plan_hash, ANNA)
    trade.run()


def test_numbers_count_up_by_partner(trade: Trade) -> None:
    trade.bring(orders("1", "A", "B"), purchase(2, "C"), orders("3", "D"))
    assert numbers(trade) == [1, 2, 3]
    assert interchanges.last_numbers(trade.store.reader()) == {
        "acme": {"interchange": 3, "message": 3}, "northwind": {"interchange": 1, "group": 1, "message": 1},
    }  # fmt: skip


def test_a_retry_sends_the_same_bytes(trade: Trade) -> None:
    trade.target("van").answers.extend([BUSY, BUSY])
    trade.bring(orders("1", "A"))
    trade.wait(10)
    trade.wait(20)
    bodies = [parcel.body for parcel in trade.target("van").sent]
    assert len(bodies) == 3
    assert len(set(bodies)) == 1
    assert states(trade) == [(1, "sent")]


def test_a_crash_sends_the_same_bytes_again_and_takes_no_other_number(trade: Trade) -> None:
    trade.target("van").silent = True
    trade.bring(orders("1", "A"))
    first = trade.target("van").sent[0].body
    trade.crash("w2")
    trade.engine.store.write(lambda db: db.execute("UPDATE deliveries SET state = 'retrying', claimed_by = NULL, "
                                                   "due_at = 1 WHERE state = 'delivering'"))  # fmt: skip
    trade.wait(1)
    assert trade.target("van").sent[-1].body == first
    trade.bring(orders("2", "B"))
    assert numbers(trade)[-1] == 2


def test_a_transaction_that_fails_has_used_no_number(trade: Trade, monkeypatch: pytest.MonkeyPatch) -> None:
    real, failed = payloads.insert_rows, list[int]()

    def insert_rows(db: database.Database, rows: list[tuple[object, ...]]) -> None:
        found = list(rows)
        real(db, found)
        if any(row[1] == "sent" for row in found) and len(failed) < 2:
            failed.append(1)
            raise StoreFull("once")

    monkeypatch.setattr(payloads, "insert_rows", insert_rows)
    trade.bring(orders("1", "A"))
    for _ in range(3):
        trade.engine.catch_up()
        trade.run()
    assert failed == [1, 1]
    assert numbers(trade) == [1]
    trade.bring(orders("2", "B"))
    assert numbers(trade) == [1, 2]


def test_deliveries_that_wait_for_room_get_their_numbers_when_they_go(trade: Trade) -> None:
    trade.target("van").silent = True
    trade.bring(*[orders(str(n), f"N{n}") for n in range(1, 1200)])
    assert len(trade.rows("SELECT 1 FROM interchanges_sent")) == len(trade.target("van").sent) < 1199
    trade.target("van").silent = False
    trade.crash("w2")
    trade.store.write(lambda db: db.execute("UPDATE deliveries SET state = 'retrying', claimed_by = NULL, due_at = 1 "
                                            "WHERE state = 'delivering'"))  # fmt: skip
    for _ in range(10):
        trade.wait(1)
    assert set(numbers(trade)) == set(range(1, 1200))
    rows = trade.rows("SELECT interchange FROM interchanges_sent ORDER BY interchange")
    assert rows == [(n,) for n in range(1, 1200)]


def test_a_replay_of_the_same_content_sends_the_same_bytes(trade: Trade) -> None:
    trade.target("van").answers.append(NO)
    trade.bring(orders("1", "A"))
    assert states(trade) == [(1, "void")]
    replayed(trade, version="as_run")
    first, second = (parcel.body for parcel in trade.target("van").sent)
    assert first == second
    assert states(trade) == [(1, "sent")] or states(trade) == [(1, "replayed")]
    adds_up(trade)


def test_a_replay_with_the_set_in_force_keeps_the_number_unless_the_content_changed(trade: Trade) -> None:
    trade.target("van").answers.extend([NO, NO])
    trade.bring(orders("1", "A"))
    trade.clock.at += 86400
    replayed(trade, version="current")
    first, second = (parcel.body for parcel in trade.target("van").sent)
    assert first == second
    deploy(trade, "mappings/answer-out.yaml", ANSWER_OUT.replace(b"'R-'", b"'S-'"))
    replayed(trade, version="current")
    assert numbers(trade) == [1, 1, 2]


@pytest.fixture
def awaiting(make_trade: Callable[..., Trade]) -> Trade:
    """One whose partner acme is to acknowledge within a day."""
    return make_trade(PARTNERS.replace(b"  directory: D96A\n", b"  directory: D96A\n  ack: {within: 24h}\n"))


def awaited(trade: Trade) -> tuple[int, int]:
    """How many numbers of acme wait for an acknowledgement, and how many of them are over after a day."""
    db = trade.store.reader()
    told = interchanges.unacknowledged(db).get("acme", 0)
    assert interchanges.awaited(db).get("acme", (0, 0, 0))[0] == told
    assert (f'o2c_unacknowledged{{partner="acme"}} {told}.0'.encode() in render(trade.engine, Tally({}, {}, {}))) == (
        told > 0
    )
    return told, len(interchanges.overdue(db, trade.clock.epoch() + 86400, 100))


def test_a_number_whose_content_a_replay_has_changed_is_void_and_not_awaited(awaiting: Trade) -> None:
    trade = awaiting
    trade.target("van").answers.extend([NO, BUSY])
    trade.bring(orders("1", "A"))
    assert (states(trade), awaited(trade)) == ([(1, "void")], (0, 0))
    deploy(trade, "mappings/answer-out.yaml", ANSWER_OUT.replace(b"'R-'", b"'S-'"))
    replayed(trade, version="current")
    assert (states(trade), awaited(trade)) == ([(2, "waiting"), (1, "void")], (1, 0))
    trade.wait(10)
    assert (states(trade), awaited(trade)) == ([(2, "sent"), (1, "void")], (1, 1))


def test_a_number_whose_delivery_is_replayed_but_not_sent_again_yet_is_told_so(awaiting: Trade) -> None:
    trade = awaiting
    trade.target("van").answers.append(NO)
    trade.bring(orders("1", "A"))
    steps.stop_system(trade.engine, "van", ANNA, "away")
    deploy(trade, "mappings/answer-out.yaml", ANSWER_OUT.replace(b"version: 1", b"version: 2"))
    replayed(trade, version="current")
    assert (states(trade), awaited(trade)) == ([(1, "replayed")], (1, 0))
    steps.switch_on(trade.engine, "system", "van", ANNA, "back")
    trade.run()
    assert (states(trade), awaited(trade)) == ([(1, "sent")], (1, 1))


def test_a_number_whose_message_is_replayed_from_the_start_is_void(awaiting: Trade) -> None:
    trade = awaiting
    trade.target("van").answers.append(NO)
    trade.bring(orders("1", "A"))
    [(id,)] = trade.rows("SELECT message_id FROM deliveries WHERE target = 'acme'")
    replay_one(trade.engine, id, ANNA, begin="start", delivered="send", reason="the door was shut")
    trade.run()
    assert (states(trade), awaited(trade)) == ([(2, "sent"), (1, "void")], (1, 1))


@pytest.mark.parametrize(
    ("answer", "step", "told", "counts"),
    [
        (Verdict(DOUBT, code="timeout"), steps.resolve, "sent", (1, 1)),  # who looked says it is there
        (Verdict(DOUBT, code="timeout"), steps.cancel, "unknown", (0, 0)),
        (NO, steps.resolve, "void", (0, 0)),  # it was done by other means than this interchange
        (NO, steps.cancel, "void", (0, 0)),
    ],
)
def test_a_number_that_a_person_settles_is_sent_where_it_may_have_arrived(
    awaiting: Trade, answer: Verdict, step: Callable[..., str], told: str, counts: tuple[int, int]
) -> None:
    trade = awaiting
    trade.target("van").answers.extend([answer] * 3)
    trade.bring(orders("1", "A"))
    for _ in range(3):
        trade.wait(100)
    [(delivery,)] = trade.rows("SELECT delivery_id FROM deliveries WHERE target = 'acme' AND state = 'dead'")
    step(trade.engine, delivery, ANNA, "looked, and settled it")
    assert (states(trade), awaited(trade)) == ([(1, told)], counts)


def test_a_number_in_doubt_that_a_replay_has_put_aside_is_not_told_as_sent(awaiting: Trade) -> None:
    trade = awaiting
    trade.target("van").answers.extend([Verdict(DOUBT, code="timeout")] * 3)
    trade.bring(orders("1", "A"))
    for _ in range(3):
        trade.wait(100)
    assert (states(trade), awaited(trade)) == ([(1, "unknown")], (1, 0))
    [(id,)] = trade.rows("SELECT message_id FROM deliveries WHERE target = 'acme'")
    replay_one(trade.engine, id, ANNA, begin="start", delivered="send", reason="they say it is not there")
    trade.run()
    assert (states(trade), awaited(trade)) == ([(2, "sent"), (1, "unknown")], (1, 1))


def test_a_number_that_the_partner_acknowledges_was_sent_whatever_its_door_said(awaiting: Trade) -> None:
    trade = awaiting
    trade.target("van").answers.append(NO)
    trade.bring(orders("1", "A"))
    trade.bring(contrl("2", 1))
    assert (states(trade), awaited(trade)) == ([(1, "sent")], (0, 0))


def test_a_number_never_sent_is_told_as_void(trade: Trade) -> None:
    trade.target("van").answers.extend([Verdict(LATER, code="connect", detail="no connection")] * 3)
    trade.bring(orders("1", "A"))
    assert states(trade) == [(1, "waiting")]
    [(delivery,)] = trade.rows("SELECT delivery_id FROM deliveries WHERE target = 'acme'")
    steps.cancel(trade.engine, delivery, ANNA, "not wanted any more")
    assert states(trade) == [(1, "void")]


def test_a_number_that_may_have_arrived_is_not_void(trade: Trade) -> None:
    trade.target("van").answers.extend([Verdict(DOUBT, code="timeout")] * 3)
    trade.bring(orders("1", "A"))
    for _ in range(3):
        trade.wait(100)
    assert trade.rows("SELECT state FROM deliveries WHERE target = 'acme'") == [("dead",)]
    assert states(trade) == [(1, "unknown")]


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)  # an embedded store has one hub process
def test_several_workers_take_no_number_twice_and_leave_none_out(trade: Trade, tmp_path: Path, store_url: str) -> None:
    worlds = [trade, *(Trade(tmp_path, FILES, url=store_url, worker=f"w{n}") for n in (2, 3))]
    stop: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for n in range(40):
                worlds[number].bring(orders(f"{number}x{n}", f"N{number}x{n}", f"M{number}x{n}"))
        except BaseException as error:
            stop.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for world in worlds:
        world.wait(1)
    assert stop == []
    sent = sorted(number for world in worlds for number in numbers(world))
    for world in worlds[1:]:
        world.close()
    assert sent == list(range(1, 241))


def test_the_api_tells_partners_and_their_numbers(trade: Trade) -> None:
    trade.target("van").answers.extend([NO])
    trade.bring(orders("1", "A", "B"))
    viewer = Caller(create_app(trade.engine), new_key(trade.store, "viewer"))
    listed = {row["name"]: row for row in viewer.get("/api/v1/partners").json["items"]}
    assert listed["acme"]["last"] == {"interchange": 2, "message": 2}
    assert (listed["northwind"]["last"], listed["northwind"]["them"]) == ({}, "NORTHWIND:ZZ")
    rows = viewer.get("/api/v1/partners/acme/interchanges?limit=5").json["items"]
    assert [(row["interchange"], row["type"], row["state"]) for row in rows] == [
        (2, "ORDRSP", "sent"), (1, "ORDRSP", "void"),
    ]  # fmt: skip
    assert viewer.get("/api/v1/partners/acme/interchanges?below=2").json["items"] == rows[1:]
    assert viewer.get("/api/v1/partners/nobody/interchanges").code == "not_found"


def test_old_numbers_are_forgotten_and_counting_goes_on(trade: Trade) -> None:
    trade.bring(orders("1", "A"))
    old = trade.clock.epoch() + 1
    trade.clock.at += 86400
    trade.bring(orders("2", "B"))
    assert trade.store.write(lambda db: interchanges.prune(db, old)) == 3  # ours, theirs, and its document
    assert trade.rows("SELECT number FROM interchanges_received WHERE number NOT LIKE 'document %'") == [("2",)]
    assert states(trade) == [(2, "sent")]
    trade.bring(orders("1", "C"))
    assert numbers(trade) == [1, 2, 3]
