"""What surrounds a mapping: look-ups that are recorded, cross-references, traces, threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest

from hub.errors import MappingError
from hub.mapping import Context
from tests.unit.mapping.build import compiled, lines, mapped


def test_look_ups_and_cross_references_are_recorded() -> None:
    noted: list[Any] = []
    context = Context(
        company={"name": "Us"},
        envelope={"id": "m1"},
        xref=lambda system, kind, identifier: {"5": "C5"}.get(identifier),
        record=lambda kind, arguments, value: noted.append((kind, arguments, value)),
    )
    body = """
    output:
      unit: lookup(src.u, 'units', 'C62')
      known: xref('crm', 'customer', src.id)
      unknown: xref('crm', 'customer', src.other) or f'crm:{src.other}'
      none?: xref('crm', 'customer', src.nothing)
      name: company.name
      message: envelope.id
    """
    src = {"u": "kg", "id": "5", "other": "6"}
    expected = {"unit": "KGM", "known": "C5", "unknown": "crm:6", "name": "Us", "message": "m1"}
    assert mapped(body, src, context) == expected
    assert noted == [
        ("lookup", ("units", "kg"), "KGM"),
        ("xref", ("crm", "customer", "5"), "C5"),
        ("xref", ("crm", "customer", "6"), None),
    ]


def test_a_store_that_is_away_is_no_fault_of_the_mapping() -> None:
    def away(system: str, kind: str, identifier: str) -> str:
        raise TypeError("the store's own trouble")

    with pytest.raises(TypeError, match="the store's own trouble"):
        mapped("output: {a: 'xref(''crm'', ''customer'', src.id) or 1'}", {"id": "5"}, Context(xref=away))


def test_without_cross_references_each_is_unknown() -> None:
    assert mapped("output: {a: 'xref(''crm'', ''customer'', src.id) or src.id'}", {"id": "5"}) == {"a": "5"}


def test_a_trace_says_for_each_field_where_it_came_from() -> None:
    body = """
    let:
      cur: src.currency
    output:
      id: text(src.id)
      lines:
        each: src.rows
        as: r
        when: r.q > 0
        item:
          q: r.q
          sku?: r.sku
          amount: money(dec(r.p), cur)
    """
    src = {"id": 7, "currency": "EUR", "rows": [{"q": 0}, {"q": 2, "p": "1.5", "sku": ""}]}
    document, trace = compiled(body).trace(src)
    assert document == {"id": "7", "lines": [{"q": 2, "amount": {"amount": "1.50", "currency": "EUR"}}]}
    found = {entry.path: (entry.value, entry.line, entry.expression, entry.sources) for entry in trace}
    assert len(trace) == 4
    assert found == {
        "id": ("7", 4, "text(src.id)", ("src.id",)),
        "lines[0].q": (2, 10, "r.q", ("src.rows[1].q",)),
        "lines[0].sku": ("", 11, "r.sku", ("src.rows[1].sku",)),
        "lines[0].amount": (
            {"amount": "1.50", "currency": "EUR"},
            12,
            "money(dec(r.p), cur)",
            ("src.rows[1].p", "src.currency"),
        ),
    }
    assert trace[0].path == "id"


def test_a_field_within_a_name_is_told_with_that_name() -> None:
    body = """
    let:
      rows: {each: src.rows, as: r, item: {code: r.c}}
      whole: {code: src.id}
    output:
      first: first(r.code for r in rows)
      kept: whole
    """
    _, trace = compiled(body).trace({"id": "7", "rows": [{"c": "a"}, {"c": "b"}]})
    assert [(entry.path, entry.value) for entry in trace] == [
        ("let rows[0].code", "a"), ("let rows[1].code", "b"), ("kept.code", "7"), ("first", "a"),
        ("kept", {"code": "7"}),
    ]  # fmt: skip


def test_a_name_is_not_told_to_be_left_out() -> None:
    with pytest.raises(MappingError, match=r"'let who' would be nothing: src.name is missing") as caught:
        mapped("let: {who: {when: src.id, item: src.name}}\noutput: {who?: upper(who)}", {"id": "7"})
    assert caught.value.hint == ""


def test_what_is_written_out_is_told_with_its_place_and_reads_nothing() -> None:
    body = """
    let: {unit: {const: C62}}
    output:
      kind: {const: order}
      is_test: false
      rate: 0.190
      tags: [{const: new}, src.tag]
      unit: unit
      party?:
        when: src.tag
        item:
          const: {name: Us}
      lines:
        each: src.rows
        as: r
        item: {code: {const: 7}, q: r.q, nothing?: null}
    """
    src = {"tag": "a", "rows": [{"q": 1}, {"q": 2}]}
    mapping = compiled(body)
    document, trace = mapping.trace(src)
    assert document == mapping.apply(src)
    found = [(e.path, e.value, e.line, e.column, e.expression) for e in trace if not e.sources]
    assert found == [
        ("kind", "order", 3, 9, "{const: order}"),
        ("is_test", False, 4, 12, "false"),
        ("rate", Decimal("0.190"), 5, 9, "0.190"),
        ("tags[0]", "new", 6, 10, "{const: new}"),
        ("unit", "C62", 7, 9, "unit"),
        ("party", {"name": "Us"}, 11, 7, "{const: {…}}"),
        ("lines[0].code", 7, 15, 18, "{const: 7}"),
        ("lines[0].nothing", None, 15, 48, "null"),
        ("lines[1].code", 7, 15, 18, "{const: 7}"),
        ("lines[1].nothing", None, 15, 48, "null"),
    ]


def test_what_reads_a_constant_of_a_tree_depends_on_nothing() -> None:
    body = """
    let:
      rows: {each: src.rows, as: r, item: {code: {const: A}, q: r.q}}
    output:
      rows: rows
      codes: join([r.code for r in rows], ' ')
    """
    _, trace = compiled(body).trace({"rows": [{"q": 1}]})
    assert {entry.path: entry.sources for entry in trace}["codes"] == ("src.rows",)


def test_a_trace_of_a_document_that_fails_is_the_same_error() -> None:
    with pytest.raises(MappingError, match=r"required target field 'a' would be nothing: src.x is missing"):
        compiled("output: {a: src.x}").trace({})


def test_one_mapping_serves_many_threads() -> None:
    mapping = compiled("output: {a: {each: src.l, as: x, index: i, item: i * x.n / 3}}")
    documents = [{"l": lines(count)} for count in range(40)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(mapping.apply, documents))
    assert found == [mapping.apply(document) for document in documents]
