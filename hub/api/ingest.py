"""POST /in/{system}: verify, store, answer. A bare ASGI callable, since every order passes here.

The answer is given after the commit that holds the raw bytes. Arrivals of one turn of the loop share a commit.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from random import Random
from typing import Any

import msgspec

from connectors.webhook import SignatureError
from hub.api.doors import Door, DoorClosed, Doors
from hub.errors import StoreError
from hub.message import Accepted, Arrival
from hub.outcome import Failure
from hub.pipeline.engine import Engine
from hub.pipeline.receive import as_receipt

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_TITLES = {
    400: "Bad request", 401: "Signature refused", 404: "Unknown system", 405: "Method not allowed",
    413: "Too large", 415: "Wrong content type", 422: "Not valid", 429: "Too many requests", 503: "Not available",
}  # fmt: skip
_RETRY_SECONDS = {429: b"5", 503: b"10"}
_TARGET_RETRY_SECONDS = b"30"
_CALM = 64  # receipts that may wait to be split before answers are held back
_GATE_SECONDS, _LONGEST_PACE = 0.005, 100  # for half a second at most
# W3C trace context, 3.2: lower-case hex, no id all zero; a version after 00 may have more behind.
_IDS = "(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
_TRACEPARENT = re.compile(f"00-({_IDS})|(?!00|ff)[0-9a-f]{{2}}-({_IDS})(?:-.*)?")
_chance = Random()  # noqa: S311  a trace id is no secret
_ANY_TYPE = frozenset({"", "application/octet-stream"})


class Refusal(Exception):
    """A body that is not kept: the status, a stable code, and a sentence for the sender."""

    def __init__(self, status: int, code: str, detail: str, failure: Failure | None = None) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.failure = status, code, detail, failure


class Ingest:
    """The door for webhooks. Of a body that is not kept only source, reason and size are counted."""

    def __init__(self, engine: Engine, doors: Doors) -> None:
        self._engine, self._doors = engine, doors
        self._waiting: dict[str, asyncio.Future[Accepted]] = {}
        self._pending: list[Arrival] = []
        self._gate: asyncio.Future[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = scope["path"].rpartition("/in/")[2].strip("/")
        size = 0
        try:
            door = self._door(scope, name)
            headers = _joined(scope["headers"])
            body = await _read(receive, headers, self._engine.program.settings.http.max_body)
            if body is None:
                return
            size = len(body)
            arrival = self._arrival(door, headers, body)
            if full := self._engine.pressure.at_targets(arrival.source, arrival.event):
                raise Refusal(429, "target_backlog", full)
            if door.validates:
                await self._validate(arrival)
            accepted = await self._store(arrival)
            await self._pace()
            await _answer(send, door, accepted)
        except Refusal as refusal:
            self._engine.refused(name if refusal.status != 404 else "", refusal.code, size)
            await _problem(send, refusal)

    def _door(self, scope: Scope, name: str) -> Door:
        if scope["method"] != "POST":
            raise Refusal(405, "method", "send a document with POST")
        try:
            door = self._doors.find(self._engine.program, name)
        except DoorClosed:
            detail = "this system is not set up to be taken from; the log of the hub says why"
            raise Refusal(503, "not_set_up", detail) from None
        if door is None:
            raise Refusal(404, "unknown_system", "no system of this name takes documents here")
        if full := self._engine.pressure.at_source(name):
            raise Refusal(429, "backlog", full)
        return door

    def _arrival(self, door: Door, headers: Mapping[str, str], body: bytes) -> Arrival:
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in door.content_types and kind not in _ANY_TYPE and not kind.endswith("+json"):
            raise Refusal(415, "content_type", f"expected {' or '.join(sorted(door.content_types))}, got {kind[:60]}")
        now = self._engine.clock.epoch()
        try:
            verified = door.verify(headers, body, now)
        except SignatureError as error:
            raise Refusal(401, error.reason, error.detail) from None
        return Arrival(
            receipt_id=self._engine.clock.new_id(), source=door.system.name,
            event=verified.event or "", raw=body, received_at=now, content_type=kind, dedupe_key=verified.dedupe_id,
            traceparent=_trace(headers.get("traceparent", "")),
        )  # fmt: skip

    async def _validate(self, arrival: Arrival) -> None:
        """``validate: sync``: what would be a dead letter is refused with its reason instead."""
        program = self._engine.program
        route = program.select(arrival.source, arrival.event)
        if route is None or route.route.validate != "sync":
            return
        receipt = as_receipt(arrival, Accepted(arrival.receipt_id, 0))
        try:
            failure = await asyncio.to_thread(self._engine.transformer.rehearse, receipt, program)
        except StoreError:
            raise _unstored() from None
        if failure is not None:
            raise Refusal(422, str(failure["code"]), str(failure["detail"]), _as_failure(failure))

    # -- pace ----------------------------------------------------------------------------------------------------------

    async def _pace(self) -> None:
        """While more waits to be split than is split in a moment, answers come a little later: a sender that waits for
        them sends at the pace of the hub, and what it sent last is not kept waiting behind thousands."""
        for _ in range(_LONGEST_PACE):
            if self._engine.backlog <= _CALM:
                return
            if self._gate is None:
                loop = asyncio.get_running_loop()
                self._gate = loop.create_future()
                loop.call_later(_GATE_SECONDS, self._open_gate)
            await self._gate

    def _open_gate(self) -> None:
        gate, self._gate = self._gate, None
        if gate is not None:
            gate.set_result(None)

    # -- group commit ----------------------------------------------------------------------------------------------

    async def _store(self, arrival: Arrival) -> Accepted:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Accepted] = loop.create_future()
        self._waiting[arrival.receipt_id] = future
        if not self._pending:
            loop.call_soon(self._flush, loop)
        self._pending.append(arrival)
        return await future

    def _flush(self, loop: asyncio.AbstractEventLoop) -> None:
        group, self._pending = self._pending, []
        home = asyncio.get_running_loop

        def answered(part: Sequence[Arrival], accepted: list[Accepted] | None, error: Exception | None) -> None:
            try:
                inside = home() is loop
            except RuntimeError:
                inside = False
            if inside:
                self._resolve(part, accepted, error)
            else:
                loop.call_soon_threadsafe(self._resolve, part, accepted, error)

        self._engine.accept_soon(group, answered)

    def _resolve(self, part: Sequence[Arrival], accepted: list[Accepted] | None, error: Exception | None) -> None:
        for number, arrival in enumerate(part):
            future = self._waiting.pop(arrival.receipt_id)
            if future.done():
                continue
            if accepted is not None:
                future.set_result(accepted[number])
            else:
                future.set_exception(_unstored())


def _unstored() -> Refusal:
    return Refusal(503, "store", "the hub cannot store at the moment; send it again")


def _joined(raw: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by lower-case name; what stands several times is joined, so that none of it is overlooked."""
    headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in raw}
    if len(headers) == len(raw):
        return headers
    headers = {}
    for key, value in raw:
        name, text = key.decode("latin-1"), value.decode("latin-1")
        headers[name] = f"{headers[name]}, {text}" if name in headers else text
    return headers


