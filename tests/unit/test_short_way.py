"""The short way in: header fields decoded at once say what they say one by one, heads are limited in bytes and in time,
and no connection stays in memory."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from weakref import WeakSet

import pytest
import uvicorn
from structlog.testing import capture_logs
from uvicorn.server import ServerState

from hub.api.ingest import joined
from hub.api.short_way import DoorProtocol, _fields
from hub.settings import Http
from hub.web import WebServer

Field = tuple[bytes, bytes]
NO_BODY = [(b"content-length", b"0")]


@pytest.mark.parametrize(
    "fields",
    [
        [],
        [(b"Host", b"hub"), (b"X-Shopify-Topic", b"orders/create"), (b"content-length", b"7")],
        [(b"Host", b"")],
        [(b"X-Name", "Jürgen".encode("latin-1")), (b"X-Utf8", "Jürgen".encode())],
        [(b"X-Signature", b"one"), (b"Host", b"hub"), (b"x-signature", b"two")],
        [(b"X-Odd", b"a\0b"), (b"Host", b"hub")],
        [(b"X-Odd", b"a\0b"), (b"x-odd", b"c")],
    ],
)
def test_fields_are_those_that_are_read_one_by_one(fields: list[Field]) -> None:
    names, values = [name for name, _ in fields], [value for _, value in fields]
    assert _fields(names, values) == joined([(name.lower(), value) for name, value in fields])


class OpenDoor:
    """Takes every document and says so at once."""

    def takes(self, name: str) -> bool:
        return name == "shop"

    def take(self, name: str, headers: Any, body: bytes, answer: Any) -> None:
        answer(202, NO_BODY, b"")


@asynccontextmanager
async def served(app: Any, protocol: Any) -> AsyncIterator[int]:
    """An application on a port, over a protocol."""
    config = uvicorn.Config(app, http=protocol, log_config=None, lifespan="off", interface="asgi3")
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(server.serve([listener]))
        yield listener.getsockname()[1]
        async with asyncio.timeout(10):
            while server.server_state.connections:
                await asyncio.sleep(0.01)
        server.should_exit = True
        await serving


class BrokenDoor:
    """Has a mistake in it."""

    def takes(self, name: str) -> bool:
        return name == "shop"

    def take(self, name: str, headers: Any, body: bytes, answer: Any) -> None:
        raise ZeroDivisionError("of our own")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        raise ZeroDivisionError("of our own")


@pytest.mark.parametrize("name", ["shop", "other"], ids=["the short way", "the usual way"])
def test_a_mistake_of_the_door_is_a_problem_and_shows_nothing_but_the_trace(name: str) -> None:
    door: Any = BrokenDoor()
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    fields = f"Host: hub\r\ntraceparent: 00-{trace}-00f067aa0ba902b7-01\r\nContent-Length: 2"

    async def answered() -> bytes:
        async with served(WebServer(door, door, door, Http(), None)._front, partial(DoorProtocol, door, bool)) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"POST /in/{name} HTTP/1.1\r\n{fields}\r\nConnection: close\r\n\r\n{{}}".encode())
            answer = await reader.read()
            writer.close()
            return answer

    with capture_logs() as lines:
        answer = asyncio.run(answered())
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 500") and b"content-type: application/problem+json" in head
    problem = json.loads(body)
    assert (problem["code"], problem["trace_id"], b"ZeroDivision" in answer) == ("internal", trace, False)
    [logged] = [line for line in lines if line["log_level"] == "error"]
    assert logged["trace_id"] == trace


async def elsewhere(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": NO_BODY})
    await send({"type": "http.response.body"})


async def told(protocol: Any, *sent: bytes) -> list[bytes]:
    """What came back for each of these, sent one after the other; of the last one all, until the connection ended."""
    async with served(elsewhere, protocol) as port, asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        found = []
        for number, part in enumerate(sent, 1):
            writer.write(part)
            found.append(await (reader.read() if number == len(sent) else reader.readuntil(b"\r\n\r\n")))
        writer.close()
        return found


POST = b"POST /in/shop HTTP/1.1\r\nHost: hub\r\n"
DOCUMENT = POST + b"Content-Length: 2\r\n\r\n{}"
PAGE = b"GET /readyz HTTP/1.1\r\nHost: hub\r\n\r\n"


@pytest.mark.parametrize(
    "sent",
    [(b"",), (b"POST /in/sh",), (POST,), (DOCUMENT, POST), (PAGE, b"\r\n")],
    ids=["nothing", "half a path", "half a head", "half a head after a document", "a line after a page"],
)
def test_a_connection_whose_head_does_not_come_to_its_end_is_closed(sent: tuple[bytes, ...]) -> None:
    protocol = partial(DoorProtocol, OpenDoor(), bool, 0.05)
    *answered, last = asyncio.run(told(protocol, *sent))
    assert (len(answered), last) == (len(sent) - 1, b"")


FIELD = b"X-Odd: " + b"x" * 60_000
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"


class Wire(asyncio.Transport):
    """A connection without a network: keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written, self.is_shut = b"", False

    def write(self, data: Any) -> None:
        self.written += data

    def close(self) -> None:
        self.is_shut = True

    def is_closing(self) -> bool:
        return self.is_shut


