"""Whose turn it is: the room of a system is shared by the routes that wait for it, by weight, however many wait."""

from __future__ import annotations

import heapq
from collections.abc import Mapping


class Turns:
    """Each delivery moves its route on by one over its weight; the one furthest behind is next."""

    def __init__(self) -> None:
        self._at: dict[str, float] = {}

    def share_out(self, room: int, weights: Mapping[str, float]) -> dict[str, int]:
        """How many each of the waiting routes may send now. Who did not wait before starts where the others are."""
        known = [self._at[route] for route in weights if route in self._at]
        start = min(known, default=0.0)
        line = [(max(self._at.get(route, start), start), route) for route in sorted(weights)]
        heapq.heapify(line)
        shares = dict.fromkeys(weights, 0)
        for _ in range(room if line else 0):
            at, route = line[0]
            shares[route] += 1
            heapq.heapreplace(line, (at + 1.0 / weights[route], route))
        self._at = {route: at for at, route in line}
        return shares
