"""One order to targets that each want to be spoken to in another way: every kind of authentication, rules, formats."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from hub_process import HubProcess
from receiver import Receiver


@dataclass(frozen=True)
class Seen:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Desk:
    """A server that writes down every request; ``answers`` are used up by path, then 200."""

    def __init__(self) -> None:
        self.seen: dict[str, list[Seen]] = defaultdict(list)
        self.answers: dict[str, list[tuple[int, Any]]] = defaultdict(list)
        desk = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                name = self.path.split("/")[1].partition("?")[0]
                headers = {key.lower(): value for key, value in self.headers.items()}
                desk.seen[name].append(Seen(self.command, self.path, headers, body))
                waiting = desk.answers[name]
                status, said = waiting.pop(0) if waiting else (200, {"ok": True})
                raw = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            do_PUT = do_PATCH = do_GET = do_POST

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


SYSTEMS = """
basic: {{connector: http, base_url: "{url}/basic", path: "/orders/{{stock_id}}", method: PUT,
         auth: {{type: basic, user: me, password: secret://env/WORD}}, headers: {{X-Report: "{{stock_id}}"}}}}
header: {{connector: http, base_url: "{url}/header", auth: {{type: key, key: secret://env/WORD, header: X-Key}}}}
query: {{connector: http, base_url: "{url}/query", path: "/o?a=1",
         auth: {{type: key, key: secret://env/WORD, query: key}}}}
bearer: {{connector: http, base_url: "{url}/bearer", auth: {{type: bearer, token: secret://env/WORD}}, format: csv}}
oauth2: {{connector: http, base_url: "{url}/oauth2",
          auth: {{type: oauth2, token_url: "{url}/token", client_id: me,
                 client_secret: secret://env/WORD, scope: a b}}}}
signed: {{connector: http, base_url: "{url}/signed",
          auth: {{type: hmac, secret: secret://env/WORD, header: X-Sign, prefix: "sha256=", encoding: hex}}}}
hooks: {{connector: http, base_url: "{url}/hooks",
         auth: {{type: hmac, style: standard-webhooks, secret: secret://env/HOOK}}}}
picky: {{connector: http, base_url: "{url}/picky", idempotency: {{mode: native}},
         success: "status == 200 and body.ok == true", permanent: "status == 500 and has(body.field)"}}
asked: {{connector: http, base_url: "{url}/asked", path: /new,
         idempotency: {{mode: lookup, request: "GET /find?ref={{key}}", found: "count(body) > 0", settle: 1s}}}}
"""
TARGETS = ("basic", "header", "query", "bearer", "oauth2", "signed", "hooks", "picky", "asked")
ROUTE = """
route: orders
from: {system: shop, event: orders/create}
map: order-in
to:
"""
WORD = "a-word-nobody-knows"


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    desk = Desk()
    desk.answers["token"] = [(200, {"access_token": "t-1", "expires_in": 3600})] * 3
    desk.answers["oauth2"] = [(401, {"error": "expired"})]
    desk.answers["picky"] = [(200, {"ok": False}), (200, {"ok": True})]
    desk.answers["asked"] = [(500, {"error": "lost"}), (200, [{"ref": "there"}])]
    yield desk
    desk.close()


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, desk: Desk) -> Iterator[HubProcess]:
    receiver = Receiver()
    hub = HubProcess(tmp_path_factory.mktemp("hub"), receiver)
    systems = (hub.root / "config/systems.yaml").read_text() + SYSTEMS.format(url=desk.url)
    hub.write("config/systems.yaml", systems)
    route = ROUTE + "".join(f"  - {{system: {name}, map: order-out}}\n" for name in TARGETS)
    hub.write("routes/orders.yaml", route + "retry: {attempts: 5, first: 100ms, factor: 1.5, cap: 1s}\n")
    mapping = (hub.root / "mappings/order-out.yaml").read_text()
    hub.write("mappings/order-out.yaml", mapping.replace("target: {format: json}\n", ""))
    hub.environment |= {"WORD": WORD, "HOOK": "whsec_" + base64.b64encode(WORD.encode()).decode()}
    hub.start()
    assert hub.send("o-1")[0] == 202
    hub.wait_for(lambda: hub.rows("SELECT DISTINCT state FROM deliveries") == [("delivered",)], 20)
    yield hub
    assert hub.stop() == 0
    receiver.close()


def only(desk: Desk, name: str) -> Seen:
    [seen] = desk.seen[name]
    return seen


def test_basic_credentials_a_filled_path_another_method_and_headers(hub: HubProcess, desk: Desk) -> None:
    seen = only(desk, "basic")
    assert (seen.method, seen.path, seen.headers["x-report"]) == ("PUT", "/basic/orders/main", "main")
    assert seen.headers["authorization"] == "Basic " + base64.b64encode(f"me:{WORD}".encode()).decode()
    assert json.loads(seen.body) == {"reference": "o-1", "lines": 1}


def test_a_key_in_a_header_or_in_the_query(hub: HubProcess, desk: Desk) -> None:
    assert only(desk, "header").headers["x-key"] == WORD
    assert only(desk, "query").path == f"/query/o?a=1&key={WORD}"


def test_a_bearer_token_and_another_format(hub: HubProcess, desk: Desk) -> None:
    seen = only(desk, "bearer")
    assert seen.headers["authorization"] == f"Bearer {WORD}"
    assert seen.headers["content-type"].startswith("text/csv")
    assert seen.body == b"reference,lines\r\no-1,1\r\n"


def test_a_token_is_fetched_and_fetched_anew_when_it_is_refused(hub: HubProcess, desk: Desk) -> None:
    assert [seen.headers["authorization"] for seen in desk.seen["oauth2"]] == ["Bearer t-1", "Bearer t-1"]
    asked = desk.seen["token"]
    assert len(asked) == 2
    assert b"grant_type=client_credentials" in asked[0].body
    assert b"scope=a" in asked[0].body
    assert asked[0].headers["authorization"] == "Basic " + base64.b64encode(f"me:{WORD}".encode()).decode()


def test_a_signature_over_the_bytes_that_arrive(hub: HubProcess, desk: Desk) -> None:
    seen = only(desk, "signed")
    assert seen.headers["x-sign"] == "sha256=" + hmac.new(WORD.encode(), seen.body, hashlib.sha256).hexdigest()
    hook = only(desk, "hooks")
    covered = f"{hook.headers['webhook-id']}.{hook.headers['webhook-timestamp']}.".encode() + hook.body
    expected = base64.b64encode(hmac.new(WORD.encode(), covered, hashlib.sha256).digest()).decode()
    assert hook.headers["webhook-signature"] == f"v1,{expected}"


def test_an_error_within_a_200_is_doubt_and_sent_again_with_the_same_key_and_bytes(hub: HubProcess, desk: Desk) -> None:
    first, second = desk.seen["picky"]
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert first.body == second.body


def test_in_doubt_the_target_is_asked_before_anything_is_sent_again(hub: HubProcess, desk: Desk) -> None:
    sent, asked = desk.seen["asked"]
    assert (sent.method, sent.path, asked.method) == ("POST", "/asked/new", "GET")
    assert asked.path == f"/asked/find?ref={sent.headers['idempotency-key']}"
    tries = "SELECT a.outcome FROM attempts a JOIN deliveries d USING (delivery_id) WHERE d.system = 'asked'"
    assert hub.rows(f"{tries} ORDER BY a.number") == [("unknown",), ("looked_up: delivered",)]


def test_what_a_permanent_rule_says_is_not_tried_again(hub: HubProcess, desk: Desk) -> None:
    desk.answers["picky"] = [(500, {"field": "quantity"})]
    before = len(desk.seen["picky"])
    assert hub.send("o-2")[0] == 202
    dead = "SELECT failure ->> 'code' FROM deliveries WHERE system = 'picky' AND state = 'dead'"
    hub.wait_for(lambda: hub.rows(dead) == [("http_500",)], 20)
    assert len(desk.seen["picky"]) == before + 1


def test_no_secret_is_in_the_log(hub: HubProcess) -> None:
    assert WORD not in (hub.root / "hub.log").read_text()
