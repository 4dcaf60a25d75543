"""The request that shows whether a system lets us in: what is sent, and what is told of each answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from scripted_server import Line, Request, ScriptedServer
from sending import closed_port, make

from connectors import http
from connectors.base import PermanentError

PROBE = {"request": "GET /me?full=1"}
SUCCESS = lambda body, **_: body["data"]["me"]["id"]  # noqa: E731


def told(make: Any, status: int, body: bytes, probe: dict[str, Any], media: str = "application/json") -> list[str]:
    """What is wrong where the server gives this answer."""

    async def script(request: Request, line: Line) -> None:
        await line.answer(status, body, content_type=media)

    with ScriptedServer(script) as server:
        found: list[str] = make(server, probe=probe, auth={"type": "bearer", "token": "a-token"}).check()
    return found


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (200, b"{}", ""),
        (204, b"", ""),
        (401, b"no", "GET /me?full=1: the system answered 401 Unauthorized, expected a 2xx; see auth:"),
        (403, b"no", "GET /me?full=1: the system answered 403 Forbidden, expected a 2xx; see auth:"),
        (404, b"no", "GET /me?full=1: the system answered 404 Not Found, expected a 2xx; see base_url: and probe:"),
        (500, b"no", "GET /me?full=1: the system answered 500 Internal Server Error, expected a 2xx; see base_url: and "
                     "probe:"),
        (200, b"<!doctype html><title>Sign in</title>",
         "GET /me?full=1: the system answered 200 with a page for people, expected one for programs; see base_url: and "
         "probe:"),
    ],
)  # fmt: skip
def test_what_an_answer_tells(make: Any, status: int, body: bytes, sentence: str) -> None:
    assert told(make, status, body, PROBE) == ([sentence] if sentence else [])


@pytest.mark.parametrize(
    ("body", "words"),
    [({"data": {"me": {"id": 7}}}, None), ({"errors": ["FORBIDDEN"]}, "but the rule probe.success: does not hold")],
)
def test_a_200_may_say_that_nobody_was_let_in(make: Any, body: Any, words: str | None) -> None:
    found = told(make, 200, json.dumps(body).encode(), {**PROBE, "success": SUCCESS})
    assert found == [] if words is None else words in found[0]


def test_the_request_has_our_credentials_and_the_body_that_is_written_down(make: Any) -> None:
    came: list[Request] = []

    async def script(request: Request, line: Line) -> None:
        came.append(request)
        await line.answer()

    probe = {"request": "POST /graphql", "body": {"query": "{ me { id } }"}}
    headers = {"X-Shop": "a", "X-Order": "{order_id}"}
    with ScriptedServer(script) as server:
        assert make(server, probe=probe, auth={"type": "bearer", "token": "t"}, headers=headers).check() == []
    [request] = came
    assert (request.method, request.path, json.loads(request.body)) == ("POST", "/graphql", probe["body"])
    assert (request.headers["authorization"], request.headers["x-shop"]) == ("Bearer t", "a")
    assert "x-order" not in request.headers


def test_a_system_without_one_is_only_connected_to(make: Any) -> None:
    with ScriptedServer() as server:
        system = make(server)
        assert (system.check(), system.tries()) == ([], f"a connection to localhost:{server.port}")
        assert server.requests == []
        known = make(server, auth={"type": "bearer", "token": "t"})
        assert known.tries() == f"a connection to localhost:{server.port}; not its credentials, for it has no probe:"
        probed = make(server, probe=PROBE, path="/elsewhere")
        assert probed.tries() == f"a connection to localhost:{server.port}, GET /me?full=1"


def test_one_that_is_away_is_not_asked(make: Any) -> None:
    port = closed_port()
    assert make(f"http://127.0.0.1:{port}", probe=PROBE).check() == [
        "127.0.0.1 refused the connection: nothing listens on that port"
    ]


@pytest.mark.parametrize(
    ("probe", "message"),
    [
        ({"request": "DELETE /me"}, "probe.request: expected a method and a path, such as GET /me"),
        ({"request": "/me"}, "probe.request: expected a method and a path, such as GET /me"),
        ({"request": "GET /me", "body": {}}, "probe.body: GET has no body; write POST in request:, or take it out"),
    ],
)
def test_a_probe_that_cannot_be(probe: dict[str, Any], message: str) -> None:
    with pytest.raises(PermanentError) as raised:
        http.lint({"base_url": "https://erp.example", "probe": probe})
    assert str(raised.value) == message
