"""Thousands of hostile expressions and documents, made by a seed, in a child with bounded memory.

No escape, no hang, no word of Python's. ``python -m tests.conformance.mapping_grammar SEED 1`` runs a seed again.
"""

from __future__ import annotations

import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest

from hub.errors import MappingError
from tests.conformance import mapping_grammar
from tests.conformance.mapping_grammar import Grammar, Hang, compiled_expression, documents, guarded

ROOT = Path(__file__).parents[2]
MOST_MEGABYTES = 600


@pytest.mark.parametrize(("name", "count"), [("mapping_grammar", 2500), ("mapping_payloads", 1200)])
def test_nothing_escapes_hangs_or_shows_python(name: str, count: int) -> None:
    command = [sys.executable, "-m", f"tests.conformance.{name}", "1", str(count)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert (run.returncode, run.stdout) == (0, ""), run.stderr[-2000:]
    used = re.fullmatch(rf"{count} \w+, (\d+) MB", run.stderr.strip())
    assert used and int(used[1]) < MOST_MEGABYTES


def test_most_expressions_are_well_formed_so_that_they_run() -> None:
    made = [compiled_expression(seed)[1] for seed in range(300)]
    assert sum(callable(run) for run in made) > 120
    assert any(run == "" for run in made)


def test_one_seed_always_makes_the_same() -> None:
    assert compiled_expression(42)[0] == compiled_expression(42)[0]
    assert len({compiled_expression(seed)[0] for seed in range(50)}) > 40


def bad(error: BaseException) -> Any:
    def raised() -> None:
        raise error

    return raised


@pytest.mark.parametrize(
    ("work", "words"),
    [
        (lambda: {}["x"], "KeyError"),
        (lambda: [type], "gives <class"),
        (lambda: {"a": 0.5}, "gives <class"),
        (lambda: {"a": Decimal("Infinity")}, "gives <class"),
        (bad(MappingError("unsupported operand for 'NoneType'")), "shows Python"),
        (bad(Hang()), "takes over"),
    ],
)
def test_what_may_not_happen_would_be_seen(work: Any, words: str) -> None:
    assert words in guarded(work, "")
    assert guarded(lambda: {"a": [1, "x", None]}, "") == ""
    assert guarded(bad(MappingError("expected a number")), "") == ""


def test_the_grammar_reaches_every_function() -> None:
    made = " ".join(Grammar(Random(seed)).expression() for seed in range(6000))
    assert [name for name in mapping_grammar.functions() if f"{name}(" not in made] == []
    assert len(documents()) > 4
