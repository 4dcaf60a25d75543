"""The files of a server that is reached by SFTP: as those of this machine, but that every step may lose its connection.

What was asked for when a connection broke may have been done. Reading and looking is simply done again by whoever
asked; a file is written under a temporary name, over what an earlier try left; a move is looked after by a connection
of its own: what is where it was has not been moved.
"""

from __future__ import annotations

import errno
import os
import stat
import struct
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import PurePath

from connectors import _sftp_wire as sftp
from connectors._files import Entry, Lost, Passing, Status, Unknown, Unreached, Vanished, is_there
from connectors._sftp_pool import Pool
from connectors._sftp_wire import Answer, Raw, Wide, Wire
from connectors.base import ConnectorError

PIECE = 32_768  # what every server takes and gives at once
AHEAD = 32  # pieces that are asked for before the first of them has come: a megabyte in memory at most
_LISTINGS_AHEAD = 8
_POSIX_RENAME, _FSYNC, _STATVFS = b"posix-rename@openssh.com", b"fsync@openssh.com", b"statvfs@openssh.com"
_FOR_READING, _FOR_WRITING = 1, 2 | 8 | 16  # read; write, create, truncate
_NO_ATTRIBUTES = Raw(struct.pack(">I", 0))
_NANO = 1_000_000_000


class _RemoteFile:
    def __init__(self, wire: Wire, handle: bytes) -> None:
        self._wire, self._handle = wire, handle
        self._size = -1

    def status(self) -> Status:
        found = _status(self._wire.call(sftp.FSTAT, self._handle))
        self._size = found.size
        return found

    def chunks(self) -> Iterator[bytes]:
        size = self._size if self._size >= 0 else self.status().size
        asked: deque[tuple[int, int, int]] = deque()  # number of the request, place, bytes
        place = 0
        try:
            while asked or place < size:
                while len(asked) < AHEAD and place < size:
                    length = min(PIECE, size - place)
                    asked.append((self._ask(place, length), place, length))
                    place += length
                number, at, length = asked.popleft()
                try:
                    data = self._wire.answer(number).text()
                except EOFError:
                    return  # it is shorter than it was: its size tells
                if not data:
                    return
                if len(data) < length:
                    rest = at + len(data), length - len(data)
                    asked.appendleft((self._ask(*rest), *rest))
                yield data
        finally:
            self._wire.forget(number for number, _, _ in asked)

    def rename(self, source: PurePath, target: PurePath) -> None:
        _rename(self._wire, source, target)

    def _ask(self, place: int, length: int) -> int:
        return self._wire.ask(sftp.READ, self._handle, Wide(place), length)


