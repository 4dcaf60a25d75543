"""The keys of a file as a Markdown table, for the reference pages: path, kind, default, what it is for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from connectors.base import Field
from hub.units import duration_text, share_text, size_text

_BLOCK = re.compile(r"(<!-- keys: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_WORDS = {"texts": "text or list", "address": "text or secret", "raw": "any", "boolean": "true or false"}


def fill_tables(page: str, tables: Mapping[str, Sequence[Field]]) -> str:
    """The page with each block between ``<!-- keys: NAME -->`` and ``<!-- end -->`` made anew."""
    return _BLOCK.sub(lambda match: f"{match[1]}{key_table(tables[match[2]])}{match[3]}", page)


def key_table(fields: Sequence[Field]) -> str:
    """A Markdown table of these keys and all below them; what must be there is marked by "required"."""
    rows = ["| key | kind | default | |", "|---|---|---|---|"]
    for path, field in described(fields):
        default = "required" if field.required else f"`{text}`" if (text := default_text(field)) else ""
        rows.append(f"| `{path}` | {_kind(field)} | {default} | {_cell(field.description)} |")
    return "\n".join(rows) + "\n"


def described(fields: Sequence[Field], prefix: str = "") -> Iterator[tuple[str, Field]]:
    """Every key with its path (``retry.first``, ``to[].system``)."""
    for field in fields:
        path = f"{prefix}{field.name}"
        if field.name:
            yield path, field
        below = f"{path}{'[]' if field.kind == 'list' else ''}." if field.name else prefix
        yield from described(field.fields, below)


def _kind(field: Field) -> str:
    if field.kind == "choice":
        return ", ".join(f"`{choice}`" for choice in field.choices)
    return _WORDS.get(field.kind, field.kind)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def default_text(field: Field) -> str:
    """A default as it would be written in a file; empty where there is none."""
    if field.default is None or field.default in ((), [], {}, ""):
        return ""
    if field.kind == "duration":
        return duration_text(field.default)
    if field.kind == "size":
        return size_text(field.default)
    if field.kind == "share":
        return share_text(field.default)
    return str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
