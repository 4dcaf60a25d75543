"""The flow: receive -> decode -> map -> validate -> route -> map -> encode -> deliver.

``receive`` and ``deliver`` touch the world and are driven by ``engine``. What lies between is pure: ``transform``
takes a stored receipt and a program and gives messages, deliveries and bytes, or says why not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from hub.attached import Stored, nothing_stored
from hub.clock import iso
from hub.errors import DecodeError, MessageError, ValidationError
from hub.keys import Key
from hub.message import CANONICAL, LOOKUPS, Advised, Came, Delivery, Message, Receipt, lane_seq
from hub.outcome import Failure, failure_of
from hub.partners import Partner
from hub.pipeline.decode import Decoded, decode
from hub.pipeline.encode import encode, step_of
from hub.pipeline.fetch_back import DOCUMENT, back_route, fetches, notice_of, told_of
from hub.pipeline.interchanges import Found, read_interchanges
from hub.pipeline.interrupted import position_left, records_left
from hub.pipeline.map import Xref, apply, written_down
from hub.pipeline.partners import Partners
from hub.pipeline.program import (
    ACKNOWLEDGEMENT,
    CompiledRoute,
    CompiledTarget,
    Program,
    acknowledgement_route,
    is_acknowledgement,
    partner_name,
)  # fmt: skip
from hub.pipeline.replayed import messages_replayed, record_replayed
from hub.pipeline.reply import is_reply, reply_mapping, xrefs_of
from hub.pipeline.route import fan_out
from hub.pipeline.statements import is_statement, stated
from hub.pipeline.transformed import Transformed
from hub.pipeline.validate import judged, validate
from hub.systems import System

_encode_json = msgspec.json.Encoder(decimal_format="number").encode

SLICE = 500  # messages that are stored in one transaction, at most


class World(msgspec.Struct, frozen=True):
    """What a transformation may ask for: time, ids, cross-references, stored files. All else comes with the receipt.
    ``ids`` are those of the messages by position, where they have some already."""

    now: float
    new_id: Callable[[], str]
    xref: Xref
    ids: Mapping[int, str] = msgspec.field(default_factory=dict)
    stored: Stored = nothing_stored


def transform(
    receipt: Receipt,
    program: Program,
    world: World,
    chunks: Iterable[bytes] | None = None,
    skip: int = 0,
    after: str = "",
) -> Iterator[Transformed]:
    """Take a receipt to its deliveries, in slices of at most SLICE messages. Every fault of the data becomes a
    Failure; nothing of it is raised.

    ``chunks`` are the raw bytes of a large receipt, read piece by piece; ``skip`` is the position from which on its
    records were not stored before the hub was interrupted, ``after`` the place of the last one that was.
    """
    result = Transformed(receipt.seq, receipt.route)
    if is_reply(receipt.route):
        yield _transform_reply(result, receipt, program, world)
        return
    if is_acknowledgement(receipt.route):
        yield _transform_advice(result, receipt, program, world)
        return
    if partners := program.partners_at(receipt.source):
        yield from _transform_interchanges(result, receipt, partners, program, world, chunks, skip, after)
        return
    compiled = program.routes.get(receipt.route) or program.select(receipt.source, receipt.event)
    system = program.settings.systems.get(receipt.source)
    if system is not None and fetches(system, receipt) and (compiled or system.options["fetch_back"].get("event")):
        yield _transform_notice(result, receipt, system, program, world)
        return
    if compiled is None:
        yield _unrouted(result, receipt, program)
        return
    result.route = compiled.route.name
    try:
        chunks = judged(receipt, compiled, chunks)
        records = decode(compiled.codec, compiled.codec_options, chunks or (receipt.raw,))
        for decoded in records_left(record_replayed(records, receipt), skip, after):
            if len(result.messages) >= SLICE:
                result.final = False
                yield result
                result = Transformed(receipt.seq, compiled.route.name)
            transform_record(result, receipt, compiled, decoded, program, world)
    except (DecodeError, ValidationError) as error:
        step = "decode" if isinstance(error, DecodeError) else "validate"
        result.failure = failure_of(error, step).printed(compiled.route.name)
    yield result


def _transform_interchanges(
    result: Transformed, receipt: Receipt, partners: Partners, program: Program, world: World,
    chunks: Iterable[bytes] | None, skip: int, after: str,
) -> Iterator[Transformed]:  # fmt: skip
    """What a partner's system brings: each message has a route of its own."""
    begun = -1
    try:
        every = partial(_messages, receipt, partners, program, chunks or (receipt.raw,))
        skip = position_left(every(), skip, after) if skip else 0
        for found in every():
            if found.decoded.position < skip:
                continue
            if len(result.messages) >= SLICE:
                result.final = False
                yield result
                result = Transformed(receipt.seq)
            if found.whole > begun and found.whole >= skip:
                result.begins.append(found.whole)
            begun = found.whole
            if found.came is not None and found.came not in result.came:
                result.came.append(found.came)
            if found.taken is not None:
                result.taken.append(found.taken)
            typed = msgspec.structs.replace(receipt, event=found.event)
            if found.acknowledgement is not None:
                _acknowledge(result, typed, found, program, world)
                continue
            result.answered += found.answered
            if found.compiled is None:
                result.messages.append(_untaken(typed, found, program, world))
                continue
            transform_record(result, typed, found.compiled, found.decoded, program, world)
            if found.subject is not None and found.partner is not None:
                place = lane_seq(*_place(receipt, found.decoded))
                message_id = result.messages[-1].message_id
                result.advised.append(Advised(place, found.partner.name, message_id, found.subject))
            if found.came is not None:
                _know_again(result, program.settings.partners[found.came.partner], receipt)
    except DecodeError as error:
        result.failure = failure_of(error, "decode").printed(receipt.source)
    yield result


