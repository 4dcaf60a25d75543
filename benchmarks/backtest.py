"""A back-test of many stored orders: how many a second, and whether memory grows with their number.

A hub takes the orders in and delivers them; then ``o2c backtest`` runs them through a mapping in which one field is
edited, so that nearly every one is run twice and differs.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.hub_project import hub
from benchmarks.processes import started
from benchmarks.report import Claim, as_json, as_table, exit_code
from benchmarks.trial import Load, Rig, rig

_MAPPING = "shopify-order"
_BEFORE, _AFTER = "channel: {const: ecommerce}", "channel: {const: edi}"
_COUNTED = re.compile(r"(\d[\d,]*) equal, (\d[\d,]*) changed")


@dataclass(frozen=True, slots=True)
class Seen:
    """One back-test: how long, how many changed, and the resident memory of its processes over time, in MB."""

    seconds: float
    changed: int
    memory: list[float]


def claims(place: Rig, orders: int) -> Iterator[Claim]:
    """What was measured."""
    folder = place.folder / "project"
    folder.mkdir()
    with hub(place, folder) as (running, url):
        place.run([running], url, Load(orders=orders))
    seen = _backtest(folder)
    early, late = max(seen.memory[: len(seen.memory) // 3]), max(seen.memory)
    yield Claim(f"orders back-tested of {orders:,}", seen.changed, "orders", at_least=orders)
    yield Claim("orders a second", orders / seen.seconds, "/s")
    yield Claim("memory of the command and its processes", late, "MB")
    yield Claim("memory that came in the last two thirds of the run", late - early, "MB", at_most=16)


def _backtest(folder: Path) -> Seen:
    text = (Path(__file__).parents[1] / "mappings" / "orders" / f"{_MAPPING}.yaml").read_text()
    if _BEFORE not in text:
        raise RuntimeError(f"{_MAPPING} has no line {_BEFORE!r} any more that this benchmark edits")
    candidate = folder / "candidate.yaml"
    candidate.write_text(text.replace(_BEFORE, _AFTER))
    o2c = str(Path(sys.executable).with_name("o2c"))
    command = [o2c, "backtest", _MAPPING, "--candidate", str(candidate), "--since", "1d", "--project", str(folder)]
    begin, memory = time.monotonic(), []
    with started("backtest", command, folder) as running:
        while running.process.poll() is None:
            memory.append(running.rss_mb())
            time.sleep(0.2)
    counted = _COUNTED.search(running.log.read_text())
    if counted is None:
        raise RuntimeError(f"the back-test told nothing:\n{running.tail()}")
    return Seen(time.monotonic() - begin, int(counted[2].replace(",", "")), memory)


def main() -> int:
    parser = argparse.ArgumentParser(description="A back-test of stored orders")
    parser.add_argument("--json", action="store_true", help="print the claims as JSON")
    parser.add_argument("--quick", action="store_true", help="few orders, for trying it out")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="o2c-bench-") as folder, rig(Path(folder)) as place:
        measured = list(claims(place, 5_000 if options.quick else 100_000))
    print(as_json(measured) if options.json else as_table(measured))
    return exit_code(measured)


if __name__ == "__main__":
    sys.exit(main())
