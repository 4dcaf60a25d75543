"""The http connector: what every answer, and the lack of one, means."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from scripted_server import Line, Request, Script, ScriptedServer, always
from sending import (
    NATIVE,
    RUDE,
    STATUSES,
    brief,
    byte_by_byte,
    chunked,
    in_ten_seconds,
    make,
    parcel,
    send,
    until_the_end,
)

from connectors._verdicts import Judge
from connectors.base import (
    DELIVERED,
    DOUBT,
    LATER,
    REFUSED,
    Verdict,
)


def test_a_parcel_arrives_with_its_key_its_headers_and_its_bytes(make: Any) -> None:
    with ScriptedServer() as server:
        to = make(server, path="/o/{order_id}?v=2", idempotency=NATIVE, headers={"X-Shop": "s-{key}", "X-Fixed": "1"})
        trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        one = parcel(variables={"order_id": "ä/1 ?"}, headers={"traceparent": trace})
        [verdict] = send(to, one)
        assert brief(verdict) == (DELIVERED, "")
        assert (verdict.status, verdict.response, verdict.response_type) == (201, b'{"id": 7}', "application/json")
        assert verdict.seconds > 0
        [request] = server.requests
        assert (request.method, request.path) == ("POST", "/o/%C3%A4%2F1%20%3F?v=2")
        assert request.body == one.body
        assert request.headers["idempotency-key"] == "d-1.1"
        assert request.headers["traceparent"] == trace
        assert (request.headers["x-shop"], request.headers["x-fixed"]) == ("s-d-1.1", "1")
        assert request.headers["content-type"] == "application/json"
        assert request.headers["host"] == f"localhost:{server.port}"


def test_every_try_carries_the_same_key_and_a_quoted_one_where_asked(make: Any) -> None:
    with ScriptedServer(always(500)) as server:
        to = make(server, idempotency={"mode": "native", "header": "X-Key", "format": "quoted"})
        assert [brief(send(to)[0]) for _ in range(2)] == [(DOUBT, "http_500")] * 2
        assert [request.headers["x-key"] for request in server.requests] == ['"d-1.1"'] * 2


@pytest.mark.parametrize(("status", "kind", "code"), STATUSES, ids=[str(row[0]) for row in STATUSES])
def test_a_status_has_its_verdict(make: Any, status: int, kind: str, code: str) -> None:
    body = b"" if status in (204, 304) else b"{}"
    with ScriptedServer(always(status, body, location="http://localhost:1/")) as server:
        [verdict] = send(make(server))
        assert brief(verdict) == (kind, code)
        assert verdict.status == status
        assert verdict.slow_down == (status == 429)
        assert len(server.requests) == 1, "redirects are not followed and nothing is sent twice"


def test_a_redirect_says_what_to_write_instead(make: Any) -> None:
    with ScriptedServer(always(302, location="http://elsewhere.example/")) as server:
        [verdict] = send(make(server))
        assert "redirects are not followed: write the address it points to into base_url or path" in verdict.detail
        assert "elsewhere" not in verdict.detail
        assert verdict.headers["location"] == "http://elsewhere.example/"


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("value", "low", "high"),
    [("7", 7, 7), ("999999999999999", 86400, 86400), (None, 1, 10), ("Fri, 31 Dec 9999 23:59:59 GMT", 86400, 86400)],
)  # fmt: skip
def test_retry_after_is_taken_in_both_forms_and_capped(
    make: Any, status: int, value: str | None, low: float, high: float
) -> None:
    with ScriptedServer(always(status, retry_after=value or in_ten_seconds())) as server:
        [verdict] = send(make(server))
        assert brief(verdict) == (LATER, f"http_{status}")
        assert verdict.slow_down
        assert verdict.retry_after_seconds is not None
        assert low <= verdict.retry_after_seconds <= high


@pytest.mark.parametrize(
    "value", ["soon", "-5", "1.5", "", "٣", "Mon, 99 Foo 2020", "\x80" * 20, "0", "Wed, 01 Jan 2020 00:00:00 GMT"]
)
def test_a_retry_after_that_is_none_or_over_is_ignored(make: Any, value: str) -> None:
    with ScriptedServer(always(503, retry_after=value.encode("utf-8").decode("latin-1"))) as server:
        [verdict] = send(make(server))
        assert brief(verdict) == (LATER, "http_503")
        assert verdict.retry_after_seconds is None


def test_a_busy_system_is_left_alone_and_what_waits_is_given_back(make: Any) -> None:
    with ScriptedServer(always(503, retry_after="60")) as server:
        to = make(server, limits={"concurrency": 1})
        first, *rest = send(to, *[parcel(number) for number in range(20)])
        assert brief(first) == (LATER, "http_503")
        assert {brief(verdict) for verdict in rest} == {(LATER, "paused")}
        assert all(55 < (verdict.retry_after_seconds or 0) <= 60 for verdict in rest)
        assert brief(send(to)[0]) == (LATER, "paused")
        assert len(server.requests) == 1


def test_a_503_among_good_answers_is_of_its_own_request_and_three_in_a_row_are_of_the_system(make: Any) -> None:
    answers = iter([503, 503, 201, 503, 503, 503, 201])

    async def script(request: Request, line: Line) -> None:
        await line.answer(next(answers))

    with ScriptedServer(script) as server:
        verdicts = send(make(server, limits={"concurrency": 1}), *[parcel(number) for number in range(7)])
        assert [(v.status, v.slow_down) for v in verdicts] == [
            (503, False), (503, False), (201, False), (503, False), (503, False), (503, True), (0, False),
        ]  # fmt: skip
        assert brief(verdicts[-1]) == (LATER, "paused")
        assert len(server.requests) == 6


def test_a_slow_answer_is_doubt_after_the_read_time_out(make: Any) -> None:
    async def silent(request: Request, line: Line) -> None:
        await line.reader.read()

    with ScriptedServer(silent) as server:
        begun = time.monotonic()
        [verdict] = send(make(server))
        assert brief(verdict) == (DOUBT, "read_timeout")
        assert 0.25 < time.monotonic() - begun < 2


def test_an_answer_that_trickles_in_is_doubt_after_the_read_time_out(make: Any) -> None:
    async def trickle(request: Request, line: Line) -> None:
        await line.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            await line.send(b"x")
            await asyncio.sleep(0.02)

    with ScriptedServer(trickle) as server:
        assert brief(send(make(server))[0]) == (DOUBT, "read_timeout")


@pytest.mark.parametrize(("script", "kind", "code"), RUDE, ids=[row[0].__name__ for row in RUDE])
def test_what_dies_after_the_request_went_out_is_in_doubt(make: Any, script: Script, kind: str, code: str) -> None:
    with ScriptedServer(script) as server:
        [verdict] = send(make(server, max_response=100_000, idempotency=NATIVE, timeouts={"connect": 1.0, "read": 5.0}))
        assert verdict.kind == kind
        assert verdict.code.startswith(code)
        assert verdict.detail
        assert len(verdict.response) <= 100_000
        assert len(server.requests) == 1


def test_an_answer_larger_than_the_limit_is_judged_by_its_status_when_it_is_an_error(make: Any) -> None:
    with ScriptedServer(always(400, b"x" * 5000)) as server:
        [verdict] = send(make(server, max_response=1000))
        assert brief(verdict) == (REFUSED, "http_400")
        assert len(verdict.response) == 1000


def test_an_answer_with_a_number_that_nothing_can_hold_has_its_verdict(make: Any) -> None:
    answers = iter([b'{"id": 1e9999999999999999999}', b'{"id": 1e20}'])

    async def script(request: Request, line: Line) -> None:
        await line.answer(200, next(answers))

    with ScriptedServer(script) as server:
        to = make(server, limits={"concurrency": 1}, success=lambda status, body, headers: body["id"] > 0)
        verdicts = send(to, parcel(1), parcel(2))
        assert [brief(verdict) for verdict in verdicts] == [(DOUBT, "error_in_success"), (DELIVERED, "")]


def test_whatever_fails_while_an_answer_is_weighed_its_parcel_is_in_doubt_once(
    make: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*_: Any) -> Verdict:
        raise ArithmeticError("of the answer: s3cret")

    with ScriptedServer() as server:
        to = make(server, limits={"concurrency": 1})
        with monkeypatch.context() as broken:
            broken.setattr(Judge, "of_delivery", fails)
            verdicts = send(to, parcel(1), parcel(2))
        assert [brief(verdict) for verdict in verdicts] == [(DOUBT, "internal")] * 2
        assert verdicts[0].detail == "the answer could not be weighed: ArithmeticError"
        assert "weighing an answer failed" in caplog.text
        assert brief(send(to, parcel(3))[0]) == (DELIVERED, "")
        assert len(server.requests) == 3


@pytest.mark.parametrize("script", [chunked, until_the_end, byte_by_byte])
def test_every_framing_of_an_answer_is_read(make: Any, script: Script) -> None:
    with ScriptedServer(script) as server:
        to = make(server, idempotency=NATIVE, success=lambda status, body, headers: body == {"a": 1})
        assert [brief(send(to)[0]) for _ in range(2)] == [(DELIVERED, "")] * 2
        assert send(to)[0].response == b'{"a": 1}'


def test_a_second_answer_that_nobody_asked_for_is_never_taken_for_the_next(make: Any) -> None:
    async def twice(request: Request, line: Line) -> None:
        if request.connection == 1:
            await line.send(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        else:
            await line.answer(422)

    with ScriptedServer(twice) as server:
        to = make(server)
        assert brief(send(to)[0]) == (DOUBT, "http_500")
        assert brief(send(to)[0]) == (REFUSED, "http_422")
