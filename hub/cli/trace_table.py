"""A mapping's trace: for each field its value, the expression it came from, and the source paths that read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.cli.terminal import json_text, say_table
from hub.mapping import TraceEntry

_LONGEST = 40


def say_trace(entries: Sequence[TraceEntry]) -> None:
    """The trace as a table."""
    rows = [(entry.path, _short(entry.value), _origin(entry), ", ".join(entry.sources)) for entry in entries]
    say_table(("field", "value", "expression", "read"), rows)


def trace_fields(entry: TraceEntry) -> dict[str, Any]:
    """One entry for JSON."""
    named = ("path", "value", "file", "line", "column", "expression", "sources")
    return {name: getattr(entry, name) for name in named}


def _origin(entry: TraceEntry) -> str:
    return f"{entry.line}:{entry.column} {entry.expression}"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else " ".join(json_text(value).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
