"""What an invoice of UN/CEFACT's Cross Industry Invoice (CII) consists of, as ``schemas/cii/D22B/`` tells it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.formats._ubl_definitions import Standard

NAMESPACE = "urn:un:unece:uncefact:data:standard:"
TYPES = ("CrossIndustryInvoice",)
_PARTS = {
    "ram": f"{NAMESPACE}ReusableAggregateBusinessInformationEntity:100",
    "qdt": f"{NAMESPACE}QualifiedDataType:100",
    "udt": f"{NAMESPACE}UnqualifiedDataType:100",
}
_UNQUALIFIED = ("Date", "DateTime", "Indicator")
_QUALIFIED = ("FormattedDateTime",)


class _CrossIndustry(Standard):
    def namespace_of(self, type: str) -> str:
        """The namespace of a type of document."""
        return f"{self.namespaces}{type}:100"

    def usual_names(self, type: str, content: Mapping[str, Any]) -> dict[str, str]:
        """What a document declares that says nothing else: namespaces by their prefixes."""
        return {"rsm": self.namespace_of(type), **_PARTS}

    def _namespace(self, parent: str, name: str, is_leaf: bool) -> str:
        """That of an element in an aggregate or document."""
        if parent in self.types:
            return self.namespace_of(parent)
        return _PARTS["udt" if parent in _UNQUALIFIED else "qdt" if parent in _QUALIFIED else "ram"]


CII = _CrossIndustry("CII D22B", "CII", TYPES, "schemas/cii/D22B", NAMESPACE, ("SupplyChainTradeTransaction",))
