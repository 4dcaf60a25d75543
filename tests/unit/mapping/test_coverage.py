"""What of a mapping ran: probes change no result, and each of them is hit by exactly what it stands for."""

from __future__ import annotations

from typing import Any

import pytest

from hub.errors import MappingError
from hub.mapping import EXPRESSION, Mapping, Probes, compile_expression
from tests.unit.mapping.build import compiled
from tests.unit.mapping.reference import cases_of, context_of, mapping, mapping_files


def ways(body: str, *documents: Any) -> list[str]:
    """The branches that these documents leave out, each with its text."""
    probes = Probes()
    covered = compiled(body).covered(probes)
    for document in documents:
        covered.apply(document)
    hit = set(probes.hit())
    return [f"{probe.way}: {probe.text}" for probe in probes.all if probe not in hit]


@pytest.mark.parametrize(
    ("leaf", "documents", "left"),
    [
        ("src.a or src.b", [{"a": 1}], ["'or' gets here: src.b"]),
        ("src.a or src.b", [{"b": 1}], ["'or' stops here: src.a"]),
        ("src.a or src.b", [{"a": 1}, {"b": 1}], []),
        ("src.a and src.b and src.c", [{"a": 1, "c": 1}], ["'and' stops here: src.a", "'and' gets here: src.c"]),
        ("1 if src.a else 2", [{"a": 1}], ["else: 2"]),
        ("1 if src.a else 2", [{}], ["if: 1"]),
        ("default(src.a, 'x')", [{"a": ""}], ["the value is there: default(src.a, 'x')"]),
        ("default(src.a, 'x')", [{"a": 0}], ["the default is used: default(src.a, 'x')"]),
        ("src.a | default('x')", [{"a": 0}], ["the default is used: src.a | default('x')"]),
        ("coalesce(src.a, src.b, 'x')", [{"b": 1}, {}], ["argument 1 is given: coalesce(src.a, src.b, 'x')"]),
        ("lookup(src.a, 'units', 'C62')", [{"a": "pcs"}],
         ["the look-up's default is used: lookup(src.a, 'units', 'C62')"]),
        ("lookup(src.a, 'units', 'C62')", [{}], ["the key is found: lookup(src.a, 'units', 'C62')"]),
        ("lookup(src.a, 'units')", [{"a": "pcs"}], []),
        ("sum(x.n for x in src.a if x.n)", [{"a": []}],
         ["the loop runs: src.a", "if holds: x.n", "if does not hold: x.n"]),
        ("sum(x.n for x in src.a if x.n)", [{"a": [{"n": 1}]}], ["the list is empty: src.a", "if does not hold: x.n"]),
        ("[x for x in ['1', '2'] if x == src.a]", [{"a": "1"}], []),
        ("{when: src.a, item: {b: src.a}}", [{"a": 1}], ["when does not hold: src.a"]),
        ("{each: src.a, as: x, when: x.n, item: x.n}", [{"a": [{"n": 1}, {}]}], ["the list is empty: src.a"]),
    ],
)  # fmt: skip
def test_a_branch_is_covered_by_the_documents_that_take_it(leaf: str, documents: list[Any], left: list[str]) -> None:
    written = leaf if leaf.startswith("{") else f'"{leaf}"'
    assert ways(f"output:\n  o?: {written}", *documents) == left


def test_an_expression_that_no_document_reaches_is_told_with_its_place() -> None:
    probes = Probes()
    covered = compiled("output:\n  o?:\n    when: src.a\n    item:\n      b: src.b\n").covered(probes)
    covered.apply({})
    [left] = [probe for probe in probes.all if probe.kind == EXPRESSION and probe not in probes.hit()]
    assert (left.line, left.column, left.end_line, left.end_column, left.text) == (5, 10, 5, 15, "src.b")
    assert str(left) == "mappings/orders/sample.yaml:5:10: never ran: expression: src.b"


def test_an_expression_of_a_route_tells_whether_it_ever_held() -> None:
    probes = Probes()
    plain = compile_expression("has(src.a)", file="routes/r.yaml", line=3, column=9, names=("src", "envelope"))
    covered = plain.covered(probes, is_condition=True)
    assert covered(src={"a": 1}, envelope={}) is True
    assert [str(probe) for probe in probes.all if probe not in probes.hit()] == [
        "routes/r.yaml:3:9: never ran: when does not hold: has(src.a)"
    ]


def outcome(compiled: Mapping, document: Any, context: Any) -> Any:
    try:
        return compiled.apply(document, context)
    except MappingError as error:
        return str(error), error.code, error.field_path, error.hint


@pytest.mark.parametrize("file", mapping_files())
def test_probes_change_no_result_and_no_error(file: str) -> None:
    covered = mapping(file).covered(Probes())
    documents = [case["input"] for case in cases_of(file)]
    documents += [{key: value for key, value in documents[0].items() if key != left} for left in documents[0]]
    documents += [{**documents[0], key: strange} for key in documents[0] for strange in ("x", 1, [], [1], {"a": 1})]
    for document in documents:
        assert outcome(covered, document, context_of(file)) == outcome(mapping(file), document, context_of(file))
