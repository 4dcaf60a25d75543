"""A watched folder for the tests of the file connector: put files in, move the clocks, see what is taken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from connectors import file
from connectors.base import Incoming, Source

NOON = 1_772_712_000.0  # 2026-03-05T12:00:00Z
TODAY = "archive/2026/03/05"


class Times:
    """Both clocks of a source, moved by hand."""

    def __init__(self) -> None:
        self.now, self.monotonic = NOON, 100.0

    def pass_by(self, seconds: float) -> None:
        self.now += seconds
        self.monotonic += seconds


def fetching(root: Path, times: Times, **settings: Any) -> Source:
    config = {"root": str(root), "fetch": {"folder": "in", "ready": "rename", **settings}}
    return file.source(config, lambda: times.now, lambda: times.monotonic)


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


def put(root: Path, name: str, content: bytes = b"content") -> Path:
    path = root / "in" / name
    path.write_bytes(content)
    return path


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def note(root: Path, name: str) -> dict[str, str]:
    return dict(json.loads((root / "error" / f"{name}.error.json").read_text()))
