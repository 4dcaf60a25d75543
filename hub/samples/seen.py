"""The sum of what was seen at one place of sample documents: kinds, fields, elements, how texts are written."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hub.outline import Codes
from hub.samples.texts import FORMS, forms_of

MAX_FIELDS = 20_000
MAX_CODES = 30
_LONGEST_CODE = 40
_MANY_KEYS = 200
_KINDS = {str: "text", bool: "boolean", int: "integer", Decimal: "number", dict: "object", list: "list"}


class TooMany(Exception):
    """The samples have more different fields than a schema is good for."""


@dataclass(slots=True)
class _Budget:
    fields: int = 0


@dataclass(slots=True)
class Seen:
    """One place. It is an ``Outline`` too: what mappings of such documents may do can be told from samples alone.

    ``times`` counts the values, ``kinds`` those of each kind. ``forms`` are the ways in which every text so far may be
    read (date, number …), which says something once one was not empty. ``values`` counts texts where ``wanted`` asks
    for the codes of this path.
    """

    path: str = ""
    wanted: frozenset[str] = frozenset()
    times: int = 0
    kinds: dict[str, int] = field(default_factory=dict)
    fields: dict[str, Seen] = field(default_factory=dict)
    items: Seen | None = None
    forms: frozenset[str] = FORMS
    is_filled: bool = False
    values: dict[str, int] | None = None
    _budget: _Budget = field(default_factory=_Budget)

    def add(self, value: Any) -> None:
        """Take one more value into account. Raises TooMany."""
        self.times += 1
        kind = "nothing" if value is None else _KINDS.get(type(value), "text")
        self.kinds[kind] = self.kinds.get(kind, 0) + 1
        if kind == "text":
            self._add_text(value)
        elif kind == "object":
            for name, child in value.items():
                self._field(name).add(child)
        elif kind == "list":
            self._add_list(value)

    def _add_text(self, text: str) -> None:
        self.is_filled = self.is_filled or text != ""
        if self.forms:
            self.forms = self.forms & forms_of(text, self.forms)
        if self.path in self.wanted:
            self.values = {} if self.values is None else self.values
            if len(self.values) <= MAX_CODES and len(text) <= _LONGEST_CODE:
                self.values[text] = self.values.get(text, 0) + 1

    def _add_list(self, values: Sequence[Any]) -> None:
        if values and self.items is None:
            self.items = self._below(f"{self.path}[]")
        for value in values:
            self.items.add(value)  # type: ignore[union-attr]

    def _field(self, name: str) -> Seen:
        if name not in self.fields:
            self.fields[name] = self._below(f"{self.path}.{name}" if self.path else name)
        return self.fields[name]

    def _below(self, path: str) -> Seen:
        self._budget.fields += 1
        if self._budget.fields > MAX_FIELDS:
            raise TooMany(f"more than {MAX_FIELDS} different fields; expected documents of one kind")
        return Seen(path, self.wanted, _budget=self._budget)

    @property
    def has_data_as_names(self) -> bool:
        """Whether the names of the fields are data themselves: e-mail addresses, numbers, or no end of them."""
        names = list(self.fields)
        numbers = [name for name in names if name.isdigit()]
        return len(names) > _MANY_KEYS or any("@" in name for name in names) or len(numbers) == len(names) > 1

    # -- as an outline -------------------------------------------------------------------------------------------

    @property
    def kind(self) -> str:
        kinds = set(self.kinds) - {"nothing"}
        if kinds == {"integer", "number"}:
            return "number"
        if kinds == {"text"} and self.is_filled:
            return next((form for form in ("date", "instant") if form in self.forms), "text")
        return kinds.pop() if len(kinds) == 1 else "any"

    @property
    def names(self) -> Collection[str] | None:
        return tuple(self.fields) if self.kind == "object" and not self.has_data_as_names else None

    @property
    def required(self) -> Collection[str]:
        objects = self.kinds.get("object", 0)
        return tuple(name for name, seen in self.fields.items() if seen.times == objects)

    @property
    def codes(self) -> Codes | None:
        return Codes(tuple(sorted(self.values))) if self.values and self.has_codes else None

    @property
    def has_codes(self) -> bool:
        """Whether the texts look like codes of a closed list: few, short, and each seen more than once."""
        values = self.values or {}
        return (
            0 < len(values) <= MAX_CODES and self.kinds.get("text", 0) >= 2 * len(values) and min(values.values()) > 1
        )

    def field(self, name: str) -> Seen | None:
        return self.fields.get(name) if not self.has_data_as_names else self.any_field

    @property
    def any_field(self) -> Seen:
        """All fields as one, for an object whose names are data."""
        merged = Seen(self.path, self.wanted)
        for seen in self.fields.values():
            merged.merge(seen)
        return merged

    @property
    def element(self) -> Seen | None:
        return self.items

    def merge(self, other: Seen) -> None:
        """Take all that another place has seen into account."""
        self.times += other.times
        self.forms, self.is_filled = self.forms & other.forms, self.is_filled or other.is_filled
        for kind, times in other.kinds.items():
            self.kinds[kind] = self.kinds.get(kind, 0) + times
        for name, seen in other.fields.items():
            self._field(name).merge(seen)
        if other.items is not None:
            self.items = self.items or self._below(f"{self.path}[]")
            self.items.merge(other.items)
