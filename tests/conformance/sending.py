"""What the tests of the http connector share: parcels, verdicts that come in, certificates, servers that misbehave."""

from __future__ import annotations

import asyncio
import datetime
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from scripted_server import Line, Request, Script, ScriptedServer, always
from servers import free_port

from connectors import http
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


STATUSES = [
    (200, DELIVERED, ""), (202, DELIVERED, ""), (204, DELIVERED, ""),
    (301, REFUSED, "http_301"), (302, REFUSED, "http_302"), (304, REFUSED, "http_304"), (307, REFUSED, "http_307"),
    (400, REFUSED, "http_400"), (401, STOPPED, "credentials_refused"), (403, STOPPED, "access_denied"),
    (404, REFUSED, "http_404"), (405, REFUSED, "http_405"), (408, DOUBT, "http_408"), (409, REFUSED, "http_409"),
    (410, STOPPED, "gone"), (413, REFUSED, "http_413"), (415, REFUSED, "http_415"), (422, REFUSED, "http_422"),
    (425, LATER, "http_425"), (429, LATER, "http_429"), (500, DOUBT, "http_500"), (501, REFUSED, "http_501"),
    (502, DOUBT, "http_502"), (503, LATER, "http_503"), (504, DOUBT, "http_504"), (599, DOUBT, "http_599"),
]  # fmt: skip


def in_ten_seconds() -> str:
    return format_datetime(datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=10), usegmt=True)


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


def closed_port() -> int:
    """A port at which nobody listens."""
    return free_port()


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


def dies_on_reuse(died: threading.Event) -> Script:
    """Answers the first request of a connection and dies on the second without a word: the race that cannot be seen."""

    async def script(request: Request, line: Line) -> None:
        if request.connection == 1 and request.number > 1:
            line.close()
            died.set()
        else:
            await line.answer(200)

    return script


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


TOKEN_TROUBLE = [
    (always(401, b'{"error": "invalid_client"}'), STOPPED, "token_refused", "(invalid_client)"),
    (always(400, b'{"error": "<b>leak</b>"}'), STOPPED, "token_refused", "client_secret"),
    (always(500), LATER, "token_unavailable", "500"),
    (always(200, b"<html>"), LATER, "token_unavailable", "gave no token"),
    (always(200, b'{"access_token": "a\\r\\nX: y"}'), LATER, "token_unavailable", "gave no token"),
    (closes, LATER, "token_unavailable", "no token"),
    (always(200, b'{"access_token": "t", "more": ' + b"[" * 60_000), LATER, "token_unavailable", "RecursionError"),
]


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


# Looking up, checking, closing


def found(body: Any, **_: Any) -> bool:
    return len(body["rows"]) > 0


LOOK_UPS = [
    (always(200, b'{"rows": [1]}'), found, FOUND, ""), (always(200, b'{"rows": []}'), found, ABSENT, ""),
    (always(200), None, FOUND, ""), (always(404), None, ABSENT, ""), (always(404, b"<html>"), found, ABSENT, ""),
    (always(200, b"<html>"), found, DOUBT, "rule_failed"), (always(500), found, LATER, "http_500"),
    (always(400), found, DOUBT, "http_400"), (always(401), found, STOPPED, "credentials_refused"),
    (closes, found, LATER, "connection_closed"), (half_a_body, None, LATER, "answer_cut"),
]  # fmt: skip


def send_here(to: Destination) -> Verdict:
    got: list[Verdict] = []
    to.submit([parcel()], lambda batch: got.extend(verdict for _, verdict in batch))
    return got[0]


# Settings

MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"base_url": "ftp://x"}, "base_url: expected an http or https address, such as https://host.example"),
    ({"base_url": "http://x:99999"}, "base_url: not an address; write https://host.example or http://host:8080/path"),
    ({"base_url": f"http://{'a' * 70}.example"}, "base_url: not an address; write https://host.example"),
    ({"base_url": "http://x?a=1"}, "base_url: an address here has no '?' and no '#'; put them into path:"),
    ({"base_url": "http://x/a b"}, "base_url: an address holds no spaces or accents; write them as %20"),
    ({"base_url": "http://x/caf\u00e9"}, "base_url: an address holds no spaces or accents; write them as %20"),
    ({"auth": {"type": "oauth2", "token_url": "http://t.example/t", "client_id": "hub", "client_secret": "s3cret"}},
     "auth.token_url: over plain http our secret can be read on its way; write https://, or insecure: true beside"),
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
