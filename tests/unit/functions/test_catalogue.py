"""The example of the reference page of mappings compiles."""

from __future__ import annotations

import re
from pathlib import Path

from hub.mapping import compile_mapping, load_tables

PAGE = Path(__file__).parents[3] / "docs/reference/mapping.md"


def test_the_example_of_the_reference_page_compiles() -> None:
    example = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[0]
    tables = load_tables({"mappings/tables/units.csv": "key,value\nC62,PCE\n"})
    mapping = compile_mapping(example, "mappings/order-to-desk.yaml", tables=tables)
    lines = [{"line_id": "1", "quantity": {"unit_code": "C62"}}]
    order = {"order_id": "1001", "document_currency_code": "CHF", "order_lines": lines}
    made = {"order": "1001", "currency": "CHF", "lines": [{"position": "1", "unit": "PCE"}]}
    assert mapping.apply(order) == made
