"""A folder that files are put into: whole or not at all, and the same delivery only once."""

from __future__ import annotations

import errno
import hashlib
import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import PurePath
from typing import Any

import msgspec

from connectors._file_address import Address, Addresses
from connectors._file_names import numbered
from connectors._file_packing import packed
from connectors._file_pgp import Sealing
from connectors._files import Files, Lost, Passing, Unknown, Unreached, Vanished, is_there
from connectors._queue import Ended, Queue
from connectors.base import (
    ABSENT,
    DELIVERED,
    DOUBT,
    FOUND,
    LATER,
    REFUSED,
    STOPPED,
    ConnectorError,
    Finished,
    Parcel,
    PermanentError,
    Rehearsed,
    Request,
    Said,
    StoppedError,
    TransientError,
    Verdict,
)

_log = logging.getLogger("o2c.connectors.file")
_GROUP = 32
_ERRORS: dict[int, tuple[str, str]] = {
    errno.ENOSPC: (LATER, "disk_full"),
    errno.EDQUOT: (LATER, "disk_full"),
    errno.EFBIG: (LATER, "disk_full"),
    errno.ENOENT: (LATER, "folder_missing"),
    errno.ENOTDIR: (LATER, "folder_missing"),
    errno.EACCES: (STOPPED, "not_allowed"),
    errno.EPERM: (STOPPED, "not_allowed"),
    errno.EROFS: (STOPPED, "not_allowed"),
    errno.EOPNOTSUPP: (STOPPED, "not_allowed"),
    errno.ENAMETOOLONG: (REFUSED, "name_too_long"),
}


