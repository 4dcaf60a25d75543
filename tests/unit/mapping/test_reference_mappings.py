"""The mappings of the reference project: each case holds, each output is valid, nothing breaks them unexplained."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hub.errors import MappingError
from tests.unit.mapping.reference import (
    LIBRARIES,
    cases_of,
    context_of,
    files,
    floats,
    mapping,
    mapping_files,
    plain,
    schemas,
)  # fmt: skip

CASES: list[Any] = [
    pytest.param(file, case, id=f"{file.rpartition('/')[2]}: {case['name']}")
    for file in mapping_files()
    for case in cases_of(file)
]
DOCUMENTS = [case for case in CASES if "error" not in case.values[1]]
ORDER = "mappings/orders/shopify-order.yaml"
_PYTHON = (
    "NoneType",
    "Traceback",
    "'str'",
    "'dict'",
    "object has no attribute",
    "operand",
    "Decimal(",
    "subscriptable",
)


@pytest.mark.parametrize("file", mapping_files())
def test_a_reference_mapping_compiles_without_a_warning(file: str) -> None:
    assert mapping(file).warnings == ()


def test_whatever_has_fields_names_the_schema_of_its_target() -> None:
    """Else a misspelt field would go out as it is."""
    targets = {file: mapping(file).target for file in mapping_files()}
    without = [file for file, target in targets.items() if target.format == "json" and not target.schema]
    assert [file for file in without if not file.endswith("-button.yaml")] == []  # those that send a number alone


@pytest.mark.parametrize(("file", "case"), CASES)
def test_a_case_beside_a_mapping_holds(file: str, case: dict[str, Any]) -> None:
    compiled = mapping(file)
    if "error" in case:
        assert case["error"] in _error_of(file, case)
        return
    found = compiled.apply(case["input"], context_of(file, case))
    assert found == case["expected"]
    assert list(floats(found)) == []
    assert schemas().faults(compiled.target.schema or "", plain(found)) == []


@pytest.mark.parametrize(("file", "case"), DOCUMENTS)
def test_a_trace_gives_the_same_document_and_names_every_field(file: str, case: dict[str, Any]) -> None:
    document, trace = mapping(file).trace(case["input"], context_of(file, case))
    assert document == case["expected"]
    told = {entry.path for entry in trace}
    for path in _paths(document):
        ways = {_written(path[:length]) for length in range(1, len(path) + 1)}
        assert told & ways or _is_parent(_written(path), told), path
    for entry in trace:
        if entry.value is not None and not isinstance(entry.value, dict | list):
            found = _at(document, entry.path)
            assert found == entry.value or (found is None and entry.value == "")


def _error_of(file: str, case: dict[str, Any]) -> str:
    """Why a case gives no document: the mapping's error, or what breaks the target's schema."""
    try:
        found = mapping(file).apply(case["input"], context_of(file, case))
    except MappingError as error:
        return str(error)
    return "; ".join(map(str, schemas().faults(mapping(file).target.schema or "", plain(found))))


def _written(path: tuple[Any, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def _is_parent(path: str, told: set[str]) -> bool:
    return any(other.startswith((f"{path}.", f"{path}[")) for other in told)


def _at(document: Any, path: str) -> Any:
    for part in path.replace("[", ".[").split("."):
        if part.startswith("["):
            document = document[int(part[1:-1])]
        elif isinstance(document, dict):
            document = document.get(part)
    return document


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every field and element of a document."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in entries:
        yield (*path, key)
        yield from _paths(child, (*path, key))


def _changed(document: Any, path: tuple[Any, ...], change: Any) -> Any:
    """A document in which the value at a path is replaced; ``...`` takes it away. The rest is not copied."""
    copied = copy.copy(document)
    if len(path) > 1:
        copied[path[0]] = _changed(document[path[0]], path[1:], change)
    elif change is ...:
        del copied[path[0]]
    else:
        copied[path[0]] = change
    return copied


def _survives(file: str, document: Any, *, must_be_valid: bool) -> str:
    """What became of a document: ``valid``, ``error``. Anything but a MappingError goes up and fails the test."""
    compiled = mapping(file)
    try:
        found = compiled.apply(document, context_of(file))
    except MappingError as error:
        assert error.file == file
        assert error.line
        assert error.column
        assert not any(word in str(error) for word in _PYTHON), str(error)
        return "error"
    assert list(floats(found)) == []
    if must_be_valid and not schemas().is_valid(compiled.target.schema or "", plain(found)):
        raise AssertionError([str(fault) for fault in schemas().faults(compiled.target.schema or "", plain(found))])
    return "valid"


SHOPIFY = [case for case in cases_of(ORDER) if "expected" in case]


@pytest.mark.parametrize("case", SHOPIFY, ids=lambda case: case["name"])
@pytest.mark.parametrize("change", [..., None], ids=["taken away", "null"])
def test_without_any_one_field_an_order_is_valid_or_a_located_error(case: dict[str, Any], change: Any) -> None:
    outcomes = [
        _survives(ORDER, _changed(case["input"], path, change), must_be_valid=True) for path in _paths(case["input"])
    ]
    assert set(outcomes) == {"valid", "error"}


STRANGE: list[Any] = [
    "",
    "x",
    "🦊" * 50,
    0,
    -1,
    10**39,
    Decimal("1e20"),
    Decimal("-0.001"),
    True,
    [],
    [None],
    ["x"],
    {},
    {"x": 1},
]


@pytest.mark.parametrize("file", mapping_files())
def test_whatever_stands_in_a_field_there_is_an_output_or_a_located_error(file: str) -> None:
    document = cases_of(file)[0]["input"]
    changed = [_changed(document, path, strange) for path in _paths(document) for strange in STRANGE]
    assert {_survives(file, one, must_be_valid=False) for one in changed} == {"valid", "error"}


def test_many_changes_at_once_still_give_an_output_or_a_located_error() -> None:
    choose, ends = random.Random(7), set[str]()
    for _ in range(500):
        document = copy.deepcopy(choose.choice(SHOPIFY)["input"])
        for _ in range(choose.randrange(1, 5)):
            path = choose.choice(list(_paths(document)) or [()])
            if path:
                document = _changed(document, path, choose.choice([..., None, *STRANGE]))
        ends.add(_survives(ORDER, document, must_be_valid=False))
    assert ends == {"valid", "error"}


def test_an_output_is_never_shared_with_the_next() -> None:
    case = SHOPIFY[0]
    first = mapping(ORDER).apply(case["input"], context_of(ORDER))
    first["order_lines"].clear()
    first["buyer"]["contact"].clear()
    assert mapping(ORDER).apply(case["input"], context_of(ORDER)) == case["expected"]


def test_the_input_is_left_as_it_was() -> None:
    for file in mapping_files():
        for case in cases_of(file):
            before = json.dumps(plain(case["input"]), default=str)
            _survives(file, case["input"], must_be_valid=False)
            assert json.dumps(plain(case["input"]), default=str) == before


def test_every_mapping_has_cases_beside_it_and_all_cases_have_a_mapping() -> None:
    """Those of the formats' libraries, too."""
    there = set(files("mappings", "*.yaml"))
    tests = {file for file in there if file.endswith(".test.yaml")}
    mappings = there - tests
    assert {file.replace(".yaml", ".test.yaml") for file in mappings} == tests
    expected = {"expected", "expected_text", "expected_file"}
    assert [file for file in sorted(mappings) if not any(expected & set(case) for case in cases_of(file))] == []
    own = {str(Path(file).parent) for file in mappings if not file.startswith(LIBRARIES)}
    assert own == {"mappings/orders"}
    assert {file.split("/")[1] for file in mappings} - {"orders"} >= {"csv", "edifact", "x12"}
