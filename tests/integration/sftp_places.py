"""Folders on a real OpenSSH server, and both ends of the connector, for its tests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cutter import Cutter, cutter
from sftp_server import SftpServer, sftp_server

from connectors import sftp
from connectors.base import Destination, Incoming, Parcel, Verdict

BODY = b"0123456789" * 20_000


@pytest.fixture(scope="module")
def server() -> Iterator[SftpServer]:
    with sftp_server() as running:
        yield running


@pytest.fixture
def line(server: SftpServer) -> Iterator[Cutter]:
    with cutter(server.port) as cut:
        yield cut


@pytest.fixture
def root(server: SftpServer, tmp_path: Path) -> Path:
    """A folder on the server with ``in`` and ``out`` in it."""
    folder = server.folder(tmp_path.name)
    for name in ("in", "out"):
        server.folder(f"{folder.name}/{name}")
    return folder


@pytest.fixture
def open_source(server: SftpServer, root: Path) -> Iterator[Callable[..., Any]]:
    made: list[Any] = []

    def make(now: Callable[[], float] | None = None, fetch: dict[str, Any] | None = None, **changed: Any) -> Any:
        config = server.config(root=root.name, **changed)
        config["fetch"] = {"folder": "in", "ready": "rename", **(fetch or {})}
        made.append(sftp.source(config, *([now] if now else [])))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def open_destination(server: SftpServer, root: Path) -> Iterator[Callable[..., Destination]]:
    made: list[Destination] = []

    def make(send: dict[str, Any] | None = None, **changed: Any) -> Destination:
        config = server.config(root=root.name, **changed)
        config["send"] = {"folder": "out", **(send or {})}
        made.append(sftp.destination(config))
        return made[-1]

    yield make
    for one in made:
        one.close()


def taken(source: Any) -> dict[str, bytes]:
    """What a source gives in one round."""
    found: dict[str, bytes] = {}

    def accept(incoming: Incoming) -> None:
        body = b"".join(incoming.chunks)
        assert incoming.name not in found
        found[incoming.name] = body

    source.fetch(accept)
    return found


def sent(destination: Destination, parcel: Parcel) -> Verdict:
    verdicts: list[Verdict] = []
    done = threading.Event()

    def finished(batch: list[tuple[Parcel, Verdict]]) -> None:
        verdicts.extend(verdict for _, verdict in batch)
        done.set()

    destination.submit([parcel], finished)
    assert done.wait(60)
    [verdict] = verdicts
    return verdict


def parcel(body: bytes = BODY, key: str = "d1.0", **more: Any) -> Parcel:
    return Parcel(key.partition(".")[0], key, body, **more)
