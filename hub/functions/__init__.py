"""The functions a mapping may call: value in, value out. One file per topic; the folder is the registry.

Every function is pure and refuses what it cannot do exactly. Its examples are its test and its documentation.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from hub.functions.registry import DECLARED, Argument, Function, function

__all__ = ["Argument", "Function", "function", "functions", "topics"]

_NOT_TOPICS = {"allowance", "registry", "refusal", "catalogue", "listed_codes", "national_numbers"}


@cache
def topics() -> tuple[str, ...]:
    """The names of the files that hold functions, in the order of the alphabet."""
    return tuple(sorted({info.name for info in pkgutil.iter_modules(__path__)} - _NOT_TOPICS))


@cache
def functions() -> Mapping[str, Function]:
    """Every function there is, by the name a mapping calls it by."""
    for topic in topics():
        importlib.import_module(f"{__name__}.{topic}")
    return MappingProxyType(dict(sorted(DECLARED.items())))
