"""Short mappings for tests: only what a test is about is written out."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping as Dictionary
from typing import Any

from hub.mapping import EMPTY, Context, Mapping, Tables, compile_expression, compile_mapping, load_tables

FILE = "mappings/orders/sample.yaml"
TABLES = load_tables(
    {
        "mappings/tables/units.csv": "key,value\npcs,C62\nkg,KGM\nempty,\n",
        "mappings/tables/parties.csv": "key,value,vat_id\n17,C-17,DE123456788\n",
    }
)


def compiled(body: str, *, tables: Tables = TABLES, schemas: Any = None, head: str = "") -> Mapping:
    """The mapping of a body (let and output); its first line is line 1 of the file."""
    text = textwrap.dedent(body).strip("\n") + f"\nmapping: sample\nversion: 1\n{head or 'tables: [units, parties]'}\n"
    return compile_mapping(text, FILE, tables=tables, schemas=schemas)


def mapped(body: str, src: Any, context: Context = EMPTY) -> Any:
    return compiled(body).apply(src, context)


def evaluated(text: str, **names: Any) -> Any:
    """What an expression gives with these names."""
    return compile_expression(text, file="x.yaml", line=1, column=1, names=tuple(names), tables=TABLES)(**names)


def lines(count: int, **fields: Any) -> list[Dictionary[str, Any]]:
    return [{"n": number, **fields} for number in range(1, count + 1)]
