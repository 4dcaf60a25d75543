"""Errors of a mapping: located in the file, named by the target field, in words a user knows."""

from __future__ import annotations

from typing import Any

import pytest

from hub.errors import MappingError, ProjectError
from hub.mapping import compile_mapping
from tests.unit.mapping.build import FILE, TABLES, compiled, mapped

ERRORS: list[tuple[str, str, Any, str, str]] = [
    ("output: {a: src.x}", "1:13: required target field 'a' would be nothing: src.x is missing", {}, "a", "mapping"),
    (
        "output: {a: {b: src.x or src.y}}",
        "1:17: required target field 'a.b' would be nothing: src.x and src.y are missing",
        {},
        "a.b",
        "mapping",
    ),
    (
        "output: {a: [1, src.x]}",
        "1:17: required target field 'a[1]' would be nothing: src.x is missing",
        {},
        "a[1]",
        "mapping",
    ),
    (
        "output: {a: {each: src.lines, as: l, item: {q: l.q}}}",
        "1:48: required target field 'a[1].q' would be nothing: q of line 2 is missing",
        {"lines": [{"q": 1}, {}]},
        "a[1].q",
        "mapping",
    ),
    (
        "output: {a: {each: src.lines, as: l, when: l, item: {q: l.q}}}",
        "1:57: required target field 'a[0].q' would be nothing: q of line 2 is missing",
        {"lines": [None, {"n": 1}]},
        "a[0].q",
        "mapping",
    ),
    (
        "output: {a: {when: src.x, item: 1}}",
        "1:20: required target field 'a' would be nothing: src.x is missing",
        {},
        "a",
        "mapping",
    ),
    (
        "output: {a: 'lookup(src.x, ''units'')'}",
        "required target field 'a': the table 'units' has no key 'nix'",
        {"x": "nix"},
        "a",
        "lookup_missing",
    ),
    (
        "output: {a: 'require(src.x, src.x > 5, ''x is too small'')'}",
        "1:14: x is too small",
        {"x": 3},
        "a",
        "business_rule",
    ),
    (
        "output: {a: src.x.y}",
        "1:13: src.x is a list, not an object; loop over it or take [0]",
        {"x": [1]},
        "a",
        "mapping",
    ),
    (
        "output: {a: {each: src.x, as: l, item: l}}",
        "1:20: a loop wants a list, got an object",
        {"x": {"n": 1}},
        "a",
        "mapping",
    ),
    ("output: {a: {each: src.x, as: l, item: l}}", "1:20: a loop wants a list, got text", {"x": "abc"}, "a", "mapping"),
    (
        "output: {a: sum(l.n for l in src.x)}",
        "1:30: a loop wants a list, got an object",
        {"x": {"n": 1}},
        "a",
        "mapping",
    ),
    ("output: {a: sum(l.n for l in src.x)}", "1:17: l is a number, not an object", {"x": [5]}, "a", "mapping"),
    ("output: {a: src.x}", "1:13: src is nothing, not an object", None, "a", "mapping"),
    ("output: {a: src.x}", "1:13: src is a list, not an object", [1], "a", "mapping"),
    (
        "let: {p: dec(src.p)}\noutput: {a: p * 2}",
        "1:10: expected a decimal number, got '12,50'",
        {"p": "12,50"},
        "",
        "mapping",
    ),
]


@pytest.mark.parametrize(("body", "message", "src", "path", "code"), ERRORS)
def test_an_error_names_line_column_and_target_field(body: str, message: str, src: Any, path: str, code: str) -> None:
    with pytest.raises(MappingError) as raised:
        mapped(body, src)
    assert message in str(raised.value)
    assert str(raised.value).startswith(f"{FILE}:")
    assert raised.value.field_path == path
    assert raised.value.code == code


def test_an_error_in_an_order_line_has_its_words_and_its_place() -> None:
    body = """
    let:
      price: dec(src.price)
      disc: 0
    output:
      lines:
        each: src.lines
        as: l
        item:
          line_extension_amount: money(price * l.quantity - disc, src.currency)
    """
    rows = [{"quantity": 1}, {"quantity": 2}, {"quantity": 3}, {"sku": "A"}]
    with pytest.raises(MappingError) as raised:
        mapped(body, {"price": "2.50", "currency": "EUR", "lines": rows})
    error = raised.value
    assert str(error) == f"{FILE}:9:36: cannot multiply a number by nothing: quantity of line 4 is missing"
    assert (error.file, error.line, error.column) == (FILE, 9, 36)
    assert error.field_path == "lines[3].line_extension_amount"


def test_an_error_inside_a_let_names_the_field_it_feeds() -> None:
    body = "let: {l: {each: src.l, as: x, item: {n: dec(x.n)}}}\noutput: {order_lines: l}"
    with pytest.raises(MappingError) as raised:
        mapped(body, {"l": [{"n": "1"}, {"n": "x1"}]})
    assert raised.value.field_path == "order_lines[1].n"


def test_a_value_that_may_be_personal_is_kept_out_of_the_text() -> None:
    with pytest.raises(MappingError) as raised:
        mapped("output: {a: dec(src.name)}", {"name": "Erika Muster"})
    assert "Erika" not in str(raised.value)
    assert raised.value.value_excerpt == "Erika Muster"


