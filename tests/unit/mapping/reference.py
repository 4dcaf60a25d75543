"""The mappings of the reference project with their tables, schemas and cases, read once."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from hub.mapping import Context, Mapping, Tables, compile_mapping, load_tables
from hub.schemas import SchemaSet
from hub.yamldoc import parse_yaml
from tests.reference_project import LIBRARIES

ROOT = Path(__file__).parents[3]


def files(folder: str, pattern: str) -> dict[str, str]:
    return {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in (ROOT / folder).rglob(pattern)}


@cache
def tables() -> Tables:
    return load_tables(files("mappings/tables", "*.csv"))


@cache
def schemas() -> SchemaSet:
    return SchemaSet({**files("schemas", "*.json"), **files("schemas/codes", "*")})


def mapping_files() -> list[str]:
    """The mappings of the project itself: those of a format's library are tested by their own cases and round trips."""
    found = (path for path in files("mappings", "*.yaml") if not path.endswith(".test.yaml"))
    return sorted(path for path in found if not path.startswith(LIBRARIES))


@cache
def mapping(file: str) -> Mapping:
    return compile_mapping((ROOT / file).read_text(encoding="utf-8"), file, tables=tables(), schemas=schemas())


@cache
def _read(file: str) -> Any:
    path = ROOT / file.replace(".yaml", ".test.yaml")
    return parse_yaml(path.read_text(encoding="utf-8"), str(path.relative_to(ROOT))).data()


def context_of(file: str, case: dict[str, Any] | None = None) -> Context:
    """What the cases of a file are given beside their documents; a case may have a company of its own, and more in its
    envelope."""
    found, own = _read(file), case or {}
    envelope = {**found["envelope"], **own.get("envelope", {})}
    return Context(company=own.get("company", found["company"]), envelope=envelope)


def cases_of(file: str) -> list[dict[str, Any]]:
    return list(_read(file)["cases"])


def floats(value: Any, path: str = "") -> Iterator[str]:
    """The places of binary floats; a Decimal in an output is one too many as well where the target wants text."""
    if isinstance(value, float):
        yield path
    elif isinstance(value, dict):
        for key, child in value.items():
            yield from floats(child, f"{path}.{key}")
    elif isinstance(value, list):
        for position, child in enumerate(value):
            yield from floats(child, f"{path}[{position}]")


def plain(value: Any) -> Any:
    """The document as JSON has it: validators know no Decimal."""
    if isinstance(value, dict):
        return {key: plain(child) for key, child in value.items()}
    if isinstance(value, list):
        return [plain(child) for child in value]
    return int(value) if isinstance(value, Decimal) and value == value.to_integral_value() else value
