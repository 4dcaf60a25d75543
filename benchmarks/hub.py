"""``o2c bench hub``: the hub from the webhook to the recorded delivery, beside what a user would write instead.

    python -m benchmarks.hub [--json] [--quick]

Load, sink, hub and the compared script share two cores. Progress goes to standard error, the claims to standard
output; the exit code is 1 when one does not hold. ``--quick`` is for working on the benchmark: short runs and a small
store, and its claims are not worth quoting.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks import floor, sweep
from benchmarks.hub_project import AS_IT_IS, UNBATCHED, UNCOMMITTED, hub
from benchmarks.processes import free_port, listens, module, started
from benchmarks.report import Claim, as_json, as_table, exit_code
from benchmarks.trial import Load, Measured, Rig, rig


@dataclass(frozen=True, slots=True)
class Size:
    """How long each part runs. Rounds are alternated, so that a slow minute of the machine hits both sides."""

    seconds: float = 20.0
    warm_up: int = 3_000
    rounds: int = 5
    round_orders: int = 20_000
    few: int = 1_000
    many: int = 1_000_000
    sweep_orders: int = 1_200
    script_orders: int = 6_000


QUICK = Size(seconds=4, warm_up=1000, rounds=3, round_orders=4_000, many=20_000, sweep_orders=300, script_orders=1_200)


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def full_and_half(place: Rig, size: Size) -> tuple[Measured, Measured]:
    """The hub at full load, then at half of the rate that gave."""
    with hub(place, place.folder / "hub") as (running, url):
        place.run([running], url, Load(orders=size.warm_up))
        full = place.run([running], url, Load(seconds=size.seconds))
        say(f"The hub at full load:\n  {full}")
        half = place.run([running], url, Load(seconds=size.seconds, rate=full.per_second / 2))
        say(f"The hub at half of that:\n  {half}")
    return full, half


def efficiency(place: Rig, size: Size) -> Iterator[Claim]:
    """The floor's CPU an order over the hub's, which take turns: medians over the rounds."""
    alone, beside, costs = list[list[floor.Primitive]](), list[list[floor.Primitive]](), list[float]()
    with hub(place, place.folder / "efficiency") as (running, url), floor.rounds(place) as once:
        place.run([running], url, Load(orders=size.warm_up))
        for _ in range(size.rounds):
            alone.append(once())
            costs.append(place.run([running], url, Load(seconds=size.seconds / size.rounds)).cpu_us)
            with floor.busy_core(place):
                beside.append(once())
            sums = floor.total(alone[-1]), floor.total(beside[-1])
            say(f"  floor {sums[0]:.0f} µs, beside a busy core {sums[1]:.0f}, hub {costs[-1]:.0f} µs an order")
    say(f"The floor:\n{floor.describe(floor.middle(alone))}")
    yield Claim("hub: CPU an order", median(costs), "µs")
    yield Claim("floor: CPU an order, sum of primitives", floor.total(floor.middle(alone)), "µs")
    yield Claim("efficiency: floor over hub", _share(alone, costs), "%", at_least=50)
    yield Claim("the same, the floor measured beside a busy core", _share(beside, costs), "%")


def _share(floors: Sequence[Sequence[floor.Primitive]], costs: Sequence[float]) -> float:
    return 100 * median(floor.total(least) / cost for least, cost in zip(floors, costs, strict=True))


def without_batches(place: Rig, size: Size) -> Measured:
    with hub(place, place.folder / "unbatched", UNBATCHED) as (running, url):
        place.run([running], url, Load(orders=size.warm_up // 4))
        result = place.run([running], url, Load(orders=size.round_orders // 2))
    say(f"The hub, batching off:\n  {result}")
    return result


def ingest_over_bare(place: Rig, size: Size) -> float:
    """CPU of the hub's door before the commit over that of the bare callable, median of alternated rounds."""
    with ExitStack() as stack:
        port = free_port()
        bare = stack.enter_context(started("bare", module("benchmarks.bare", "--port", port), place.folder))
        bare.wait_until(lambda: listens(port))
        door, url = stack.enter_context(hub(place, place.folder / "door", UNCOMMITTED))
        load, ratios = Load(orders=size.round_orders), []
        for _ in range(size.rounds + 1):
            least = place.ingest(bare, f"http://127.0.0.1:{port}/in/webshop", load)
            ours = place.ingest(door, url, load)
            ratios.append(ours / least)
            say(f"  door {ours:.0f} µs, bare {least:.0f} µs a request")
    return median(ratios[1:])  # the first round warms both up


