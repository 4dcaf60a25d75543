"""The canonical schemas and the golden documents, read once for all tests."""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

from hub.schemas import SchemaSet

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests/golden/canonical"


@cache
def schemas() -> SchemaSet:
    folder = ROOT / "schemas"
    return SchemaSet(
        {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in folder.rglob("*.*") if path.is_file()}
    )


@cache
def types() -> list[str]:
    return [
        name.removeprefix("canonical/")
        for name in schemas().names()
        if name.count("/") == 1 and name.startswith("canonical/")
    ]


@cache
def golden_names() -> list[str]:
    return sorted(path.stem for path in GOLDEN.glob("*.json"))


@cache
def _golden(name: str) -> Any:
    return json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))


def golden(name: str) -> Any:
    return copy.deepcopy(_golden(name))


def type_of(golden_name: str) -> str:
    """The longest type name that the file's name starts with."""
    return max((name for name in types() if golden_name.startswith(name)), key=len)


def put(document: Any, path: str, value: Any) -> Any:
    """The document with one value changed; ``path`` is ``order_lines.0.quantity.value``."""
    *above, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    node = document
    for part in above:
        node = node[part]
    if value is ...:
        del node[last]
    else:
        node[last] = value
    return document
