"""The stub web shop: posts its day of signed webhooks to the hub, and can be asked what it has sent."""

from __future__ import annotations

import base64
import hmac
import http.client
import time
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from hub.demo.orders import ShopEvent
from hub.demo.stubs import Stub

_TRIES, _PATIENCE_SECONDS = 5, 1.0


@dataclass(slots=True)
class Posted:
    """How the hub answered: accepted, duplicate, refused, or (after several tries) not at all."""

    answers: Counter[str] = field(default_factory=Counter)

    @property
    def accepted(self) -> int:
        return self.answers["accepted"]


class Shop:
    """One shop with one secret. ``post`` waits for the hub's answer, as a shop does, and repeats where none comes."""

    def __init__(self, hub_url: str, secret: str) -> None:
        self._secret = secret.encode()
        self._host = urlsplit(hub_url).netloc
        self._connection = http.client.HTTPConnection(self._host, timeout=10)
        self.posted = Posted()
        self.server = Stub(
            "webshop", lambda document: (405, {"error": "the shop takes no orders"}), lambda document: ""
        )

    def post(self, event: ShopEvent) -> None:
        """One event; twice where the day says that the shop repeats it."""
        self._post(event)
        if event.repeat:
            self._post(event)

    def close(self) -> None:
        self._connection.close()
        self.server.close()

    def _post(self, event: ShopEvent) -> None:
        for _ in range(_TRIES):
            status = self._try(event)
            if status and status < 500 and status != 429:
                break
            time.sleep(_PATIENCE_SECONDS)
        self.posted.answers[_NAMES.get(status, f"answered {status}" if status else "not answered")] += 1

    def _try(self, event: ShopEvent) -> int:
        """The status of one try; 0 where the connection broke."""
        try:
            self._connection.request("POST", "/in/webshop", event.body, self._headers(event))
            answer = self._connection.getresponse()
            answer.read()
            return answer.status
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return 0

    def _headers(self, event: ShopEvent) -> dict[str, str]:
        secret = b"somebody else's secret" if event.forged else self._secret
        signature = base64.b64encode(hmac.digest(secret, event.body, "sha256")).decode()
        return {
            "Content-Type": "application/json",
            "X-Shopify-Topic": event.event,
            "X-Shopify-Hmac-SHA256": signature,
            "X-Shopify-Webhook-Id": event.webhook_id,
        }


_NAMES = {202: "accepted", 200: "duplicate", 401: "refused"}
