"""The least a Python web server can do with a webhook: read the body, check its HMAC, answer. Nothing is kept.

    python -m benchmarks.bare --port 9901

The hub's own door is measured against it: what it does before the commit may cost at most 1.3 times this.
"""

from __future__ import annotations

import argparse
import base64
import hmac
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import uvicorn

from benchmarks.orders import SECRET

_KEY = SECRET.encode()
_ACCEPTED = b'{"status":"accepted"}'
_HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(_ACCEPTED)).encode())]

_Event = MutableMapping[str, Any]
_Send = Callable[[_Event], Awaitable[None]]


async def app(scope: _Event, receive: Callable[[], Awaitable[_Event]], send: _Send) -> None:
    """Answer 202 to a body that is signed, 401 to any other."""
    if scope["type"] != "http":
        return
    event = await receive()
    body = event["body"]
    while event.get("more_body"):
        event = await receive()
        body += event["body"]
    signature = next((value for name, value in scope["headers"] if name == b"x-shopify-hmac-sha256"), b"")
    good = hmac.compare_digest(base64.b64encode(hmac.digest(_KEY, body, "sha256")), signature)
    await send({"type": "http.response.start", "status": 202 if good else 401, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": _ACCEPTED})


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description="A bare ASGI callable behind uvicorn")
    arguments.add_argument("--port", type=int, required=True)
    uvicorn.run(
        app, port=arguments.parse_args().port, loop="uvloop", http="httptools", log_level="warning", access_log=False,
        lifespan="off", ws="none",
    )  # fmt: skip
