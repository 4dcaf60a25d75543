"""POST /in/{system}: verify, store, answer. A bare ASGI callable, and for most documents not even that (``take``),
since every order passes here.

The answer is given after the commit that holds the raw bytes. Arrivals of a few milliseconds share a commit; one that
comes after a pause is committed at once.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from functools import lru_cache
from random import Random
from typing import Any

from connectors.webhook import SignatureError
from hub.api.doors import Door, DoorClosed, Doors
from hub.api.refusals import TRACEPARENT, Headers, Refusal, full_refusal, problem_of, trace_id_of, unstored
from hub.errors import StoreError
from hub.message import Accepted, Arrival
from hub.outcome import Failure
from hub.pipeline.engine import Engine
from hub.pipeline.receive import as_receipt

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_GATHER_SECONDS = 0.008  # from one commit to the next: what each costs is shared by those that came meanwhile
# So many in one commit are a crowd, answered and back together: a moment later its first does not go alone either.
_CROWD, _CROWD_SECONDS = 16, 0.1
_CALM = 64  # receipts that may wait to be split before answers are held back; about what one batch takes
_LOOK_AGAIN_SECONDS, _LONGEST_PACE_SECONDS = 0.005, 0.5
# 3.3: what tracing systems want to find again, KEY=VALUE,KEY=VALUE; one that is too long or none is left out whole.
_TRACESTATE = re.compile(r"(?=.{1,512}$)[a-z0-9][a-z0-9_*/@-]*=[ -~]+")
_chance = Random()  # noqa: S311  a trace id is no secret
_ANY_TYPE = frozenset({"", "application/octet-stream"})


Answer = Callable[[int, Headers, bytes], None]


class Ingest:
    """The door for webhooks. Of a body that is not kept only source, reason and size are counted."""

    def __init__(self, engine: Engine, doors: Doors, calm: int = _CALM) -> None:
        self._engine, self._doors, self._calm = engine, doors, calm
        self._waiting: dict[str, Callable[[Accepted | None], None]] = {}
        self._pending: list[Arrival] = []
        self._next_commit = self._crowd_until = 0.0
        self._held: list[tuple[float, Callable[[], None]]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = scope["path"].rpartition("/in/")[2].strip("/")
        size = 0
        try:
            door = self._door(scope["method"], name)
            headers = joined(scope["headers"])
            body = await read_body(receive, headers, self._engine.program.settings.http.max_body)
            if body is None:
                return
            size = len(body)
            arrival = self._arrival(door, headers, body)
            status, fields, content = _answer(door, await self.take_in(arrival, door.validates))
        except Refusal as refusal:
            headers = joined(scope["headers"])
            status, fields, content = self._refused(name, refusal, refusal.size_of(size, headers), headers)
        await send({"type": "http.response.start", "status": status, "headers": fields})
        await send({"type": "http.response.body", "body": content})

    async def take_in(self, arrival: Arrival, validates: bool) -> Accepted:
        """Store what a door has let in; durable when it is given. ``validates``: a route may want to see it first.
        Raises Refusal."""
        if validates:
            await self._validate(arrival)
        accepted = await self._stored(arrival)
        calm = asyncio.get_running_loop().create_future()
        self._pace(lambda: None if calm.done() else calm.set_result(None))
        await calm
        return accepted

    def takes(self, name: str) -> bool:
        """Whether documents of this system may go the short way: nothing is to be waited for but the commit."""
        try:
            door = self._doors.find(self._engine.program, name)
        except Exception:  # the other way says what it is
            return False
        return door is not None and not door.validates

    def take(self, name: str, headers: Mapping[str, str], body: bytes, answer: Answer) -> None:
        """The short way of a document, POSTed, whole and not too large: ``answer`` is called on this loop, at once or
        after the commit."""
        try:
            door = self._door("POST", name)
            arrival = self._arrival(door, headers, body)
        except Refusal as refusal:
            answer(*self._refused(name, refusal, len(body), headers))
            return

        def told(accepted: Accepted | None) -> None:
            if accepted is None:
                answer(*self._refused(name, unstored(), len(body), headers))
            else:
                self._pace(lambda: answer(*_answer(door, accepted)))

        self._store(arrival, told)

    def _refused(
        self, name: str, refusal: Refusal, size: int, headers: Mapping[str, str]
    ) -> tuple[int, Headers, bytes]:  # fmt: skip
        self._engine.refused(name if refusal.status != 404 else "", refusal.code, size)
        if refusal.status == 200:
            return 200, [(b"content-length", b"0")], b""
        return problem_of(refusal, trace_id_of(headers))

    def _door(self, method: str, name: str) -> Door:
        try:
            door = self._doors.find(self._engine.program, name)
        except DoorClosed:
            detail = "this system is not set up to be taken from; the log of the hub says why"
            raise Refusal(503, "not_set_up", detail) from None
        if door is None:
            raise Refusal(404, "unknown_system", "no system of this name takes documents here")
        if method != "POST":
            raise Refusal(405, "method", "send a document with POST")
        if full := self._engine.pressure.at_source(name):
            raise full_refusal(full)
        return door

    def _arrival(self, door: Door, headers: Mapping[str, str], body: bytes) -> Arrival:
        kind = headers.get("content-type", "")
        kind = kind if kind in door.content_types else kind.partition(";")[0].strip().lower()
        if kind not in door.content_types and kind not in _ANY_TYPE and not kind.endswith("+json"):
            if door.ping is not None and door.ping.fits(kind, body):
                raise Refusal(200, "ping", "the sender tries the door")
            raise Refusal(415, "content_type", f"expected {' or '.join(sorted(door.content_types))}, got {kind[:60]}")
        now = self._engine.clock.epoch()
        try:
            verified = door.verify(headers, body, now)
        except SignatureError as error:
            raise Refusal(401, error.reason, error.detail, challenge=door.challenge) from None
        arrival = Arrival(
            receipt_id=self._engine.clock.new_id(), source=door.system.name,
            event=verified.event or "", raw=body, received_at=now, content_type=kind, dedupe_key=verified.dedupe_id,
            traceparent=trace_of(headers),
        )  # fmt: skip
        if full := self._engine.pressure.at_targets(arrival.source, arrival.event):
            raise full_refusal(full)
        return arrival

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
            raise unstored() from None
        if failure is not None:
            raise Refusal(422, str(failure["code"]), str(failure["detail"]), _as_failure(failure))

    # -- pace ----------------------------------------------------------------------------------------------------------

    def _pace(self, go: Callable[[], None]) -> None:
        """While more waits to be split than is split in a moment, answers come a little later: a sender that waits for
        them sends at the pace of the hub, and what it sent last is not kept waiting behind thousands."""
        if self._engine.backlog <= self._calm:
            go()
            return
        loop = asyncio.get_running_loop()
        if not self._held:
            loop.call_later(_LOOK_AGAIN_SECONDS, self._look_again, loop)
        self._held.append((loop.time() + _LONGEST_PACE_SECONDS, go))

    def _look_again(self, loop: asyncio.AbstractEventLoop) -> None:
        held, self._held = self._held, []
        late = loop.time() if self._engine.backlog > self._calm else float("inf")
        for until, go in held:
            if until <= late:
                go()
            else:
                self._held.append((until, go))
        if self._held:
            loop.call_later(_LOOK_AGAIN_SECONDS, self._look_again, loop)

    # -- group commit ----------------------------------------------------------------------------------------------

    async def _stored(self, arrival: Arrival) -> Accepted:
        future: asyncio.Future[Accepted | None] = asyncio.get_running_loop().create_future()
        self._store(arrival, lambda accepted: None if future.done() else future.set_result(accepted))
        accepted = await future
        if accepted is None:
            raise unstored()
        return accepted

    def _store(self, arrival: Arrival, told: Callable[[Accepted | None], None]) -> None:
        """Store it with what else comes about now; ``told`` is called on this loop, with None if it was not stored."""
        self._waiting[arrival.receipt_id] = told
        self._pending.append(arrival)
        if len(self._pending) == 1:
            loop = asyncio.get_running_loop()
            now = loop.time()
            wait = _GATHER_SECONDS if now < self._crowd_until else self._next_commit - now
            loop.call_later(wait, self._flush, loop) if wait > 0 else loop.call_soon(self._flush, loop)

    def _flush(self, loop: asyncio.AbstractEventLoop) -> None:
        group, self._pending = self._pending, []
        self._next_commit = loop.time() + _GATHER_SECONDS
        self._crowd_until = loop.time() + _CROWD_SECONDS if len(group) >= _CROWD else 0.0
        home = asyncio.get_running_loop

        def answered(part: Sequence[Arrival], accepted: list[Accepted] | None, error: Exception | None) -> None:
            try:
                inside = home() is loop
            except RuntimeError:
                inside = False
            if inside:
                self._tell(part, accepted)
            else:
                loop.call_soon_threadsafe(self._tell, part, accepted)

        self._engine.accept_soon(group, answered)

    def _tell(self, part: Sequence[Arrival], accepted: list[Accepted] | None) -> None:
        for number, arrival in enumerate(part):
            self._waiting.pop(arrival.receipt_id)(accepted[number] if accepted is not None else None)


def joined(raw: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by lower-case name; what stands several times is joined, so that none of it is overlooked."""
    headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in raw}
    if len(headers) == len(raw):
        return headers
    headers = {}
    for key, value in raw:
        name, text = key.decode("latin-1"), value.decode("latin-1")
        headers[name] = f"{headers[name]}, {text}" if name in headers else text
    return headers


