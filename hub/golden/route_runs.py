"""One case of a route: what comes in goes through the whole hub, and what becomes of it is read from its store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec
from msgspec.structs import replace

from connectors._file_names import event_of
from connectors.base import Request
from connectors.webhook import SignatureError, Verifier
from hub.cases import RouteCase, subject_of
from hub.connector_lint import ANY_SECRET
from hub.errors import HubError, MessageError
from hub.formats import BadRecord, Record
from hub.golden.bench import Bench, target_probes
from hub.golden.compare import MISSING, Difference
from hub.golden.expected_messages import compared, wanted
from hub.golden.results import Result
from hub.golden.world import World
from hub.mapping import Probe
from hub.message import CANONICAL, Arrival, Delivery
from hub.pipeline.program import CompiledRoute, CompiledTarget
from hub.store import deliveries, message_view, payloads
from hub.systems import System

Seen = dict[str, Any]
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


def run_route_case(bench: Bench, file: str, case: RouteCase) -> Result:
    """Run one case and compare everything it says."""
    result = Result(file, case.node.line, case.name)
    compiled = route_of(bench, file, case)
    for probes in bench.probes.values():
        probes.hits.clear()
    world = World(bench, case.at, case.answers)
    try:
        arrival = _arrival(bench, compiled, case, world)
        world.know(case.xrefs)
        world.receive(arrival)
        seen = list(_messages(world, compiled))
        hits = [probe for probes in bench.probes.values() for probe in probes.hit()]
        hits += list(_route_hits(world, compiled))
    except (HubError, SignatureError) as error:
        return replace(result, problem=str(error))
    finally:
        world.close()
    return _judged(bench, file, case, compiled, seen, replace(result, hits=tuple(hits)))


def route_of(bench: Bench, file: str, case: RouteCase) -> CompiledRoute:
    """The route that a case is of; the lint has seen to it that there is one."""
    beside = [each for each in bench.program.routes.values() if each.route.file == subject_of(file)]
    return next((each for each in beside if each.route.name == case.route), beside[0])


def _judged(
    bench: Bench, file: str, case: RouteCase, compiled: CompiledRoute, seen: list[Seen], result: Result
) -> Result:
    taken_by = seen[0].get("route", "") if seen else ""
    if taken_by and taken_by != compiled.route.name:
        problem = f"the route '{taken_by}' takes it, not '{compiled.route.name}'"
        return replace(result, problem=problem)
    if case.expected is None:
        problem = "nothing is expected yet: write expected:, or let --update fill it in"
        new = [wanted(None, each) for each in seen]
        update = {"expected": new[0] if len(new) == 1 else {"messages": new}}
        return _guarded(replace(result, problem=problem, update=update), case, seen)
    found: list[Difference] = []
    files: dict[str, bytes] = {}
    for number, node in enumerate(case.expected):
        path = f"messages[{number}]" if len(case.expected) > 1 or len(seen) > 1 else ""
        if number >= len(seen):
            found.append(Difference(path, node.data(), MISSING, node.line, node.column))
            continue
        found += compared(bench, file, node, seen[number], path)
    for number in range(len(case.expected), len(seen)):
        found.append(Difference(f"messages[{number}]", MISSING, wanted(None, seen[number]), case.node.line))
    if not found:
        return result
    new = [wanted(case.expected[n] if n < len(case.expected) else None, each, files) for n, each in enumerate(seen)]
    is_list = (expected := case.node.get("expected")) is not None and expected.get("messages") is not None
    update = {"expected": {"messages": new} if is_list or len(new) != 1 else new[0]}
    return _guarded(replace(result, differences=tuple(found), update=update, files=files), case, seen)


def _guarded(result: Result, case: RouteCase, seen: list[Seen]) -> Result:
    """An update never writes down an error as expected, nor over one that is."""
    expects = any(_has_error(node.data()) for node in case.expected or ())
    if expects or any(_has_error(each) for each in seen):
        how = "it expects an error" if expects else "it ends with an error"
        return replace(result, update={}, files={}, why_not=f"{how}; change it by hand if that is meant")
    return result


def _has_error(message: Any) -> bool:
    if not isinstance(message, dict):
        return False
    below = message.get("deliveries") or ()
    replies = [each.get("reply") for each in below if isinstance(each, dict)]
    return bool(message.get("error")) or any(map(_has_error, [*below, *replies]))


def _arrival(bench: Bench, compiled: CompiledRoute, case: RouteCase, world: World) -> Arrival:
    """What comes in, as the door would hand it over."""
    system = bench.program.settings.systems[case.system or compiled.route.system]
    raw = _raw(compiled, case)
    headers = {name.lower(): value for name, value in case.headers.items()}
    is_posted = system.receives and system.door == "in"
    told = _verified(system, headers, raw, case.at) if is_posted else (None, None)
    event = case.event if case.event is not None else told[0]
    if event is None or (event == "" and not case.headers):
        by_name = (system.options.get("fetch") or {}).get("events")
        if system.receives or (by_name and not case.file_name):
            event = next(iter(compiled.route.events), "")
        else:
            event = event_of(case.file_name, by_name) or str(system.event or "")
    return Arrival(
        receipt_id=world.clock.new_id(), source=system.name, event=event, raw=raw, received_at=case.at,
        door="webhook" if is_posted else system.connector, name=case.file_name, dedupe_key=told[1],
        content_type=headers.get("content-type", compiled.codec.CONTENT_TYPES[0]),
        traceparent=headers.get("traceparent", ""),
    )  # fmt: skip


def _verified(system: System, headers: Mapping[str, str], raw: bytes, at: float) -> tuple[str | None, str | None]:
    """The event and the sender's id, as the door reads them; whether it is signed is no matter of a test."""
    proof = {"method": "none", "unsigned": True}
    found = Verifier({"verify": proof, "event": system.event, "dedupe": system.dedupe}).verify(headers, raw, at)
    return found.event, found.dedupe_id


