"""The short way in: header fields decoded at once say what they say one by one, and no connection stays in memory."""

from __future__ import annotations

import asyncio
import gc
import socket
from typing import Any
from weakref import WeakSet

import pytest
import uvicorn

from hub.api.ingest import joined
from hub.api.short_way import DoorProtocol, _fields

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
        config = uvicorn.Config(elsewhere, http=protocol, log_config=None, lifespan="off")  # type: ignore[arg-type]
        server = uvicorn.Server(config)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            serving = asyncio.create_task(server.serve([listener]))
            for _ in range(5):
                await come_and_go(listener.getsockname()[1])
            async with asyncio.timeout(10):
                while server.server_state.connections:
                    await asyncio.sleep(0.01)
            left = len(alive)
            server.should_exit = True
            await serving
        return left

    gc.disable()
    try:
        assert asyncio.run(visits()) == 0
    finally:
        gc.enable()
