"""What the store refuses to hold is a dead letter of its own; what documents usually bring is no reason to refuse."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator

import pytest
from banking import MAPPING, Bank, mt940
from replaying import CSV_IN
from world import World, order

from connectors.base import REFUSED, Verdict
from hub.deploy import deploy as put_in_force
from hub.pipeline import statements
from hub.pipeline.program import Program
from hub.pipeline.split import LocalTransformer
from hub.pipeline.transformed import Transformed
from hub.store import Store, is_shared, messages, search
from hub.store.audit import Actor
from hub.store.search_terms import Filter

LONG = secrets.token_hex(4000)  # nothing that could be compressed


@pytest.fixture
def refusing(world: World) -> Iterator[World]:
    """A world whose store refuses every delivery with ``poison`` in its key."""
    plant(world.store)
    yield world
    if is_shared(world.store.url):
        world.store.write(lambda db: db.execute("DROP TRIGGER poison ON deliveries"))


def plant(store: Store) -> None:
    raised = "EXECUTE FUNCTION refuse('too strong')" if is_shared(store.url) else (
        "BEGIN SELECT RAISE(ABORT, 'too strong'); END")  # fmt: skip
    when = "FOR EACH ROW WHEN (new.lane LIKE '%poison%')"
    store.write(lambda db: db.execute(f"CREATE TRIGGER poison BEFORE INSERT ON deliveries {when} {raised}"))


def receipts(world: World) -> list[tuple[str, str]]:
    """(state, code) of every receipt, in order."""
    return world.rows("SELECT state, coalesce(failure ->> 'code', '') FROM receipts ORDER BY seq")


def test_a_document_that_the_store_refuses_is_dead_and_its_neighbours_and_its_source_go_on(refusing: World) -> None:
    world = refusing
    world.send(order(1), order("poison"), order(2))
    assert receipts(world) == [("split", ""), ("dead", "store_refused"), ("split", "")]
    world.send(order(3))
    assert [body["ref"] for body in world.target("erp").bodies] == ["1", "2", "3"]
    [(said,)] = world.rows("SELECT failure ->> 'detail' FROM receipts WHERE state = 'dead'")
    assert said.startswith("the store refused this: ")
    assert "too strong" in said
    assert (world.engine.backlog, world.engine._later, world.engine.dispatcher._lanes["erp"].in_hand) == (0, [], 0)


def test_a_document_that_is_refused_alone_is_dead_once(refusing: World) -> None:
    refusing.send(order("poison"))
    refusing.wait(60)
    refusing.crash("w2")
    refusing.wait(60)
    assert receipts(refusing) == [("dead", "store_refused")]


def test_of_a_large_document_what_was_stored_before_goes_on_and_the_rest_of_it_is_dead(
    make_world: Callable[..., World],
) -> None:
    world = make_world(order_in=CSV_IN)
    plant(world.store)
    try:
        rows = b"".join(b"%s,1\n" % (b"poison" if n == 700 else b"o%d" % n) for n in range(1600))
        world.engine.accept([world.arrival(b"id,qty\n" + raw) for raw in (b"a,1\n", rows, b"b,1\n")])
        with pytest.raises(Exception, match="too strong"):
            world.run()
        world.engine.catch_up()
        for _ in range(4):
            world.wait(1)
        assert receipts(world) == [("split", ""), ("dead", "store_refused"), ("split", "")]
        assert {r["ref"] for r in world.target("erp").bodies} == {"a", "b"} | {f"o{n}" for n in range(500)}
        [(said,)] = world.rows("SELECT failure ->> 'detail' FROM receipts WHERE state = 'dead'")
        assert "the 500 records before it were taken in" in said
    finally:
        if is_shared(world.store.url):
            world.store.write(lambda db: db.execute("DROP TRIGGER poison ON deliveries"))


class Slow(LocalTransformer):
    """While it splits, the receipts are given to another worker, as of one whose lease has ended."""

    def split(self, work: object, program: Program, handed_over: object = None) -> Iterator[list[Transformed]]:
        self.store.write(lambda db: db.execute("UPDATE receipts SET claimed_by = 'w9'"))
        yield from super().split(work, program)  # type: ignore[arg-type]


def test_what_another_worker_has_by_now_is_not_dead_since_this_one_could_not_store_it(refusing: World) -> None:
    refusing.engine.transformer = Slow(refusing.store, refusing.clock)
    refusing.send(order("poison"))
    refusing.engine.catch_up()
    refusing.run()
    assert refusing.rows("SELECT state, claimed_by FROM receipts") == [("received", "w9")]


def test_what_the_store_refuses_does_not_keep_what_had_to_wait_for_it(world: World) -> None:
    done: list[str] = []
    engine = world.engine
    engine.later(
        lambda: engine.store.write(lambda db: db.execute("INSERT INTO switches VALUES ('x', '', '', '', 0, '')"))
    )
    engine.later(lambda: done.append("other"))
    for _ in range(2):
        with pytest.raises(Exception, match="refused"):
            engine.catch_up()
    assert (done, len(engine._later)) == (["other"], 1)


@pytest.mark.parametrize("key", ["a\0b", LONG, "ü" * 4000 + LONG, "\0" * 300])
def test_a_key_with_a_nul_in_it_or_a_very_long_one_is_a_key_as_any_other(world: World, key: str) -> None:
    world.target("erp").silent = True
    world.send(order(key), order(key), order(key[:-1] + "x"))
    states = world.rows("SELECT state, count(*) FROM deliveries GROUP BY state ORDER BY state")
    assert states == [("delivering", 2), ("queued", 1)]  # the second waits in the first one's lane
    assert len({lane for (lane,) in world.rows("SELECT lane FROM deliveries")}) == 2
    page = search.find(world.store.reader(), Filter(keys=(("stock_report", key),)))
    assert len(page.items) == 2
    assert receipts(world) == [("split", "")] * 3


@pytest.mark.parametrize("key", ["a\0b", LONG])
def test_whoever_sends_an_id_with_a_nul_in_it_or_a_very_long_one_is_told_that_it_came_before(
    world: World, key: str
) -> None:
    first, again, other = (world.send(order(1), dedupe=each)[0] for each in (key, key, f"{key}x"))
    assert (again.duplicate, again.receipt_id, other.duplicate) == (True, first.receipt_id, False)


def test_what_another_system_calls_a_thing_is_found_however_long_it_is(world: World) -> None:
    told = [("shop", "product", LONG, "A", 1.0, "m"), ("shop", "product", f"{LONG}x", "B", 1.0, "m")]
    world.store.write(lambda db: messages.put_xrefs(db, told))
    found = [messages.get_xref(world.store.reader(), "shop", "product", f"{LONG}{more}") for more in ("", "x", "y")]
    assert found == ["A", "B", None]


def numbered(bank: Bank) -> None:
    """From now on the numbers of statements are far greater than any bank's."""
    number = b"electronic_sequence_number?: src.electronic_sequence_number"
    raw = bank.files[MAPPING].replace(number, number + b" * 100000000000000000000")
    bank.engine.activate(put_in_force(bank.store, {**bank.files, MAPPING: raw}, None, bank.clock, Actor("test")))


def test_a_statement_with_a_number_that_no_store_holds_is_taken_in(bank: Bank) -> None:
    numbered(bank)
    bank.bring(mt940("4/1", "2026-03-04", "105", "1"))
    assert bank.told() == [("routed", "", "")]


def test_a_number_that_the_store_cannot_hold_is_refused_as_what_breaks_its_rules(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statements, "_LARGEST", 1 << 80)
    usual = bank.engine.program
    numbered(bank)
    bank.bring(mt940("4/1", "2026-03-04", "105", "1"))
    assert receipts(bank) == [("dead", "store_refused")]
    bank.engine.activate(usual)
    bank.bring(mt940("5/1", "2026-03-05", "106", "1"))
    assert bank.told() == [("routed", "", "")]


def test_a_failure_with_a_nul_in_what_the_target_said_can_be_looked_for(world: World) -> None:
    world.target("erp").answers.append(Verdict(REFUSED, code="http_422", status=422, detail="an odd \0 in it"))
    world.send(order(1))
    found = world.rows("SELECT failure ->> '$.detail' FROM deliveries WHERE failure ->> '$.code' = 'http_422'")
    assert found == [("an odd \u2400 in it",)]
