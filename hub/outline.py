"""What a kind of document looks like before there is one: the interface between formats and the lint of mappings.

A JSON Schema, the columns of a CSV file and what was seen in samples each give an ``Outline``; so will the grammar of
an EDI message or an XSD. The mapping compiler asks it for fields, kinds and codes, place by place, and never for all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol


class Codes(NamedTuple):
    """The texts that may stand at a place. ``name`` is that of a code list, empty for values that only this place has;
    a text that an open list does not name may be right all the same."""

    values: Collection[str]
    name: str = ""
    is_open: bool = False

    @property
    def words(self) -> str:
        return f"the codes of {self.name}" if self.name else "the values"


class Outline(Protocol):
    """One place of a document. A new kind of description needs these members and nothing of the mapping compiler."""

    @property
    def kind(self) -> str:
        """``text``, ``date``, ``instant``, ``number``, ``integer``, ``boolean``, ``object``, ``list``, ``nothing`` or
        ``any``, where nothing is known."""
        ...

    @property
    def names(self) -> Collection[str] | None:
        """The fields of an object; None where there may be others."""
        ...

    @property
    def required(self) -> Collection[str]:
        """The fields that an object must have."""
        ...

    @property
    def codes(self) -> Codes | None:
        """The texts that may stand here; None where any may."""
        ...

    def field(self, name: str) -> Outline | None:
        """What a field looks like; None where nothing is known of it."""
        ...

    @property
    def element(self) -> Outline | None:
        """What the elements of a list look like; None where nothing is known of them."""
        ...


@dataclass(frozen=True, slots=True)
class Plain:
    """An outline that is written out in full, for formats whose documents are small tables. Where it is not complete,
    ``others`` is what the fields that it does not name look like."""

    kind: str = "any"
    fields: Mapping[str, Outline] = field(default_factory=dict)
    is_complete: bool = True
    required: Collection[str] = ()
    element: Outline | None = None
    codes: Codes | None = None
    others: Outline | None = None

    @property
    def names(self) -> Collection[str] | None:
        return tuple(self.fields) if self.kind == "object" and self.is_complete else None

    def field(self, name: str) -> Outline | None:
        return self.fields.get(name, self.others)


def table(columns: Iterable[str], kinds: Mapping[str, str], *, is_complete: bool) -> Plain:
    """The outline of one row: its columns, text where ``kinds`` says nothing."""
    fields = {name: Plain(kinds.get(name, "text")) for name in (*columns, *kinds)}
    return Plain("object", fields, is_complete, others=None if is_complete else Plain("text"))


@dataclass(eq=False)
class Lazy:
    """An object whose fields are made when they are first asked for, and then are always the same."""

    makers: Mapping[str, Callable[[], Outline]]
    required: Collection[str] = ()
    kind: str = "object"
    codes: Codes | None = None
    element: Outline | None = None
    _made: dict[str, Outline] = field(default_factory=dict)

    @property
    def names(self) -> Collection[str] | None:
        return tuple(self.makers)

    def field(self, name: str) -> Outline | None:
        if name not in self._made and name in self.makers:
            self._made[name] = self.makers[name]()
        return self._made.get(name)
