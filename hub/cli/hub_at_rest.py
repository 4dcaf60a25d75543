"""The hub of a project while none runs: the same API on the same store, in this process, and nothing is sent.

What a command writes (a document, a replay) lies in the store and goes on its way when the hub starts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import unquote, urlsplit

from hub import replay
from hub.api import AsgiApp
from hub.api.doors import Doors
from hub.api.ingest import Ingest
from hub.api.on_demand import application, soap_door
from hub.cli.workplace import Workplace, actor, environment_name, project_store
from hub.client import Answer, HubClient, client_for
from hub.deploy import active_program, deploy
from hub.pipeline.connections import open_destination
from hub.pipeline.engine import Engine
from hub.secret import resolve
from hub.store import Store, clock_of, is_shared
from hub.store.audit import Actor


class _Asleep:
    """Wakes nobody: what is due is found when the hub starts."""

    def process(self, seqs: Sequence[int]) -> None:
        """Rows that nobody looks at yet."""

    def pump(self, system: str) -> None:
        """Deliveries that nobody sends yet."""


@dataclass(frozen=True, slots=True)
class HubAtRest(HubClient):
    """A client whose hub is an application in this process. ``go_on`` is what a running hub does by itself."""

    app: AsgiApp | None = None
    go_on: Callable[[], object] = field(default=lambda: None)

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        assert self.app is not None
        self.go_on()
        return asyncio.run(_call(self.app, method, path, body or b"", {"Host": "localhost", **(headers or {})}))


@contextmanager
def hub_at_rest(place: Workplace) -> Iterator[HubAtRest]:
    """The project's hub for the length of one command. Raises StoreBusy where one runs and does not answer."""
    store = project_store(place, read_only=False)
    try:
        known = client_for(place.root)
        engine, app = _application(place, store)
        yield HubAtRest(known.url, known.key, app=app, go_on=lambda: replay.advance(engine))
    finally:
        store.close()


def _application(place: Workplace, store: Store) -> tuple[Engine, AsgiApp]:
    clock, environment = clock_of(store), environment_name()
    own = place.connectors_folder
    program = active_program(store, environment, own) or deploy(
        store, place.files, environment, clock, Actor(actor()), own
    )
    secrets = place.root / place.settings().secrets_folder
    engine = Engine(
        store, program, clock, _Asleep(), lambda system: open_destination(system, secrets, own),
        worker="command line", run_apart=lambda work, whose: None, secret=partial(resolve, folder=secrets),
    )  # fmt: skip
    ingest = Ingest(engine, Doors(secrets))
    soap, is_alone = soap_door(engine, ingest, secrets), not is_shared(store.url)
    return engine, application(engine, ingest, soap, own_connectors=own, is_alone=is_alone)


async def _call(app: AsgiApp, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """One request to an ASGI application (ASGI 3.0, HTTP)."""
    parts, sent = urlsplit(path), [{"type": "http.request", "body": body, "more_body": False}]
    said: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return sent.pop() if sent else {"type": "http.disconnect"}

    async def send(event: MutableMapping[str, Any]) -> None:
        said.append(event)

    names = {"Content-Length": str(len(body)), **headers}
    await app(
        {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
            "path": unquote(parts.path), "raw_path": parts.path.encode(), "query_string": parts.query.encode(),
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in names.items()],
            "client": ("127.0.0.1", 0), "server": ("127.0.0.1", 80), "root_path": "",
        },
        receive,
        send,
    )  # fmt: skip
    kind = dict(said[0]["headers"]).get(b"content-type", b"").decode("latin-1")
    return Answer(said[0]["status"], kind, b"".join(event.get("body", b"") for event in said[1:]))
