"""The folder is the registry, options are data, and the reference page says what the code does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from hub.formats import Option, codec, faults_of, names, option_faults
from hub.yamldoc import parse_yaml

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "formats.md"
OPTIONS = (
    Option("delimiter", "character"),
    Option("header", "boolean"),
    Option("indent", "integer"),
    Option("columns", "list"),
    Option("types", "map"),
    Option("line_end", "choice", "crlf", ("crlf", "lf")),
    Option("records", "path"),
)


def test_the_formats_are_the_files_of_the_folder() -> None:
    assert {"csv", "json"} <= set(names())
    assert not any(name.startswith("_") for name in names())


@pytest.mark.parametrize("name", ["xls", "_lines", "__init__", "..json"])
def test_a_format_that_is_none_is_a_key_error(name: str) -> None:
    with pytest.raises(KeyError, match=re.escape(name)):
        codec(name)


@pytest.mark.parametrize(
    ("given", "faults"),
    [
        ({"delimiter": ";", "header": False, "indent": 2, "columns": ["a"], "types": {}, "line_end": "lf"}, []),
        ({"delimiter": ";;"}, ["option 'delimiter' must be one character"]),
        ({"header": "true"}, ["option 'header' must be true or false"]),
        ({"indent": True}, ["option 'indent' must be a whole number"]),
        ({"columns": "a,b"}, ["option 'columns' must be a list of texts"]),
        ({"types": ["a"]}, ["option 'types' must be a mapping"]),
        ({"line_end": "crfl"}, ["option 'line_end' is one of crlf, lf; did you mean 'crlf'?"]),
        ({"records": 1, "heder": 1}, ["option 'records' must be a path such as data.orders",
                                      "unknown option 'heder'; did you mean 'header'?"]),
    ],
)  # fmt: skip
def test_options_are_checked_by_what_is_declared(given: dict[str, Any], faults: list[str]) -> None:
    assert list(option_faults(OPTIONS, given).values()) == faults


def test_a_format_may_know_of_options_that_do_not_go_together() -> None:
    assert faults_of("csv", {"header": False}) == {"columns": "header: false needs columns"}
    assert faults_of("json", {"lins": True}) == {"lins": "unknown option 'lins'; did you mean 'lines'?"}


def test_the_reference_page_has_a_table_of_options_for_each_format() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert {"json", "csv"} <= set(re.findall("<!-- options: (.*) -->", page))


def test_the_examples_of_the_reference_page_have_options_that_exist() -> None:
    examples = re.findall("```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert examples
    for example in examples:
        options: Any = parse_yaml(example, "formats.md").data()
        source = dict(options["source"])
        assert faults_of(source.pop("format"), source) == {}
