"""The options of the CSV format and what they come to, checked once per file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from hub.errors import UsageError
from hub.formats import Option, option_faults
from hub.formats._csv_cells import TYPES, Notation
from hub.formats._csv_rows import Dialect
from hub.formats._csv_text import ENCODINGS
from hub.yamldoc import did_you_mean

OPTIONS = (
    Option("delimiter", "text", "auto", description="the character between cells, `tab` for a tabulator; `auto` takes "
           "the one of , ; tab | that stands most often in the first row; written: a comma"),
    Option("quote", "character", '"', description="what encloses cells; empty: nothing does"),
    Option("escape", "character", "", description="makes the next character plain; default: a quote stands twice"),
    Option("encoding", "choice", "auto", ENCODINGS, "of its characters; `auto`: by byte order mark, else UTF-8"),
    Option("byte_order_mark", "boolean", False, description="write a byte order mark first, as Excel likes it"),
    Option("line_end", "choice", "crlf", ("crlf", "lf"), "line ends when writing; all are known when reading"),
    Option("header", "boolean", True, description="whether the first row names the columns"),
    Option("columns", "list", (), description="the names of the columns; with `header: true` they replace its names"),
    Option("types", "map", {}, description="the types of columns: text (default), decimal, integer, date, boolean"),
    Option("decimal_mark", "choice", ".", (".", ","), "between whole and fraction in columns of type decimal"),
    Option("thousands", "choice", "", ("", ".", ",", " ", "'"), "between groups of three digits, when reading"),
    Option("date_format", "text", "", description="how dates are written, e.g. `%d.%m.%Y`; default: 2026-03-05"),
    Option("trim", "boolean", False, description="take blanks off both ends of each cell"),
    Option("skip_blank", "boolean", True, description="pass over rows whose cells are all empty"),
    Option("comment", "text", "", description="lines that begin with this are passed over"),
    Option("group_by", "list", (), description="rows in a row with the same values here become one record, whose other "
           "columns are in `rows`"),
    Option("formulas", "choice", "keep", ("keep", "quote", "refuse"), "what is done when writing with text that a "
           "spreadsheet would run as a formula (begins with = + - @): write as it is, put ' before it, refuse it"),
)  # fmt: skip

_NUMBERS = ("float", "double", "number", "numeric", "real", "money", "currency", "amount")


class Settings(msgspec.Struct, frozen=True):
    """The options with their defaults filled in, in the form reading and writing want them."""

    dialect: Dialect
    notation: Notation
    encoding: str
    has_header: bool
    columns: tuple[str, ...]
    types: Mapping[str, str]
    trim: bool
    skip_blank: bool
    group_by: tuple[str, ...]
    byte_order_mark: bool
    line_end: str
    formulas: str


def settings_of(options: Mapping[str, Any]) -> Settings:
    """Raises UsageError with every fault of the options; ``faults_of`` tells the lint the same."""
    if faults := faults_of(options):
        raise UsageError("; ".join(faults.values()))
    given = {option.name: options.get(option.name, option.default) for option in OPTIONS}
    delimiter = {"tab": "\t", "\\t": "\t"}.get(given["delimiter"], given["delimiter"])
    return Settings(
        dialect=Dialect(delimiter, given["quote"], given["escape"], given["comment"]),
        notation=Notation(given["decimal_mark"], given["thousands"], given["date_format"]),
        encoding=given["encoding"],
        has_header=given["header"],
        columns=tuple(given["columns"]),
        types={name: kind for name, kind in given["types"].items() if kind != "text"},
        trim=given["trim"],
        skip_blank=given["skip_blank"],
        group_by=tuple(given["group_by"]),
        byte_order_mark=given["byte_order_mark"],
        line_end="\n" if given["line_end"] == "lf" else "\r\n",
        formulas=given["formulas"],
    )


def faults_of(options: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with the options, a sentence for each name: each alone, and those that do not go together."""
    return (
        option_faults(OPTIONS, options) or _type_faults(options) or _dialect_faults(options) or _column_faults(options)
    )


def _type_faults(options: Mapping[str, Any]) -> dict[str, str]:
    wrong = {name: kind for name, kind in options.get("types", {}).items() if kind not in TYPES}
    exact = "; write decimal, which is exact to the cent"
    words = [
        f"column '{name}' has the type '{kind}'{exact if kind in _NUMBERS else did_you_mean(str(kind), TYPES)}"
        for name, kind in wrong.items()
    ]
    return {"types": "; ".join(words)} if words else {}


def _dialect_faults(options: Mapping[str, Any]) -> dict[str, str]:
    delimiter = options.get("delimiter", "auto")
    if len(delimiter) != 1 and delimiter not in ("auto", "tab", "\\t"):
        return {"delimiter": "option 'delimiter' must be one character, tab or auto"}
    marks = [delimiter, options.get("quote", '"'), options.get("escape", "")]
    if any(mark and mark in " \r\n" for mark in marks):
        return {"delimiter": "delimiter, quote and escape cannot be a blank or a line end"}
    if len({mark for mark in marks if mark}) < len([mark for mark in marks if mark]):
        return {"delimiter": "delimiter, quote and escape must differ"}
    if options.get("thousands") and options["thousands"] == options.get("decimal_mark", "."):
        return {"thousands": "thousands and decimal_mark must differ"}
    return {}


def _column_faults(options: Mapping[str, Any]) -> dict[str, str]:
    columns = options.get("columns", ())
    if len(set(columns)) < len(columns):
        return {"columns": "a name stands twice in columns"}
    if not columns:
        return {"columns": "header: false needs columns"} if options.get("header") is False else {}
    for name in ("types", "group_by"):
        for column in options.get(name, ()):
            if column not in columns:
                return {name: f"{name} names the column '{column}', which columns lacks{did_you_mean(column, columns)}"}
    return {}
