"""Schema files as they stand in the project: their names, their JSON, and where in the file a fault is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from hub.errors import Fault
from hub.yamldoc import Node, read_yaml

_MAX_DEPTH = 150
_PATH = re.compile(r"schemas/(?P<folder>[^/]+)/(?:v(?P<major>[1-9][0-9]*)/)?(?P<name>[^/]+)\.schema\.json")


class SchemaFile(msgspec.Struct, frozen=True):
    """One schema file. ``name`` is ``canonical/v1/order`` or ``shopify/order``; ``major`` is 0 without a version."""

    path: str
    folder: str
    major: int
    stem: str
    text: str
    root: dict[str, Any]

    @property
    def name(self) -> str:
        return f"{self.folder}/v{self.major}/{self.stem}" if self.major else f"{self.folder}/{self.stem}"

    @property
    def uri(self) -> str:
        """The address that references resolve against: ``$id``, else one made of the path."""
        own = self.root.get("$id")
        return own if isinstance(own, str) and own else f"https://project.invalid/{self.path}"

    @property
    def describes_documents(self) -> bool:
        """False for a file that only holds definitions for others."""
        return bool(self.root.keys() - {"$schema", "$id", "$comment", "$defs", "definitions", "title", "description"})


def read_schema_files(files: Mapping[str, str | bytes]) -> tuple[list[SchemaFile], list[Fault]]:
    """The schema files among ``files``, and a fault for each that is not a JSON object."""
    found: list[SchemaFile] = []
    faults: list[Fault] = []
    for path in sorted(files):
        place = _PATH.fullmatch(path)
        if not place:
            continue
        text, root = _parse(path, files[path], faults)
        if root is not None:
            found.append(SchemaFile(path, place["folder"], int(place["major"] or 0), place["name"], text, root))
    return found, faults


def fault_at(file: SchemaFile, pointer: Sequence[str | int], message: str) -> Fault:
    """A fault with the line and column of the place that a path of keys and indexes leads to."""
    node, _ = read_yaml(file.text.replace("\t", " "), file.path)
    for step in pointer:
        below = _below(node, step)
        if below is None:
            break
        node = below
    return Fault(file.path, node.line, node.column, message)


def _parse(path: str, raw: str | bytes, faults: list[Fault]) -> tuple[str, dict[str, Any] | None]:
    try:
        text = raw if isinstance(raw, str) else raw.decode("utf-8-sig")
        root = json.loads(text, object_pairs_hook=_unique_keys)
    except UnicodeDecodeError as error:
        faults.append(Fault(path, 1, 1, f"not UTF-8 text: byte {error.start} cannot be read; save the file as UTF-8"))
    except json.JSONDecodeError as error:
        faults.append(Fault(path, error.lineno, error.colno, f"not JSON: {error.msg[0].lower()}{error.msg[1:]}"))
    except _RepeatedKey as error:
        faults.append(Fault(path, _line_of_second(text, error.key), 1, f"the key '{error.key}' stands twice"))
    except RecursionError:
        faults.append(Fault(path, 1, 1, "nested too deeply for a schema"))
    else:
        if isinstance(root, dict) and not _is_too_deep(root):
            return text, root
        wrong = "nested too deeply for a schema" if isinstance(root, dict) else "a schema is a JSON object; write { … }"
        faults.append(Fault(path, 1, 1, wrong))
    return "", None


def _is_too_deep(root: dict[str, Any]) -> bool:
    level: list[Any] = [root]
    for _ in range(_MAX_DEPTH):
        level = [below for node in level for below in (node.values() if isinstance(node, dict) else node)]
        level = [below for below in level if isinstance(below, dict | list)]
        if not level:
            return False
    return True


class _RepeatedKey(ValueError):
    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(key)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise _RepeatedKey(key)
        result[key] = value
    return result


def _line_of_second(text: str, key: str) -> int:
    lines = list(_lines_with(text, json.dumps(key, ensure_ascii=False)))
    return lines[1] if len(lines) > 1 else 1


def _lines_with(text: str, word: str) -> Iterator[int]:
    for number, line in enumerate(text.splitlines(), 1):
        for _ in range(line.count(word)):
            yield number


def _below(node: Node, step: str | int) -> Node | None:
    if isinstance(step, str):
        return node.get(step)
    elements = node.elements()
    return elements[step] if step < len(elements) else None
