"""Cases of mappings: what passes, what is told of what does not, and the two properties."""

from __future__ import annotations

import pytest

from hub.cases import read_cases
from hub.golden import MISSING, PROPERTIES, Bench, Coverage
from hub.mapping import EXPRESSION, Mapping
from tests.unit.golden.bench import ORDER_IN, ORDER_OUT, bench, results

FILE, IN = "mappings/order-out.test.yaml", "mappings/order-in.test.yaml"
ORDER = "{report_id: '1', stock_lines: [{available_quantity: {value: '2.50'}}, {available_quantity: {value: '1'}}]}"


@pytest.fixture(scope="module")
def project() -> Bench:
    return bench()


@pytest.mark.parametrize(
    ("expected", "told"),
    [
        ("{ref: '1', lines: 2, total: 3.5}", []),
        ("{ref: '1', lines: 2, total: 3.50}", []),
        ("{ref: '2', lines: 2, total: 3.5}", [("ref", "2", "1")]),
        ("{ref: '1', lines: '2', total: 3.5}", [("lines", "2", 2)]),
        ("{ref: '1', lines: 2, total: true}", [("total", True, "3.50")]),
        ("{ref: '1', lines: 2, total: 3.5, more: {a: 1}}", [("more", {"a": 1}, MISSING)]),
        ("{ref: '1', lines: 2}", [("total", MISSING, "3.50")]),
        ("[1]", [("(document)", [1], ...)]),
    ],
)  # fmt: skip
def test_a_document_is_compared_field_by_field(project: Bench, expected: str, told: list[object]) -> None:
    [result] = results(project, FILE, f"cases:\n- name: x\n  input: {ORDER}\n  expected: {expected}\n")
    found = [(each.path, each.expected, each.seen) for each in result.differences]
    shown = [(a, b, str(c) if a == "total" and c is not MISSING else ... if isinstance(c, dict) else c)
             for a, b, c in found]  # fmt: skip
    assert shown == told
    assert result.passed is not bool(told)


def test_a_difference_knows_its_place_in_the_test_and_in_the_mapping(project: Bench) -> None:
    [result] = results(project, FILE, f"cases:\n- name: x\n  input: {ORDER}\n  expected:\n    ref: '1'\n    lines: 3\n")
    lines, total = result.differences
    assert (lines.line, lines.column, lines.origin) == (6, 12, "mappings/order-out.yaml:8:10: count(src.stock_lines)")
    assert total.origin.startswith("mappings/order-out.yaml:9:10: sum(")
    assert result.update == {"expected": {"ref": "1", "lines": 2, "total": total.seen}}


@pytest.mark.parametrize(
    ("case", "problem", "differs"),
    [
        ("input: {}\n  error: required target field 'ref' would be nothing", "", ""),
        ("input: {}\n  error: another", "",
         "mappings/order-out.yaml:7:8: required target field 'ref' would be nothing: src.report_id is missing"),
        (f"input: {ORDER}\n  error: required", "", "no error: it gives a document"),
        ("input: {}\n  expected: {}",
         "mappings/order-out.yaml:7:8: required target field 'ref' would be nothing: src.report_id is missing", ""),
        ("input_text: '{'\n  error: not JSON", "", "the text ends too early (line 1, column 2)"),
    ],
)  # fmt: skip
def test_an_error_is_expected_by_a_part_of_its_text(project: Bench, case: str, problem: str, differs: str) -> None:
    [result] = results(project, FILE, f"cases:\n- name: x\n  {case}\n")
    assert result.problem == problem
    seen = [each.seen for each in result.differences]
    assert (seen == [differs] or "JSON" in case) if differs else seen == []
    assert result.passed is not bool(problem or differs)
    assert not result.update
    assert result.passed or result.why_not


def test_input_and_output_may_be_in_their_own_formats(project: Bench) -> None:
    rows = (
        'cases:\n- {name: x, record: 2, input_text: "id,name,qty,unit\\r\\n1,a,1,\\r\\n2,b,2,\\r\\n", expected: {}}\n'
    )
    [result] = results(project, "mappings/rows-in.test.yaml", rows)
    assert result.update["expected"]["report_id"] == "2"
    [several] = results(project, "mappings/rows-in.test.yaml", rows.replace("record: 2, ", ""))
    assert several.problem == "the input holds 2 records; write which one is meant: record: 1"
    case = "cases:\n- name: x\n  input: " + ORDER + '\n  expected_text: "{}"\n'
    right, wrong, ends = "ref,lines\\r\\n1,2\\r\\n", "ref,lines\\r\\n1,3\\r\\n", "ref,lines\\n1,2\\n"
    file = "mappings/rows-out.test.yaml"
    assert results(project, file, case.replace("{}", right))[0].passed
    [each] = results(project, file, case.replace("{}", wrong))[0].differences
    assert (each.path, each.expected, each.seen) == ("lines", "3", "2")
    [each] = results(project, file, case.replace("{}", ends))[0].differences
    assert (each.path, each.expected, each.seen) == ("(line 1)", "ref,lines\n", "ref,lines\r\n")


