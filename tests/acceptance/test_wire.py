"""The door as bytes on a socket: what HTTP/1.1 lets a sender do is answered the same, whichever way it goes in."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hub_process import HubProcess, signed
from receiver import Receiver


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    receiver = Receiver()
    process = HubProcess(tmp_path_factory.mktemp("hub"), receiver)
    process.start()
    yield process
    assert process.stop() == 0, process.log
    receiver.close()


def request(reference: str, *fields: str, size: int = 0, version: str = "1.1", path: str = "/in/shop") -> bytes:
    """A whole signed order; ``fields`` come beside what is always there."""
    body = json.dumps({"id": reference, "lines": [{"name": "hose", "qty": 1}], "note": "x" * size}).encode()
    head = [f"POST {path} HTTP/{version}", "Host: hub", *(f"{k}: {v}" for k, v in signed(body, reference).items())]
    return "\r\n".join([*head, f"Content-Length: {len(body)}", *fields, "", ""]).encode() + body


@contextmanager
def line(hub: HubProcess) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", hub.port), timeout=20) as connection:
        yield connection


def answers(connection: socket.socket, count: int) -> list[tuple[int, dict[str, str], bytes]]:
    """So many answers, one after the other on one stream of bytes: status, fields, body."""
    found = []
    with connection.makefile("rb") as stream:
        for _ in range(count):
            status = int(stream.readline().split()[1])
            fields = {}
            while name := (written := stream.readline().decode()).partition(":")[0].strip().lower():
                fields[name] = written.partition(":")[2].strip()
            found.append((status, fields, stream.read(int(fields["content-length"]))))
    return found


def is_closed(connection: socket.socket) -> bool:
    return connection.recv(1) == b""


def test_requests_follow_each_other_on_one_connection(hub: HubProcess) -> None:
    with line(hub) as connection:
        for number in range(3):
            connection.sendall(request(f"follow-{number}"))
            [(status, fields, body)] = answers(connection, 1)
            assert (status, json.loads(body)["status"]) == (202, "accepted")
            assert fields["content-type"] == "application/json"
            assert "date" in fields
            assert "connection" not in fields


def test_requests_sent_before_an_answer_are_answered_in_order(hub: HubProcess) -> None:
    with line(hub) as connection:
        connection.sendall(b"".join(request(f"ahead-{number % 3}") for number in range(6)))
        bodies = [json.loads(body) for _, _, body in answers(connection, 6)]
        assert [body.get("duplicate", False) for body in bodies] == [False, False, False, True, True, True]
        assert [body["message_id"] for body in bodies[:3]] == [body["message_id"] for body in bodies[3:]]


def test_a_door_that_changes_while_a_request_comes_in_is_asked_as_it_is_then(hub: HubProcess) -> None:
    systems = (hub.root / "config/systems.yaml").read_text(encoding="utf-8")
    whole = request("half-way")
    with line(hub) as connection:
        connection.sendall(whole[:-1])
        with line(hub) as other:  # what came before is read when this one is answered
            other.sendall(request("in-between"))
            assert answers(other, 1)[0][0] == 202
        hub.write("config/systems.yaml", systems.replace("header: X-Shopify-Hmac-SHA256", "header: X-Other"))
        try:
            assert hub.spawn("deploy").wait(60) == 0, hub.log
            connection.sendall(whole[-1:])
            [(status, _, body)] = answers(connection, 1)
        finally:
            hub.write("config/systems.yaml", systems)
            assert hub.spawn("deploy").wait(60) == 0, hub.log
        assert (status, json.loads(body)["code"]) == (401, "missing_signature")


def test_a_request_may_come_byte_by_byte(hub: HubProcess) -> None:
    with line(hub) as connection:
        whole = request("drop-by-drop")
        for position in range(len(whole)):
            connection.sendall(whole[position : position + 1])
        assert answers(connection, 1)[0][0] == 202


def test_a_sender_may_close_after_an_answer(hub: HubProcess) -> None:
    for asked in (request("last", "Connection: close"), request("old", version="1.0")):
        with line(hub) as connection:
            connection.sendall(asked)
            [(status, fields, _)] = answers(connection, 1)
            assert (status, fields["connection"]) == (202, "close")
            assert is_closed(connection)


def test_a_connection_stays_while_it_is_used_and_is_closed_after_five_idle_seconds(hub: HubProcess) -> None:
    with line(hub) as connection:
        for number in range(3):
            time.sleep(2.6 if number else 0)
            connection.sendall(request(f"now and then {number}"))
            assert answers(connection, 1)[0][0] == 202
        began = time.monotonic()
        assert is_closed(connection)
        assert time.monotonic() - began > 4


def test_a_request_that_comes_slowly_is_not_cut_off_by_the_one_before_it(hub: HubProcess) -> None:
    with line(hub) as connection:
        following = request("slowly")
        connection.sendall(request("before it") + following[:10])
        assert answers(connection, 1)[0][0] == 202
        for start in range(10, 40, 10):
            time.sleep(2)
            connection.sendall(following[start : start + 10])
        connection.sendall(following[40:])
        assert answers(connection, 1)[0][0] == 202


def test_a_sender_may_wait_for_leave_to_send_its_body(hub: HubProcess) -> None:
    head, _, body = request("asks-first", "Expect: 100-continue").partition(b"\r\n\r\n")
    with line(hub) as connection:
        connection.sendall(head + b"\r\n\r\n")
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(body)
        assert answers(connection, 1)[0][0] == 202


def test_a_body_may_come_in_chunks(hub: HubProcess) -> None:
    head, _, body = request("in-chunks").partition(b"\r\n\r\n")
    fields = [field for field in head.split(b"\r\n") if not field.startswith(b"Content-Length")]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:10], body[10:]))
    with line(hub) as connection:
        connection.sendall(b"\r\n".join([*fields, b"Transfer-Encoding: chunked", b"", chunks + b"0\r\n\r\n"]))
        assert answers(connection, 1)[0][0] == 202


def test_bodies_of_any_size_go_to_the_same_door(hub: HubProcess) -> None:
    with line(hub) as connection:
        for size in (60_000, 70_000, 500_000, 10):
            connection.sendall(request(f"size-{size}", size=size))
            assert answers(connection, 1)[0][0] == 202


def test_a_name_is_taken_as_it_stands(hub: HubProcess) -> None:
    with line(hub) as connection:
        for path, status in (("/in/shop?x=1", 202), ("/in/sh%6fp", 202), ("/in/shop/", 202), ("/in/nobody", 404)):
            connection.sendall(request(f"at {path}", path=path))
            assert answers(connection, 1)[0][0] == status


TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
UNSIGNED = b"POST /in/shop HTTP/1.1\r\nHost: hub\r\nContent-Type: application/json\r\n"
TRACED = UNSIGNED + f"traceparent: 00-{TRACE}-00f067aa0ba902b7-01\r\n".encode()
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    ("sent", "status", "code", "field"),
    [
        (TRACED + b"Content-Length: 2\r\n\r\n{}", 401, "missing_signature", ("www-authenticate", "Signature realm")),
        (TRACED + CHUNKED, 401, "missing_signature", ("www-authenticate", "Signature realm")),
        (UNSIGNED.replace(b"POST", b"PUT") + b"Content-Length: 2\r\n\r\n{}", 405, "method", ("allow", "POST")),
        (UNSIGNED.replace(b"/in/shop", b"/in/nobody") + b"Content-Length: 0\r\n\r\n", 404, "unknown_system", ()),
        (UNSIGNED + b"Content-Length: 10000001\r\n\r\n", 413, "too_large", ()),
        (UNSIGNED.replace(b"json", b"xml") + b"Content-Length: 2\r\n\r\n{}", 415, "content_type", ()),
        (b"hello\r\n\r\n", 400, "not_http", ("connection", "close")),
        (b"DELETE /api/v1/messages HTTP/1.1\r\nHost: hub\r\n\r\n", 405, "method_not_allowed", ("allow", "GET")),
        (b"PUT /api/v1/replays HTTP/1.1\r\nHost: hub\r\n\r\n", 405, "method_not_allowed", ("allow", "GET, POST")),
        (b"GET /api/v1/messages HTTP/1.1\r\nHost: hub\r\n\r\n", 401, "unauthorized", ("www-authenticate", "Bearer")),
    ],
)
def test_what_is_refused_is_a_problem_with_the_fields_that_belong_to_it(
    hub: HubProcess, sent: bytes, status: int, code: str, field: tuple[str, str]
) -> None:
    with line(hub) as connection:
        connection.sendall(sent)
        [(answered, fields, body)] = answers(connection, 1)
    problem = json.loads(body)
    assert (answered, fields["content-type"]) == (status, "application/problem+json")
    assert (problem["status"], problem["code"], problem["type"]) == (status, code, f"urn:o2c:problem:{code}")
    assert problem["title"] and problem["detail"] and problem["hint"]
    assert not field or fields[field[0]].startswith(field[1])
    assert b"traceparent" not in sent or problem["trace_id"] == TRACE


def test_a_sender_that_leaves_before_its_answer_does_no_harm(hub: HubProcess) -> None:
    for number in range(20):
        with line(hub) as connection:
            connection.sendall(request(f"gone-{number}"))
    with line(hub) as connection:
        connection.sendall(b"".join(request(f"gone-{number}") for number in range(20)))
        seen = [status for status, _, _ in answers(connection, 20)]
    assert set(seen) <= {200, 202}
    assert "the door has failed" not in hub.log
