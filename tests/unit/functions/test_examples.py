"""The examples of every mapping function hold, and every function has some: they are its documentation too."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from hub.functions import Function, functions, topics
from hub.mapping import compile_expression

NEED_A_PROJECT = {"lookup", "xref"}
EXAMPLES = [
    pytest.param(function, text, expected, id=text)
    for function in functions().values()
    for text, expected in function.examples
]


def value_of(text: str) -> Any:
    return compile_expression(text, file="example", line=1, column=1, names=())()


@pytest.mark.parametrize(("function", "text", "expected"), EXAMPLES)
def test_an_example_gives_what_it_says(function: Function, text: str, expected: Any) -> None:
    found = value_of(text)
    assert found == expected
    assert type(found) is type(expected)
    if not isinstance(expected, dict | list):
        assert str(found) == str(expected)


@pytest.mark.parametrize("function", functions().values(), ids=lambda function: function.name)
def test_a_function_says_what_it_is_for_and_shows_it(function: Function) -> None:
    assert function.summary.endswith((".", ")"))
    assert function.examples or function.name in NEED_A_PROJECT
    for text, _ in function.examples:
        called = {node.func.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)}
        assert function.name in called


def test_every_file_of_the_folder_declares_functions() -> None:
    assert {function.topic for function in functions().values()} == set(topics())


@pytest.mark.parametrize("function", functions().values(), ids=lambda function: function.name)
def test_what_a_function_may_give_is_what_it_declares(function: Function) -> None:
    kinds = {
        "text": str, "date": str, "instant": str, "boolean": bool, "integer": int, "list": list, "money": dict,
    }  # fmt: skip
    for _, expected in function.examples:
        if expected is None:
            assert function.nothing in ("first", "empty", "always")
        elif function.returns in kinds:
            assert isinstance(expected, kinds[function.returns])
