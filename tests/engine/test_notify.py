"""Telling people: once when something opens, once when it is over; to real receivers on this machine."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import structlog
from acknowledging import ACKING, contrl
from replaying import replay_one
from trading import Trade, orders
from world import World, order

from connectors.base import REFUSED, STOPPED, Verdict
from hub import notify, replay
from hub.notify import Mail, Notifier, Webhook, check, send
from hub.pipeline.expiry import expire_interchanges
from hub.replay import Request, steps
from hub.settings import load_settings
from hub.store import switches
from hub.store.audit import Actor
from hub.store.search_terms import Filter

NO = Verdict(REFUSED, code="http_422", status=422, detail="unknown item")
ANNA = Actor("anna", "operator")


@pytest.fixture
def partners() -> bytes:
    return ACKING


class Heard:
    """A web server that keeps what it was told. ``status`` is what it answers."""

    def __init__(self) -> None:
        self.status, self.calls = 204, []  # type: tuple[int, list[tuple[dict[str, str], bytes]]]
        heard = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                heard.calls.append(({k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(heard.status)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?a=1"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.calls]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def heard() -> Iterator[Heard]:
    server = Heard()
    yield server
    server.close()


def tell(world: World, *channels: notify.Channel) -> int:
    """One round; gives how many of the channels took what they had to be told, if there was anything."""
    untold = check(world.engine, [channel.name for channel in channels])
    return sum(bool(untold[channel.name]) and send(world.engine, channel, untold[channel.name]) for channel in channels)


def dead_order(world: World, number: int) -> None:
    world.target("erp").answers.append(NO)
    world.send(order(number))


def test_dead_letters_of_one_cause_are_told_once_and_their_end_once(world: World, heard: Heard) -> None:
    channel = Webhook(heard.url)
    assert tell(world, channel) == 0
    for number in range(4):
        dead_order(world, number)
        tell(world, channel)
    assert [body["type"] for body in heard.bodies] == ["hub.dead_letters.opened"]
    assert "o2c replay --issue" in heard.bodies[0]["data"]["detail"]
    planned = replay.plan(world.engine, Request(filter=Filter(state="dead")), ANNA)
    replay.start(world.engine, planned.replay_id, planned.plan_hash, ANNA)
    world.run()
    for _ in range(3):
        tell(world, channel)
    assert [body["type"] for body in heard.bodies] == ["hub.dead_letters.opened", "hub.dead_letters.recovered"]


def test_values_that_are_wrong_in_one_way_are_told_once(world: World, heard: Heard) -> None:
    channel = Webhook(heard.url)
    for value in ("abc", "xyz", "n/a", "O'Neil"):
        world.send({"id": "1", "lines": [{"name": "item", "qty": 1}, {"name": "item", "qty": value}]})
        tell(world, channel)
    assert [body["type"] for body in heard.bodies] == ["hub.dead_letters.opened"]
    world.send({"id": "1", "lines": [{"qty": 1}]})
    tell(world, channel)
    assert [body["type"] for body in heard.bodies] == ["hub.dead_letters.opened"] * 2


def test_what_is_not_acknowledged_is_told_with_what_to_do_and_its_end(trade: Trade, heard: Heard) -> None:
    channel = Webhook(heard.url)
    trade.bring(orders("101", "A"))
    trade.clock.at += 86400
    expire_interchanges(trade.engine)
    for _ in range(2):
        tell(trade, channel)
    [(delivery_id,)] = trade.rows("SELECT delivery_id FROM interchanges_sent WHERE type = 'ORDRSP'")
    [told] = heard.bodies
    assert told["type"] == "hub.dead_letters.opened"
    assert told["data"]["detail"].startswith(
        "from van: 1 dead: expired/unacknowledged; ask the partner whether it came"
    )
    assert told["data"]["detail"].endswith(f"; o2c replay {delivery_id} --delivered send --reason 'not acknowledged'")
    trade.bring(contrl("102", 1))
    tell(trade, channel)
    assert [body["type"] for body in heard.bodies] == ["hub.dead_letters.opened", "hub.dead_letters.recovered"]


def test_what_could_not_be_told_is_told_at_the_next_round_with_the_same_id(world: World, heard: Heard) -> None:
    dead_order(world, 1)
    heard.status = 503
    assert tell(world, Webhook(heard.url)) == 0
    assert tell(world, Webhook("http://127.0.0.1:1/")) == 0
    heard.status = 204
    assert tell(world, Webhook(heard.url)) == 1
    assert len({headers["webhook-id"] for headers, _ in heard.calls}) == 1
    assert tell(world, Webhook(heard.url)) == 0


def test_a_restart_tells_nothing_twice(world: World, heard: Heard) -> None:
    dead_order(world, 1)
    tell(world, Webhook(heard.url))
    world.crash("w2")
    assert tell(world, Webhook(heard.url)) == 0


def test_whoever_is_added_later_is_told_what_is_open(world: World, heard: Heard) -> None:
    dead_order(world, 1)
    assert tell(world) == 0
    assert tell(world, Webhook(heard.url)) == 1


def test_a_channel_that_cannot_be_reached_makes_no_other_hear_things_twice(world: World, heard: Heard) -> None:
    away, ops = Webhook("http://127.0.0.1:1/"), Webhook(heard.url)
    dead_order(world, 1)
    assert [tell(world, away, ops) for _ in range(3)] == [1, 0, 0]
    replay_one(world.engine, world.rows("SELECT delivery_id FROM deliveries")[0][0], ANNA)
    world.run()
    assert [tell(world, away, ops) for _ in range(3)] == [1, 0, 0]
    assert [body["type"] for body in heard.bodies] == ["hub.dead_letters.opened", "hub.dead_letters.recovered"]


def test_a_channel_that_failed_rests_before_it_is_asked_again(make_world: Any, heard: Heard, tmp_path: Path) -> None:
    (tmp_path / "HOOK").write_text(heard.url)
    world, heard.status = make_world(hub=b"time_zone: UTC\nnotify: [{webhook: secret://file/HOOK}]\n"), 503
    dead_order(world, 1)
    notifier = Notifier(world.engine, tmp_path)
    for _ in range(3):
        notifier.round()
        world.clock.at += 2
    assert len(heard.calls) == 1
    heard.status, world.clock.at = 204, world.clock.at + 30
    for _ in range(3):
        notifier.round()
    assert len(heard.calls) == 2


def test_a_secret_that_is_none_is_logged_and_keeps_nobody_else_waiting(world: World, heard: Heard) -> None:
    dead_order(world, 1)
    with structlog.testing.capture_logs() as logged:
        assert tell(world, Webhook("http://127.0.0.1:1/", "whsec_abcde"), Webhook(heard.url)) == 1
    assert "no Base64 follows" in logged[0]["reason"]


def test_a_secret_address_that_is_none_is_logged_without_it(make_world: Any, heard: Heard, tmp_path: Path) -> None:
    hub = b"time_zone: UTC\nnotify: [{webhook: secret://file/GOOD}, {webhook: secret://file/HOOK}]\n"
    world = make_world(hub=hub)
    dead_order(world, 1)
    (tmp_path / "GOOD").write_text(f"{heard.url} \n")
    for wrong, said in (
        ("https://hooks.example/T0/S3cret token", "notify[1]: webhook: an address holds no spaces"),
        ("https://hooks.example/T0/S3cret\u00e9", "notify[1]: webhook: an address holds no spaces"),
        ("https://hooks.example:S3cret/T0", "notify[1]: webhook: expected an http or https address"),
        ("https://..S3cret/T0", "notify[1]: webhook: expected an http or https address"),
        ("S3cret", "notify[1]: webhook: expected an http or https address"),
    ):
        (tmp_path / "HOOK").write_text(wrong)
        with structlog.testing.capture_logs() as logged:
            Notifier(world.engine, tmp_path).round()
        assert [said in line["reason"] for line in logged] == [True]
        assert "S3cret" not in str(logged)
    assert len(heard.calls) == 1


def test_what_a_library_says_of_a_wrong_address_is_not_logged(world: World) -> None:
    dead_order(world, 1)
    for wrong, said in (("http://127.0.0.1/S3cret ", "InvalidURL"), ("http://127.0.0.1:S3cret/", "ValueError")):
        with structlog.testing.capture_logs() as logged:
            assert tell(world, Webhook(wrong)) == 0
        assert [line["reason"] for line in logged] == [said]


def test_a_notice_is_signed_as_standard_webhooks_are(world: World, heard: Heard) -> None:
    key = b"0123456789abcdef0123456789abcdef"
    dead_order(world, 1)
    tell(world, Webhook(heard.url, "whsec_" + base64.b64encode(key).decode()))
    [(headers, body)] = heard.calls
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert int(headers["webhook-timestamp"]) == int(world.clock.at)


def test_a_system_that_the_hub_stopped_is_told_and_one_that_a_person_stopped_is_not(world: World, heard: Heard) -> None:
    steps.stop_system(world.engine, "wms", ANNA, "month end")
    world.target("erp").answers.append(Verdict(STOPPED, code="http_401", detail="the token was refused"))
    world.send(order(1))
    assert [row["name"] for row in switches.listed(world.store.reader())] == ["erp", "wms"]
    tell(world, Webhook(heard.url))
    assert [body["type"] for body in heard.bodies] == ["hub.switched_off.opened"]
    told = heard.bodies[0]["data"]["detail"]
    assert told == "system erp is stopped: the token was refused; once that is mended: o2c circuit erp start"
    [(failure,)] = world.rows("SELECT failure FROM deliveries WHERE system = 'erp'")
    assert json.loads(failure)["hint"].endswith("then: o2c circuit erp start")
    steps.switch_on(world.engine, "system", "erp", ANNA)
    world.run()
    tell(world, Webhook(heard.url))
    assert heard.bodies[-1]["type"] == "hub.switched_off.recovered"


def test_a_lane_that_waits_long_for_a_person_is_told(world: World, heard: Heard) -> None:
    world.target("erp").answers.append(Verdict("later", code="http_503", status=503))
    world.send(order(1))
    [(delivery,)] = world.rows("SELECT delivery_id FROM deliveries")
    steps.hold(world.engine, delivery, ANNA, "wait")
    world.send(order(1), order(1))
    tell(world, Webhook(heard.url))
    assert "hub.blocked_lane.opened" not in [body["type"] for body in heard.bodies]
    world.clock.at += notify.BLOCKED_SECONDS + 1
    tell(world, Webhook(heard.url))
    assert heard.bodies[-1]["type"] == "hub.blocked_lane.opened"
    assert heard.bodies[-1]["data"]["detail"].startswith("2 deliveries to erp wait")


def test_a_round_reads_who_is_to_be_told_from_the_configuration(make_world: Any, heard: Heard, tmp_path: Path) -> None:
    (tmp_path / "HOOK").write_text(heard.url)
    hub = "time_zone: UTC\nnotify: [{webhook: secret://file/HOOK}, {webhook: secret://file/NONE}]\n"
    world = make_world(hub=hub.encode())
    dead_order(world, 1)
    Notifier(world.engine, tmp_path).round()
    Notifier(world.engine, tmp_path).round()
    assert len(heard.calls) == 1


def test_a_channel_whose_secret_was_missing_for_a_round_hears_nothing_twice_and_what_ended_meanwhile(
    make_world: Any, heard: Heard, tmp_path: Path
) -> None:
    secret = tmp_path / "HOOK"
    secret.write_text(heard.url)
    world = make_world(hub=b"time_zone: UTC\nnotify: [{webhook: secret://file/HOOK}]\n")
    notifier = Notifier(world.engine, tmp_path)
    dead_order(world, 1)
    world.store.write(lambda db: switches.throw(db, "route", "orders", "paused", "why", world.clock.at, "hub"))
    notifier.round()
    secret.unlink()
    steps.switch_on(world.engine, "route", "orders", ANNA, "")
    notifier.round()
    secret.write_text(heard.url)
    notifier.round()
    types = sorted(body["type"] for body in heard.bodies)
    assert types == ["hub.dead_letters.opened", "hub.switched_off.opened", "hub.switched_off.recovered"]


# -- mail ----------------------------------------------------------------------------------------------------------


class Post(socketserver.StreamRequestHandler):
    """As much of an SMTP server as a mail needs."""

    mails: list[str] = []  # noqa: RUF012  of the one server of a test
    refuses = False

    def handle(self) -> None:
        self.wfile.write(b"220 post\r\n")
        while line := self.rfile.readline():
            command = line.split()[0].upper() if line.split() else b""
            if command == b"DATA":
                self.wfile.write(b"354 go\r\n")
                lines = []
                while (part := self.rfile.readline()) not in (b".\r\n", b""):
                    lines.append(part.decode())
                self.mails.append("".join(lines))
            if command == b"RCPT" and self.refuses:
                self.wfile.write(b"550 nobody here\r\n")
            else:
                self.wfile.write(b"250 ok\r\n" if command != b"QUIT" else b"221 bye\r\n")


@pytest.fixture
def post() -> Iterator[int]:
    Post.mails, Post.refuses = [], False
    with socketserver.TCPServer(("127.0.0.1", 0), Post) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_a_mail_says_what_is_open_and_what_to_do(world: World, post: int) -> None:
    dead_order(world, 1)
    mail = Mail("127.0.0.1", post, "hub@example.com", ("ops@example.com",), encryption="none")
    assert tell(world, mail) == 1
    [text] = Post.mails
    assert "To: ops@example.com" in text and "o2c-hub: open: orders: 1 dead" in text
    assert "o2c replay --issue" in text.replace("=\r\n", "")


def test_a_mail_that_is_refused_is_tried_again(world: World, post: int) -> None:
    dead_order(world, 1)
    Post.refuses = True
    mail = Mail("127.0.0.1", post, "hub@example.com", ("ops@example.com",), encryption="none")
    assert tell(world, mail) == 0
    Post.refuses = False
    assert tell(world, mail) == 1


def test_the_configuration_makes_signed_webhooks_and_mails(tmp_path: Path) -> None:
    (tmp_path / "HOOK").write_text("a-secret")
    hub = b"""
notify:
  - {webhook: "https://ops.example/hook", secret: secret://file/HOOK}
  - email: {server: mail.example, from: hub@example.com, to: [a@example.com, b@example.com], password: secret://file/HOOK}
"""
    settings, faults = load_settings({"config/hub.yaml": hub})
    assert faults == []
    assert notify.channels_of(settings, tmp_path) == [
        Webhook("https://ops.example/hook", "a-secret"),
        Mail("mail.example", 587, "hub@example.com", ("a@example.com", "b@example.com"), password="a-secret"),
    ]
