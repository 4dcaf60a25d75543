"""Bad input gets a clear answer, nothing of it is lost, and the hub goes on."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hub_process import SECRET, HubProcess, order, signed
from receiver import Receiver

HOOK_KEY = b"a key of thirty-two bytes, or so."
MEGABYTE = 1_000_000
ERIKA = "Erika Muster"
_receivers: list[Receiver] = []
CLOSED = """
closed: {connector: webhook, format: json, verify: {header: X-Sig, secrets: [secret://env/NOT_THERE]}, event: ping}
"""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    receiver = Receiver()
    _receivers.append(receiver)
    hub = HubProcess(tmp_path_factory.mktemp("hub"), receiver)
    mapping = (hub.root / "mappings/order-in.yaml").read_text().replace("text(l.qty)", "text(12 / l.qty)")
    mapping = mapping.replace("{const: C62}", "\"lookup(l.unit, 'units') if l.unit else 'C62'\"")
    hub.write("mappings/order-in.yaml", mapping.replace("version: 1\n", "version: 1\ntables: [units]\n", 1))
    hub.write("mappings/tables/units.csv", "key,value\nST,C62\n")
    systems = (hub.root / "config/systems.yaml").read_text()
    hub.write("config/systems.yaml", systems + TIMED + CLOSED)
    hub.environment["HOOK_SECRET"] = "whsec_" + base64.b64encode(HOOK_KEY).decode()
    hub.start()
    yield hub
    assert hub.stop() == 0
    receiver.close()


def post(hub: HubProcess, body: bytes, number: str, **headers: str) -> tuple[int, dict[str, Any]]:
    status, answer, _ = hub.request("POST", "/in/shop", body, {**signed(body, number), **headers})
    return status, json.loads(answer)


def line(**fields: Any) -> bytes:
    return json.dumps({"id": "x-1", "lines": [{"name": ERIKA, "qty": 1, **fields}]}).encode()


UNREADABLE = [
    (b'{"id": "a-1", "lines": [', "parse", "ends too early"),
    (b'{"id": "\xff\xfe"}', "parse", "UTF-8"),
    (b'{"id": "a-1", "id": "a-2", "lines": []}', "parse", "'id'"),
    (b'{"id": "a-1", "lines": [{"name": "x", "qty": NaN}]}', "parse", "NaN"),
    (b'{"id": "a-1", "lines": [{"name": "x", "qty": ' + b"9" * 400 + b"}]}", "parse", "digits"),
    (b"[" * MEGABYTE, "parse", "nest"),
    (b"", "parse", ""),
]


@pytest.mark.parametrize(("body", "error_class", "text"), UNREADABLE, ids=range(len(UNREADABLE)))
def test_what_cannot_be_read_is_taken_in_whole_and_dead_with_its_place(
    hub: HubProcess, body: bytes, error_class: str, text: str
) -> None:
    number = f"unreadable-{UNREADABLE.index((body, error_class, text))}"
    status, answer = post(hub, body, number)
    assert status == 202
    failure = failure_of(hub, answer["message_id"])
    assert (failure["class"], failure["step"]) == (error_class, "decode")
    assert text in failure["detail"] + failure.get("hint", "") + failure.get("value_excerpt", "")
    assert hub.rows("SELECT size FROM receipts WHERE receipt_id = ?", answer["message_id"]) == [(len(body),)]


UNMAPPABLE = [
    (line(qty=0), "mapping", "mappings/order-in.yaml", "zero"),
    (line(qty=None), "mapping", "mappings/order-in.yaml", "nothing"),
    (line(qty="a dozen"), "mapping", "mappings/order-in.yaml", ""),
    (b'{"id": "x-1", "lines": [{"nmae": "hose", "qty": 1}]}', "mapping", "mappings/order-in.yaml", "name"),
    (b'{"lines": [{"name": "hose", "qty": 1}]}', "mapping", "mappings/order-in.yaml", "report_id"),
    (line(unit="pallet"), "lookup_missing", "mappings/order-in.yaml", "'units' has no key 'pallet'"),
    (b'{"id": "x-1", "lines": []}', "schema", "", "stock_lines"),
]


@pytest.mark.parametrize(("body", "error_class", "file", "text"), UNMAPPABLE, ids=range(len(UNMAPPABLE)))
def test_what_cannot_be_mapped_is_dead_with_the_line_of_the_mapping(
    hub: HubProcess, body: bytes, error_class: str, file: str, text: str
) -> None:
    status, answer = post(hub, body, f"unmappable-{body!r}")
    assert status == 202
    failure = failure_of(hub, answer["message_id"])
    assert failure["class"] in (error_class, "business_rule")
    assert failure.get("file", "") == file
    assert bool(failure.get("line")) == bool(file)
    assert text in failure["detail"] + failure.get("field_path", "")


def failure_of(hub: HubProcess, receipt_id: str) -> dict[str, Any]:
    sql = """SELECT coalesce(r.failure, m.failure) FROM receipts r LEFT JOIN messages m ON m.seq = r.seq
             WHERE r.receipt_id = ? AND coalesce(r.failure, m.failure) IS NOT NULL"""
    hub.wait_for(lambda: bool(hub.rows(sql, receipt_id)), 20)
    return json.loads(hub.rows(sql, receipt_id)[0][0])  # type: ignore[no-any-return]


TIMED = """
payments: {preset: stripe, verify: {secrets: [secret://env/SHOP_SECRET]}, ignore: [paid]}
messages: {preset: standard-webhooks, verify: {secrets: [secret://env/HOOK_SECRET]}, ignore: [paid]}
"""
EVENT = b'{"id": "evt-1", "type": "paid"}'


def stripe(at: int, **_: str) -> dict[str, str]:
    digest = hmac.new(SECRET.encode(), b"%d." % at + EVENT, hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={at},v1={digest}"}


def standard(at: int, number: str) -> dict[str, str]:
    signed_bytes = f"{number}.{at}.".encode() + EVENT
    digest = base64.b64encode(hmac.new(HOOK_KEY, signed_bytes, hashlib.sha256).digest()).decode()
    return {"webhook-id": number, "webhook-timestamp": str(at), "webhook-signature": f"v1,{digest}"}


@pytest.mark.parametrize(("source", "sign"), [("payments", stripe), ("messages", standard)])
@pytest.mark.parametrize(
    ("seconds_ago", "status", "code"),
    [(301 + 5, 401, "stale_timestamp"), (-301 - 5, 401, "future_timestamp"), (200, 202, None)],
)
def test_a_signature_is_good_for_five_minutes(
    hub: HubProcess, source: str, sign: Callable[..., dict[str, str]], seconds_ago: int, status: int, code: str | None
) -> None:
    before = hub.rows("SELECT count(*) FROM receipts WHERE source = ?", source)
    headers = sign(int(time.time()) - seconds_ago, number=f"{source}-1")
    answered, raw, _ = hub.request("POST", f"/in/{source}", EVENT, {"Content-Type": "application/json", **headers})
    answer = json.loads(raw)
    assert (answered, answer.get("code")) == (status, code)
    if code:
        assert "at most 300 s are taken" in answer["detail"]
        assert hub.rows("SELECT count(*) FROM receipts WHERE source = ?", source) == before


REFUSED = [
    ({"X-Shopify-Hmac-SHA256": "bm90IGl0"}, 401),
    ({"X-Shopify-Hmac-SHA256": ""}, 401),
    ({"Content-Type": "text/html"}, 415),
]


@pytest.mark.parametrize(("headers", "expected"), REFUSED)
def test_a_refused_body_is_answered_with_a_problem_and_not_kept(
    hub: HubProcess, headers: dict[str, str], expected: int
) -> None:
    before = hub.rows("SELECT count(*) FROM receipts")
    status, problem = post(hub, order("r-1"), "r-1", **headers)
    assert (status, problem["status"]) == (expected, expected)
    assert problem["code"]
    assert problem["detail"]
    assert hub.rows("SELECT count(*) FROM receipts") == before


def test_a_door_without_its_secret_is_closed_and_says_so_once_in_the_log(hub: HubProcess) -> None:
    for _ in range(3):
        status, answer, headers = hub.request("POST", "/in/closed", b"{}", {"Content-Type": "application/json"})
        assert (status, json.loads(answer)["code"], headers["retry-after"]) == (503, "not_set_up", "10")
    assert (hub.root / "hub.log").read_text().count("the environment variable NOT_THERE is not set") == 1


def test_fifty_megabytes_are_refused_before_they_are_read(hub: HubProcess) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", hub.port, timeout=10)
    connection.putrequest("POST", "/in/shop")
    connection.putheader("Content-Length", str(50 * MEGABYTE))
    connection.endheaders()
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())["code"]) == (413, "too_large")
    connection.close()
    counted = "SELECT count(*) FROM counters WHERE kind = 'refused' AND label = 'too_large' AND bytes >= ?"
    hub.wait_for(lambda: hub.rows(counted, 50 * MEGABYTE) == [(1,)])


def test_fifty_megabytes_without_a_length_are_cut_off(hub: HubProcess) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", hub.port, timeout=10)
    try:
        connection.request(
            "POST", "/in/shop", iter([b"x" * MEGABYTE] * 50), {"Transfer-Encoding": "chunked"}, encode_chunked=True
        )
        status = connection.getresponse().status
    except (BrokenPipeError, ConnectionResetError):
        status = 413
    finally:
        connection.close()
    assert status == 413


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [("POST", "/in/nobody", 404), ("GET", "/in/shop", 405), ("POST", "/in/", 404), ("POST", "/in/../api/v1/keys", 404)],
)
def test_doors_that_are_not_there(hub: HubProcess, method: str, path: str, expected: int) -> None:
    assert hub.request(method, path, b"{}")[0] in (expected, 401, 403)


def test_a_sender_that_goes_away_in_the_middle_leaves_nothing(hub: HubProcess) -> None:
    before = hub.rows("SELECT count(*) FROM receipts")
    with socket.create_connection(("127.0.0.1", hub.port)) as line:
        line.sendall(b"POST /in/shop HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
    with socket.create_connection(("127.0.0.1", hub.port)) as line:
        line.sendall(b"GARBAGE\r\n\r\n")
        assert b"400" in line.recv(1000)
    assert hub.rows("SELECT count(*) FROM receipts") == before


def test_after_all_of_it_a_good_order_arrives_everything_adds_up_and_no_secret_was_logged(hub: HubProcess) -> None:
    status, answer = post(hub, order("good-1"), "good-1")
    assert status == 202
    hub.wait_for(
        lambda: hub.rows("SELECT state FROM deliveries WHERE message_id = ?", answer["message_id"]) == [("delivered",)]
    )
    log = (Path(hub.root) / "hub.log").read_text()
    assert SECRET not in log
    assert ERIKA not in log
    assert "Traceback" not in log


TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.mark.parametrize(
    ("sent", "goes_on"),
    [
        (f"00-{TRACE}-{SPAN}-01", True),
        (f"cc-{TRACE}-{SPAN}-01-of-a-later-version", True),
        (f"00-{TRACE}-{SPAN}-01-of-no-version", False),
        (f"ff-{TRACE}-{SPAN}-01", False),
        (f"00-{TRACE.upper()}-{SPAN}-01", False),
        (f"00-{TRACE}-{'0' * 16}-01", False),
        ("00-" + "\xe9" * 32 + "-" + "\xe9" * 16 + "-01", False),
        ("nonsense", False),
    ],
)
def test_the_trace_of_the_sender_reaches_the_target_and_one_that_is_none_harms_nothing(
    hub: HubProcess, sent: str, goes_on: bool
) -> None:
    received = [headers for receiver in _receivers for headers in receiver.headers]
    status, _ = post(hub, order("t-1"), f"trace-{len(received)}", traceparent=sent)
    assert status == 202
    hub.wait_for(lambda: len([h for r in _receivers for h in r.headers]) > len(received))
    version, trace, span, _ = _receivers[0].headers[-1]["traceparent"].split("-")
    assert (version, trace == TRACE, span == SPAN) == ("00", goes_on, False)


@pytest.mark.parametrize(
    ("parent", "state", "goes_on"),
    [
        (f"00-{TRACE}-{SPAN}-01", "rojo=00f067aa0ba902b7, congo@x=t61rcWkgMzE", True),
        (f"00-{TRACE}-{SPAN}-01", "a=" + "b" * 510, True),
        (f"00-{TRACE}-{SPAN}-01", "a=" + "b" * 511, False),
        (f"00-{TRACE}-{SPAN}-01", "no pairs", False),
        (f"00-{TRACE}-{SPAN}-01", "a=\xe9", False),
        ("nonsense", "rojo=00f067aa0ba902b7", False),
    ],
)
def test_what_tracing_systems_left_with_a_trace_goes_on_with_it(
    hub: HubProcess, parent: str, state: str, goes_on: bool
) -> None:
    before = len(_receivers[0].headers)
    status, answer = post(hub, order("t-1"), f"state-{before}", traceparent=parent, tracestate=state)
    assert status == 202
    hub.wait_for(lambda: len(_receivers[0].headers) > before)
    assert _receivers[0].headers[-1].get("tracestate") == (state if goes_on else None)
    [(kept,)] = hub.rows("SELECT traceparent FROM receipts WHERE receipt_id = ?", answer["message_id"])
    assert kept.partition(" ")[2] == (state if goes_on else "")
