"""A running hub tells people by webhook and by mail: once when something opens, once when it is over."""

from __future__ import annotations

import json
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import apsw
import pytest
from admin import add_key, call
from hub_process import HubProcess, signed
from receiver import Receiver

ROUND_SECONDS = 2.0


class Ops:
    """Whoever is told: a webhook and a mailbox. ``hooks`` and ``mails`` are what came, in order."""

    def __init__(self) -> None:
        self.hooks, self.mails = [], []  # type: tuple[list[dict[str, Any]], list[str]]
        self._servers = [
            HTTPServer(("127.0.0.1", 0), self._hook()),
            socketserver.TCPServer(("127.0.0.1", 0), self._post()),
        ]
        self.web, self.mail = (server.server_address[1] for server in self._servers)
        self._threads = [threading.Thread(target=server.serve_forever, args=(0.01,)) for server in self._servers]
        for thread in self._threads:
            thread.start()

    @property
    def configuration(self) -> str:
        mail = f"{{server: 127.0.0.1, port: {self.mail}, encryption: none, from: hub@example.com, to: ops@example.com}}"
        return f'notify:\n  - {{webhook: "http://127.0.0.1:{self.web}/"}}\n  - {{email: {mail}}}\n'

    @property
    def told(self) -> tuple[list[str], list[str]]:
        """The types that the webhook heard, and whether each mail says open or over."""
        return [hook["type"] for hook in self.hooks], [mail.split("o2c-hub: ")[1].split(":")[0] for mail in self.mails]

    def close(self) -> None:
        for server, thread in zip(self._servers, self._threads, strict=True):
            server.shutdown()
            server.server_close()
            thread.join()

    def _hook(ops) -> type[BaseHTTPRequestHandler]:
        class Hook(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                ops.hooks.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        return Hook

    def _post(ops) -> type[socketserver.StreamRequestHandler]:
        class Post(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self.wfile.write(b"220 post\r\n")
                while line := self.rfile.readline():
                    if line.upper().startswith(b"DATA"):
                        self.wfile.write(b"354 go\r\n")
                        parts = list(iter(self.rfile.readline, b".\r\n"))
                        ops.mails.append(b"".join(parts).decode())
                    self.wfile.write(b"221 bye\r\n" if line.upper().startswith(b"QUIT") else b"250 ok\r\n")

        return Post


@pytest.fixture
def ops() -> Iterator[Ops]:
    listening = Ops()
    yield listening
    listening.close()


@pytest.fixture
def hub(make_hub: Callable[..., HubProcess], ops: Ops) -> HubProcess:
    made: HubProcess = make_hub()
    made.write("config/hub.yaml", (made.root / "config/hub.yaml").read_text() + ops.configuration)
    return made


def expect(hub: HubProcess, ops: Ops, *told: str) -> None:
    """Both have heard just this, and nothing more in the rounds that follow."""
    states = ["over" if name.endswith("recovered") else "open" for name in told]
    hub.wait_for(lambda: ops.told == (list(told), states), 20)
    time.sleep(2.5 * ROUND_SECONDS)
    assert ops.told == (list(told), states)


def test_dead_letters_are_told_when_they_open_and_when_they_are_over(hub: HubProcess, ops: Ops) -> None:
    key = add_key(hub)
    hub.start()
    for number in range(3):
        hub.request("POST", "/in/shop", b'{"id": ', signed(b'{"id": ', f"w{number}"))
    expect(hub, ops, "hub.dead_letters.opened")
    detail = ops.hooks[0]["data"]["detail"]
    assert detail.startswith("from shop: ") and "dead: parse/truncated" in detail
    hub.kill_all()
    hub.start()
    for (dead,) in hub.rows("SELECT receipt_id FROM receipts WHERE state = 'dead'"):
        call(hub, key, "POST", f"/messages/{dead}/resolve", {"reason": "the shop has sent them again"})
    expect(hub, ops, "hub.dead_letters.opened", "hub.dead_letters.recovered")


def test_a_stopped_system_is_told_when_it_stops_and_when_it_goes_on(
    hub: HubProcess, ops: Ops, receiver: Receiver
) -> None:
    key = add_key(hub)
    hub.start()
    receiver.distrusts = True
    for number in range(5):
        hub.send(f"k{number}-1")
    expect(hub, ops, "hub.switched_off.opened")
    assert "system erp is stopped" in ops.mails[0].replace("=\r\n", "")
    receiver.distrusts = False
    call(hub, key, "POST", "/systems/erp/start", {})
    expect(hub, ops, "hub.switched_off.opened", "hub.switched_off.recovered")
    hub.wait_until_quiet()
    assert set(receiver.effects.values()) == {1} and len(receiver.effects) == 5


def test_a_lane_that_waits_long_for_a_person_is_told(hub: HubProcess, ops: Ops, receiver: Receiver) -> None:
    key = add_key(hub)
    hub.start()
    receiver.unwilling = 1.0
    hub.send("k-1")
    hub.wait_for(lambda: hub.rows("SELECT state FROM deliveries") == [("retrying",)])
    [(delivery,)] = hub.rows("SELECT delivery_id FROM deliveries")
    hub.wait_for(lambda: is_held(hub, key, delivery))
    hub.send("k-2")
    make_older(hub, delivery)
    hub.wait_for(lambda: "hub.blocked_lane.opened" in ops.told[0])
    receiver.unwilling = 0.0
    call(hub, key, "POST", f"/deliveries/{delivery}/release", {"reason": "open again"})
    hub.wait_for(lambda: "hub.blocked_lane.recovered" in ops.told[0])
    hub.wait_until_quiet()
    time.sleep(ROUND_SECONDS)
    assert receiver.order == [("k", 1), ("k", 2)]
    assert [name for name in ops.told[0] if "blocked_lane" in name] == [
        "hub.blocked_lane.opened",
        "hub.blocked_lane.recovered",
    ]
    assert len(ops.mails) == len(ops.hooks)


def is_held(hub: HubProcess, key: str, delivery_id: str) -> bool:
    """Hold it, if it is not under way just now."""
    path, reason = f"/deliveries/{delivery_id}/hold", {"reason": "the ERP is closed this month"}
    return call(hub, key, "POST", path, reason, refused=409) is not None


def make_older(hub: HubProcess, delivery_id: str) -> None:
    """As if it had waited for an hour."""
    db = apsw.Connection(str(hub.root / "data/hub.db"))
    db.set_busy_timeout(10_000)
    db.execute("UPDATE deliveries SET updated_at = updated_at - 3600 WHERE delivery_id = ?", (delivery_id,))
    db.close()
