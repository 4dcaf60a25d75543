"""A folder that files are put into: whole or not at all, and the same delivery only once."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from connectors._file_names import check_template, filled, folder_within, move_new, numbered
from connectors.base import (
    ABSENT,
    DELIVERED,
    DOUBT,
    FOUND,
    LATER,
    REFUSED,
    STOPPED,
    Finished,
    Parcel,
    PermanentError,
    Verdict,
)

_GROUP = 32
_EXTENSIONS = {
    "application/json": "json", "application/x-ndjson": "ndjson", "text/csv": "csv", "application/xml": "xml",
    "text/xml": "xml", "application/edifact": "edi", "application/edi-x12": "x12", "text/plain": "txt",
}  # fmt: skip
_ERRORS: dict[int, tuple[str, str]] = {
    errno.ENOSPC: (LATER, "disk_full"),
    errno.EDQUOT: (LATER, "disk_full"),
    errno.EFBIG: (LATER, "disk_full"),
    errno.ENOENT: (LATER, "folder_missing"),
    errno.ENOTDIR: (LATER, "folder_missing"),
    errno.EACCES: (STOPPED, "not_allowed"),
    errno.EPERM: (STOPPED, "not_allowed"),
    errno.EROFS: (STOPPED, "not_allowed"),
    errno.ENAMETOOLONG: (REFUSED, "name_too_long"),
}


class FolderDestination:
    """Writes each parcel beside its final name, makes it durable, and only then gives it its name."""

    def __init__(self, root: Path, settings: Mapping[str, Any]) -> None:
        for template in (settings["name"], settings["marker"] or "{name}.done"):
            check_template(template)
        self._folder = folder_within(root, settings["folder"])
        self._name, self._marker = settings["name"], settings["marker"]
        self._if_exists = settings["if_exists"]
        # A name made of the delivery belongs to it alone: what lies there under it is what an earlier try wrote.
        self._is_own_name = "{key}" in self._name or "{delivery_id}" in self._name
        self._pool = ThreadPoolExecutor(settings["threads"], thread_name_prefix="file")

    def submit(self, parcels: Sequence[Parcel], finished: Finished) -> None:
        for start in range(0, len(parcels), _GROUP):
            group = list(parcels[start : start + _GROUP])
            try:
                self._pool.submit(self._send, group, finished)
            except RuntimeError:  # the pool is closed
                finished([(parcel, Verdict(LATER, "closed", "the system is being closed")) for parcel in group])

    def look_up(self, parcel: Parcel) -> Verdict:
        """FOUND when the file lies there with these bytes. A receiver that takes its files away leaves ABSENT."""
        try:
            there = self._folder / self._file_name(parcel)
            self._folder.stat()
            return Verdict(FOUND if _holds(there, parcel.body) else ABSENT)
        except (OSError, PermanentError) as error:
            return Verdict(LATER, "not_reachable", _reason(error))

    def check(self) -> list[str]:
        if not self._folder.is_dir():
            return [f"the folder {self._folder} is not there"]
        if not os.access(self._folder, os.W_OK | os.X_OK):
            return [f"the folder {self._folder} cannot be written to"]
        return []

    def close(self) -> None:
        self._pool.shutdown(wait=True)

    def _send(self, group: list[Parcel], finished: Finished) -> None:
        verdicts = [(parcel, self._timed(parcel)) for parcel in group]
        if any(verdict.kind == DELIVERED for _, verdict in verdicts):
            try:
                _make_durable(self._folder)
            except OSError as error:
                verdicts = [(parcel, _doubtful(verdict, error)) for parcel, verdict in verdicts]
        finished(verdicts)

    def _timed(self, parcel: Parcel) -> Verdict:
        started = time.monotonic()
        try:
            verdict = self._put(parcel)
        except PermanentError as error:
            verdict = Verdict(REFUSED, "file_name", str(error))
        except OSError as error:
            kind, code = _ERRORS.get(error.errno or 0, (LATER, "io_error"))
            verdict = Verdict(kind, code, _reason(error))
        except Exception as error:  # one verdict per parcel, whatever happens
            verdict = Verdict(DOUBT, "internal", f"the file connector failed: {type(error).__name__}")
        return msgspec.structs.replace(verdict, seconds=time.monotonic() - started)

    def _file_name(self, parcel: Parcel) -> str:
        extension = _EXTENSIONS.get(parcel.content_type.partition(";")[0].strip().lower(), "dat")
        known = {"extension": extension, **parcel.variables, "key": parcel.key, "delivery_id": parcel.delivery_id}
        return filled(self._name, known)

    def _put(self, parcel: Parcel) -> Verdict:
        name = self._file_name(parcel)
        placed = self._before_writing(name, parcel) or self._write(name, parcel)
        if placed.verdict.kind == DELIVERED and self._marker:
            _make_durable(self._folder)
            _write_durably(self._folder / self._marker.replace("{name}", placed.name), b"")
        return placed.verdict

    def _before_writing(self, name: str, parcel: Parcel) -> _Placed | None:
        """What became of it where a file of that name lies there, from an earlier try or from someone else."""
        there = self._folder / name
        if self._if_exists == "replace" or not os.path.lexists(there):
            return None
        if self._if_exists == "suffix":
            return self._among_numbered(name, parcel)
        return _met(there, parcel)

    def _among_numbered(self, name: str, parcel: Parcel) -> _Placed | None:
        """Two deliveries may say the same under a name that is not theirs; only a try that settles a doubt, or a name
        of its own, makes equal bytes the same delivery."""
        number = 0
        while os.path.lexists(there := self._folder / numbered(name, number)):
            if (parcel.settling or self._is_own_name) and _holds(there, parcel.body):
                return _met(there, parcel)
            number += 1
        return None

    def _write(self, name: str, parcel: Parcel) -> _Placed:
        # Its own temporary name, the same at every try: a retry writes over what a crash left half done.
        token = hashlib.sha256(parcel.key.encode("utf-8", "replace")).hexdigest()[:8]
        temporary = self._folder / f"{name}.{token}.tmp"
        _write_durably(temporary, parcel.body)
        try:
            return self._publish(temporary, name, parcel)
        finally:
            temporary.unlink(missing_ok=True)

    def _publish(self, temporary: Path, name: str, parcel: Parcel) -> _Placed:
        if self._if_exists == "replace":
            temporary.replace(self._folder / name)
            return _written(name)
        number = 0
        while True:
            target = self._folder / numbered(name, number)
            try:
                move_new(temporary, target)
            except FileExistsError:
                if self._if_exists == "fail":
                    return _met(target, parcel)
                number += 1
                continue
            return _written(target.name)


@dataclass(frozen=True, slots=True)
class _Placed:
    """What became of one parcel, and the name it lies under."""

    verdict: Verdict
    name: str


def _written(name: str) -> _Placed:
    return _Placed(Verdict(DELIVERED, "written", f"written as {name}"), name)


def _met(there: Path, parcel: Parcel) -> _Placed:
    """The name is taken: by these very bytes, which is what an earlier try wrote, or by others."""
    if _holds(there, parcel.body):
        return _Placed(Verdict(DELIVERED, "already_there", f"{there.name} is there already"), there.name)
    detail = f"a file '{there.name}' with other content is there; see if_exists"
    return _Placed(Verdict(REFUSED, "exists", detail), there.name)


def _doubtful(verdict: Verdict, error: OSError) -> Verdict:
    return (
        msgspec.structs.replace(verdict, kind=DOUBT, code="not_durable", detail=_reason(error))
        if verdict.kind == DELIVERED
        else verdict
    )


def _reason(error: OSError | PermanentError) -> str:
    return (error.strerror or "the file system failed") if isinstance(error, OSError) else str(error)


def _holds(path: Path, body: bytes) -> bool:
    """Whether a plain file of exactly these bytes lies there."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return False
    except OSError as error:
        if error.errno == errno.ELOOP:
            return False
        raise
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        return stat.S_ISREG(status.st_mode) and status.st_size == len(body) and file.read() == body


def _write_durably(path: Path, body: bytes) -> None:
    """All bytes on the disk, or no file. Raises OSError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o666)
    try:
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            view = memoryview(body)
            while view:
                view = view[file.write(view) :]
            os.fsync(descriptor)
            if os.fstat(descriptor).st_size != len(body):
                raise OSError(errno.EIO, "the file is not as long as what was written")
    except OSError:
        path.unlink(missing_ok=True)
        raise


def _make_durable(folder: Path) -> None:
    """The names in a folder survive a power cut, too."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
