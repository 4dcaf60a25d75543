"""The http connector against a real server that misbehaves in every way a delivery can meet."""

from __future__ import annotations

import asyncio
import datetime
import gc
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from scripted_server import Line, Request, Script, ScriptedServer, always

from connectors import _sender, http
from connectors.base import (
    ABSENT,
    DELIVERED,
    DOUBT,
    FOUND,
    LATER,
    REFUSED,
    STOPPED,
    Destination,
    Parcel,
    PermanentError,
    Verdict,
)

NATIVE, LOOKUP = {"mode": "native"}, {"mode": "lookup", "request": "GET /sales?ref={key}"}
FAST = {"connect": 1.0, "read": 0.3}


def parcel(number: int = 1, **more: Any) -> Parcel:
    return Parcel(f"d-{number}", f"d-{number}.1", b'{"order": 1}', **more)


class Collected:
    """The verdicts that came, and in which batches."""

    def __init__(self, expected: int) -> None:
        self.batches: list[list[tuple[Parcel, Verdict]]] = []
        self._expected, self._complete, self._threads = expected, threading.Event(), set[int]()

    def __call__(self, batch: list[tuple[Parcel, Verdict]]) -> None:
        self.batches.append(batch)
        self._threads.add(threading.get_ident())
        if len(self.pairs) >= self._expected:
            self._complete.set()

    @property
    def pairs(self) -> list[tuple[Parcel, Verdict]]:
        return [pair for batch in self.batches for pair in batch]

    def wait(self) -> list[Verdict]:
        assert self._complete.wait(20), f"{len(self.pairs)} of {self._expected} verdicts came"
        assert threading.get_ident() not in self._threads
        return [verdict for _, verdict in self.pairs]


@pytest.fixture
def make() -> Iterator[Callable[..., http.HttpDestination]]:
    made: list[http.HttpDestination] = []

    def build(server: ScriptedServer | str, **config: Any) -> http.HttpDestination:
        url = server if isinstance(server, str) else server.url
        made.append(http.destination({"base_url": url, "timeouts": FAST, **config}))
        return made[-1]

    yield build
    for each in made:
        each.close()


def send(to: Destination, *parcels: Parcel) -> list[Verdict]:
    collected = Collected(len(parcels) or 1)
    to.submit(parcels or (parcel(),), collected)
    return collected.wait()


def brief(verdict: Verdict) -> tuple[str, str]:
    return verdict.kind, verdict.code


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


STATUSES = [
    (200, DELIVERED, ""), (202, DELIVERED, ""), (204, DELIVERED, ""),
    (301, REFUSED, "http_301"), (302, REFUSED, "http_302"), (304, REFUSED, "http_304"), (307, REFUSED, "http_307"),
    (400, REFUSED, "http_400"), (401, STOPPED, "credentials_refused"), (403, STOPPED, "access_denied"),
    (404, REFUSED, "http_404"), (405, REFUSED, "http_405"), (408, DOUBT, "http_408"), (409, REFUSED, "http_409"),
    (410, STOPPED, "gone"), (413, REFUSED, "http_413"), (415, REFUSED, "http_415"), (422, REFUSED, "http_422"),
    (425, LATER, "http_425"), (429, LATER, "http_429"), (500, DOUBT, "http_500"), (501, REFUSED, "http_501"),
    (502, DOUBT, "http_502"), (503, LATER, "http_503"), (504, DOUBT, "http_504"), (599, DOUBT, "http_599"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "kind", "code"), STATUSES, ids=[str(row[0]) for row in STATUSES])
def test_a_status_has_its_verdict(make: Any, status: int, kind: str, code: str) -> None:
    body = b"" if status in (204, 304) else b"{}"
    with ScriptedServer(always(status, body, location="http://localhost:1/")) as server:
        [verdict] = send(make(server))
        assert brief(verdict) == (kind, code)
        assert verdict.status == status
        assert verdict.slow_down == (status in (429, 503))
        assert len(server.requests) == 1, "redirects are not followed and nothing is sent twice"


def test_a_redirect_says_what_to_write_instead(make: Any) -> None:
    with ScriptedServer(always(302, location="http://elsewhere.example/")) as server:
        [verdict] = send(make(server))
        assert "redirects are not followed: write the address it points to into base_url or path" in verdict.detail
        assert "elsewhere" not in verdict.detail
        assert verdict.headers["location"] == "http://elsewhere.example/"


def in_ten_seconds() -> str:
    return format_datetime(datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=10), usegmt=True)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("value", "low", "high"),
    [("7", 7, 7), ("0", 0, 0), ("999999999999999", 86400, 86400), (in_ten_seconds(), 0, 10),
     ("Wed, 01 Jan 2020 00:00:00 GMT", 0, 0), ("Fri, 31 Dec 9999 23:59:59 GMT", 86400, 86400)],
)  # fmt: skip
def test_retry_after_is_taken_in_both_forms_and_capped(
    make: Any, status: int, value: str, low: float, high: float
) -> None:
    with ScriptedServer(always(status, retry_after=value)) as server:
        [verdict] = send(make(server))
        assert brief(verdict) == (LATER, f"http_{status}")
        assert verdict.slow_down
        assert verdict.retry_after_seconds is not None
        assert low <= verdict.retry_after_seconds <= high


