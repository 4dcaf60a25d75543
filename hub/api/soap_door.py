"""POST /soap/{system}: a call is verified, judged by its WSDL, stored, answered; GET /soap/{system}?wsdl gives that.

The reply is the acknowledgement: it is given after the commit that holds the raw bytes. What is refused is answered
with a fault of the caller's version of SOAP.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from connectors._soap_envelope import MEDIA, parameters
from connectors.base import ConnectorError
from connectors.soap import Asked, Endpoint, Refused, replayed, unproved
from hub.api.ingest import Ingest, Receive, Send, joined, read_body, trace_of
from hub.api.refusals import Headers, Refusal, full_refusal, problem_of, unstored
from hub.api.soap_requests import Faulty, Request, understood
from hub.clock import iso
from hub.errors import HubError, StoreError
from hub.keys import bounded
from hub.loggers import structlog
from hub.message import Accepted, Arrival
from hub.pipeline.engine import Engine
from hub.pipeline.program import Program
from hub.secret import resolve_all
from hub.store import receipts
from hub.systems import System

_log = structlog.get_logger("doors")
_PATH = "/soap/"
_HOST = re.compile(r"[A-Za-z0-9._-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")
_SETTINGS = ("wsdl", "service", "port", "verify", "event", "dedupe", "replies", "publish")
_ANY_TYPE = ("", "application/octet-stream", "application/xml")
_Answer = tuple[int, Headers, bytes]


class Endpoints:
    """The endpoints of the active program, made when first asked for. Used by one thread."""

    def __init__(self, secrets: Path) -> None:
        self._secrets = secrets
        self._program: Program | None = None
        self._open: dict[str, Endpoint] = {}
        self._closed: dict[str, str] = {}  # why it could not be made last time

    def find(self, program: Program, name: str) -> tuple[System, Endpoint]:
        """Raises Refusal where there is none, or where it cannot be made; the reason is logged once."""
        if program is not self._program:
            self._program, self._open, self._closed = program, {}, {}
        system = program.settings.systems.get(name)
        if system is None or not system.receives or system.door != "soap":
            raise Refusal(404, "unknown_system", "no system of this name is called here")
        if name not in self._open:
            self._open[name] = self._made(system)
        return system, self._open[name]

    def _made(self, system: System) -> Endpoint:
        try:
            config = {name: system.options.get(name) for name in _SETTINGS}
            endpoint = Endpoint({**resolve_all(config, self._secrets), "files": system.files})
            endpoint.inspect()
        except (HubError, ConnectorError) as error:
            if self._closed.get(system.name) != str(error):
                _log.error("a system cannot be called", system=system.name, reason=str(error))
            self._closed[system.name] = str(error)
            detail = "this system is not set up to be called; the log of the hub says why"
            raise Refusal(503, "not_set_up", detail) from error
        return endpoint


class SoapDoor:
    """The door for calls. What is done with XML is done on a thread of its own, one call after the other."""

    def __init__(self, engine: Engine, ingest: Ingest, secrets: Path) -> None:
        self._engine, self._ingest = engine, ingest
        self._endpoints = Endpoints(secrets)
        self._work = ThreadPoolExecutor(1, thread_name_prefix="soap-door")

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        name = scope["path"].removeprefix(_PATH).strip("/")
        try:
            system, endpoint = await self._apart(self._endpoints.find, self._engine.program, name)
        except Refusal as refusal:
            self._refused(name, refusal.code, refusal.status, 0)
            await _send(send, problem_of(refusal))
            return
        if scope["method"] in ("GET", "HEAD"):
            status, fields, content = await self._apart(_published, endpoint, scope)
            await _send(send, (status, fields, b"" if scope["method"] == "HEAD" else content))
            return
        if (answer := await self._called(system, endpoint, scope, receive)) is not None:
            await _send(send, answer)

    async def _called(
        self, system: System, endpoint: Endpoint, scope: Mapping[str, Any], receive: Receive
    ) -> _Answer | None:
        """What is answered; None where the caller went away."""
        size = 0
        try:
            if scope["method"] != "POST":
                raise Refusal(405, "method", "send an envelope with POST, or ask for ?wsdl with GET")
            if full := self._engine.pressure.at_source(system.name):
                raise full_refusal(full)
            headers = joined(scope["headers"])
            body = await read_body(receive, headers, self._engine.program.settings.http.max_body)
            if body is None:
                return None
            size = len(body)
            request = self._request(endpoint, headers, body)
            return await self._taken(system, endpoint, request)
        except Faulty as error:
            status = _status(error.refused, error.version)
            self._refused(system.name, error.refused.reason, status, size)
            content = await self._apart(partial(endpoint.fault, error.version, error.refused, error.errors,
                                                error.relates_to))  # fmt: skip
            return status, _headers(error.version, content, status), content
        except Refusal as refusal:
            known = refusal.size_of(size, joined(scope["headers"]))
            self._refused(system.name, refusal.code, refusal.status, known)
            answer: _Answer = await self._apart(_as_fault, endpoint, refusal)
            return answer

    def _request(self, endpoint: Endpoint, headers: Mapping[str, str], body: bytes) -> Request:
        content_type = headers.get("content-type", "")
        request = Request(body, content_type, headers, self._engine.clock.epoch(), parameters(content_type))
        if request.kind not in endpoint.content_types and request.kind not in _ANY_TYPE:
            wanted = " or ".join(sorted(endpoint.content_types))
            raise Refusal(415, "content_type", f"expected {wanted}, got {request.kind[:60]}")
        return request

    async def _taken(self, system: System, endpoint: Endpoint, request: Request) -> _Answer:
        """Understood, stored, answered. The reply is made before: what has none is not stored."""
        receipt_id, received_at = self._engine.clock.new_id(), iso(request.now)
        asked, kept, reply = await self._apart(_read, endpoint, request, receipt_id, received_at)
        arrival = Arrival(
            receipt_id=receipt_id, source=system.name, event=asked.event, raw=kept, received_at=request.now,
            door="soap", content_type=request.kind, dedupe_key=asked.dedupe_id, traceparent=trace_of(request.headers),
            content_key=f"once:{asked.once}" if asked.once else None,
        )  # fmt: skip
        if full := self._engine.pressure.at_targets(arrival.source, arrival.event):
            raise full_refusal(full)
        routes = self._engine.program.by_source.get(system.name, ())
        accepted: Accepted = await self._ingest.take_in(arrival, any(r.route.validate == "sync" for r in routes))
        if accepted.duplicate:
            reply = await self._apart(self._again, endpoint, asked, accepted.receipt_id, request.now)
        return _answer(asked, reply)

    def _again(self, endpoint: Endpoint, asked: Asked, receipt_id: str, now: float) -> bytes:
        """The reply to a call that came before: that of its first time. Raises Faulty for another call that has its
        token or signature."""
        told = asked.dedupe_id and bounded(asked.dedupe_id)  # as it is stored
        try:
            came_at, number = receipts.came(self._engine.store.reader(), receipt_id) or (now, told)
        except StoreError:
            raise unstored() from None
        if asked.once and (number is None or number != told):
            raise Faulty(unproved(replayed(), is_of_envelope=True), asked.version)
        return endpoint.reply(asked, receipt_id, iso(came_at))

    async def _apart(self, work: Any, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._work, partial(work, *arguments))

    def _refused(self, name: str, code: str, status: int, size: int) -> None:
        self._engine.refused(name if status != 404 else "", code, size)


def _read(endpoint: Endpoint, request: Request, receipt_id: str, received_at: str) -> tuple[Asked, bytes, bytes]:
    """What is asked, what is kept of it, the reply."""
    asked, kept = understood(endpoint, request)
    try:
        return asked, kept, endpoint.reply(asked, receipt_id, received_at)
    except Refused as error:
        raise Faulty(error, asked.version, relates_to=asked.message_id or "") from None


def _answer(asked: Asked, reply: bytes) -> _Answer:
    if asked.operation.output is None:
        return 202, [(b"content-length", b"0")], b""
    return 200, _headers(asked.version, reply, 200), reply


def _as_fault(endpoint: Endpoint, refusal: Refusal) -> _Answer:
    """What is no fault of SOAP's own, in its words; the HTTP status is that of every other door."""
    status, fields, _ = problem_of(refusal)
    code = "Server" if status in (429, 503) else "Client"
    place = refusal.failure.field_path if refusal.failure is not None else ""
    refused = Refused(code, refusal.code, refusal.detail)
    version = endpoint.version_for(None)
    content = endpoint.fault(version, refused, [{"code": refusal.code, "path": place, "message": refusal.detail}])
    kept = [field for field in fields if field[0] in (b"retry-after", b"allow")]
    return status, [*_headers(version, content, status), *kept], content


