"""One suite over every store there is: what a store promises, whatever database is behind it."""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import apsw.ext
import pytest
from store_steps import EMBEDDED, accept, arrival, new_id

from hub.errors import StoreBusy, StoreRefused
from hub.keys import Key
from hub.message import RAW, Arrival, Body, Delivery, Finish, Message, lane_seq
from hub.states import DELIVERY_STATES, DELIVERY_TRANSITIONS, DELIVERY_WAITING, MESSAGE_STATES, RECEIPT_STATES
from hub.store import Store, bodies, deliveries, due, is_shared, messages, open_store, payloads, pruning, receipts
from hub.store.commit import Done, Part
from hub.store.database import Database
from hub.store.sqlite import SqliteStore


def split(store: Store, seq: int, receipt_id: str, *lanes: str, order: str = "erp") -> list[str]:
    """A receipt with one message and a delivery per lane; gives the ids of the deliveries."""
    message = Message(receipt_id, seq, 0, "shop", "order", "r", "t", "routed", 1.0)
    made = [
        Delivery(new_id(), receipt_id, lane_seq(seq, 0), "shop", "r", order, order, lane, "queued", 1.0)
        for lane in lanes
    ]

    def job(db: Database) -> None:
        messages.insert(db, [message], [])
        receipts.mark_split(db, [(seq, 1)])
        deliveries.insert(db, made)

    store.write(job)
    return [delivery.delivery_id for delivery in made]


def end(store: Store, delivery_id: str, state: str, **fields: Any) -> set[str]:
    number = tries(store, delivery_id) + 1
    finish = Finish(delivery_id, state, 2.0, 1.0, number, 1, 1, **fields)
    return store.write(lambda db: deliveries.finish(db, [finish], "w"))[0]  # type: ignore[no-any-return]


def claim(store: Store, *delivery_ids: str) -> set[str]:
    seen = {delivery_id: tries(store, delivery_id) for delivery_id in delivery_ids}
    return store.write(lambda db: deliveries.claim(db, seen, "w", 2.0))  # type: ignore[no-any-return]


def tries(store: Store, delivery_id: str) -> int:
    return int(store.reader().execute("SELECT tries FROM deliveries WHERE delivery_id = ?", (delivery_id,)).get)


def test_bytes_come_back_as_they_went_in_whatever_their_size(store: Store) -> None:
    for raw in (b"", b"x", bytes(range(256)) * 10, os.urandom(2_500_000)):
        [accepted] = accept(store, arrival(raw))
        assert payloads.read(store.reader(), accepted.receipt_id, RAW) == raw


def test_large_bodies_are_kept_in_chunks_of_a_megabyte(store: Store) -> None:
    [accepted] = accept(store, arrival(os.urandom(2_500_000)))
    chunks = list(payloads.read_chunks(store.reader(), accepted.receipt_id, RAW))
    assert [len(chunk) for chunk in chunks] == [1_000_000, 1_000_000, 500_000]


def test_a_dedupe_key_counts_per_source_and_within_one_group(store: Store) -> None:
    one, two, other = arrival(dedupe_key="k"), arrival(dedupe_key="k"), arrival(dedupe_key="k", source="pos")
    results = accept(store, one, two, other)
    assert [(r.receipt_id, r.duplicate) for r in results] == [
        (one.receipt_id, False), (one.receipt_id, True), (other.receipt_id, False),
    ]  # fmt: skip
    assert store.reader().execute("SELECT count(*) FROM receipts").get == 2


def test_receipts_are_numbered_in_order_of_arrival_and_numbers_are_never_used_twice(store: Store) -> None:
    first = accept(store, arrival(), arrival())
    store.write(lambda db: db.execute("DELETE FROM receipts"))
    [later] = accept(store, arrival())
    assert later.seq > first[-1].seq


def test_the_last_receipt_from_before_a_time_is_found(store: Store) -> None:
    assert pruning.last_older_than(store.reader(), 99.0) == 0
    accepted = [accept(store, arrival(received_at=float(at), dedupe_key=str(at)))[0].seq for at in range(10, 20)]
    store.write(lambda db: db.execute("DELETE FROM receipts WHERE seq = ?", (accepted[4],)))
    for before, found in (
        (10.0, 0),
        (10.5, accepted[0]),
        (14.0, accepted[3]),
        (16.0, accepted[5]),
        (99.0, accepted[9]),
    ):
        assert pruning.last_older_than(store.reader(), before) == found
    ids = [key for _, key, _ in pruning.old_dedupe(store.reader(), ("", ""), 12.5, 100)]
    assert ids == ["10", "11", "12"]
    assert pruning.old_dedupe(store.reader(), ("", ""), 10.0, 100) == []


