"""What no case reached: the expressions and branches of each file, and how many there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from hub.cases import SUFFIX
from hub.golden.bench import Bench
from hub.golden.results import Result
from hub.mapping import EXPRESSION, Probe
from hub.project import text_of


class FileCoverage(msgspec.Struct, frozen=True):
    """One mapping or route file: all its probes in the order of the file, those that were hit, and its text."""

    file: str
    probes: Sequence[Probe]
    hit: frozenset[Probe]
    text: str
    has_tests: bool

    @property
    def missed(self) -> list[Probe]:
        return [probe for probe in self.probes if probe not in self.hit]

    def count(self, kind: str, missed: bool = False) -> int:
        return sum(probe.kind == kind for probe in (self.missed if missed else self.probes))


class Coverage(msgspec.Struct, frozen=True):
    """All files that were looked at."""

    files: Sequence[FileCoverage]

    @classmethod
    def of(cls, bench: Bench, results: Iterable[Result], wanted: Iterable[str]) -> Coverage:
        """The coverage of these files by all results, whichever file they are of."""
        hits: dict[str, set[Probe]] = {}
        for result in results:
            for probe in result.hits:
                hits.setdefault(probe.file, set()).add(probe)
        return cls([_of_file(bench, file, hits.get(file, set())) for file in sorted(set(wanted))])

    def count(self, kind: str, missed: bool = False) -> int:
        return sum(file.count(kind, missed) for file in self.files)

    @property
    def total(self) -> int:
        return sum(len(file.probes) for file in self.files)

    @property
    def percent(self) -> float:
        """Of all expressions and branches; 100 where there are none."""
        missed = sum(len(file.missed) for file in self.files)
        return 100.0 * (self.total - missed) / self.total if self.total else 100.0

    def as_dict(self) -> Mapping[str, object]:
        return {
            "percent": round(self.percent, 2), "expressions": self.count(EXPRESSION), "branches": self.count("branch"),
            "files": [_as_dict(file) for file in self.files],
        }  # fmt: skip


def _of_file(bench: Bench, file: str, hit: set[Probe]) -> FileCoverage:
    found = bench.probes.get(file)
    probes = sorted(found.all) if found is not None else []
    tests = f"{file.removesuffix('.yaml')}{SUFFIX}"
    return FileCoverage(file, probes, frozenset(hit), text_of(bench.files, file)[0], tests in bench.files)


def _as_dict(file: FileCoverage) -> dict[str, object]:
    return {
        "file": file.file, "expressions": file.count(EXPRESSION), "branches": file.count("branch"),
        "missed": [
            {"line": p.line, "column": p.column, "kind": p.kind, "way": p.way, "text": p.text} for p in file.missed
        ],
    }  # fmt: skip
