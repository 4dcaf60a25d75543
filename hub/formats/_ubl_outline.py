"""What a document of UBL looks like, for the lint of mappings: its names, kinds and lists, made as far as asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

from hub.formats._ubl_definitions import Aggregate, Child, Standard
from hub.formats._ubl_oddities import (
    ATTRIBUTES,
    FAULTS,
    GAPS,
    INDENT,
    NAMESPACES,
    ORDER,
    OTHER,
    PREFIXES,
    SPELLED,
    TYPE,
)  # fmt: skip
from hub.formats._ubl_values import KINDS
from hub.outline import Codes, Lazy, Outline, Plain

_TEXT = Plain("text")
_TEXTS = Plain("list", element=_TEXT)
_ANY_TEXTS = Plain("object", is_complete=False, others=_TEXT)
_FAULT = Plain("object", dict.fromkeys(("position", "severity", "code", "message"), _TEXT))


@cache
def outline(standard: Standard, type: str) -> Outline:
    """The outline of a type of document, one of the standard's."""
    aggregate = standard.document(type)
    own: dict[str, Outline] = {
        TYPE: Plain("text", codes=Codes((type,))),
        NAMESPACES: _ANY_TEXTS,
        INDENT: _TEXT,
        FAULTS: Plain("list", element=_FAULT),
    }
    makers: dict[str, Callable[[], Outline]] = {name: partial(own.__getitem__, name) for name in own}
    makers.update(_makers(standard, aggregate, type))
    return Lazy(makers, _required(aggregate))


@cache
def _group(standard: Standard, name: str) -> Outline:
    aggregate = standard.aggregate(name)
    return Lazy(_makers(standard, aggregate, ""), _required(aggregate))


def _required(aggregate: Aggregate) -> tuple[str, ...]:
    return tuple(child.name for child in aggregate.children.values() if child.is_required)


def _makers(standard: Standard, aggregate: Aggregate, root: str) -> dict[str, Callable[[], Outline]]:
    """``root``: the name of the root, whose own attributes stand among those of its elements."""
    makers: dict[str, Callable[[], Outline]] = {
        name: partial(_child, standard, child) for name, child in aggregate.children.items()
    }
    for side, one in ((ATTRIBUTES, _ANY_TEXTS), (PREFIXES, _TEXT), (SPELLED, _TEXT)):
        makers[side] = partial(_beside, aggregate, root, one)
    return {**makers, **{side: lambda: _TEXTS for side in (OTHER, ORDER, GAPS)}}


def _beside(aggregate: Aggregate, root: str, one: Plain) -> Outline:
    fields: dict[str, Outline] = {
        name: Plain("list", element=one) if child.is_list else one for name, child in aggregate.children.items()
    }
    return Plain("object", {**fields, root: one} if root else fields)


def _child(standard: Standard, child: Child) -> Outline:
    one = _leaf(child.kind) if child.kind else _group(standard, child.aggregate)
    return Plain("list", element=one) if child.is_list else one


@cache
def _leaf(name: str) -> Outline:
    kind = KINDS[name]
    scalar = Plain(kind.scalar)
    if not kind.main:
        return scalar
    required = (kind.main, kind.needed) if kind.needed else (kind.main,)
    return Plain("object", {kind.main: scalar, **dict.fromkeys(kind.parts, _TEXT)}, required=required)
