"""The simulation finds each of the classic bugs, soon, by the rule that it breaks, and shows a short way there; the hub
without them passes."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from planted import PATCHES, hub_with, rule_of, simulate

SEEDS = "1..400"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """What the simulation says of each hub with a bug."""

    places = {patch: tmp_path_factory.mktemp(patch.stem) for patch in PATCHES}  # not made by two threads at once

    def look(patch: Path) -> Any:
        return simulate(hub_with(patch, places[patch]), "--seed", SEEDS)

    with ThreadPoolExecutor(2) as pool:
        return dict(zip([patch.stem for patch in PATCHES], pool.map(look, PATCHES), strict=True))


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.stem)
def test_the_simulation_finds(patch: Path, found: Mapping[str, Any]) -> None:
    broken = found[patch.stem]["broken"]
    assert broken is not None, f"{patch.stem} was not found in the seeds {SEEDS}"
    assert broken["rule"] == rule_of(patch), broken["detail"]
    assert broken["again"] == f"o2c simulate --seed {broken['seed']}"
    assert "BROKEN" in broken["trace"][-1]
    assert len(broken["events"]) <= 16


def test_there_are_at_least_ten_of_them() -> None:
    assert len(PATCHES) >= 10