async def _answer(sent: bytes, piece: int) -> tuple[bytes, bytes]:
    """Head and body of what is answered to bytes that come in pieces of a size, until the connection is closed."""
    wire, state = Wire(), ServerState()
    config = uvicorn.Config(elsewhere, log_config=None, lifespan="off", interface="asgi3")
    protocol = DoorProtocol(OpenDoor(), lambda: False, config=config, server_state=state, app_state={})  # type: ignore[arg-type]
    protocol.connection_made(wire)
    for start in range(0, len(sent), piece):
        if not wire.is_shut:
            protocol.data_received(sent[start : start + piece])
    protocol.connection_lost(None)
    await asyncio.gather(*state.tasks)
    assert wire.is_shut
    head, _, body = wire.written.partition(b"\r\n\r\n")
    return head, body


@pytest.mark.parametrize("piece", [1_000, 1_000_000], ids=["in pieces", "at once"])
@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (POST + FIELD + b"\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}", b"202"),
        (POST + FIELD + b"\r\nContent-Length: 60000\r\nConnection: close\r\n\r\n" + b"x" * 60_000, b"202"),
        (POST + FIELD + b"x" * 6_000, b"431"),
        (POST + FIELD + b"x" * 6_000 + b"\r\nContent-Length: 2\r\n\r\n{}", b"431"),
        (POST + b"X-Odd: x\r\n" * 7_000 + b"\r\n", b"431"),
        (b"GET /" + b"x" * 66_000 + b" HTTP/1.1\r\nHost: hub\r\n\r\n", b"431"),
    ],
    ids=["large", "large with its body", "no end", "too large", "too many", "path"],
)
def test_a_head_that_is_too_large_is_refused_and_the_connection_closed(sent: bytes, status: bytes, piece: int) -> None:
    head, body = asyncio.run(_answer(sent, piece))
    assert head.startswith(b"HTTP/1.1 " + status) and b"connection: close" in head
    assert status == b"202" or json.loads(body)["code"] == "head_too_large"


def test_fields_behind_a_body_have_the_same_limit() -> None:
    head, _ = asyncio.run(_answer(CHUNKED + FIELD + b"x" * 10_000, 1_000))
    assert head.startswith(b"HTTP/1.1 431")


@pytest.mark.parametrize(
    ("sent", "is_answered"),
    [
        (b"POST /in/shop HTTP/1.1\r\nHost: hub\r\nContent-Length: 2\r\n\r\n{}", True),
        (b"POST /in/shop HTTP/1.1\r\nHost: hub\r\nContent-Length: 9\r\n\r\n{}", False),
        (b"GET /readyz HTTP/1.1\r\nHost: hub\r\n\r\n", True),
        (b"", False),
    ],
    ids=["document", "document cut off", "page", "nothing"],
)
def test_a_connection_that_has_ended_is_gone_from_memory_at_once(sent: bytes, is_answered: bool) -> None:
    alive: WeakSet[DoorProtocol] = WeakSet()

    def protocol(**of_uvicorn: Any) -> DoorProtocol:
        alive.add(made := DoorProtocol(OpenDoor(), lambda: False, **of_uvicorn))  # type: ignore[arg-type]
        return made

    async def come_and_go(port: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        if is_answered:
            assert (await reader.readline()).startswith(b"HTTP/1.1 20")
        writer.close()
        await writer.wait_closed()

    async def visits() -> int:
        async with served(elsewhere, protocol) as port:
            for _ in range(5):
                await come_and_go(port)
        return len(alive)

    gc.disable()
    try:
        assert asyncio.run(visits()) == 0
    finally:
        gc.enable()


class LateDoor(OpenDoor):
    """Answers when it is told to."""

    def take(self, name: str, headers: Any, body: bytes, answer: Any) -> None:
        self.answer = partial(answer, 202, NO_BODY, b"")


class Late(DoorProtocol):
    """Has a document answered once nothing more is read."""

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.flow.read_paused or self.transport.is_closing():
            self.loop.call_soon(self._ingest.answer)  # type: ignore[attr-defined]

    def eof_received(self) -> bool:  # type: ignore[override]
        stays = super().eof_received()
        if stays:
            self.loop.call_soon(self._ingest.answer)  # type: ignore[attr-defined]
        return stays


@pytest.mark.parametrize(
    ("protocol", "request_", "status"),
    [(Late, DOCUMENT, b"202"), (DoorProtocol, PAGE, b"200")],
    ids=["the short way", "the usual way"],
)
@pytest.mark.parametrize("more", [b"abc", POST + b"A b\r\n\r\n"], ids=["no HTTP", "no field"])
def test_what_came_whole_is_answered_whatever_comes_after_it(
    protocol: Any, request_: bytes, status: bytes, more: bytes
) -> None:
    [answer] = asyncio.run(told(partial(protocol, LateDoor(), bool), request_ + more))
    assert answer.startswith(b"HTTP/1.1 " + status) and b"connection: close" in answer
    assert answer.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(
    ("sent", "status"),
    [(DOCUMENT, b"HTTP/1.1 202"), (POST + b"Content-Length: 3\r\n\r\n{}", b"")],
    ids=["whole", "cut off"],
)
def test_a_sender_who_has_no_more_to_say_is_answered(sent: bytes, status: bytes) -> None:
    async def answered() -> bytes:
        async with served(elsewhere, partial(Late, LateDoor(), bool)) as port, asyncio.timeout(10):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(sent)
            writer.write_eof()
            answer = await reader.read()
            writer.close()
            return answer

    assert asyncio.run(answered())[:12] == status
