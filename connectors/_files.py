"""What folders need of a file system, be it this machine's or a server's. Every error is an OSError with its errno."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import PurePath
from typing import Protocol

import msgspec


class Passing(OSError):
    """It may go better at the next try; what it was about is left as it is."""


class Lost(Passing):
    """There is no connection, or it broke. ``code`` is a short stable name."""

    def __init__(self, number: int, text: str, code: str) -> None:
        super().__init__(number, text)
        self.code = code


class Unreached(Lost):
    """There was no connection to ask by: nothing was asked for."""


class Unknown(Lost):
    """The connection broke during a move, and nobody can be asked what became of that."""


class Vanished(FileNotFoundError):
    """The connection broke during a move; now the file is neither where it was nor where it was to go."""


class Entry(msgspec.Struct, frozen=True):
    """One plain file of a folder. ``size`` is in bytes."""

    name: str
    size: int
    mtime_ns: int


class Status(msgspec.Struct, frozen=True):
    """What lies under a path. ``is_file``: a plain file, no link, no folder, no pipe."""

    size: int
    mtime_ns: int
    is_file: bool


class Renames(Protocol):
    """What gives a file another name."""

    def rename(self, source: PurePath, target: PurePath) -> None:
        """At once, under a name that nothing has. Raises FileNotFoundError when another was faster."""
        ...


class OpenFile(Renames, Protocol):
    """A file that is read, whatever becomes of its name meanwhile. It is renamed between its chunks; that is not looked
    after when the connection breaks."""

    def status(self) -> Status: ...

    def chunks(self) -> Iterator[bytes]: ...


class Files(Renames, Protocol):
    """A file system. Methods of one object may be called from several threads."""

    def entries(self, folder: PurePath, wanted: Callable[[str], bool]) -> Iterable[Entry]:
        """The plain files of a folder whose name is wanted, in any order."""
        ...

    def status(self, path: PurePath) -> Status:
        """Of the path itself, not of what a link leads to. Raises FileNotFoundError."""
        ...

    def opened(self, path: PurePath) -> AbstractContextManager[OpenFile]:
        """The file open for reading."""
        ...

    def write(self, path: PurePath, body: bytes) -> None:
        """All bytes, as durable as can be told, or an error; over what lies there."""
        ...

    def replace(self, source: PurePath, target: PurePath) -> None:
        """Over what lies under the name, at once where that can be done."""
        ...

    def move_new(self, source: PurePath, target: PurePath) -> None:
        """Raises FileExistsError when the name is taken, FileNotFoundError when another was faster. A crash in between
        leaves one of the names or both, never none."""
        ...

    def remove(self, path: PurePath) -> None:
        """No error where nothing lies."""
        ...

    def make_folder(self, path: PurePath, parents: bool = False) -> None:
        """No error where it is there."""
        ...

    def is_folder(self, path: PurePath) -> bool: ...

    def make_durable(self, folder: PurePath) -> None:
        """The names in a folder survive a power cut."""
        ...

    def fault(self, folder: PurePath, is_written: bool = True) -> str:
        """Why a folder cannot be used now, in a sentence; empty when it can. Not ``is_written``: it is only read."""
        ...

    def looking_at(self, folder: PurePath) -> str:
        """What ``fault`` tries, for a person."""
        ...

    def rest(self) -> None:
        """Nothing is wanted for a while."""
        ...

    def close(self) -> None: ...


def is_there(files: Files, path: PurePath) -> bool:
    """Whether anything lies under a path, also a link that leads nowhere."""
    try:
        files.status(path)
    except FileNotFoundError:
        return False
    return True
