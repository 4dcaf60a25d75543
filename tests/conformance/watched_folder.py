"""A watched folder for the tests of the connectors file and sftp: put files in, move the clocks, see what is taken.

What a server gives out lies on this machine too, so that both are looked at alike.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sftp_server import SftpServer, sftp_server

from connectors import file, sftp
from connectors.base import Incoming, Source

NOON = 1_772_712_000.0  # 2026-03-05T12:00:00Z
TODAY = "archive/2026/03/05"
_SERVED: dict[Path, SftpServer] = {}


@pytest.fixture(scope="module")
def server() -> Iterator[SftpServer]:
    with sftp_server() as running:
        yield running


@pytest.fixture(params=["file", "sftp"])
def base(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A folder of this machine, and one that a server gives out."""
    if request.param == "file":
        yield tmp_path
        return
    server: SftpServer = request.getfixturevalue("server")
    folder = server.folder(tmp_path.name)
    _SERVED[folder] = server
    yield folder
    del _SERVED[folder]


@pytest.fixture
def root(base: Path) -> Path:
    """Such a folder with the folder to watch in it."""
    open_folder(base / "in")
    return base


def open_folder(path: Path) -> None:
    """One that the server's user may write to, too."""
    path.mkdir()
    path.chmod(0o777)


def reached(root: Path) -> tuple[ModuleType, dict[str, Any]]:
    """The connector, and what it is told, that leads there."""
    server = _SERVED.get(root)
    return (sftp, server.config(root=str(root))) if server else (file, {"root": str(root)})


class Times:
    """Both clocks of a source, moved by hand."""

    def __init__(self) -> None:
        self.now, self.monotonic = NOON, 100.0

    def pass_by(self, seconds: float) -> None:
        self.now += seconds
        self.monotonic += seconds


def fetching(root: Path, times: Times, files: dict[str, bytes] | None = None, **settings: Any) -> Source:
    module, config = reached(root)
    # Asked for so seldom that connections are closed between two rounds.
    config["files"] = files or {}
    config["fetch"] = {"folder": "in", "ready": "rename", "every": 3600.0, **settings}
    return module.source(config, lambda: times.now, lambda: times.monotonic)  # type: ignore[no-any-return]


class Accepted(list[Incoming]):
    """Takes everything, as the hub does: all bytes first, then the rest."""

    def __init__(self) -> None:
        super().__init__()
        self.bodies: list[bytes] = []

    def __call__(self, incoming: Incoming) -> None:
        self.bodies.append(b"".join(incoming.chunks))
        self.append(incoming)

    @property
    def names(self) -> list[str]:
        return [incoming.name for incoming in self]


def taken(source: Source) -> list[str]:
    accepted = Accepted()
    assert source.fetch(accepted) == len(accepted)
    return accepted.names


def crash(source: Source) -> None:
    """Its process dies with the first file that it takes in hand."""

    def die(incoming: Incoming) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        source.fetch(die)


def put(root: Path, name: str, content: bytes = b"content") -> Path:
    path = root / "in" / name
    path.write_bytes(content)
    return path


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def note(root: Path, name: str) -> dict[str, str]:
    return dict(json.loads((root / "error" / f"{name}.error.json").read_text()))
