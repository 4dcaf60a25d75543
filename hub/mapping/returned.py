"""What a call of a function gives: its kind, and what is in the lists and objects it makes of its arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce

from msgspec.structs import replace

from hub.functions import Function
from hub.mapping.shape import ANY, DECIMAL, NUMBERS, TEXT, TEXTS, Shape, joined, named
from hub.mapping.unit import Value


def returned(function: Function, values: Sequence[Value]) -> Shape:
    """The shape of a call with these arguments."""
    first = values[0].shape if values else ANY
    match function.returns:
        case "same":
            shape = first
            for value in values[1:] if function.name in ("default", "coalesce") else []:
                shape = joined(shape, value.shape)
        case "element":
            shape = first.element
        case kind:
            shape = named(kind)
    if inside := _INSIDE.get(function.name):
        shape = inside(shape, [value.shape for value in values])
    if function.name == "sum" and adds_numbers(first) and first.element.is_decimal:
        shape = DECIMAL
    may_be_empty = first.nullable or first.kind in TEXTS or first.kind == "any"
    nullable = {"never": False, "always": True, "first": first.nullable, "empty": may_be_empty}[function.nothing]
    if function.name == "default":
        nullable = values[1].shape.nullable
    if function.name == "coalesce":
        nullable = all(value.shape.nullable for value in values)
    return replace(shape, nullable=nullable)


def adds_numbers(shape: Shape) -> bool:
    """Whether Python's own sum is safe: a list this mapping made, of numbers by construction."""
    element = shape.element
    return shape.sure and not shape.nullable and element.sure and element.kind in NUMBERS


_Inside = Callable[[Shape, Sequence[Shape]], Shape]


def _list_of(items: Shape) -> _Inside:
    return lambda shape, given: replace(shape, items=items)


def _elements_of(names: Sequence[str]) -> _Inside:
    """A list of objects that have an element of each of the lists given under these names."""
    return lambda shape, given: replace(shape, items=_object({
        name: replace(each.element, nullable=True) for name, each in zip(names, given, strict=False)
    }))  # fmt: skip


def _groups(shape: Shape, given: Sequence[Shape]) -> Shape:
    return replace(shape, items=_object({"key": ANY, "items": given[0].present()}))


def _batches(shape: Shape, given: Sequence[Shape]) -> Shape:
    return replace(shape, items=given[0].present() if given[0].kind == "list" else named("list"))


def _flat(shape: Shape, given: Sequence[Shape]) -> Shape:
    return replace(shape, items=given[0].element.element)


def _listed(shape: Shape, given: Sequence[Shape]) -> Shape:
    if given[0].kind == "list":
        return given[0]
    return shape if given[0].kind == "any" else replace(shape, items=given[0].present())


def _merged(shape: Shape, given: Sequence[Shape]) -> Shape:
    return replace(reduce(joined, given), sure=True) if all(each.kind == "object" for each in given) else shape


def _object(fields: dict[str, Shape]) -> Shape:
    return Shape("object", nullable=False, sure=True, fields=fields)


_INSIDE: dict[str, _Inside] = {
    **dict.fromkeys(("chunks", "split", "wrapped"), _list_of(TEXT)),
    "running_total": _list_of(DECIMAL),
    "sum_by": _list_of(_object({"key": ANY, "total": DECIMAL})),
    "entries": _list_of(_object({"key": TEXT, "value": ANY})),
    **dict.fromkeys(("zip", "join_by"), _elements_of(("left", "right"))),
    "group": _groups,
    "batches": _batches,
    "flatten": _flat,
    "listed": _listed,
    "merge": _merged,
    "attachment": lambda shape, given: _object(
        {**dict.fromkeys(("id", "mime_code", "storage_ref", "sha256"), TEXT), "filename": replace(TEXT, nullable=True)}
    ),
}
