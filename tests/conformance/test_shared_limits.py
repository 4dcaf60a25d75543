"""Circuits, pauses, shares and effects as rows, over every store there is."""

from __future__ import annotations

from functools import partial

from store_steps import accept, arrival
from test_stores import split

from hub.message import Finish
from hub.store import Store, circuits, deliveries, due, effects, is_shared, limits
from hub.store.circuits import HALF_OPEN, OPEN, Circuit, Pause
from hub.store.database import now_of
from hub.store.limits import Adjustment, Share


def opened(store: Store) -> Circuit | None:
    return circuits.open_now(store.reader()).get("erp")


def test_a_circuit_is_opened_once_probed_by_one_and_closed_by_the_probe(store: Store) -> None:
    for reason in ("first", "second"):
        store.write(partial(circuits.open_circuit, system="erp", circuit=Circuit(OPEN, 1.0, reason, "hub", 2.0)))
    assert opened(store) == Circuit(OPEN, 1.0, "first", "hub", 2.0)
    took = [
        store.write(partial(circuits.take_probe, system="erp", worker=worker, now=at, until=at + 90))
        for worker, at in (("a", 1.5), ("a", 2.0), ("b", 2.0), ("b", 50.0))
    ]
    assert took == [False, True, False, False]
    assert opened(store) == Circuit(HALF_OPEN, 1.0, "first", "hub", 92.0, "a")
    store.write(partial(circuits.end_probe, system="erp", worker="b", probe_at=1.0, reason="not mine"))
    store.write(partial(circuits.end_probe, system="erp", worker="a", probe_at=4.0, reason="failed"))
    assert opened(store) == Circuit(OPEN, 1.0, "failed", "hub", 4.0, "", 1)
    store.write(partial(circuits.take_probe, system="erp", worker="b", now=4.0, until=94.0))
    store.write(partial(circuits.end_probe, system="erp", worker="b", probe_at=5.0, reason=None))
    assert opened(store) == Circuit(OPEN, 1.0, "failed", "hub", 5.0, "", 1)
    store.write(partial(circuits.take_probe, system="erp", worker="b", now=5.0, until=95.0))
    store.write(partial(circuits.close_after_probe, system="erp", worker="a"))
    assert opened(store) is not None
    store.write(partial(circuits.close_after_probe, system="erp", worker="b"))
    assert opened(store) is None


def test_what_a_person_opens_stays_open(store: Store) -> None:
    store.write(partial(circuits.force_open, system="erp", reason="night", actor="me", now=1.0))
    assert not store.write(partial(circuits.take_probe, system="erp", worker="a", now=9e9, until=9e9))
    assert store.write(partial(circuits.hurry_probe, system="erp", now=5.0))
    assert store.write(partial(circuits.take_probe, system="erp", worker="a", now=5.0, until=95.0))
    assert not store.write(partial(circuits.hurry_probe, system="erp", now=6.0))
    store.write(partial(circuits.free_probes, worker="b", at=7.0))
    found = opened(store)
    assert found is not None
    assert (found.state, found.probe_at) == (OPEN, 7.0)
    assert [store.write(partial(circuits.close, system="erp")) for _ in range(2)] == [True, False]


def test_the_longer_of_two_pauses_counts(store: Store) -> None:
    for until in (5.0, 9.0, 7.0):
        store.write(partial(circuits.pause, system="erp", pause=Pause(until, 1.0, f"until {until:g}")))
    assert circuits.pauses(store.reader()) == {"erp": Pause(9.0, 1.0, "until 9")}


def test_limits_are_adjusted_and_reset(store: Store) -> None:
    for change in (Adjustment(2.5, 3, "a", 1.0, "me"), Adjustment(None, 4, "b", 2.0, "you")):
        store.write(partial(limits.adjust, system="erp", change=change))
    assert limits.adjusted(store.reader()) == {"erp": change}
    assert [store.write(partial(limits.reset, system="erp")) for _ in range(2)] == [True, False]


def test_workers_share_what_they_hold_leases_of_until_these_end(store: Store) -> None:
    def keep(worker: str, now: float, *systems: str) -> dict[str, Share]:
        store.write(partial(limits.keep_shares, worker=worker, systems=systems, now=now, lease_seconds=15.0))
        return limits.shares(store.reader(), worker, now)

    assert keep("b", 100.0, "erp", "wms") == {"erp": Share(), "wms": Share()}
    assert keep("a", 101.0, "erp") == {"erp": Share(0, 2)}
    assert limits.shares(store.reader(), "b", 101.0) == {"erp": Share(1, 2), "wms": Share()}
    assert keep("b", 110.0, "erp") == {"erp": Share(1, 2)}
    assert keep("b", 117.0, "erp") == {"erp": Share()}
    store.write(partial(limits.leave, worker="b"))
    assert limits.shares(store.reader(), "b", 117.0) == {}


def test_leases_go_by_the_clock_that_all_share(store: Store) -> None:
    moment = store.write(lambda db: now_of(db, 5.0))
    assert moment > 1_700_000_000 if is_shared(store.url) else moment == 5.0


def test_the_ledger_is_the_same_on_every_store(store: Store) -> None:
    [came] = accept(store, arrival())
    [delivery_id] = split(store, came.seq, came.receipt_id, "lane")
    store.write(partial(deliveries.claim, tries={delivery_id: 0}, worker="w", at=2.0))
    end = Finish(
        delivery_id, "unknown", 3.0, 2.0, 1, 1, 1, due_at=63.0, outcome="unknown", status=500, code="http_500",
        failure={"class": "remote_error"}, doubt=True, reference="W-9",
    )  # fmt: skip
    store.write(partial(deliveries.finish, finishes=[end], worker="w"))
    [effect] = effects.of_message(store.reader(), came.receipt_id)
    assert (effect.state, effect.reference, effect.times_sent, effect.next_look_up_at) == ("unknown", "W-9", 1, 63.0)
    assert effects.reference(store.reader(), ["none", delivery_id]) == "W-9"


def test_routes_are_due_each_by_itself_and_a_retry_can_be_put_off(store: Store) -> None:
    [came] = accept(store, arrival())
    [delivery_id] = split(store, came.seq, came.receipt_id, "lane")
    assert due.routes_due(store.reader(), "erp") == {"r": 1.0}
    assert [d.delivery_id for d in due.due(store.reader(), "erp", "r", 2.0, 5)] == [delivery_id]
    store.write(partial(due.put_off, times=[(delivery_id, 9.0)]))
    assert due.next_due(store.reader(), "erp") == 1.0  # only retries are put off
    assert due.next_due(store.reader(), "nobody") is None