def _raw(compiled: CompiledRoute, case: RouteCase) -> bytes:
    if case.body.raw is not None:
        return case.body.raw
    return compiled.codec.encode_one(case.body.value, compiled.codec_options)


# -- what became of it ---------------------------------------------------------------------------------------------


def _messages(world: World, compiled: CompiledRoute) -> Iterator[Seen]:
    """Each message that the document became; one that stands for it where it became none."""
    db = world.store.reader()
    found = message_view.messages_of(db, 1)
    came = message_view.receipt_of(db, 1) or {}
    for row in found:
        yield _message(world, compiled, message_view.message(db, row["message_id"]) or {})
    if came.get("failure") is not None:
        yield {"state": "dead", "route": came["route"], "error": _error(came["failure"]), "deliveries": []}


def _message(world: World, compiled: CompiledRoute, row: Mapping[str, Any]) -> Seen:
    db = world.store.reader()
    document = payloads.read(db, row["message_id"], CANONICAL)
    ids = sorted(line["delivery_id"] for line in message_view.deliveries(db, row["message_id"]))
    own = deliveries.load(db, ids)
    targets = {delivery.delivery_id: delivery.target for delivery in own}
    return {
        "state": row["state"], "route": row["route"], "key": row["main_key"], "place": row["place"],
        "error": _error(row["failure"]), "document": _decode(document) if document is not None else MISSING,
        "deliveries": [_delivery(world, compiled, delivery, targets) for delivery in own],
    }  # fmt: skip


def _error(failure: Mapping[str, Any] | None) -> Seen | None:
    if not failure:
        return None
    place = f"{failure['file']}:{failure['line']}:{failure['column']}: " if failure.get("file") else ""
    return {
        "class": failure.get("class", ""), "code": failure.get("code", ""), "step": failure.get("step", ""),
        "field": failure.get("field_path", ""), "detail": f"{place}{failure.get('detail', '')}",
    }  # fmt: skip


def _delivery(world: World, compiled: CompiledRoute, delivery: Delivery, targets: Mapping[str, str]) -> Seen:
    first = delivery.batch_id or delivery.delivery_id  # whose request it went in
    request = world.requests.get(first)
    target = compiled.target(delivery.target)
    seen: Seen = {
        "to": delivery.target, "state": delivery.state, "system": delivery.system, "lane": delivery.lane,
        "after": targets.get(world.transformer.waits_for.get(delivery.delivery_id, ""), ""),
        "error": _error(delivery.failure),
        "attempts": len(message_view.attempts(world.store.reader(), delivery.delivery_id)),
        "idempotency_key": delivery.key, "request": MISSING, "headers": MISSING, "raw": None, "body": MISSING,
        "names": {"key": delivery.key, "delivery_id": first, "message_id": delivery.message_id},
        "reply": _reply(world, compiled, delivery),
    }  # fmt: skip
    if request is not None and target is not None:
        options = dict(target.codec_options)
        seen |= _sent(request, target, options)
        seen["format"], seen["options"] = target.codec.__name__.rpartition(".")[2], options  # type: ignore[attr-defined]
    return seen


def _sent(request: Request, target: CompiledTarget, options: Mapping[str, Any]) -> Seen:
    shown = {name: value.replace(ANY_SECRET, "{secret}") for name, value in request.headers.items()}
    try:
        body: Any = _documents(request.body, target, options)
    except MessageError:
        body = request.body.decode("utf-8", "backslashreplace")  # a format that is only written
    line = request.line.replace(ANY_SECRET, "{secret}")
    return {"request": line, "headers": shown, "raw": request.body, "body": body}


def _documents(raw: bytes, target: CompiledTarget, options: Mapping[str, Any]) -> Any:
    """The document that was sent; of what was collected the list of all. Raises MessageError."""
    if target.collect is None:
        return target.codec.decode_one(raw, options)
    records = list(target.codec.decode([raw], options))
    if bad := next((record for record in records if isinstance(record, BadRecord)), None):
        raise bad.error
    return [record.value for record in records if isinstance(record, Record)]


def _reply(world: World, compiled: CompiledRoute, delivery: Delivery) -> Seen | None:
    """The message that a target's answer became."""
    db, number = world.store.reader(), 2
    while (row := message_view.receipt_of(db, number)) is not None:
        is_own = row["causation_id"] == delivery.message_id and row["route"].endswith(f"#{delivery.target}")
        if is_own and row["source"] == delivery.system:
            for found in message_view.messages_of(db, number):
                return _message(world, compiled, message_view.message(db, found["message_id"]) or {})
        number += 1
    return None


def _route_hits(world: World, compiled: CompiledRoute) -> Iterator[Probe]:
    db = world.store.reader()
    for row in message_view.messages_of(db, 1):
        ids = [line["delivery_id"] for line in message_view.deliveries(db, row["message_id"])]
        for delivery in deliveries.load(db, ids):
            target = compiled.target(delivery.target)
            probes = target_probes(target) if target is not None else []
            if (delivery.batch_id or delivery.delivery_id) in world.requests:
                yield from probes[:1]
                if _reply(world, compiled, delivery) is not None:
                    yield from probes[1:]
