"""The http connector: connections, limits and fairness against a real server."""

from __future__ import annotations

import asyncio
import gc
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import pytest
from scripted_server import Line, Request, ScriptedServer, always
from sending import LOOKUP, NATIVE, Collected, accepting, brief, closed_port, dies_on_reuse, make, parcel, send

from connectors._wire import Connection
from connectors.base import (
    DELIVERED,
    DOUBT,
    LATER,
    REFUSED,
    Parcel,
    Verdict,
)


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
def silent_address(port: int) -> Iterator[str]:
    """An address on which nothing answers, nor refuses: its queue is full."""
    with ExitStack() as held:
        held.enter_context(socket.create_server(("127.0.0.2", port), backlog=0))
        with suppress(TimeoutError):
            while True:
                held.enter_context(socket.create_connection(("127.0.0.2", port), 0.2))
        yield "127.0.0.2"


def test_an_address_that_says_nothing_does_not_hide_the_others_of_its_host(make: Any) -> None:
    with ScriptedServer() as server, silent_address(server.port) as silent:
        for other, seen in (("127.0.0.1", (DELIVERED, "")), (silent, (LATER, "connect_timeout"))):
            to = make(server)

            async def resolved(*_: Any, other: str = other, **__: Any) -> list[Any]:
                kind = (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "")
                return [(*kind, (address, server.port)) for address in (silent, other)]

            to._channel._loop.getaddrinfo = resolved
            assert brief(send(to)[0]) == seen


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


def test_a_document_of_which_no_request_can_be_made_gets_its_verdict(
    make: Any, caplog: pytest.LogCaptureFixture
) -> None:
    deep = Parcel("d", "k", b'{"lines": ' + b"[" * 100_000 + b"]" * 100_000 + b"}")
    with ScriptedServer() as server:
        to = make(server, body={"lines": "{body.lines}"})
        assert brief(send(to, deep)[0]) == (REFUSED, "bad_body")
        assert "RecursionError" in caplog.text
        plain = Parcel("e", "l", b'{"lines": []}')
        assert brief(send(to, plain)[0]) == (DELIVERED, "")


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


def test_a_connection_that_has_ended_is_gone_from_memory_at_once(make: Any) -> None:
    async def one_each(request: Request, line: Line) -> None:
        await line.answer(200, connection="close")
        line.close()

    def connections() -> int:
        return sum(type(each) is Connection for each in gc.get_objects())

    with ScriptedServer(one_each) as server:
        gc.collect()
        before = connections()
        gc.disable()
        try:
            to = make(server, idempotency=NATIVE)
            for number in range(5):
                assert brief(send(to, parcel(number))[0]) == (DELIVERED, "")
            late = time.monotonic() + 10
            while connections() > before:
                assert time.monotonic() < late
                threading.Event().wait(0.01)
        finally:
            gc.enable()
        assert server.connections == 5


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


def test_what_is_left_of_a_request_that_was_given_up_does_not_arrive_later(make: Any) -> None:
    given_up, ends = threading.Event(), []

    def reads_late(line: socket.socket) -> None:
        given_up.wait(20)
        try:
            while line.recv(65_536):
                continue
            ends.append("closed")
        except ConnectionResetError:
            ends.append("reset")

    body = b"x" * 8_000_000  # more than the kernels of both sides hold
    with accepting(reads_late) as port:
        to = make(f"http://127.0.0.1:{port}", timeouts={"connect": 2.0, "read": 0.5})
        assert brief(send(to, Parcel("d-1", "d-1.1", body))[0]) == (DOUBT, "read_timeout")
        given_up.set()
    assert ends == ["reset"]