class RemoteFiles:
    """``connectors._files.Files`` on a server. ``rests``: connections are closed between two uses."""

    def __init__(self, pool: Pool, where: str, rests: bool = False) -> None:
        self._pool, self._where, self._rests = pool, where, rests

    def entries(self, folder: PurePath, wanted: Callable[[str], bool]) -> list[Entry]:
        with self._pool.lent() as wire:
            handle = wire.call(sftp.OPENDIR, _path(folder)).text()
            found = list(_listed(wire, handle, wanted))
            wire.call(sftp.CLOSE, handle)
        return found

    def status(self, path: PurePath) -> Status:
        with self._pool.lent() as wire:
            return _status(wire.call(sftp.LSTAT, _path(path)))

    @contextmanager
    def opened(self, path: PurePath) -> Iterator[_RemoteFile]:
        with self._pool.lent() as wire:
            asked = wire.ask(sftp.OPEN, _path(path), _FOR_READING, _NO_ATTRIBUTES)
            is_plain = _is_plain(wire, path)
            handle = wire.answer(asked).text()
            try:
                if not is_plain:  # a link that was put in the file's place: SFTP follows it
                    raise OSError(errno.ELOOP, "not a plain file")
                yield _RemoteFile(wire, handle)
            finally:
                with suppress(OSError):  # what was read stays read
                    if wire.is_usable:
                        wire.call(sftp.CLOSE, handle)

    def write(self, path: PurePath, body: bytes) -> None:
        with self._pool.lent() as wire:
            handle = wire.call(sftp.OPEN, _path(path), _FOR_WRITING, _NO_ATTRIBUTES).text()
            try:
                self._write(wire, handle, body)
            except Lost:
                raise
            except Passing as error:
                _remove(wire, path)
                raise _because(wire, path.parent, len(body), error) from None
            except OSError:
                _remove(wire, path)
                raise

    def _write(self, wire: Wire, handle: bytes, body: bytes) -> None:
        asked: deque[int] = deque()
        try:
            for place in range(0, len(body), PIECE):
                asked.append(wire.ask(sftp.WRITE, handle, Wide(place), body[place : place + PIECE]))
                if len(asked) >= AHEAD:
                    wire.answer(asked.popleft())
            while asked:
                wire.answer(asked.popleft())
            if wire.extensions.get(_FSYNC):
                wire.call(sftp.EXTENDED, _FSYNC, handle)
            if _status(wire.call(sftp.FSTAT, handle)).size != len(body):
                raise Passing(errno.EIO, "the file is not as long as what was written")
        except Lost:
            raise
        except OSError:
            wire.forget(asked)
            with suppress(OSError):
                wire.call(sftp.CLOSE, handle)
            raise
        wire.call(sftp.CLOSE, handle)

    def rename(self, source: PurePath, target: PurePath) -> None:
        with self._looked_after(source, target), self._pool.lent() as wire:
            _rename(wire, source, target)

    def replace(self, source: PurePath, target: PurePath) -> None:
        with self._looked_after(source, target), self._pool.lent() as wire:
            if _POSIX_RENAME not in wire.extensions:
                _remove(wire, target)
            _rename(wire, source, target)

    def move_new(self, source: PurePath, target: PurePath) -> None:
        with self._looked_after(source, target), self._pool.lent() as wire:
            # Of renames that write over what is there, which some servers know no other of, none may happen here.
            if _is_there(wire, target):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
            try:
                wire.call(sftp.RENAME, _path(source), _path(target))
            except Lost:
                raise
            except Passing:
                if _is_there(wire, target):
                    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST)) from None
                raise

    @contextmanager
    def _looked_after(self, source: PurePath, target: PurePath) -> Iterator[None]:
        """A move whose connection breaks: done, not done, or nobody can tell."""
        try:
            yield
        except Unreached:
            raise
        except Lost as lost:
            self._pool.rest()  # what else is open may be broken as well
            try:
                stays, arrived = is_there(self, source), is_there(self, target)
            except (OSError, ConnectorError) as error:
                text = f"{lost.strerror} during a rename, and then: {getattr(error, 'strerror', None) or error}"
                raise Unknown(errno.ECONNRESET, text, "rename_unknown") from None
            if stays:
                raise
            if not arrived:
                raise Vanished(errno.ENOENT, os.strerror(errno.ENOENT)) from None

    def remove(self, path: PurePath) -> None:
        with self._pool.lent() as wire, suppress(FileNotFoundError):
            wire.call(sftp.REMOVE, _path(path))

    def make_folder(self, path: PurePath, parents: bool = False) -> None:
        if self.is_folder(path):
            return
        if parents and path.parent != path:
            self.make_folder(path.parent, parents=True)
        with self._pool.lent() as wire:
            try:
                wire.call(sftp.MKDIR, _path(path), _NO_ATTRIBUTES)
            except Lost:
                raise
            except (Passing, FileExistsError):
                if not _is_folder(wire, path):  # another may have been faster
                    raise

    def is_folder(self, path: PurePath) -> bool:
        with self._pool.lent() as wire:
            return _is_folder(wire, path)

    def make_durable(self, folder: PurePath) -> None:
        """SFTP has no way to ask for it."""

    def fault(self, folder: PurePath, is_written: bool = True) -> str:
        try:
            return "" if self.is_folder(folder) else f"the folder {folder} is not there on {self._where}"
        except OSError as error:
            return f"the folder {folder} on {self._where} cannot be looked at: {error.strerror}"

    def looking_at(self, folder: PurePath) -> str:
        return f"a login at {self._where}, and the folder {folder} there"

    def rest(self) -> None:
        if self._rests:
            self._pool.rest()

    def close(self) -> None:
        self._pool.close()


