"""The files of the reference project: what ``o2c init`` makes, and what travels with the hub."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from hub import formats
from hub.grammars.library import is_grammar_file
from hub.project import own_files, reference_files
from hub.reference import reference_root
from hub.systems import preset_names

# Each mapping of a library stands by itself: they are many, and the check of one tells nothing of another.
LIBRARIES = tuple(f"mappings/{name}/" for name in (*formats.names(), "bank", *preset_names(reference_files())))


@cache
def whole() -> Mapping[str, bytes]:
    return {**reference_files(), **own_files(reference_root())}


def beside(path: str, files: Mapping[str, bytes] | None = None) -> dict[str, bytes]:
    """The files without the libraries of mappings, but for the one at ``path`` with its tests."""
    own = _stem(path)
    files = whole() if files is None else files
    return {name: raw for name, raw in files.items() if not name.startswith(LIBRARIES) or _stem(name) == own}


def _stem(path: str) -> str:
    return path.removesuffix(".yaml").removesuffix(".test")


@cache
def small() -> Mapping[str, bytes]:
    """Without the libraries of mappings, and without the grammars of EDI."""
    return {path: raw for path, raw in beside("").items() if not is_grammar_file(path)}