@pytest.mark.parametrize("value", ["soon", "-5", "1.5", "", "٣", "Mon, 99 Foo 2020", "\x80" * 20])
def test_a_retry_after_that_is_none_is_ignored(make: Any, value: str) -> None:
    with ScriptedServer(always(503, retry_after=value.encode("utf-8").decode("latin-1"))) as server:
        [verdict] = send(make(server))
        assert brief(verdict) == (LATER, "http_503")
        assert verdict.retry_after_seconds is None or verdict.retry_after_seconds == 0.0


def test_a_busy_system_is_left_alone_and_what_waits_is_given_back(make: Any) -> None:
    with ScriptedServer(always(503, retry_after="60")) as server:
        to = make(server, limits={"concurrency": 1})
        first, *rest = send(to, *[parcel(number) for number in range(20)])
        assert brief(first) == (LATER, "http_503")
        assert {brief(verdict) for verdict in rest} == {(LATER, "paused")}
        assert all(55 < (verdict.retry_after_seconds or 0) <= 60 for verdict in rest)
        assert brief(send(to)[0]) == (LATER, "paused")
        assert len(server.requests) == 1


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


async def closes(request: Request, line: Line) -> None:
    line.close()


async def resets(request: Request, line: Line) -> None:
    line.reset()


async def half_a_head(request: Request, line: Line) -> None:
    await line.send(b"HTTP/1.1 200 OK\r\nContent-")
    line.close()


async def half_a_body(request: Request, line: Line) -> None:
    await line.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    line.close()


async def half_a_chunk(request: Request, line: Line) -> None:
    await line.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab")
    line.reset()


async def garbage(request: Request, line: Line) -> None:
    await line.send(b"SSH-2.0-OpenSSH_9.2\r\n")


async def two_lengths(request: Request, line: Line) -> None:
    await line.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab")


async def upgrades(request: Request, line: Line) -> None:
    await line.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")


