"""Rows in a row with the same key become one record: the lines of an order, the items of a delivery note."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.errors import DecodeError
from hub.formats._csv_rows import BadRow

MAX_ROWS = 100_000

Key = tuple[object, ...]


@dataclass(slots=True)
class Good:
    """One row as a document, the line it begins at and the lines it was written on; a group also has those that its
    rows begin at."""

    line: int
    value: dict[str, Any]
    written: list[str]
    lines: Sequence[int] = ()


@dataclass(slots=True)
class _Group:
    key: Key
    line: int
    rows: list[dict[str, Any]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    error: DecodeError | None = None

    def add(self, row: Good, columns: tuple[str, ...]) -> None:
        self.written += row.written
        if len(self.rows) >= MAX_ROWS:
            self.spoil(
                DecodeError(f"more than {MAX_ROWS} rows with one key", code="too_long", expected="smaller groups")
            )
            return
        self.lines.append(row.line)
        self.rows.append({name: value for name, value in row.value.items() if name not in columns})

    def spoil(self, error: DecodeError) -> None:
        self.error = self.error or error


def grouped(rows: Iterable[Good | BadRow], columns: tuple[str, ...]) -> Iterator[Good | BadRow]:
    """One row per key, with the columns of the key and ``rows``.

    An order with a line missing is worse than none: a bad row spoils the group it belongs to. Where that cannot be told
    it spoils the group before it and the one after it.
    """
    group: _Group | None = None
    stray: BadRow | None = None
    for row in rows:
        key = row.key if isinstance(row, BadRow) else tuple(row.value[name] for name in columns)
        if key is None and isinstance(row, BadRow):
            if stray and not group:
                yield stray
            stray = row
            _spoil(group, row)
            continue
        if group is None or group.key != key:
            if group:
                yield _finished(group, columns)
            elif stray:
                yield stray
            group = _Group(key or (), row.line)
            if stray:
                group.spoil(_neighbour(stray))
        stray = None
        _put(group, row, columns)
    if group:
        yield _finished(group, columns)
    elif stray:
        yield stray


def _put(group: _Group, row: Good | BadRow, columns: tuple[str, ...]) -> None:
    if isinstance(row, BadRow):
        _spoil(group, row)
    else:
        group.add(row, columns)


def _spoil(group: _Group | None, row: BadRow) -> None:
    if group:
        group.spoil(row.error)
        group.written += row.written


def _neighbour(stray: BadRow) -> DecodeError:
    detail = f"the row before this group cannot be read and may belong to it: {stray.error.detail}"
    cause = f"the row before: {stray.error.cause}"
    quoted = (stray.error.value_excerpt, *stray.error.quoted)
    return DecodeError(
        detail, code=stray.error.code, position=stray.error.position, hint=stray.error.hint, cause=cause, quoted=quoted
    )


def _finished(group: _Group, columns: tuple[str, ...]) -> Good | BadRow:
    if group.error:
        return BadRow(group.line, group.error, group.written, group.key)
    value = {**dict(zip(columns, group.key, strict=True)), "rows": group.rows}
    return Good(group.line, value, group.written, group.lines)
