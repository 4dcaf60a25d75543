"""The file connector's source on real folders: what is taken, where it goes, and what a crash or a refusal leaves."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from watched_folder import TODAY, Accepted, Times, base, fetching, files, note, put, root, server, taken

from connectors._files import Passing
from connectors.base import Incoming, PermanentError, TransientError


@pytest.fixture
def times() -> Times:
    return Times()


# -- what is taken, and where it goes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, ["B.xml", "a.csv", "c.csv"]),
        ({"pattern": "*.csv"}, ["a.csv", "c.csv"]),
        ({"pattern": "?.c*"}, ["a.csv", "c.csv"]),
        ({"sort": "mtime"}, ["c.csv", "B.xml", "a.csv"]),
        ({"max_files": 2}, ["B.xml", "a.csv"]),
    ],
)
def test_files_are_taken_in_their_order(
    root: Path, times: Times, settings: dict[str, Any], expected: list[str]
) -> None:
    for age, name in enumerate(["c.csv", "B.xml", "a.csv"]):
        os.utime(put(root, name), (1000 + age, 1000 + age))
    assert taken(fetching(root, times, **settings)) == expected


def test_a_file_is_what_its_name_says(root: Path, times: Times) -> None:
    for name in ("DES_1.csv", "STO_1.csv", "DES_stock.csv", "other.csv"):
        put(root, name)
    found: dict[str, str] = {}

    def accept(incoming: Incoming) -> None:
        assert list(incoming.chunks)
        found[incoming.name] = incoming.event

    fetching(root, times, events={"despatch": "DES*", "stock": "*sto*", "count": "STO*"}).fetch(accept)
    assert found == {"DES_1.csv": "despatch", "DES_stock.csv": "despatch", "STO_1.csv": "count", "other.csv": ""}


def test_a_file_comes_in_chunks_with_its_sha256_and_its_size(root: Path, times: Times) -> None:
    content = os.urandom(600_000)
    put(root, "a.csv", content)
    sizes: list[int] = []

    def accept(incoming: Incoming) -> None:
        assert (incoming.size, incoming.content_type, dict(incoming.attributes)) == (600_000, "text/csv", {})
        sizes.extend(len(chunk) for chunk in incoming.chunks)
        assert incoming.attributes["sha256"] == hashlib.sha256(content).hexdigest()

    fetching(root, times).fetch(accept)
    assert sum(sizes) == 600_000
    assert max(sizes) <= 262_144
    assert (root / TODAY / "a.csv").read_bytes() == content


def test_a_name_that_is_taken_in_the_archive_is_numbered(root: Path, times: Times) -> None:
    source = fetching(root, times)
    for content in (b"1", b"2", b"3"):
        put(root, "a.csv", content)
        assert taken(source) == ["a.csv"]
    assert files(root) == [f"{TODAY}/{name}" for name in ("a-1.csv", "a-2.csv", "a.csv")]


@pytest.mark.parametrize(
    "name", ["a__b__c.csv", "with space.csv", "new\nline.csv", "ü" * 90, "x" * 250 + ".csv", "-rf", "a;b|c$(x).csv"]
)
def test_strange_names_are_taken_and_filed_away(root: Path, times: Times, name: str) -> None:
    put(root, name, b"strange")
    accepted = Accepted()
    assert fetching(root, times).fetch(accepted) == 1
    assert len(files(root / TODAY)) == 1
    assert accepted.names == [name] or len(name) > 200


def test_a_name_that_is_no_text_is_taken_too(root: Path, times: Times) -> None:
    Path(os.fsdecode(os.fsencode(root / "in") + b"/\xff\xe4.csv")).write_bytes(b"x")
    (name,) = taken(fetching(root, times))
    assert name.encode() and name.endswith(".csv")


def test_a_file_has_the_same_id_as_long_as_path_size_and_time_are_the_same(root: Path, times: Times) -> None:
    ids = []
    for name, content, at in [("a", b"1", 5), ("a", b"1", 5), ("b", b"1", 5), ("a", b"12", 5), ("a", b"1", 6)]:
        os.utime(put(root, name, content), (at, at))
        accepted = Accepted()
        fetching(root, times).fetch(accepted)
        ids.append(accepted[0].dedupe_id)
    assert ids[0] == ids[1]
    assert len(set(ids)) == 4


def test_a_source_that_is_closed_ends_after_the_file_in_hand(root: Path, times: Times) -> None:
    for name in ("a.csv", "b.csv", "c.csv"):
        put(root, name)
    source = fetching(root, times)

    def accept(incoming: Incoming) -> None:
        list(incoming.chunks)
        source.close()  # the hub stops, or its settings have changed

    assert source.fetch(accept) == 1
    assert files(root) == [f"{TODAY}/a.csv", "in/b.csv", "in/c.csv"]


# -- what goes wrong -------------------------------------------------------------------------------------------------


def test_a_file_stays_when_it_could_not_be_stored(root: Path, times: Times) -> None:
    put(root, "a.csv")
    put(root, "b.csv")
    source = fetching(root, times)

    def refuse(incoming: Incoming) -> None:
        next(iter(incoming.chunks))
        raise OSError(28, "the store is full")

    with pytest.raises(OSError, match="the store is full"):
        source.fetch(refuse)
    assert files(root) == ["in/a.csv", "in/b.csv"]
    assert taken(source) == ["a.csv", "b.csv"]


def test_a_file_that_can_never_be_stored_goes_aside_and_its_neighbours_go_on(root: Path, times: Times) -> None:
    for name in ("a.csv", "b.csv"):
        put(root, name)

    def accept(incoming: Incoming) -> None:
        if incoming.name == "a.csv":
            raise PermanentError("such a file is not wanted")

    assert fetching(root, times).fetch(accept) == 1
    assert files(root) == [f"{TODAY}/b.csv", "error/a.csv", "error/a.csv.error.json"]
    assert note(root, "a.csv") == {
        "file": "a.csv",
        "code": "unreadable",
        "reason": "such a file is not wanted",
        "at": "2026-03-05T12:00:00Z",
        "reference": note(root, "a.csv")["reference"],
    }


def test_a_file_that_a_server_does_not_let_go_keeps_no_other_from_being_taken(
    root: Path, times: Times, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.csv", "a.csv.done", "b.csv", "b.csv.done"):
        put(root, name)
    source: Any = fetching(root, times, ready="marker")
    rename, accepted = source._files.rename, Accepted()

    def refuse(path: Path, target: Path) -> None:
        if path.name == "a.csv":
            raise Passing(5, "the server failed: it is locked")
        rename(path, target)

    monkeypatch.setattr(source._files, "rename", refuse)
    with pytest.raises(PermanentError, match=r"'a\.csv' cannot be renamed"):
        source.fetch(accepted)
    assert (accepted.names, files(root / "in")) == (["b.csv"], ["a.csv", "a.csv.done"])


def test_a_file_that_changes_while_it_is_read_is_put_back(root: Path, times: Times) -> None:
    put(root, "a.csv", b"first half")
    put(root, "b.csv")
    source, accepted = fetching(root, times), Accepted()

    def grow_then_read(incoming: Incoming) -> None:
        chunks = iter(incoming.chunks)
        next(chunks)
        if incoming.name == "a.csv":
            for claim in (root / "in" / ".work").iterdir():
                claim.write_bytes(b"first half, second half")
        list(chunks)
        accepted.append(incoming)

    assert source.fetch(grow_then_read) == 1
    assert accepted.names == ["b.csv"]
    assert files(root) == [f"{TODAY}/b.csv", "in/a.csv"]
    assert taken(source) == ["a.csv"]


def test_a_file_put_back_does_not_write_over_a_newer_one(root: Path, times: Times) -> None:
    put(root, "a.csv", b"old")
    source = fetching(root, times, lease=60.0)

    def refuse(_: Incoming) -> None:
        put(root, "a.csv", b"new")
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        source.fetch(refuse)
    accepted = Accepted()
    source.fetch(accepted)
    assert accepted.bodies == [b"new"]
    times.pass_by(60)
    source.fetch(accepted)
    assert accepted.bodies == [b"new", b"old"]


@pytest.mark.parametrize(
    ("policy", "accepted", "left"),
    [
        ("error", [], ["error/a.csv", "error/a.csv.error.json"]),
        ("skip", [], [f"{TODAY}/a.csv"]),
        ("wait", [], ["in/a.csv"]),
        ("accept", ["a.csv"], [f"{TODAY}/a.csv"]),
    ],
)
def test_an_empty_file_is_dealt_with_by_policy(
    root: Path, times: Times, policy: str, accepted: list[str], left: list[str]
) -> None:
    put(root, "a.csv", b"")
    assert taken(fetching(root, times, empty=policy)) == accepted
    assert files(root) == left


def test_a_file_beyond_the_limit_is_an_error(root: Path, times: Times) -> None:
    put(root, "a.csv", b"12345")
    assert taken(fetching(root, times, max_size=4)) == []
    assert note(root, "a.csv")["reason"] == "5 bytes; the limit (max_size) is 4"


def test_a_folder_that_is_not_there_is_tried_again_later(base: Path, times: Times) -> None:
    with pytest.raises(TransientError, match="the folder 'in': No such file or directory"):
        fetching(base, times).fetch(Accepted())
    assert list(base.iterdir()) == []


@pytest.mark.parametrize(
    "settings", [{"folder": "../x"}, {"folder": "/etc"}, {"archive": "a/../../b"}, {"error": "/tmp"}]
)
def test_a_folder_outside_of_the_root_is_refused(root: Path, times: Times, settings: dict[str, str]) -> None:
    with pytest.raises(PermanentError, match="leads out of the root"):
        fetching(root, times, **settings)


# -- the outcome, crashes, two at once -------------------------------------------------------------------------------


@pytest.mark.parametrize("archive_by", ["receipt", "outcome"])
def test_what_a_crash_left_in_hand_is_taken_again_when_its_lease_is_over(
    root: Path, times: Times, archive_by: str
) -> None:
    put(root, "a.csv")
    seen: list[Incoming] = []

    def die(incoming: Incoming) -> None:
        seen.append(incoming)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetching(root, times, archive_by=archive_by).fetch(die)
    again, accepted = fetching(root, times, lease=300.0, archive_by=archive_by), Accepted()
    times.pass_by(299)
    assert again.fetch(accepted) == 0
    times.pass_by(1)
    assert again.fetch(accepted) == 1
    assert (accepted[0].dedupe_id, accepted[0].reference) == (seen[0].dedupe_id, seen[0].reference)
    again.settle(seen[0].reference, failed=False)
    assert files(root) == [f"{TODAY}/a.csv"]


def test_a_claim_that_was_taken_over_meanwhile_is_left_to_the_other(root: Path, times: Times) -> None:
    put(root, "a.csv")
    slow, fast, accepted = fetching(root, times), fetching(root, times, lease=60.0), Accepted()

    def outlast_the_lease(incoming: Incoming) -> None:
        list(incoming.chunks)
        times.pass_by(61)
        assert fast.fetch(accepted) == 1

    assert slow.fetch(outlast_the_lease) == 1
    assert files(root) == [f"{TODAY}/a.csv"]


def test_a_file_is_in_hand_as_long_as_it_is_read(root: Path, times: Times) -> None:
    content = os.urandom(1_000_000)
    put(root, "a.csv", content)
    slow, fast, read = fetching(root, times, lease=60.0), fetching(root, times, lease=60.0), bytearray()

    def read_for_long(incoming: Incoming) -> None:
        for chunk in incoming.chunks:
            read.extend(chunk)
            times.pass_by(40)
            assert fast.fetch(Accepted()) == 0

    assert slow.fetch(read_for_long) == 1
    assert (bytes(read), files(root)) == (content, [f"{TODAY}/a.csv"])


def test_who_has_slept_through_the_lease_of_a_file_leaves_it_to_who_has_it_now(root: Path, times: Times) -> None:
    put(root, "a.csv", b"x" * 1_000_000)
    slow, fast = fetching(root, times, lease=60.0), fetching(root, times, lease=60.0)
    first, second = Accepted(), Accepted()

    def sleep(incoming: Incoming) -> None:
        next(iter(incoming.chunks))
        times.pass_by(61)
        assert fast.fetch(second) == 1
        first(incoming)

    assert slow.fetch(sleep) == 0
    assert (first.names, second.names, files(root)) == ([], ["a.csv"], [f"{TODAY}/a.csv"])


def test_a_server_that_renames_no_open_file_keeps_the_lease_as_it_was(
    root: Path, times: Times, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(root, "a.csv", b"x" * 1_000_000)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "it is open")

    monkeypatch.setattr("connectors._file_local._LocalFile.rename", refuse)
    monkeypatch.setattr("connectors._sftp_files._RemoteFile.rename", refuse)
    accepted = Accepted()

    def read_for_long(incoming: Incoming) -> None:
        next(iter(incoming.chunks))
        times.pass_by(299)
        accepted(incoming)

    assert fetching(root, times).fetch(read_for_long) == 1
    assert files(root) == [f"{TODAY}/a.csv"]


def test_of_pollers_on_one_folder_exactly_one_gets_each_file(root: Path, times: Times) -> None:
    for number in range(300):
        put(root, f"{number:03}.csv", str(number).encode())
    accepted = [Accepted() for _ in range(4)]
    start = threading.Barrier(4)

    def poll(mine: Accepted) -> None:
        source = fetching(root, times)
        start.wait()
        source.fetch(mine)

    threads = [threading.Thread(target=poll, args=(mine,)) for mine in accepted]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(name for mine in accepted for name in mine.names) == [f"{number:03}.csv" for number in range(300)]
    assert files(root) == [f"{TODAY}/{number:03}.csv" for number in range(300)]
    assert sum(1 for mine in accepted if mine) > 1
