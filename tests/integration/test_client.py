"""The client of the admin API against servers that answer, refuse, break off, or are no hub at all."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from servers import free_port

from hub.client import HubClient, client_for
from hub.errors import Conflict, HubAway, HubError, NotFound, UsageError

Serve = Callable[[int, Any, str], HubClient]


@pytest.fixture
def seen() -> list[tuple[str, str, dict[str, str], bytes]]:
    return []


@pytest.fixture
def serve(seen: list[Any]) -> Iterator[Serve]:
    """Starts a server that gives one answer to everything."""
    servers: list[ThreadingHTTPServer] = []

    def start(status: int, body: Any, content_type: str = "application/json") -> HubClient:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                size = int(self.headers.get("Content-Length") or 0)
                seen.append((self.command, self.path, dict(self.headers), self.rfile.read(size)))
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            do_POST = do_DELETE = do_GET

            def log_message(self, format: str, *arguments: Any) -> None:
                """Nothing is printed."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return HubClient(f"http://127.0.0.1:{server.server_address[1]}", "o2c_key", timeout_seconds=2)

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_numbers_come_back_exact(serve: Serve) -> None:
    client = serve(200, b'{"total": 12345678901234567.10}', "application/json")
    assert client.get("/counts") == {"total": Decimal("12345678901234567.10")}
    assert serve(200, b"1e9999999999999999999").get("/counts") == "1e9999999999999999999", "no decimal can hold it"


def test_parameters_are_encoded_and_empty_ones_left_out(serve: Serve, seen: list[Any]) -> None:
    serve(200, {}, "application/json").get("/messages", key=["order:1&2", "x:ü"], cursor=None, limit=5)
    assert seen[0][1] == "/api/v1/messages?key=order%3A1%262&key=x%3A%C3%BC&limit=5"


def test_the_key_goes_along_and_every_act_has_its_own_idempotency_key(serve: Serve, seen: list[Any]) -> None:
    client = serve(200, {}, "application/json")
    client.get("/counts")
    client.post("/deployments")
    client.post("/deployments", {"reason": "x"})
    headers = [entry[2] for entry in seen]
    assert {entry["Authorization"] for entry in headers} == {"Bearer o2c_key"}
    keys = [entry.get("Idempotency-Key") for entry in headers]
    assert keys[0] is None and keys[1] and keys[1] != keys[2]
    assert [entry[3] for entry in seen[1:]] == [b"{}", b'{"reason":"x"}']


@pytest.mark.parametrize(
    ("status", "problem", "kind", "text"),
    [
        (404, {"detail": "there is no message x"}, NotFound, "there is no message x"),
        (409, {"detail": "plan is stale", "hint": "plan again"}, Conflict, "plan is stale; plan again"),
        (400, {"title": "Bad request"}, UsageError, "Bad request"),
        (
            422,
            {"detail": "not valid", "errors": [{"pointer": "/limit", "detail": "expected 1 to 500"}]},
            UsageError,
            "not valid\n  /limit: expected 1 to 500",
        ),
        (401, {"detail": "no such key"}, HubError, "no such key; set O2C_API_KEY"),
        (403, {"detail": "this needs admin"}, HubError, "this needs admin"),
        (500, {}, HubError, "the hub answered 500"),
        (503, {"detail": "the disk is full"}, HubError, "the disk is full"),
    ],
)
def test_a_problem_becomes_the_fitting_error(
    serve: Serve, status: int, problem: dict[str, Any], kind: type[Exception], text: str
) -> None:
    with pytest.raises(kind) as caught:
        serve(status, problem, "application/problem+json").get("/x")
    assert str(caught.value).startswith(text)
    assert "o2c_key" not in str(caught.value)


def test_a_page_that_is_no_problem_is_shown_in_part(serve: Serve) -> None:
    with pytest.raises(HubError, match="the hub answered 502: <html>"):
        serve(502, b"<html>Bad gateway" + b"x" * 9999, "text/html").get("/x")


def test_nobody_there_is_told_with_the_address() -> None:
    port = free_port()
    with pytest.raises(HubAway, match=rf"no hub answers at http://127.0.0.1:{port} \(connection refused\)"):
        HubClient(f"http://127.0.0.1:{port}").get("/counts")
    assert HubClient(f"http://127.0.0.1:{port}").is_up() is False


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "speaks no HTTP"),
        (b"", "speaks no HTTP|connection"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "speaks no HTTP|connection"),
    ],
)
def test_something_else_at_the_address_is_no_hub(answer: bytes, words: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_answer_once, args=(listener, answer), daemon=True).start()
        with pytest.raises(HubAway, match=words):
            HubClient(f"http://127.0.0.1:{listener.getsockname()[1]}", timeout_seconds=2).get("/x")


def _answer_once(listener: socket.socket, answer: bytes) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(answer)


def test_a_silent_server_is_given_up_and_what_was_asked_is_in_doubt() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = HubClient(f"http://127.0.0.1:{listener.getsockname()[1]}", timeout_seconds=0.2)
        with pytest.raises(HubAway, match=r"what listens at .* has not answered within 0\.2 s$"):
            client.get("/x")
        with pytest.raises(HubAway, match="what it was asked: look before you ask again"):
            client.post("/x")


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("O2C_URL", "O2C_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_the_environment_wins_over_the_project(elsewhere: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".o2c").mkdir()
    (tmp_path / ".o2c/local.json").write_text('{"url": "http://127.0.0.1:1", "api_key": "o2c_a"}')
    assert client_for(tmp_path) == HubClient("http://127.0.0.1:1", "o2c_a")
    elsewhere.setenv("O2C_URL", "https://hub.example/")
    elsewhere.setenv("O2C_API_KEY", "o2c_b")
    assert client_for(tmp_path) == HubClient("https://hub.example", "o2c_b")


@pytest.mark.parametrize("text", ["{", '{"url": 1}', "[]", "\x00"])
def test_a_broken_local_file_says_what_it_should_hold(elsewhere: pytest.MonkeyPatch, tmp_path: Path, text: str) -> None:
    (tmp_path / ".o2c").mkdir()
    (tmp_path / ".o2c/local.json").write_text(text)
    with pytest.raises(UsageError, match=r'local\.json: expected \{"url"'):
        client_for(tmp_path)


@pytest.mark.parametrize(
    "url", ["hub.example", "ftp://hub.example", "http://", "127.0.0.1:8420", "http://h:x", "http://[", "http://hüb:1"]
)
def test_an_address_that_is_none_is_refused(elsewhere: pytest.MonkeyPatch, url: str) -> None:
    elsewhere.setenv("O2C_URL", url)
    with pytest.raises(UsageError, match="O2C_URL: expected an address such as"):
        client_for(None)


def test_where_nothing_says_where_the_hub_is_the_error_does(elsewhere: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="set O2C_URL and O2C_API_KEY, or make a project with: o2c init"):
        client_for(tmp_path)
