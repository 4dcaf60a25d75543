"""docs/reference/connectors.md says every setting, verdict and preset there is; where it does not, a test shows what
to write."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import connectors
from connectors.base import Field

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "reference" / "connectors.md").read_text()


def default_of(field: Field) -> str:
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


def rows(fields: Sequence[Field], path: str = "") -> Iterator[str]:
    for field in fields:
        if not field.name:
            continue
        name = f"{path}{field.name}"
        kind = " · ".join(f"`{choice}`" for choice in field.choices) if field.kind == "choice" else field.kind
        yield f"| `{name}` | {kind} | {default_of(field)} | {field.description} |"
        below = f"{name}[]." if field.kind == "list" else f"{name}."
        yield from rows(field.fields, below)


def table(name: str) -> str:
    lines = ["| setting | kind | default | |", "|---|---|---|---|", *rows(connectors.connector(name).FIELDS)]
    return "\n".join(lines)


@pytest.mark.parametrize("name", connectors.names())
def test_the_page_has_every_setting_of_a_connector(name: str) -> None:
    assert f"\n## {name}\n" in PAGE
    section = PAGE.split(f"\n## {name}\n")[1].split("\n## ")[0]
    assert table(name) in section, f"write this table into the section {name}:\n{table(name)}"


@pytest.mark.parametrize("path", sorted((ROOT / "connectors" / "presets").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_page_names_every_preset(path: Path) -> None:
    assert f"| `{path.stem}` |" in PAGE
