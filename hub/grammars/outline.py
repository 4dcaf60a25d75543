"""A message type as the outline of its document, for the lint of mappings: which names there are, what is a list."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from hub.grammars.types import GroupNode, MessageNode, MessageType, Slot, Step
from hub.outline import Codes, Lazy, Outline, Plain

_TEXT = Plain("text")


def _plain(names: str, **more: Outline) -> Plain:
    return Plain("object", {**dict.fromkeys(names.split(), _TEXT), **more})


_PARTY = _plain("id qualifier internal")
_ENVELOPE: Mapping[str, Outline] = {
    "interchange": _plain("control_number date time version application_reference", sender=_PARTY, receiver=_PARTY,
                          is_test=Plain("boolean")),
    "group": _plain("type version association reference", sender=_PARTY, receiver=_PARTY),
    "message": _plain("type version association reference", records=Plain("integer")),
}  # fmt: skip
_STRAYS = Plain("list", element=_plain("tag", number=Plain("integer"), elements=Plain("list")))

_FAULTS = Plain("list", element=_plain("position severity code message"))


@dataclass(eq=False)
class _List:
    """A list of equal things."""

    element: Outline | None
    kind: str = "list"
    names: Collection[str] | None = None
    required: Collection[str] = ()
    codes: Codes | None = None

    def field(self, name: str) -> Outline | None:
        return None


def outline_of(message: MessageType) -> Outline:
    """The outline of the documents of a message type."""
    is_open = message.unknown_codes != "reject"
    own = {**_ENVELOPE, "strays": _STRAYS, "faults": _FAULTS}
    made = {name: partial(own.__getitem__, name) for name in own}
    return Lazy({**made, **_makers(message.nodes, is_open)}, _required(message.nodes))


def _makers(nodes: Sequence[MessageNode], is_open: bool) -> dict[str, Callable[[], Outline]]:
    return {node.key: partial(_node, node, is_open) for node in nodes}


def _required(nodes: Sequence[MessageNode]) -> tuple[str, ...]:
    return tuple(node.key for node in nodes if node.is_mandatory)


def _node(node: MessageNode, is_open: bool) -> Outline:
    if isinstance(node, GroupNode):
        one: Outline = Lazy(_makers(node.nodes, is_open), _required(node.nodes))
    else:
        names = _Names(is_open)
        names.add_all(node.segment.slots, ())
        one = names.outline()
    return _List(one) if node.is_list else one


class _Names:
    """The names of a segment while they are collected: an object or, by number, a list of them."""

    def __init__(self, is_open: bool) -> None:
        self.is_open = is_open
        self.fields: dict[Step, _Names | Outline] = {}
        self.required: list[Step] = []

    def add_all(self, slots: Sequence[Slot], above: tuple[Step, ...], is_there: bool = True) -> None:
        for slot in slots:
            path = (*above, *slot.path, *((0,) if slot.is_list else ()))
            must = is_there and slot.is_mandatory
            if slot.components:
                if path:
                    self._add(path, None, must, len(above))
                self.add_all(slot.components, path, must or bool(slot.path))
            else:
                codes = Codes(tuple(slot.codes), f"element {slot.number}", self.is_open) if slot.codes else None
                self._add(path, Plain("text", codes=codes), must, len(above))

    def _add(self, path: tuple[Step, ...], leaf: Outline | None, is_mandatory: bool, above: int) -> None:
        """``above``: so many steps lead to a composite, which is not asked for by what it holds once it is there."""
        step, rest = (0 if isinstance(path[0], int) else path[0]), path[1:]
        if is_mandatory and above <= 0 and step not in self.required:
            self.required.append(step)
        if not rest and leaf is not None:
            self.fields[step] = leaf
            return
        below = self.fields.setdefault(step, _Names(self.is_open))
        if rest and isinstance(below, _Names):
            below._add(rest, leaf, is_mandatory, above - 1)

    def outline(self) -> Outline:
        made = {step: one.outline() if isinstance(one, _Names) else one for step, one in self.fields.items()}
        if 0 in made:
            return _List(made[0])
        fields = {str(step): one for step, one in made.items()}
        return Plain("object", fields, required=tuple(str(step) for step in self.required))