def cost_of_a_full_store(place: Rig, size: Size) -> tuple[float, Measured]:
    """CPU an order with many stored over that with few, median of alternated rounds; and the run that filled it."""
    many = place.folder / "many"
    with hub(place, many) as (running, url):
        filling = place.run([running], url, Load(orders=size.many))
    say(f"Filling a store with {size.many:,} orders:\n  {filling}")
    ratios = []
    for number in range(size.rounds):
        full, empty = _cost_at(place, many, size), _cost_at(place, place.folder / f"few-{number}", size)
        ratios.append(full / empty)
        say(f"  an order costs {full:.0f} µs with the full store, {empty:.0f} µs with a new one")
    return median(ratios), filling


def _cost_at(place: Rig, folder: Path, size: Size) -> float:
    """CPU an order on the store in ``folder``, after so few orders to warm up that a new store stays a small one."""
    with hub(place, folder, AS_IT_IS) as (running, url):
        place.run([running], url, Load(orders=size.few))
        return place.run([running], url, Load(orders=size.few * 4)).cpu_us


def claims(place: Rig, size: Size) -> Iterator[Claim]:
    """Every claim, measured one after the other."""
    script = sweep.measured_at_its_best(place, say, size.sweep_orders, size.script_orders)
    full, half = full_and_half(place, size)
    plain = without_batches(place, size)
    yield Claim("hub: orders delivered a second, 64 connections", full.per_second, "/s")
    yield Claim("script at its best, the same work: orders delivered a second", script.same_work.per_second, "/s")
    yield Claim("hub over script, delivered a second", full.per_second / script.same_work.per_second, "x", at_least=10)
    less = "script with a light schema and commits that do not wait for the disk"
    yield Claim(f"hub over {less}", full.per_second / script.less_work.per_second, "x")
    yield from efficiency(place, size)
    yield Claim("batching on over batching off", full.per_second / plain.per_second, "x", at_least=4)
    yield Claim("end to end p99 at full load", full.p99_ms, "ms", at_most=100)
    yield Claim("end to end p99 at half of it", half.p99_ms, "ms", at_most=25)
    yield Claim("door before the commit over a bare callable", ingest_over_bare(place, size), "x", at_most=1.3)
    ratio, filling = cost_of_a_full_store(place, size)
    yield Claim(f"cost an order at {size.many:,} stored over {size.few:,}", ratio, "x", at_most=1.25)
    yield Claim("memory at its highest", max(full.rss_mb, half.rss_mb, filling.rss_mb), "MB", at_most=200)
    yield Claim(f"memory growth over {size.many:,} orders", filling.rss_growth * 100, "%", at_most=10)
    runs = (full, half, filling)
    lost = sum(run.accepted - run.delivered for run in runs)
    yield Claim("accepted and not delivered", lost, "orders", at_most=0)
    yield Claim("delivered twice", sum(run.duplicates for run in runs), "orders", at_most=0)
    yield Claim("other work on the cores meanwhile", max(run.elsewhere for run in runs) * 100, "%")


def main() -> int:
    parser = argparse.ArgumentParser(description="The hub from the webhook to the recorded delivery")
    parser.add_argument("--json", action="store_true", help="print the claims as JSON")
    parser.add_argument("--quick", action="store_true", help="short runs and a small store, for trying it out")
    parser.add_argument("--folder", type=Path, help="where stores are made; a full run takes some GB")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="o2c-bench-", dir=options.folder) as folder, rig(Path(folder)) as place:
        measured = list(claims(place, QUICK if options.quick else Size()))
    print(as_json(measured) if options.json else as_table(measured))
    return exit_code(measured)


if __name__ == "__main__":
    sys.exit(main())
