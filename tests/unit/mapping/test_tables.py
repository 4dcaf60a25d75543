"""Look-up tables: what a CSV file must be, and every mistake at its line."""

from __future__ import annotations

import pytest

from hub.errors import MappingError, ProjectError
from hub.mapping import load_tables

FILE = "mappings/tables/units.csv"


def test_a_table_gives_the_value_of_a_key() -> None:
    table = load_tables({FILE: '\ufeffkey,value,note\r\npcs,C62,"a, b"\r\n\r\nkg,KGM,\r\n'}).get("units")
    assert table is not None
    assert table.finder("value")("pcs") == "C62"
    assert table.finder("note")("pcs") == "a, b"
    assert table.finder("note")("kg", "none") == "none"
    assert table.finder("value")("nix") is None
    assert table.finder("value")(None, "C62") == "C62"


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_lines_may_end_in_any_way(line_end: str) -> None:
    table = load_tables({FILE: line_end.join(["key,value", "a,b", "c,d", ""])}).get("units")
    assert table is not None
    assert dict(table.columns["value"]) == {"a": "b", "c": "d"}


def test_a_key_that_is_no_text_is_refused() -> None:
    table = load_tables({FILE: "key,value\n1,a\n"}).get("units")
    assert table is not None
    with pytest.raises(MappingError, match=r"lookup wants text as its key, got a number; write lookup\(text"):
        table.finder("value")(1)


FAULTS = [
    ("", "1:1: error: the first column must be called 'key'; write a header such as key,value"),
    ("kye,value\na,b\n", "1:1: error: the first column must be called 'key'; did you mean 'key'?"),
    ("key,vale\na,b\n", "1:1: error: the column 'value' is missing; write a header such as key,value"),
    ("key,value,value\na,b,c\n", "1:1: error: the column 'value' stands twice"),
    ("key,value\na,b\na,c\n", "3:1: error: the key 'a' stands twice; the first is in line 2"),
    ("key,value\na\n", "2:1: error: expected 2 cells, got 1"),
    ("key,value\na,b,c\n", "2:1: error: expected 2 cells, got 3; quote a cell that holds a comma"),
    ("key,value\n,b\n", "2:1: error: the key is empty"),
    ('"key"x,value\na,b\n', "1:1: error: not CSV: ',' expected after '\"'"),
    ('key,value\n"a,b\n', "error: not CSV: unexpected end of data"),
]


@pytest.mark.parametrize(("text", "message"), FAULTS)
def test_a_mistake_in_a_table_is_a_fault_at_its_line(text: str, message: str) -> None:
    with pytest.raises(ProjectError) as raised:
        load_tables({FILE: text})
    assert message in str(raised.value)
    assert str(raised.value).startswith(FILE)


def test_two_files_for_one_table_are_a_fault() -> None:
    with pytest.raises(ProjectError, match=r"a table 'units' is already in mappings/tables/a/units.csv"):
        load_tables({"mappings/tables/a/units.csv": "key,value\n", "mappings/tables/b/units.csv": "key,value\n"})


def test_all_faults_of_all_tables_come_at_once() -> None:
    with pytest.raises(ProjectError) as raised:
        load_tables({"mappings/tables/a.csv": "key,value\n,x\n,y\n", "mappings/tables/b.csv": "k,value\n"})
    assert len(raised.value.faults) == 3
