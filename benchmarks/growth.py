"""How the CPU an order grows with what is stored, routes and lanes: two hubs side by side, measured in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

from benchmarks.cluster import Cluster, Ground, cluster, ground
from benchmarks.filling import HELD, multiply
from benchmarks.hub_project import Project
from benchmarks.report import Claim
from benchmarks.trial import Load, Rig

Say = Callable[[str], None]
FLAT = 1.25


@dataclass(frozen=True, slots=True)
class Sizes:
    """Up to where each grows, and how it is measured."""

    messages: int = 1_000_000
    few: int = 1_000
    routes: int = 1_000
    lanes: int = 100_000
    rounds: int = 5
    orders: int = 6_000


def claims(place: Rig, sizes: Sizes, say: Say) -> Iterator[Claim]:
    """Three ratios, each the median of alternated rounds."""
    yield Claim(
        f"cost an order at {sizes.messages:,} stored over {sizes.few:,}", messages(place, sizes, say), "x", at_most=FLAT
    )
    yield Claim(f"cost an order with {sizes.routes:,} routes over 1", routes(place, sizes, say), "x", at_most=FLAT)
    yield Claim(
        f"cost an order beside {sizes.lanes:,} lanes in use over none", lanes(place, sizes, say), "x", at_most=FLAT
    )


def messages(place: Rig, sizes: Sizes, say: Say) -> float:
    """With so many orders stored, all of them delivered, over a few."""
    with ground(place) as one, ground(place) as other:
        few = _store_with(place, one, sizes.few)
        many = _store_with(place, other, sizes.few)
        say(f"  filled with {multiply(many, sizes.messages):,} orders")
        return _in_turn(place, sizes, say, (one, few, Project()), (other, many, Project()))


def lanes(place: Rig, sizes: Sizes, say: Say) -> float:
    """Beside so many lanes that are kept by something held, over none but those of the orders themselves."""
    with ground(place) as one, ground(place) as other:
        few = _store_with(place, one, sizes.few)
        many = _store_with(place, other, sizes.few)
        say(f"  filled with {multiply(many, sizes.lanes, HELD) - sizes.few:,} lanes")
        return _in_turn(place, sizes, say, (one, few, Project()), (other, many, Project()))


def routes(place: Rig, sizes: Sizes, say: Say) -> float:
    """With orders spread over so many routes, over one route."""
    with ground(place) as one, ground(place) as other:
        sides = [(one, one.postgres.new_database(), Project())]
        sides.append((other, other.postgres.new_database(), Project(routes=sizes.routes)))
        return _in_turn(place, sizes, say, *sides, topics=sizes.routes)


def _store_with(place: Rig, below: Ground, orders: int) -> str:
    """The address of a store with so many delivered orders."""
    with cluster(place, below, workers=1) as running:
        place.run(running.systems, running.url, Load(orders=orders))
        return running.store


def _in_turn(place: Rig, sizes: Sizes, say: Say, *sides: tuple[Ground, str, Project], topics: int = 1) -> float:
    """CPU an order of the second side over that of the first."""
    ratios = []
    with ExitStack() as stack:
        few, many = [
            stack.enter_context(cluster(place, below, 1, store, project)) for below, store, project in sides
        ]  # fmt: skip
        _cost(place, few, sizes.few)
        _cost(place, many, max(sizes.few, topics), topics)
        for _ in range(sizes.rounds):
            less, more = _cost(place, few, sizes.orders), _cost(place, many, sizes.orders, topics)
            ratios.append(more / less)
            say(f"  an order costs {more:.0f} µs where there is much, {less:.0f} µs where there is little")
    return median(ratios)


def _cost(place: Rig, running: Cluster, orders: int, topics: int = 1) -> float:
    return place.run(running.systems, running.url, Load(orders=orders, topics=topics)).cpu_us
