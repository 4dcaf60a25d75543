"""Statements of the store, written for SQLite, as PostgreSQL reads them; each is translated once.

A statement for many rows becomes one statement over arrays: ``INSERT … SELECT … FROM unnest(…)``, ``UPDATE … FROM
unnest(…)``, ``SELECT … FROM unnest(…) JOIN LATERAL …``, which an ``INSERT`` stands before where rows are copied,
``DELETE … USING unnest(…)``; one that only inserts what is given a ``COPY``, which costs half of that. What cannot be
put so is run row by row (``Translated.is_batch``).

The rows that are given lead, and each finds its own by its key. A planner that knows a table as it was a minute ago
takes it for smaller than it is, and would rather read all that waits in it: so the table is hidden from it in a
subquery, or the index of what waits by a time that is no longer a bare column, or by a comparison of states of which
it cannot guess how few are like that: it would read the whole of a small table for each row that is given.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

Types = Mapping[str, Mapping[str, str]]  # table -> column -> type, in the order of the columns

_MARK = re.compile(r"\?(\d*)")
_WORDS = (
    (re.compile(r"\bINDEXED BY \w+"), ""),
    (re.compile(r"\bCROSS JOIN\b"), "JOIN"),
    (re.compile(r"\binstr\("), "strpos("),
    (re.compile(r"\bx''"), r"''::bytea"),
    (re.compile(r"([\w.]+) ->> '(?:\$\.)?(\w+)'"), r"(\1::json ->> '\2')"),
    (re.compile(r"\bjson_each\((\$\d+)\) j\b"), r"json_array_elements(\1::json) AS j(value)"),
    (re.compile(r"\bsqlite_sequence\b"), "numbers"),
    (re.compile(r"\bLIMIT (\$\d+)"), r"LIMIT nullif(\1::int8, -1)"),
)
_INSERT = re.compile(r"INSERT INTO (\w+)\s*(?:\((.*?)\))?\s*VALUES \((.*?)\)\s*(ON CONFLICT.*)?$", re.DOTALL)
_COPIED = re.compile(r"INSERT INTO (\w+)\s*\((.*?)\)\s*SELECT (.*?)\s+FROM (\w+)\s+WHERE (.*)$", re.DOTALL)
_UPDATE = re.compile(r"UPDATE (\w+)(?: AS (\w+))? SET (.*?)\sWHERE (.*?)(\s+RETURNING .*)?$", re.DOTALL)
_SELECT = re.compile(r"SELECT (.*?)\s+FROM (\w+)\s+WHERE (.*?)(?:\s+ORDER BY (.*))?$", re.DOTALL)
_DELETE = re.compile(r"DELETE FROM (\w+) WHERE (.*)$", re.DOTALL)
_OWN_STATE = re.compile(r"(?<![.\w])state (= (?:'\w+'|v\.p\d+)|IN \([^()]*\))")
_HIDDEN = r"CASE WHEN state \1 THEN TRUE ELSE FALSE END"
_OWN_TIME = re.compile(r"(?<![.\w])due_at(?= IS NOT NULL)")
# What stands before a placeholder tells the column whose type it has.
_BEFORE = re.compile(
    r"(?:(\w+)\s*(?:=|<>|<=|>=|<|>|\+)\s*|coalesce\((?:\w+\.)?(\w+),\s*|(\w+) = CASE WHEN [^?$]* ELSE )$"
)


class Translated(msgspec.Struct, frozen=True):
    """A statement in PostgreSQL's words; ``types`` are those of the arrays it takes, where ``is_batch``, or of the
    columns it copies, where ``is_copy``."""

    text: str
    types: tuple[str, ...] = ()
    is_copy: bool = False

    @property
    def is_batch(self) -> bool:
        return bool(self.types)


def translate(statement: str) -> Translated:
    """A statement for one set of values."""
    marked = _numbered(statement)
    for pattern, replacement in _WORDS:
        marked = pattern.sub(replacement, marked)
    return Translated(marked)


def _numbered(statement: str) -> str:
    """``?`` and ``?N`` as ``$N``; a bare one takes the number after the greatest so far, as in SQLite."""
    greatest = 0

    def number(mark: re.Match[str]) -> str:
        nonlocal greatest
        given = int(mark[1]) if mark[1] else greatest + 1
        greatest = max(greatest, given)
        return f"${given}"

    return _MARK.sub(number, statement)


def translate_many(statement: str, types: Types) -> Translated:
    """A statement for many rows, over arrays where it can be put so."""
    text = translate(statement).text
    ways = ((_INSERT, _insert), (_COPIED, _copied), (_UPDATE, _update), (_SELECT, _select), (_DELETE, _delete))
    for pattern, put in ways:
        match = pattern.fullmatch(text.strip())
        made = put(match, types) if match else None
        if made is not None:
            return made
    return translate(statement)


def _insert(match: re.Match[str], types: Types) -> Translated | None:
    table, named, values, rest = match[1], match[2], match[3], match[4] or ""
    if "DO UPDATE" in rest or table not in types:
        return None  # one statement may not change one row twice
    columns = [c.strip() for c in named.split(",")] if named else list(types[table])
    items = [item.strip() for item in values.split(",")]
    found = {int(item[1:]): types[table][c] for c, item in zip(columns, items, strict=True) if item.startswith("$")}
    if sorted(found) != list(range(1, len(found) + 1)):
        return None
    if not rest and all(item.startswith("$") for item in items):
        text = f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)"
        return Translated(text, tuple(types[table][column] for column in columns), is_copy=True)
    chosen = ", ".join(f"v.p{item[1:]}" if item.startswith("$") else item for item in items)
    source = _arrays([found[number] for number in sorted(found)])
    text = f"INSERT INTO {table} ({', '.join(columns)}) SELECT {chosen} FROM {source} {rest}".rstrip()
    return Translated(text, tuple(found[number] for number in sorted(found)))


def _copied(match: re.Match[str], types: Types) -> Translated | None:
    """Rows that are made of stored ones: a bare placeholder among what is selected has the type of its column."""
    table, named, chosen, source, condition = (part.strip() for part in match.groups())
    columns, items = [c.strip() for c in named.split(",")], [item.strip() for item in chosen.split(",")]
    given = [(c, item) for c, item in zip(columns, items, strict=True) if item.startswith("$")]
    typed = " AND ".join([condition, *(f"own.{column} = {item}" for column, item in given)])
    found = _types_of(typed, {**types.get(table, {}), **types.get(source, {})})
    if not found:
        return None
    made = f"SELECT {_named(', '.join(items))} FROM {_each(source, condition, found)}"
    return Translated(f"INSERT INTO {table} ({', '.join(columns)}) {made}", tuple(found))


def _each(table: str, condition: str, types: list[str]) -> str:
    """The rows that are given, each beside those of a table that it finds."""
    found = f"(SELECT * FROM {table} WHERE {_named(condition)} OFFSET 0) AS {table}"
    return f"{_arrays(types, numbered=True)} CROSS JOIN LATERAL {found}"


def _update(match: re.Match[str], types: Types) -> Translated | None:
    table, alias, changes, condition, rest = match[1], match[2], match[3], match[4], match[5] or ""
    found = _types_of(f"{changes} WHERE {condition}", types.get(table, {}))
    if not found:
        return None
    name = f"{table} AS {alias}" if alias else table
    rows_by_key = _OWN_TIME.sub("(due_at + 0)", _OWN_STATE.sub(_HIDDEN, _named(condition)))
    text = f"UPDATE {name} SET {_named(changes)} FROM {_arrays(found)} WHERE {rows_by_key}{rest}"
    return Translated(text, tuple(found))


def _select(match: re.Match[str], types: Types) -> Translated | None:
    columns, table, condition, ordered = match[1], match[2], match[3], ["v.n", *([match[4]] if match[4] else [])]
    found = _types_of(condition, types.get(table, {}))
    if not found or "$" in columns:
        return None
    text = f"SELECT {columns} FROM {_each(table, condition, found)} ORDER BY {', '.join(ordered)}"
    return Translated(text, tuple(found))


def _delete(match: re.Match[str], types: Types) -> Translated | None:
    table, condition = match[1], match[2]
    found = _types_of(condition, types.get(table, {}))
    if not found:
        return None
    return Translated(f"DELETE FROM {table} USING {_arrays(found)} WHERE {_named(condition)}", tuple(found))


def _named(text: str) -> str:
    return re.sub(r"\$(\d+)", r"v.p\1", text)


def _arrays(types: list[str], numbered: bool = False) -> str:
    arrays = ", ".join(f"${number}::{name}[]" for number, name in enumerate(types, 1))
    names = ", ".join([*(f"p{number}" for number in range(1, len(types) + 1)), *(["n"] if numbered else [])])
    return f"unnest({arrays}){' WITH ORDINALITY' if numbered else ''} AS v({names})"


def _types_of(text: str, columns: Mapping[str, str]) -> list[str]:
    """The type of each placeholder by the column that it stands beside; nothing where one cannot be told."""
    found: dict[int, str] = {}
    for mark in re.finditer(r"\$(\d+)", text):
        before = _BEFORE.search(text[: mark.start()])
        column = next((name for name in before.groups() if name), "") if before else ""
        if column in columns:
            found[int(mark[1])] = columns[column]
    wanted = {int(number) for number in re.findall(r"\$(\d+)", text)}
    return [found[number] for number in sorted(wanted)] if set(found) == wanted else []
