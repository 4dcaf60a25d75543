"""A part of the hub's door that is loaded when it is first asked for: what it needs costs memory, and few need it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any

from hub.api import AsgiApp
from hub.api.ingest import Ingest, Receive, Send
from hub.pipeline.engine import Engine


class OnDemand:
    """An ASGI application that ``load`` gives at the first request, on a thread of its own."""

    def __init__(self, load: Callable[[], AsgiApp]) -> None:
        self._load, self._loading = load, asyncio.Lock()
        self._app: AsgiApp | None = None

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        await (self._app or await self._loaded())(scope, receive, send)

    async def _loaded(self) -> AsgiApp:
        async with self._loading:
            if self._app is None:
                self._app = await asyncio.to_thread(self._load)
            return self._app


def soap_door(engine: Engine, ingest: Ingest, secrets: Path) -> OnDemand:
    """The door for calls."""

    def load() -> AsgiApp:
        from hub.api.soap_door import SoapDoor

        return SoapDoor(engine, ingest, secrets)

    return OnDemand(load)
