"""CSV (RFC 4180 and what is sent in its name): rows to documents, exact, streamed, one bad row sparing the others.

Each row is a record, or with ``group_by`` each run of rows with one key. Cells are text where ``types`` says nothing.
Limits: a cell 1,000,000 characters, a line 10,000,000, a group 100,000 rows; a file of any size takes the same memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from hub.errors import DecodeError
from hub.formats import BadRecord, Places, Record, only_record
from hub.formats._csv_cells import CellFault, reader_of
from hub.formats._csv_groups import Good, grouped
from hub.formats._csv_places import CsvPlaces
from hub.formats._csv_profile import outline_of
from hub.formats._csv_rows import BadRow, Row, read_rows
from hub.formats._csv_settings import OPTIONS, Settings, faults_of, settings_of
from hub.formats._csv_text import raw_bytes, text_lines
from hub.formats._csv_writing import write_rows
from hub.yamldoc import did_you_mean

__all__ = [
    "CONTENT_TYPES", "EXAMPLE", "OPTIONS", "decode", "decode_one", "encode", "encode_one", "faults_of", "outline_of",
]  # fmt: skip

CONTENT_TYPES = ("text/csv", "application/csv", "text/tab-separated-values", "text/plain")
EXAMPLE = (b"order_id,total\r\n4711,129.90\r\n", {"order_id": "4711", "total": "129.90"})

_MAX_RAW = 65_536
# What a server says of its troubles is one line, and would be no rows; nor would what is encrypted.
_PAGES = ("<!doctype", "<html", "<?xml", "-----begin pgp")


def decode(chunks: Iterable[bytes], options: Mapping[str, Any]) -> Iterator[Record | BadRecord]:
    """The rows as documents. Raises DecodeError when there is no header or it does not fit the options."""
    settings = settings_of(options)
    rows = read_rows(text_lines(chunks, settings.encoding), settings.dialect)
    found = _documents(rows, settings)
    if settings.group_by:
        found = grouped(found, settings.group_by)
    for index, row in enumerate(found):
        position = f"line {row.line}"
        if isinstance(row, Good):
            yield Record(row.value, position, index)
        else:
            yield BadRecord(row.error, raw_bytes("".join(row.written), settings.encoding)[:_MAX_RAW], position, index)


def decode_one(raw: bytes, options: Mapping[str, Any]) -> Any:
    """The one row, or group, of a file. Raises DecodeError when there are more or none."""
    return only_record(decode([raw], options))


def encode(documents: Iterable[Any], options: Mapping[str, Any]) -> bytes:
    """One file with a row for each document. Raises MappingError for nested values, floats and unknown columns."""
    return write_rows(documents, settings_of(options))


def encode_one(document: Any, options: Mapping[str, Any]) -> bytes:
    """A file for one document: its header and its row, or its rows where it is a group."""
    return encode([document], options)


def places(raw: bytes, options: Mapping[str, Any], index: int) -> Places:
    """Where the cells of one record stand: line and column."""
    settings = settings_of(options)
    columns = _columns(read_rows(text_lines([raw], settings.encoding), settings.dialect), settings)
    rows = _documents(read_rows(text_lines([raw], settings.encoding), settings.dialect), settings)
    found = grouped(rows, settings.group_by) if settings.group_by else rows
    row = next(islice(found, index, None), None)
    lines = () if row is None else (isinstance(row, Good) and row.lines) or (row.line,)
    return CsvPlaces({name: number for number, name in enumerate(columns, 1)}, lines, bool(settings.group_by))


def _documents(rows: Iterator[Row | BadRow], settings: Settings) -> Iterator[Good | BadRow]:
    columns = _columns(rows, settings)
    _check_names(columns, settings)
    width, convert = len(columns), {name: reader_of(kind, settings.notation) for name, kind in settings.types.items()}
    for row in rows:
        if isinstance(row, BadRow):
            yield row
            continue
        line, cells, written = row
        if settings.trim:
            cells = [cell.strip() for cell in cells]
        if not any(cells) and (settings.skip_blank or not cells):
            continue
        if len(cells) != width and any(cells[width:] or ("short",) * (len(cells) < width)):
            yield _ragged(row, columns)
            continue
        value: dict[str, Any] = dict(zip(columns, cells, strict=False))
        fault = _converted(value, convert, line)
        yield BadRow(line, fault, written, _key(value, settings)) if fault else Good(line, value, written)


def _columns(rows: Iterator[Row | BadRow], settings: Settings) -> tuple[str, ...]:
    if not settings.has_header:
        return settings.columns
    header = next((row for row in rows if isinstance(row, BadRow) or any(row.cells)), None)
    if header is None:
        raise DecodeError("the file is empty; expected a header row", code="empty", expected="a header row")
    if isinstance(header, BadRow):
        raise header.error
    names = [cell.strip() for cell in header.cells]
    while names and not names[-1]:
        names.pop()
    if settings.columns:
        _check_width(names, settings.columns, header.line)
        return settings.columns
    _check_header(names, header.line)
    return tuple(names)


def _check_width(names: list[str], columns: tuple[str, ...], line: int) -> None:
    if len(names) != len(columns):
        detail = f"the header has {len(names)} columns, the option columns {len(columns)}"
        raise DecodeError(detail, code="header", position=f"line {line}", expected=f"{len(columns)} columns")


def _check_header(names: list[str], line: int) -> None:
    if names and names[0].lower().startswith(_PAGES):
        detail = f"the header is '{names[0][:40]}': this is a page, XML or PGP, and no CSV"
        raise DecodeError(detail, code="header", position=f"line {line}", expected="the names of columns",
                          quoted=(names[0][:40],))  # fmt: skip
    seen: set[str] = set()
    for number, name in enumerate(names, 1):
        if not name or name in seen:
            what = f"the column '{name}' stands twice" if name else f"column {number} has no name"
            hint = "name the columns yourself with the option columns"
            raise DecodeError(f"{what} in the header", code="header", position=f"line {line}", hint=hint)
        seen.add(name)


def _check_names(columns: tuple[str, ...], settings: Settings) -> None:
    for option, names in (("types", settings.types), ("group_by", settings.group_by)):
        for name in names:
            if name not in columns:
                detail = f"the file has no column '{name}', which {option} names{did_you_mean(name, columns)}"
                raise DecodeError(detail, code="header", expected=f"a column '{name}'")


def _converted(value: dict[str, Any], convert: Mapping[str, Callable[[str], Any]], line: int) -> DecodeError | None:
    """Puts the typed values in place; gives the first fault and leaves that cell, and those after it, as they stood."""
    name = ""
    try:
        for name, read in convert.items():
            value[name] = read(value[name])
    except CellFault as fault:
        return DecodeError(
            f"column '{name}': expected {fault.expected}, got '{fault.seen}'",
            code="cell",
            field_path=name,
            position=f"line {line}",
            value_excerpt=fault.seen,
            expected=fault.expected,
            hint=fault.hint,
        )
    return None


def _key(value: Mapping[str, Any], settings: Settings) -> tuple[object, ...] | None:
    """The group a row with a faulty cell belongs to; unknown where the key itself is typed and may be the fault."""
    if any(name in settings.types for name in settings.group_by):
        return None
    return tuple(value[name] for name in settings.group_by)


def _ragged(row: Row, columns: tuple[str, ...]) -> BadRow:
    seen, wanted = len(row.cells), len(columns)
    detail = f"{seen} cell{'s' * (seen != 1)}; expected {wanted}, one for each column"
    hint = (
        "quote a cell that holds the delimiter or a line end" if seen > wanted else "a cell is missing or a quote open"
    )
    error = DecodeError(detail, code="ragged", position=f"line {row.line}", expected=f"{wanted} cells", hint=hint)
    return BadRow(row.line, error, row.written)
