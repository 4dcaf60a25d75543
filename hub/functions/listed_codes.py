"""The lists of codes that functions read: columns of the tables under ``schemas/``, as they travel with the hub,
read once."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from hub.reference import reference_root


@cache
def column(table: str, key: str, value: str) -> Mapping[str, str]:
    """The cells of a column by those of another; rows where either is empty are left out."""
    with (reference_root() / "schemas" / f"{table}.csv").open(encoding="utf-8", newline="") as file:
        return MappingProxyType({row[key]: row[value] for row in csv.DictReader(file) if row[key] and row[value]})
