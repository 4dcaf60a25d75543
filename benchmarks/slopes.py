"""Whether something grows: samples over time, the line through them, and a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import sqrt
from statistics import median

CERTAIN = 2.0  # standard deviations: what only jumps up and down is taken for growth once in forty times


@dataclass(frozen=True, slots=True)
class Series:
    """One thing that was looked at again and again. ``may_grow``: by this part of its middle value over the whole time,
    or by so many of its unit, whichever is more; None where it is only told."""

    name: str
    unit: str
    may_grow: float | None = None
    slack: float = 0.0

    def judge(self, hours: Sequence[float], values: Sequence[float]) -> Line:
        """The line through the samples. Raises ValueError where there are fewer than two."""
        if len(values) < 2:
            raise ValueError(f"{self.name}: {len(values)} samples are too few to tell whether it grows")
        # The median slope of all pairs: one sample that stands out bends no line.
        pairs = list(combinations(zip(hours, values, strict=True), 2))
        slope = median((after - before) / (later - earlier) for (earlier, before), (later, after) in pairs)
        growth = slope * (hours[-1] - hours[0])
        bound = None if self.may_grow is None else max(self.may_grow * median(values), self.slack)
        is_chance = _trend([after - before for (_, before), (_, after) in pairs], len(values)) < CERTAIN
        return Line(self, median(values), max(values), slope, growth, bound is None or growth <= bound or is_chance)


def _trend(steps: Sequence[float], count: int) -> float:
    """How far from chance it is that later samples are higher, in standard deviations (Mann and Kendall)."""
    higher = sum((step > 0) - (step < 0) for step in steps)
    return float(higher / sqrt(count * (count - 1) * (2 * count + 5) / 18))


@dataclass(frozen=True, slots=True)
class Line:
    """What came of a series: its middle and highest value, growth an hour and over the time, and whether it holds."""

    series: Series
    middle: float
    highest: float
    per_hour: float
    growth: float
    holds: bool

    def __str__(self) -> str:
        series = self.series
        verdict = "" if series.may_grow is None else "flat" if self.holds else "GROWS"
        return (
            f"{series.name:<28}{self.middle:>12,.1f}{self.highest:>12,.1f}{self.per_hour:>+14,.1f}  "
            f"{series.unit:<8}{verdict}"
        ).rstrip()


def heading() -> str:
    return f"{'':<28}{'median':>12}{'highest':>12}{'slope an hour':>14}"
