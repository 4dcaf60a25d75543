"""What the options of a CSV file say of its documents: the names and types of its columns, and how rows are grouped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.formats._csv_settings import faults_of
from hub.outline import Outline, Plain, table

_KINDS = {"text": "text", "decimal": "number", "integer": "integer", "date": "date", "boolean": "boolean"}


def outline_of(options: Mapping[str, Any]) -> Outline | None:
    """The outline of a row, or of a group of rows; None where the options name no column.

    Without ``columns`` the file's own header may name more than the options do, so that any field may be there.
    """
    if faults_of(options):
        return None
    columns, keys = tuple(options.get("columns", ())), tuple(options.get("group_by", ()))
    kinds = {name: _KINDS[kind] for name, kind in options.get("types", {}).items()}
    if not (columns or keys or kinds):
        return None
    if not keys:
        return table(columns, kinds, is_complete=bool(columns))
    rest = [name for name in columns if name not in keys]
    row = table(rest, {name: kind for name, kind in kinds.items() if name not in keys}, is_complete=bool(columns))
    own = {name: Plain(kinds.get(name, "text")) for name in keys}
    return Plain("object", {**own, "rows": Plain("list", element=row)}, required=(*keys, "rows"))
