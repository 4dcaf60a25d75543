"""Calls an application in this process, as a server would: one request, one answer, no socket."""

from __future__ import annotations

import asyncio
import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from hub.api import AsgiApp
from hub.errors import Conflict, Fault, ProjectError
from hub.store import Store, api_keys
from hub.store.audit import Actor


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return str(self.json["code"])


@dataclass
class Caller:
    """Somebody with a key, or without. ``host`` and ``client`` are where they seem to come from."""

    app: AsgiApp
    key: str = ""
    client: str = "203.0.113.9"
    host: str = "hub.example"
    extra: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **headers: str) -> Answer:
        return self.request("GET", path, None, headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        """With an Idempotency-Key of its own, unless one is given (``idempotency_key=''`` sends none)."""
        given = {"idempotency_key": str(uuid.uuid4()), **headers}
        return self.request("POST", path, {} if body is None else body, {k: v for k, v in given.items() if v})

    def delete(self, path: str) -> Answer:
        return self.request("DELETE", path, None, {"idempotency_key": str(uuid.uuid4())})

    def request(self, method: str, path: str, body: Any, headers: dict[str, str] | None = None) -> Answer:
        path, _, query = path.partition("?")
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        named = {"host": self.host, **self.extra, **{k.replace("_", "-"): v for k, v in (headers or {}).items()}}
        if self.key:
            named.setdefault("authorization", f"Bearer {self.key}")
        if body is not None:
            named.setdefault("content-type", "application/json")
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "path": path,
            "raw_path": path.encode(), "query_string": query.encode(), "root_path": "", "scheme": "http",
            "headers": [(k.encode(), v.encode()) for k, v in named.items()], "client": (self.client, 5000),
            "server": ("127.0.0.1", 8420), "state": {},
        }  # fmt: skip
        return asyncio.run(_call(self.app, scope, raw))


class Folder:
    """A project folder whose next deploy does as told."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def deploy(self, actor: Actor, reason: str = "") -> int:
        if self.faults:
            raise ProjectError(self.faults)
        return 7

    def rollback(self, actor: Actor, reason: str = "") -> int:
        raise Conflict("there is no earlier set to go back to")


async def _call(app: AsgiApp, scope: dict[str, Any], body: bytes) -> Answer:
    events = [{"type": "http.request", "body": body, "more_body": False}]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return events.pop(0) if events else {"type": "http.disconnect"}

    async def send(event: Any) -> None:
        sent.append(event)

    try:
        await app(scope, receive, send)
    except Exception:
        # The framework answers first, then raises for the server's log.
        if not sent:
            raise
    start, *parts = sent
    headers = {key.decode(): value.decode() for key, value in start["headers"]}
    return Answer(start["status"], headers, b"".join(part.get("body", b"") for part in parts))


def new_key(store: Store, role: str, name: str = "") -> str:
    """A key of a role, in the store."""
    token = api_keys.new_token()
    key_id = str(uuid.uuid4())
    store.write(lambda db: api_keys.add(db, key_id, name or role, role, token, 1.0))
    return token
