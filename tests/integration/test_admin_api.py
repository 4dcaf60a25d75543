"""The admin API over a real server and a real store, with many at once."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

import pytest
import uvicorn
from servers import free_port

from connectors.base import DELIVERED, REFUSED, Finished, Parcel, Verdict
from hub.api.application import create_app
from hub.api.gate import LEAST_BODY
from hub.clock import SystemClock
from hub.deploy import deploy
from hub.message import Arrival
from hub.pipeline.engine import Engine
from hub.project import reference_files
from hub.store import Store, api_keys, audit, conservation, open_store
from hub.store.audit import Actor

FILES = {
    "config/hub.yaml": b"time_zone: UTC\n",
    "config/systems.yaml": b"""
shop: {connector: webhook, format: json, verify: {method: none, unsigned: true}}
erp: {connector: http, base_url: "http://127.0.0.1:1/", idempotency: {mode: native}}
""",
    "routes/orders.yaml": b"""
route: orders
from: {system: shop}
map: order-in
key: src.report_id
to: [{system: erp}]
""",
    "mappings/order-in.yaml": b"""
mapping: order-in
version: 1
source: {format: json}
target: {schema: canonical/stock_level}
output:
  report_id: text(src.id)
  as_of: "'2026-03-05T10:00:00Z'"
  report_type: {const: full}
  stock_lines:
    - item: {name: src.id}
      available_quantity: {value: "'1'", unit_code: {const: C62}}
      location_id: {const: main}
""",
}


class Erp:
    """Refuses everything until it knows the item."""

    def __init__(self) -> None:
        self.knows, self.sent = False, []  # type: tuple[bool, list[Parcel]]
        self.lock = threading.Lock()

    def submit(self, parcels: Sequence[Parcel], finished: Finished) -> None:
        with self.lock:
            self.sent += parcels
        verdict = Verdict(DELIVERED, status=200) if self.knows else Verdict(REFUSED, code="http_422", status=422)
        finished([(parcel, verdict) for parcel in parcels])

    def look_up(self, parcel: Parcel) -> Verdict:
        raise AssertionError("nobody asks")

    def check(self) -> list[str]:
        return []

    def close(self) -> None:
        pass


class Workers:
    """Wakes a pool of threads, as the hub's own workers do."""

    def __init__(self) -> None:
        self.pool, self.engine = ThreadPoolExecutor(4), None  # type: tuple[ThreadPoolExecutor, Engine | None]

    def process(self, seqs: Sequence[int]) -> None:
        self.pool.submit(lambda: self.engine and self.engine.process(seqs))

    def pump(self, system: str) -> None:
        self.pool.submit(lambda: self.engine and self.engine.pump(system))


