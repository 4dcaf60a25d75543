"""The sweeper finds what nobody else would: rows of systems that are gone, work that a mistake left behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import msgspec
import pytest
from world import ROUTES, SYSTEMS, World, order

from connectors.base import DELIVERED, DOUBT, LATER, STOPPED, Incoming, TransientError, Verdict
from hub.chores import everything
from hub.deploy import deploy
from hub.errors import StoreError, StoreFull
from hub.pipeline.receive import Intake
from hub.store import dead_letters, receipts, streams
from hub.store.audit import Actor
from hub.sweeper import Chore, Sweeper


def sweeper(world: World, **chores: Chore) -> Sweeper:
    return Sweeper(world.engine, world.folder, None, chores)


def sweep(world: World, seconds: float = 0.0) -> None:
    """Let time pass, then one round and all that it causes."""
    world.clock.at += seconds
    sweeper(world).sweep()
    world.run()


@pytest.mark.parametrize(
    "answer", [Verdict(LATER, code="http_503", status=503), Verdict(STOPPED, code="http_401", status=401)]
)
def test_what_waits_for_a_system_that_is_gone_becomes_a_dead_letter(world: World, answer: Verdict) -> None:
    world.target("erp").answers.append(answer)
    world.send(order(1))
    systems = b"".join(line for line in SYSTEMS.splitlines(True) if line.startswith((b"shop:", b"crm:")))
    routes = world.files["routes/orders.yaml"].replace(b"erp", b"crm")
    world.engine.activate(
        deploy(
            world.store,
            {**world.files, "config/systems.yaml": systems, "routes/orders.yaml": routes},
            None,
            world.clock,
            Actor("x"),
        )
    )
    sweep(world, 60)
    [(state, failure)] = world.rows("SELECT state, failure FROM deliveries")
    assert state == "dead"
    assert "the active set has no target 'erp' in the route 'orders'" in str(failure)


def test_doubt_about_a_system_that_is_gone_is_held_for_a_person(make_world: Callable[..., World]) -> None:
    world = make_world(routes=ROUTES.replace(b"system: erp", b"system: wms"))
    world.target("wms").answers.append(Verdict(DOUBT, code="read_timeout"))
    world.send(order(1))
    world.engine.activate(
        deploy(world.store, {**world.files, "routes/orders.yaml": ROUTES}, None, world.clock, Actor("x"))
    )
    sweep(world, 61)
    assert world.states() == [("wms", "held")]
    assert world.rows("SELECT doubt, hold_reason FROM deliveries") == [(1, "unknown")]
    assert dead_letters.count(world.store.reader()) == 1
    assert world.engine.dispatcher._lane("wms").in_hand == 0


def test_a_mistake_in_one_step_ends_neither_the_round_nor_the_thread(world: World) -> None:
    done: list[str] = []

    def fail() -> None:
        raise ZeroDivisionError

    rounds = sweeper(world, broken=(5.0, fail), other=(0.0, lambda: done.append("other")))
    for _ in range(2):
        rounds.sweep()
    assert done == ["other"]


# -- large files ---------------------------------------------------------------------------------------------------


class Folder:
    """A source whose one file comes in pieces of a megabyte, until it breaks off."""

    def __init__(self, breaks_off: Exception | None) -> None:
        self.breaks_off, self.settled = breaks_off, 0

    def fetch(self, accept: Callable[[Incoming], None]) -> int:
        accept(Incoming("big.json", self.pieces(), reference="r", dedupe_id="file:r"))
        return 1

    def pieces(self) -> Iterator[bytes]:
        yield b"[" + b" " * 2_500_000
        if self.breaks_off:
            raise self.breaks_off
        yield b"1]"

    def settle(self, reference: str, failed: bool) -> None:
        self.settled += 1

    def close(self) -> None:
        """Nothing is open."""


def read(rounds: Sweeper, source: Folder) -> None:
    rounds._polls._read("shop", partial(rounds._fetch, "shop", source))


def chunks(world: World) -> int:
    return int(world.rows("SELECT count(*) FROM payloads WHERE stage = 'raw'")[0][0])


@pytest.mark.parametrize("error", [TransientError("the share is away"), StoreFull("the disk is full")])
def test_nothing_stays_of_a_large_file_that_could_not_be_read_to_its_end(world: World, error: Exception) -> None:
    rounds = sweeper(world)
    for _ in range(2):
        read(rounds, Folder(error))
        assert chunks(world) == 0
    read(rounds, Folder(None))
    assert chunks(world) == 3
    read(rounds, Folder(None))
    assert chunks(world) == 3
    assert world.rows("SELECT size FROM receipts") == [(2_500_003,)]


def test_a_file_that_comes_again_is_filed_away_by_the_outcome_of_the_first_time(world: World) -> None:
    rounds, again = sweeper(world), Folder(None)
    for _ in range(2):
        read(rounds, again)
    assert again.settled == 0
    world.store.write(partial(receipts.mark_settled, seq=1))
    read(rounds, again)
    assert again.settled == 1


def test_what_a_crash_left_of_a_large_file_is_taken_away_at_the_next_start(world: World) -> None:
    for receipt_id in ("lost", "kept"):
        for number in range(3):
            piece = partial(streams.add, receipt_id=receipt_id, number=number, piece=b"x" * 1000, at=1.0)
            world.store.write(piece)
    world.engine.accept([msgspec.structs.replace(world.arrival(b""), receipt_id="kept", size=3000)])
    world.crash("w2")
    sweeper(world).recover()
    assert world.rows("SELECT DISTINCT owner_id FROM payloads") == [("kept",)]
    assert streams.left_over(world.store.reader()) == []


def test_what_a_process_that_died_had_read_of_a_file_is_taken_away_while_others_read(world: World) -> None:
    take_away = everything(world.engine, world.folder, ThreadPoolExecutor(1))["left over bodies"][1]

    def add(receipt_id: str, number: int) -> None:
        at = world.clock.epoch()
        world.store.write(partial(streams.add, receipt_id=receipt_id, number=number, piece=b"x" * 1000, at=at))

    add("lost", 0)
    add("slow", 0)
    world.clock.at += 3000
    add("slow", 1)
    world.clock.at += 3000
    take_away()
    assert world.rows("SELECT DISTINCT owner_id FROM payloads") == [("slow",)]
    with pytest.raises(StoreError, match="its next piece came too late; it is read again"):
        add("lost", 1)


REPLY = b"""
mapping: reply
version: 1
source: {format: json}
target: {schema: canonical/stock_level}
output:
  report_id: src.ref
  as_of: "'2026-03-05T10:00:00Z'"
  report_type: {const: full}
  stock_lines:
    - item: {name: "'answered'"}
      available_quantity: {value: "'1'", unit_code: {const: C62}}
      location_id: {const: main}
