"""The script that a good engineer writes in an afternoon, which the hub is compared with.

FastAPI takes the webhook, checks its HMAC, stores the order in SQLite and enqueues one dramatiq message on Redis; a
worker loads it, maps it, validates it with ``jsonschema``, posts it through one shared ``httpx.Client``, and commits
each change of state. It has no dead letters, no order per key, no replay and no recovery, and it is quick because of
that; what it does, it does with care: WAL, one connection a thread, a compiled validator, Decimal money, a unique key
against repeats, an acknowledgement only after the commit.

    uvicorn benchmarks.afternoon:web        dramatiq benchmarks.afternoon

Settings come from the environment: AFTERNOON_DB, _REDIS, _TARGET, _SYNCHRONOUS (SQLite's), _SCHEMA: ``canonical``, the
one that the hub validates the same document against, or ``light``, the few rules that somebody in a hurry writes.
"""

from __future__ import annotations

import base64
import hmac
import json
import os
import sqlite3
import threading
from decimal import Decimal
from pathlib import Path

import dramatiq
import httpx
import jsonschema
from dramatiq.brokers.redis import RedisBroker
from fastapi import FastAPI, HTTPException, Request
from referencing import Registry, Resource

from benchmarks.byhand import canonical_order
from benchmarks.orders import SECRET

_TABLE = """
create table if not exists orders (
  id integer primary key, webhook_id text not null unique, state text not null, body blob not null, document text,
  answer text)
"""

_HERE = Path(__file__).parent


def _validator() -> jsonschema.Draft202012Validator:
    if os.environ.get("AFTERNOON_SCHEMA") == "light":
        return jsonschema.Draft202012Validator(json.loads((_HERE / "afternoon.schema.json").read_text()))
    folder = _HERE.parent / "schemas" / "canonical" / "v1"
    order, structures = (json.loads((folder / f"{name}.schema.json").read_text()) for name in ("order", "structures"))
    registry = Registry().with_resource(structures["$id"], Resource.from_contents(structures))
    return jsonschema.Draft202012Validator(order, registry=registry)


_local = threading.local()
_valid = _validator()
_client = httpx.Client(timeout=30.0)
dramatiq.set_broker(RedisBroker(url=os.environ["AFTERNOON_REDIS"]))  # type: ignore[no-untyped-call]
web = FastAPI()


def database() -> sqlite3.Connection:
    """The thread's own connection, in autocommit: each statement is a transaction."""
    if not hasattr(_local, "connection"):
        _local.connection = sqlite3.connect(os.environ["AFTERNOON_DB"], timeout=30.0, isolation_level=None)
        _local.connection.execute("pragma journal_mode = wal")
        _local.connection.execute(f"pragma synchronous = {os.environ.get('AFTERNOON_SYNCHRONOUS', 'full')}")
        _local.connection.execute(_TABLE)
    return _local.connection  # type: ignore[no-any-return]


@web.post("/in/webshop", status_code=202)
async def receive(request: Request) -> dict[str, str]:
    """Store the order, then say so."""
    body = await request.body()
    expected = base64.b64encode(hmac.digest(SECRET.encode(), body, "sha256")).decode()
    if not hmac.compare_digest(expected, request.headers.get("X-Shopify-Hmac-SHA256", "")):
        raise HTTPException(401, "bad signature")
    row = database().execute(
        "insert into orders (webhook_id, state, body) values (?, 'received', ?) on conflict do nothing returning id",
        (request.headers["X-Shopify-Webhook-Id"], body),
    ).fetchone()  # fmt: skip
    if row:
        process.send(row[0])
    return {"status": "accepted" if row else "duplicate"}


@dramatiq.actor(max_retries=5)
def process(order_id: int) -> None:
    """Map, validate, post, and keep each state."""
    (body,) = database().execute("select body from orders where id = ?", (order_id,)).fetchone()
    document = canonical_order(json.loads(body, parse_float=Decimal))
    _valid.validate(document)
    text = json.dumps(document)
    database().execute("update orders set state = 'mapped', document = ? where id = ?", (text, order_id))
    answer = _client.post(
        os.environ["AFTERNOON_TARGET"], content=text,
        headers={"Content-Type": "application/json", "Idempotency-Key": str(order_id)},
    )  # fmt: skip
    answer.raise_for_status()
    database().execute("update orders set state = 'delivered', answer = ? where id = ?", (answer.text, order_id))
