"""A hub as its users have it: a project folder, a process, webhooks from outside, a target that is a real server."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import apsw
from receiver import Receiver
from servers import free_port

Process = subprocess.Popen[bytes]

SECRET = "a-secret-of-the-shop"

ORDER_IN = """
mapping: order-in
version: 1
source: {format: json}
target: {schema: canonical/stock_level}
output:
  report_id: text(src.id)
  as_of: "'2026-03-05T10:00:00Z'"
  report_type: {const: full}
  stock_lines:
    each: src.lines
    as: l
    item:
      item: {name: l.name}
      available_quantity: {value: text(l.qty), unit_code: {const: C62}}
      location_id: {const: main}
"""
ORDER_OUT = """
mapping: order-out
version: 1
source: {schema: canonical/stock_level}
target: {format: json}
output:
  reference: src.report_id
  lines: count(src.stock_lines)
"""
SYSTEMS = """
shop:
  connector: webhook
  format: json
  verify: {{header: X-Shopify-Hmac-SHA256, secrets: [secret://env/SHOP_SECRET]}}
  event: header:X-Shopify-Topic
  dedupe: {{id: header:X-Shopify-Webhook-Id}}
erp:
  connector: http
  base_url: http://127.0.0.1:{port}
  path: /orders
  idempotency: {idempotency}
  timeouts: {{connect: 2s, read: 5s}}
  limits: {{concurrency: 16}}
"""
ROUTE = """
route: orders
from: {system: shop, event: orders/create}
map: order-in
key: "first(split(src.report_id, '-'))"
to:
  - {system: erp, map: order-out}
retry: {attempts: 50, first: 100ms, factor: 1.5, cap: 1s}
"""


class HubProcess:
    """A project folder and the hub that runs in it."""

    def __init__(self, root: Path, receiver: Receiver, idempotency: str = "{mode: native}") -> None:
        self.root, self.port = root, free_port()
        self.process: Process | None = None
        self.command = [sys.executable, "-m", "hub.cli"]
        self.environment = {**os.environ, "SHOP_SECRET": SECRET}
        self.write("config/hub.yaml", f'http: {{listen: "127.0.0.1:{self.port}", max_body: 10MB}}\ntime_zone: UTC\n')
        self.write("config/systems.yaml", SYSTEMS.format(port=receiver.port, idempotency=idempotency))
        self.write("routes/orders.yaml", ROUTE)
        self.write("mappings/order-in.yaml", ORDER_IN)
        self.write("mappings/order-out.yaml", ORDER_OUT)

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def start(self, *options: str) -> None:
        self.process = self.spawn("run", *options)
        self.wait_until_ready()

    def spawn(self, *command: str, files: Sequence[int] = (), **environment: str) -> Process:
        """One process of the hub, in a group of its own. It inherits the open ``files``."""
        with (self.root / "hub.log").open("ab") as log:
            return subprocess.Popen(
                [*self.command, *command], cwd=self.root, env=self.environment | environment, stdout=log, stderr=log,
                start_new_session=True, pass_fds=files,
            )  # fmt: skip

    def wait_until_ready(self, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                if self.request("GET", "/readyz")[0] == 200:
                    return
            except OSError:
                time.sleep(0.05)
            assert self.process is None or self.process.poll() is None, self.log
        raise AssertionError(f"the hub does not get ready\n{self.log}")

    @property
    def log(self) -> str:
        return (self.root / "hub.log").read_text(encoding="utf-8", errors="replace")[-5000:]

    def children(self) -> list[int]:
        assert self.process is not None
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in path.read_text().split()]

    def kill_all(self) -> None:
        """kill -9 of the parent and the hub at once."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def kill_what_runs(self) -> None:
        """For the end of a test, however it ended."""
        if self.process is not None and self.process.poll() is None:
            self.kill_all()

    def stop(self) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(40)

    def request(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None, seconds: float = 15
    ) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        try:
            connection.request(method, path, body or None, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read(), dict(answer.getheaders())
        finally:
            connection.close()

    def send(self, reference: str, **headers: str) -> tuple[int, bytes]:
        body = order(reference)
        status, answer, _ = self.request("POST", "/in/shop", body, {**signed(body, reference), **headers})
        return status, answer

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        db = apsw.Connection(str(self.root / "data/hub.db"), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            return list(db.execute(sql, values))
        finally:
            db.close()

    def wait_for(self, done: Callable[[], bool], seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < deadline, f"not within {seconds} s\n{self.log}"
            time.sleep(0.05)

    def wait_until_quiet(self, seconds: float = 60) -> None:
        """Until every receipt is split and every delivery has ended, or waits for a person or behind one that does."""
        open_rows = """SELECT (SELECT count(*) FROM receipts WHERE state = 'received')
            + (SELECT count(*) FROM deliveries WHERE state IN ('delivering', 'retrying', 'unknown')
               OR (state = 'queued' AND due_at IS NOT NULL))"""
        self.wait_for(lambda: self.rows(open_rows) == [(0,)], seconds)


def order(reference: str) -> bytes:
    return json.dumps({"id": reference, "lines": [{"name": "hose", "qty": 1}]}).encode()


def signed(body: bytes, webhook_id: str) -> dict[str, str]:
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256).digest()
    return {
        "Content-Type": "application/json",
        "X-Shopify-Hmac-SHA256": base64.b64encode(digest).decode(),
        "X-Shopify-Topic": "orders/create",
        "X-Shopify-Webhook-Id": webhook_id,
    }
