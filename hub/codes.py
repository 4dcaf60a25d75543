"""Code lists as data: which codes there are, and whether others may be used too.

The lists stand in ``schemas/codes``: ``lists.yaml`` names them, ``<file>.csv`` holds the codes, and a project's
``schemas/codes/extra/<file>.csv`` adds its own.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import PurePosixPath

import msgspec

from hub.errors import Fault, ProjectError
from hub.reference import reference_root
from hub.yamldoc import Node, parse_yaml

FOLDER = "schemas/codes"
INDEX = f"{FOLDER}/lists.yaml"


class CodeList(msgspec.Struct, frozen=True):
    """One list. In an open list an unknown code is a warning, in a closed one an error."""

    name: str
    is_open: bool
    names: Mapping[str, str] = msgspec.field(default_factory=dict)

    def __contains__(self, code: object) -> bool:
        return code in self.names


class CodeLists:
    """All code lists of a project, by the name that ``x-code-list`` uses."""

    def __init__(self, files: Mapping[str, str | bytes]) -> None:
        """Raises ProjectError when a list is not what it should be."""
        index = parse_yaml(_text(files[INDEX]), INDEX)
        faults: list[Fault] = []
        self._lists = {name: _read_list(name, node, files, faults) for name, node in index.items()}
        if faults:
            raise ProjectError(faults)

    def names(self) -> list[str]:
        return sorted(self._lists)

    def get(self, name: str) -> CodeList:
        """The list of that name. Raises KeyError where there is none."""
        return self._lists[name]


@cache
def reference_codes() -> CodeLists:
    """The lists that travel with the hub, read from the disk once."""
    folder = reference_root() / FOLDER
    return CodeLists(
        {f"{FOLDER}/{path.name}": path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}
    )


def _read_list(name: str, node: Node, files: Mapping[str, str | bytes], faults: list[Fault]) -> CodeList:
    names: dict[str, str] = {}
    for stem in (file.text for file in (node.get("files") or node).elements()):
        path = f"{FOLDER}/{stem}.csv"
        if path not in files:
            faults.append(node.fault(f"the list '{name}' wants {path}, which is not there"))
            continue
        for place in (path, f"{FOLDER}/extra/{stem}.csv"):
            if place in files:
                names.update(_read_codes(place, _text(files[place]), faults))
    is_open = node.get("open")
    return CodeList(name, bool(is_open and is_open.value), names)


def _read_codes(path: str, text: str, faults: list[Fault]) -> Iterator[tuple[str, str]]:
    reader = csv.DictReader(text.splitlines())
    if "code" not in (reader.fieldnames or ()):
        faults.append(Fault(path, 1, 1, f"{PurePosixPath(path).name} has no column 'code'; write code,name in line 1"))
        return
    for row in reader:
        code = (row["code"] or "").strip()
        if code:
            yield code, row.get("name") or ""


def _text(raw: str | bytes) -> str:
    return raw if isinstance(raw, str) else raw.decode("utf-8-sig")
