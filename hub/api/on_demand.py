"""Parts of the hub's door that are loaded when they are first asked for: what they need costs time and memory at each
start, and few need it."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hub.api import AsgiApp
from hub.api.alive import Alive, Others
from hub.api.ingest import Ingest, Receive, Send
from hub.pipeline.engine import Engine
from hub.store import answers

if TYPE_CHECKING:
    from hub.api.desk import Deployer


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
                gc.freeze()  # it stays
            return self._app


def soap_door(engine: Engine, ingest: Ingest, secrets: Path) -> OnDemand:
    """The door for calls."""

    def load() -> AsgiApp:
        from hub.api.soap_door import SoapDoor

        return SoapDoor(engine, ingest, secrets)

    return OnDemand(load)


def application(
    engine: Engine, ingest: AsgiApp | None = None, soap: AsgiApp | None = None, deployer: Deployer | None = None,
    others: Others | None = None, own_connectors: Path | None = None, is_alone: bool = False,
) -> Alive:  # fmt: skip
    """A process's application as ``create_app`` makes it. Whether the process is alive and ready it says unloaded.
    ``is_alone``: no other process can be at work on acting requests, so those that are unfinished are forgotten."""
    if is_alone:
        engine.store.write(answers.forget_unfinished)

    def load() -> AsgiApp:
        from hub.api.application import create_app

        return create_app(engine, ingest, deployer, others, own_connectors, soap)

    return Alive(engine, others, OnDemand(load))