def _messages(
    receipt: Receipt, partners: Partners, program: Program, chunks: Iterable[bytes]
) -> Iterator[Found]:  # fmt: skip
    return messages_replayed(read_interchanges(partners, receipt, program, chunks), receipt, partners, chunks)


def _transform_advice(result: Transformed, receipt: Receipt, program: Program, world: World) -> Transformed:
    """What the hub tells a partner of a message of its: the document to send, as it was put together."""
    partner = program.settings.partners.get(partner_name(receipt.route))
    if partner is None:
        result.failure = _no_route(f"there is no partner '{partner_name(receipt.route)}' any more")
        return result
    document = msgspec.json.decode(receipt.raw)
    found = Found(Decoded(0, ""), receipt.event, partner=partner, acknowledgement=document)
    _acknowledge(result, receipt, found, program, world)
    return result


def _know_again(result: Transformed, partner: Partner, receipt: Receipt) -> None:
    """The last message, by its key and all its fields: the partner may send it once more under another number."""
    message = result.messages[-1]
    if partner.same_document == "accept" or message.state != "routed" or not message.main_key:
        return
    written = next(
        content for id, stage, content in reversed(result.documents) if (id, stage) == (message.message_id, CANONICAL)
    )
    digest = hashlib.sha256(f"{message.type} {message.main_key} ".encode() + written).hexdigest()
    number, policy = f"document {digest}", "anew" if receipt.replay_of else partner.same_document
    result.documents_came.append(
        Came(partner.name, number, message.seq, message.position, digest, policy, origin=receipt.origin_seq)
    )


def _acknowledge(result: Transformed, receipt: Receipt, found: Found, program: Program, world: World) -> None:
    """An acknowledgement is a message of its own, with one delivery, to the partner."""
    assert found.partner is not None, "who sent it was known when it was acknowledged"
    document, route = found.acknowledgement, acknowledgement_route(found.partner.name)
    target = program.find(route, ACKNOWLEDGEMENT)
    assert target is not None, "the partner is one of this program"
    message = msgspec.structs.replace(_untaken(receipt, found, program, world), route=route, state="routed")
    written = _encode_json(document)
    result.messages.append(message)
    result.documents.append((message.message_id, CANONICAL, written))
    delivery = Delivery(
        delivery_id=world.new_id(), message_id=message.message_id,
        lane_seq=lane_seq(receipt.seq, message.position), source=receipt.source, route=route,
        target=ACKNOWLEDGEMENT, system=target.system.name, lane="", state="queued", created_at=world.now,
        set_id=program.set_id, received_at=receipt.received_at,
    )  # fmt: skip
    result.deliveries.append(delivery)
    build(result, delivery, target, document, {}, program, world, written)


