"""The names an expression may use, and what each of them is. Scopes are values: binding a name gives a new one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

import msgspec
from msgspec.structs import replace

from hub.mapping.shape import Shape


class Binding(msgspec.Struct, frozen=True):
    """One name: the variable of the generated code it stands for, its shape, and where its value comes from.

    ``path`` is the source path (``src.line_items[1]``, a loop's number standing for its index), ``choices`` those of a
    name that is one path or another, ``reads`` all source paths it depends on; ``loop`` is the number of the loop whose
    element it is, 0 for none, and ``level`` how many loops stood around it when it was bound. ``parts`` are the
    fields of a tree that the name stands for (``price.amount``, no indexes), each with the source paths it depends on.
    """

    local: str
    shape: Shape
    path: str = ""
    reads: tuple[str, ...] = ()
    loop: int = 0
    level: int = 0
    is_element: bool = False
    choices: tuple[str, ...] = ()
    parts: tuple[tuple[str, tuple[str, ...]], ...] = ()


class Scope(msgspec.Struct, frozen=True):
    """Names and bindings. ``level`` counts the loops around."""

    names: Mapping[str, Binding]
    level: int = 0

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def get(self, name: str) -> Binding | None:
        return self.names.get(name)

    def local(self, name: str) -> str:
        """The variable for a new binding: another one than that of the name it shadows."""
        shadowed = self.names.get(name)
        return f"{shadowed.local}_" if shadowed else f"v_{name}"

    def bind(self, name: str, binding: Binding) -> Scope:
        return replace(self, names=MappingProxyType({**self.names, name: binding}))

    def inside_loop(self) -> Scope:
        return replace(self, level=self.level + 1)