def test_what_comes_out_must_be_valid(project: Bench) -> None:
    [result] = results(project, IN, "cases:\n- {name: x, input: {id: 1, lines: []}, expected: {}}\n")
    assert result.problem.startswith("the document breaks canonical/stock_level: stock_lines: ")
    assert not result.update


def test_cross_references_are_those_of_the_case(project: Bench) -> None:
    text = """
cases:
- name: x
  input: {id: 1, lines: [{name: a, qty: 1, unit: box}]}
  xrefs: [{system: shop, kind: unit, id: box, value: XBX}]
  expected: {}
"""
    [result] = results(project, IN, text)
    assert result.update["expected"]["stock_lines"][0]["available_quantity"]["unit_code"] == "XBX"


def test_a_case_that_expects_nothing_yet_fails_and_can_be_filled_in(project: Bench) -> None:
    [result] = results(project, FILE, f"cases:\n- name: x\n  input: {ORDER}\n")
    assert not result.passed
    assert result.update["expected"]["ref"] == "1"


# -- properties --------------------------------------------------------------------------------------------------------

GOOD = f"cases:\n- name: x\n  input: {ORDER}\n  expected: {{ref: '1', lines: 2, total: 3.5}}\n"


def properties(found: Bench, text: str = GOOD, file: str = FILE) -> str:
    [_, result] = results(found, file, text, properties=True)
    assert result.kind == PROPERTIES
    return result.problem


def test_a_mapping_that_holds_has_both_properties(project: Bench) -> None:
    assert properties(project) == ""


def test_a_document_that_is_not_valid_without_a_field_is_told_with_the_field() -> None:
    found = bench(order_in=ORDER_IN.replace(b"item: {name: l.name}", b"item: {name?: l.name}"))
    case = "cases:\n- name: x\n  input: {id: 1, lines: [{name: a, qty: 1}]}\n  expected: {}\n"
    told = properties(found, case, IN)
    assert told.startswith("without src.lines: no error, and a document that breaks canonical/stock_level")
    assert (
        "without src.lines[0].name: no error, and a document that breaks canonical/stock_level: stock_lines[0]" in told
    )


def test_a_canonical_source_that_is_not_valid_may_become_anything() -> None:
    found = bench(order_out=ORDER_OUT.replace(b"ref: src.report_id", b"ref?: src.report_id"))
    assert properties(found) == ""


def test_a_binary_float_is_told_with_its_path(project: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    from hub.golden import properties as tried

    monkeypatch.setattr(tried, "floats", lambda value, path="": iter([("total", 0.1)]))
    assert properties(project).startswith("total: a binary floating point number, 0.1")


def test_anything_but_an_error_of_the_mapping_is_told(project: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def apply(self: Mapping, document: object, context: object = None) -> object:
        return real(self, document) if document == source else {}["nothing"]  # type: ignore[index]

    [case] = read_cases({FILE: GOOD.encode()}, FILE).cases
    source, real = case.input.value, Mapping.apply  # type: ignore[union-attr]
    monkeypatch.setattr(Mapping, "apply", apply)
    assert properties(project).startswith("without src.report_id: not an error of the mapping but KeyError: 'nothing'")


def test_a_large_input_is_tried_in_as_many_ways_as_are_allowed_and_the_seed_chooses(project: Bench) -> None:
    lines = ", ".join("{available_quantity: {value: '1'}}" for _ in range(200))
    text = f"cases:\n- name: x\n  input: {{report_id: '1', stock_lines: [{lines}]}}\n  expected: {{}}\n"
    [_, result] = results(project, FILE, text, properties=True)
    assert result.notes == ("400 variants",)


# -- coverage ----------------------------------------------------------------------------------------------------------


def test_coverage_counts_what_the_cases_of_a_mapping_reach(project: Bench) -> None:
    found = results(project, FILE, GOOD)
    [file] = Coverage.of(project, found, ["mappings/order-out.yaml"]).files
    assert (file.count(EXPRESSION), file.count(EXPRESSION, missed=True)) == (3, 0)
    assert [probe.way for probe in file.missed] == ["the list is empty"]
    [untested] = Coverage.of(project, found, ["mappings/rows-out.yaml"]).files
    assert len(untested.missed) == len(untested.probes) == 2
    assert Coverage([untested]).percent == 0
