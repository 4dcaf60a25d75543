"""Lists, counts and issues find the same things on either database, whatever they are filtered by."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from test_search_plans import FILTERS
from world import ORDER_IN, START, World, order

from connectors.base import LATER, REFUSED, Verdict
from hub.store import conservation, dead_letters, interventions, replay_facts, search
from hub.store.search_terms import Filter
from hub.store.tally import Tallier

NO = Verdict(REFUSED, code="http_422", status=422, detail="unknown ITEM")


@pytest.fixture
def full(world: World) -> World:
    """Two delivered, one dead in the target, one that cannot be mapped, one unreadable, one held, one retrying."""
    erp = world.target("erp")
    erp.answers.extend([Verdict("delivered", status=200)] * 2 + [NO])
    world.send(order(1), order(2), order(3))
    world.send({"id": "4", "lines": "none"})
    world.send(b"{broken")
    world.send({"id": "5"}, event="nobody wants this")
    erp.answers.append(Verdict(LATER, code="http_503", status=503, detail="busy"))
    world.send(order(6))
    erp.silent = True
    world.send(order(7))
    return world


def test_every_filter_is_understood(world: World) -> None:
    db = world.store.reader()
    for wanted in FILTERS:
        assert search.find(db, wanted).items == []
        assert dead_letters.find(db, wanted) == dead_letters.issues(db, wanted) == []
        assert dead_letters.count(db, wanted) == 0


def test_lists_find_what_there_is(full: World) -> None:
    db = full.store.reader()
    everything = search.find(db, Filter())
    assert len(everything.items) == 8
    assert [found.seq for found in everything.items] == sorted((f.seq for f in everything.items), reverse=True)
    found = {
        name: len(search.find(db, wanted).items)
        for name, wanted in {
            "dead": Filter(state="dead"), "retrying": Filter(state="retrying"),
            "delivering": Filter(state="delivering"), "delivered": Filter(state="delivered"),
            "code": Filter(code="http_422"), "text": Filter(text="unknown item"),
            "destination": Filter(destination="erp"), "recent": Filter(received_from=START - 1),
            "old": Filter(received_until=1.0),
        }.items()
    }  # fmt: skip
    assert found == {
        "dead": 4, "retrying": 1, "delivering": 1, "delivered": 2, "code": 1, "text": 1, "destination": 5, "recent": 8,
        "old": 0,
    }  # fmt: skip


def test_a_report_of_stock_is_found_by_each_of_its_places(make_world: Callable[..., World]) -> None:
    world = make_world(order_in=ORDER_IN.replace(b"{const: main}", b"l.place"))
    lines = [{"name": "belt", "qty": 1, "place": place} for place in ("east", "west", "east", "north")]
    [accepted] = world.send({"id": "1", "lines": lines})
    for place in ("east", "west", "north", "south"):
        found = search.find(world.store.reader(), Filter(keys=(("stock", place),))).items
        assert [item.message_id for item in found] == [accepted.receipt_id] * (place != "south")
    assert world.rows("SELECT main_key FROM messages") == [("stock::east",)]


def test_dead_letters_are_listed_grouped_and_counted(full: World) -> None:
    db = full.store.reader()
    letters = dead_letters.find(db, Filter())
    assert sorted(letter.kind for letter in letters) == ["delivery", "message", "receipt", "receipt"]
    assert [letter.order for letter in letters] == sorted(letter.order for letter in letters)
    assert dead_letters.count(db) == sum(issue.count for issue in dead_letters.issues(db, Filter())) == 4
    assert [letter.id for letter in dead_letters.find(db, Filter(), limit=1)] == [letters[0].id]


def test_a_page_goes_on_where_the_one_before_ended(full: World) -> None:
    db, cursor, seen = full.store.reader(), None, []
    while True:
        page = search.find(db, Filter(), limit=3, cursor=cursor)
        seen += [found.message_id for found in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 8


def test_what_waits_is_counted_and_the_blocked_lane_is_found(full: World) -> None:
    full.send(order(3))
    [dead] = [letter for letter in dead_letters.find(full.store.reader(), Filter()) if letter.kind == "delivery"]
    held = full.rows("SELECT delivery_id FROM deliveries WHERE state = 'retrying'")[0][0]
    full.store.write(lambda db: interventions.hold(db, held, "operator", full.clock.epoch()))
    full.send(order(6))
    db = full.store.reader()
    assert search.waiting_by_system(db) == {"erp": 4}
    assert [(system, behind) for _, system, behind in search.blocked_lanes(db, full.clock.epoch() + 1)] == [("erp", 1)]
    assert search.retrying(db, 9) == []
    assert replay_facts.has_payload(db, dead.message_id, "canonical")
    with full.store.snapshot() as moment:
        tally, counted = Tallier().count(moment, full.clock.epoch()), conservation.counted(moment)
    assert {state: count for state, count in tally.deliveries.items() if count} == counted.deliveries
