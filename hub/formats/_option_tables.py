"""The options of the formats as Markdown tables, for the reference page."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hub.formats import Option, codec

_BLOCK = re.compile(r"(<!-- options: ([a-z0-9]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def fill_tables(page: str) -> str:
    """The page with each block between ``<!-- options: FORMAT -->`` and ``<!-- end -->`` made anew."""
    return _BLOCK.sub(lambda match: f"{match[1]}{option_table(codec(match[2]).OPTIONS)}{match[3]}", page)


def option_table(options: Sequence[Option]) -> str:
    """One row for each option: its name, what it may be, its default and what it is for."""
    rows = ["| option | kind | default | |", "|---|---|---|---|"]
    for option in options:
        default = f"`{_written(option.default)}`" if option.default not in (None, "", (), {}) else ""
        description = option.description[:1].upper() + option.description[1:].replace("|", "\\|")
        rows.append(f"| `{option.name}` | {_kind(option)} | {default} | {description}. |")
    return "\n".join(rows) + "\n"


def _kind(option: Option) -> str:
    if option.choices:
        return ", ".join(f"`{choice}`" if choice else "empty" for choice in option.choices)
    return {"boolean": "true or false", "integer": "whole number", "map": "mapping"}.get(option.kind, option.kind)


def _written(default: object) -> str:
    return str(default).lower() if isinstance(default, bool) else str(default)
