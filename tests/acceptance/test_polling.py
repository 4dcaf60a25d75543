"""A hub that polls a shop page by page and is killed again and again; a shop that goes away and comes back; webhooks
that only tell what to fetch."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from broker_servers import BrokerServer
from cluster import Cluster
from hub_process import HubProcess
from receiver import Receiver
from servers import PostgresServer

SYSTEMS = """
till:
  connector: http
  base_url: http://127.0.0.1:{shop}
  event: orders/create
  fetch:
    request: "GET /orders?since={{watermark}}"
    every: 1s
    items: body.orders
    id: item.id
    watermark: {{value: item.updated_at, start: "2026-01-01T00:00:00Z"}}
    paging: {{type: cursor, next: body.next, parameter: after}}
thin:
  connector: http
  base_url: http://127.0.0.1:{shop}
  verify: {{method: token, header: X-Token, secrets: [secret://env/SHOP_SECRET]}}
  event: orders/create
  fetch_back: {{request: "GET /orders/{{id}}"}}
erp:
  connector: http
  base_url: http://127.0.0.1:{erp}
  path: /orders
  idempotency: {{mode: native}}
"""
ROUTES = """
- {{route: polled, from: {{system: till, event: orders/create}}, {rest}}}
- {{route: told, from: {{system: thin, event: orders/create}}, {rest}}}
"""
REST = "map: order-in, order: none, to: [{system: erp, map: order-out}], retry: {attempts: 50, first: 100ms, cap: 1s}"
SIZE, COUNT, FEW = 20, 600, 30


class Shop:
    """Orders in pages of SIZE, the oldest first, a moment each."""

    def __init__(self) -> None:
        self.orders = [self.order(number) for number in range(COUNT)]
        self.single = 0
        self.asked: list[str] = []
        self.port = 0
        self.come()

    def come(self) -> None:
        """Listen, where it did before."""
        self.is_away = False
        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), self._handler())
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def leave(self) -> None:
        self.is_away = True
        self.server.shutdown()
        self.server.server_close()

    @staticmethod
    def order(number: int) -> dict[str, Any]:
        at = f"2026-03-01T{number // 60:02d}:{number % 60:02d}:00Z"
        return {"id": f"P-{number}", "updated_at": at, "lines": [{"name": "hose", "qty": 1}]}

    def answer(self, path: str) -> tuple[int, dict[str, Any]]:
        self.asked.append(path)
        parts = urlsplit(path)
        if parts.path != "/orders":
            self.single += 1
            number = parts.path.rpartition("/")[2]
            return (404, {}) if number == "404" else (200, {"id": f"T-{number}", "lines": [{"name": "hose", "qty": 1}]})
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        found = [each for each in self.orders if each["updated_at"] >= asked["since"]]
        start = int(asked.get("after", "0"))
        time.sleep(0.02)
        more = {"next": str(start + SIZE)} if start + SIZE < len(found) else {}
        return 200, {"orders": found[start : start + SIZE], **more}

    def _handler(shop: Shop) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                if shop.is_away:  # on a connection that was open before
                    self.close_connection = True
                    return
                status, said = shop.answer(self.path)
                body = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


@pytest.fixture
def shop() -> Iterator[Shop]:
    made = Shop()
    yield made
    made.leave()


def project(make_hub: Callable[..., HubProcess], shop: Shop, receiver: Receiver) -> HubProcess:
    return polling(make_hub(), shop, receiver)


def polling(hub: HubProcess, shop: Shop, receiver: Receiver) -> HubProcess:
    hub.write("config/systems.yaml", SYSTEMS.format(shop=shop.port, erp=receiver.port))
    hub.write("routes/orders.yaml", ROUTES.format(rest=REST))
    return hub


def test_a_hub_that_is_killed_while_it_polls_misses_nothing_and_doubles_nothing(
    make_hub: Callable[..., HubProcess], shop: Shop, receiver: Receiver
) -> None:
    hub, chance = project(make_hub, shop, receiver), random.Random(11)
    for _ in range(4):
        hub.start()
        began = len(shop.asked)
        hub.wait_for(lambda began=began: len(shop.asked) > began)  # type: ignore[misc]
        time.sleep(chance.random() * 0.2)
        hub.kill_all()
    assert hub.rows("SELECT count(*) FROM receipts")[0][0] < COUNT, "it was killed while there was something left"
    hub.start()
    hub.wait_for(lambda: hub.rows("SELECT count(*) FROM receipts") == [(COUNT,)])
    shop.orders.append(Shop.order(COUNT))
    hub.wait_for(lambda: f"P-{COUNT}" in receiver.effects)
    hub.wait_until_quiet()
    assert hub.stop() == 0
    assert dict(receiver.effects) == {f"P-{number}": 1 for number in range(COUNT + 1)}
    assert "since=2026-03-01T09%3A5" in shop.asked[-1], "it asks for what is new alone"
    read_at, failing, taken = hub.rows("SELECT read_at, failing_since, taken FROM sources WHERE system = 'till'")[0]
    assert read_at and failing is None and 0 < taken <= COUNT + 1


def test_a_webhook_is_answered_and_what_it_tells_of_arrives(
    make_hub: Callable[..., HubProcess], shop: Shop, receiver: Receiver
) -> None:
    shop.orders.clear()
    hub = project(make_hub, shop, receiver)
    hub.start()
    form = {"Content-Type": "application/x-www-form-urlencoded", "X-Token": "a-secret-of-the-shop"}
    for body in (b"id=7", b"id=7", b"id=404"):
        status, answer, _ = hub.request("POST", "/in/thin", body, form)
        assert (status, json.loads(answer)["status"]) == (202, "accepted")
    assert hub.request("POST", "/in/thin", b"id=8", {**form, "X-Token": "no"})[0] == 401
    hub.wait_for(lambda: "T-7" in receiver.effects and shop.single == 3)
    hub.wait_until_quiet()
    assert dict(receiver.effects) == {"T-7": 1}
    [(dead,)] = hub.rows("SELECT failure FROM deliveries WHERE state = 'dead'")
    assert "what the webhook tells of could not be fetched: the system answered 404 Not Found" in dead
    assert hub.stop() == 0


def goes_away_and_comes_back(hub: HubProcess, shop: Shop, receiver: Receiver) -> None:
    """The shop of a hub that runs; in the meantime an order comes in there."""
    hub.wait_for(lambda: len(receiver.effects) == FEW)
    shop.leave()
    hub.wait_for(lambda: hub.rows("SELECT state FROM circuits WHERE system = 'till'") == [("open",)])
    hub.wait_for(lambda: hub.rows("SELECT failed_probes FROM circuits WHERE system = 'till'")[0][0] > 0)
    shop.orders.append(Shop.order(FEW))
    shop.come()
    hub.wait_for(lambda: f"P-{FEW}" in receiver.effects)
    assert hub.rows("SELECT * FROM circuits") == []
    hub.wait_until_quiet()
    assert dict(receiver.effects) == {f"P-{number}": 1 for number in range(FEW + 1)}
    assert "since=2026-03-01T00%3A2" in shop.asked[-1], "it asks for what is new alone"


def test_a_shop_that_is_away_has_an_open_circuit_and_nothing_of_it_is_missed(
    make_hub: Callable[..., HubProcess], shop: Shop, receiver: Receiver
) -> None:
    del shop.orders[FEW:]
    hub = project(make_hub, shop, receiver)
    hub.start()
    goes_away_and_comes_back(hub, shop, receiver)
    assert hub.stop() == 0


def test_so_it_is_where_the_sweeper_is_a_process_of_its_own(
    tmp_path: Path, shop: Shop, receiver: Receiver, postgres: PostgresServer, redis_server: BrokerServer
) -> None:
    del shop.orders[FEW:]
    cluster = Cluster(tmp_path, receiver, postgres.new_database(), redis_server.url)
    try:
        polling(cluster, shop, receiver)
        cluster.start()
        goes_away_and_comes_back(cluster, shop, receiver)
        assert [cluster.end(process) for process in cluster.processes] == [0, 0, 0]
    finally:
        cluster.close()
        postgres.drop(cluster.store)
