"""A source that may give what is not complete says so once, and what to write instead."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from replaying import CSV_IN
from test_sources import PARTNER, ROUTE
from world import SYSTEMS, World

from hub.sweeper import Sweeper


@pytest.mark.parametrize(("ready", "expected"), [("stability", 1), ("rename", 0), ("marker", 0)])
def test_it_is_told_once_that_a_source_goes_by_stability_alone(
    make_world: Callable[..., World], tmp_path: Path, ready: str, expected: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    (tmp_path / "files/in").mkdir(parents=True)
    partner = PARTNER.format(root=tmp_path / "files").replace("ready: rename", f"ready: {ready}")
    world = make_world(systems=SYSTEMS + partner.encode(), routes=ROUTE, order_in=CSV_IN)
    told: list[dict[str, str]] = []
    monkeypatch.setattr("hub.sweeper._log.warning", lambda event, **more: told.append(more))
    sweeper = Sweeper(world.engine, world.folder, None, {})
    for _ in range(3):
        sweeper.sweep()
        world.run()
        sweeper._deployed()
        world.wait(10)
    assert len(told) == expected
    for line in told:
        assert line["system"] == "partner"
        assert "which is weak: a writer may pause" in line["reason"]
        assert "ready: rename" in line["reason"] and "ready: marker" in line["reason"]