def test_a_claim_takes_the_head_of_a_lane_only(store: Store) -> None:
    [a, b] = accept(store, arrival(), arrival())
    [first] = split(store, a.seq, a.receipt_id, "k")
    [second] = split(store, b.seq, b.receipt_id, "k")
    assert claim(store, first, second) == {first}
    assert end(store, first, "delivered") == {"erp"}
    assert claim(store, first, second) == {second}


def test_a_claim_waits_for_earlier_receipts_of_the_source_that_are_not_read_yet(store: Store) -> None:
    [a, b] = accept(store, arrival(), arrival())
    [second] = split(store, b.seq, b.receipt_id, "k2")
    assert claim(store, second) == set()
    split(store, a.seq, a.receipt_id, "k1")
    assert claim(store, second) == {second}


def test_what_is_unread_between_two_receipts_is_told_by_source_without_ones_own(store: Store) -> None:
    shop = [a.seq for a in accept(store, *[arrival() for _ in range(4)])]
    bank = [a.seq for a in accept(store, *[arrival(source="bank") for _ in range(3)])]
    store.write(lambda db: receipts.claim(db, shop[1:2], "me"))
    store.write(lambda db: receipts.claim(db, bank[1:2], "other"))
    store.write(lambda db: receipts.mark_split(db, [(bank[0], 0)]))

    def unread(**between: tuple[int, int]) -> list[str]:
        return sorted(receipts.unread_between(store.reader(), between, "me"))

    assert unread(shop=(0, shop[1]), bank=(0, bank[2])) == ["bank", "shop"]
    assert unread(shop=(shop[0], shop[2]), bank=(0, bank[1])) == []
    assert unread(shop=(shop[1], shop[3])) == ["shop"]


def test_keys_that_a_database_takes_for_the_same_are_no_fault_of_a_document(store: Store) -> None:
    [a] = accept(store, arrival())
    keys = [Key("order", "", "1"), Key("batch", "", "2\0"), Key("batch", "", "2\u2400"), Key("batch", "\0", "2")]
    message = Message(a.receipt_id, a.seq, 0, "shop", "order", "r", "t", "routed", 1.0, keys=keys)
    store.write(lambda db: messages.insert(db, [message]))
    same = 1 if is_shared(store.url) else 0
    for table, count in (("keys", 4), ("edges", 3)):
        assert store.reader().execute(f"SELECT count(*) FROM {table}").get == count - same


def test_what_is_noted_as_read_hides_nothing_that_is_still_open(store: Store) -> None:
    shop = accept(store, *[arrival() for _ in range(4)])
    bank = accept(store, *[arrival(source="bank") for _ in range(2)])
    split(store, shop[0].seq, shop[0].receipt_id, "k0")
    [third] = split(store, shop[2].seq, shop[2].receipt_id, "k2")
    split(store, bank[0].seq, bank[0].receipt_id, "b0")

    def note() -> list[tuple[str, int]]:
        firsts = receipts.read_to(store.reader())
        store.write(lambda db: receipts.note_read(db, firsts))
        return firsts

    for _ in range(2):
        assert note() == [("bank", bank[1].seq), ("shop", shop[1].seq)]
        assert receipts.open_count(store.reader()) == 3
        assert receipts.waiting(store.reader(), 9.0, 5) == [shop[1].seq, shop[3].seq, bank[1].seq]
        assert receipts.unread_between(store.reader(), {"shop": (0, shop[2].seq)}, "me") == ["shop"]
        assert claim(store, third) == set()
    split(store, shop[1].seq, shop[1].receipt_id, "k1")
    split(store, bank[1].seq, bank[1].receipt_id, "b1")
    assert note() == [("shop", shop[3].seq)]
    assert receipts.unread_between(store.reader(), {"shop": (0, shop[2].seq)}, "me") == []
    assert claim(store, third) == {third}
    [late] = accept(store, arrival(source="bank"))
    assert receipts.open_count(store.reader()) == 2
    assert receipts.waiting(store.reader(), 9.0, 5) == [shop[3].seq, late.seq]


