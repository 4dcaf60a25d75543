"""What N machines carry, on paper: from the CPU an order costs each process, and from what goes through one place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

BUSY = 0.7  # of a core: beyond it waiting grows quicker than work
SERVER_CORES = 8
_MACHINES = (1, 2, 4, 8, 16, 32)


@dataclass(frozen=True, slots=True)
class Costs:
    """Measured: CPU µs an order in the hub's processes, in the database server and in the broker, and how many orders a
    second the transactions of one target, one after the other, let through."""

    hub_us: float
    server_us: float
    broker_us: float
    line_per_second: float


@dataclass(frozen=True, slots=True)
class Point:
    """So many machines of two cores for the hub's processes: orders a second, and what holds them there."""

    machines: int
    per_second: float
    limit: str


def model(costs: Costs, cores: int = 2, server_cores: int = SERVER_CORES) -> list[Point]:
    """The lowest of four ceilings, for each number of machines."""
    return [_point(costs, machines, cores, server_cores) for machines in _MACHINES]


def wall(costs: Costs, server_cores: int = SERVER_CORES) -> Point:
    """The first ceiling that more machines do not lift, and how many of two cores reach it."""
    first = min(_walls(costs, server_cores), key=lambda wall: wall[0])
    machines = -(-first[0] * costs.hub_us // (2 * BUSY * 1e6))
    return Point(int(machines), *first)


def describe(points: Sequence[Point], end: Point) -> str:
    lines = [f"  {p.machines:>3} machines  {p.per_second:>8,.0f} orders/s  held by {p.limit}" for p in points]
    return "\n".join(
        [*lines, f"  the first wall: {end.limit}, at {end.per_second:,.0f}/s, from {end.machines} machines on"]
    )


def _point(costs: Costs, machines: int, cores: int, server_cores: int) -> Point:
    own = (machines * cores * BUSY * 1e6 / costs.hub_us, "the CPU of the hub's processes")
    return Point(machines, *min([own, *_walls(costs, server_cores)], key=lambda wall: wall[0]))


def _walls(costs: Costs, server_cores: int) -> list[tuple[float, str]]:
    return [
        (server_cores * BUSY * 1e6 / costs.server_us, f"the CPU of a PostgreSQL server with {server_cores} cores"),
        (BUSY * 1e6 / costs.broker_us, "the broker's one core"),
        (costs.line_per_second, "the transactions of one target, one after the other"),
    ]
