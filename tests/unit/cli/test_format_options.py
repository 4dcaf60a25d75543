"""Options of a format, given on the command line."""

from __future__ import annotations

from typing import Any

import pytest

from hub.cli.format_options import given_options
from hub.errors import UsageError
from hub.formats import Option

DECLARED = (
    Option("delimiter", "character"),
    Option("header", "boolean"),
    Option("indent", "integer"),
    Option("group_by", "list"),
    Option("types", "map"),
    Option("encoding", "choice", choices=("utf-8", "latin-1")),
    Option("records", "path"),
)


@pytest.mark.parametrize(
    ("pair", "expected"),
    [
        ("delimiter=;", {"delimiter": ";"}),
        ("delimiter==", {"delimiter": "="}),
        ("delimiter=tab", {"delimiter": "\t"}),
        (r"delimiter=\t", {"delimiter": "\t"}),
        ("header=false", {"header": False}),
        ("indent=2", {"indent": 2}),
        ("group_by=order_id, line", {"group_by": ["order_id", "line"]}),
        ("types=price:decimal,qty:integer", {"types": {"price": "decimal", "qty": "integer"}}),
        ("encoding=latin-1", {"encoding": "latin-1"}),
        ("records=data.orders", {"records": "data.orders"}),
    ],
)
def test_each_kind_of_option_is_read_as_its_format_declares_it(pair: str, expected: dict[str, Any]) -> None:
    assert given_options([pair], DECLARED) == expected


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        ("delimiter", "option 'delimiter': expected NAME=VALUE"),
        ("=x", "option '=x': expected NAME=VALUE"),
        ("delimitr=;", "unknown option 'delimitr'; did you mean 'delimiter'?"),
        ("delimiter=;;", "option 'delimiter' must be one character"),
        ("header=yes", "option 'header' must be true or false"),
        ("indent=99999999999999999999", "option 'indent' must be a whole number"),
        ("indent=٣", "option 'indent' must be a whole number"),
        ("encoding=latin", "option 'encoding' is one of utf-8, latin-1; did you mean 'latin-1'?"),
    ],
)
def test_a_wrong_option_says_what_to_write(pair: str, words: str) -> None:
    with pytest.raises(UsageError) as caught:
        given_options([pair], DECLARED)
    assert words in str(caught.value)


def test_every_wrong_option_is_named_at_once() -> None:
    with pytest.raises(UsageError) as caught:
        given_options(["header=yes", "indent=x"], DECLARED)
    assert len(str(caught.value).splitlines()) == 2
