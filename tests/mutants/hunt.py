"""Which mutants change a result, and which of those ``o2c check`` finds: the table, and those that it misses.

``python -m tests.mutants.hunt [SEED [COUNT]]`` prints both.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hub.check import check_project
from hub.errors import Fault
from tests.mutants.mutants import OPERATORS, Mutant, mutants
from tests.mutants.results import mapping_paths, result_of
from tests.reference_project import beside, whole


@dataclass(frozen=True)
class Verdict:
    """One mutant: whether it changes a result, and what the lint says of it."""

    mutant: Mutant
    changes: bool
    faults: tuple[Fault, ...]
    change: str

    @property
    def is_missed(self) -> bool:
        return self.changes and not self.faults


def project() -> dict[str, bytes]:
    """The reference project with what travels with the hub, the library of EDI too, without the tests of routes, which
    would tell of a mistake as well."""
    return {
        path: raw for path, raw in whole().items() if not (path.startswith("routes/") and path.endswith(".test.yaml"))
    }


def made(seed: int, count: int) -> list[Mutant]:
    """So many mutants of the project."""
    files = project()
    return mutants(files, tuple(mapping_paths(files)), seed, count)


def hunted(seed: int, count: int) -> list[Verdict]:
    """What becomes of so many mutants."""
    files = project()
    return [_verdict(mutant, files) for mutant in made(seed, count)]


def _verdict(mutant: Mutant, files: Mapping[str, bytes]) -> Verdict:
    near = beside(mutant.path, files)
    changed = {**near, mutant.path: mutant.text.encode()}
    changes = result_of(changed) != result_of(near)
    return Verdict(mutant, changes, check_project(changed).faults, _difference(files[mutant.path].decode(), mutant))


def _difference(before: str, mutant: Mutant) -> str:
    lines = difflib.unified_diff(before.splitlines(), mutant.text.splitlines(), lineterm="", n=0)
    return " | ".join(line.strip() for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---"))


def table(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """A line for each operator: how many mutants it made, how many change a result, how many of those are found."""
    yield f"{'operator':<20} made changing found"
    for name in (operator.__name__ for operator in OPERATORS):
        own = [verdict for verdict in verdicts if verdict.mutant.operator == name]
        yield f"{name:<20} {_counts(own)}"
    yield f"{'all':<20} {_counts(verdicts)}"


def _counts(verdicts: Sequence[Verdict]) -> str:
    changing = [verdict for verdict in verdicts if verdict.changes]
    return f"{len(verdicts):4} {len(changing):8} {sum(1 for verdict in changing if verdict.faults):5}"


def missed(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """The mutants that change a result and that the lint is silent about."""
    for verdict in verdicts:
        if verdict.is_missed:
            yield f"{verdict.mutant.operator}: {verdict.mutant.path}: {verdict.change}"


def share_found(verdicts: Sequence[Verdict]) -> float:
    """The share of the mutants that change a result which the lint finds."""
    changing = [verdict for verdict in verdicts if verdict.changes]
    return sum(1 for verdict in changing if verdict.faults) / len(changing)


def main(seed: int = 1, count: int = 500) -> None:
    """Print the table of one seed and what is missed."""
    verdicts = hunted(seed, count)
    print("\n".join(table(verdicts)))
    print(f"\nfound: {share_found(verdicts):.1%} of those that change a result; missed:")
    print("\n".join(missed(verdicts)))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
