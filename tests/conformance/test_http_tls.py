"""The http connector: certificates, proxies, look-ups, closing, and what the lint says."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from scripted_server import Line, Request, Script, ScriptedServer, always
from sending import (
    LOOK_UPS,
    LOOKUP,
    MISTAKES,
    Collected,
    accepting,
    brief,
    certificates,
    closed_port,
    make,
    oauth2,
    parcel,
    send,
    send_here,
    serving,
)

from connectors import _sender, http
from connectors.base import (
    DELIVERED,
    LATER,
    STOPPED,
    Parcel,
    PermanentError,
)


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


@pytest.mark.parametrize(("status", "kind"), [(407, STOPPED), (502, LATER)])
def test_a_proxy_that_refuses_the_tunnel_is_for_later_or_stops_the_system(make: Any, status: int, kind: str) -> None:
    with ScriptedServer(always(status)) as proxy:
        [verdict] = send(make("https://erp.example", proxy=proxy.url))
        assert brief(verdict) == (kind, "proxy_refused")
        assert verdict.detail == f"the proxy answered {status} when asked for erp.example:443"


def test_a_proxy_that_wants_other_credentials_stops_the_system_also_without_a_tunnel(make: Any) -> None:
    with ScriptedServer(always(407)) as proxy:
        [verdict] = send(make("http://erp.example", proxy=proxy.url))
        assert brief(verdict) == (STOPPED, "proxy_refused")
        assert (
            verdict.detail == "the system answered 407 Proxy Authentication Required; that is the proxy's: see proxy:"
        )


@pytest.mark.parametrize(("script", "rule", "kind", "code"), LOOK_UPS, ids=range(len(LOOK_UPS)))
def test_a_look_up_answers_or_says_that_it_cannot_tell(
    make: Any, script: Script, rule: Any, kind: str, code: str
) -> None:
    with ScriptedServer(script) as server:
        verdict = make(server, idempotency={**LOOKUP, "found": rule}).look_up(parcel())
        assert brief(verdict) == (kind, code)
        assert (server.requests[0].method, server.requests[0].path) == ("GET", "/sales?ref=d-1.1")
        assert server.requests[0].body == b""


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


def test_what_is_handed_over_in_the_moment_of_closing_gets_its_verdict() -> None:
    with ScriptedServer() as server:
        to = http.destination({"base_url": server.url})
        closing, hand_over = threading.Thread(target=to.close), to._channel.submit

        def late(jobs: Any) -> None:
            closing.start()
            closing.join(0.3)  # as long as it takes to find nothing under way, and to end the engine
            hand_over(jobs)

        to._channel.submit = late  # type: ignore[method-assign]
        assert brief(send(to)[0]) in ((LATER, "closing"), (DELIVERED, ""))
        closing.join(20)


def test_a_look_up_in_a_system_that_is_closed_is_for_later() -> None:
    """Settings may change just then: what asks the old connection finds it closed."""
    to = http.destination({"base_url": "http://localhost", "idempotency": LOOKUP})
    to.close()
    assert brief(to.look_up(parcel())) == (LATER, "closing")


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