"""


def test_receipts_that_nobody_claimed_are_found_when_the_broker_forgets_them_replies_too(
    make_world: Callable[..., World],
) -> None:
    world = make_world(routes=ROUTES.replace(b"map: order-out}", b"map: order-out, reply: {map: reply}}"), reply=REPLY)
    world.engine.intake = Intake(world.store, None, world.engine._received)
    world.target("erp").answers.append(Verdict(DELIVERED, status=200, response=b'{"ref": "1"}'))
    world.engine.accept([world.arrival(order(1))])
    world.calls.clear()
    sweep(world, 6.0)
    assert world.rows("SELECT route, state, claimed_by FROM receipts") == [
        ("", "split", None), ("orders#erp", "split", None),
    ]  # fmt: skip
    process, world.engine.wake.process = world.engine.wake.process, lambda seqs: None  # type: ignore[method-assign]
    world.target("erp").answers.append(Verdict(DELIVERED, status=200, response=b'{"ref": "2"}'))
    world.engine.accept([world.arrival(order(2))])
    world.engine.process([3])
    world.run()
    world.engine.wake.process = process  # type: ignore[method-assign]
    assert world.rows("SELECT state, claimed_by FROM receipts WHERE seq = 4") == [("received", None)]
    sweep(world, 6.0)
    assert world.rows("SELECT state FROM receipts WHERE seq = 4") == [("split",)]


def test_a_worker_whose_store_comes_back_frees_only_what_it_has_still_in_hand(world: World) -> None:
    accepted = world.engine.accept([world.arrival(order(n)) for n in range(2)])
    world.calls.clear()
    mine, taken_over = (each.seq for each in accepted)
    # The worker was slow: it was taken for dead, and another has one of its receipts now.
    world.store.write(lambda db: db.execute("UPDATE receipts SET claimed_by = NULL WHERE seq = ?", (taken_over,)))
    [row] = world.store.write(lambda db: receipts.claim(db, [taken_over], "w2"))
    assert row[1] == taken_over
    world.engine._offer_again([mine, taken_over])
    assert world.rows("SELECT seq, claimed_by FROM receipts ORDER BY seq") == [(mine, None), (taken_over, "w2")]
