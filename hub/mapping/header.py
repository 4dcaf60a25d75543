"""The head of a mapping file: name, version, source, target, tables."""

from __future__ import annotations

from pathlib import PurePosixPath

import msgspec

from hub.errors import Fault
from hub.mapping.mapping import Side
from hub.mapping.tables import Tables
from hub.yamldoc import Node, did_you_mean

HEADER_KEYS = ("mapping", "version", "description", "source", "target", "tables", "let", "output")


class Header(msgspec.Struct, frozen=True):
    """What the head of the file says."""

    name: str
    version: int
    description: str
    source: Side
    target: Side
    tables: tuple[str, ...]


def read_header(root: Node, tables: Tables, faults: list[Fault]) -> Header:
    """The head of the file; what is wrong goes to ``faults``."""
    return Header(
        _name(root, faults),
        _version(root, faults),
        _text(root.get("description"), "description", faults) or "",
        side_of(root, "source", faults),
        side_of(root, "target", faults),
        _tables(root.get("tables"), tables, faults),
    )


def _name(root: Node, faults: list[Fault]) -> str:
    node = root.get("mapping")
    stem = PurePosixPath(root.file).stem
    if node is None:
        faults.append(root.fault(f"mapping is missing; write mapping: {stem}"))
        return stem
    name = _text(node, "mapping", faults) or ""
    if name != stem:
        faults.append(node.fault(f"the mapping is called '{name}' and its file '{stem}'; give both the same name"))
    return name


def _version(root: Node, faults: list[Fault]) -> int:
    node = root.get("version")
    if node is None:
        faults.append(root.fault("version is missing; write version: 1"))
        return 1
    if isinstance(node.value, int) and not isinstance(node.value, bool) and node.value > 0:
        return node.value
    faults.append(node.fault(f"version wants a whole number from 1, got {node.text or node.kind}"))
    return 1


def _text(node: Node | None, name: str, faults: list[Fault]) -> str | None:
    if node is None:
        return None
    if node.is_scalar and node.text:
        return node.text
    faults.append(node.fault(f"{name} wants text, got {node.kind}"))
    return None


def side_of(root: Node, name: str, faults: list[Fault]) -> Side:
    """The ``source`` or the ``target`` of a mapping file; what is wrong with it goes to ``faults``."""
    node = root.get(name)
    if node is None:
        return Side()
    if not node.is_map:
        faults.append(node.fault(f"{name} wants format and schema, got {node.kind}; write {name}: {{schema: …}}"))
        return Side()
    options = {key: child.data() for key, child in node.items() if key not in ("format", "schema")}
    return Side(
        _text(node.get("format"), f"{name}.format", faults),
        _text(node.get("schema"), f"{name}.schema", faults),
        options,
    )


def _tables(node: Node | None, tables: Tables, faults: list[Fault]) -> tuple[str, ...]:
    if node is None:
        return ()
    if not node.is_list:
        faults.append(
            node.fault(f"tables wants a list of names, got {node.kind}; write tables: [{node.text or 'units'}]")
        )
        return ()
    names = []
    for element in node.elements():
        if tables.get(element.text) is None:
            faults.append(element.fault(f"unknown table '{element.text}'{did_you_mean(element.text, tables.names())}"))
        names.append(element.text)
    return tuple(names)
