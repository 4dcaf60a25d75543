"""Which receipts a worker takes, of those that wait, on any store."""

from __future__ import annotations

from collections.abc import Sequence

from store_steps import accept, arrival

from hub.store import Store, receipts


def taken(
    store: Store, told: Sequence[int], worker: str = "me", sources: Sequence[str] = (), now: float = 0.0
) -> list[int]:
    rows, _ = store.write(lambda db: receipts.take(db, told, sources, worker, now))
    return sorted(row[1] for row in rows)


def test_whoever_is_told_of_a_receipt_takes_what_waits_longest_of_its_source(store: Store) -> None:
    shop = [a.seq for a in accept(store, *[arrival() for _ in range(5)])]
    bank = [a.seq for a in accept(store, *[arrival(source="bank") for _ in range(2)])]
    store.write(lambda db: receipts.claim(db, shop[:1], "me"))
    assert taken(store, shop[3:4]) == shop[1:]  # all of them: a batch has room for more than it was told of
    assert taken(store, shop[3:4]) == []
    assert taken(store, [], sources=["bank", "nobody"]) == bank


def test_a_batch_takes_what_it_was_told_of_and_no_more_than_it_has_room_for(store: Store) -> None:
    shop = [a.seq for a in accept(store, *[arrival() for _ in range(150)])]
    bank = [a.seq for a in accept(store, *[arrival(source="bank") for _ in range(9)])]
    assert taken(store, [*bank[4:8], *shop[100:]]) == [*shop[:119], *bank]
    assert taken(store, shop[140:], sources=["bank"]) == shop[119:]


def test_a_source_of_which_more_waits_than_a_batch_has_room_for_is_looked_at_again(store: Store) -> None:
    shop = [a.seq for a in accept(store, *[arrival() for _ in range(140)])]
    bank = [a.seq for a in accept(store, arrival(source="bank"))]
    rows, left = store.write(lambda db: receipts.take(db, shop[12:], ["bank"], "me", 0.0))
    assert (sorted(row[1] for row in rows), left) == (shop[:128], ["shop", "bank"])
    assert taken(store, [], sources=left) == [*shop[128:], *bank]


def test_a_source_that_another_has_in_hand_is_left_to_it_while_little_waits(store: Store) -> None:
    shop = [a.seq for a in accept(store, *[arrival(received_at=100.0) for _ in range(4)])]
    store.write(lambda db: receipts.claim(db, shop[:2], "other"))
    assert taken(store, shop[2:], now=100.1) == []
    assert taken(store, shop[2:], "other", now=100.1) == shop[2:]
    store.write(lambda db: receipts.let_go(db, shop, "other"))
    store.write(lambda db: receipts.claim(db, shop[2:], "other"))
    assert taken(store, shop[:1], now=100.1) == shop[:2]  # those before what the other has: it waits for them


def test_what_another_does_not_get_round_to_is_taken(store: Store) -> None:
    late = [a.seq for a in accept(store, *[arrival(received_at=100.0) for _ in range(2)])]
    store.write(lambda db: receipts.claim(db, late[:1], "other"))
    assert store.write(lambda db: receipts.take(db, late[1:], [], "me", 100.1)) == ([], ["shop"])
    assert taken(store, late[1:], now=101.0) == late[1:]
    many = [a.seq for a in accept(store, *[arrival(source="bank", received_at=100.0) for _ in range(140)])]
    store.write(lambda db: receipts.claim(db, many[:1], "other"))
    assert taken(store, many[139:], now=100.1) == many[1:129]