class FolderDestination:
    """Writes each parcel beside its final name, makes it durable, and only then gives it its name."""

    def __init__(self, files: Files, root: PurePath, settings: Mapping[str, Any], sealing: Sealing | None) -> None:
        self._files, self._addresses, self._sealing = files, Addresses(root, settings), sealing
        self._marker, self._if_exists = settings["marker"], settings["if_exists"]
        self._queue = Queue(settings["threads"], "file", self._timed, _GROUP, self._made_durable)

    def submit(self, parcels: Sequence[Parcel], finished: Finished) -> None:
        self._queue.submit(parcels, finished)

    def recall(self, verdict: Verdict) -> None:
        self._queue.recall(verdict)

    def look_up(self, parcel: Parcel) -> Verdict:
        """FOUND when the file lies there with these bytes, and its marker beside it: without that nobody has seen it,
        and writing it again puts the marker. A receiver that takes its files away leaves ABSENT."""
        try:
            to = self._addresses.of(parcel)
            if not self._files.is_folder(self._addresses.fixed):
                return Verdict(LATER, "not_reachable", f"the folder {self._addresses.fixed} is not there")
            is_found = self._holds(to.folder / to.name, packed(parcel.body, to.pack, to.inner_name))
            is_found = is_found and (not self._marker or is_there(self._files, self._marker_of(to, to.name)))
            return Verdict(FOUND if is_found else ABSENT)
        except StoppedError as error:
            return Verdict(STOPPED, error.code, str(error))
        except (OSError, ConnectorError) as error:
            return Verdict(LATER, "not_reachable", _reason(error))

    def tries(self) -> str:
        return self._files.looking_at(self._addresses.fixed)

    def check(self) -> list[str]:
        try:
            fault = self._files.fault(self._addresses.fixed)
        except ConnectorError as error:
            return [str(error)]
        return [*([fault] if fault else []), *(self._sealing.faults() if self._sealing else [])]

    def close(self) -> None:
        self._queue.close()
        self._files.close()
        if self._sealing:
            self._sealing.close()

    def _made_durable(self, ended: Ended) -> Ended:
        """The names survive a power cut before anybody hears of them: once for all of a group."""
        folders = {self._addresses.of(parcel).folder for parcel, verdict in ended if verdict.kind == DELIVERED}
        try:
            for folder in folders:
                self._files.make_durable(folder)
        except OSError as error:
            return [(parcel, _doubtful(verdict, error)) for parcel, verdict in ended]
        return ended

    def _timed(self, parcel: Parcel) -> Verdict:
        """One verdict, whatever happens."""
        started = time.monotonic()
        try:
            to = self._addresses.of(parcel)
            body = packed(parcel.body, to.pack, to.inner_name)
            body = self._sealing.sealed(body) if self._sealing else body
            verdict = self._put(to, msgspec.structs.replace(parcel, body=body))
        except (OSError, ConnectorError) as error:
            verdict = _failed(error)
        except Exception as error:
            _log.exception("putting a file failed in a way that was not foreseen")
            verdict = Verdict(DOUBT, "internal", f"the file connector failed: {type(error).__name__}")
        return msgspec.structs.replace(verdict, seconds=time.monotonic() - started)

    def _put(self, to: Address, parcel: Parcel) -> Verdict:
        if to.is_made:
            self._make_folder(to)
        placed = self._before_writing(to, parcel) or self._write(to, parcel)
        if placed.verdict.kind == DELIVERED and self._marker:
            try:
                self._files.make_durable(to.folder)
                self._mark(self._marker_of(to, placed.name))
            except (OSError, ConnectorError) as error:
                if self._if_exists != "suffix" or self._addresses.is_own_name:
                    raise
                # Tried again as if it were for the first time, it would be put beside itself.
                return Verdict(DOUBT, "no_marker", f"{placed.name} is written, its marker not: {_reason(error)}")
        return placed.verdict

    def _mark(self, marker: PurePath) -> None:
        """The receiver takes a file when its marker is there, which may be before we hear of it."""
        try:
            self._files.write(marker, b"")
        except Unreached:
            raise
        except Lost as lost:
            raise Unknown(errno.ECONNRESET, f"{lost.strerror} while the marker was written", "marker_unknown") from None

    def _marker_of(self, to: Address, name: str) -> PurePath:
        return to.folder / str(self._marker).replace("{name}", name)

    def _make_folder(self, to: Address) -> None:
        if not self._files.is_folder(to.fixed):
            raise FileNotFoundError(errno.ENOENT, f"the folder {to.fixed} is not there")
        self._files.make_folder(to.folder, parents=True)

    def _before_writing(self, to: Address, parcel: Parcel) -> _Placed | None:
        """What became of it where a file of that name lies there, from an earlier try or from someone else."""
        there = to.folder / to.name
        if self._if_exists == "replace" or not is_there(self._files, there):
            return None
        if self._if_exists == "suffix":
            return self._among_numbered(to, parcel)
        return self._met(there, parcel)

    def _among_numbered(self, to: Address, parcel: Parcel) -> _Placed | None:
        """Two deliveries may say the same under a name that is not theirs; only a try that settles a doubt, or a name
        of its own, makes equal bytes the same delivery."""
        number = 0
        while is_there(self._files, there := to.folder / numbered(to.name, number)):
            if (parcel.settling or self._addresses.is_own_name) and self._holds(there, parcel.body):
                return self._met(there, parcel)
            number += 1
        return None

    def _write(self, to: Address, parcel: Parcel) -> _Placed:
        # Its own temporary name, the same at every try: a retry writes over what a crash left half done.
        token = hashlib.sha256(parcel.key.encode("utf-8", "replace")).hexdigest()[:8]
        temporary = to.folder / f"{to.name}.{token}.tmp"
        self._files.write(temporary, parcel.body)
        leaves_it = False
        try:
            placed = self._publish(temporary, to, parcel)
            leaves_it = placed.verdict.code == "written"
            return placed
        except Passing:
            leaves_it = True  # it may have been moved; if not, the next try writes over it
            raise
        finally:
            if not leaves_it:
                with suppress(Passing, ConnectorError):
                    self._files.remove(temporary)

    def _publish(self, temporary: PurePath, to: Address, parcel: Parcel) -> _Placed:
        number = 0
        while True:
            target = to.folder / numbered(to.name, number)
            try:
                if self._if_exists == "replace":
                    self._files.replace(temporary, target)
                else:
                    self._files.move_new(temporary, target)
            except FileExistsError:
                if self._if_exists != "suffix":
                    return self._met(target, parcel)
                number += 1
                continue
            except Vanished:
                # It had been moved before the connection broke, and its receiver has it by now.
                return _written(target.name)
            return _written(target.name)

    def _met(self, there: PurePath, parcel: Parcel) -> _Placed:
        """The name is taken: by these very bytes, which is what an earlier try wrote, or by others."""
        if self._holds(there, parcel.body):
            return _Placed(Verdict(DELIVERED, "already_there", f"{there.name} is there already"), there.name)
        detail = f"a file '{there.name}' with other content is there; see if_exists"
        return _Placed(Verdict(REFUSED, "exists", detail), there.name)

    def _holds(self, path: PurePath, body: bytes) -> bool:
        """Whether a plain file of exactly these bytes lies there; any, where they are encrypted: its name is that of
        these bytes alone, and whole, but what is encrypted twice is not the same twice."""
        try:
            status = self._files.status(path)
            if self._sealing:
                return status.is_file
            if not status.is_file or status.size != len(body):
                return False
            with self._files.opened(path) as file:
                return file.status() == status and _is_equal(file.chunks(), body)
        except FileNotFoundError:
            return False
        except OSError as error:
            if error.errno == errno.ELOOP:
                return False
            raise