def test_what_was_lost_is_told_again_by_source_from_the_first_on(store: Store) -> None:
    shop = [a.seq for a in accept(store, *(arrival() for _ in range(4)))]
    bank = [a.seq for a in accept(store, *(arrival(source="bank") for _ in range(2)))]
    store.write(lambda db: receipts.claim(db, shop[:1], "w"))
    found = receipts.waiting(store.reader(), 9.0, 2)
    assert found == [*shop[1:3], *bank]
    store.write(lambda db: receipts.mark_enqueued(db, found, 10.0))
    assert receipts.waiting(store.reader(), 9.0, 2) == []
    assert receipts.waiting(store.reader(), 11.0, 9) == [*shop[1:], *bank]


def test_without_a_lane_nothing_waits_for_anything(store: Store) -> None:
    [_, b] = accept(store, arrival(), arrival())
    ids = split(store, b.seq, b.receipt_id, "", "")
    assert claim(store, *ids) == set(ids)


@pytest.mark.parametrize("state", ["retrying", "unknown", "held"])
def test_retrying_unknown_and_held_deliveries_keep_their_lane(store: Store, state: str) -> None:
    [a, b] = accept(store, arrival(), arrival())
    [first] = split(store, a.seq, a.receipt_id, "k")
    [second] = split(store, b.seq, b.receipt_id, "k")
    claim(store, first)
    end(store, first, state, due_at=99.0 if state != "held" else None, failure={"class": "x"})
    assert claim(store, second) == set()


def test_what_was_overtaken_in_its_lane_takes_no_room_of_what_may_go(store: Store) -> None:
    [a, b, c] = accept(store, arrival(), arrival(), arrival())
    split(store, b.seq, b.receipt_id, "k")
    split(store, c.seq, c.receipt_id, "k")
    store.write(lambda db: db.execute("UPDATE deliveries SET due_at = 0.5 WHERE due_at IS NOT NULL"))
    [first] = split(store, a.seq, a.receipt_id, "k")
    assert [d.delivery_id for d in due.due(store.reader(), "erp", "r", 2.0, 1)] == [first]


def test_a_head_of_a_lane_that_nobody_made_due_is_found_and_made_due(store: Store) -> None:
    [a, b] = accept(store, arrival(), arrival())
    first, third = split(store, a.seq, a.receipt_id, "k", "other")
    [second] = split(store, b.seq, b.receipt_id, "k")
    assert deliveries.left_heads(store.reader()) == []
    unset = "UPDATE deliveries SET due_at = NULL WHERE delivery_id = ?"
    store.write(lambda db: db.execute(unset, (first,)))
    assert deliveries.left_heads(store.reader()) == [first]
    assert store.write(lambda db: deliveries.repair_heads(db, [first, second, third], 5.0)) == {"erp"}
    due_at = "SELECT due_at FROM deliveries WHERE delivery_id = ?"
    assert [store.reader().execute(due_at, (one,)).get for one in (first, second)] == [5.0, None]
    assert deliveries.left_heads(store.reader()) == []


def test_two_systems_do_not_share_a_lane(store: Store) -> None:
    [a, b] = accept(store, arrival(), arrival())
    [first] = split(store, a.seq, a.receipt_id, "k", order="erp")
    [second] = split(store, b.seq, b.receipt_id, "k", order="wms")
    assert claim(store, first, second) == {first, second}


def test_final_states_are_never_overwritten_and_the_database_itself_refuses(store: Store) -> None:
    for before in DELIVERY_STATES:
        if before in DELIVERY_WAITING:
            continue
        for after in DELIVERY_STATES:
            [a] = accept(store, arrival())
            [one] = split(store, a.seq, a.receipt_id, "")
            force(store, one, before)
            if after != before and after not in DELIVERY_TRANSITIONS[before]:
                with pytest.raises(StoreRefused, match=r"final state|CHECK"):
                    force(store, one, after)


def force(store: Store, delivery_id: str, state: str) -> None:
    store.write(
        lambda db: db.execute(
            "UPDATE deliveries SET state = ?, due_at = NULL, claimed_by = 'w', failure = '{}' WHERE delivery_id = ?",
            (state, delivery_id),
        )
    )


@pytest.mark.parametrize(
    ("table", "states"), [("receipts", RECEIPT_STATES), ("messages", MESSAGE_STATES), ("deliveries", DELIVERY_STATES)]
)
def test_the_database_knows_exactly_the_states_of_the_hub(store: Store, table: str, states: tuple[str, ...]) -> None:
    assert sorted(re.findall(r"state = '(\w+)'", check_of_state(store, table))) == sorted(states)


