"""The files of this machine, and of shares that are mounted."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path, PurePath

from connectors._files import Entry, Passing, Status, is_there

CHUNK = 262_144
_BUSY = {errno.EBUSY, errno.ETXTBSY}  # another has it open, on a share of Windows
# What is no fault of a file: it is busy, this process has too much open, or the share that it lies on is away.
_FOR_NOW = _BUSY | {
    errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS, errno.EAGAIN, errno.ESTALE, errno.ETIMEDOUT,
    errno.ENOTCONN, errno.ECONNRESET, errno.ECONNABORTED, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENETDOWN,
    errno.ENETUNREACH,
}  # fmt: skip
_NO_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EACCES}


class _LocalFile:
    def __init__(self, file: FileIO) -> None:
        self._file = file

    def status(self) -> Status:
        with _told_apart():
            return _status(os.fstat(self._file.fileno()))

    def chunks(self) -> Iterator[bytes]:
        while True:
            with _told_apart():
                chunk = self._file.read(CHUNK)
            if not chunk:
                return
            yield chunk

    def rename(self, source: PurePath, target: PurePath) -> None:
        Path(source).rename(target)


class LocalFiles:
    """``connectors._files.Files`` on this machine."""

    def entries(self, folder: PurePath, wanted: Callable[[str], bool]) -> list[Entry]:
        with os.scandir(folder) as entries:
            found = [entry for entry in entries if wanted(entry.name) and entry.is_file(follow_symlinks=False)]
        return [known for entry in found if (known := _entry(entry))]

    def status(self, path: PurePath) -> Status:
        return _status(os.lstat(path))

    @contextmanager
    def opened(self, path: PurePath) -> Iterator[_LocalFile]:
        # Neither follow a link that was put in the file's place nor hang on a pipe.
        with _told_apart():
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with FileIO(descriptor, "rb") as file:
            yield _LocalFile(file)

    def write(self, path: PurePath, body: bytes) -> None:
        """All bytes on the disk, or no file."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o666)
        try:
            with FileIO(descriptor, "wb") as file:
                view = memoryview(body)
                while view:
                    view = view[file.write(view) :]
                os.fsync(descriptor)
                if os.fstat(descriptor).st_size != len(body):
                    raise OSError(errno.EIO, "the file is not as long as what was written")
        except OSError:
            self.remove(path)
            raise

    def rename(self, source: PurePath, target: PurePath) -> None:
        with _told_apart(_BUSY):
            Path(source).rename(target)

    def replace(self, source: PurePath, target: PurePath) -> None:
        Path(source).replace(target)

    def move_new(self, source: PurePath, target: PurePath) -> None:
        try:
            os.link(source, target, follow_symlinks=False)
        except FileExistsError:
            raise
        except OSError as error:
            if error.errno == errno.EXDEV:
                self._copied_new(Path(source), Path(target))
                self.remove(source)
                return
            if error.errno not in _NO_LINKS:
                raise
            # A file system without hard links (FAT, some shares): the best there is.
            if is_there(self, target):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
            self.rename(source, target)
            return
        self.remove(source)

    def _copied_new(self, source: Path, target: Path) -> None:
        """Onto another file system, complete before it has its name there; a crash leaves a hidden file at most."""
        if not stat.S_ISREG(os.lstat(source).st_mode):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        if is_there(self, target):  # before all of it is copied
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
        copy = target.with_name(f".{hashlib.sha256(os.fsencode(source.name)).hexdigest()[:16]}.tmp")
        try:
            copy.touch(0o600)  # nobody else reads it who could not read the file
            shutil.copyfile(source, copy, follow_symlinks=False)
            with suppress(OSError):  # a share may keep no times and modes
                shutil.copystat(source, copy, follow_symlinks=False)
            with copy.open("rb") as file:
                os.fsync(file.fileno())
            self.move_new(copy, target)
            self.make_durable(target.parent)
        finally:
            self.remove(copy)

    def remove(self, path: PurePath) -> None:
        Path(path).unlink(missing_ok=True)

    def make_folder(self, path: PurePath, parents: bool = False) -> None:
        Path(path).mkdir(parents=parents, exist_ok=True)

    def is_folder(self, path: PurePath) -> bool:
        try:
            return stat.S_ISDIR(os.stat(path).st_mode)  # noqa: PTH116 - Path.is_dir takes an error for "no"
        except FileNotFoundError:
            return False

    def make_durable(self, folder: PurePath) -> None:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def fault(self, folder: PurePath, is_written: bool = True) -> str:
        if not Path(folder).is_dir():
            return f"the folder {folder} is not there"
        if not is_written:
            return "" if os.access(folder, os.R_OK | os.X_OK) else f"the folder {folder} cannot be read"
        return "" if os.access(folder, os.W_OK | os.X_OK) else f"the folder {folder} cannot be written to"

    def looking_at(self, folder: PurePath) -> str:
        return f"the folder {folder}"

    def rest(self) -> None:
        """Nothing is held open between two uses."""

    def close(self) -> None:
        """Nothing is held open between two uses."""


@contextmanager
def _told_apart(passing: Collection[int] = _FOR_NOW) -> Iterator[None]:
    """Raises Passing for what may go better later."""
    try:
        yield
    except OSError as error:
        if error.errno in passing:
            raise Passing(error.errno, error.strerror) from None
        raise


def _entry(entry: os.DirEntry[str]) -> Entry | None:
    try:
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    return Entry(entry.name, status.st_size, status.st_mtime_ns)


def _status(found: os.stat_result) -> Status:
    return Status(found.st_size, found.st_mtime_ns, stat.S_ISREG(found.st_mode))
