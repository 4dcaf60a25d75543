"""The file connector's source on real folders: when a file is complete, and what is never looked at."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
from watched_folder import NOON, TODAY, Accepted, Times, base, crash, fetching, files, note, put, root, server, taken

from connectors.base import Incoming


@pytest.fixture
def times() -> Times:
    return Times()


def test_a_file_is_stable_after_so_many_equal_looks_over_so_many_seconds(root: Path, times: Times) -> None:
    source = fetching(root, times, ready="stability", polls=3, steady_for=10.0)
    put(root, "a.csv")
    assert taken(source) == []
    times.pass_by(1)
    assert taken(source) == []
    times.pass_by(1)
    assert taken(source) == []
    times.pass_by(8)
    assert taken(source) == ["a.csv"]


def test_a_file_that_is_made_before_it_is_written_to_is_not_taken_for_an_empty_one(root: Path, times: Times) -> None:
    source = fetching(root, times, ready="stability", polls=2, steady_for=2.0)
    path = put(root, "a.csv", b"")
    put(root, "empty.csv", b"")
    for _ in range(6):
        assert taken(source) == []
        times.pass_by(10)
    assert files(root) == ["in/a.csv", "in/empty.csv"]
    path.write_bytes(b"worked out")
    assert taken(source) == []
    assert files(root) == ["error/empty.csv", "error/empty.csv.error.json", "in/a.csv"]
    times.pass_by(10)
    assert taken(source) == ["a.csv"]


def test_a_file_that_still_grows_or_is_touched_begins_anew(root: Path, times: Times) -> None:
    source = fetching(root, times, ready="stability", polls=2, steady_for=5.0)
    path = put(root, "a.csv", b"1")
    for content in (b"12", b"123"):
        assert taken(source) == []
        times.pass_by(60)
        path.write_bytes(content)
    assert taken(source) == []
    times.pass_by(60)
    os.utime(path, ns=(1, 1))
    assert taken(source) == []
    times.pass_by(60)
    assert taken(source) == ["a.csv"]


def test_a_round_is_not_over_while_a_file_has_to_be_looked_at_once_more(root: Path, times: Times) -> None:
    source: Any = fetching(root, times, ready="stability", polls=3, steady_for=5.0)
    path, over = put(root, "a.csv"), []
    for grows in (True, False, False, False):
        over.append((taken(source), source.is_over))
        times.pass_by(60)
        if grows:
            path.write_bytes(b"more of it")
    assert over == [([], False), ([], True), ([], False), (["a.csv"], True)]


def test_a_round_is_not_over_while_a_crash_has_a_file_in_hand_or_one_was_put_back(root: Path, times: Times) -> None:
    put(root, "a.csv")

    def die(_: Incoming) -> None:
        raise Crash

    with pytest.raises(Crash):
        fetching(root, times).fetch(die)
    source: Any = fetching(root, times)
    assert (taken(source), source.is_over) == ([], False)
    times.pass_by(301)

    def grow(incoming: Incoming) -> None:
        for _ in incoming.chunks:  # faster than it is read, for ever
            (claim,) = (root / "in" / ".work").iterdir()
            claim.write_bytes(claim.read_bytes() + b" and more")

    assert (source.fetch(grow), source.is_over) == (0, False)
    assert (taken(source), source.is_over) == (["a.csv"], True)


def test_a_round_that_was_broken_off_is_not_over(root: Path, times: Times) -> None:
    def dies(_: Incoming) -> None:
        raise Crash

    for name in ("a.csv", "b.csv", "c.csv"):
        put(root, name)
        with pytest.raises(Crash):
            fetching(root, times).fetch(dies)
    times.pass_by(301)
    put(root, "d.csv"), put(root, "e.csv")
    over = []
    for _ in range(5):
        source: Any = fetching(root, times)

        def closes(incoming: Incoming, source: Any = source) -> None:
            list(incoming.chunks)
            source._is_closed = True

        over.append((source.fetch(closes), source.is_over))
        source.close()
    assert over[:4] == [(1, False)] * 4
    assert taken(fetching(root, times)) == []


def test_a_file_with_a_time_far_in_the_future_or_the_past_is_taken_like_any_other(root: Path, times: Times) -> None:
    source = fetching(root, times, ready="stability", polls=2, steady_for=1.0)
    os.utime(put(root, "future.csv"), (4e9, 4e9))
    os.utime(put(root, "past.csv"), (0, 0))
    assert taken(source) == []
    times.pass_by(1)
    assert taken(source) == ["future.csv", "past.csv"]


@pytest.mark.parametrize("name", ["a.tmp", "a.csv.part", "a.filepart", "A.TMP", ".hidden", ".a.csv.swp"])
@pytest.mark.parametrize("ready", ["rename", "marker"])
def test_what_is_on_its_way_is_not_looked_at(root: Path, times: Times, name: str, ready: str) -> None:
    put(root, name)
    put(root, name + ".done")
    assert taken(fetching(root, times, ready=ready, pattern="*[!e]")) == []


def test_links_folders_and_pipes_are_not_followed(root: Path, times: Times) -> None:
    secret = root / "secret"
    secret.write_text("not for you")
    (root / "in" / "link.csv").symlink_to(secret)
    (root / "in" / "folder.csv").mkdir()
    os.mkfifo(root / "in" / "pipe.csv")
    assert taken(fetching(root, times)) == []
    assert (root / "in" / "link.csv").is_symlink()


def test_a_link_put_in_a_files_place_at_the_last_moment_is_not_read(root: Path, times: Times) -> None:
    (root / "secret").write_text("not for you")
    put(root, "a.csv")
    source, accepted = fetching(root, times), Accepted()

    def swap_then_read(incoming: Incoming) -> None:
        (claim,) = (root / "in" / ".work").iterdir()
        claim.unlink()
        claim.symlink_to(root / "secret")
        accepted(incoming)

    assert source.fetch(swap_then_read) == 0
    assert accepted == []


@pytest.mark.parametrize("marker", ["a.csv.done", "a.csv.ok", "a.csv.trg"])
def test_a_marker_says_that_a_file_is_complete_and_goes_with_it(root: Path, times: Times, marker: str) -> None:
    source = fetching(root, times, ready="marker")
    put(root, "a.csv")
    assert taken(source) == []
    put(root, marker, b"")
    assert taken(source) == ["a.csv"]
    assert files(root) == [f"{TODAY}/a.csv"]
    put(root, "a.csv", b"the next one, half written")
    assert taken(source) == []


def test_a_marker_may_say_size_and_sha256(root: Path, times: Times) -> None:
    source = fetching(root, times, ready="marker", markers=["{stem}.trg"])
    put(root, "a.csv", b"half")
    put(root, "a.trg", f"4711x 8 {hashlib.sha256(b'complete').hexdigest()}\n".encode())
    assert taken(source) == []
    put(root, "a.csv", b"complete")
    assert taken(source) == ["a.csv"]


def test_a_file_that_is_not_what_its_marker_says_is_an_error(root: Path, times: Times) -> None:
    put(root, "a.csv", b"complete")
    put(root, "a.csv.done", hashlib.sha256(b"other").hexdigest().encode())
    assert taken(fetching(root, times, ready="marker")) == []
    assert note(root, "a.csv")["reason"] == "the file's sha256 is not the one its marker says; have it sent again"


def test_a_marker_alone_is_no_file(root: Path, times: Times) -> None:
    put(root, "a.csv.done")
    assert taken(fetching(root, times, ready="marker")) == []
    assert files(root / "in") == ["a.csv.done"]


@pytest.mark.parametrize("said", [b"", b"8 " + hashlib.sha256(b"complete").hexdigest().encode()])
def test_a_marked_file_that_could_not_be_stored_is_taken_at_the_next_look(
    root: Path, times: Times, said: bytes
) -> None:
    put(root, "a.csv", b"complete")
    put(root, "a.csv.done", said)
    source = fetching(root, times, ready="marker")

    def refuse(incoming: Incoming) -> None:
        next(iter(incoming.chunks))
        raise OSError(28, "the store is full")

    for _ in range(2):
        with pytest.raises(OSError, match="the store is full"):
            source.fetch(refuse)
        times.pass_by(1)
    put(root, "a.csv", b"the next one, half written")
    assert taken(source) == ["a.csv"]
    assert files(root) == [f"{TODAY}/a.csv", "in/a.csv"]
    assert (root / TODAY / "a.csv").read_bytes() == b"complete"


def test_a_marked_file_that_changes_while_it_waits_is_still_held_to_its_marker(root: Path, times: Times) -> None:
    put(root, "a.csv", b"complete")
    put(root, "a.csv.done", hashlib.sha256(b"complete").hexdigest().encode())
    source = fetching(root, times, ready="marker")

    def refuse(incoming: Incoming) -> None:
        (claim,) = (root / "in" / ".work").iterdir()
        claim.write_bytes(b"complex!")
        raise OSError(28, "the store is full")

    with pytest.raises(OSError, match="the store is full"):
        source.fetch(refuse)
    assert taken(source) == []
    assert "the file's sha256 is not the one its marker says" in note(root, "a.csv")["reason"]


NOT_AS_SAID = "the file's sha256 is not the one its marker says; have it sent again"


def put_marked(root: Path, content: bytes, said: bytes, name: str = "a.csv") -> None:
    put(root, name, content)
    os.utime(root / "in" / name, (NOON, NOON))
    put(root, f"{name}.done", said)


@pytest.mark.parametrize("found", [b"complete", b"complex!"])
def test_a_restart_does_not_forget_what_the_marker_said_of_a_file_in_hand(
    root: Path, times: Times, found: bytes
) -> None:
    put_marked(root, b"complete", hashlib.sha256(b"complete").hexdigest().encode())
    for _ in range(2):
        crash(fetching(root, times, ready="marker", lease=60.0))
        times.pass_by(61)
    (claim,) = (root / "in" / ".work").iterdir()
    claim.write_bytes(found)
    assert taken(fetching(root, times, ready="marker", lease=60.0)) == (["a.csv"] if found == b"complete" else [])
    if found != b"complete":
        assert note(root, "a.csv")["reason"] == NOT_AS_SAID


def test_what_a_marker_says_holds_for_its_own_file_alone(root: Path, times: Times) -> None:
    """Two files of one name, size and time, of which only the first one's marker says a sha256."""
    source, name = fetching(root, times, ready="marker", archive_by="outcome"), f"{'a' * 176}.csv"
    put_marked(root, b"complete", hashlib.sha256(b"complete").hexdigest().encode(), name)
    assert taken(source) == [name]
    put_marked(root, b"complex!", b"", name)
    assert taken(source) == [name]


