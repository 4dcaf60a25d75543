"""The tables of the reference pages, made from what the code declares: ``python -m hub.cli.reference_pages FOLDER``."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import connectors
from connectors.base import Field
from hub.case_fields import ANSWER_FIELDS, MAPPING_TEST_FIELDS, ROUTE_TEST_FIELDS
from hub.cli import reference
from hub.formats import _option_tables
from hub.functions.catalogue import catalogue
from hub.key_tables import fill_tables
from hub.partner_fields import FIELDS as PARTNER_FIELDS
from hub.profiles import reference_table
from hub.route_fields import FIELDS as ROUTE_FIELDS
from hub.schemas import reference_table as types_table
from hub.settings_fields import FIELDS as HUB_FIELDS
from hub.systems import COMMON

KEYS: Mapping[str, Sequence[Field]] = {
    "route": ROUTE_FIELDS, "hub": HUB_FIELDS, "systems": COMMON, "partners": PARTNER_FIELDS,
    "mapping-test": MAPPING_TEST_FIELDS, "route-test": ROUTE_TEST_FIELDS, "answer": ANSWER_FIELDS,
}  # fmt: skip
_FUNCTIONS = re.compile(r"(?<=<!-- functions -->\n\n).*", re.DOTALL)
_SETTINGS = re.compile(r"(\n## ([a-z0-9-]+)\n(?:(?!\n## ).)*?)\| setting \| kind .*?\n(?=\n)", re.DOTALL)


def _with_keys(page: str) -> str:
    return fill_tables(page, KEYS)


def _with_functions(page: str) -> str:
    return _FUNCTIONS.sub(lambda _: catalogue().strip() + "\n", page)


def _with_settings(page: str) -> str:
    return _SETTINGS.sub(lambda match: match[1] + settings_table(match[2]), page)


PAGES: Mapping[str, Callable[[str], str]] = {
    "canonical.md": types_table.fill_table,
    "cli.md": lambda _: reference.render(),
    "configuration.md": _with_keys,
    "connectors.md": _with_settings,
    "formats.md": _option_tables.fill_tables,
    "functions.md": _with_functions,
    "profiles.md": reference_table.fill_tables,
    "routes.md": _with_keys,
    "tests.md": _with_keys,
}


def settings_table(connector: str) -> str:
    """All settings of a connector, one a line; those of groups and lists below them."""
    return "\n".join([
        "| setting | kind | default | |", "|---|---|---|---|", *_rows(connectors.connector(connector).FIELDS), "",
    ])  # fmt: skip


def _rows(fields: Sequence[Field], above: str = "") -> Iterator[str]:
    for field in fields:
        if not field.name:
            continue
        name = f"{above}{field.name}"
        kind = " · ".join(f"`{choice}`" for choice in field.choices) if field.kind == "choice" else field.kind
        yield f"| `{name}` | {kind} | {_default(field)} | {field.description} |"
        yield from _rows(field.fields, f"{name}[]." if field.kind == "list" else f"{name}.")


def _default(field: Field) -> str:
    value: Any = field.default
    if value is None or value in ("", {}, ()):
        return "required" if field.required else ""
    if field.kind == "duration":
        return f"`{Decimal(str(value)).normalize():f}s`"
    if field.kind == "size":
        return f"`{value:,}` bytes"
    if isinstance(value, tuple | list):
        return ", ".join(f"`{part}`" for part in value)
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def main(folder: Path) -> None:
    """Write every page of the folder anew that has a part which is made."""
    for name, made in PAGES.items():
        path = folder / name
        path.write_text(made(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
