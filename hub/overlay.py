"""Laying one YAML mapping over another by key, deep, while every value keeps the place it was written at."""

from __future__ import annotations

from msgspec.structs import replace

from hub.yamldoc import Node


def overlay(low: Node, high: Node, *, placed_by_high: bool = False) -> Node:
    """``low`` with what ``high`` says on top: mappings are merged key by key, anything else is replaced.

    A merged mapping and its key stand where ``low`` stands (an environment changes a setting of its owner) unless
    ``placed_by_high`` (a system stands in its own file, not in its preset).
    """
    if not (isinstance(low.value, dict) and isinstance(high.value, dict)):
        return high
    entries: dict[str, Node] = dict(low.value)
    for name, node in high.value.items():
        entries[name] = overlay(entries[name], node, placed_by_high=placed_by_high) if name in entries else node
    below, above = (low, high) if placed_by_high else (high, low)
    keys = {**(below.keys or {}), **(above.keys or {})}
    replaced = {name: high.key(name) for name, node in high.value.items() if entries[name] is node}
    return replace(above, value=entries, keys=keys | replaced)


def stand_at(node: Node, place: Node) -> Node:
    """The node with every mapping in it standing at ``place``: what is missing in a preset is missing there."""
    if not isinstance(node.value, dict):
        return node
    entries = {name: stand_at(child, place) for name, child in node.value.items()}
    return replace(node, value=entries, file=place.file, line=place.line, column=place.column)
