"""A target's answer as a message of its own, and the cross-references that messages fill."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.formats import Codec, codec
from hub.mapping import Mapping as DocumentMapping
from hub.message import Message
from hub.pipeline.program import Program

_MARK = "#"
XrefRow = tuple[str, str, str, str, float, str]


def reply_route(route: str, target: str) -> str:
    """What a reply's receipt says instead of a route: which route's which target has answered."""
    return f"{route}{_MARK}{target}"


def is_reply(route: str) -> bool:
    return _MARK in route


def reply_mapping(program: Program, route: str) -> tuple[DocumentMapping | None, Any, Mapping[str, Any]]:
    """The mapping of the answer, the codec of its bytes and that codec's options; (None, …) when there is none now."""
    name, _, target_id = route.partition(_MARK)
    target = program.find(name, target_id)
    if target is None or target.reply is None:
        return None, None, {}
    return target.reply, reply_codec(target.reply, target.codec), dict(target.reply.source.options)


def reply_codec(mapping: DocumentMapping, fallback: Codec) -> Codec:
    return codec(mapping.source.format) if mapping.source.format else fallback


def xrefs_of(message: Message, type_name: str, document: Any, at: float) -> list[XrefRow]:
    """The cross-references a message tells: its source's numbers beside its main key, and a master's source ids."""
    rows: list[XrefRow] = []
    if is_reply(message.route) and message.keys:
        _, _, main = message.keys[0]
        rows += [(message.source, scheme, main, value, at, message.message_id) for scheme, _, value in message.keys]
    if type_name == "canonical/customer":
        hub_id = str(document.get("customer_id", ""))
        for source in document.get("source_ids") or ():
            rows.append(
                (source.get("scheme_id") or message.source, "customer", source["id"], hub_id, at, message.message_id)
            )
    if type_name == "canonical/product":
        sku = (document.get("item") or {}).get("sellers_item_id")
        if sku:
            rows.append((message.source, "product", sku, str(document["product_id"]), at, message.message_id))
    return rows
