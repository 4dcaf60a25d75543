"""Fetching by leases from a real OpenSSH server that allows no rename, or nothing but reading."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from sftp_places import BODY, open_source, root, server, taken
from sftp_server import SftpServer, names_below

from connectors.base import Incoming


class Ledger:
    """The leases of one store, as several hubs see them, by a clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1_772_712_000.0
        self.until: dict[str, tuple[float, object]] = {}
        self.reasons: dict[str, str] = {}

    def of(self, holder: object) -> Holder:
        return Holder(self, holder)


class Holder:
    def __init__(self, ledger: Ledger, holder: object) -> None:
        self._ledger, self._holder = ledger, holder

    def ended(self, references: Sequence[str]) -> Mapping[str, str]:
        return {known: self._ledger.reasons[known] for known in references if known in self._ledger.reasons}

    def take(self, reference: str, name: str, seconds: float) -> bool:
        until, _ = self._ledger.until.get(reference, (0.0, None))
        if reference in self._ledger.reasons or until > self._ledger.now:
            return False
        self._ledger.until[reference] = self._ledger.now + seconds, self._holder
        return True

    def renew(self, reference: str, seconds: float) -> bool:
        if self._ledger.until.get(reference, (0.0, None))[1] != self._holder:
            return False
        self._ledger.until[reference] = self._ledger.now + seconds, self._holder
        return True

    def let_go(self, reference: str) -> None:
        if self._ledger.until.get(reference, (0.0, None))[1] == self._holder:
            del self._ledger.until[reference]

    def end(self, reference: str, reason: str) -> None:
        self._ledger.reasons[reference] = reason


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture(params=["no rename", "read only"])
def leased(request: pytest.FixtureRequest, server: SftpServer, open_source: Any, ledger: Ledger) -> Callable[..., Any]:
    """A source by leases."""
    port = server.no_rename_port if request.param == "no rename" else server.read_only_port

    def make(**fetch: Any) -> Any:
        source = open_source(lambda: ledger.now, {"claim": "lease", "lease": 60.0, **fetch}, port=port)
        source.lease_by(ledger.of(source))
        return source

    return make


def put(root: Path, name: str, content: bytes = BODY, at: int = 1000) -> None:
    (root / "in" / name).write_bytes(content)
    os.utime(root / "in" / name, (at, at))


def test_files_are_taken_once_and_stay(root: Path, leased: Callable[..., Any]) -> None:
    put(root, "a.csv")
    source = leased()
    assert taken(source) == {"a.csv": BODY}
    put(root, "b.csv")
    assert taken(source) == {"b.csv": BODY}
    assert taken(leased()) == {}
    put(root, "a.csv", b"new", at=2000)
    assert taken(source) == {"a.csv": b"new"}
    assert names_below(root) == ["in/a.csv", "in/b.csv"]


def test_a_lease_is_renewed_while_a_file_is_read(root: Path, leased: Callable[..., Any], ledger: Ledger) -> None:
    put(root, "a.csv", BODY * 10)
    one, two = leased(), leased()

    def slowly(incoming: Incoming) -> None:
        for _ in incoming.chunks:
            ledger.now += 25.0
            assert taken(two) == {}

    assert one.fetch(slowly) == 1
    assert not two.is_over


def test_who_is_slower_than_the_lease_leaves_the_file_to_another(
    root: Path, leased: Callable[..., Any], ledger: Ledger
) -> None:
    put(root, "a.csv")
    one, two, got = leased(), leased(), dict[str, bytes]()

    def too_slowly(incoming: Incoming) -> None:
        next(iter(incoming.chunks))
        ledger.now += 61.0
        got.update(taken(two))
        list(incoming.chunks)

    assert one.fetch(too_slowly) == 0
    assert got == {"a.csv": BODY}
    assert taken(one) == {}


def test_a_marker_may_stay_beside_its_file(root: Path, leased: Callable[..., Any]) -> None:
    put(root, "a.csv")
    source = leased(ready="marker")
    assert taken(source) == {}
    (root / "in/a.csv.done").touch()
    assert taken(source) == {"a.csv": BODY}
    assert taken(source) == {}
    assert names_below(root) == ["in/a.csv", "in/a.csv.done"]


def test_a_zip_is_taken_as_what_is_in_it(root: Path, leased: Callable[..., Any]) -> None:
    with io.BytesIO() as made:
        with zipfile.ZipFile(made, "w") as archive:
            archive.writestr("1.csv", BODY)
            archive.writestr("2.csv", b"2")
        put(root, "day.zip", made.getvalue())
    source = leased()
    assert taken(source) == {"day.zip/1.csv": BODY, "day.zip/2.csv": b"2"}
    assert taken(source) == {}


def test_a_line_that_breaks_lets_the_file_go(root: Path, leased: Callable[..., Any], server: SftpServer) -> None:
    put(root, "a.csv", BODY * 20)
    source = leased()

    def cut(incoming: Incoming) -> None:
        next(iter(incoming.chunks))
        server.stop()
        server.start()
        list(incoming.chunks)

    assert source.fetch(cut) == 0
    assert taken(leased()) == {"a.csv": BODY * 20}
