"""Look-up tables: CSV files with a header ``key,value`` and, where wanted, more columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any

import msgspec

from hub.errors import Fault, ProjectError
from hub.functions.refusal import kind_of, refusal
from hub.yamldoc import did_you_mean

_MAX_ROWS = 200_000

Finder = Callable[..., Any]


class Table(msgspec.Struct, frozen=True):
    """One table: ``columns`` gives, for each column after the key, the value of every key."""

    name: str
    file: str
    columns: Mapping[str, Mapping[str, str]]

    def finder(self, column: str) -> Finder:
        """The function that gives the cell of a key; ``otherwise`` for an unknown key, an empty cell, or no key."""
        cell = self.columns[column].get

        def find(key: Any, otherwise: Any = None) -> Any:
            if key.__class__ is str:
                return cell(key) or otherwise
            if key is None:
                return otherwise
            hint = f"write lookup(text(…), '{self.name}')"
            raise refusal(f"lookup wants text as its key, got {kind_of(key)}", key, expected="text", hint=hint)

        return find


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """All tables of a project, by name."""

    tables: Mapping[str, Table]

    def get(self, name: str) -> Table | None:
        return self.tables.get(name)

    def names(self) -> list[str]:
        return sorted(self.tables)


NO_TABLES = Tables(MappingProxyType({}))


def load_tables(files: Mapping[str, str]) -> Tables:
    """The tables in ``files`` (path to text). Raises ProjectError with every fault of every file."""
    faults: list[Fault] = []
    tables: dict[str, Table] = {}
    for file, text in sorted(files.items()):
        name = PurePosixPath(file).stem
        if name in tables:
            faults.append(Fault(file, 0, 0, f"a table '{name}' is already in {tables[name].file}"))
            continue
        tables[name] = _table(name, file, text, faults)
    if faults:
        raise ProjectError(faults)
    return Tables(MappingProxyType(tables))


def _table(name: str, file: str, text: str, faults: list[Fault]) -> Table:
    rows = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    columns: dict[str, dict[str, str]] = {}
    try:
        columns |= {column: {} for column in _header(rows, file, faults)[1:]}
        _fill(columns, rows, file, faults)
    except csv.Error as error:
        faults.append(Fault(file, rows.line_num, 1, f"not CSV: {error}"))
    return Table(name, file, MappingProxyType({column: MappingProxyType(cells) for column, cells in columns.items()}))


def _header(rows: Iterator[list[str]], file: str, faults: list[Fault]) -> list[str]:
    header = [cell.strip() for cell in next(rows, [])]
    if header[:1] != ["key"]:
        advice = did_you_mean(header[0], ["key"]) if header and header[0] else "; write a header such as key,value"
        faults.append(Fault(file, 1, 1, f"the first column must be called 'key'{advice}"))
    if "value" not in header:
        faults.append(Fault(file, 1, 1, "the column 'value' is missing; write a header such as key,value"))
    repeated = sorted({column for column in header if header.count(column) > 1})
    faults.extend(Fault(file, 1, 1, f"the column '{column}' stands twice") for column in repeated)
    return header


def _fill(columns: dict[str, dict[str, str]], rows: Iterator[list[str]], file: str, faults: list[Fault]) -> None:
    lines: dict[str, int] = {}
    for cells in rows:
        line: int = rows.line_num  # type: ignore[attr-defined]
        if not any(cells):
            continue
        problem = _row_problem(cells, len(columns) + 1, lines)
        if problem:
            faults.append(Fault(file, line, 1, problem))
            continue
        lines[cells[0]] = line
        for column, cell in zip(columns, cells[1:], strict=True):
            columns[column][cells[0]] = cell


def _row_problem(cells: list[str], width: int, lines: dict[str, int]) -> str:
    if len(cells) != width:
        advice = "; quote a cell that holds a comma" if len(cells) > width else ""
        return f"expected {width} cells, got {len(cells)}{advice}"
    if not cells[0]:
        return "the key is empty"
    if cells[0] in lines:
        return f"the key '{cells[0]}' stands twice; the first is in line {lines[cells[0]]}"
    return f"more than {_MAX_ROWS} rows" if len(lines) >= _MAX_ROWS else ""
