"""The named values of one segment to its elements: each name is one position, found once for a segment type."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hub.errors import DocumentFault
from hub.formats._segments import Repeats
from hub.grammars.types import ElementType, Slot
from hub.yamldoc import did_you_mean

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMBER = re.compile(r"(-?)([0-9]*)(?:\.([0-9]*))?")


@dataclass(slots=True)
class Field:
    """One name: an object with ``fields``, a list with a place for each of its ``items``, or the value of a ``slot`` at
    a position, and within it at a component where that is not -1. ``inner`` are the fields of one repetition;
    ``is_plain``: a text that is written as it stands."""

    fields: dict[str, Field] = field(default_factory=dict)
    items: list[Field] = field(default_factory=list)
    slot: Slot | None = None
    position: int = 0
    component: int = -1
    inner: Field | None = None
    is_plain: bool = False

    def at(self, slot: Slot) -> Field:
        """Where a slot's path leads, made on the way."""
        here = self
        for step in slot.path:
            if isinstance(step, int):
                here.items += [Field() for _ in range(step + 1 - len(here.items))]
                here = here.items[step]
            else:
                here = here.fields.setdefault(step, Field())
        return here

    def put(self, slot: Slot, position: int, component: int = -1, mark: str = ".") -> None:
        self.slot, self.position, self.component = slot, position, component
        element = slot.element
        is_converted = element is None or element.type == "DT" or element.decimals is not None
        self.is_plain = not (
            slot.is_list or is_converted or (element is not None and element.type == "n" and mark != ".")
        )


def fields_of(slots: Sequence[Slot], mark: str) -> Field:
    """The names of a segment, or of one repetition of a composite."""
    root = Field()
    for position, slot in enumerate(slots):
        place = root.at(slot)
        if slot.is_list:
            place.put(slot, position, mark=mark)
            place.inner = fields_of(slot.components, mark) if slot.components else None
        elif slot.components:
            for number, component in enumerate(slot.components):
                place.at(component).put(component, position, number, mark)
        else:
            place.put(slot, position, mark=mark)
    return root


