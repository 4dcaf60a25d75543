"""What generated code may do, whatever the file says: read dicts, call registered functions, nothing else."""

from __future__ import annotations

import dis
from collections.abc import Iterator
from types import CodeType
from typing import Any

import pytest

from hub.errors import MappingError, ProjectError
from hub.mapping import compile_expression
from tests.unit.mapping.build import compiled, evaluated, mapped
from tests.unit.mapping.reference import mapping, mapping_files


def codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes(constant)


@pytest.mark.parametrize("file", mapping_files())
def test_the_only_attribute_of_generated_code_is_get(file: str) -> None:
    for program in (mapping(file)._fast, mapping(file)._safe(), mapping(file)._traced()):
        assert program.run.__globals__["__builtins__"] == {}
        instructions = [one for code in codes(program.run.__code__) for one in dis.get_instructions(code)]
        read = {one.argval for one in instructions if one.opname in ("LOAD_ATTR", "LOAD_METHOD", "LOAD_SUPER_ATTR")}
        assert read <= {"get"}
        assert not {one.opname for one in instructions} & {"IMPORT_NAME", "IMPORT_FROM", "STORE_ATTR", "STORE_GLOBAL"}
        names = {one.argval for one in instructions if one.opname == "LOAD_GLOBAL"}
        assert all(name.startswith(("_", "f_")) for name in names)


HOSTILE = [
    "().__class__.__bases__[0].__subclasses__()",
    "src.__init__.__globals__",
    "[].append.__self__",
    "src['__class__'].__mro__",
    "src.＿＿class＿＿",
    "text.__globals__",
    "upper.__code__",
    "__import__('os').system('x')",
    "__builtins__",
    "_none.get('x')",
    "_each(src)",
    "f_text(1)",
    "v_src",
    "getattr(src, 'x')",
    "open('x')",
    "eval('1')",
    "exec('1')",
    "globals()",
    "type(src)",
    "print(1)",
    "(lambda: 1)()",
    "(x := 1)",
    "[x for x in [src for src in [1]]]",
    "f'{src.__class__}'",
    "f'{src!r:>{10**9}}'",
    "'{0.__class__}'.format(1)",
    "'%s' % src",
    "'a' * 10**9",
    "10 ** 10 ** 10",
    "9 ** 99",
    "1 << 10000000",
    "[0] * 10000000000",
    "'x'.join(src)",
    "src.get('x')",
    "src.pop('x')",
    "src.update(src)",
    "{**src}",
    "[*src]",
    "text(*[1])",
    "text(**src)",
    "src[::2]",
    "src[lambda: 1]",
    "...",
    "b'x'",
    "0x" + "f" * 60,
    "1" * 5000,
    "1e400",
    "[" * 150 + "]" * 150,
    "not " * 1000 + "1",
    "a" * 5000,
    "src" + "[0]" * 900,
    " or ".join(["src.a"] * 800),
    "x if " * 300 + "1" + " else 1" * 300,
    "await src",
    "yield",
    "assert 1",
    "del src",
    "import os",
    "src.a = 1",
    "src.a;src.b",
    "src.a\x00",
    "\x0c",
    "`id`",
    "$(id)",
    "{{7*7}}",
    "${7*7}",
    "\ud800",
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:40].encode("ascii", "backslashreplace").decode())
def test_a_hostile_expression_is_refused_in_words(text: str) -> None:
    with pytest.raises(ProjectError) as raised:
        compile_expression(text, file="x.yaml", line=1, column=1, names=["src"])
    assert all(fault.line == 1 and fault.column >= 1 for fault in raised.value.faults)
    assert not any(word in str(raised.value) for word in ("Traceback", "NoneType", "RecursionError", "MemoryError"))


@pytest.mark.parametrize(
    ("text", "src"),
    [
        ("src.a * src.b", {"a": "x" * 1000, "b": 10**9}),
        ("src.a * src.b", {"a": [0], "b": 10**9}),
        ("src.a + src.a", {"a": "x" * 60_000}),
        ("src.a + src.a", {"a": [0] * 60_000}),
        ("f'{src.a}{src.a}'", {"a": "x" * 60_000}),
        ("join([src.a, src.a], '')", {"a": "x" * 60_000}),
        ("pad_left('x', src.a)", {"a": 10**9}),
        ("replace(src.a, 'x', src.a)", {"a": "x" * 1000}),
        ("int(src.a)", {"a": "1e3000000"}),
        ("text(src.a)", {"a": 10**5000}),
        ("text(dec('1e20') * dec('1e20'))", {}),
        ("count(1 for a in src.a for b in src.a)", {"a": [1] * 2000}),
        ("count([1 for b in src.a] for a in src.a)", {"a": [1] * 2000}),
        ("sum(dec(x) for x in src.a)", {"a": ["9e20"] * 3 + ["NaN"]}),
        ("matches(src.a, '*a*a*a*a*a*b')", {"a": "a" * 20_000}),
    ],
)
def test_a_hostile_document_is_refused_before_it_costs_anything(text: str, src: dict[str, Any]) -> None:
    with pytest.raises(MappingError) as raised:
        evaluated(text, src=src)
    assert len(str(raised.value)) < 400


def test_loops_that_start_over_inside_loops_are_bounded_in_a_tree() -> None:
    body = "output: {a: {each: src.l, as: x, item: {b: {each: src.l, as: y, item: y}}}}"
    with pytest.raises(MappingError, match="visit more than 1000000 elements") as raised:
        mapped(body, {"l": [1] * 1500})
    assert raised.value.field_path.startswith("a[")


def test_loops_over_what_the_element_holds_are_not_counted() -> None:
    body = "output: {a: {each: src.l, as: x, item: 'count(y for y in x.m)'}}"
    assert mapped(body, {"l": [{"m": [1] * 1500}] * 1000}) == {"a": [1500] * 1000}


def test_a_deeply_nested_document_is_passed_on_as_it_is() -> None:
    deep: dict[str, Any] = {}
    for _ in range(5000):
        deep = {"x": deep}
    assert mapped("output: {a: src.x}", {"x": deep})["a"] is deep


def test_a_tree_that_is_too_deep_is_a_fault() -> None:
    with pytest.raises(ProjectError, match="nested more than 60 deep"):
        compiled("output: " + "{a: " * 80 + "1" + "}" * 80)


def test_too_many_loops_inside_loops_are_a_fault() -> None:
    tree = "x"
    for number in range(14):
        tree = f"{{each: src.l, as: x{number}, item: {tree if number else 1}}}"
    with pytest.raises(ProjectError, match="loops may be nested 12 deep"):
        compiled(f"output: {{a: {tree}}}")
