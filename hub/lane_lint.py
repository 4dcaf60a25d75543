"""Whether a route that keeps an order has something to keep it by: the lane of a document is its key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from hub.cross_check import CANONICAL, place_of
from hub.errors import Fault
from hub.mapping import Mapping as DocumentMapping
from hub.routes import Route
from hub.schemas import SchemaSet


def lane_faults(route: Route, mappings: Mapping[str, DocumentMapping], schemas: SchemaSet) -> Iterator[Fault]:
    """A warning where the documents of a route have no key and are kept in no order, though order: per_key says so."""
    mapping = mappings.get(route.map)
    name = (mapping.target.schema if mapping else None) or ""
    if route.order != "per_key" or route.key or not name.startswith(CANONICAL) or not schemas.has(name):
        return
    if not schemas.shape(name).node.get("x-keys") and not all(target.key for target in route.targets):
        advice = "write key: with the field whose documents must stay in order, or order: none"
        message = f"{name} has no key of its own, so that its documents are kept in no order; {advice}"
        yield place_of(route.node, "order" if route.node and route.node.get("order") else "route").fault(
            message, "warning"
        )