class Filler:
    """Fills the elements of one segment. ``also`` are names that stand for no element."""

    def __init__(self, slots: Sequence[Slot], mark: str, also: Sequence[str] = ()) -> None:
        self._slots, self._mark, self._also = slots, mark, also
        self._root = fields_of(slots, mark)

    def elements(self, document: Mapping[str, Any], path: str, faults: list[DocumentFault]) -> list[Any]:
        """The elements without empty ones at the end; what cannot be one is told and left empty."""
        elements: list[Any] = [""] * len(self._slots)
        if self._is_filled(document, self._root.fields, elements):
            return _without_empty(elements)
        return self._filled(document, self._root, len(self._slots), path, faults, self._also)

    def _is_filled(self, document: Mapping[str, Any], fields: Mapping[str, Field], elements: list[Any]) -> bool:
        """The quick way, for texts that are written as they stand; false where there is anything else."""
        for name, value in document.items():
            known = fields.get(name)
            if known is None or not self._is_put(value, known, elements):
                return False
        return True

    def _is_put(self, value: Any, known: Field, elements: list[Any]) -> bool:
        kind = type(value)
        if known.is_plain:
            if kind is not str:
                return False
            if known.component < 0:
                elements[known.position] = value
            else:
                parts = elements[known.position] or self._new_parts(elements, known.position)
                parts[known.component] = value
            return True
        if known.slot is not None:
            return False
        if known.items:
            return (
                kind is list
                and len(value) <= len(known.items)
                and all(self._is_put(one, item, elements) for one, item in zip(value, known.items, strict=False))
            )
        return kind is dict and self._is_filled(value, known.fields, elements)

    def _new_parts(self, elements: list[Any], position: int) -> list[str]:
        elements[position] = parts = [""] * len(self._slots[position].components)
        return parts

    def _filled(
        self, document: Mapping[str, Any], names: Field, size: int, path: str, faults: list[DocumentFault],
        also: Sequence[str] = (),
    ) -> list[Any]:  # fmt: skip
        elements: list[Any] = [""] * size
        self._object(document, names, path, elements, faults, also)
        return _without_empty(elements)

    def _object(
        self, document: Mapping[str, Any], names: Field, path: str, elements: list[Any],
        faults: list[DocumentFault], also: Sequence[str] = (),
    ) -> None:  # fmt: skip
        for name, value in document.items():
            known = names.fields.get(name)
            if known is None:
                if name not in also:
                    faults.append(unknown(f"{path}.{name}", str(name), list(names.fields)))
            elif value is not None and value != "":
                self._put(value, known, f"{path}.{name}", elements, faults)

    def _put(self, value: Any, known: Field, path: str, elements: list[Any], faults: list[DocumentFault]) -> None:
        slot = known.slot
        if slot is not None and not slot.is_list:
            text = self._text(value, slot.element, path, faults) if slot.element else ""
            if known.component < 0:
                elements[known.position] = text
                return
            if elements[known.position] == "":
                elements[known.position] = [""] * len(self._slots[known.position].components)
            elements[known.position][known.component] = text
        elif slot is not None:
            elements[known.position] = self._repeats(value, known, path, faults)
        elif known.items:
            self._list(value, known, path, elements, faults)
        elif isinstance(value, Mapping):
            self._object(value, known, path, elements, faults)
        else:
            faults.append(wrong(path, f"is {kind_of(value)}; expected an object", value))

    def _list(self, value: Any, known: Field, path: str, elements: list[Any], faults: list[DocumentFault]) -> None:
        if not isinstance(value, list):
            faults.append(wrong(path, f"is {kind_of(value)}; expected a list", value))
            return
        if len(value) > len(known.items):
            text = f"has {len(value)} entries; there are places for {len(known.items)}"
            faults.append(DocumentFault(path, "repeats", text))
        for at, (one, item) in enumerate(zip(value, known.items, strict=False)):
            if one is not None and one != "":
                self._put(one, item, f"{path}[{at}]", elements, faults)

    def _repeats(self, value: Any, known: Field, path: str, faults: list[DocumentFault]) -> Any:
        if not isinstance(value, list):
            faults.append(wrong(path, f"is {kind_of(value)}; expected a list", value))
            return ""
        every = [self._repetition(one, known, f"{path}[{at}]", faults) for at, one in enumerate(value)]
        return Repeats(every) if len(every) > 1 else every[0] if every else ""

    def _repetition(self, value: Any, known: Field, path: str, faults: list[DocumentFault]) -> Any:
        slot = known.slot
        if slot is None or value is None or value == "":
            return ""
        if slot.element is not None:
            return self._text(value, slot.element, path, faults)
        if known.inner is None or not isinstance(value, Mapping):
            faults.append(wrong(path, f"is {kind_of(value)}; expected an object", value))
            return ""
        return _trimmed(self._filled(value, known.inner, len(slot.components), path, faults))

    def _text(self, value: Any, element: ElementType, path: str, faults: list[DocumentFault]) -> str:
        if type(value) is not str:
            if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
                faults.append(wrong(path, f"is {kind_of(value)}; expected text", value))
                return ""
            text = value if isinstance(value, str) else format(value, "f")
        else:
            text = value
        if element.is_numeric:
            return self._number(text, element, path, faults)
        if element.type == "DT" and _DAY.fullmatch(text):
            return text.replace("-", "")[-element.maximum :]
        return text

    def _number(self, text: str, element: ElementType, path: str, faults: list[DocumentFault]) -> str:
        places = element.decimals
        if places is None:
            is_other = element.type == "n" and self._mark != "." and _NUMBER.fullmatch(text)
            return text.replace(".", self._mark) if is_other else text
        found = _NUMBER.fullmatch(text)
        if found is None or not (found[2] or found[3]):
            return text  # the check of the element says what is wrong with it
        decimals = (found[3] or "").rstrip("0")
        if len(decimals) > places:
            most = f"{element.type} has at most {places} decimals"
            faults.append(DocumentFault(path, "decimals", f"has {len(decimals)} decimals; {most}", text[:40]))
        digits = found[2] + decimals[:places].ljust(places, "0")
        if found[2] in ("", "0") and places:  # the zero before the point is not sent
            digits = digits.lstrip("0").rjust(max(element.minimum, 1), "0")
        return found[1] + digits


def _without_empty(elements: list[Any]) -> list[Any]:
    """The elements without empty ones at the end, their composites likewise."""
    for at, element in enumerate(elements):
        if type(element) is list:
            elements[at] = _trimmed(element)
    while elements and elements[-1] == "":
        elements.pop()
    return elements


def _trimmed(parts: list[Any]) -> Any:
    """A composite without empty components at its end; one component alone is a text."""
    while parts and parts[-1] == "":
        parts.pop()
    return parts if len(parts) > 1 else parts[0] if parts else ""


def unknown(path: str, name: str, known: Sequence[str]) -> DocumentFault:
    """A name that does not exist."""
    return DocumentFault(path, "unknown_field", f"unknown name '{name}'{did_you_mean(name, known)}")


def wrong(path: str, message: str, value: Any) -> DocumentFault:
    """Another kind of thing than belongs there."""
    return DocumentFault(path, "type", message, "" if value is None else str(value)[:40])


def kind_of(value: Any) -> str:
    match value:
        case bool():
            return "true/false"
        case str():
            return "text"
        case int() | float() | Decimal():
            return "a number"
        case Mapping():
            return "an object"
        case list() | tuple():
            return "a list"
        case _:
            return "nothing" if value is None else "something else"
