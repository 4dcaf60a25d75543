"""Of 200 typing mistakes in the reference project, `o2c check` finds 95 % of those that change a result.

    python -m tests.mutants.hunt 7 500

does the same with 500 of another seed, and lists what is missed.
"""

from __future__ import annotations

import re

import pytest

from tests.mutants import results
from tests.mutants.hunt import Verdict, hunted, made, missed, project, share_found, table
from tests.mutants.mutants import OPERATORS
from tests.mutants.results import result_of
from tests.reference_project import beside

SEED, COUNT = 1, 200
# A fault says what to write, what is known, or what was expected and what is at fault.
_ADVICE = re.compile(
    r"; |did you mean|write |expected |wants |missing|twice|quote it|never set|takes |needs |neither|must be|no route|"
    "no field|, not a "
)


@pytest.fixture(scope="module")
def verdicts() -> list[Verdict]:
    return hunted(SEED, COUNT)


def test_nineteen_of_twenty_mistakes_that_change_a_result_are_found(verdicts: list[Verdict]) -> None:
    assert len(verdicts) == COUNT
    report = "\n".join([*table(verdicts), *missed(verdicts)])
    assert share_found(verdicts) >= 0.95, report


def test_most_mistakes_change_a_result(verdicts: list[Verdict]) -> None:
    """Else nothing would be measured."""
    assert sum(verdict.changes for verdict in verdicts) > COUNT * 0.8


def test_every_operator_makes_mistakes_that_change_a_result(verdicts: list[Verdict]) -> None:
    changing = {verdict.mutant.operator for verdict in verdicts if verdict.changes}
    assert changing == {operator.__name__ for operator in OPERATORS}
    assert len(OPERATORS) >= 20


def test_every_fault_has_its_place_its_line_and_says_what_to_write(verdicts: list[Verdict]) -> None:
    for verdict in verdicts:
        for fault in verdict.faults:
            assert fault.line > 0
            assert fault.column > 0
            assert _ADVICE.search(fault.message), fault
            hides_a_secret = any("secret" in other.message or "password" in other.message for other in verdict.faults)
            is_beyond_the_end = fault.line > verdict.mutant.text.count("\n")
            assert "^" in fault.excerpt or hides_a_secret or is_beyond_the_end, fault


def test_the_same_seed_makes_the_same_mistakes_and_nothing_is_changed_by_none(verdicts: list[Verdict]) -> None:
    assert made(SEED, COUNT) == [verdict.mutant for verdict in verdicts]
    files = beside("", project())
    before = result_of(files)
    for kept in (part for part in vars(results).values() if hasattr(part, "cache_clear")):
        kept.cache_clear()
    assert result_of(files) == before
