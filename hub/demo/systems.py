"""How the stub systems judge what they are sent: the ERP knows its items, the others take everything."""

from __future__ import annotations

from typing import Any

from hub.demo.orders import DELISTED
from hub.demo.stubs import Stub


class Erp:
    """An ERP that refuses items it does not have, and numbers the sales orders it makes."""

    def __init__(self) -> None:
        self._unknown = {DELISTED}
        self._next = 70_000
        self.stub = Stub("erp", self._judge, order_number)

    def learn_item(self, sku: str) -> None:
        """From now on it has this item."""
        self._unknown.discard(sku)

    def _judge(self, document: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        missing = sorted(self._unknown & _items(document))
        if missing:
            return 422, {"error": "unknown_item", "message": f"there is no item {missing[0]}"}
        self._next += 1
        return 201, {"sales_order": f"SO-{self._next}", "reference": order_number(document), "status": "confirmed"}


def make_warehouse() -> Stub:
    return Stub("wms", lambda document: (201, {"fulfilment": order_number(document)}), order_number)


def make_crm() -> Stub:
    return Stub("crm", lambda document: (200, {"noted": order_number(document)}), order_number)


def order_number(document: dict[str, Any]) -> str:
    """The shop's number of the order, under the name each system has for it."""
    return str(next((document[name] for name in ("external_reference", "order_id", "order") if name in document), ""))


def _items(document: dict[str, Any]) -> set[str]:
    return {str(line.get("item_number")) for line in document.get("lines", ())}