def _untaken(receipt: Receipt, found: Found, program: Program, world: World) -> Message:
    """A message, or a whole interchange, that no route has anything to do with: dead, with the reason."""
    failure = found.failure
    message_id = world.ids.get(found.decoded.position) or world.new_id()
    return Message(
        message_id=message_id, seq=receipt.seq, position=found.decoded.position, place=found.decoded.place,
        source=receipt.source, event=receipt.event, route="", type="", state="dead" if failure else "filtered",
        received_at=receipt.received_at, failure=failure.as_dict() if failure else None,
        fingerprint=failure.fingerprint if failure else "", set_id=program.set_id,
        correlation_id=receipt.correlation_id or message_id, causation_id=receipt.causation_id,
        traceparent=receipt.traceparent,
    )  # fmt: skip


def transform_record(
    result: Transformed, receipt: Receipt, compiled: CompiledRoute, decoded: Decoded, program: Program, world: World
) -> None:
    """One record: map, validate, route, then map and encode for each target that may go at once; into ``result``."""
    envelope = _envelope(receipt, decoded, world, compiled.time_zone)
    keys: Sequence[Key] = ()
    document, step, written = None, "decode", b""
    lookups: list[Any] = []
    failure, deliveries = None, []
    try:
        if decoded.error is not None:
            raise decoded.error
        step = "map"
        company = program.settings.company
        document = apply(compiled.mapping, decoded.document, company, envelope, world.xref, lookups)
        written = _encode_json(document)
        step = "validate"
        validate(program.schemas, compiled.type, document)
        keys = program.schemas.keys(compiled.type, document)
        step = "route"
        deliveries = fan_out(
            compiled, document, envelope, _key_text(keys), _place(receipt, decoded), world.new_id, world.now,
            program.set_id, receipt.received_at,
        )  # fmt: skip
    except MessageError as error:
        failure = failure_of(error, step).printed(compiled.route.name)
    state = "dead" if failure else "routed" if deliveries else "filtered"
    message = _message(receipt, compiled, decoded, envelope, state, keys, failure, program)
    _keep(result, message, written, lookups)
    if failure is not None:
        return
    if is_statement(compiled.type):
        place = lane_seq(*_place(receipt, decoded))
        result.stated.append(stated(message, place, document, decoded.document, receipt, program.settings))
    result.xrefs += xrefs_of(message, compiled.type, document, world.now)
    for delivery, target in deliveries:
        result.deliveries.append(delivery)
        if not delivery.waits_for:
            build(result, delivery, target, document, envelope, program, world, written)


def _keep(result: Transformed, message: Message, written: bytes, lookups: Sequence[Any]) -> None:
    """The message and what is stored with it."""
    result.messages.append(message)
    if written:
        result.documents.append((message.message_id, CANONICAL, written))
    if lookups:
        result.documents.append((message.message_id, LOOKUPS, written_down(lookups)))


def build(
    result: Transformed, delivery: Delivery, target: CompiledTarget, document: Any, envelope: Mapping[str, Any],
    program: Program, world: World, written: bytes,
) -> None:  # fmt: skip
    """Map and encode for one target: the bytes, or the failure, go into ``result``. What is to be collected is only
    tried: it is made when it is put together with the others."""
    company, seen = program.settings.company, list[Any]()
    try:
        body = encode(target, document, company, envelope, world.xref, seen, world.stored, written)
        if not delivery.waits_to_be_collected:
            result.bodies[delivery.delivery_id] = body
    except MessageError as error:
        result.unbuilt[delivery.delivery_id] = failure_of(error, step_of(error)).printed(delivery.route)
        if seen:
            result.documents.append((delivery.delivery_id, LOOKUPS, written_down(seen)))


