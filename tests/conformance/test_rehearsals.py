"""A rehearsal, for tests of routes, says what a connector truly sends, and judges as it truly judges."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from scripted_server import Line, Request, ScriptedServer
from sending import LOOKUP, NATIVE, brief, make, parcel, send

from connectors import file, http, sftp
from connectors.base import ABSENT, FOUND, LATER, REFUSED, Said

CONFIGS: list[dict[str, Any]] = [
    {},
    {"path": "/orders/{order_id}?a={key}", "method": "PUT", "idempotency": NATIVE},
    {"headers": {"X-Shop": "a", "X-Order": "{order_id}"}, "auth": {"type": "basic", "user": "u", "password": "p"}},
    {"auth": {"type": "key", "key": "k", "query": "apikey"}, "content_type": "application/vnd.x+json"},
    {"auth": {"type": "bearer", "token": "t"}, "method": "DELETE", "idempotency": {**NATIVE, "format": "quoted"}},
    {"auth": {"type": "hmac", "secret": "s", "signed": "{method}{path}{key}{body}"}},
]
ANSWERS = [
    (200, b"{}"), (201, b'{"id": 7}'), (400, b"no"), (401, b""), (409, b""), (422, b"{}"), (429, b""), (500, b"{}"),
    (503, b""),
]  # fmt: skip


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: " ".join(config) or "plain")
def test_the_request_is_the_one_on_the_wire(make: Any, config: dict[str, Any]) -> None:
    came: list[Request] = []

    async def script(request: Request, line: Line) -> None:
        came.append(request)
        await line.answer()

    sent = parcel(variables={"order_id": "A 1/2"}, headers={"traceparent": "00-a-b-01"})
    with ScriptedServer(script) as server:
        send(make(server, **config), sent)
        rehearsed = http.rehearsal({"base_url": server.url, **config}).send(sent, Said(), 0.0).request
    [wire] = came
    assert rehearsed is not None
    assert rehearsed.line == f"{wire.method} {wire.path}"
    assert {name.lower(): value for name, value in rehearsed.headers.items()} == wire.headers
    assert rehearsed.body == wire.body


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: str(answer[0]))
def test_an_answer_is_judged_as_on_the_wire(make: Any, answer: tuple[int, bytes]) -> None:
    rules = {
        "success": lambda status, body, headers: status < 300 and body != {}, "reference": lambda body, **_: body["id"],
        "permanent": lambda status, body, headers: status == 500 and body == {},
    }  # fmt: skip
    status, body = answer

    async def script(request: Request, line: Line) -> None:
        await line.answer(status, body)

    with ScriptedServer(script) as server:
        [truly] = send(make(server, **rules), parcel())
    rehearsal = http.rehearsal({"base_url": "https://host.example", **rules})
    said = Said(status, {"Content-Type": "application/json"}, body)
    verdict = rehearsal.send(parcel(), said, 0.0).verdict
    assert (verdict.kind, verdict.code, verdict.detail, verdict.status, verdict.response, verdict.reference) == (
        truly.kind, truly.code, truly.detail, truly.status, truly.response, truly.reference,
    )  # fmt: skip


def test_a_look_up_is_asked_and_judged_as_on_the_wire(make: Any) -> None:
    rehearsal = http.rehearsal({"base_url": "https://host.example/api", "idempotency": LOOKUP})
    asked = rehearsal.look_up(parcel(), Said(200), 0.0)
    assert asked.request is not None
    assert (asked.request.line, asked.verdict.kind) == ("GET /api/sales?ref=d-1.1", FOUND)
    assert rehearsal.look_up(parcel(), Said(404), 0.0).verdict.kind == ABSENT
    assert rehearsal.look_up(parcel(), None, 0.0).verdict.kind == ABSENT
    assert rehearsal.look_up(parcel(), Said(fails="timeout"), 0.0).verdict.kind == LATER


def test_what_cannot_be_made_is_refused_as_it_is_when_it_is_sent(make: Any) -> None:
    config = {"path": "/orders/{nothing}"}
    truly = send(make("http://127.0.0.1:1", **config), parcel())
    rehearsed = http.rehearsal({"base_url": "http://127.0.0.1:1", **config}).send(parcel(), Said(), 0.0)
    assert [brief(rehearsed.verdict)] == [brief(verdict) for verdict in truly] == [(REFUSED, "missing_variable")]
    assert rehearsed.request is None


def test_a_file_has_the_name_that_it_gets(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    config = {"root": str(tmp_path), "send": {"folder": "out", "name": "{order_id}-{key}.{extension}"}}
    sent = parcel(variables={"order_id": "A/1"})
    to = file.destination(config)
    send(to, sent)
    to.close()
    rehearsed = file.rehearsal(config).send(sent, Said(), 0.0).request
    assert rehearsed is not None
    assert [f"out/{path.name}" for path in (tmp_path / "out").iterdir()] == [rehearsed.line]
    assert rehearsed.body == sent.body
    assert sftp.rehearsal(config).send(sent, Said(), 0.0).request == rehearsed
    assert file.rehearsal(config).send(sent, Said(fails="connect"), 0.0).verdict.kind == LATER