def _status(refused: Refused, version: str) -> int:
    """SOAP 1.1, 6.2; SOAP 1.2 part 2, 7.5.2.2. Who is not known by the HTTP headers is told so by HTTP."""
    if refused.is_unproved and refused.subcode is None:
        return 401
    return 400 if version == "1.2" and refused.code == "Client" else 500


def _headers(version: str, content: bytes, status: int) -> Headers:
    media = f"{MEDIA[version]}; charset=utf-8".encode()
    fields = [(b"content-type", media), (b"content-length", b"%d" % len(content))]
    return [*fields, (b"www-authenticate", b'Basic realm="hub"')] if status == 401 else fields


def _published(endpoint: Endpoint, scope: Mapping[str, Any]) -> _Answer:
    """The WSDL, or a file it imports, with the address that it was asked for at."""
    asked = parse_qs(scope["query_string"].decode("latin-1").lower(), keep_blank_values=True)
    if "wsdl" not in asked or not endpoint.publishes:
        known = "the WSDL is not given out here" if "wsdl" in asked else "ask for ?wsdl, or send an envelope with POST"
        return problem_of(Refusal(404 if "wsdl" in asked else 405, "method", known))
    path = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    wanted = next((values[0] for key, values in path.items() if key.lower() == "wsdl"), "")
    content = endpoint.wsdl(wanted, _address(scope))
    if content is None:
        return problem_of(Refusal(404, "unknown_file", "the WSDL imports no file of this name"))
    return 200, [(b"content-type", b"text/xml; charset=utf-8"), (b"content-length", b"%d" % len(content))], content


def _address(scope: Mapping[str, Any]) -> str:
    host = joined(scope["headers"]).get("host", "")
    if not _HOST.fullmatch(host):
        server = scope.get("server") or ("localhost", 80)
        host = f"{server[0]}:{server[1]}"
    return f"{scope['scheme']}://{host}{scope['path']}"


async def _send(send: Send, answer: _Answer) -> None:
    status, fields, content = answer
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": content})
