"""A real HTTP server on loopback that behaves as a test tells it to: slow, rude, limited, broken."""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field


@dataclass
class Request:
    """One request as it came. ``number`` counts requests, ``connection`` connections, both from 1."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    number: int
    connection: int
    arrived: float = field(default_factory=time.monotonic)


class Line:
    """What a script does on the connection of its request."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self._writer = reader, writer
        self.is_open = True

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def answer(self, status: int = 200, body: bytes = b"{}", **headers: str) -> None:
        lines = {"content-type": "application/json", "content-length": str(len(body))}
        lines |= {name.replace("_", "-"): value for name, value in headers.items()}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        await self.send(f"HTTP/1.1 {status} Reason\r\n{head}\r\n".encode() + body)

    def close(self) -> None:
        self.is_open = False
        self._writer.close()

    def reset(self) -> None:
        self.is_open = False
        self._writer.transport.abort()


Script = Callable[[Request, Line], Awaitable[None]]


class ScriptedServer:
    """Serves on a free port, in a thread of its own, until the ``with`` block ends."""

    def __init__(self, script: Script | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.script: Script = script or answer_ok
        self.requests: list[Request] = []
        self.connections = self.in_flight = self.most_in_flight = 0
        self._tls = tls
        self._loop = asyncio.new_event_loop()
        self._writers: list[asyncio.StreamWriter] = []
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://localhost:{self.port}"

    def __enter__(self) -> ScriptedServer:
        self._thread.start()
        assert self._ready.wait(5)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(5)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.set_exception_handler(lambda loop, context: None)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        self._stopping = asyncio.Event()
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=self._tls)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stopping.wait()
        await _some_turns()  # one that was just accepted could not be taken up by a server that is closed
        server.close()
        for writer in self._writers:
            writer.transport.abort()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await _some_turns()  # the transports take some to close

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        self.connections += 1
        line, number = Line(reader, writer), self.connections
        try:
            while line.is_open:
                await self._one(reader, line, number)
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            writer.transport.abort()

    async def _one(self, reader: asyncio.StreamReader, line: Line, connection: int) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *rest = head.rstrip("\r\n").split("\r\n")
        method, path, _ = first.split(" ")
        headers = {name.lower(): value for name, value in (text.split(": ", 1) for text in rest)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        request = Request(method, path, headers, body, len(self.requests) + 1, connection)
        self.requests.append(request)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await self.script(request, line)
        finally:
            self.in_flight -= 1


async def _some_turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def answer_ok(request: Request, line: Line) -> None:
    await line.answer(201, b'{"id": 7}')


def always(status: int, body: bytes = b"{}", **headers: str) -> Script:
    """The same answer to every request."""

    async def script(request: Request, line: Line) -> None:
        await line.answer(status, body, **headers)

    return script