class Crash(BaseException):
    """Nothing of the source goes on after it."""


def crash_at(step: int, files: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the step-th time that something is moved or removed there."""
    left = [step]

    def counted(call: Any) -> Any:
        def wrapped(*arguments: Any) -> None:
            left[0] -= 1
            if not left[0]:
                raise Crash
            call(*arguments)

        return wrapped

    for name in ("rename", "move_new", "remove"):
        monkeypatch.setattr(files, name, counted(getattr(files, name)))


def test_a_file_that_was_not_yet_claimed_when_its_marker_was_is_held_to_it(
    root: Path, times: Times, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_marked(root, b"complete", hashlib.sha256(b"complete").hexdigest().encode())
    source = fetching(root, times, ready="marker", lease=60.0)
    crash_at(3, source._files, monkeypatch)  # type: ignore[attr-defined]
    with pytest.raises(Crash):
        source.fetch(Accepted())
    assert [path.name[:7] for path in (root / "in" / ".work").iterdir()] == ["marker-"]
    put(root, "a.csv", b"complex!")
    os.utime(root / "in" / "a.csv", (NOON, NOON))
    times.pass_by(61)
    assert taken(fetching(root, times, ready="marker", lease=60.0)) == []
    assert note(root, "a.csv")["reason"] == NOT_AS_SAID


@pytest.mark.parametrize("step", range(1, 6))
def test_whenever_it_crashes_a_marker_vouches_for_its_own_file_and_for_no_later_one(
    root: Path, times: Times, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    put(root, "a.csv", b"complete")
    put(root, "a.csv.done", b"")
    source, accepted = fetching(root, times, ready="marker", lease=60.0), Accepted()
    crash_at(step, source._files, monkeypatch)  # type: ignore[attr-defined]
    with pytest.raises(Crash):
        source.fetch(accepted)
    half = [] if (root / "in" / "a.csv").exists() else ["a.csv"]
    for name in half:
        put(root, name, b"the next one, half written")
    again = fetching(root, times, ready="marker", lease=60.0)
    again.fetch(accepted)
    times.pass_by(61)
    again.fetch(accepted)
    assert set(accepted.bodies) == {b"complete"}
    assert files(root / "in") == half
