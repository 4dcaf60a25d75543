"""Two documents field by field: what differs, with its path, and where in the test file it was expected."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from enum import Enum
from typing import Any

import msgspec

from hub.yamldoc import Node


class _Missing(Enum):
    """Stands for a value that is not there; null is one that is."""

    MISSING = "missing"


MISSING = _Missing.MISSING


class Difference(msgspec.Struct, frozen=True):
    """One field that is not as expected. MISSING stands for a value that is not there; ``line`` and ``column`` are the
    place of what was expected, 0 where there is none; ``origin`` says which expression the seen value came from."""

    path: str
    expected: Any
    seen: Any
    line: int = 0
    column: int = 0
    origin: str = ""


def differences(expected: Any, seen: Any, path: str = "", node: Node | None = None) -> Iterator[Difference]:
    """Every leaf that differs, in the order of what is expected. ``node`` is the expected value in its file."""
    if isinstance(expected, dict) and isinstance(seen, dict):
        for key, value in expected.items():
            where = f"{path}.{key}" if path else key
            yield from differences(value, seen.get(key, MISSING), where, _below(node, key))
        for key in seen:
            if key not in expected:
                yield _difference(f"{path}.{key}" if path else key, MISSING, seen[key], node)
    elif isinstance(expected, list) and isinstance(seen, list):
        for index in range(max(len(expected), len(seen))):
            one = expected[index] if index < len(expected) else MISSING
            other = seen[index] if index < len(seen) else MISSING
            yield from differences(one, other, f"{path}[{index}]", _element(node, index))
    elif not is_same(expected, seen):
        yield _difference(path or "(document)", expected, seen, node)


def is_same(one: Any, other: Any) -> bool:
    """Whether two leaves are one value: 1.50 is 1.5, but true is not 1 and '1' is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | Decimal) and isinstance(other, int | Decimal):
        return one == other
    return type(one) is type(other) and bool(one == other)


def _difference(path: str, expected: Any, seen: Any, node: Node | None) -> Difference:
    return Difference(path, expected, seen, node.line if node else 0, node.column if node else 0)


def _below(node: Node | None, key: str) -> Node | None:
    return (node.get(key) or node) if node is not None else None


def _element(node: Node | None, index: int) -> Node | None:
    if node is None:
        return None
    elements = node.elements()
    return elements[index] if index < len(elements) else node
