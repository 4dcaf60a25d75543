"""Webhooks that only tell of a document (``fetch_back:`` of a system): each becomes a message with one delivery, which
asks the system for the document; what it answers is taken in as if the system had sent it.

So a webhook is answered before anything is fetched, what fails is tried again, and what is not there is a dead letter.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from connectors._exact import decode
from connectors.base import PermanentError, Verdict
from connectors.webhook import extractor
from hub.errors import DecodeError
from hub.keys import bounded
from hub.message import Arrival, Delivery, Message, Receipt, lane_seq
from hub.systems import System

DOCUMENT = "document"  # the one target of such a message
FORM = "application/x-www-form-urlencoded"
_BACK, _FETCHED = "fetch back:", "fetched:"  # no route can be called so
_NAME = re.compile(r"\{([^{}]*)\}")
_LONGEST_LANE = 200
_MOST_FIELDS = 1000


def back_route(system: str, event: str) -> str:
    """What a delivery that fetches says instead of a route."""
    return f"{_BACK}{system} {event}"


def is_fetch_back(route: str) -> bool:
    return route.startswith(_BACK)


def told_by(route: str) -> tuple[str, str]:
    """The system, and the event of its webhook."""
    system, _, event = route.removeprefix(_BACK).partition(" ")
    return system, event


def fetches(system: System | None, receipt: Receipt) -> bool:
    """Whether a receipt only tells of a document."""
    return system is not None and not receipt.route and bool(system.options.get("fetch_back"))


def notice_of(receipt: Receipt) -> Any:
    """The webhook's body, JSON or a form. Raises DecodeError."""
    if receipt.content_type.partition(";")[0].strip().lower() == FORM:
        text = receipt.raw.decode("utf-8", "replace")
        try:
            return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS))
        except ValueError:
            raise DecodeError(f"the webhook is a form of more than {_MOST_FIELDS:,} fields") from None
    try:
        notice = decode(receipt.raw)  # an id may have more digits than a float
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DecodeError(f"the webhook is neither JSON nor a form: {error}") from None
    if not isinstance(notice, dict):
        raise DecodeError("the webhook is no JSON object, so it has no fields to fetch something by")
    return notice


def lane_of(system: System, notice: Mapping[str, Any]) -> str:
    """What is told of one thing is fetched in the order it was told: the fields that the request is made with."""
    values = []
    for path in _NAME.findall(str(system.options["fetch_back"]["request"])):
        value: Any = notice
        for step in path.split("."):
            value = value.get(step) if isinstance(value, dict) else None
        values.append("" if value is None else str(value))
    lane = " ".join(values)
    return bounded(lane) if len(lane) <= _LONGEST_LANE else hashlib.sha256(lane.encode()).hexdigest()


def told_of(
    receipt: Receipt, system: System, notice: Mapping[str, Any], set_id: int, now: float, new_id: Callable[[], str]
) -> tuple[Message, Delivery]:
    """The message of a webhook, and the delivery that fetches what it tells of."""
    route = back_route(system.name, receipt.event)
    message = Message(
        message_id=receipt.receipt_id, seq=receipt.seq, position=0, source=receipt.source, event=receipt.event,
        route=route, type="", state="routed", received_at=receipt.received_at, set_id=set_id,
        correlation_id=receipt.correlation_id or receipt.receipt_id, causation_id=receipt.causation_id,
        traceparent=receipt.traceparent,
    )  # fmt: skip
    delivery = Delivery(
        delivery_id=new_id(), message_id=message.message_id, lane_seq=lane_seq(receipt.seq, 0), source=receipt.source,
        route=route, target=DOCUMENT, system=system.name, lane=lane_of(system, notice), state="queued", created_at=now,
        set_id=set_id, received_at=receipt.received_at,
    )  # fmt: skip
    return message, delivery


def fetched(
    system: System | None, delivery: Delivery, verdict: Verdict, context: Mapping[str, str], now: float,
    new_id: Callable[[], str],
) -> Arrival:  # fmt: skip
    """The document as an arrival of its own, caused by the webhook."""
    name, event = told_by(delivery.route)
    said = (system.options.get("fetch_back") or {}) if system is not None else {}
    # Two webhooks may tell of one state of a document, each for its own routes.
    told = "" if said.get("event") else event
    thing = hashlib.sha256(f"{told}\0{delivery.lane}".encode()).hexdigest()
    key = hashlib.sha256(thing.encode() + verdict.response).hexdigest()
    is_known = said.get("same_content") != "process"
    return Arrival(
        receipt_id=new_id(), source=name, event=_event(said.get("event"), verdict) or event, raw=verdict.response,
        received_at=now, door="fetch_back", content_type=verdict.response_type, causation_id=delivery.message_id,
        route=f"{_FETCHED}{name}", dedupe_key=f"fetched:{key}" if is_known else None,
        correlation_id=context.get("correlation_id", ""), traceparent=context.get("traceparent", ""),
        item=f"fetched:{thing}" if is_known else "", round=-1,
    )  # fmt: skip


def _event(where: Any, verdict: Verdict) -> str | None:
    try:
        return extractor(str(where), "fetch_back.event")(verdict.headers, verdict.response) if where else None
    except PermanentError:
        return None  # the settings were checked before they were deployed
