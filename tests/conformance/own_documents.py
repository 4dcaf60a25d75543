"""Documents that the hub writes, held to the schemas and rules of a project: ``make conformance … PROJECT=FOLDER``.

A thousand invoices and credit notes made by chance, once as UBL and once as CII, some hundred other documents of UBL
made by chance, and those that the tests of the mappings to UBL begin with. Each is held to its schema and the rules
that it says it obeys. The last lines are a table and what judged; the exit code is 1 if anything is wrong.

    python tests/conformance/own_documents.py [PROJECT]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from public_documents import Judge, Run, report

from hub.profiles.rules import rules_process

sys.path.append(str(Path(__file__).parents[1] / "integration"))  # what its tests make documents with
import random_invoices
import random_ubl
from edi_library import cases_of, context
from there_and_back import written

SEEDS, OF_EACH, OF_OTHERS = range(10), 100, 50
BY_PEPPOL = (
    "order", "order_response", "order_change", "order_cancellation", "despatch_advice", "receipt_advice", "dispute",
)  # fmt: skip
COMPANY = {
    "name": "Example GmbH", "postal_address": {"country_code": "DE"},
    "endpoint": {"id": "DE136695976", "scheme_id": "9930"},
}  # fmt: skip
CONTEXT = context(COMPANY, "Europe/Berlin")
LACKING = {  # what Peppol wants of everybody: an electronic address, an address, a number of an article
    "a private buyer, a time of another day than the order, and an amount of a line worked out for Peppol",
    "a despatch advice with little in it",
}
Made = tuple[str, str, Any]  # its type, what it is called, the document


def invoices() -> Iterator[Made]:
    """The thousand."""
    for seed in SEEDS:
        for kind, document in random_invoices.documents(seed, OF_EACH):
            yield kind, document[f"{kind}_id"], document


def others() -> Iterator[Made]:
    """Everything else that goes out as UBL."""
    for kind in BY_PEPPOL:
        cases = cases_of(f"ubl/{kind.replace('_', '-')}-to-ubl")
        whole = (case for case in cases if "error" not in case and case["name"] not in LACKING)
        yield from ((kind, case["name"], case["input"]) for case in whole)
    for kind in random_ubl.MAKERS:
        made = random_ubl.documents(kind, 1, OF_OTHERS)
        yield from ((kind, str(number), document) for number, document in enumerate(made))


def judged(judge: Judge, format: str, made: Iterator[Made], found: Run) -> None:
    """Write documents and judge them; what is wrong is told."""
    for kind, name, document in made:
        verdict = judge.judge(format, written(format, kind, document, CONTEXT))
        found.verdicts[kind, format].append(verdict)
        for surprise in verdict.surprises:
            print(f"{kind} '{name}' as {format}\n    {surprise}")


def main(project: Path | None = None) -> int:
    """Print what is wrong, and a table; 1 where anything is."""
    judge, found = Judge(project), Run()
    judged(judge, "ubl", invoices(), found)
    judged(judge, "cii", invoices(), found)
    judged(judge, "ubl", others(), found)
    print(*report(found), sep="\n")
    rules_process().close()
    return int(bool(found.surprises))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if sys.argv[1:] and sys.argv[1] else None))