async def endless_head(request: Request, line: Line) -> None:
    await line.send(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while line.is_open:
        await line.send(b"a" * 10_000)


async def endless_body(request: Request, line: Line) -> None:
    await line.send(b"HTTP/1.1 200 OK\r\n\r\n")
    while line.is_open:
        await line.send(b"a" * 10_000)


async def endless_chunks(request: Request, line: Line) -> None:
    await line.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while line.is_open:
        await line.send(b"1;" + b"e" * 1000 + b"\r\na\r\n")


async def two_megabytes(request: Request, line: Line) -> None:
    await line.answer(200, b"a" * 2_000_000)


RUDE = [
    (closes, DOUBT, "connection_closed"), (resets, DOUBT, "connection_"), (half_a_head, DOUBT, "connection_closed"),
    (half_a_body, DOUBT, "answer_cut"), (half_a_chunk, DOUBT, "answer_cut"), (garbage, DOUBT, "not_http"),
    (two_lengths, DOUBT, "not_http"), (upgrades, DOUBT, "not_http"), (endless_head, DOUBT, "answer_head_too_large"),
    (endless_body, DOUBT, "response_too_large"), (endless_chunks, DOUBT, "response_too_large"),
    (two_megabytes, DOUBT, "response_too_large"),
]  # fmt: skip


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


async def chunked(request: Request, line: Line) -> None:
    await line.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n")
    await line.send(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n4\r\n{"a"\r\n')
    await line.send(b"4;ext=1\r\n: 1}\r\n0\r\nX-Trailer: t\r\n\r\n")


async def until_the_end(request: Request, line: Line) -> None:
    await line.send(b'HTTP/1.0 200 OK\r\n\r\n{"a": 1}')
    line.close()


async def byte_by_byte(request: Request, line: Line) -> None:
    for byte in b'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n{"a": 1}':
        await line.send(bytes([byte]))
        await asyncio.sleep(0)


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


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize(
    ("url", "code"),
    [("http://127.0.0.1:{closed}", "connect_refused"), ("http://localhost:{closed}", "connect_refused"),
     ("http://no-such-host.invalid", "dns_failed")],
)  # fmt: skip
def test_what_cannot_be_reached_is_for_later(make: Any, url: str, code: str) -> None:
    [verdict] = send(make(url.format(closed=closed_port())))
    assert brief(verdict) == (LATER, code)
    assert not verdict.slow_down


@contextmanager
def accepting(handle: Callable[[socket.socket], object]) -> Iterator[int]:
    """The port of a plain listener that handles one connection and closes it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def accept() -> None:
            with listening.accept()[0] as line:
                handle(line)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(5)


def test_a_tls_handshake_that_is_never_answered_is_for_later(make: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        to = make(f"https://127.0.0.1:{listening.getsockname()[1]}", timeouts={"connect": 0.2, "read": 5.0})
        assert brief(send(to)[0]) == (LATER, "connect_timeout")


def test_tls_with_a_server_that_speaks_plain_http_is_for_later(make: Any) -> None:
    def answer(line: socket.socket) -> None:
        line.recv(65_536)
        line.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with accepting(answer) as port:
        assert brief(send(make(f"https://127.0.0.1:{port}"))[0]) == (LATER, "tls_failed")


def test_a_connection_that_is_reset_during_the_handshake_is_for_later(make: Any) -> None:
    with accepting(lambda line: line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))) as port:
        assert brief(send(make(f"https://127.0.0.1:{port}"))[0]) == (LATER, "connect_failed")


def test_nothing_but_a_verdict_comes_back_for_a_parcel_that_makes_no_request(make: Any) -> None:
    cases = [
        (parcel(), "missing_variable"), (parcel(variables={"id": ""}), "missing_variable"),
        (parcel(variables={"id": ".."}), "missing_variable"), (parcel(variables={"id": "\ud800"}), "bad_variable"),
        (parcel(variables={"id": "1"}, headers={"traceparent": "a\r\nX-Evil: 1"}), "bad_header"),
        (parcel(variables={"id": "1"}, headers={"traceparent": "a\nb"}), "bad_header"),
        (parcel(variables={"id": "1"}, headers={"traceparent": "é"}), "bad_header"),
        (parcel(variables={"id": "1"}, content_type="a\r\nb: c"), "bad_header"),
        (Parcel("d", "k\r\nX: y", b"", variables={"id": "1"}), "bad_header"),
    ]  # fmt: skip
    with ScriptedServer() as server:
        verdicts = send(make(server, path="/orders/{id}", idempotency=NATIVE), *[one for one, _ in cases])
        assert [brief(verdict) for verdict in verdicts] == [(REFUSED, code) for _, code in cases]
        assert not server.requests


# Connections


def test_connections_are_kept_and_used_again(make: Any) -> None:
    with ScriptedServer() as server:
        to = make(server, idempotency=NATIVE)
        for number in range(5):
            send(to, parcel(number))
        assert server.connections == 1


@pytest.mark.parametrize("mode", [{"mode": "none"}, LOOKUP, NATIVE], ids=lambda mode: str(mode["mode"]))
def test_a_connection_that_the_server_closed_between_requests_makes_no_doubt(make: Any, mode: dict[str, str]) -> None:
    closed = threading.Event()

    async def one_each(request: Request, line: Line) -> None:
        await line.answer(200)
        line.close()
        closed.set()

    with ScriptedServer(one_each) as server:
        to = make(server, idempotency=mode)
        for number in range(3):
            closed.clear()
            assert brief(send(to, parcel(number))[0]) == (DELIVERED, "")
            assert closed.wait(5)
            threading.Event().wait(0.02)  # the end of the stream has to cross the loopback
        assert server.connections == 3


def dies_on_reuse(died: threading.Event) -> Script:
    """Answers the first request of a connection and dies on the second without a word: the race that cannot be seen."""

    async def script(request: Request, line: Line) -> None:
        if request.connection == 1 and request.number > 1:
            line.close()
            died.set()
        else:
            await line.answer(200)

    return script


def test_a_request_that_dies_on_an_old_connection_is_sent_again_when_the_system_knows_its_key(make: Any) -> None:
    died = threading.Event()
    with ScriptedServer(dies_on_reuse(died)) as server:
        to = make(server, idempotency=NATIVE)
        assert [brief(send(to, parcel(number))[0]) for number in (1, 2)] == [(DELIVERED, "")] * 2
        assert died.is_set()
        assert [request.headers["idempotency-key"] for request in server.requests] == ["d-1.1", "d-2.1", "d-2.1"]


def test_it_is_never_sent_again_when_the_system_knows_no_key_and_connections_are_then_used_once(make: Any) -> None:
    died = threading.Event()
    with ScriptedServer(dies_on_reuse(died)) as server:
        to = make(server, idempotency={"mode": "none"})
        assert brief(send(to, parcel(1))[0]) == (DELIVERED, "")
        assert brief(send(to, parcel(2))[0]) == (DOUBT, "connection_closed")
        assert died.is_set()
        for number in (3, 4):
            assert brief(send(to, parcel(number))[0]) == (DELIVERED, "")
        assert [request.connection for request in server.requests] == [1, 1, 2, 3]
        assert "idempotency-key" not in server.requests[0].headers


def test_what_was_sent_once_stays_in_doubt_when_it_cannot_be_sent_again(make: Any) -> None:
    async def dies_then_busy(request: Request, line: Line) -> None:
        if request.number == 1:
            await line.answer(200)
        elif request.number == 2:
            line.close()
        else:
            await line.answer(503, retry_after="30")

    with ScriptedServer(dies_then_busy) as server:
        to = make(server, idempotency=NATIVE)
        assert brief(send(to, parcel(1))[0]) == (DELIVERED, "")
        [verdict] = send(to, parcel(2))
        assert brief(verdict) == (DOUBT, "http_503")
        assert verdict.slow_down
        assert verdict.retry_after_seconds == 30
        assert "it was sent and the connection closed unanswered; then: the system answered 503" in verdict.detail


def test_an_announced_keep_alive_time_is_heeded(make: Any) -> None:
    with ScriptedServer(always(200, keep_alive="timeout=1, max=100")) as server:
        to = make(server, idempotency=NATIVE)
        for number in range(3):
            send(to, parcel(number))
            threading.Event().wait(0.01)
        assert server.connections == 3


# Limits


def test_a_thousand_parcels_never_exceed_the_concurrency_of_the_system(make: Any) -> None:
    async def takes_a_moment(request: Request, line: Line) -> None:
        await asyncio.sleep(0.001)
        await line.answer(200)

    with ScriptedServer(takes_a_moment) as server:
        to = make(server, limits={"concurrency": 4}, timeouts={"connect": 5.0, "read": 10.0})
        verdicts = send(to, *[parcel(number) for number in range(1000)])
        assert {brief(verdict) for verdict in verdicts} == {(DELIVERED, "")}
        assert len({request.headers.get("content-length") for request in server.requests}) == 1
        assert server.most_in_flight == 4
        assert len({request.connection for request in server.requests}) == 4


def test_the_rate_is_kept_at_the_server(make: Any) -> None:
    with ScriptedServer() as server:
        to = make(server, limits={"rate": 100.0, "concurrency": 8})
        begun = time.monotonic()
        send(to, *[parcel(number) for number in range(50)])
        took = time.monotonic() - begun
        assert 0.4 < took < 2
        times = [request.arrived for request in server.requests]
        for first in times:
            window = [moment for moment in times if first <= moment < first + 0.1]
            assert len(window) <= 13, "0.1 s at 100/s is 10, with the slack of a late timer"


def test_what_waits_too_long_for_its_turn_is_given_back(make: Any) -> None:
    with ScriptedServer() as server:
        to = make(server, limits={"rate": 10.0, "wait": 0.25, "concurrency": 1})
        verdicts = send(to, *[parcel(number) for number in range(20)])
        kinds = [brief(verdict) for verdict in verdicts]
        assert 2 <= kinds.count((DELIVERED, "")) <= 4
        assert kinds.count((DELIVERED, "")) + kinds.count((LATER, "queue_full")) == 20
        assert kinds.count((DELIVERED, "")) == len(server.requests)


def test_results_come_in_batches_under_load_and_at_once_when_idle(make: Any) -> None:
    with ScriptedServer() as server:
        to = make(server, limits={"concurrency": 64})
        collected = Collected(500)
        to.submit([parcel(number) for number in range(500)], collected)
        collected.wait()
        assert len(collected.batches) < 500
        assert sorted(one.delivery_id for one, _ in collected.pairs) == sorted(f"d-{number}" for number in range(500))
        begun = time.monotonic()
        send(to)
        assert time.monotonic() - begun < 0.2


def test_a_slow_system_does_not_hold_up_another(make: Any) -> None:
    async def silent(request: Request, line: Line) -> None:
        await line.reader.read()

    with ScriptedServer(silent) as slow, ScriptedServer() as quick:
        waiting = Collected(50)
        make(slow, limits={"concurrency": 50}, timeouts={"connect": 1.0, "read": 1.0}).submit(
            [parcel(number) for number in range(50)], waiting
        )
        begun = time.monotonic()
        send(make(quick), *[parcel(number) for number in range(50)])
        assert time.monotonic() - begun < 0.9
        assert {brief(verdict) for verdict in waiting.wait()} == {(DOUBT, "read_timeout")}


def test_a_receiver_that_fails_does_not_stop_the_sending(make: Any, caplog: pytest.LogCaptureFixture) -> None:
    called = threading.Event()

    def broken(batch: list[tuple[Parcel, Verdict]]) -> None:
        called.set()
        raise RuntimeError("the store is gone")

    with ScriptedServer() as server:
        to = make(server)
        to.submit([parcel()], broken)
        assert called.wait(5)
        assert brief(send(to)[0]) == (DELIVERED, "")
        assert "a receiver of results failed" in caplog.text


# Rules


def test_an_error_inside_a_200_is_not_success(make: Any) -> None:
    rules = {
        "success": lambda status, body, headers: "error" not in body,
        "permanent": lambda status, body, headers: body["error"][0] == "UserError",
    }
    answers = [b'{"error": ["UserError", "no such party"]}', b'{"error": ["Busy", ""]}', b'{"result": 1}']

    async def script(request: Request, line: Line) -> None:
        await line.answer(200, answers[request.number - 1])

    with ScriptedServer(script) as server:
        to = make(server, **rules)
        seen = [brief(send(to, parcel(number))[0]) for number in range(3)]
        assert seen == [(REFUSED, "http_200"), (DOUBT, "error_in_success"), (DELIVERED, "")]


def test_rules_see_exact_decimals_text_and_headers(make: Any) -> None:
    seen: list[dict[str, Any]] = []

    def note(**facts: Any) -> bool:
        seen.append(facts)
        return True

    bodies = [(b'{"total": 12345678901234567.10}', "application/json"), (b"plain \xff", "text/plain"), (b"", "a/b")]

    async def script(request: Request, line: Line) -> None:
        body, kind = bodies[request.number - 1]
        await line.answer(200, body, content_type=kind, X_Twice="a")

    with ScriptedServer(script) as server:
        to = make(server, success=note)
        for number in range(3):
            send(to, parcel(number))
    assert [facts["body"] for facts in seen] == [{"total": Decimal("12345678901234567.10")}, "plain �", ""]
    assert seen[1]["headers"]["content-type"] == "text/plain"
    assert seen[0]["headers"]["x-twice"] == "a"


def test_a_rule_decides_before_the_table_of_status_codes(make: Any) -> None:
    with ScriptedServer(always(409, b'{"reason": "already exists"}')) as server:
        rule = lambda status, body, headers: status == 201 or (status == 409 and "exists" in body["reason"])  # noqa: E731
        assert brief(send(make(server, success=rule))[0]) == (DELIVERED, "")
    with ScriptedServer(always(500, b'{"field": "qty"}')) as server:
        rule = lambda status, body, headers: status == 500 and "field" in body  # noqa: E731
        assert brief(send(make(server, permanent=rule))[0]) == (REFUSED, "http_500")


def test_a_rule_that_does_not_fit_the_answer_is_not_success_and_says_so(make: Any) -> None:
    def broken(**facts: Any) -> bool:
        raise ValueError("expected a mapping, got text")

    with ScriptedServer(always(200, b"<html>")) as server:
        [verdict] = send(make(server, success=broken, permanent=broken))
        assert brief(verdict) == (DOUBT, "error_in_success")
        assert "expected a mapping, got text" in verdict.detail


# Credentials


class Gate:
    """A token server and a system that takes only the newest token."""

    def __init__(self, life: str = "3600") -> None:
        self.granted = self.refused = 0
        self._life = life

    async def __call__(self, request: Request, line: Line) -> None:
        if request.path == "/token":
            self.granted += 1
            await line.answer(200, f'{{"access_token": "t{self.granted}", "expires_in": {self._life}}}'.encode())
        elif request.headers.get("authorization") == f"Bearer t{self.granted}" and self.granted > self.refused:
            await line.answer(201)
        else:
            await line.answer(401)


def oauth2(server: ScriptedServer, **more: str) -> dict[str, str]:
    known = {"client_id": "hub", "client_secret": "s3cret/ü"}
    return {"type": "oauth2", "token_url": f"{server.url}/token", **known, **more}


def test_one_token_serves_many_parcels_and_is_fetched_before_the_first(make: Any) -> None:
    gate = Gate()
    with ScriptedServer(gate) as server:
        verdicts = send(make(server, auth=oauth2(server)), *[parcel(number) for number in range(50)])
        assert {brief(verdict) for verdict in verdicts} == {(DELIVERED, "")}
        assert gate.granted == 1
        asked = server.requests[0]
        assert asked.body == b"grant_type=client_credentials"
        assert asked.headers["authorization"] == "Basic aHViOnMzY3JldCUyRiVDMyVCQw=="


def test_a_refused_token_is_renewed_once_for_all_and_the_parcels_sent_again(make: Any) -> None:
    gate = Gate()
    with ScriptedServer(gate) as server:
        to = make(server, auth=oauth2(server, scope="orders", client_auth="body"), limits={"concurrency": 8})
        send(to)
        gate.refused = 1  # the system forgets the first token
        verdicts = send(to, *[parcel(number) for number in range(20)])
        assert {brief(verdict) for verdict in verdicts} == {(DELIVERED, "")}
        assert gate.granted == 2
        assert b"client_secret=s3cret%2F%C3%BC" in server.requests[0].body
        assert b"scope=orders" in server.requests[0].body


def test_a_token_that_is_refused_again_stops_the_system(make: Any) -> None:
    gate = Gate()
    gate.refused = 99
    with ScriptedServer(gate) as server:
        to = make(server, auth=oauth2(server), limits={"concurrency": 1})
        verdicts = send(to, *[parcel(number) for number in range(10)])
        assert {brief(verdict) for verdict in verdicts} == {(STOPPED, "credentials_refused")}
        assert gate.granted == 2
        assert [request.path for request in server.requests].count("/") == 2


TOKEN_TROUBLE = [
    (always(401, b'{"error": "invalid_client"}'), STOPPED, "token_refused", "(invalid_client)"),
    (always(400, b'{"error": "<b>leak</b>"}'), STOPPED, "token_refused", "client_secret"),
    (always(500), LATER, "token_unavailable", "500"),
    (always(200, b"<html>"), LATER, "token_unavailable", "gave no token"),
    (always(200, b'{"access_token": "a\\r\\nX: y"}'), LATER, "token_unavailable", "gave no token"),
    (closes, LATER, "token_unavailable", "no token"),
]


@pytest.mark.parametrize(("script", "kind", "code", "says"), TOKEN_TROUBLE, ids=range(len(TOKEN_TROUBLE)))
def test_no_token_means_nothing_was_sent(make: Any, script: Script, kind: str, code: str, says: str) -> None:
    with ScriptedServer() as system, ScriptedServer(script) as tokens:
        [verdict] = send(make(system, auth=oauth2(tokens)))
        assert brief(verdict) == (kind, code)
        assert says in verdict.detail
        assert "leak" not in verdict.detail
        assert "s3cret" not in verdict.detail
        assert not system.requests


@pytest.mark.parametrize("life", ["0", "-5", '"3600"', "null", '"soon"', "1e300"])
def test_a_token_with_a_strange_life_is_used_and_not_fetched_for_ever(make: Any, life: str) -> None:
    gate = Gate(life)
    with ScriptedServer(gate) as server:
        to = make(server, auth=oauth2(server))
        assert [brief(send(to, parcel(number))[0]) for number in range(3)] == [(DELIVERED, "")] * 3
        assert gate.granted == 1


def test_bad_fixed_credentials_stop_the_system_and_spare_what_waits(make: Any) -> None:
    with ScriptedServer(always(401)) as server:
        to = make(server, auth={"type": "bearer", "token": "s3cret"}, limits={"concurrency": 1})
        verdicts = send(to, *[parcel(number) for number in range(10)])
        assert {brief(verdict) for verdict in verdicts} == {(STOPPED, "credentials_refused")}
        assert len(server.requests) == 1
        assert server.requests[0].headers["authorization"] == "Bearer s3cret"
        assert not any("s3cret" in verdict.detail for verdict in verdicts)


# TLS


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority, a server's certificate for localhost, an expired one, one for another host, and a client's."""
    folder = tmp_path_factory.mktemp("certificates")

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "30", "-subj", "/CN=Test authority",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign")  # fmt: skip
    past = ("-startdate", "20200101000000Z", "-enddate", "20200102000000Z")
    for name, host, dates in (
        ("server", "localhost", ("-days", "30")), ("expired", "localhost", past),
        ("other", "elsewhere", ("-days", "30")), ("client", "hub", ("-days", "30")),
    ):  # fmt: skip
        openssl("req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={host}")
        (folder / f"{name}.ext").write_text(f"subjectAltName=DNS:{host}\nbasicConstraints=CA:FALSE\n")
        sign(folder, name, dates)
    return folder


def sign(folder: Path, name: str, dates: tuple[str, ...]) -> None:
    """The authority signs; ``openssl ca`` can date a certificate back, which ``x509 -req`` learned only later."""
    (folder / "index.txt").write_text("")
    (folder / "serial").write_text(f"{abs(hash(name)) % 10**8:08d}\n")
    (folder / "ca.cnf").write_text(
        "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\npolicy=p\n"
        "unique_subject=no\n[p]\ncommonName=supplied\n"
    )
    command = ["openssl", "ca", "-batch", "-config", "ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key", "-in",
               f"{name}.csr", "-out", f"{name}.pem", "-extfile", f"{name}.ext", "-notext", *dates]  # fmt: skip
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def serving(folder: Path, name: str, client_ca: str = "") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / f"{name}.pem", folder / f"{name}.key")
    if client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(folder / client_ca)
    return context


def test_tls_with_an_own_authority_delivers_and_keeps_the_connection(make: Any, certificates: Path) -> None:
    with ScriptedServer(tls=serving(certificates, "server")) as server:
        to = make(server, tls={"ca": str(certificates / "ca.pem")}, timeouts={"connect": 5.0, "read": 5.0})
        large = Parcel("d", "k", b"x" * 3_000_000)
        assert [brief(verdict) for _ in range(3) for verdict in send(to, large)] == [(DELIVERED, "")] * 3
        assert server.requests[0].body == large.body
        assert server.connections == 1
        assert to.check() == []


@pytest.mark.parametrize(
    ("name", "ca", "says"),
    [("server", None, "unable to get local issuer"), ("expired", "ca.pem", "certificate has expired"),
     ("other", "ca.pem", "hostname mismatch")],
)  # fmt: skip
def test_a_bad_certificate_stops_the_system(
    make: Any, certificates: Path, name: str, ca: str | None, says: str
) -> None:
    with ScriptedServer(tls=serving(certificates, name)) as server:
        to = make(server, tls={"ca": str(certificates / ca)} if ca else {}, limits={"concurrency": 1})
        verdicts = send(to, parcel(1), parcel(2))
        assert {brief(verdict) for verdict in verdicts} == {(STOPPED, "certificate_invalid")}
        assert says in verdicts[0].detail.lower()
        assert not server.requests
        [sentence] = to.check()
        assert "cannot be trusted" in sentence


def test_a_client_certificate_is_shown_and_its_absence_stops_the_system(make: Any, certificates: Path) -> None:
    with ScriptedServer(tls=serving(certificates, "server", "ca.pem")) as server:
        trust = {"ca": str(certificates / "ca.pem")}
        own = {"certificate": str(certificates / "client.pem"), "key": str(certificates / "client.key")}
        timeouts = {"connect": 5.0, "read": 5.0}
        assert brief(send(make(server, tls=trust | own, timeouts=timeouts))[0]) == (DELIVERED, "")

    def demand_certificate(line: socket.socket) -> None:
        with pytest.raises(ssl.SSLError):
            serving(certificates, "server", "ca.pem").wrap_socket(line, server_side=True)

    with accepting(demand_certificate) as port:
        [verdict] = send(make(f"https://localhost:{port}", tls=trust, timeouts=timeouts))
        assert brief(verdict) == (STOPPED, "client_certificate_refused")


# Proxies


def test_plain_http_goes_through_a_proxy_only_where_one_is_configured(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScriptedServer() as proxy, ScriptedServer() as server:
        monkeypatch.setenv("http_proxy", proxy.url)
        send(make(server))
        assert not proxy.requests
        to = make("http://erp.example/base", path="/orders", proxy=f"http://me:p%40ss@localhost:{proxy.port}")
        assert brief(send(to)[0]) == (DELIVERED, "")
        [request] = proxy.requests
        assert request.path == "http://erp.example/base/orders"
        assert request.headers["host"] == "erp.example"
        assert request.headers["proxy-authorization"] == "Basic bWU6cEBzcw=="


def test_https_goes_through_a_tunnel(make: Any, certificates: Path) -> None:
    async def tunnel(request: Request, line: Line) -> None:
        assert request.method == "CONNECT"
        host, port = request.path.split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        await line.send(b"HTTP/1.1 200 Connection established\r\n\r\n")

        async def back() -> None:
            while data := await reader.read(65_536):
                await line.send(data)

        returning = asyncio.ensure_future(back())
        try:
            while data := await line.reader.read(65_536):
                writer.write(data)
        finally:
            returning.cancel()
            writer.transport.abort()
            line.close()

    with ScriptedServer(tls=serving(certificates, "server")) as server, ScriptedServer(tunnel) as proxy:
        trust = {"ca": str(certificates / "ca.pem")}
        to = make(server, proxy=proxy.url, tls=trust, timeouts={"connect": 5.0, "read": 5.0})
        assert [brief(send(to, parcel(number))[0]) for number in range(3)] == [(DELIVERED, "")] * 3
        assert (len(server.requests), proxy.connections) == (3, 1)


def test_a_proxy_that_refuses_the_tunnel_is_for_later(make: Any) -> None:
    with ScriptedServer(always(407)) as proxy:
        [verdict] = send(make("https://erp.example", proxy=proxy.url))
        assert brief(verdict) == (LATER, "proxy_refused")
        assert verdict.detail == "the proxy answered 407 when asked for erp.example:443"


# Looking up, checking, closing


def found(status: int, body: Any, headers: Any) -> bool:
    return len(body["rows"]) > 0


LOOK_UPS = [
    (always(200, b'{"rows": [1]}'), found, FOUND, ""), (always(200, b'{"rows": []}'), found, ABSENT, ""),
    (always(200), None, FOUND, ""), (always(404), None, ABSENT, ""), (always(404, b"<html>"), found, ABSENT, ""),
    (always(200, b"<html>"), found, LATER, "rule_failed"), (always(500), found, LATER, "http_500"),
    (always(400), found, LATER, "http_400"), (always(401), found, STOPPED, "credentials_refused"),
    (closes, found, LATER, "connection_closed"), (half_a_body, None, LATER, "answer_cut"),
]  # fmt: skip


@pytest.mark.parametrize(("script", "rule", "kind", "code"), LOOK_UPS, ids=range(len(LOOK_UPS)))
def test_a_look_up_answers_or_says_that_it_cannot_tell(
    make: Any, script: Script, rule: Any, kind: str, code: str
) -> None:
    with ScriptedServer(script) as server:
        verdict = make(server, idempotency={**LOOKUP, "found": rule}).look_up(parcel())
        assert brief(verdict) == (kind, code)
        assert (server.requests[0].method, server.requests[0].path) == ("GET", "/sales?ref=d-1.1")
        assert server.requests[0].body == b""


def test_a_look_up_that_reaches_nobody_cannot_tell(make: Any) -> None:
    verdict = make(f"http://127.0.0.1:{closed_port()}", idempotency=LOOKUP).look_up(parcel())
    assert brief(verdict) == (LATER, "connect_refused")


def test_the_doctor_hears_in_sentences_what_is_wrong(make: Any) -> None:
    with ScriptedServer() as server:
        assert make(server).check() == []
        assert make(server, auth=oauth2(server)).check() == ["the token server answered 201 and gave no token"]
    port = closed_port()
    sentence = "127.0.0.1 refused the connection: nothing listens on that port"
    assert make(f"http://127.0.0.1:{port}").check() == [sentence]


def test_closing_finishes_what_is_under_way_and_gives_the_rest_back() -> None:
    arrived = threading.Event()

    async def slow(request: Request, line: Line) -> None:
        arrived.set()
        await asyncio.sleep(0.2)
        await line.answer(200)

    with ScriptedServer(slow) as server:
        to = http.destination({"base_url": server.url, "limits": {"concurrency": 1}})
        collected = Collected(5)
        to.submit([parcel(number) for number in range(5)], collected)
        assert arrived.wait(5)
        to.close()
        assert sorted(brief(verdict) for verdict in collected.wait()) == [(DELIVERED, "")] + [(LATER, "closing")] * 4
        to.close()
        assert brief(send_here(to)) == (LATER, "closing")


def send_here(to: Destination) -> Verdict:
    got: list[Verdict] = []
    to.submit([parcel()], lambda batch: got.extend(verdict for _, verdict in batch))
    return got[0]


def test_the_engine_ends_with_its_last_user_and_starts_again() -> None:
    assert _sender._current is None
    with ScriptedServer() as server:
        for _ in range(2):
            to = http.destination({"base_url": server.url})
            other = http.destination({"base_url": server.url})
            names = [thread.name for thread in threading.enumerate()]
            assert names.count("http-sender") == 1, "one thread for all systems"
            assert brief(send(to)[0]) == (DELIVERED, "")
            to.close()
            assert brief(send(other)[0]) == (DELIVERED, "")
            other.close()
            assert "http-sender" not in [thread.name for thread in threading.enumerate()]
    gc.collect()


def test_a_child_process_sends_for_itself() -> None:
    """Spawned, as the hub's throw-away children are: nothing of the parent's engine is in it."""
    code = (
        "import sys, threading\nfrom connectors import http\nfrom connectors.base import Parcel\n"
        "to = http.destination({'base_url': sys.argv[1]})\ndone = threading.Event()\n"
        "to.submit([Parcel('d', 'k', b'{}')], lambda batch: (print(batch[0][1].kind), done.set()))\n"
        "done.wait(5)\nto.close()\n"
    )
    with ScriptedServer() as server:
        ran = subprocess.run([sys.executable, "-W", "error", "-c", code, server.url], capture_output=True, text=True,
                             timeout=20, check=True)  # fmt: skip
        assert (ran.stdout, ran.stderr) == ("delivered\n", "")


# Settings

MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"base_url": "ftp://x"}, "base_url: expected an http or https address, such as https://host.example"),
    ({"base_url": "http://x:99999"}, "base_url: not an address; write https://host.example or http://host:8080/path"),
    ({"base_url": f"http://{'a' * 70}.example"}, "base_url: not an address; write https://host.example"),
    ({"base_url": "http://x?a=1"}, "base_url: an address here has no '?' and no '#'; put them into path:"),
    ({"base_url": "https://u:s3cret@x"}, "base_url: user and password do not belong here; write them into auth: "),
    ({"path": "/a/{order"}, "path: a brace without its partner in '/a/{order'; write {name}"),
    ({"path": "/a/{}"}, "path: '{}' is not a variable; write {name} with letters and '_'"),
    ({"path": "a b"}, "path: a path starts with '/' and holds no spaces or accents; write them as %20"),
    ({"headers": {"X Y": "1"}}, "headers: 'X Y' cannot name a header"),
    ({"headers": {"Content-Length": "1"}}, "headers.Content-Length: the hub writes this header itself; take it out"),
    ({"headers": {"X": "a\r\nb"}}, "headers.X: the value holds characters that cannot stand in a header"),
    ({"auth": {"type": "basic", "user": "u"}}, "auth.password is missing: type basic needs it"),
    ({"auth": {"type": "bearer", "token": "s3cret\n"}}, "auth.token: the secret holds characters that cannot"),
    ({"auth": {"type": "hmac", "secret": "s3cret", "key_encoding": "hex"}}, "auth.secret: the secret is not hex"),
    ({"auth": {"type": "hmac", "secret": "s", "signed": "{bdy}"}}, "auth.signed: only {body} {key} {timestamp}"),
    ({"idempotency": {"mode": "lookup"}}, "idempotency.request: expected a method and a path, such as GET /sales?ref="),
    ({"idempotency": {"mode": "lookup", "request": "/sales"}}, "idempotency.request: expected a method and a path"),
    ({"base_url": "https://x", "tls": {"ca": "/nowhere.pem"}}, "tls.ca: cannot read '/nowhere.pem': No such file"),
    ({"base_url": "https://x", "tls": {"certificate": "/no.pem"}}, "tls.certificate: cannot use '/no.pem' with"),
    ({"proxy": "https://p"}, "proxy: write http://, the way proxies are spoken to"),
]  # fmt: skip


@pytest.mark.parametrize(("config", "text"), MISTAKES, ids=range(len(MISTAKES)))
def test_a_setting_that_cannot_be_is_named_with_what_to_write_instead(config: dict[str, Any], text: str) -> None:
    with pytest.raises(PermanentError) as caught:
        http.destination({"base_url": "http://localhost", **config})
    assert str(caught.value).startswith(text)
    assert "s3cret" not in str(caught.value)
    assert _sender._current is None
    if "tls" not in config:
        with pytest.raises(PermanentError) as linted:
            http.lint({"base_url": "http://localhost", **config})
        assert str(linted.value) == str(caught.value), "the lint finds it before anything is opened"


def test_the_lint_passes_over_addresses_that_are_secrets_and_reads_no_files() -> None:
    auth = {"type": "oauth2", "token_url": "0" * 64, "client_id": "hub", "client_secret": "0" * 64}
    http.lint({"base_url": "0" * 64, "proxy": "0" * 64, "auth": auth, "tls": {"ca": "/nowhere.pem"}})
    with pytest.raises(PermanentError, match=r"^path: a brace"):
        http.lint({"base_url": "0" * 64, "path": "/{a"})
