"""What a watched folder gives is received once, and goes by the outcome of its messages, whatever crashes between."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from conftest import SYSTEMS, World
from replaying import CSV_IN, NO

from connectors.base import LATER, Verdict
from hub.sweeper import Sweeper

ROUTE = b"""
route: orders
from: {system: partner}
map: order-in
order: none
to: [{system: erp, map: order-out}]
retry: {attempts: 3, first: 10s, factor: 2, cap: 60s, jitter: none}
"""
PARTNER = """
partner:
  connector: file
  format: csv
  root: {root}
  fetch: {{folder: in, ready: rename, every: 1s, archive_by: outcome, lease: 60s}}
"""


def watching(make_world: Callable[..., World], root: Path) -> World:
    (root / "in").mkdir(parents=True)
    return make_world(systems=SYSTEMS + PARTNER.format(root=root).encode(), routes=ROUTE, order_in=CSV_IN)


def sweep(world: World) -> None:
    """A round of a sweeper that has just started; its clocks are the real ones, its files of today."""
    Sweeper(world.engine, world.folder, None, {}).sweep()
    world.run()
    Sweeper(world.engine, world.folder, None, {}).sweep()


def test_what_a_crash_makes_the_folder_give_again_is_filed_by_the_outcome_of_the_first_time(
    make_world: Callable[..., World], tmp_path: Path
) -> None:
    root = tmp_path / "files"
    world = watching(make_world, root)
    world.target("erp").answers.extend([Verdict(LATER, code="http_503", status=503), NO])
    (root / "in" / "orders.csv").write_bytes(b"id,qty\n1,2\n")
    sweep(world)
    [accepted] = (root / "in/.work").iterdir()
    # The hub died between the commit and the rename, longer ago than the lease.
    reference = accepted.name.split("-", 2)[2]
    accepted.rename(accepted.with_name(f"claimed-1-{reference}"))
    world.crash("w2")
    sweep(world)
    assert [path.name[:9] for path in (root / "in/.work").iterdir()] == ["accepted-"]
    assert world.rows("SELECT count(*) FROM receipts") == [(1,)]
    world.wait(60)
    sweep(world)
    assert world.states() == [("erp", "dead")]
    assert (root / "error/orders.csv").exists()
    assert not (root / "archive").exists()
