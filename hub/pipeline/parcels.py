"""A delivery as its connector sees it: bytes, key, names for templates, trace context."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from connectors.base import Parcel
from hub.message import Body, Delivery
from hub.pipeline.fetch_back import is_fetch_back
from hub.store.batches import NAMES


def parcel_of(delivery: Delivery, body: Body, context: Mapping[str, str], chance: Random) -> Parcel:
    """``context`` has the message's ``main_key`` and ``traceparent``, of a batch its own names, after a first try the
    ``reference`` that the receiver gave, and as ``after`` the one that the target it came after gave."""
    return Parcel(
        delivery_id=delivery.delivery_id, key=delivery.key, body=body.content, content_type=body.content_type,
        variables=_variables(delivery, context), headers=_trace(context.get("traceparent", ""), chance),
        settling=delivery.doubt, fetches_back=is_fetch_back(delivery.route),
    )  # fmt: skip


def _variables(delivery: Delivery, context: Mapping[str, str]) -> dict[str, str]:
    scheme, _, rest = context.get("main_key", "").partition(":")
    names = {"key": delivery.key, "delivery_id": delivery.delivery_id, "message_id": delivery.message_id}
    if told := context.get("reference"):
        names["reference"] = told
    if told := context.get("after"):
        names["after.reference"] = told
    if scheme:
        names[scheme] = names[f"{scheme}_id"] = rest.partition(":")[2]
    for name in NAMES:
        if name in context:
            names[name] = context[name]
    return names


def _trace(context: str, chance: Random) -> dict[str, str]:
    """W3C trace context: the same trace, our own span, the tracing systems' own words unchanged."""
    traceparent, _, tracestate = context.partition(" ")
    parts = traceparent.split("-")
    if len(parts) != 4:
        return {}
    headers = {"traceparent": f"{parts[0]}-{parts[1]}-{chance.getrandbits(64):016x}-{parts[3]}"}
    return {**headers, "tracestate": tracestate} if tracestate else headers