def check_of_state(store: Store, table: str) -> str:
    if is_shared(store.url):
        sql = """SELECT pg_get_constraintdef(c.oid) FROM pg_constraint c
          WHERE c.conname = ? AND c.conrelid = CAST(? AS regclass)"""
        return str(store.reader().execute(sql, (f"{table}_state_check", table)).get)
    sql = store.reader().execute("SELECT sql FROM sqlite_schema WHERE name = ?", (table,)).get
    check = re.search(r"\sstate\s+TEXT NOT NULL CHECK \((.*?)\),\n", sql, re.DOTALL)
    assert check is not None
    return check[1]


def test_attempts_are_append_only(store: Store) -> None:
    [a] = accept(store, arrival())
    [one] = split(store, a.seq, a.receipt_id, "")
    claim(store, one)
    end(store, one, "delivered")
    with pytest.raises(StoreRefused, match="append-only"):
        store.write(lambda db: db.execute("UPDATE attempts SET status = 1"))


def test_ending_a_delivery_twice_records_it_once(store: Store) -> None:
    [a] = accept(store, arrival())
    [one] = split(store, a.seq, a.receipt_id, "")
    claim(store, one)
    end(store, one, "delivered")
    end(store, one, "dead", failure={"class": "x"})
    assert store.reader().execute("SELECT state FROM deliveries").get == "delivered"
    assert store.reader().execute("SELECT count(*) FROM attempts").get == 1


def test_the_bytes_of_a_first_attempt_are_stored_with_its_claim(store: Store) -> None:
    [a] = accept(store, arrival())
    message = Message(a.receipt_id, a.seq, 0, "shop", "order", "r", "t", "routed", 1.0)
    one = Delivery(new_id(), a.receipt_id, lane_seq(a.seq, 0), "shop", "r", "erp", "erp", "k", "queued", 1.0)
    rows = bodies.rows_of([(one, Body(b"sent", "text/plain"))], 1.0)

    def job(db: Database) -> set[str]:
        messages.insert(db, [message], [])
        receipts.mark_split(db, [(a.seq, 1)])
        claimed = deliveries.insert(db, [one], "w")
        bodies.store(db, rows, claimed, 1)
        return claimed

    assert store.write(job) == {one.delivery_id}
    assert bodies.read(store.reader(), one.delivery_id, 1) == Body(b"sent", "text/plain")


def test_a_reader_beside_a_running_hub_needs_no_lock(store: Store, url: str, tmp_path: Path) -> None:
    accept(store, arrival())
    beside = open_store(url, tmp_path, read_only=True)
    assert beside.reader().execute("SELECT count(*) FROM receipts").get == 1
    beside.close()


KILLED = """
import sys, threading
from pathlib import Path
from hub.store import open_store
sys.path.insert(0, sys.argv[2])
from store_steps import accept, arrival
store = open_store(sys.argv[3], Path(sys.argv[1]))
while True:
    for accepted in accept(store, arrival(b"x" * 3000), arrival(b"y" * 3000)):
        print(accepted.receipt_id, flush=True)
"""


def test_what_was_acknowledged_before_a_kill_is_there_after_it(url: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path), str(Path(__file__).parent), url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        acknowledged = [process.stdout.readline().strip() for _ in range(500)]
        process.send_signal(signal.SIGKILL)
        acknowledged += [
            line.strip() for line in process.stdout.read().splitlines(keepends=True) if line.endswith("\n")
        ]
    store = open_store(url, tmp_path)
    stored = {row[0] for row in store.reader().execute("SELECT receipt_id FROM receipts")}
    assert set(acknowledged) <= stored
    store.close()


def test_an_edge_names_its_keys_as_messages_do(store: Store) -> None:
    [a] = accept(store, arrival())
    main, other = Key("invoice", "urn:seller", "R-1"), Key("order", "urn:buyer", "4711")
    message = Message(
        a.receipt_id, a.seq, 0, "shop", "", "r", "t", "routed", 1.0, main_key=main.text,
        keys=[("invoice", "urn:seller", "R-1"), ("order", "urn:buyer", "4711")],
    )  # fmt: skip
    store.write(lambda db: messages.insert(db, [message], []))
    assert store.reader().execute("SELECT from_key, to_key FROM edges").fetchall() == [(main.text, other.text)]
