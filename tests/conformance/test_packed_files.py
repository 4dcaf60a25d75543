"""Packed files in a watched folder, of this machine or a server: taken as what is in them, or refused as a whole."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from watched_folder import NOON, TODAY, Accepted, Times, base, fetching, files, note, put, root, server, taken

from connectors._files import Lost
from connectors.base import Incoming, TransientError

ROWS = b"id,qty\n1,2\n" * 1000


@pytest.fixture
def times() -> Times:
    return Times()


def zipped(entries: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    with io.BytesIO() as made:
        with zipfile.ZipFile(made, "w", method) as archive:
            for name, content in entries.items():
                archive.writestr(name, content)
        return made.getvalue()


FIVE = {f"{number}.csv": b"%d" % number * 700_000 for number in range(1, 6)}


def fetched(root: Path, times: Times, **settings: Any) -> Accepted:
    accepted = Accepted()
    assert fetching(root, times, **settings).fetch(accepted) == len(accepted)
    return accepted


# -- .gz -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(ROWS),
        gzip.compress(ROWS[:5000]) + gzip.compress(ROWS[5000:]),
        gzip.compress(ROWS[:5000]) + gzip.compress(b"") + gzip.compress(ROWS[5000:]) + b"\0" * 300_000,
    ],
    ids=["one member", "two members", "padded with zeros"],
)
def test_a_gzip_file_is_what_is_in_it(root: Path, times: Times, content: bytes) -> None:
    put(root, "STO_1.csv.gz", content)
    [incoming], [body] = (accepted := fetched(root, times, events={"stock": "STO*.csv"})), accepted.bodies
    assert (incoming.name, incoming.event, incoming.content_type) == ("STO_1.csv.gz", "stock", "text/csv")
    assert body == ROWS
    assert incoming.attributes["sha256"] == hashlib.sha256(ROWS).hexdigest()
    assert (root / TODAY / "STO_1.csv.gz").read_bytes() == content


def test_a_large_gzip_file_comes_in_pieces(root: Path, times: Times) -> None:
    put(root, "a.gz", gzip.compress(os.urandom(100_000) + bytes(9_000_000)))
    sizes: list[int] = []
    fetching(root, times).fetch(lambda incoming: sizes.extend(map(len, incoming.chunks)))
    assert sum(sizes) == 9_100_000
    assert max(sizes) <= 262_144


def test_what_is_as_it_was_is_told_by_what_is_in_it(root: Path, times: Times) -> None:
    hashes = []
    for level in (1, 9):
        put(root, "a.gz", gzip.compress(ROWS, level, mtime=level))
        hashes.append(fetched(root, times)[0].attributes["sha256"])
    put(root, "a.csv", ROWS)
    assert {fetched(root, times)[0].attributes["sha256"], *hashes} == {hashlib.sha256(ROWS).hexdigest()}


GZIP = gzip.compress(os.urandom(50_000))


def goes_aside(root: Path, times: Times, name: str, content: bytes, reason: str) -> None:
    put(root, name, content)
    put(root, "b.csv")
    assert taken(fetching(root, times)) == ["b.csv"]
    assert note(root, name)["reason"].startswith(reason)


BAD_GZIP = [
    ("cut off", GZIP[:-1], "the gzip file is cut off; have it sent again"),
    ("cut off in its head", GZIP[:5], "the gzip file is cut off; have it sent again"),
    ("of another kind", b"PK\3\4" + bytes(100), "it is no gzip file, or damaged"),
    ("damaged", GZIP[:20_000] + b"\xff" * 100 + GZIP[20_100:], "it is no gzip file, or damaged"),
    ("followed by something else", GZIP + b"more", "it is no gzip file, or damaged"),
]


@pytest.mark.parametrize(("what", "content", "reason"), BAD_GZIP, ids=[row[0] for row in BAD_GZIP])
def test_a_bad_gzip_file_goes_aside(root: Path, times: Times, what: str, content: bytes, reason: str) -> None:
    goes_aside(root, times, "a.csv.gz", content, reason)


# -- .zip ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_each_file_in_a_zip_is_one_of_its_own(root: Path, times: Times, method: int) -> None:
    inside = {"DES_1.csv": b"despatch", "sub/": b"", "sub/STO_2.csv": ROWS, "sub/.DS_Store": b"x", "__MACOSX/._a": b"x"}
    put(root, "day.ZIP", zipped(inside, method))
    accepted = fetched(root, times, events={"despatch": "DES*", "stock": "STO*.csv"})
    assert accepted.names == ["day.ZIP/DES_1.csv", "day.ZIP/sub/STO_2.csv"]
    assert accepted.bodies == [b"despatch", ROWS]
    assert [incoming.event for incoming in accepted] == ["despatch", "stock"]
    assert [(incoming.part, incoming.parts) for incoming in accepted] == [(1, 2), (2, 2)]
    assert len({incoming.dedupe_id for incoming in accepted}) == 2
    assert len({incoming.reference for incoming in accepted}) == 1
    assert accepted[1].attributes["sha256"] == hashlib.sha256(ROWS).hexdigest()
    assert files(root) == [f"{TODAY}/day.ZIP"]


def test_only_the_wanted_files_of_a_zip_are_taken(root: Path, times: Times) -> None:
    put(root, "a.zip", zipped({"a.csv": b"1", "a.pdf": b"2", "inner.zip": zipped({"b.csv": b"3"})}))
    assert fetched(root, times, unpack={"entries": "*.csv"}).names == ["a.zip/a.csv"]


def test_files_stay_packed_where_nothing_is_to_be_unpacked(root: Path, times: Times) -> None:
    put(root, "a.zip", b"whatever")
    assert fetched(root, times, unpack={"endings": []}).bodies == [b"whatever"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "etc/passwd"), ("/etc/passwd", "etc/passwd"), ("..\\..\\x.csv", "x.csv"),
        ("a/./../b.csv", "a/b.csv"), ("ü/ä\u202e.csv", "ü/ä\u202e.csv"), ("new\nline.csv", "new\nline.csv"), ("/", "_"),
    ],
)  # fmt: skip
def test_a_name_in_a_zip_leads_nowhere(root: Path, times: Times, name: str, shown: str) -> None:
    info = zipfile.ZipInfo("x")
    info.filename = name
    with io.BytesIO() as made:
        with zipfile.ZipFile(made, "w") as archive:
            archive.writestr(info, b"content")
        put(root, "a.zip", made.getvalue())
    expected = [] if name == "/" else [f"a.zip/{shown}"]
    assert fetched(root, times).names == expected


def test_names_of_an_old_code_page_are_taken(root: Path, times: Times) -> None:
    put(root, "a.zip", zipped({"XXX.csv": b"1"}).replace(b"XXX", b"\x84\xff\x01"))
    assert fetched(root, times).names == ["a.zip/ä\xa0\x01.csv"]


def with_flags(content: bytes, flags: int, at: tuple[int, int] = (6, 8)) -> bytes:
    """A zip of one file with two bytes of its two headers changed."""
    raw = bytearray(content)
    for place in (at[0], raw.index(b"PK\1\2") + at[1]):
        struct.pack_into("<H", raw, place, flags)
    return bytes(raw)


ONE = zipped({"a.csv": ROWS})
DAMAGED = zipped({"a.csv": b"1" * 100}, zipfile.ZIP_STORED).replace(b"1" * 100, b"1" * 99 + b"2")
BAD_ZIP = [
    ("half a zip", ONE[: len(ONE) // 2], "it is no zip, or half of one"),
    ("without its last byte", ONE[:-1], "it is no zip, or half of one"),
    ("no zip", b"id,qty\n1,2\n", "it is no zip, or half of one"),
    ("without its beginning", ONE[30:], "'a.csv' in it is damaged"),
    ("damaged", DAMAGED, "'a.csv' in it is damaged; have it sent again"),
    ("empty", zipped({}), "nothing that is to be taken is in it"),
    ("of folders only", zipped({"a/": b"", "b\\": b""}), "nothing that is to be taken is in it"),
    ("with an empty file", zipped({"b.csv": b"1", "a.csv": b""}), "'a.csv' in it is empty; see empty: of this system"),
    ("encrypted", with_flags(ONE, 1), "'a.csv' in it is encrypted by a password; have it sent without one"),
    ("bzip2", zipped({"a.csv": ROWS}, zipfile.ZIP_BZIP2), "'a.csv' in it is packed by bzip2; have it packed by"),
    ("lzma", zipped({"a.csv": ROWS}, zipfile.ZIP_LZMA), "'a.csv' in it is packed by lzma"),
    ("of an unknown method", with_flags(ONE, 77, (8, 10)), "'a.csv' in it is packed by 77"),
    ("a zip in it", zipped({"b.csv": b"1", "in.zip": ONE}), "'in.zip' in it is packed itself"),
    ("a gzip file in it", zipped({"x/a.csv.GZ": GZIP}), "'x/a.csv.GZ' in it is packed itself"),
    ("with a name that is no UTF-8", with_flags(ONE, 0x800).replace(b"a.csv", b"\xff.csv"), "it is no zip"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "content", "reason"), BAD_ZIP, ids=[row[0] for row in BAD_ZIP])
def test_a_zip_that_cannot_be_taken_as_a_whole_goes_aside(
    root: Path, times: Times, what: str, content: bytes, reason: str
) -> None:
    goes_aside(root, times, "a.zip", content, reason)
    assert (root / "error/a.zip").read_bytes() == content


@pytest.mark.parametrize(
    ("empty", "names", "stays"),
    [("skip", ["a.zip/b.csv"], TODAY), ("accept", ["a.zip/a.csv", "a.zip/b.csv"], TODAY)],
)
def test_empty_files_in_a_zip_go_as_empty_files_do(
    root: Path, times: Times, empty: str, names: list[str], stays: str
) -> None:
    put(root, "a.zip", zipped({"a.csv": b"", "b.csv": b"1"}))
    assert fetched(root, times, empty=empty).names == names
    assert files(root) == [f"{stays}/a.zip"]


@pytest.mark.parametrize(("empty", "count", "where"), [("error", 0, "error"), ("skip", 0, TODAY), ("accept", 1, TODAY)])
def test_a_gzip_file_of_nothing_goes_as_an_empty_file(
    root: Path, times: Times, empty: str, count: int, where: str
) -> None:
    put(root, "a.gz", gzip.compress(b""))
    accepted = fetched(root, times, empty=empty)
    assert (len(accepted), accepted.bodies) == (count, [b""] * count)
    assert (root / where / "a.gz").exists()


# -- bombs -----------------------------------------------------------------------------------------------------------


def bomb(size: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(bytes(1_000_000)) for _ in range(size // 1_000_000)) + packer.flush()


BOMBS = [
    ("gz by its ratio", "a.gz", bomb(20_000_000), {}, "unpacked it is more than 200 times its "),
    ("zip by its ratio", "a.zip", zipped({"a": bytes(20_000_000)}), {}, "unpacked it is more than 200 times its "),
    ("gz by its size", "a.gz", gzip.compress(os.urandom(3000)), {"max_size": 2999}, "unpacked it is larger than 2999"),
    ("zip by its size", "a.zip", zipped({"a": b"1" * 99, "b": b"2" * 99}), {"max_size": 197}, "unpacked it is larger"),
    ("zip of many", "a.zip", zipped({str(n): b"1" for n in range(11)}), {"max_files": 10}, "more than 10 files are in"),
    ("zip of very many", "a.zip", zipped({f"{n}" * 99: b"" for n in range(10_000)}), {"max_files": 10},
     "more than 10 files are in it, the limit (unpack.max_files)"),
]  # fmt: skip


@pytest.mark.parametrize(("what", "name", "content", "unpack", "reason"), BOMBS, ids=[row[0] for row in BOMBS])
def test_what_grows_too_much_goes_aside(
    root: Path, times: Times, what: str, name: str, content: bytes, unpack: dict[str, int], reason: str
) -> None:
    put(root, name, content)
    seen = 0

    def accept(incoming: Incoming) -> None:
        nonlocal seen
        for chunk in incoming.chunks:
            seen += len(chunk)

    assert fetching(root, times, unpack=unpack).fetch(accept) == 0
    assert note(root, name)["reason"].startswith(reason)
    assert seen <= 10_500_000


# -- crashes, changes, leases ----------------------------------------------------------------------------------------


class Busy(Times):
    """A clock beside which a writer goes on with the file in hand, as soon as some of it is read."""

    def __init__(self, root: Path) -> None:
        self.root, self.looks = root, 0
        super().__init__()

    @property
    def now(self) -> float:
        for path in (self.root / "in/.work").glob("claimed-*"):
            self.looks += 1
            if self.looks == 1:
                with path.open("ab") as file:
                    file.write(b"more")
        return NOON

    @now.setter
    def now(self, value: float) -> None:
        """It stands still."""


@pytest.mark.parametrize(("name", "content"), [("a.zip", zipped(FIVE)), ("a.csv.gz", GZIP), ("b.csv.gz", GZIP[:-9])])
def test_what_changes_while_it_is_read_is_taken_when_it_rests(root: Path, name: str, content: bytes) -> None:
    put(root, name, content)
    busy = Busy(root)
    assert taken(fetching(root, busy)) == []
    assert busy.looks
    assert files(root) == [f"in/{name}"]


def test_what_could_not_all_be_stored_comes_again_with_the_same_ids(root: Path, times: Times) -> None:
    put(root, "a.zip", zipped(FIVE))
    source, first = fetching(root, times), Accepted()

    def refuse_the_fourth(incoming: Incoming) -> None:
        if len(first) == 3:
            raise OSError(28, "the store is full")
        first(incoming)

    with pytest.raises(OSError, match="the store is full"):
        source.fetch(refuse_the_fourth)
    assert files(root) == ["in/a.zip"]
    again = Accepted()
    assert source.fetch(again) == 5
    assert [incoming.dedupe_id for incoming in again][:3] == [incoming.dedupe_id for incoming in first]
    assert again.bodies == list(FIVE.values())


@pytest.mark.parametrize("step", ["write", "seek"], ids=["while it is written", "when the last of it is"])
def test_a_zip_waits_where_there_is_no_room_for_its_copy(
    root: Path, times: Times, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def full(copy: io.BytesIO, chunk: bytes) -> int:
        raise OSError(28, "No space left on device")

    put(root, "a.zip", zipped(FIVE))
    source = fetching(root, times)
    with monkeypatch.context() as patched:
        patched.setattr(f"tempfile.SpooledTemporaryFile.{step}", full)
        with pytest.raises(TransientError, match=r"there is no room in /.* for the copy.*: No space left") as told:
            taken(source)
    assert told.value.code == "paused", "it says nothing of the system"
    assert len(taken(source)) == 5


def test_the_lease_of_a_zip_is_renewed_while_its_files_are_stored(root: Path, times: Times) -> None:
    put(root, "a.zip", zipped(FIVE))
    source, other = fetching(root, times, lease=60.0), fetching(root, times, lease=60.0)
    names: list[str] = []

    def slowly(incoming: Incoming) -> None:
        for _ in incoming.chunks:
            times.pass_by(25.0)
            assert taken(other) == []
        names.append(incoming.name)

    assert source.fetch(slowly) == 5
    assert files(root) == [f"{TODAY}/a.zip"]


class Ticking(Times):
    """A clock that goes on whenever somebody looks at it."""

    now = property(lambda self: self.tick(), lambda self, value: setattr(self, "at", value))

    def tick(self) -> float:
        self.at: float = self.at + 0.6
        return self.at


@pytest.mark.parametrize("is_stored", [False, True], ids=["while it is looked through", "while its files are stored"])
def test_a_line_that_breaks_while_a_lease_is_renewed_costs_no_zip(root: Path, is_stored: bool) -> None:
    put(root, "a.zip", zipped({"1.csv": b"1" * 900_000}))
    source, stored = fetching(root, Ticking(), lease=3.0), list[str]()
    rename = source._files.rename  # type: ignore[attr-defined]

    def cut(of: Path, to: Path) -> None:
        if of.name.startswith("claimed-") and is_stored == bool(stored):
            source._files.rename = rename  # type: ignore[attr-defined]
            raise Lost(104, "the connection was closed", "connection_lost")
        rename(of, to)

    def accept(incoming: Incoming) -> None:
        stored.append(incoming.name)
        for _ in incoming.chunks:
            pass

    source._files.rename = cut  # type: ignore[attr-defined]
    with pytest.raises(TransientError, match="its lease could not be renewed: the connection was closed"):
        source.fetch(accept)
    assert (files(root), bool(stored)) == (["in/a.zip"], is_stored)
    assert taken(source) == ["a.zip/1.csv"]


def test_a_file_whose_name_is_no_text_may_be_packed(root: Path, times: Times) -> None:
    folder = os.fsencode(root / "in")
    for name, content in ((b"/\xff\xe4.zip", zipped({"a.csv": b"1"})), (b"/\xff.csv.gz", gzip.compress(b"2"))):
        Path(os.fsdecode(folder + name)).write_bytes(content)
    accepted = fetched(root, times, events={"a": "*.csv"})
    assert sorted(accepted.bodies) == [b"1", b"2"]
    assert all(incoming.name.encode() and incoming.event == "a" for incoming in accepted)
    assert len(files(root / TODAY)) == 2


def test_a_zip_of_which_a_crash_left_some_is_taken_as_a_whole_again(root: Path, times: Times) -> None:
    put(root, "a.zip", zipped(FIVE))
    first = Accepted()

    def die_in_the_fourth(incoming: Incoming) -> None:
        if len(first) == 3:
            raise KeyboardInterrupt
        first(incoming)

    with pytest.raises(KeyboardInterrupt):
        fetching(root, times).fetch(die_in_the_fourth)
    again = fetching(root, times)
    assert taken(again) == []
    times.pass_by(301.0)
    accepted = Accepted()
    assert again.fetch(accepted) == 5
    assert {incoming.dedupe_id for incoming in first} < {incoming.dedupe_id for incoming in accepted}
    assert files(root) == [f"{TODAY}/a.zip"]
