"""Who uses a source field: known from the files alone, through names, loops and canonical documents."""

from __future__ import annotations

import pytest

from hub.check import check_project
from hub.field_uses import FieldUse, uses_of_field
from tests.unit.golden.bench import FILES, schemas

IN = b"""
mapping: order-in
version: 1
source: {format: json}
target: {schema: canonical/stock_level}
let:
  where: src.place or src.depot
  lines:
    each: src.lines
    as: l
    when: l.qty
    let: {amount: dec(l.qty)}
    item:
      item: {name: l.name}
      available_quantity: {value: text(amount), unit_code: {const: C62}}
      location_id: where.code
output:
  report_id: text(src.id)
  as_of: "'2026-03-05T10:00:00Z'"
  report_type: {const: full}
  stock_lines: lines
"""


def uses(field: str, mapping: bytes = IN) -> list[FieldUse]:
    files = {**schemas(), **FILES, "mappings/order-in.yaml": mapping}
    found = check_project(files, None, own=FILES).require_sound()
    return uses_of_field(found, field, ["order-in"])


def told(field: str) -> list[str]:
    return [f"{use.level} {use.file.rpartition('/')[2]}:{use.line} {use.becomes}" for use in uses(field)]


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("id", ["0 order-in.yaml:18 report_id", "1 r.yaml:5 key", "1 order-out.yaml:7 ref", "1 rows-out.yaml:6 ref"]),
        ("lines.name", ["0 order-in.yaml:14 stock_lines[].item.name"]),
        ("lines.qty", [
            "0 order-in.yaml:11 stock_lines[]", "0 order-in.yaml:12 stock_lines[]",
            "0 order-in.yaml:15 stock_lines[].available_quantity.value", "1 order-out.yaml:9 total",
        ]),
        ("depot.code", ["0 order-in.yaml:16 stock_lines[].location_id"]),
        ("note", []),
    ],
)  # fmt: skip
def test_a_field_is_followed_to_all_that_is_made_of_it(field: str, expected: list[str]) -> None:
    found = told(field)
    assert [line for line in expected if line not in found] == [], found
    assert expected or not found


def test_a_field_may_be_written_as_in_a_trace() -> None:
    assert uses("src.lines[0].qty") == uses("lines[].qty") == uses("lines.qty") != []
    assert uses("lines.qty")[0].field == "src.lines[].qty"
    assert uses("envelope.id") == []


def test_a_list_that_is_only_counted_is_used_by_its_route() -> None:
    assert any(use.becomes == "to files: when" and use.where == "route orders" for use in uses("lines"))


def test_a_tree_under_a_name_is_looked_into() -> None:
    """What adds up one field of lines depends on that field, and not on all that lines are made of."""
    total = b"text(sum(dec(l.available_quantity.value) for l in lines))"
    mapping = IN.replace(b"report_id: text(src.id)", b"report_id: " + total)
    own = [use.becomes for use in uses("lines.name", mapping) if use.level == 0]
    assert own == ["stock_lines[].item.name"]
    assert "report_id" in [use.becomes for use in uses("lines.qty", mapping)]


EDI = b"""
mapping: order-in
version: 1
source: {format: edifact, schema: edifact/D96A/ORDERS}
target: {schema: canonical/stock_level}
output:
  report_id: src.BGM.document.number
  as_of: "'2026-03-05T10:00:00Z'"
  report_type: {const: full}
  stock_lines:
    each: src.LIN_group
    as: l
    item:
      item: {name: "l.LIN.item.id"}
      available_quantity: {value: "text(first(q.quantity for q in l.QTY))", unit_code: {const: C62}}
      location_id: {const: main}
"""


@pytest.mark.parametrize(
    ("field", "becomes"),
    [("BGM.document.number", "report_id"), ("LIN_group.QTY", "stock_lines[].available_quantity.value")],
)
def test_an_element_of_a_partners_message_is_followed_by_its_name(field: str, becomes: str) -> None:
    assert becomes in [use.becomes for use in uses(field, EDI) if use.level == 0]