FAULTS: list[tuple[str, str]] = [
    ("output: {a: scr.x}", "1:13: error: unknown name 'scr'; did you mean 'src'?"),
    ("let: {unit: src.u}\noutput: {a: unt}", "2:13: error: unknown name 'unt'; did you mean 'unit'?"),
    ("output: {a: f(src.x, 2)}", "1:22: error: a comma inside { } ends an unquoted expression: quote it"),
    ("output: {a: money(src.x, 'EUR')}", "quote text that holds special characters"),
    ("output:\n  a: src.x # note\n  b: lookup(src.y, ' #')", "quote it"),
    ("output: {a: }", "1:13: error: a value is missing; write an expression, or null for nothing"),
    ("output: {a: 1, a?: 2}", "1:16: error: the field 'a' is set twice"),
    ("output: {a: {each: src.x, item: 1}}", "1:13: error: a loop needs as: the name of the element"),
    ("output: {a: {each: src.x, as: l}}", "1:13: error: a loop needs item: what each element becomes"),
    (
        "output: {a: {each: src.x, as: l, item: l, wehn: l}}",
        "1:43: error: unknown key 'wehn' in a loop; did you mean 'when'?",
    ),
    (
        "output: {a: {each: src.x, as: a-b, item: 1}}",
        "1:31: error: expected a name of letters, digits and '_', got 'a-b'",
    ),
    ("output: {a: {each: {b: 1}, as: l, item: l}}", "1:20: error: expected an expression, got a mapping"),
    ("let: {src: 1}\noutput: {a: 1}", "1:7: error: the name 'src' is taken; choose another"),
    ("let: {_a: 1}\noutput: {a: 1}", "1:7: error: a name must not start with '_': '_a'"),
    ("let: [1]\noutput: {a: 1}", "1:6: error: let wants names with their values, got a list"),
    ("let: {b: c, c: 1}\noutput: {a: b}", "1:10: error: unknown name 'c'"),
    ("output: {a: {each: src.l, as: x, when: y, let: {y: 1}, item: x}}", "1:40: error: unknown name 'y'"),
    ("outptu: {a: 1}\noutput: {a: 1}", "1:1: error: unknown key 'outptu' in a mapping file; did you mean 'output'?"),
    ("let: {a: 1}", "error: output is missing: the tree of the target document"),
    ("output: {a: 'x' y}", "error: not YAML"),
]


@pytest.mark.parametrize(("body", "message"), FAULTS)
def test_a_mistake_in_the_file_is_a_located_fault(body: str, message: str) -> None:
    with pytest.raises(ProjectError) as raised:
        compiled(body)
    assert message in str(raised.value)
    assert all(str(fault).startswith(f"{FILE}:") for fault in raised.value.faults)


HEADS: list[tuple[str, str]] = [
    ("mapping: other\nversion: 1", "the mapping is called 'other' and its file 'sample'; give both the same name"),
    ("version: 1", "mapping is missing; write mapping: sample"),
    ("mapping: sample", "version is missing; write version: 1"),
    ("mapping: sample\nversion: one", "version wants a whole number from 1, got one"),
    (
        "mapping: sample\nversion: 1\nsource: json",
        "source wants format and schema, got text; write source: {schema: …}",
    ),
    ("mapping: sample\nversion: 1\ntables: [unit]", "unknown table 'unit'; did you mean 'units'?"),
    ("mapping: sample\nversion: 1\ntables: units", "tables wants a list of names, got text; write tables: [units]"),
]


@pytest.mark.parametrize(("head", "message"), HEADS)
def test_a_mistake_in_the_head_is_a_fault(head: str, message: str) -> None:
    with pytest.raises(ProjectError) as raised:
        compile_mapping(f"{head}\noutput: {{a: src.x}}\n", FILE, tables=TABLES)
    assert message in str(raised.value)


def test_all_faults_come_at_once() -> None:
    with pytest.raises(ProjectError) as raised:
        compiled("output:\n  a: scr.x\n  b: uper(src.y)\n  c: src.z +\n  d: lookup(src.x, 'nix')\n")
    assert [fault.line for fault in raised.value.faults if fault.severity == "error"] == [2, 3, 4, 5]


def test_warnings_do_not_stop_a_mapping() -> None:
    mapping = compiled("let: {n: 7, a: {each: src.l, as: x, let: {n: x.n}, item: n}}\noutput: {a: a, n: n}")
    words = [fault.message for fault in mapping.warnings if fault.severity == "warning"]
    assert "'n' shadows another name; choose another" in words
    assert "the table 'units' is never used; take it out of tables, or use it" in words


def test_the_head_is_there_to_read() -> None:
    sides = "source: {format: csv, schema: x/y, delimiter: ';'}\ntarget: {schema: canonical/order}"
    head = f"description: D\n{sides}\ntables: [units]"
    mapping = compiled("output: {a: 'xref(''crm'', ''customer'', src.id) or 1'}", head=head)
    assert (mapping.name, mapping.version, mapping.description, mapping.tables) == ("sample", 1, "D", ("units",))
    assert (mapping.source.format, mapping.source.schema, mapping.source.options) == ("csv", "x/y", {"delimiter": ";"})
    assert (mapping.target.format, mapping.target.schema, mapping.xrefs) == (None, "canonical/order", True)
