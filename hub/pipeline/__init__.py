"""The flow: receive -> decode -> map -> validate -> route -> map -> encode -> deliver.

``receive`` and ``deliver`` touch the world and are driven by ``engine``. What lies between is pure: ``transform``
takes a stored receipt and a program and gives messages, deliveries and bytes, or says why not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from hub.clock import iso
from hub.errors import DecodeError, MappingError, MessageError
from hub.keys import Key
from hub.message import CANONICAL, LOOKUPS, Body, Delivery, Message, Receipt
from hub.outcome import Failure, failure_of
from hub.pipeline.decode import Decoded, decode
from hub.pipeline.encode import encode
from hub.pipeline.map import Xref, apply
from hub.pipeline.program import CompiledRoute, CompiledTarget, Program
from hub.pipeline.reply import is_reply, reply_mapping, xrefs_of
from hub.pipeline.route import fan_out
from hub.pipeline.validate import validate

_encode_json = msgspec.json.Encoder(decimal_format="number").encode


SLICE = 500  # messages that are stored in one transaction, at most


class Transformed(msgspec.Struct, array_like=True):
    """What became of one receipt, or of one slice of a large one: messages, deliveries, the bytes of those that may
    go at once. ``final`` is False where more of the receipt follows. ``documents`` are (message, stage, bytes); packed
    for the store they are ``message_rows``, as the bodies are ``body_rows``."""

    seq: int
    route: str = ""
    messages: list[Message] = []
    deliveries: list[Delivery] = []
    documents: list[tuple[str, str, bytes]] = []
    bodies: dict[str, Body] = {}
    unbuilt: dict[str, Failure] = {}
    xrefs: list[tuple[str, str, str, str, float, str]] = []
    failure: Failure | None = None
    final: bool = True
    message_rows: list[Any] = []
    body_rows: list[Any] = []


@dataclass(frozen=True, slots=True)
class World:
    """What a transformation may ask for: time, ids, cross-references. All else comes with the receipt."""

    now: float
    new_id: Callable[[], str]
    xref: Xref


def transform(
    receipt: Receipt, program: Program, world: World, chunks: Iterable[bytes] | None = None, skip: int = 0
) -> Iterator[Transformed]:
    """Take a receipt to its deliveries, in slices of at most SLICE messages. Every fault of the data becomes a
    Failure; nothing of it is raised.

    ``chunks`` are the raw bytes of a large receipt, read piece by piece; ``skip`` is how many of its records were
    stored before the hub was interrupted.
    """
    result = Transformed(receipt.seq, receipt.route)
    if is_reply(receipt.route):
        yield _transform_reply(result, receipt, program, world)
        return
    compiled = program.routes.get(receipt.route) or program.select(receipt.source, receipt.event)
    if compiled is None:
        yield _unrouted(result, receipt, program)
        return
    result.route = compiled.route.name
    try:
        for decoded in decode(compiled.codec, compiled.codec_options, chunks or (receipt.raw,)):
            if decoded.position >= skip and receipt.origin_position in (-1, decoded.position):
                if len(result.messages) >= SLICE:
                    result.final = False
                    yield result
                    result = Transformed(receipt.seq, compiled.route.name)
                _record(result, receipt, compiled, decoded, program, world)
    except DecodeError as error:
        result.failure = failure_of(error, "decode").printed(compiled.route.name)
    yield result


def _record(
    result: Transformed, receipt: Receipt, compiled: CompiledRoute, decoded: Decoded, program: Program, world: World
) -> None:
    """One record: map, validate, route, then map and encode for each target that may go at once."""
    envelope = _envelope(receipt, decoded, world)
    keys: Sequence[Key] = ()
    document, step, written = None, "decode", b""
    lookups: Sequence[Any] = ()
    failure, deliveries = None, []
    try:
        if decoded.error is not None:
            raise decoded.error
        step = "map"
        document, lookups = apply(compiled.mapping, decoded.document, program.settings.company, envelope, world.xref)
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
        result.documents.append((message.message_id, LOOKUPS, _encode_json(lookups)))


def build(
    result: Transformed, delivery: Delivery, target: CompiledTarget, document: Any, envelope: Mapping[str, Any],
    program: Program, world: World, written: bytes,
) -> None:  # fmt: skip
    """Map and encode for one target: the bytes, or the failure, go into ``result``."""
    company = program.settings.company
    try:
        result.bodies[delivery.delivery_id] = encode(target, document, company, envelope, world.xref, written)
    except MessageError as error:
        step = "map" if isinstance(error, MappingError) else "encode"
        result.unbuilt[delivery.delivery_id] = failure_of(error, step).printed(delivery.route)


def _transform_reply(result: Transformed, receipt: Receipt, program: Program, world: World) -> Transformed:
    """A target's answer becomes a message of its own that asserts its keys."""
    mapping, codec, options = reply_mapping(program, receipt.route)
    if mapping is None:
        result.failure = _no_route(f"the route {receipt.route} makes no message of replies any more")
        return result
    decoded = Decoded(0, "")
    envelope = _envelope(receipt, decoded, world)
    keys: Sequence[Key] = ()
    step, document, written = "decode", None, b""
    try:
        document = codec.decode_one(receipt.raw, options)
        step = "map"
        document, _ = apply(mapping, document, program.settings.company, envelope, world.xref)
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
    _keep(result, message, written, ())
    if failure is None:
        result.xrefs += xrefs_of(message, message.type, document, world.now)
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


def _envelope(receipt: Receipt, decoded: Decoded, world: World) -> dict[str, Any]:
    single = decoded.position == 0 and not decoded.place
    return {
        "id": receipt.receipt_id if single else world.new_id(),
        "source": receipt.source,
        "event": receipt.event,
        "received_at": iso(receipt.received_at),
        "name": receipt.name,
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
