"""What the suite of connectors needs to know of one: how it is opened, and what has truly happened on the other side.

A connector that is not here is found by ``test_connectors.py``. One of a project's own is tried with a file of its own
that has a subclass of ``Side``, named by the variable O2C_CONNECTOR_SIDE (``make conformance CONNECTOR=FILE``).
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import socketserver
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cutter import Cutter, cutter
from polling import rules
from scripted_server import Line, Request, ScriptedServer
from sftp_server import SftpServer, sftp_server
from soap_calls import ORDER, envelope
from soap_services import WSDL, wsdl_files

import connectors
from connectors import file, http, sftp, soap
from connectors.base import Destination, Parcel, Source

OWN = Path(__file__).parent / "own"
RIGHT, WRONG = "the-right-word", "some-other-word"
LARGE = "x" * 40_000  # so that a document goes over the line in several pieces


class Side:
    """One connector and its other side, which runs from ``__enter__`` to ``__exit__``.

    ``port`` is where the other side listens; with ``has_line`` what goes there is a line that can be cut. ``modes`` are
    those of ``idempotency`` that it has.
    """

    name = ""
    modes: tuple[str, ...] = ("native", "lookup")
    sends = fetches = has_line = True
    stride = 1  # how many pieces further the line is cut the next time
    few = 2  # things to fetch, where each piece of a reading is tried

    def __init__(self) -> None:
        self.port = 0
        self.deduplicates = True  # whether the other side knows keys again; it has to for native
        self.ends = ExitStack()

    def __enter__(self) -> Side:
        return self

    def __exit__(self, *_: object) -> None:
        self.ends.close()

    def destination(
        self, *, port: int | None = None, word: str = RIGHT, patience: float = 10.0, mode: str = "native",
        at_once: int = 2,
    ) -> Destination:  # fmt: skip
        """A system that leads to the other side, or to another port; ``word`` is the secret it is known by,
        ``patience`` each of its time-outs in seconds, ``at_once`` how much it may do at a time."""
        raise NotImplementedError

    def source(
        self, *, port: int | None = None, word: str = RIGHT, patience: float = 10.0, later: float = 0.0
    ) -> Source:
        """The same for fetching. ``later``: so many seconds from now, when what a crash left behind is free again."""
        raise NotImplementedError

    def parcel(self, key: str) -> Parcel:
        """Something that can be sent under this key."""
        return Parcel(key.partition(".")[0], key, json.dumps({"key": key, "text": LARGE}).encode())

    def taken(self, key: str) -> list[bytes]:
        """What has come of the parcel under this key, once for each effect it had."""
        raise NotImplementedError

    def offer(self, count: int) -> dict[str, bytes]:
        """Have so many things for a source, and no others; gives what they are, by their names."""
        raise NotImplementedError


class HttpSide(Side):
    """A server that knows keys again, or can be asked for them; its things come one a page."""

    name = "http"

    def __enter__(self) -> Side:
        self.bodies: dict[str, list[bytes]] = defaultdict(list)
        self.things: list[dict[str, str]] = []
        self.server = self.ends.enter_context(ScriptedServer(self._answer))
        self.port = self.server.port
        return self

    async def _answer(self, request: Request, line: Line) -> None:
        if request.headers.get("authorization") != f"Bearer {RIGHT}":
            await line.answer(401)
        elif request.path.startswith("/things"):
            await self._page(line, int(parse_qs(urlsplit(request.path).query).get("after", ["0"])[0]))
        elif request.method == "GET":
            await line.answer(200 if self.bodies[request.path.rpartition("=")[2]] else 404)
        else:
            bodies = self.bodies[request.headers["idempotency-key"]]
            if not (bodies and self.deduplicates):
                bodies.append(request.body)
            await line.answer(201)

    async def _page(self, line: Line, start: int) -> None:
        page: dict[str, Any] = {"things": self.things[start : start + 1]}
        if start + 1 < len(self.things):
            page["next"] = str(start + 1)
        await line.answer(200, json.dumps(page).encode())

    def _config(self, port: int | None, word: str, patience: float) -> dict[str, Any]:
        return {
            "base_url": f"http://127.0.0.1:{port or self.port}", "auth": {"type": "bearer", "token": word},
            "timeouts": {"connect": patience, "read": patience},
        }  # fmt: skip

    def destination(
        self, *, port: int | None = None, word: str = RIGHT, patience: float = 10.0, mode: str = "native",
        at_once: int = 2,
    ) -> Destination:  # fmt: skip
        known = {"mode": mode, **({"request": "GET /found?ref={key}"} if mode == "lookup" else {})}
        limits = {"concurrency": at_once}
        return http.destination({**self._config(port, word, patience), "idempotency": known, "limits": limits})

    def source(
        self, *, port: int | None = None, word: str = RIGHT, patience: float = 10.0, later: float = 0.0
    ) -> Source:
        fetch = {"request": "GET /things", "items": "body.things", "id": "item.id",
                 "paging": {"type": "cursor", "next": "body.next", "parameter": "after"}}  # fmt: skip
        return http.source({**self._config(port, word, patience), "fetch": rules(fetch)})

    def taken(self, key: str) -> list[bytes]:
        return self.bodies[key]

    def offer(self, count: int) -> dict[str, bytes]:
        self.things = [{"id": f"T-{number}", "text": LARGE} for number in range(count)]
        return {each["id"]: json.dumps(each, separators=(",", ":")).encode() for each in self.things}


class SoapSide(HttpSide):
    """The same in envelopes. What it calls the parcel's document is the order's number."""

    name, fetches = "soap", False

    async def _answer(self, request: Request, line: Line) -> None:
        kind = {"content_type": "text/xml; charset=utf-8"}
        if request.headers.get("authorization") != f"Bearer {RIGHT}":
            await line.answer(401)
        elif "FindOrder" in request.headers["soapaction"]:
            key = request.body.partition(b"reference>")[2].partition(b"<")[0].decode()
            number = f"<r:number>{key}</r:number>" if self.bodies[key] else ""
            said = f"<r:FindOrderResponse xmlns:r='urn:example:orders'>{number}</r:FindOrderResponse>"
            await line.answer(200, envelope(said), **kind)
        else:
            bodies = self.bodies[request.headers["idempotency-key"]]
            if not (bodies and self.deduplicates):
                assert request.body.rstrip().endswith(b"Envelope>")
                bodies.append(self.parcel(request.headers["idempotency-key"]).body)
            said = (
                "<r:CreateOrderResponse xmlns:r='urn:example:orders'><r:number>S-1</r:number></r:CreateOrderResponse>"
            )
            await line.answer(200, envelope(said), **kind)

    def destination(
        self, *, port: int | None = None, word: str = RIGHT, patience: float = 10.0, mode: str = "native",
        at_once: int = 2,
    ) -> Destination:  # fmt: skip
        config = self._config(port, word, patience)
        known: dict[str, Any] = {"mode": mode}
        if mode == "lookup":
            found = {"found": lambda body, **_: bool(body.get("number")), "arguments": {"reference": "{key}"}}
            known |= {"operation": "FindOrder", **found}
        address = {"address": f"{config.pop('base_url')}/orders", "wsdl": WSDL, "files": wsdl_files()}
        # A service that is only asked is not told the key by the connector itself.
        headers = {"headers": {"Idempotency-Key": "{key}"}} if mode == "lookup" else {}
        return soap.destination(
            {**config, **address, **headers, "idempotency": known, "limits": {"concurrency": at_once}}
        )

    def parcel(self, key: str) -> Parcel:
        lines = ORDER["line"] * 20
        return Parcel(key.partition(".")[0], key, json.dumps({"CreateOrder": {**ORDER, "line": lines}}).encode())


class FileSide(Side):
    """Folders of this machine."""

    name, module, has_line = "file", file, False
    marker = ""

    def __enter__(self) -> Side:
        self.folder = Path(self.ends.enter_context(tempfile.TemporaryDirectory(prefix="o2c-side-")))
        self._open_folders()
        return self

    def _open_folders(self) -> None:
        for name in ("in", "out"):
            (self.folder / name).mkdir(exist_ok=True)
            (self.folder / name).chmod(0o777)

    def _config(self, port: int | None, word: str, patience: float) -> dict[str, Any]:
        if word != RIGHT:
            return {"root": "/sys"}  # nobody may write there, not even root
        return {"root": str(self.folder / "away" if port else self.folder)}

    def destination(
        self, *, port: int | None = None, word: str = RIGHT, patience: float = 10.0, mode: str = "native",
        at_once: int = 2,
    ) -> Destination:  # fmt: skip
        folder = "kernel" if word != RIGHT and self.name == "file" else "out"
        send = {"folder": folder, "threads": at_once, "marker": self.marker}
        destination: Destination = self.module.destination({**self._config(port, word, patience), "send": send})
        return destination

    def source(
        self, *, port: int | None = None, word: str = RIGHT, patience: float = 10.0, later: float = 0.0
    ) -> Source:
        folder = "kernel" if word != RIGHT and self.name == "file" else "in"
        fetch = {"folder": folder, "ready": "rename", "lease": 300.0}
        config = {**self._config(port, word, patience), "fetch": fetch}
        source: Source = self.module.source(config, lambda: time.time() + later)
        return source

    def taken(self, key: str) -> list[bytes]:
        paths = [path for path in (self.folder / "out").iterdir() if path.name.startswith(f"{key}.")]
        return [path.read_bytes() for path in paths if path.suffix not in (".tmp", ".done")]

    def offer(self, count: int) -> dict[str, bytes]:
        for path in self.folder.iterdir():
            shutil.rmtree(path)
        self._open_folders()
        things = {f"{number}.csv": f"{number};{LARGE}".encode() for number in range(count)}
        for name, content in things.items():
            (self.folder / "in" / name).write_bytes(content)
        return things


class SftpSide(FileSide):
    """Folders that a real OpenSSH server gives out; its files have markers."""

    name, module, has_line = "sftp", sftp, True

    def __enter__(self) -> Side:
        self.server: SftpServer = self.ends.enter_context(sftp_server())
        self.port, self.folder = self.server.port, self.server.folder("side")
        self._stranger = self.server.new_key("stranger")
        self._open_folders()
        return self

    marker, stride, few = "{name}.done", 4, 1  # the receiver waits for a marker

    def taken(self, key: str) -> list[bytes]:
        return super().taken(key) if list((self.folder / "out").glob(f"{key}.*.done")) else []

    def _config(self, port: int | None, word: str, patience: float) -> dict[str, Any]:
        known = {} if word == RIGHT else {"key": self._stranger}
        timeouts = {"connect": patience, "read": patience}
        return self.server.config(port=port or self.port, root=self.folder.name, timeouts=timeouts, **known)


class TelexSide(Side):
    """The exchange of a project's own connector."""

    name = "telex"

    def __enter__(self) -> Side:
        self.bodies: dict[str, list[bytes]] = defaultdict(list)
        self.things: dict[str, bytes] = {}
        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), self._exchange())
        server.daemon_threads = True
        self.ends.callback(server.server_close)
        self.ends.callback(server.shutdown)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        self.port = server.server_address[1]
        return self

    def _exchange(side: TelexSide) -> type[socketserver.StreamRequestHandler]:
        class Exchange(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                with_us = False
                while words := self.rfile.readline().decode().split():
                    with_us = with_us or words == ["HELLO", RIGHT]
                    try:
                        self.wfile.write(self._said(words) if with_us else b"NO\n")
                    except OSError:
                        return

            def _said(self, words: list[str]) -> bytes:
                match words:
                    case ["PUT", key, size]:
                        body = self.rfile.read(int(size))
                        if len(body) == int(size) and not (side.bodies[key] and side.deduplicates):
                            side.bodies[key].append(body)
                    case ["ASK", key]:
                        return b"YES\n" if side.bodies[key] else b"NO\n"
                    case ["LIST"]:
                        return " ".join(side.things).encode() + b"\n"
                    case ["GET", name]:
                        return b"%d\n" % len(side.things[name]) + side.things[name]
                    case ["TAKEN", name]:
                        side.things.pop(name, None)
                return b"OK\n"

        return Exchange

    def _config(self, port: int | None, word: str, patience: float) -> Mapping[str, Any]:
        return {"port": port or self.port, "password": word, "patience": patience, "lines": 1}

    def destination(
        self, *, port: int | None = None, word: str = RIGHT, patience: float = 10.0, mode: str = "native",
        at_once: int = 2,
    ) -> Destination:  # fmt: skip
        module = connectors.connector("telex", OWN)
        destination: Destination = module.destination({**self._config(port, word, patience), "lines": at_once})
        return destination

    def source(
        self, *, port: int | None = None, word: str = RIGHT, patience: float = 10.0, later: float = 0.0
    ) -> Source:
        source: Source = connectors.connector("telex", OWN).source(self._config(port, word, patience))
        return source

    def taken(self, key: str) -> list[bytes]:
        return self.bodies[key]

    def offer(self, count: int) -> dict[str, bytes]:
        self.things = {f"T{number}": f"{number};{LARGE}".encode() for number in range(count)}
        return dict(self.things)


def _sides() -> dict[str, type[Side]]:
    path = os.environ.get("O2C_CONNECTOR_SIDE")
    if not path:
        return {kind.name: kind for kind in (HttpSide, SoapSide, FileSide, SftpSide, TelexSide)}
    spec = importlib.util.spec_from_file_location("own_side", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    kinds = [kind for kind in vars(module).values() if isinstance(kind, type) and issubclass(kind, Side)]
    return {kind.name: kind for kind in kinds if kind.__module__ == spec.name}


SIDES = _sides()


@pytest.fixture(scope="module")
def sides() -> Iterator[Callable[[str], Side]]:
    """The other side of a connector, started when it is first asked for."""
    opened: dict[str, Side] = {}
    with ExitStack() as running:

        def start(name: str) -> Side:
            if name not in opened:
                opened[name] = running.enter_context(SIDES[name]())
            return opened[name]

        yield start


@pytest.fixture
def closing() -> Iterator[Callable[[Any], Any]]:
    """Closes at the end what it was given."""
    with ExitStack() as ends:

        def close(what: Any) -> Any:
            ends.callback(what.close)
            return what

        yield close


def line_to(side: Side) -> AbstractContextManager[Cutter]:
    """A line to the other side that can be cut."""
    return cutter(side.port)


def was_cut(line: Cutter, way: str, piece: int) -> bool:
    """Whether there was such a piece, of the request (cut_in) or of the answer (cut_back)."""
    return (line.seen if way == "cut_in" else line.seen_back) >= piece
