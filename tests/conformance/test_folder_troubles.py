"""What goes wrong around a watched folder: on real folders, nothing is lost, put aside or held up by it."""

from __future__ import annotations

import errno
import os
import resource
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from watched_folder import NOON, TODAY, Accepted, Times, base, crash, fetching, files, put, root, server, taken

from connectors._files import Passing
from connectors.base import Incoming, PermanentError, TransientError


@pytest.fixture
def times() -> Times:
    return Times()


def test_a_file_that_cannot_be_opened_for_now_stays(tmp_path: Path, times: Times) -> None:
    """The process has as many files open as it may."""
    (tmp_path / "in").mkdir()
    put(tmp_path, "a.csv")
    source, most = fetching(tmp_path, times), resource.getrlimit(resource.RLIMIT_NOFILE)

    def accept(incoming: Incoming) -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, most[1]))
        try:
            list(incoming.chunks)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, most)

    assert source.fetch(accept) == 0
    assert files(tmp_path) == ["in/a.csv"]
    assert taken(source) == ["a.csv"]


def test_a_file_whose_share_goes_away_while_it_is_read_stays(
    tmp_path: Path, times: Times, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").mkdir()
    put(tmp_path, "a.csv")
    source = fetching(tmp_path, times)

    def gone(descriptor: int) -> os.stat_result:
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

    with monkeypatch.context() as then:
        then.setattr(os, "fstat", gone)
        assert source.fetch(Accepted()) == 0
    assert files(tmp_path) == ["in/a.csv"]
    assert taken(source) == ["a.csv"]


def test_a_file_of_one_name_size_and_time_with_other_content_is_another(root: Path, times: Times) -> None:
    """As where times are kept when files are copied or unpacked."""
    ids = []
    for content in (b"1", b"2", b"1"):
        os.utime(put(root, "a.csv", content), (NOON, NOON))
        accepted = Accepted()
        fetching(root, times).fetch(accepted)
        [incoming] = accepted
        assert incoming.content_tells
        ids.append((incoming.dedupe_id, incoming.attributes["sha256"]))
    assert ids[0] == ids[2] != ids[1]


@pytest.mark.parametrize("put_back", [3600.0, 86_400.0 * 365])
def test_what_a_crash_left_in_hand_is_taken_when_the_clock_was_put_back_since(
    root: Path, times: Times, put_back: float
) -> None:
    put(root, "a.csv")
    crash(fetching(root, times, lease=300.0))
    times.now -= 299
    assert taken(fetching(root, times, lease=300.0)) == [], "clocks of two hubs may differ"
    times.now -= put_back
    assert taken(fetching(root, times, lease=300.0)) == ["a.csv"]


def test_who_reads_while_the_clock_is_put_back_keeps_the_file(root: Path, times: Times) -> None:
    put(root, "a.csv", os.urandom(1_000_000))
    slow, other = fetching(root, times, lease=300.0), fetching(root, times, lease=300.0)

    def accept(incoming: Incoming) -> None:
        chunks = iter(incoming.chunks)
        next(chunks)
        times.now -= 3600
        next(chunks)
        next(chunks)
        assert taken(other) == []
        list(chunks)

    assert slow.fetch(accept) == 1


def test_many_files_that_are_locked_keep_no_other_from_being_taken_for_long(
    root: Path, times: Times, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(25):
        put(root, f"a{number:02d}.csv")
    put(root, "b.csv")
    source: Any = fetching(root, times)
    rename, accepted = source._files.rename, Accepted()

    def refuse(path: Path, target: Path) -> None:
        if path.name.startswith("a"):
            raise Passing(errno.EIO, "the server failed: it is locked")
        rename(path, target)

    monkeypatch.setattr(source._files, "rename", refuse)
    for _ in range(3):
        with pytest.raises(PermanentError, match="cannot be renamed"):
            source.fetch(accepted)
    assert accepted.names == ["b.csv"]
    monkeypatch.setattr(source._files, "rename", rename)
    assert len(taken(source)) == 25


@pytest.mark.parametrize("max_files", [1000, 7])
def test_what_is_unlocked_behind_files_that_stay_locked_is_taken(
    root: Path, times: Times, monkeypatch: pytest.MonkeyPatch, max_files: int
) -> None:
    names = [put(root, f"a{number:02d}.csv").name for number in range(25)]
    source: Any = fetching(root, times, max_files=max_files)
    rename, locked, accepted = source._files.rename, set(names), Accepted()

    def refuse(path: Path, target: Path) -> None:
        if path.name in locked:
            raise Passing(errno.EIO, "the server failed: it is locked")
        rename(path, target)

    monkeypatch.setattr(source._files, "rename", refuse)
    for look in range(12):
        if look == 4:
            locked -= set(names[10:])
        with suppress(PermanentError):
            source.fetch(accepted)
    assert sorted(accepted.names) == names[10:]


@pytest.mark.parametrize("number", [errno.EBUSY, errno.ETXTBSY])
def test_a_file_that_another_has_open_on_a_share_holds_up_no_other(
    tmp_path: Path, times: Times, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    (tmp_path / "in").mkdir()
    busy = put(tmp_path, "a.csv")
    put(tmp_path, "b.csv")
    source, accepted, rename = fetching(tmp_path, times), Accepted(), Path.rename

    def refuse(path: Path, target: Path) -> Path:
        if path == busy:
            raise OSError(number, os.strerror(number))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(PermanentError, match=r"'a\.csv' cannot be renamed"):
        source.fetch(accepted)
    assert (accepted.names, busy.exists()) == (["b.csv"], True)


@pytest.mark.parametrize("refusal", [Passing(errno.EIO, "the server failed"), PermissionError(errno.EACCES, "locked")])
def test_what_a_crash_left_in_hand_and_is_locked_holds_up_no_other(
    root: Path, times: Times, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, refusal: OSError
) -> None:
    """As where a server of files takes a while to see that who had it open is gone."""
    put(root, "a.csv")
    crash(fetching(root, times, lease=60.0))
    times.pass_by(61)
    put(root, "b.csv")
    source: Any = fetching(root, times, lease=60.0)
    rename = source._files.rename

    def refuse(path: Path, target: Path) -> None:
        if path.name.startswith("claimed-"):
            raise refusal
        rename(path, target)

    with monkeypatch.context() as then:
        then.setattr(source._files, "rename", refuse)
        assert taken(source) == ["b.csv"]
        assert not source.is_over
    assert f"a.csv cannot be taken in hand again for now: {refusal.strerror}" in caplog.text
    assert taken(source) == ["a.csv"]


@pytest.mark.parametrize("refusal", [Passing(errno.EIO, "the server failed"), PermissionError(errno.EACCES, "locked")])
def test_a_file_of_which_a_crash_left_the_marker_in_hand_holds_up_no_other_while_it_is_locked(
    root: Path, times: Times, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, refusal: OSError
) -> None:
    crashing: Any = fetching(root, times, ready="marker", lease=60.0)
    put(root, "a.csv")
    put(root, "a.csv.done", b"")
    rename = crashing._files.rename

    def refuse(path: Path, target: Path, error: BaseException = refusal) -> None:
        if path.name == "a.csv":
            raise error
        rename(path, target)

    with monkeypatch.context() as then:
        then.setattr(crashing._files, "rename", lambda *paths: refuse(*paths, KeyboardInterrupt()))
        with pytest.raises(KeyboardInterrupt):
            crashing.fetch(Accepted())
    times.pass_by(61)
    source: Any = fetching(root, times, ready="marker", lease=60.0)
    with monkeypatch.context() as then:
        then.setattr(source._files, "rename", refuse)
        for name in ("b.csv", "c.csv"):
            put(root, name)
            put(root, f"{name}.done", b"")
            assert taken(source) == [name]
            assert not source.is_over
    assert f"a.csv cannot be taken in hand again for now: {refusal.strerror}" in caplog.text
    assert taken(source) == ["a.csv"]
    assert files(root / "in") == []


@pytest.mark.parametrize("blocked", ["archive", "error"])
def test_a_folder_that_files_cannot_go_to_is_named(root: Path, times: Times, blocked: str) -> None:
    (root / blocked).write_bytes(b"not a folder")
    put(root, "a.csv", b"" if blocked == "error" else b"content")
    with pytest.raises(TransientError, match=rf"'a\.csv' cannot be filed away in '.*/{blocked}"):
        fetching(root, times).fetch(Accepted())


def test_a_name_that_comes_all_day_is_filed_away_in_a_few_looks(
    root: Path, times: Times, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = root / TODAY
    day.mkdir(parents=True)
    for folder in (day, *day.parents[:2]):
        folder.chmod(0o777)
    for number in range(1000):
        (day / (f"a-{number}.csv" if number else "a.csv")).touch()
    source: Any = fetching(root, times)
    status, move, asked = source._files.status, source._files.move_new, []
    monkeypatch.setattr(source._files, "status", lambda path: asked.append(path) or status(path))
    monkeypatch.setattr(source._files, "move_new", lambda path, to: asked.append(to) or move(path, to))
    for content in (b"one", b"two"):
        put(root, "a.csv", content)
        source.fetch(Accepted())
    assert [(day / f"a-{number}.csv").read_bytes() for number in (1000, 1001)] == [b"one", b"two"]
    assert len(asked) < 60


def test_files_are_filed_away_on_another_file_system_too(
    tmp_path: Path, times: Times, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").mkdir()
    link, source = os.link, fetching(tmp_path, times)

    def across(path: Path, target: Path, **how: Any) -> None:
        if path.parent != target.parent:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        link(path, target, **how)

    monkeypatch.setattr(os, "link", across)
    for content in (b"first", b"second"):
        file = put(tmp_path, "a.csv", content)
        file.chmod(0o640 if content == b"first" else 0o600)
        os.utime(file, (NOON - 5, NOON - 5))
        assert taken(source) == ["a.csv"]
    put(tmp_path, "b.csv", b"")
    assert taken(source) == []
    assert files(tmp_path) == [f"{TODAY}/a-1.csv", f"{TODAY}/a.csv", "error/b.csv", "error/b.csv.error.json"]
    assert [(tmp_path / TODAY / name).read_bytes() for name in ("a.csv", "a-1.csv")] == [b"first", b"second"]
    filed = [(tmp_path / TODAY / name).stat() for name in ("a.csv", "a-1.csv")]
    assert [(status.st_mtime, status.st_mode & 0o777) for status in filed] == [(NOON - 5, 0o640), (NOON - 5, 0o600)]

    def full(source: Path, target: Path, **how: Any) -> None:
        target.write_bytes(b"half")
        assert target.stat().st_mode & 0o077 == 0
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    put(tmp_path, "c.csv")
    with monkeypatch.context() as then, pytest.raises(TransientError, match=r"'c\.csv' cannot be .*: No space left"):
        then.setattr("shutil.copyfile", full)
        source.fetch(Accepted())
    assert len(files(tmp_path / TODAY)) == 2
    times.pass_by(301)
    assert taken(source) == ["c.csv"]
    assert (tmp_path / TODAY / "c.csv").read_bytes() == b"content"


def test_what_cannot_be_filed_away_holds_up_no_other_however_much_it_is(root: Path, times: Times) -> None:
    (root / "archive").write_bytes(b"not a folder")
    source, accepted = fetching(root, times, lease=60.0), Accepted()
    for number in range(20):
        put(root, f"{number:02d}.csv")
        put(root, f"other-{number:02d}.csv")
        with pytest.raises(TransientError, match=r"cannot be filed away in '.*/archive.*\([0-9]+ such files\)"):
            source.fetch(accepted)
        times.pass_by(10)
    assert len(set(accepted.names)) == 40
    assert len({incoming.dedupe_id for incoming in accepted}) == 40
    (root / "archive").unlink()
    times.pass_by(60)
    source.fetch(accepted)
    assert (len(files(root / TODAY)), files(root / "in")) == (40, [])


@pytest.mark.parametrize("blocked", [True, False])
def test_what_waited_for_its_outcome_and_cannot_be_filed_away_holds_up_no_other(
    root: Path, times: Times, blocked: bool
) -> None:
    put(root, "a.csv")
    fetching(root, times, archive_by="outcome").fetch(Accepted())
    if blocked:
        (root / "archive").write_bytes(b"not a folder")
    put(root, "b.csv")
    accepted = Accepted()
    with suppress(TransientError):
        fetching(root, times).fetch(accepted)
    assert accepted.names == ["b.csv"]
