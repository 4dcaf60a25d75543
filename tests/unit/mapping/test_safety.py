"""What generated code may do, whatever the file says: read dicts, call registered functions, nothing else."""

from __future__ import annotations

import dis
from collections.abc import Iterator
from types import CodeType
from typing import Any

import pytest

from hub.errors import MappingError, ProjectError
from hub.mapping import NO_TABLES, compile_expression, compile_mapping
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


@pytest.mark.parametrize(
    ("text", "src"),
    [
        ("count([f'{src.t}{x}' for x in src.l])", {"t": "x" * 90_000, "l": [1] * 2000}),
        ("count([upper(src.t) for x in src.l])", {"t": "x" * 90_000, "l": [1] * 2000}),
        ("count([src.t + 'a' for x in src.l])", {"t": "x" * 90_000, "l": [1] * 2000}),
        ("count([split(src.t, 'x') for x in src.l])", {"t": "x" * 90_000, "l": [1] * 2000}),
        ("count([chunks(src.t, 1) for x in src.l])", {"t": "x" * 90_000, "l": [1] * 2000}),
        ("count([pad_left('', 90000) for x in src.l])", {"l": [1] * 2000}),
        ("count([replace(src.t, 'x', 'y') for x in src.l])", {"t": "x" * 90_000, "l": [1] * 2000}),
        ("count([running_total(src.l) for x in src.l])", {"l": [1] * 3000}),
        ("count([src.l + src.l for x in src.l])", {"l": [1] * 3000}),
        ("count([reverse(src.l) for x in src.l])", {"l": [1] * 3000}),
    ],
)
def test_what_loops_make_of_long_texts_and_lists_is_bounded(text: str, src: dict[str, Any]) -> None:
    with pytest.raises(MappingError, match="made for this document exceed 50000000 characters") as raised:
        evaluated(text, src=src)
    assert raised.value.code == "too_large"


@pytest.mark.parametrize(
    "text", ["references_in(src.t)", "matches(src.t, '*a*')", "find(src.t, '##')", "fits_charset(src.t, 'SEPA')"]
)
def test_looking_through_a_long_text_in_a_loop_is_bounded(text: str) -> None:
    with pytest.raises(MappingError, match="exceed 50000000 characters"):
        evaluated(f"count([{text} for x in src.l])", src={"t": "x" * 9_000, "l": [1] * 10_000})


def test_looking_into_a_list_in_a_loop_is_bounded() -> None:
    with pytest.raises(MappingError, match="'in' inside a loop looks at more than 1000000 elements"):
        evaluated("count([x for x in src.l if x in src.m])", src={"l": [1] * 2000, "m": [2] * 2000})
    assert (
        evaluated("count([x for x in src.l if x in ['a', 'b'] or x in src.m])", src={"l": ["a", "c"], "m": ["c"]}) == 2
    )
    assert evaluated("count([x for x in src.l if x in src.m])", src={"l": [1] * 9, "m": None}) == 0


@pytest.mark.parametrize("name", ["is_iban", "is_vat_id", "is_gln", "is_gtin", "is_bic", "is_qr_reference", "gtin"])
def test_a_long_text_is_not_kept_as_an_identifier(name: str) -> None:
    try:
        assert evaluated(f"{name}(src.t)", src={"t": "1" * 90_000}) is False
    except MappingError as error:
        assert "90000" in str(error)


def test_each_document_has_an_allowance_of_its_own() -> None:
    mapping = compiled("output: {a: 'count([upper(src.t) for x in src.l])'}")
    for _ in range(5):
        assert mapping.apply({"t": "x" * 90_000, "l": [1] * 500}) == {"a": 500}


def test_counting_a_long_list_for_each_of_its_elements_costs_nothing() -> None:
    assert evaluated("count([count(src.l) for x in src.l])", src={"l": [1] * 5000}) == 5000


def test_numbers_with_the_same_hash_do_not_make_a_table_slow() -> None:
    numbers = [n * (2**61 - 1) for n in range(60_000)]
    assert len({hash(number) for number in numbers}) == 1
    assert evaluated("count(distinct(src.l))", src={"l": numbers}) == 60_000


LAUGHS = "".join(f"  l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 10))
YAML = {
    "aliases that multiply": ("\n  l0: &l0 [a, a, a]\n" + LAUGHS, "the alias \\*l0 is not read here"),
    "an alias of itself": (" &o\n  a: *o\n", "the alias \\*o is not read here"),
    "brackets without end": (" " + "[" * 5000 + "]" * 5000, "nested more than 60 deep"),
    "braces without end": (" " + "{a: " * 3000 + "1" + "}" * 3000, "nested more than 60 deep"),
    "indentation without end": ("\n" + "".join(f"{' ' * n}  a:\n" for n in range(2000)), "nested more than 60 deep"),
    "an object of Python": ("\n  a: !!python/object/apply:os.system [id]\n", "unknown name 'id'"),
    "a number of 100,000 digits": (f" {{a: {'9' * 100_000}}}\n", "the limit is 4000"),
    "an exponent that fills the memory": (" {a: 1e999999999}\n", "40 digits and an exponent up to 20"),
    "a zero byte": ("\n  a: \x00\n", "control characters are not allowed"),
    "an alias under const": ("\n  a: {const: &c [1]}\n  b: {const: [*c, *c]}\n", "the alias \\*c is not read here"),
}


@pytest.mark.parametrize("name", YAML)
def test_a_hostile_file_is_refused_at_once(name: str) -> None:
    body, message = YAML[name]
    with pytest.raises(ProjectError, match=message):
        compile_mapping(f"mapping: m\nversion: 1\noutput:{body}", "mappings/m.yaml", tables=NO_TABLES)


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


@pytest.mark.parametrize(
    "text", ["coalesce(dec(src.a), dec(src.b), src.c) * src.n", "default(dec(src.a), src.c) * src.n"]
)
def test_text_that_may_stand_for_a_number_is_not_repeated(text: str) -> None:
    with pytest.raises(MappingError, match="cannot multiply text by a number"):
        evaluated(text, src={"c": "x" * 100, "n": 3})
    assert evaluated(text, src={"a": "2", "n": 3}) == 6
