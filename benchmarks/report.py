"""Claims of a benchmark: what was measured, what was to be reached, whether it holds; as a table or as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Claim:
    """One measured sentence. With neither bound it is a figure that is only told."""

    claim: str
    value: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def holds(self) -> bool:
        """Whether the value is within its bound; what could not be measured (NaN) holds nothing."""
        if math.isnan(self.value):
            return False
        above = self.at_least is None or self.value >= self.at_least
        return above and (self.at_most is None or self.value <= self.at_most)

    def as_dict(self) -> dict[str, Any]:
        value = None if math.isnan(self.value) else float(f"{self.value:.4g}")
        bounds = {"at_least": self.at_least, "at_most": self.at_most}
        given = {name: bound for name, bound in bounds.items() if bound is not None}
        return {"claim": self.claim, "value": value, "unit": self.unit, **given, "holds": self.holds}


def as_json(claims: Sequence[Claim]) -> str:
    """The list that ``o2c bench NAME --json`` prints."""
    return json.dumps([claim.as_dict() for claim in claims], indent=2, ensure_ascii=False)


def as_table(claims: Sequence[Claim]) -> str:
    """The same for a person: one line a claim, what fails is marked."""
    width = max((len(claim.claim) for claim in claims), default=0)
    return "\n".join(_line(claim, width) for claim in claims)


def exit_code(claims: Sequence[Claim]) -> int:
    return 0 if all(claim.holds for claim in claims) else 1


def _line(claim: Claim, width: int) -> str:
    bound = ""
    if claim.at_least is not None:
        bound = f"at least {claim.at_least:g}"
    elif claim.at_most is not None:
        bound = f"at most {claim.at_most:g}"
    verdict = "FAILS" if not claim.holds else "holds" if bound else ""
    value = "not measured" if math.isnan(claim.value) else f"{claim.value:,.4g} {claim.unit}"
    return f"{claim.claim:<{width}}  {value:>16}  {bound:<16} {verdict}".rstrip()
