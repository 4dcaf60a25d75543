"""What is old enough to go, and what somebody begins to replay in that very moment."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from typing import Any

import pytest
from replaying import ANNA, adds_up, deploy
from test_replay_twice import EVERYBODY, FILTERED, NOBODY
from world import World, order

from hub import replay
from hub.store import open_store, pruning, replays

DAY = 86400.0
WAITS = """SELECT 1 FROM pg_locks
  WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""


@pytest.fixture
def old(make_world: Callable[..., World]) -> World:
    """A message that no target wanted, long ago, and that one wants by now."""
    world = make_world(routes=NOBODY)
    world.send(order(1))
    deploy(world, "routes/orders.yaml", EVERYBODY)
    world.clock.at += 500 * DAY
    return world


def found(world: World) -> list[int]:
    """What retention finds too old."""
    rows = pruning.old_receipts(world.store.reader(), 0, world.clock.at - 400 * DAY, 100)
    return [seq for seq, _, _ in rows]


def starting(world: World) -> Callable[[], object]:
    planned = replay.plan(world.engine, FILTERED, ANNA)
    return lambda: replay.start(world.engine, planned.replay_id, planned.plan_hash, ANNA)


def test_what_a_replay_has_begun_to_read_stays_though_it_was_found_too_old(old: World) -> None:
    seqs = found(old)
    assert seqs != []
    starting(old)()
    assert old.store.write(lambda db: pruning.remove_receipts(db, seqs, 500, old.clock.at)) == (0, True)
    old.run()
    assert old.states() == [("erp", "delivered")]
    adds_up(old)


def meet(world: World, first: Callable[[Callable[[], None]], object], second: Callable[[], object]) -> None:
    """Both at once: ``first`` calls what it is given before it commits; it goes on when ``second`` waits or is done."""
    begun, go = Event(), Event()

    def pause() -> None:
        begun.set()
        assert go.wait(30)

    one, two = Thread(target=first, args=(pause,)), Thread(target=second)
    one.start()
    assert begun.wait(30)
    two.start()
    while two.is_alive() and not world.rows(WAITS):
        two.join(0.01)
    go.set()
    one.join()
    two.join()
    world.run()


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)  # an embedded store has one writer
@pytest.mark.parametrize("is_replayed_first", [True, False])
def test_of_a_removal_and_a_replay_at_once_the_second_sees_the_first(
    old: World, monkeypatch: pytest.MonkeyPatch, is_replayed_first: bool
) -> None:
    seqs, start, other = found(old), starting(old), open_store(old.store.url, old.folder)

    def remove(pause: Callable[[], None] = lambda: None) -> None:
        def job(db: Any) -> None:
            pruning.remove_receipts(db, seqs, 500, old.clock.at)
            pause()

        other.write(job)

    def replay_(pause: Callable[[], None]) -> None:
        mark = replays.mark_items
        monkeypatch.setattr(replays, "mark_items", lambda *given: (mark(*given), pause()))
        start()

    if is_replayed_first:
        meet(old, replay_, remove)
        assert old.states() == [("erp", "delivered")]
    else:
        meet(old, remove, start)
        assert old.rows("SELECT state, note FROM replay_items") == [("skipped", "gone")]
        assert old.rows("SELECT * FROM receipts") == []
    other.close()
    adds_up(old)
