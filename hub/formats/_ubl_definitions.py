"""What documents of a standard in XML consist of, as data tell it: read once, and as far as it is asked for.

That of UBL 2.1 is ``UBL``, told by ``schemas/ubl/2.1/``; others of the same make are read and written by the same
machinery, see ``_cii_definitions``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import msgspec
import yaml

from hub.reference import reference_root

TYPES = (
    "ApplicationResponse", "Catalogue", "CreditNote", "DespatchAdvice", "InstructionForReturns", "Invoice", "Order",
    "OrderCancellation", "OrderChange", "OrderResponse", "ReceiptAdvice", "Reminder", "RemittanceAdvice", "Statement",
    "StockAvailabilityReport", "TransportationStatus",
)  # fmt: skip
NAMESPACE = "urn:oasis:names:specification:ubl:schema:xsd:"
BASIC, AGGREGATE, EXTENSION = (f"{NAMESPACE}Common{part}Components-2" for part in ("Basic", "Aggregate", "Extension"))
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Child(msgspec.Struct, frozen=True):
    """An element in another. ``index`` is its place in the standard's order, from 1; ``kind`` that of a leaf (Amount,
    Text …), else empty and ``aggregate`` is the name of what it consists of."""

    name: str
    namespace: str
    index: int
    is_list: bool
    is_required: bool
    kind: str
    aggregate: str


class Aggregate(msgspec.Struct, frozen=True):
    """What stands in an element: its children by name, in the standard's order."""

    name: str
    children: Mapping[str, Child]


class _Common(msgspec.Struct, frozen=True):
    kinds: Mapping[str, str]
    elements: Mapping[str, str]
    aggregates: Mapping[str, str]


@dataclass(eq=False)
class Standard:
    """A standard: ``name`` and ``word`` for messages (UBL 2.1, a UBL document), the types of its documents, the
    folder of its definitions, what all its namespaces begin with. ``repeated``: aggregates whose elements come
    again and again, one like the other."""

    name: str
    word: str
    types: tuple[str, ...]
    folder: str
    namespaces: str
    repeated: Collection[str]
    _made: dict[tuple[str, bool], Aggregate] = field(default_factory=dict)

    def namespace_of(self, type: str) -> str:
        """The namespace of a type of document."""
        return f"{self.namespaces}{type}-2"

    def usual_names(self, type: str, content: Mapping[str, Any]) -> dict[str, str]:
        """What a document declares that says nothing else: namespaces by their prefixes."""
        usual = {"": self.namespace_of(type), "cac": AGGREGATE, "cbc": BASIC}
        return {**usual, "ext": EXTENSION} if content.get("UBLExtensions") is not None else usual

    def document(self, type: str) -> Aggregate:
        """What a type of document consists of; ``type`` is one of ``types``."""
        if (type, True) not in self._made:
            self._made[type, True] = self._aggregate(type, self._file(type)["content"])
        return self._made[type, True]

    def aggregate(self, name: str) -> Aggregate:
        """What an aggregate consists of: ``Party``, ``CustomerParty``."""
        if (name, False) not in self._made:
            self._made[name, False] = self._aggregate(name, self._common.aggregates[name])
        return self._made[name, False]

    def _namespace(self, parent: str, name: str, is_leaf: bool) -> str:
        """That of an element in an aggregate or document."""
        if name.startswith(("Extension", "UBLExtension")):
            return EXTENSION
        return BASIC if is_leaf else AGGREGATE

    @cached_property
    def _common(self) -> _Common:
        root = self._file("aggregates")
        kinds = {name: kind for kind, names in root["kinds"].items() for name in names.split()}
        elements = {name: type for type, names in root["elements"].items() for name in names.split()}
        return _Common(kinds, elements, root["aggregates"])

    def _file(self, name: str) -> Any:
        raw = (reference_root() / self.folder / f"{name}.yaml").read_bytes()
        return yaml.load(raw, _Loader)  # noqa: S506 - a safe loader, the quick one

    def _aggregate(self, name: str, content: str) -> Aggregate:
        children = (self._child(name, word, index) for index, word in enumerate(content.split(), 1))
        return Aggregate(name, {child.name: child for child in children})

    def _child(self, parent: str, word: str, index: int) -> Child:
        """``Note*`` may stand any number of times, ``InvoiceLine+`` once or more, ``DueDate?`` once or not. What an
        element consists of is told behind a colon where its name elsewhere means another:
        ``CreationDateTime:DateTime``."""
        whole = word.rstrip("?*+")
        count = word[len(whole) :]
        is_aggregate = whole.startswith("cac:")  # a leaf has this name too
        name, _, own = whole.removeprefix("cac:").partition(":")
        kind = "" if is_aggregate or own else self._common.kinds.get(name, "")
        return Child(
            name, self._namespace(parent, name, bool(kind)), index, count in ("*", "+"), count in ("", "+"), kind,
            "" if kind else own or self._common.elements.get(name, name),
        )  # fmt: skip


UBL = Standard("UBL 2.1", "UBL", TYPES, "schemas/ubl/2.1", NAMESPACE, TYPES)
