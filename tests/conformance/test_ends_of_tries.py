"""An end is of one try: told late or twice it changes nothing of a later one, whatever database is behind it."""

from __future__ import annotations

from typing import Any

import pytest
from store_steps import accept, arrival
from test_stores import claim, end, split

from hub.message import Finish
from hub.store import Store, deliveries, due

DOUBT = {"class": "remote_error"}


def ended(store: Store, delivery_id: str, number: int, state: str, **fields: Any) -> None:
    finish = Finish(delivery_id, state, 3.0, 1.0, number, 1, 1, **fields)
    store.write(lambda db: deliveries.finish(db, [finish], "w"))


def row(store: Store, columns: str = "state") -> Any:
    return store.reader().execute(f"SELECT {columns} FROM deliveries").get


@pytest.fixture
def one(store: Store) -> str:
    """A delivery on its way."""
    [came] = accept(store, arrival())
    [delivery] = split(store, came.seq, came.receipt_id, "k")
    assert claim(store, delivery) == {delivery}
    return delivery


@pytest.mark.parametrize("state", ["retrying", "unknown", "held", "delivered", "dead", "skipped"])
def test_an_end_of_an_earlier_try_does_not_touch_the_one_on_its_way(store: Store, one: str, state: str) -> None:
    end(store, one, "retrying", due_at=2.0, failure=DOUBT)
    assert claim(store, one) == {one}
    ended(store, one, 1, state, failure=DOUBT, due_at=9.0 if state in ("retrying", "unknown") else None)
    assert row(store, "state, tries, claimed_by") == ("delivering", 1, "w")
    ended(store, one, 2, "delivered")
    assert row(store, "state, tries, attempts") == ("delivered", 2, 2)


@pytest.mark.parametrize("waits", ["retrying", "unknown", "held", "queued"])
@pytest.mark.parametrize(("state", "doubtful"), [("delivered", waited) for waited in (True, False)] + [("dead", True)])
def test_what_is_certain_of_a_try_ends_the_doubt_about_it(
    store: Store, one: str, waits: str, state: str, doubtful: bool
) -> None:
    stored = "held" if waits == "queued" else waits
    end(store, one, stored, due_at=None if stored == "held" else 9.0, failure=DOUBT, doubt=doubtful)
    if waits == "queued":
        store.write(lambda db: deliveries.move(db, one, "queued", 4.0))
    ended(store, one, 1, state, failure=DOUBT if state == "dead" else None)
    is_settled = state == "delivered" or waits in ("unknown", "held")
    assert row(store, "state, attempts") == (state if is_settled else waits, 1)
    assert row(store, "due_at IS NULL") == (is_settled or waits == "held")


def test_a_refusal_of_an_earlier_try_says_nothing_of_the_one_in_doubt(store: Store, one: str) -> None:
    end(store, one, "retrying", due_at=2.0, failure=DOUBT, doubt=True)
    claim(store, one)
    end(store, one, "held", failure=DOUBT, doubt=True)
    ended(store, one, 1, "dead", failure=DOUBT)
    assert row(store) == "held"
    ended(store, one, 2, "dead", failure=DOUBT)
    assert row(store) == "dead"


def test_bytes_that_were_changed_since_are_not_delivered_by_those_before(store: Store, one: str) -> None:
    end(store, one, "retrying", due_at=9.0, failure=DOUBT)
    store.write(lambda db: db.execute("UPDATE deliveries SET revision = 2"))
    ended(store, one, 1, "delivered")
    assert row(store) == "retrying"


def test_what_somebody_has_tried_since_it_was_looked_at_is_not_taken(store: Store, one: str) -> None:
    end(store, one, "retrying", due_at=2.0, failure=DOUBT)
    assert store.write(lambda db: deliveries.claim(db, {one: 0}, "slow", 5.0)) == set()
    assert store.write(lambda db: deliveries.claim(db, {one: 1}, "w", 5.0)) == {one}
    end(store, one, "unknown", due_at=2.0, failure=DOUBT, doubt=True)
    assert not store.write(lambda db: deliveries.settle_unknown(db, one, 1, "slow", 5.0))
    assert store.write(lambda db: deliveries.settle_unknown(db, one, 2, "w", 5.0))


def test_what_was_taken_to_be_looked_up_and_was_not_is_due_again(store: Store, one: str) -> None:
    end(store, one, "unknown", due_at=2.0, failure=DOUBT, doubt=True)
    store.write(lambda db: deliveries.settle_unknown(db, one, 1, "w", 5.0))
    for tries, worker in ((1, "another"), (0, "w")):
        store.write(lambda db, tries=tries, worker=worker: due.look_again(db, {one: tries}, worker))
        assert row(store, "due_at, claimed_by") == (None, "w")
    store.write(lambda db: due.look_again(db, {one: 1}, "w"))
    assert row(store, "due_at, claimed_by") == (2.0, None)