class FolderRehearsal:
    """A folder that nothing is written to: the name that a file there would have, and its bytes before they are
    packed."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._addresses = Addresses(PurePath(), settings)

    def send(self, parcel: Parcel, said: Said, now_epoch: float) -> Rehearsed:
        try:
            to = self._addresses.of(parcel)
        except PermanentError as error:
            return Rehearsed(None, Verdict(REFUSED, "file_name", str(error)))
        request = Request(f"{to.folder}/{to.name}", {}, parcel.body)
        if said.fails:
            return Rehearsed(request, Verdict(LATER, "folder_missing", "the folder cannot be reached"))
        return Rehearsed(request, Verdict(DELIVERED, "written", f"written as {to.name}"))

    def look_up(self, parcel: Parcel, said: Said | None, now_epoch: float) -> Rehearsed:
        found = said is not None and said.status < 300 and not said.fails
        return Rehearsed(None, Verdict(FOUND if found else ABSENT))


class _Placed(msgspec.Struct, frozen=True):
    """What became of one parcel, and the name it lies under."""

    verdict: Verdict
    name: str


def _written(name: str) -> _Placed:
    return _Placed(Verdict(DELIVERED, "written", f"written as {name}"), name)


def _failed(error: OSError | ConnectorError) -> Verdict:
    """What an error says: of a move that nobody can be asked about, doubt; so of a marker; of a connection, later."""
    match error:
        case StoppedError():
            return Verdict(STOPPED, error.code, str(error))
        case TransientError():
            return Verdict(LATER, error.code, str(error))
        case ConnectorError():
            return Verdict(REFUSED, "file_name", str(error))
        case Unknown():
            return Verdict(DOUBT, error.code, _reason(error))
        case Lost():
            return Verdict(LATER, error.code, _reason(error))
    kind, code = _ERRORS.get(error.errno or 0, (LATER, "io_error"))
    return Verdict(kind, code, _reason(error))


def _doubtful(verdict: Verdict, error: OSError) -> Verdict:
    return (
        msgspec.structs.replace(verdict, kind=DOUBT, code="not_durable", detail=_reason(error))
        if verdict.kind == DELIVERED
        else verdict
    )


def _reason(error: OSError | ConnectorError) -> str:
    return (error.strerror or "the file system failed") if isinstance(error, OSError) else str(error)


def _is_equal(chunks: Any, body: bytes) -> bool:
    at = 0
    for chunk in chunks:
        if body[at : at + len(chunk)] != chunk:
            return False
        at += len(chunk)
    return at == len(body)
