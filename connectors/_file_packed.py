"""What is in a file that is packed: one file in a .gz, any number in a .zip. Nothing of it is ever written under a name
that it gives, and what it grows to is bounded, in memory by a piece at a time."""

from __future__ import annotations

import hashlib
import re
import stat
import struct
import tempfile
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from fnmatch import fnmatchcase
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import msgspec

from connectors._file_names import PACKED
from connectors._file_ready import is_candidate
from connectors.base import Field, PermanentError, TransientError

PIECE = 262_144
_SMALL = 10_000_000  # what grows to no more than this harms nobody, however small it was
_IN_MEMORY = 1_000_000  # of a zip; the rest of a larger one lies in a temporary file
_ENTRY_BYTES = 1024  # of a zip's table of contents, for each file that may be in it
_ENCRYPTED = 0x1
_METHODS = {9: "deflate64", 12: "bzip2", 14: "lzma", 93: "zstandard", 95: "xz"}
_UNREADABLE = (BadZipFile, zlib.error, struct.error, NotImplementedError, RuntimeError, EOFError, ValueError,
               OverflowError, OSError)  # fmt: skip

UNPACK = (
    Field("endings", "texts", "Names of which endings are unpacked; []: none, files are taken as they are.",
          default=PACKED),
    Field("entries", "text", "Of a zip, the names of the files in it that are taken: * is anything, ? one character.",
          default="*"),
    Field("max_files", "integer", "A zip with more files in it goes to the error folder.", default=1000),
    Field("max_size", "size", "What would be larger unpacked, all of a zip together, goes to the error folder.",
          default=1_000_000_000),
    Field("max_ratio", "integer", "So does what is over 10 MB unpacked and more than so many times what it was.",
          default=200),
)  # fmt: skip


class Unpacking(msgspec.Struct, frozen=True):
    """The settings of ``unpack``; ``empty`` says what becomes of files in a zip that are."""

    endings: tuple[str, ...]
    entries: str
    max_files: int
    max_size: int
    max_ratio: int
    empty: str

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Unpacking:
        """Out of those of ``fetch``."""
        given = {name: value for name, value in (settings.get("unpack") or {}).items() if value is not None}
        known = {field.name: given.get(field.name, field.default) for field in UNPACK}
        known["endings"] = tuple(ending.lower() for ending in known["endings"])
        return cls(**known, empty=settings["empty"])

    def check(self, unpacked: int, packed: int) -> None:
        """Raises PermanentError where that is more than it may be."""
        if unpacked > self.max_size:
            raise PermanentError(f"unpacked it is larger than {self.max_size} bytes, the limit (unpack.max_size)")
        if unpacked > max(_SMALL, self.max_ratio * packed):
            raise PermanentError(
                f"unpacked it is more than {self.max_ratio} times its {packed} bytes, the limit (unpack.max_ratio)"
            )

    def ending(self, name: str) -> str:
        """The ending of a name that is to be unpacked; empty for others."""
        return next((ending for ending in self.endings if name.lower().endswith(ending)), "")


def gunzipped(chunks: Iterator[bytes], size: int, unpacking: Unpacking) -> Generator[bytes, None, None]:
    """What was packed into ``size`` bytes by gzip, member after member, in pieces. Raises PermanentError for what is
    cut off or damaged, after the last chunk was taken: it may be that a writer is still at it."""
    inflate, grown, is_first = None, 0, True
    for chunk in chunks:
        while chunk:
            if inflate is None:
                chunk = chunk if is_first else chunk.lstrip(b"\0")  # tapes fill their last block with zeros
                inflate, is_first = (zlib.decompressobj(wbits=31) if chunk else None), False
                continue
            try:
                piece = inflate.decompress(chunk, PIECE)
                while piece:
                    grown += len(piece)
                    unpacking.check(grown, size)
                    yield piece
                    piece = inflate.decompress(inflate.unconsumed_tail, PIECE)
            except zlib.error:
                _to_the_end(chunks)
                raise PermanentError("it is no gzip file, or damaged; have it sent again") from None
            chunk = inflate.unused_data
            if inflate.eof:
                inflate = None
    if inflate is not None:
        raise PermanentError("the gzip file is cut off; have it sent again")


def _to_the_end(chunks: Iterable[bytes]) -> None:
    for _ in chunks:
        pass


class Entry(msgspec.Struct, frozen=True):
    """One file in a zip. ``number`` is its place in the zip's table of contents."""

    info: ZipInfo
    number: int
    name: str
    sha256: str