def _path(path: PurePath) -> bytes:
    return os.fsencode(path)


def _attributes(answer: Answer) -> tuple[int, int | None, int]:
    """(size, mode, time in seconds); no mode where the server does not tell it."""
    flags = answer.number()
    size = answer.wide() if flags & 1 else 0
    if flags & 2:
        answer.number(), answer.number()
    mode = answer.number() if flags & 4 else None
    mtime = (answer.number(), answer.number())[1] if flags & 8 else 0
    for _ in range(answer.number() if flags & 0x80000000 else 0):
        answer.text(), answer.text()
    return size, mode, mtime


def _status(answer: Answer) -> Status:
    size, mode, mtime = _attributes(answer)
    return Status(size, mtime * _NANO, mode is None or stat.S_ISREG(mode))


def _listed(wire: Wire, handle: bytes, wanted: Callable[[str], bool]) -> Iterator[Entry]:
    asked: deque[int] = deque()
    is_over = False
    while not is_over:
        while len(asked) < _LISTINGS_AHEAD:
            asked.append(wire.ask(sftp.READDIR, handle))
        try:
            answer = wire.answer(asked.popleft())
        except EOFError:
            is_over = True
            break
        for _ in range(answer.number()):
            name, long_name = os.fsdecode(answer.text()), answer.text()
            size, mode, mtime = _attributes(answer)
            is_file = stat.S_ISREG(mode) if mode is not None else long_name[:1] not in (b"d", b"l")
            if is_file and wanted(name):
                yield Entry(name, size, mtime * _NANO)
    wire.forget(asked)


def _rename(wire: Wire, source: PurePath, target: PurePath) -> None:
    if _POSIX_RENAME in wire.extensions:
        try:
            wire.call(sftp.EXTENDED, _POSIX_RENAME, _path(source), _path(target))
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EACCES):
                raise
        else:
            return
    wire.call(sftp.RENAME, _path(source), _path(target))


def _remove(wire: Wire, path: PurePath) -> None:
    with suppress(FileNotFoundError, PermissionError, Passing):
        wire.call(sftp.REMOVE, _path(path))


def _is_there(wire: Wire, path: PurePath) -> bool:
    try:
        wire.call(sftp.LSTAT, _path(path))
    except FileNotFoundError:
        return False
    return True


def _is_plain(wire: Wire, path: PurePath) -> bool:
    """Whether a plain file lies there; also where nothing does, which opening it tells."""
    try:
        return _status(wire.call(sftp.LSTAT, _path(path))).is_file
    except FileNotFoundError:
        return True


def _is_folder(wire: Wire, path: PurePath) -> bool:
    try:
        _, mode, _ = _attributes(wire.call(sftp.STAT, _path(path)))
    except FileNotFoundError:
        return False
    return mode is None or stat.S_ISDIR(mode)


def _because(wire: Wire, folder: PurePath, size: int, error: Passing) -> OSError:
    """OpenSSH says of a full disk only that it failed; where a server can be asked for its room, that is asked."""
    if _STATVFS not in wire.extensions:
        return error
    try:
        answer = wire.call(sftp.EXTENDED, _STATVFS, _path(folder))
        numbers = [answer.wide() for _ in range(11)]
    except Lost:
        raise
    except OSError:
        return error
    unit, available, flags = numbers[1], numbers[4], numbers[9]
    if flags & 1:
        return OSError(errno.EROFS, os.strerror(errno.EROFS))
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) if unit * available < size else error
