"""A file that is no YAML is told with every place where it is none, and where a bracket or quote opens."""

import pytest

from hub.yamldoc import read_yaml


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("a: b: c\nd: {x: 1, x: 2}\ne: f: g\n", ["1:5", "2:11", "3:5"]),
        ("a: [1, 2\nb: {c: 1\n", ["2:2", "3:1"]),
        ('a: "x\nb: "y"\nc: 1\n', ["2:5", "1:4"]),
        ("a: 1\nb: 'x\nc: 2\n", ["2:4"]),
        ("- {a: [\n- {a: 1}\n- b: c: d\n", ["2:1", "3:7"]),
        ("a:\n  - [1\n  - 2\n", ["4:1"]),
        ("---\na: b: c\nd: e: f\n", ["2:5"]),
    ],
)
def test_what_is_wrong_in_other_entries_of_a_file_that_is_no_yaml_is_told_too(text, places):
    _, faults = read_yaml(text, "f")
    assert [f"{fault.line}:{fault.column}" for fault in faults] == places


def test_a_bracket_or_quote_that_is_not_closed_is_told_where_it_opens():
    [quote] = read_yaml("a: 1\nb: 'x\nc: 2\n", "f")[1]
    assert str(quote) == "f:2:4: error: not YAML: a quote opens here and is never closed"
    [bracket] = read_yaml("a:\n  b: [1\n  c: 2\n", "f")[1]
    assert "while parsing a flow sequence that opens in line 2; check" in str(bracket)
