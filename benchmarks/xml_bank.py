"""The bank statements of ``o2c bench xml``: read, beside lxml that reads nothing of them and bankstatementparser.

CPU time, one core; every contestant is a process of its own (xml_bank_contestant.py) and they take turns. The hub gives
documents with exact amounts, references and parties, and none of them before the balances have shown that they hold;
lxml goes over the entries and lets them go, which is the least that reading costs; bankstatementparser gives a dict of
each entry.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any, Protocol

from benchmarks.contestants import ratio, told
from benchmarks.report import Claim
from benchmarks.xml_bank_samples import statement

_NAN = float("nan")


class Ground(Protocol):
    """A folder, and how often each has its turn; small files where that is once."""

    @property
    def folder(self) -> Path: ...
    @property
    def rounds(self) -> int: ...


def claims(ground: Ground) -> Iterator[Claim]:
    """Every claim, measured one after the other."""
    entries, few = (211_000, 5_000) if ground.rounds > 1 else (10_000, 1_000)
    large, small = _written(ground.folder / "large.xml", entries), _written(ground.folder / "small.xml", few)
    rounds = [
        [_told("hub", large), _told("bare", large), _told("bankstatementparser", small)] for _ in range(ground.rounds)
    ]
    hub, bare, others = ([_rate(found) for found in column] for column in zip(*rounds, strict=True))
    size = f"{large.stat().st_size / 1e6:.0f} MB"
    yield Claim(f"camt.053 of {size}: documents, sums proved", median(hub), "entries/s")
    yield Claim("camt.053: speed beside lxml's bare iterparse", ratio(hub, bare), "x", at_least=0.3)
    yield Claim("camt.053: speed over bankstatementparser", ratio(hub, others), "x", at_least=5)
    growth = max(found["growth"] if found else _NAN for found, *_ in rounds)
    yield Claim(f"camt.053 of {size}: memory growth", growth / 1e6, "MB", at_most=60)


def _written(path: Path, entries: int) -> Path:
    with path.open("wb") as file:
        file.writelines(statement(entries))
    return path


def _told(name: str, path: Path) -> dict[str, Any] | None:
    found: dict[str, Any] | None = told("benchmarks.xml_bank_contestant", name, path)
    return found


def _rate(found: dict[str, Any] | None) -> float:
    return found["entries"] / found["seconds"] if found else _NAN