class Hub:
    """A hub with its API on a free port."""

    def __init__(self, folder: Path) -> None:
        schemas = {path: raw for path, raw in reference_files().items() if path.startswith("schemas/")}
        self.store: Store = open_store("sqlite:///hub.db", folder)
        self.clock, self.erp, self.workers = SystemClock(), Erp(), Workers()
        program = deploy(self.store, {**schemas, **FILES}, None, self.clock, Actor("test"))
        self.engine = self.workers.engine = Engine(
            self.store, program, self.clock, self.workers, lambda _: self.erp, "w1",
            run_apart=lambda work, _: self.workers.pool.submit(work), chance=Random(1),
        )  # fmt: skip
        self.keys = {role: self._key(role) for role in api_keys.ROLES}
        self.port = free_port()
        config = uvicorn.Config(
            create_app(self.engine), host="127.0.0.1", port=self.port, log_config=None, lifespan="off"
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run)
        self.thread.start()

    def _key(self, role: str) -> str:
        token = api_keys.new_token()
        self.store.write(lambda db: api_keys.add(db, role, role, role, token, 1.0))
        return token

    def call(self, role: str, method: str, path: str, body: Any = None, key: str = "") -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {"Authorization": f"Bearer {self.keys[role]}", "Content-Type": "application/json"} if role else {}
        if method != "GET":
            headers["Idempotency-Key"] = key or str(uuid.uuid4())
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        kind = answer.headers.get("Content-Type", "")
        return answer.status, json.loads(content) if "json" in kind else content.decode()

    def send(self, *numbers: int) -> None:
        raws = [json.dumps({"id": str(number)}).encode() for number in numbers]
        self.engine.accept([Arrival(self.clock.new_id(), "shop", "", raw, self.clock.epoch()) for raw in raws])

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait, as a client would, by asking again."""
        for _ in range(2000):
            if condition():
                return
            threading.Event().wait(0.005)
        raise AssertionError("it never came to that")

    def count(self, state: str) -> int:
        return int(self.call("viewer", "GET", "/api/v1/counts")[1]["deliveries"][state])

    def close(self) -> None:
        self.server.should_exit = True
        self.thread.join()
        self.workers.pool.shutdown()
        self.engine.close()
        self.store.close()


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    running = Hub(tmp_path)
    running.until(lambda: running.server.started)
    yield running
    running.close()


def test_from_dead_letters_to_a_replay_that_delivers_them_all(hub: Hub) -> None:
    hub.send(*range(200))
    hub.until(lambda: hub.count("dead") == 200)
    _, dead = hub.call("viewer", "GET", "/api/v1/dead-letters")
    [issue] = dead["issues"]
    assert issue["count"] == 200
    hub.erp.knows = True
    status, planned = hub.call(
        "operator", "POST", "/api/v1/replays", {**issue["replay"], "reason": "it knows the item"}
    )
    assert (status, planned["plan"]["replayable"]) == (201, 200)
    status, _ = hub.call(
        "operator", "POST", f"/api/v1/replays/{planned['replay_id']}/start", {"plan_hash": planned["plan_hash"]}
    )
    assert status == 200
    hub.until(lambda: hub.count("delivered") == 200)
    assert hub.call("viewer", "GET", "/api/v1/dead-letters")[1]["total"] == 0
    assert hub.call("viewer", "GET", "/api/v1/counts?proof=true")[1]["adds_up"] is True
    keys = [parcel.key for parcel in hub.erp.sent]
    assert len(keys) == 400 and len(set(keys)) == 200


def test_one_idempotency_key_from_many_threads_acts_once(hub: Hub) -> None:
    hub.send(1)
    hub.until(lambda: hub.count("dead") == 1)
    body = {"select": {"filter": {"state": "dead"}}}

    def ask(_: int) -> int:
        return hub.call("operator", "POST", "/api/v1/replays", body, key="the same")[0]

    with ThreadPoolExecutor(12) as pool:
        statuses = list(pool.map(ask, range(24)))
    assert set(statuses) <= {201, 409} and 201 in statuses
    assert len(hub.call("viewer", "GET", "/api/v1/replays")[1]["items"]) == 1


def test_pages_show_each_message_once_while_a_thousand_new_ones_arrive(hub: Hub) -> None:
    hub.erp.knows = True
    hub.send(*range(400))
    hub.until(lambda: hub.count("delivered") == 400)
    before = {row[0] for row in hub.store.reader().execute("SELECT message_id FROM messages")}
    writer = threading.Thread(target=lambda: [hub.send(*range(n, n + 20)) for n in range(1000, 2000, 20)])
    writer.start()
    seen, path = [], "/api/v1/messages?limit=25"
    while path:
        _, page = hub.call("viewer", "GET", path)
        seen += [item["message_id"] for item in page["items"]]
        path = f"/api/v1/messages?limit=25&cursor={page['next_cursor']}" if "next_cursor" in page else ""
    writer.join()
    assert len(seen) == len(set(seen))
    assert before <= set(seen)


def test_the_audit_holds_though_many_act_at_once(hub: Hub) -> None:
    def act(number: int) -> int:
        step = "pause" if number % 2 else "resume"
        return hub.call("operator", "POST", f"/api/v1/routes/orders/{step}", {"reason": f"turn {number}"})[0]

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(act, range(40)))
    assert set(statuses) <= {200, 409}
    assert hub.call("admin", "GET", "/api/v1/audit/check")[1]["holds"] is True
    assert len(audit.listed(hub.store.reader(), 100)) == 1 + statuses.count(200)  # the first is that of the set


def test_the_page_and_the_metrics_are_served_to_this_machine_without_a_key(hub: Hub) -> None:
    hub.send(1)
    hub.until(lambda: hub.count("dead") == 1)
    status, page = hub.call("", "GET", "/")
    assert status == 200 and "Deliveries 1 = 1 dead" in page and "o2c replay --issue" in page
    assert "o2c_dead_letters 1.0" in hub.call("", "GET", "/metrics")[1]
    assert hub.call("", "GET", "/api/v1/messages")[0] == 401
    assert hub.call("", "GET", "/healthz") == (200, {"status": "ok"})
    with hub.store.snapshot() as db:
        assert conservation.check(db) == []


def begun(hub: Hub, role: str, *fields: str) -> socket.socket:
    """A connection with the head of a request to plan a replay, and nothing of its body."""
    key = [f"Authorization: Bearer {hub.keys[role]}"] if role else []
    head = ["POST /api/v1/replays HTTP/1.1", "Host: hub", "Content-Type: application/json", "Idempotency-Key: 1"]
    line = socket.create_connection(("127.0.0.1", hub.port), timeout=20)
    line.sendall("\r\n".join([*head, *key, *fields, "", ""]).encode())
    return line


def answered(line: socket.socket) -> tuple[int, Any]:
    with line:
        answer = http.client.HTTPResponse(line, method="POST")
        answer.begin()
        return answer.status, json.loads(answer.read())


@pytest.mark.parametrize(("role", "status"), [("", 401), ("viewer", 403), ("operator", 413)])
def test_a_large_body_is_refused_before_anything_of_it_was_read(hub: Hub, role: str, status: int) -> None:
    said = answered(begun(hub, role, f"Content-Length: {LEAST_BODY + 1}"))
    assert (said[0], said[1]["status"]) == (status, status)


def test_a_body_of_unknown_size_is_read_to_the_limit_and_no_further(hub: Hub) -> None:
    line = begun(hub, "operator", "Transfer-Encoding: chunked")
    megabyte = b"100000\r\n" + b" " * 2**20 + b"\r\n"
    for _ in range(LEAST_BODY // 2**20 + 1):
        line.sendall(megabyte)
    status, problem = answered(line)
    assert (status, problem["code"], str(LEAST_BODY) in problem["detail"]) == (413, "too_large", True)


def test_who_may_not_act_is_told_so_whatever_the_body_is(hub: Hub) -> None:
    for role, status in (("", 401), ("viewer", 403), ("operator", 422)):
        line = begun(hub, role, "Content-Length: 3")
        line.sendall(b"{no")
        assert answered(line)[0] == status


def test_a_body_of_nearly_the_limit_is_read(hub: Hub) -> None:
    status, problem = hub.call("operator", "POST", "/api/v1/replays", {"select": {"ids": ["x" * (LEAST_BODY - 100)]}})
    assert (status, problem["code"]) == (404, "not_found")
