"""Where a candidate belongs: a route, mapping or table in place of the file of the same name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from hub.errors import ProjectError, UsageError
from hub.project import document_of
from hub.yamldoc import Node, did_you_mean

_TABLES = "mappings/tables/"
_KINDS = {"mapping": "mappings/", "route": "routes/"}


def put_in_place(files: Mapping[str, bytes], name: str, content: bytes) -> str:
    """The path of the file that a candidate stands in for: by what it says it is, for a table by its name. Raises
    UsageError where there is none, ProjectError where it cannot be read."""
    if name.endswith(".csv"):
        return _found(files, name, f"{_TABLES}{PurePosixPath(name).name}", _TABLES)
    node, faults = document_of({name: content}, name)
    errors = [fault for fault in faults if fault.severity == "error"]
    if errors:
        raise ProjectError(errors)
    for kind, folder in _KINDS.items():
        named = node.value.get(kind) if isinstance(node.value, dict) else None
        if isinstance(named, Node):
            return _with_name(files, name, kind, folder, named.text)
    raise UsageError(
        f"{name}: neither a mapping nor a route nor a table; expected mapping: NAME, route: NAME or a .csv"
    )


def _with_name(files: Mapping[str, bytes], name: str, kind: str, folder: str, wanted: str) -> str:
    known: dict[str, str] = {}
    for path in files:
        if path.startswith(folder) and path.endswith(".yaml") and not path.endswith(".test.yaml"):
            node, _ = document_of(files, path)
            own = node.value.get(kind) if isinstance(node.value, dict) else None
            if isinstance(own, Node):
                known[own.text] = path
    if wanted not in known:
        raise UsageError(f"{name}: the project has no {kind} '{wanted}' that it could stand in for"
                         f"{did_you_mean(wanted, known)}")  # fmt: skip
    return known[wanted]


def _found(files: Mapping[str, bytes], name: str, path: str, folder: str) -> str:
    if path in files:
        return path
    known = [PurePosixPath(each).name for each in files if each.startswith(folder)]
    raise UsageError(f"{name}: the project has no {path} that it could stand in for"
                     f"{did_you_mean(PurePosixPath(path).name, known)}")  # fmt: skip
