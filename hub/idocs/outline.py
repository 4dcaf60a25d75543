"""A type of IDoc as the outline of its document, for the lint of mappings: which names there are, what is a list."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from hub.formats._idoc_parts import CONTROL
from hub.idocs.types import IdocType, Node
from hub.outline import Lazy, Outline, Plain

_TEXT = Plain("text")
_FIELDS: Mapping[str, Outline] = {
    "text": _TEXT, "date": Plain("date"), "time": _TEXT, "number": Plain("number"),
}  # fmt: skip
_CONTROL = Plain("object", dict.fromkeys(CONTROL, _TEXT))
_FAULTS = Plain("list", element=Plain("object", dict.fromkeys(("position", "severity", "code", "message"), _TEXT)))


def outline_of(type: IdocType) -> Outline:
    """The outline of the documents of a type."""
    own: dict[str, Outline] = {"type": _TEXT, "control": _CONTROL, "faults": _FAULTS}
    makers: dict[str, Callable[[], Outline]] = {name: partial(own.__getitem__, name) for name in own}
    return Lazy({**makers, **_makers(type.nodes)}, ("control", *_required(type.nodes)))


def _makers(nodes: Sequence[Node]) -> dict[str, Callable[[], Outline]]:
    return {node.kind: partial(_node, node) for node in nodes}


def _required(nodes: Sequence[Node]) -> tuple[str, ...]:
    return tuple(node.kind for node in nodes if node.is_mandatory)


def _node(node: Node) -> Outline:
    fields = {name: partial(_FIELDS.__getitem__, field.kind) for name, field in node.segment.fields.items()}
    one = Lazy({**fields, **_makers(node.nodes)}, _required(node.nodes))
    return Plain("list", element=one) if node.is_list else one
