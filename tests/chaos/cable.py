"""What runs between two parts of a hub: every byte goes through here, and it can be cut, silenced, slowed or broken."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import suppress
from random import Random
from typing import Any

_CHUNK = 65_536

OPEN, CUT, SILENT, SLOW, BROKEN = "open", "cut", "silent", "slow", "broken"


class Cable:
    """A listener on ``host`` whose connections lead to a server on this machine's ``target`` port.

    ``cut`` resets every connection and each new one. ``silent`` takes bytes and passes none on, as a network that loses
    every packet; what was taken meanwhile is gone for good, so its connections end with the silence. ``slow`` holds
    every piece back for ``SLOW_SECONDS``. ``broken`` ends each connection after a number of bytes, in their middle.
    """

    SLOW_SECONDS = 0.15

    def __init__(self, target: int, host: str = "127.0.0.1", seed: int = 0) -> None:
        self._target, self._host, self._chance = target, host, Random(seed)
        self._state = OPEN
        self._open: dict[asyncio.StreamWriter, None] = {}
        self._spoiled: dict[asyncio.StreamWriter, None] = {}  # connections whose bytes were taken and not passed on
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="cable", daemon=True)
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._connected, host, 0))
        self.port: int = self._server.sockets[0].getsockname()[1]

    def put(self, state: str) -> None:
        """Let what passes have it differently from now on."""
        self._run(self._put(state))

    def close(self) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _put(self, state: str) -> None:
        self._state = state
        for writer in list(self._open if state == CUT else self._spoiled):
            writer.transport.abort()
        self._spoiled.clear()

    async def _close(self) -> None:
        self._server.close()
        for writer in list(self._open):
            writer.transport.abort()
        await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()}, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._state == CUT:
            writer.transport.abort()
            return
        try:
            further, beyond = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        ends = (writer, beyond)
        self._open |= dict.fromkeys(ends)
        try:
            ways = (self._pass(reader, beyond, ends), self._pass(further, writer, ends))
            await asyncio.gather(*ways, return_exceptions=True)
        finally:
            for end in ends:
                end.transport.abort()
                self._open.pop(end, None)
                self._spoiled.pop(end, None)

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ends: tuple[asyncio.StreamWriter, ...]
    ) -> None:
        """One way, until its end, which ends the other way too."""
        until_broken = self._chance.randrange(10_000)  # bytes that pass this way of a broken cable
        with suppress(OSError):
            while data := await reader.read(_CHUNK):
                if self._state == SLOW:
                    await asyncio.sleep(self.SLOW_SECONDS)
                if self._state == SILENT:
                    self._spoiled |= dict.fromkeys(ends)
                    continue
                if self._state == BROKEN:
                    until_broken -= len(data)
                    if until_broken < 0:
                        writer.write(data[:until_broken])
                        break
                writer.write(data)
                await writer.drain()
        if self._state == SILENT:
            self._spoiled |= dict.fromkeys(ends)  # not even the end of a connection is heard of
            return
        for end in ends:
            end.transport.abort()