def _transform_reply(result: Transformed, receipt: Receipt, program: Program, world: World) -> Transformed:
    """A target's answer becomes a message of its own that asserts its keys."""
    mapping, codec, options = reply_mapping(program, receipt.route)
    if mapping is None:
        result.failure = _no_route(f"the route {receipt.route} makes no message of replies any more")
        return result
    decoded = Decoded(0, "")
    envelope = _envelope(receipt, decoded, world, program.settings.time_zone)
    keys: Sequence[Key] = ()
    lookups: list[Any] = []
    step, document, written = "decode", None, b""
    try:
        document = codec.decode_one(receipt.raw, options)
        step = "map"
        document = apply(mapping, document, program.settings.company, envelope, world.xref, lookups)
        written = _encode_json(document)
        step = "validate"
        validate(program.schemas, mapping.target.schema or "", document)
        keys = program.schemas.keys(mapping.target.schema or "", document)
        state, failure = "routed", None
    except MessageError as error:
        state, failure = "dead", failure_of(error, step).printed(receipt.route)
    message = Message(
        message_id=receipt.receipt_id, seq=receipt.seq, position=0, source=receipt.source, event=receipt.event,
        route=receipt.route, type=mapping.target.schema or "", state=state, received_at=receipt.received_at,
        main_key=_key_text(keys), keys=keys, failure=failure.as_dict() if failure else None,
        fingerprint=failure.fingerprint if failure else "", set_id=program.set_id,
        correlation_id=receipt.correlation_id, causation_id=receipt.causation_id, traceparent=receipt.traceparent,
    )  # fmt: skip
    _keep(result, message, written, lookups)
    if failure is None:
        result.xrefs += xrefs_of(message, message.type, document, world.now)
    return result


def _transform_notice(
    result: Transformed, receipt: Receipt, system: System, program: Program, world: World
) -> Transformed:
    """A webhook that only tells of a document: a message of its own, with one delivery, which fetches it."""
    route = back_route(system.name, receipt.event)
    target = program.find(route, DOCUMENT)
    assert target is not None, "the system is one of this program"
    try:
        notice = notice_of(receipt)
    except DecodeError as error:
        result.failure = failure_of(error, "decode").printed(route)
        return result
    written = _encode_json(notice)
    message, delivery = told_of(receipt, system, notice, program.set_id, world.now, world.new_id)
    _keep(result, message, written, ())
    result.deliveries.append(delivery)
    build(result, delivery, target, notice, {}, program, world, written)
    return result


def _unrouted(result: Transformed, receipt: Receipt, program: Program) -> Transformed:
    """No route: wanted by nobody on purpose (``ignore:``), or a dead letter."""
    system = program.settings.systems.get(receipt.source)
    if system is not None and receipt.event in system.ignore:
        result.messages.append(
            Message(
                message_id=receipt.receipt_id, seq=receipt.seq, position=0, source=receipt.source,
                event=receipt.event, route="", type="", state="filtered", received_at=receipt.received_at,
                set_id=program.set_id, correlation_id=receipt.correlation_id or receipt.receipt_id,
                traceparent=receipt.traceparent,
            )
        )  # fmt: skip
        return result
    event = f" with the event '{receipt.event}'" if receipt.event else ""
    result.failure = _no_route(f"no route takes a document of '{receipt.source}'{event}").printed("")
    return result


def _no_route(detail: str) -> Failure:
    hint = "add a route, or list the event under ignore: of the system; then replay from the start"
    return Failure("no_route", "no_route", detail, step="route", hint=hint)


def _envelope(receipt: Receipt, decoded: Decoded, world: World, time_zone: str) -> dict[str, Any]:
    single = decoded.position == 0 and not decoded.place
    return {
        "id": receipt.receipt_id if single else world.ids.get(decoded.position) or world.new_id(),
        "source": receipt.source,
        "event": receipt.event,
        "received_at": iso(receipt.received_at),
        "name": receipt.name,
        "time_zone": time_zone,
    }


def _place(receipt: Receipt, decoded: Decoded) -> tuple[int, int]:
    """Where a record stands in the order of arrival; a replay keeps the place of the first time."""
    return (receipt.origin_seq or receipt.seq, decoded.position)


def _key_text(keys: Sequence[Key]) -> str:
    return keys[0].text if keys else ""


def _message(
    receipt: Receipt, compiled: CompiledRoute, decoded: Decoded, envelope: Mapping[str, Any], state: str,
    keys: Sequence[Key], failure: Failure | None, program: Program,
) -> Message:  # fmt: skip
    main_key = _key_text(keys)
    return Message(
        message_id=envelope["id"], seq=receipt.seq, position=decoded.position, place=decoded.place,
        source=receipt.source, event=receipt.event, route=compiled.route.name, type=compiled.type, state=state,
        received_at=receipt.received_at, main_key=main_key, keys=keys,
        failure=failure.as_dict() if failure else None, fingerprint=failure.fingerprint if failure else "",
        set_id=program.set_id, correlation_id=receipt.correlation_id or main_key or envelope["id"],
        causation_id=receipt.causation_id, traceparent=receipt.traceparent,
    )  # fmt: skip
