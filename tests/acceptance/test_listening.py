"""Where the hub listens: with a certificate, behind a proxy, on another port than before; commands find it there."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import ssl
import subprocess
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from program import SHOP, answer, new_project, o2c, order, started, wait_for
from servers import free_port

CERTIFICATE, KEY = "tls/hub.pem", ".o2c/secrets/hub.key"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return new_project(tmp_path, "shop")


def set_http(project: Path, *more: str) -> int:
    """More settings under ``http:``, on a port that no command knows yet; gives the port."""
    port = free_port()
    path = project / "config/hub.yaml"
    lines = path.read_text().splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("http:"))
    settings = ", ".join((f'listen: "127.0.0.1:{port}"', *more))
    path.write_text("\n".join([*lines[:place], f"http: {{{settings}}}", *lines[place + 1 :]]) + "\n")
    return port


EC, RSA = ("ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"), ("rsa:2048",)


def make_certificate(project: Path, *options: str, key: Sequence[str] = EC) -> None:
    (project / "tls").mkdir(exist_ok=True)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", *key, "-nodes", "-days", "2",
         "-subj", "/CN=hub.example", "-addext", "subjectAltName=DNS:hub.example", "-keyout", str(project / KEY),
         "-out", str(project / CERTIFICATE), *options],
        check=True, capture_output=True,
    )  # fmt: skip


TLS = f"tls: {{certificate: {CERTIFICATE}, key: 'secret://file/hub.key'}}"


def test_with_a_certificate_all_is_https_and_the_commands_believe_that_very_one(project: Path) -> None:
    make_certificate(project)
    port = set_http(project, TLS)
    with started(project):
        believing = ssl.create_default_context(cafile=project / CERTIFICATE)
        raw = socket.create_connection(("127.0.0.1", port), timeout=5)
        with believing.wrap_socket(raw, server_hostname="hub.example") as line:
            assert line.version() in ("TLSv1.2", "TLSv1.3")
            line.sendall(b"GET /healthz HTTP/1.1\r\nHost: hub.example\r\nConnection: close\r\n\r\n")
            assert line.recv(1000).startswith(b"HTTP/1.1 200")
        with pytest.raises((http.client.HTTPException, OSError)):
            plain = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            plain.request("GET", "/healthz")
            plain.getresponse()
        assert o2c(project, "send", SHOP, order(project, 1)).returncode == 0
        wait_for(project, 1)
        [item] = answer(project, "messages")["items"]
        assert [line["state"] for line in item["deliveries"]] == ["delivered", "delivered"]
        believe(project, another_certificate(project))
        assert "no hub answers at https://" in o2c(project, "messages").stderr


def another_certificate(project: Path) -> Path:
    """One that the hub does not show."""
    kept = [(project / name, (project / name).read_bytes()) for name in (CERTIFICATE, KEY)]
    make_certificate(project, "-out", str(project / "other.pem"))
    for path, content in kept:
        path.write_bytes(content)
    return project / "other.pem"


def believe(project: Path, certificate: Path) -> None:
    local = json.loads((project / ".o2c/local.json").read_text())
    (project / ".o2c/local.json").write_text(json.dumps({**local, "certificate": str(certificate)}))


def test_a_certificate_that_is_replaced_is_shown_without_a_restart(project: Path) -> None:
    make_certificate(project)
    set_http(project, TLS)
    with started(project):
        make_certificate(project, "-out", str(project / "next.pem"))  # the key is another one, its certificate not yet
        until(lambda: "KEY_VALUES_MISMATCH" in (project / "hub.log").read_text())
        assert o2c(project, "messages").returncode == 0
        shutil.copy(project / "next.pem", project / CERTIFICATE)
        until(lambda: o2c(project, "messages").returncode == 0)
        assert "another certificate is shown" in (project / "hub.log").read_text()
        make_certificate(project, key=RSA)  # the commands believe the certificate in the file and no other
        until(lambda: (project / "hub.log").read_text().count("another certificate is shown") == 2)
        assert o2c(project, "messages").returncode == 0


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def no_certificate(project: Path) -> None:
    (project / CERTIFICATE).unlink()


def no_key(project: Path) -> None:
    (project / KEY).unlink()


def another_key(project: Path) -> None:
    make_certificate(project, "-out", str(project / "other.pem"))


def no_pem(project: Path) -> None:
    (project / CERTIFICATE).write_text("hello")


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (no_certificate, "http.tls.certificate: "),
        (no_key, "http.tls.key: "),
        (another_key, "secret://file/hub.key is not the key of tls/hub.pem"),
        (no_pem, "are not a certificate and its private key (PEM)"),
    ],
)
def test_a_certificate_that_cannot_be_used_stops_the_start_with_a_reason(project: Path, spoil: Any, text: str) -> None:
    make_certificate(project)
    set_http(project, TLS)
    spoil(project)
    ended = o2c(project, "run")
    assert ended.returncode == 1
    assert text in ended.stderr
    assert text in o2c(project, "doctor").stdout


def test_commands_find_a_hub_that_listens_elsewhere_than_before(project: Path) -> None:
    port = set_http(project)
    with started(project):
        sent = o2c(project, "send", SHOP, order(project, 1))
        assert (sent.returncode, "no hub answers" in sent.stderr) == (0, False)
        local = json.loads((project / ".o2c/local.json").read_text())
        assert local["url"] == f"http://127.0.0.1:{port}"
        assert (project / ".o2c/local.json").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("left", [".o2c/local.json", "nothing"])
def test_a_project_whose_store_is_new_is_opened_by_its_own_commands(project: Path, left: str) -> None:
    shutil.rmtree(project / "data")
    if left == "nothing":  # as in a project that somebody cloned
        (project / ".o2c/local.json").unlink()
    set_http(project)
    with started(project):
        assert o2c(project, "messages").returncode == 0
        assert (project / ".o2c/local.json").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("settings", "origin"),
    [
        ((), "127.0.0.1"),
        (("trusted_proxies: [10.9.9.9]",), "127.0.0.1"),
        (("trusted_proxies: [127.0.0.1]",), "203.0.113.9"),
    ],
)
def test_only_a_trusted_proxy_is_believed_where_a_request_comes_from(
    project: Path, settings: tuple[str, ...], origin: str
) -> None:
    set_http(project, *settings)
    with started(project):
        o2c(project, "send", SHOP, order(project, 1, currency=None))
        wait_for(project, 1)
        local = json.loads((project / ".o2c/local.json").read_text())
        [item] = answer(project, "messages")["items"]
        call(local, "POST", f"/messages/{item['message_id']}/resolve", {"reason": "entered by hand"})
        acts = call(local, "GET", "/audit", None)["items"]
        assert [act["origin"] for act in acts if act["action"] == "message.resolve"] == [origin]


def call(local: dict[str, str], method: str, path: str, body: Any) -> Any:
    connection = http.client.HTTPConnection(urlsplit(local["url"]).netloc, timeout=10)
    headers = {
        "Authorization": f"Bearer {local['api_key']}", "X-Forwarded-For": "203.0.113.9",
        "Idempotency-Key": str(uuid.uuid4()), "Content-Type": "application/json",
    }  # fmt: skip
    connection.request(method, f"/api/v1{path}", None if body is None else json.dumps(body), headers)
    answered = connection.getresponse()
    said = json.loads(answered.read() or b"null")
    connection.close()
    assert answered.status < 300, said
    return said
