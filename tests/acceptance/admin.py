"""An admin at a running hub of the tests: a key in its store, and calls of the admin API with it."""

from __future__ import annotations

import json
import uuid
from typing import Any

from hub_process import HubProcess

from hub.store import api_keys, open_store


def add_key(hub: HubProcess) -> str:
    """An admin's key, in the store of a hub that does not run yet."""
    store, token = open_store("sqlite:///data/hub.db", hub.root), api_keys.new_token()
    store.write(lambda db: api_keys.add(db, "k", "test", "admin", token, 1.0))
    store.close()
    return token


def call(hub: HubProcess, key: str, method: str, path: str, body: Any = None, refused: int = 0) -> Any:
    """The answer; None where the call is refused with a status that is expected."""
    headers = {
        "Authorization": f"Bearer {key}",
        "Content-Type": "application/json",
        "Idempotency-Key": str(uuid.uuid4()),
    }
    raw = b"" if body is None else json.dumps(body).encode()
    status, answer, _ = hub.request(method, f"/api/v1{path}", raw, headers)
    assert status < 300 or status == refused, answer
    return json.loads(answer) if status < 300 else None
