"""Documents to the text of a CSV file."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from hub.errors import MappingError
from hub.formats._csv_cells import CellFault, writer_of
from hub.formats._csv_settings import Settings
from hub.yamldoc import did_you_mean

# The writer encloses cells that hold one of these, whatever the lines of the file end with.
_END = "\r\n"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?[0-9]+([.,][0-9]+)*")
_MARKS = {"utf-8": codecs.BOM_UTF8, "utf-16-le": codecs.BOM_UTF16_LE}


def write_rows(documents: Iterable[Any], settings: Settings) -> bytes:
    """All documents as rows, each with the columns of the options or else those of the first document."""
    rows = _rows(documents, settings)
    first = next(rows, None)
    columns = settings.columns or (tuple(first[1]) if first else ())
    delimiter = "," if settings.dialect.delimiter == "auto" else settings.dialect.delimiter
    arguments = settings.dialect.arguments(delimiter)
    if settings.dialect.escape:
        arguments["doublequote"] = False
    lines = _Lines(settings, delimiter)
    writer = csv.writer(lines, lineterminator=_END, **arguments)  # type: ignore[arg-type]
    if settings.has_header and columns:
        _write(writer.writerow, [_checked(name, settings) for name in columns], "the header")
    write = _cell_writers(columns, settings)
    for where, row in (first, *rows) if first else ():
        _write(writer.writerow, _cells(where, row, write, settings), where)
    return _encoded("".join(lines.written), settings)


class _Lines:
    """The rows as they are written: none begins as a comment does, each has its own line end."""

    def __init__(self, settings: Settings, delimiter: str) -> None:
        self.written: list[str] = []
        self._dialect, self._delimiter, self._line_end = settings.dialect, delimiter, settings.line_end

    def write(self, row: str) -> None:
        if self._dialect.comment and row.startswith(self._dialect.comment):
            row = self._plain(row)
        self.written.append(row if self._line_end == _END else row.removesuffix(_END) + self._line_end)

    def _plain(self, row: str) -> str:
        """The same row; what reads it does not take it for a comment. Its first cell is not quoted."""
        _, quote, escape, comment = msgspec.structs.astuple(self._dialect)
        cell, mark, rest = row.removesuffix(_END).partition(self._delimiter)
        row = f"{quote}{cell}{quote}{mark}{rest}{_END}" if quote else f"{escape}{row}"
        if row.startswith(comment):
            raise csv.Error
        return row


def _rows(documents: Iterable[Any], settings: Settings) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each row and its name for errors; a grouped document gives one row per element of ``rows``."""
    for number, document in enumerate(documents, 1):
        where = f"record {number}"
        if not settings.group_by:
            yield where, _mapping(document, where)
            continue
        whole = _mapping(document, where)
        key = {name: whole.get(name) for name in settings.group_by}
        if extra := set(whole) - {*key, "rows"}:
            raise _fault(where, min(extra), "a column that is neither in group_by nor in 'rows'", "it within 'rows'")
        rows = whole.get("rows") or ()
        if not isinstance(rows, list | tuple):
            raise _fault(where, "rows", "not a list", "a list of the rows of the group")
        for index, row in enumerate(rows):
            yield f"{where}, rows[{index}]", {**key, **_mapping(row, where)}


def _mapping(document: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(document, Mapping):
        raise _fault(where, "", "not a mapping", "a mapping from column to value")
    return document


def _cell_writers(columns: tuple[str, ...], settings: Settings) -> dict[str, Callable[[Any], str]]:
    return {name: writer_of(settings.types.get(name, "text"), settings.notation) for name in columns}


def _cells(
    where: str, row: Mapping[str, Any], write: Mapping[str, Callable[[Any], str]], settings: Settings
) -> list[str]:
    for name in row:
        if name not in write:
            raise _fault(where, name, f"a column that is not in the header{did_you_mean(str(name), write)}", "")
    cells = []
    for name, convert in write.items():
        try:
            cells.append(_checked(convert(row.get(name)), settings))
        except CellFault as fault:
            raise _fault(where, name, fault.seen, fault.expected, fault.hint) from None
    return cells


def _checked(cell: str, settings: Settings) -> str:
    if settings.formulas == "keep" or not cell.startswith(_FORMULA) or _NUMBER.fullmatch(cell):
        return cell
    if settings.formulas == "quote":
        return f"'{cell}"
    raise CellFault("text that a spreadsheet would run as a formula", "text that begins otherwise", "formulas: quote")


def _write(write: Callable[[list[str]], Any], cells: list[str], where: str) -> None:
    try:
        write(cells)
    except csv.Error:
        seen = "a cell that holds the delimiter or a line end, or begins as a comment does"
        raise _fault(where, "", seen, "a quote or an escape") from None


def _encoded(text: str, settings: Settings) -> bytes:
    name = {"auto": "utf-8", "utf-16": "utf-16-le"}.get(settings.encoding, settings.encoding)
    marked = settings.byte_order_mark or settings.encoding == "utf-16"
    try:
        return (_MARKS.get(name, b"") if marked else b"") + text.encode(name)
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        seen = f"the character U+{ord(text[error.start]):04X}, which {settings.encoding} does not have"
        raise _fault(f"line {line}", "", seen, f"characters of {settings.encoding}", "encoding: utf-8") from None


def _fault(where: str, column: str, seen: str, expected: str, hint: str = "") -> MappingError:
    at = f"{where}, column '{column}'" if column else where
    detail = f"{at}: {seen}" + (f"; expected {expected}" if expected else "")
    return MappingError(detail, code="encode", field_path=str(column), expected=expected, hint=hint)