class Zip:
    """A zip, copied and looked through: all of its ``entries`` can be read."""

    def __init__(self, archive: ZipFile, size: int, unpacking: Unpacking, keep: Callable[[], None]) -> None:
        """``keep`` is called after each piece. Raises PermanentError for one that cannot be taken as a whole."""
        self._archive, self._size, self._unpacking, self._keep, self._grown = archive, size, unpacking, keep, 0
        infos = archive.infolist()
        if len(infos) > unpacking.max_files:
            raise _too_many(unpacking)
        wanted = [(number, info, _label(info.filename)) for number, info in enumerate(infos) if _is_file(info)]
        self.entries = [self._looked_through(*each) for each in wanted if self._is_wanted(*each[1:])]

    def chunks(self, entry: Entry) -> Iterator[bytes]:
        with self._archive.open(entry.info) as file:
            while piece := file.read(PIECE):
                yield piece
                self._keep()

    def _is_wanted(self, info: ZipInfo, name: str) -> bool:
        last = name.rpartition("/")[2]
        if not is_candidate(last) or not fnmatchcase(last, self._unpacking.entries):
            return False
        if info.file_size == 0 and self._unpacking.empty == "error":
            raise PermanentError(f"'{name}' in it is empty; see empty: of this system")
        return info.file_size > 0 or self._unpacking.empty == "accept"

    def _looked_through(self, number: int, info: ZipInfo, name: str) -> Entry:
        if info.flag_bits & _ENCRYPTED:
            raise PermanentError(f"'{name}' in it is encrypted by a password; have it sent without one")
        if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            method = _METHODS.get(info.compress_type, str(info.compress_type))
            raise PermanentError(f"'{name}' in it is packed by {method}; have it packed by deflate, as all can do")
        if name.lower().endswith(PACKED):
            raise PermanentError(
                f"'{name}' in it is packed itself; have what is in it sent, or leave it out by unpack.entries"
            )
        digest, entry = hashlib.sha256(), Entry(info, number, name, "")
        try:
            for piece in self.chunks(entry):
                digest.update(piece)
                self._grown += len(piece)
                self._unpacking.check(self._grown, self._size)
        except _UNREADABLE:
            raise PermanentError(f"'{name}' in it is damaged; have it sent again") from None
        return Entry(info, number, name, digest.hexdigest())


@contextmanager
def opened_zip(chunks: Iterator[bytes], size: int, unpacking: Unpacking, keep: Callable[[], None]) -> Iterator[Zip]:
    """The zip that these chunks are, in a copy: its table of contents stands at its end. Raises PermanentError for one
    that cannot be read, TransientError where there is no room for the copy."""
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as copy:
        copied(chunks, copy)
        most = max(_IN_MEMORY, _ENTRY_BYTES * unpacking.max_files)
        bounded = _Bounded(copy, most, lambda: _too_many(unpacking))
        try:
            archive = ZipFile(bounded)
        except _UNREADABLE:
            raise PermanentError("it is no zip, or half of one; have it sent again") from None
        with archive:
            yield Zip(archive, size, unpacking, keep)


@contextmanager
def spare_file() -> Iterator[IO[bytes]]:
    """A temporary file, which goes with the block. Raises TransientError where there is no room for it."""
    with copying():
        file = tempfile.TemporaryFile()  # noqa: SIM115 - closed below
    try:
        yield file
    finally:
        with suppress(OSError):  # what had no room has none now, and was told of
            file.close()


def copied(chunks: Iterable[bytes], copy: IO[bytes]) -> None:
    """Into a temporary file, which stands at its beginning then. Raises TransientError where there is no room."""
    for chunk in chunks:
        with copying():
            copy.write(chunk)
    with copying():
        copy.seek(0)


@contextmanager
def copying() -> Iterator[None]:
    """Around what writes to a temporary file. Raises TransientError where there is no room for it."""
    try:
        yield
    except OSError as error:
        where = tempfile.gettempdir()
        text = f"there is no room in {where} for the copy that a file is read from: {error.strerror}"
        raise TransientError(text, code="paused") from None


class _Bounded:
    """A file of which not much is read at a time: the table of contents of a zip comes into memory as a whole."""

    def __init__(self, file: IO[bytes], most: int, refusal: Callable[[], PermanentError]) -> None:
        self._file, self._most, self._refusal = file, most, refusal
        self.seek, self.tell, self.seekable, self.close = file.seek, file.tell, file.seekable, file.close

    def read(self, size: int = -1) -> bytes:
        found = self._file.read(min(size, self._most + 1) if size >= 0 else self._most + 1)
        if len(found) > self._most:
            raise self._refusal()
        return found


def _too_many(unpacking: Unpacking) -> PermanentError:
    return PermanentError(f"more than {unpacking.max_files} files are in it, the limit (unpack.max_files)")


def _is_file(info: ZipInfo) -> bool:
    is_folder = info.filename.endswith(("/", "\\"))  # some on Windows write the latter, against the standard
    return not is_folder and not stat.S_ISLNK(info.external_attr >> 16)


def _label(name: str) -> str:
    """A name in a zip without what would lead out of a folder; it only ever tells a person where something was."""
    return "/".join(part for part in re.split(r"[/\\]", name) if part not in ("", ".", "..")) or "_"