async def read_body(receive: Receive, headers: Mapping[str, str], limit: int) -> bytes | None:
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
            raise Refusal(413, "too_large", f"the body is larger than {limit} bytes", size=size)
        chunks.append(chunk)
        if not event.get("more_body"):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def trace_of(headers: Mapping[str, str]) -> str:
    """The sender's W3C trace context as version 00, or the start of a trace of ours where it has none that is valid."""
    given = headers.get("traceparent")
    if given and (sent := TRACEPARENT.fullmatch(given)):
        state = headers.get("tracestate", "")
        return f"00-{sent[1] or sent[2]}{f' {state}' if state and _TRACESTATE.fullmatch(state) else ''}"
    token = f"{_chance.getrandbits(192):048x}"
    return f"00-{token[:32]}-{token[32:]}-01"


def _as_failure(fields: Mapping[str, Any]) -> Failure:
    known = {key: value for key, value in fields.items() if key not in ("class", "fingerprint", "quoted")}
    return Failure(error_class=str(fields["class"]), **known)


def _answer(door: Door, accepted: Accepted) -> tuple[int, Headers, bytes]:
    if door.answer is not None:
        status, kind, body = door.answer
        return status, _content_headers(kind, len(body)), body
    body = _accepted_body(accepted)
    return (200 if accepted.duplicate else 202), _content_headers(b"application/json", len(body)), body


@lru_cache(64)
def _content_headers(kind: bytes, size: int) -> Headers:
    return (b"content-type", kind), (b"content-length", b"%d" % size)


def _accepted_body(accepted: Accepted) -> bytes:
    start = b'{"message_id":"' + accepted.receipt_id.encode() + b'","status":"accepted"'
    return start + (b',"duplicate":true}' if accepted.duplicate else b"}")