async def _read(receive: Receive, headers: Mapping[str, str], limit: int) -> bytes | None:
    """The whole body; None when the sender went away. Raises Refusal beyond the limit, before it is read."""
    if int(headers.get("content-length") or 0) > limit:
        raise Refusal(413, "too_large", f"the body is larger than {limit} bytes")
    chunks, size = [], 0
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            return None
        chunk = event.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise Refusal(413, "too_large", f"the body is larger than {limit} bytes")
        chunks.append(chunk)
        if not event.get("more_body"):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _trace(traceparent: str) -> str:
    """The sender's W3C trace context as version 00, or the start of a trace of ours where it has none that is valid."""
    if sent := _TRACEPARENT.fullmatch(traceparent):
        return f"00-{sent[1] or sent[2]}"
    token = f"{_chance.getrandbits(192):048x}"
    return f"00-{token[:32]}-{token[32:]}-01"


def _as_failure(fields: Mapping[str, Any]) -> Failure:
    known = {key: value for key, value in fields.items() if key not in ("class", "fingerprint")}
    return Failure(error_class=str(fields["class"]), **known)


async def _answer(send: Send, door: Door, accepted: Accepted) -> None:
    if door.answer is not None:
        status, kind, body = door.answer
    else:
        status, kind = (200 if accepted.duplicate else 202), b"application/json"
        body = _accepted_body(accepted)
    headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _accepted_body(accepted: Accepted) -> bytes:
    start = b'{"message_id":"' + accepted.receipt_id.encode() + b'","status":"accepted"'
    return start + (b',"duplicate":true}' if accepted.duplicate else b"}")


async def _problem(send: Send, refusal: Refusal) -> None:
    """RFC 9457; nothing of the body and nothing of a secret is in it."""
    status = refusal.status
    problem: dict[str, Any] = {
        "type": "about:blank", "title": _TITLES.get(status, "Refused"), "status": status, "code": refusal.code,
        "detail": refusal.detail, "retryable": status in _RETRY_SECONDS,
    }  # fmt: skip
    if refusal.failure is not None:
        f = refusal.failure
        steps = f.field_path.replace("[", ".").replace("]", "").split(".") if f.field_path else []
        pointer = "".join(f"/{step}" for step in steps)
        problem["errors"] = [{"pointer": pointer, "detail": f.detail, "expected": f.expected}]
    body = msgspec.json.encode(problem)
    headers = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode())]
    if status in _RETRY_SECONDS:
        seconds = _TARGET_RETRY_SECONDS if refusal.code == "target_backlog" else _RETRY_SECONDS[status]
        headers.append((b"retry-after", seconds))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
