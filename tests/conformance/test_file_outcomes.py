"""Files that are filed away by the outcome of their messages, on real folders."""

from __future__ import annotations

import os
import threading
from pathlib import Path, PurePath
from typing import Any

import pytest
from watched_folder import NOON, TODAY, Accepted, Times, base, fetching, files, put, root, server

from connectors.base import Incoming


@pytest.fixture
def times() -> Times:
    return Times()


@pytest.mark.parametrize(
    ("failed", "left"),
    [(False, [f"{TODAY}/a.csv"]), (True, ["error/a.csv", "error/a.csv.error.json"])],
)
def test_a_file_waits_for_the_outcome_of_its_messages(root: Path, times: Times, failed: bool, left: list[str]) -> None:
    put(root, "a.csv")
    source, accepted = fetching(root, times, archive_by="outcome"), Accepted()
    source.fetch(accepted)
    times.pass_by(86_400 * 0.4)
    assert source.fetch(accepted) == 0
    source.settle("0" * 32, failed)
    assert all(name.startswith("in/.work/accepted-") for name in files(root))
    for _ in range(2):
        source.settle(accepted[0].reference, failed)
        assert files(root) == left


def test_the_outcome_may_come_before_the_file_is_set_aside(root: Path, times: Times) -> None:
    put(root, "a.csv")
    source = fetching(root, times, archive_by="outcome")

    def accept(incoming: Incoming) -> None:
        list(incoming.chunks)
        source.settle(incoming.reference, failed=False)

    assert source.fetch(accept) == 1
    assert files(root) == [f"{TODAY}/a.csv"]


class Waiting(Accepted):
    """Takes files that wait for their outcome; ``references`` are what the hub stores of them."""

    @property
    def references(self) -> list[str]:
        return [incoming.attributes["reference"] for incoming in self]


def put_alike(root: Path, content: bytes) -> None:
    """Files of one name, size and time."""
    os.utime(put(root, "a.csv", content), (NOON, NOON))


@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_files_of_one_name_size_and_time_each_goes_by_its_own_outcome(
    root: Path, times: Times, order: tuple[int, int], is_known: bool
) -> None:
    source, accepted, contents = fetching(root, times, archive_by="outcome"), Waiting(), [b"first", b"other"]
    for content in contents:
        put_alike(root, content)
        assert source.fetch(accepted) == 1
    if not is_known:  # as after a restart
        source = fetching(root, times, archive_by="outcome")
    good, bad = order
    source.settle(accepted.references[good], failed=False)
    [waiting] = [name for name in files(root) if name.startswith("in/.work/accepted-")]
    assert (root / waiting).read_bytes() == contents[bad]
    assert (root / TODAY / "a.csv").read_bytes() == contents[good]
    source.settle(accepted.references[bad], failed=True)
    assert (root / "error/a.csv").read_bytes() == contents[bad]
    assert files(root / "in") == []


def test_an_outcome_files_nothing_away_that_is_only_being_read(root: Path, times: Times) -> None:
    source, accepted = fetching(root, times, archive_by="outcome"), Waiting()
    put_alike(root, b"first")
    source.fetch(accepted)
    source.settle(accepted.references[0], failed=False)
    put_alike(root, b"other")

    def accept(incoming: Incoming) -> None:
        list(incoming.chunks)
        source.settle(accepted.references[0], failed=False)  # told once more, as after a crash
        assert [name[:17] for name in files(root / "in")] == [".work/claimed-177"]

    assert source.fetch(accept) == 1


def test_a_file_that_came_twice_is_filed_away_twice(root: Path, times: Times) -> None:
    accepted = Waiting()
    for source in [fetching(root, times, archive_by="outcome") for _ in range(2)]:
        for _ in range(2):
            put_alike(root, b"same")
            source.fetch(accepted)
            times.pass_by(1)
    assert len(set(accepted.references)) == 1
    source.settle(accepted.references[0], failed=False)
    assert len(files(root / TODAY)) == 4
    assert files(root / "in") == []


def test_what_an_earlier_version_has_set_aside_goes_by_its_outcome(root: Path, times: Times) -> None:
    put_alike(root, b"first")
    accepted = Waiting()
    fetching(root, times, archive_by="outcome").fetch(accepted)
    [aside] = (root / "in/.work").iterdir()
    aside.rename(aside.with_name(aside.name.replace(accepted.references[0], accepted[0].reference)))
    fetching(root, times, archive_by="outcome").settle(accepted[0].reference, failed=False)
    assert files(root) == [f"{TODAY}/a.csv"]


def test_an_outcome_does_not_matter_where_files_are_filed_away_on_receipt(root: Path, times: Times) -> None:
    put(root, "a.csv")
    source, accepted = fetching(root, times), Accepted()
    source.fetch(accepted)
    source.settle(accepted[0].reference, failed=True)
    assert files(root) == [f"{TODAY}/a.csv"]


def test_what_waits_for_its_outcome_is_filed_away_where_that_is_no_more_waited_for(root: Path, times: Times) -> None:
    put(root, "a.csv")
    accepted = Accepted()
    fetching(root, times, archive_by="outcome").fetch(accepted)
    assert fetching(root, times, pattern="b*").fetch(accepted) == 0
    assert [name[:18] for name in files(root)] == ["in/.work/accepted-"], "it may be another system's"
    changed = fetching(root, times)
    assert changed.fetch(accepted) == 0
    changed.settle(accepted[0].reference, failed=False)
    assert (accepted.names, files(root)) == (["a.csv"], [f"{TODAY}/a.csv"])


@pytest.mark.parametrize("failed", [False, True])
def test_an_outcome_that_comes_just_while_its_file_is_set_aside_is_not_missed(
    root: Path, times: Times, monkeypatch: pytest.MonkeyPatch, failed: bool
) -> None:
    """The file is found under the name it has while it is read, and has another one when it is to be moved."""
    put(root, "a.csv")
    source = fetching(root, times, archive_by="outcome")
    folders: Any = source._files  # type: ignore[attr-defined]
    is_found, is_aside = threading.Event(), threading.Event()
    make_folder, rename = folders.make_folder, folders.rename

    def made(path: PurePath, parents: bool = False) -> None:
        if parents:
            is_found.set()
            assert is_aside.wait(10)
        make_folder(path, parents=parents)

    def renamed(source: PurePath, target: PurePath) -> None:
        rename(source, target)
        if target.name.startswith("accepted-"):
            is_aside.set()

    monkeypatch.setattr(folders, "make_folder", made)
    monkeypatch.setattr(folders, "rename", renamed)
    settling: list[threading.Thread] = []

    def accept(incoming: Incoming) -> None:
        list(incoming.chunks)
        settling.append(threading.Thread(target=source.settle, args=(incoming.reference, failed)))
        settling[0].start()
        assert is_found.wait(10)

    assert source.fetch(accept) == 1
    settling[0].join(10)
    assert files(root) == (["error/a.csv", "error/a.csv.error.json"] if failed else [f"{TODAY}/a.csv"])
