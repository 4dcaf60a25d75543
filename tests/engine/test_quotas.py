"""Quotas: the oldest of what has ended goes first; what is live or dead stays, and then the door says so."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import msgspec
import pytest
from caller import Caller, new_key
from test_pressure import post
from test_retention import prune
from world import ROUTES, SYSTEMS, World, order

from connectors.base import LATER, REFUSED, Verdict
from hub import notify
from hub.api.application import create_app
from hub.store import conservation, payloads, quotas, usage
from hub.store.quotas import Quotas, limits_of
from hub.store.usage import Limit

NO = Verdict(REFUSED, code="http_422", status=422, detail="unknown item")
AWAY = Verdict(LATER, code="http_429", status=429, retry_after_seconds=600.0)
SECOND = ROUTES.replace(b"route: orders", b"route: returns").replace(b"event: order", b"event: return")


def two_routes(**quota: bytes) -> bytes:
    """The routes orders and returns of one source, each with its quota."""
    both = (route.strip() + quota.get(name, b"") for name, route in (("orders", ROUTES), ("returns", SECOND)))
    return b"".join(b"- " + route.replace(b"\n", b"\n  ") + b"\n" for route in both)


def quotas_of(world: World) -> tuple[Limit, ...]:
    return limits_of(world.engine.program.settings, world.engine.program.route_files)


def keep(world: World, keeper: Quotas | None = None, passes: int = 8) -> Quotas:
    """Several passes, long enough for all that can be done at once."""
    keeper = keeper or Quotas(world.store, world.clock)
    for _ in range(passes):
        keeper.keep(quotas_of(world), budget_seconds=1e9)
        world.clock.at += 3
    world.engine.pressure.refresh()
    return keeper


def stored(world: World, route: str) -> int:
    return int(
        world.rows(
            """SELECT coalesce(sum(length(p.content)), 0) FROM payloads p WHERE p.owner_id IN (
                 SELECT message_id FROM messages WHERE route = ?1 UNION ALL
                 SELECT delivery_id FROM deliveries WHERE route = ?1)""",
            route,
        )[0][0]
    )


def having(world: World, stage: str, route: str = "orders") -> list[str]:
    """The documents of a route that still have something of this stage, the oldest first, by their ids."""
    owners = world.rows(
        """SELECT m.message_id FROM messages m JOIN payloads p ON p.owner_id = m.message_id
           WHERE p.stage = ? AND m.route = ? ORDER BY m.seq""",
        stage,
        route,
    )
    name = {"raw": "id", "canonical": "report_id"}[stage]
    return [msgspec.json.decode(payloads.read(world.store.reader(), owner, stage) or b"")[name] for (owner,) in owners]


def adds_up(world: World) -> None:
    with world.store.snapshot() as db:
        assert conservation.check(db) == []


def test_the_oldest_payloads_of_the_route_go_and_no_other_route_loses_anything(
    make_world: Callable[..., World],
) -> None:
    world = make_world(routes=two_routes(orders=b"\nquota: {size: 4KB}"))
    world.send(*(order(f"r{n}") for n in range(20)), event="return")
    world.send(*(order(n) for n in range(40)))
    others = stored(world, "returns")
    assert stored(world, "orders") > 4000
    keep(world)
    assert 3000 < stored(world, "orders") <= 4000
    assert stored(world, "returns") == others
    assert having(world, "raw") == [str(n) for n in range(40)]  # what the steps made of them can be made again
    left = having(world, "canonical")
    assert left and left == [str(n) for n in range(40)][-len(left) :]
    assert len(world.rows("SELECT 1 FROM messages")) == 60  # what is known of them stays
    assert post(world, order(99))[0] == 202
    adds_up(world)


def test_what_has_no_room_but_for_dead_letters_is_answered_503_at_its_door_alone(
    make_world: Callable[..., World],
) -> None:
    world = make_world(routes=two_routes(orders=b"\nquota: {size: 2KB}"))
    world.target("erp").answers.extend([NO] * 30)
    world.send(*(order(n) for n in range(30)))
    before = stored(world, "orders")
    keeper = keep(world)
    assert stored(world, "orders") == before > 2000
    status, headers, problem = post(world, order(99))
    assert (status, headers["retry-after"], problem["code"], problem["retryable"]) == (503, "60", "quota", True)
    assert post(world, order("r1"), event="return")[0] == 202
    assert world.engine.pressure.holds_back("shop")  # nobody can tell what a file is before it is fetched
    world.store.write(
        lambda db: db.execute("UPDATE deliveries SET state = 'resolved', holds_lane = 0 WHERE state = 'dead'")
    )
    world.clock.at += 31
    keep(world, keeper)
    assert stored(world, "orders") <= 2000
    assert post(world, order(100))[0] == 202


def test_what_is_on_its_way_is_never_removed(make_world: Callable[..., World]) -> None:
    world = make_world(routes=two_routes(orders=b"\nquota: {size: 1KB, messages: 5}"))
    world.send(order("old"))
    world.target("erp").answers.extend([AWAY] * 40)
    world.send(*(order(n) for n in range(30)))
    keep(world)
    assert having(world, "raw") == [str(n) for n in range(30)]
    assert len(world.rows("SELECT 1 FROM messages")) == 30
    assert post(world, order(99))[0] == 503
    adds_up(world)
    world.target("erp").answers.clear()
    world.clock.at += 700
    world.engine.dispatcher.refresh()
    world.wait(0)
    assert len(world.target("erp").bodies) >= 31


def test_a_door_that_is_shut_stays_so_over_a_restart(make_world: Callable[..., World]) -> None:
    world = make_world(routes=two_routes(orders=b"\nquota: {size: 1KB}"))
    world.target("erp").answers.extend([NO] * 30)
    world.send(*(order(n) for n in range(30)))
    keep(world)
    world.crash("w2")
    world.engine.pressure.refresh()
    assert post(world, order(99))[0] == 503
    world.clock.at += 1
    keep(world, passes=1)
    assert post(world, order(99))[0] == 503
    [before] = usage.states(world.store.reader())
    keep(world)
    assert usage.states(world.store.reader())[0].full_since == before.full_since


def test_messages_go_with_everything_but_senders_ids_are_remembered(make_world: Callable[..., World]) -> None:
    world = make_world(routes=two_routes(orders=b"\nquota: {messages: 10}"))
    for number in range(30):
        world.send(order(number), dedupe=f"id-{number}")
    keep(world)
    assert [key for (key,) in world.rows("SELECT count(*) FROM messages")] == [10]
    for table in ("receipts", "messages", "deliveries"):
        assert world.rows(f"SELECT count(*) FROM {table}") == [(10,)], table
    adds_up(world)
    prune(world)
    assert world.rows("SELECT count(*) FROM dedupe") == [(30,)]
    [repeat] = world.send(order(0), dedupe="id-0")
    assert repeat.duplicate
    assert len(world.target("erp").sent) == 30
    world.clock.at += 40 * 86400
    world.send(order(1000))
    prune(world)
    assert world.rows("SELECT count(*) FROM dedupe") == [(0,)]


def test_a_source_and_the_hub_have_their_quotas(make_world: Callable[..., World], files: dict[str, bytes]) -> None:
    world = make_world(
        systems=SYSTEMS.replace(b"shop: {", b"shop: {quota: {size: 3KB}, "),
        hub=files["config/hub.yaml"] + b"quota: {size: 2KB}\n",
    )
    world.send(*(order(n) for n in range(40)))
    keep(world)
    assert 1000 < stored(world, "orders") <= 2000
    found = {(state.kind, state.name): state for state in usage.states(world.store.reader())}
    assert set(found) == {("hub", ""), ("source", "shop")}
    assert found["hub", ""].bytes == stored(world, "orders") and found["hub", ""].pruned_at is not None


def test_what_is_measured_is_what_is_stored(make_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "RECEIPTS", 7)
    monkeypatch.setattr(usage, "PAGE", 3)
    world = make_world(routes=two_routes(orders=b"\nquota: {size: 10MB}", returns=b"\nquota: {size: 10MB}"))
    world.send(b"{", *(order(n, lines=n) for n in range(1, 25)))
    world.send(*(order(n) for n in range(10)), event="return")
    keep(world)
    [(total,)] = world.rows("SELECT sum(length(content)) FROM payloads")
    db = world.store.reader()
    everything = usage.used(db, Limit("hub", ""))
    assert everything == (total, 35)
    assert usage.used(db, Limit("source", "shop")) == everything
    routes = [usage.used(db, Limit("route", name)) for name in ("orders", "returns")]
    assert [messages for _, messages in routes] == [24, 10]  # one could not be read, and belongs to no route
    assert [size for size, _ in routes] == [stored(world, "orders"), stored(world, "returns")]


def test_retention_frees_a_quota_too(make_world: Callable[..., World]) -> None:
    world = make_world(routes=two_routes(orders=b"\nquota: {size: 10MB}"))
    world.send(*(order(n) for n in range(10)))
    keeper = keep(world)
    assert usage.states(world.store.reader())[0].bytes > 0
    world.clock.at += 100 * 86400
    world.send(order("new"))
    prune(world)
    keep(world, keeper)
    assert usage.states(world.store.reader())[0].bytes == stored(world, "orders")


def test_people_are_told_when_a_quota_removes_things_and_when_it_shuts_doors(make_world: Callable[..., World]) -> None:
    world = make_world(routes=two_routes(orders=b"\nquota: {size: 2KB}"))
    world.send(*(order(n) for n in range(10)))
    world.target("erp").answers.extend([NO] * 30)
    world.send(*(order(n) for n in range(10, 40)))
    keeper = keep(world)
    told = {notice.kind: notice.detail for notice in notify.check(world.engine, ["desk"])["desk"]}
    assert told["quota_full"].startswith("the quota of the route orders is full")
    assert told["quota_reached"].startswith("the quota of the route orders is reached: up to 2026-")
    world.store.write(
        lambda db: db.execute("UPDATE deliveries SET state = 'resolved', holds_lane = 0 WHERE state = 'dead'")
    )
    world.clock.at += 31
    keep(world, keeper)
    kinds = {notice.kind for notice in notify.check(world.engine, ["desk"])["desk"]}
    assert "quota_full" not in kinds and "quota_reached" in kinds
    world.clock.at += 3601
    assert "quota_reached" not in {notice.kind for notice in notify.check(world.engine, ["desk"])["desk"]}


def test_quotas_are_seen_by_those_who_watch(make_world: Callable[..., World]) -> None:
    world = make_world(routes=two_routes(orders=b"\nquota: {size: 2KB, messages: 100}"))
    world.target("erp").answers.extend([NO] * 30)
    world.send(*(order(n) for n in range(30)))
    keep(world)
    caller = Caller(create_app(world.engine), new_key(world.store, "viewer"))
    [quota] = caller.get("/api/v1/quotas").json["items"]
    assert (quota["kind"], quota["name"]) == ("route", "orders")
    assert quota["size"]["limit"] == 2000 < quota["size"]["used"] == stored(world, "orders")
    assert quota["messages"] == {"used": 30, "limit": 100}
    assert quota["full_since"] and "pruned_at" not in quota
    metrics = caller.get("/metrics").body.decode()
    assert 'o2c_quota_full{kind="route",name="orders"} 1.0' in metrics
    assert 'o2c_quota_limit{kind="route",name="orders",what="bytes"} 2000.0' in metrics
    assert 'o2c_quota_used{kind="route",name="orders",what="messages"} 30.0' in metrics


def test_a_quota_that_was_taken_away_shuts_no_door(make_world: Callable[..., World]) -> None:
    world = make_world(routes=two_routes(orders=b"\nquota: {size: 1KB}"))
    world.target("erp").answers.extend([NO] * 30)
    world.send(*(order(n) for n in range(30)))
    keeper = keep(world)
    assert post(world, order(99))[0] == 503
    keeper.keep(())
    world.clock.at += 3
    world.engine.pressure.refresh()
    assert post(world, order(99))[0] == 202
    assert usage.states(world.store.reader()) == []


def test_each_call_does_a_little_and_the_next_goes_on(
    make_world: Callable[..., World], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quotas, "ROWS", 5)
    monkeypatch.setattr(quotas, "_CHUNKS", 2)
    world = make_world(routes=two_routes(orders=b"\nquota: {size: 1KB}"))
    world.send(*(order(n) for n in range(40)))
    keeper = Quotas(world.store, world.clock)
    limits = quotas_of(world)
    seen = [stored(world, "orders")]
    while seen[-1] > 1000:
        keeper.keep(limits, budget_seconds=0.0)
        seen.append(stored(world, "orders"))
        assert len(seen) < 1000
    assert max(before - after for before, after in itertools.pairwise(seen)) < seen[0] / 10


@pytest.mark.parametrize("put", [-86400.0, 86400.0])
def test_a_clock_that_is_put_does_not_keep_new_documents_from_being_counted(
    make_world: Callable[..., World], put: float
) -> None:
    world = make_world(routes=two_routes(orders=b"\nquota: {size: 4KB}"))
    world.send(*(order(n) for n in range(5)))
    keeper = keep(world)
    world.clock.at += put
    world.send(*(order(n) for n in range(5, 60)))
    keep(world, keeper)
    assert stored(world, "orders") <= 4000
