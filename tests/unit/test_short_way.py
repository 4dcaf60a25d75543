"""The short way in: header fields decoded at once say what they say one by one, and no connection stays in memory."""

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
