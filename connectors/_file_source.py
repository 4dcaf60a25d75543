"""A watched folder: what is complete is claimed, read, stored, and only then filed away."""

from __future__ import annotations

import json
import logging
import mimetypes
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from itertools import chain, islice
from pathlib import PurePath
from typing import Any

from msgspec.structs import replace

from connectors._file_claims import Claim, Claims, Held
from connectors._file_leases import LeasedClaims
from connectors._file_names import event_of, folder_within, move_numbered, readable
from connectors._file_packed import Unpacking, gunzipped, opened_zip
from connectors._file_pgp import UNSIGNED, Opening, is_encrypted, without_ending
from connectors._file_reading import Layer, Reading
from connectors._file_ready import Seen, readiness
from connectors._files import Files, Lost, Passing
from connectors.base import ConnectorError, Incoming, Leases, PermanentError, StoppedError, TransientError

Accept = Callable[[Incoming], None]
_REFUSALS = 10  # renames that are refused before the rest is not tried
_LOOKS = 3  # for a file that is renamed whenever it was found, as when it is just set aside
_log = logging.getLogger("o2c.connectors.file")


class _Refused(Exception):
    """``accept`` raised: its error goes to the caller as it is, whatever kind it is."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


class _Unfiled(TransientError):
    """A file that was seen to cannot go where it is to be filed away; it stays in hand."""


class FolderSource:
    """Fetches from one folder. ``now`` gives seconds since 1970, ``monotonic`` seconds that never go back."""

    def __init__(
        self, files: Files, root: PurePath, settings: Mapping[str, Any], now: Callable[[], float],
        monotonic: Callable[[], float], opening: Opening | None,
    ) -> None:  # fmt: skip
        self._files, self._opening = files, opening
        self._folder = folder_within(root, settings["folder"])
        self._archive = folder_within(root, settings["archive"])
        self._error = folder_within(root, settings["error"])
        self._settings, self._now = settings, now
        self._unpacking = Unpacking.of(settings)
        self._readiness = readiness(files, self._folder, settings, monotonic)
        is_leased = settings["claim"] == "lease"
        self._leased = LeasedClaims(files, self._folder, now, settings["lease"]) if is_leased else None
        self._claims = self._leased or Claims(files, self._folder, settings["pattern"], now)
        # Files that could not be claimed when others were not tried, and when that was: the number of the look.
        self._refused: dict[str, int] = {}
        self._unfiled = list[str]()  # why files of this look cannot be filed away
        self._is_closed = False
        self.is_over = True

    def lease_by(self, leases: Leases) -> None:
        """Where it stands which files are in hand or done with, if that is not told by where they lie."""
        if self._leased is not None:
            self._leased.lease_by(leases)

    def fetch(self, accept: Accept) -> int:
        """Take what is ready; gives how many. A file that cannot be read goes to the error folder, its neighbours go
        on, as they do where it cannot be filed away. An ``accept`` that raises puts the file back and ends this
        round."""
        self.is_over, self._unfiled = True, []
        if self._opening:
            self._opening.open()
        try:
            taken = sum(self._taken(claim, accept) for claim in self._in_hand())
            if self._unfiled:
                more = f" ({len(self._unfiled)} such files)" if len(self._unfiled) > 1 else ""
                raise TransientError(f"{self._unfiled[0]}{more}", code="not_reachable")
            return taken
        except _Refused as refused:
            raise refused.error from None
        except OSError as error:
            raise self._unreachable(error) from None
        finally:
            self._files.rest()

    def settle(self, reference: str, failed: bool) -> None:
        """File away by its outcome what waits for it; nothing where files are filed away on receipt."""
        try:
            for _ in range(_LOOKS if self._waits_for_outcome else 0):
                settled = [self._settle(claim, failed) for claim in self._claims.find(reference)]
                if all(settled):
                    return
        except OSError as error:
            raise self._unreachable(error) from None

    def _settle(self, claim: Claim, failed: bool) -> bool:
        if not failed:
            return self._file_away(claim)
        return self._reject(claim, "outcome", "a message out of this file could not be processed")

    def tries(self) -> str:
        return self._files.looking_at(self._folder)

    def doubt(self) -> str:
        if self._settings["ready"] != "stability":
            return ""
        return (
            f"a file in '{self._settings['folder']}' is taken to be complete when its size and time were the same for "
            f"{self._settings['steady_for']:g} s, which is weak: a writer may pause. Have files renamed when they are "
            "complete and write ready: rename, or have a marker put beside them and write ready: marker"
        )

    def check(self) -> list[str]:
        """What is wrong with fetching now, in sentences; empty when nothing is."""
        try:
            fault = self._files.fault(self._folder, is_written=self._leased is None)
        except ConnectorError as error:
            return [str(error)]
        finally:
            self._files.rest()
        return [*([fault] if fault else []), *(self._opening.faults() if self._opening else [])]

    def close(self) -> None:
        """Free every connection; what is under way ends after the file in hand."""
        self._is_closed = True
        self._files.close()
        if self._opening:
            self._opening.close()

    @property
    def _waits_for_outcome(self) -> bool:
        return bool(self._settings["archive_by"] == "outcome")

    def _unreachable(self, error: OSError) -> TransientError:
        code = error.code if isinstance(error, Lost) else "not_reachable"
        return TransientError(f"the folder '{self._settings['folder']}': {error.strerror}", code=code)

    def _in_hand(self) -> Iterator[Claim]:
        """What a crash left behind first, then what is ready, each claimed just before it is read. What waits for its
        outcome since before that was no more to be waited for is filed away."""
        for claim in self._claims.left(self._settings["lease"], self._waits_for_outcome):
            if claim.state == "accepted":
                self._taken(claim, None)
                continue
            yield claim
            if self._is_closed:
                self.is_over = False
                return
        refused, tried = list[str](), 0
        for seen in self._chosen():
            if self._is_closed:
                self.is_over = False
                return
            tried += 1
            try:
                taken = self._claims.take(seen)
            except Lost:
                raise
            except (PermissionError, Passing):  # a server may say no more than that it failed, of a file that is locked
                refused.append(seen.name)
                if len(refused) == _REFUSALS:
                    break
                continue
            if taken is not None:
                yield taken
            elif self._claims.are_held:
                self.is_over = False
        # Where the rest was not tried it comes first at the next look.
        is_cut_off = len(refused) == _REFUSALS or tried == self._settings["max_files"]
        look = max(self._refused.values(), default=0) + 1
        self._refused = {**self._refused, **dict.fromkeys(refused, look)} if is_cut_off else {}
        if refused:
            raise PermanentError(self._not_taken([readable(name) for name in refused]))
        if self._leased is not None and self._leased.faults:
            raise PermanentError(self._cannot_be(self._leased.faults))

    def _not_taken(self, names: list[str]) -> str:
        where = self._settings["folder"]
        return (
            f"the folder '{where}': '{names[0]}' cannot be renamed into '{where}/.work', which is how a file is taken "
            f"in hand ({len(names)} such files): let the hub's user rename, create and delete there, or write claim: "
            "lease, with which files stay where they are"
        )

    def _cannot_be(self, faults: Mapping[str, str]) -> str:
        name, reason = next(iter(faults.items()))
        more = f" ({len(faults)} such files)" if len(faults) > 1 else ""
        return f"'{readable(name)}' in '{self._settings['folder']}' cannot be taken: {reason}{more}; have it taken away"

    def _chosen(self) -> Iterator[Seen]:
        ready = self._claims.new(self._readiness.ready())
        if self._settings["empty"] == "wait":
            ready = [seen for seen in ready if seen.size]
        by_time = self._settings["sort"] == "mtime"
        refused = {seen.name: self._refused.get(seen.name, 0) for seen in ready}
        self._refused = {name: look for name, look in refused.items() if look}
        ready.sort(key=lambda seen: (refused[seen.name], seen.mtime_ns if by_time else 0, seen.name))
        complete = (found for seen in ready if (found := self._readiness.complete(seen)))
        most = self._settings["max_files"]
        if not self._readiness.is_settled or len(ready) > most or self._claims.are_held:
            self.is_over = False
        return islice(complete, most)

    def _taken(self, claim: Claim, accept: Accept | None) -> int:
        """As ``_take``; with None it is only filed away. What cannot be is told of at the end of the round."""
        try:
            if accept is not None:
                return self._take(claim, accept)
            self._file_away(claim)
        except _Unfiled as error:
            self._unfiled.append(str(error))
        return 0

    def _take(self, claim: Claim, accept: Accept) -> int:
        """How many things came of it."""
        try:
            size = self._files.status(claim.path).size
        except FileNotFoundError:
            return 0
        if size > self._settings["max_size"]:
            self._reject(claim, "too_large", f"{size} bytes; the limit (max_size) is {self._settings['max_size']}")
            return 0
        if size == 0 and self._settings["empty"] != "accept":
            self._dismiss_empty(claim, "the file is empty")
            return 0
        if self._opening and self._opening.wants_signed and not (size and is_encrypted(claim.name)):
            self._reject(claim, "unreadable", UNSIGNED)
            return 0
        held = Held(self._claims, claim, self._settings["lease"], self._now)
        inner, ending, layers = self._layers(held, size) if size else (claim.name, "", [])
        reading = Reading(self._files, claim, held.keep, layers)
        if ending == ".zip":
            things = self._entries(held, reading, size)
        else:
            things = self._unpacked(held, reading, inner) if layers else self._plain(held, reading, size)
        return self._hand_over(held, reading, things, accept)

    def _layers(self, held: Held, size: int) -> tuple[str, str, list[Layer]]:
        """What a file is called once it is decrypted and unpacked, by its name; the ending that said that it is packed;
        and what does so, one after the other."""
        name, layers, limits = held.claim.name, list[Layer](), self._unpacking
        if self._opening and is_encrypted(name):
            name = without_ending(name)
            keep = partial(self._keep, held)
            layers.append(partial(self._opening.decrypted, size=size, unpacking=limits, keep=keep))
        ending = self._unpacking.ending(name)
        if ending == ".gz":
            name = PurePath(name).stem
            layers.append(partial(gunzipped, size=size, unpacking=limits))
        return name, ending, layers

    def _dismiss_empty(self, claim: Claim, reason: str) -> None:
        if self._settings["empty"] == "skip":
            self._file_away(claim)
        else:
            self._reject(claim, "empty", reason)

    def _hand_over(self, held: Held, reading: Reading, things: Generator[Incoming, None, None], accept: Accept) -> int:
        taken = 0
        try:
            with closing(things):
                for incoming in things:
                    accept(incoming)
                    taken += 1
        except Exception as error:
            failure = reading.failure or error
            if isinstance(failure, StoppedError):
                raise
            if isinstance(failure, PermanentError):
                self._reject(held.claim, "unreadable", str(failure))
                return 0
            self._give_back(held.claim)
            if reading.failure is None:
                raise _Refused(error) from error
            self.is_over = False
            _log.warning("%s is left for later: %s", readable(held.claim.name), failure)
            return 0
        if not taken:
            self._dismiss_empty(held.claim, "nothing that is to be taken is in it")
        elif self._waits_for_outcome:
            self._claims.accept(replace(held.claim, sha256=reading.read.sha256))
        else:
            self._file_away(held.claim)
        return taken

    def _give_back(self, claim: Claim) -> None:
        """To be taken again at the next look; by then its marker is gone."""
        if self._settings["ready"] == "marker":
            self._claims.release(claim)
        else:
            self._claims.put_back(claim)

    def _file_away(self, claim: Claim) -> bool:
        """False when another has it by now, or it has another name."""
        if self._leased is not None:
            self._leased.end(claim)
            return True
        day = datetime.fromtimestamp(self._now(), UTC)
        return self._move(claim, self._archive / f"{day:%Y}" / f"{day:%m}" / f"{day:%d}") is not None

    def _reject(self, claim: Claim, code: str, reason: str) -> bool:
        """To the error folder, with a note beside it that says why; where nothing is moved, the hub keeps that."""
        _log.warning("%s cannot be taken: %s", readable(claim.name), reason)
        if self._leased is not None:
            self._leased.end(claim, reason)
            return True
        moved = self._move(claim, self._error)
        if moved is None:
            return False
        at = datetime.fromtimestamp(self._now(), UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        note = {"file": readable(claim.name), "code": code, "reason": reason, "at": at, "reference": claim.reference}
        text = json.dumps(note, indent=2) + "\n"
        self._files.write(moved.with_name(f"{moved.name}.error.json"), text.encode())
        return True

    def _move(self, claim: Claim, folder: PurePath) -> PurePath | None:
        """None when another has it by now: its lease was over, and it has come to the same end there. Raises
        _Unfiled, which names the folder, where it cannot go there."""
        try:
            return move_numbered(self._files, claim.path, folder, claim.name)
        except FileNotFoundError:
            return None
        except Lost:
            raise
        except OSError as error:
            text = f"'{readable(claim.name)}' cannot be filed away in '{folder}': {error.strerror}"
            raise _Unfiled(text, code="not_reachable") from None

    # -- what is in a file -----------------------------------------------------------------------------------------

    def _plain(self, held: Held, reading: Reading, size: int) -> Generator[Incoming, None, None]:
        with closing(reading.chunks()) as chunks:
            name = readable(held.claim.name)
            yield self._incoming(held.claim, name, name, chunks, size, reading.attributes)

    def _unpacked(self, held: Held, reading: Reading, inner: str) -> Generator[Incoming, None, None]:
        """What is in a .gz, or encrypted; nothing where that is empty and empty files are not wanted."""
        name = readable(held.claim.name)
        with closing(reading.chunks()) as chunks:
            first = next(chunks, b"")
            if first or self._settings["empty"] == "accept":
                both, size = chain((first,), chunks) if first else chunks, -1 if first else 0
                yield self._incoming(held.claim, name, readable(inner), both, size, reading.attributes)

    def _entries(self, held: Held, reading: Reading, size: int) -> Generator[Incoming, None, None]:
        """The files in a .zip, of which all can be read."""
        keep = partial(self._keep, held)
        with closing(reading.chunks()) as chunks, opened_zip(chunks, size, self._unpacking, keep) as archive:
            for part, entry in enumerate(archive.entries, 1):
                name, content = f"{readable(held.claim.name)}/{entry.name}", archive.chunks(entry)
                incoming = self._incoming(
                    held.claim, name, PurePath(entry.name).name, content, entry.info.file_size,
                    {**reading.attributes, "sha256": entry.sha256},
                )  # fmt: skip
                yield replace(
                    incoming, dedupe_id=f"{incoming.dedupe_id}/{entry.number}", part=part, parts=len(archive.entries)
                )

    def _keep(self, held: Held) -> None:
        """As while a file is read. Raises TransientError also where the lease cannot be renewed."""
        try:
            held.keep(self._files)
        except OSError as error:
            raise TransientError(f"its lease could not be renewed: {error.strerror}") from None

    def _incoming(
        self, claim: Claim, name: str, content_name: str, chunks: Iterator[bytes], size: int,
        attributes: Mapping[str, str],
    ) -> Incoming:  # fmt: skip
        return Incoming(
            name=name,
            chunks=chunks,
            reference=claim.reference,
            dedupe_id=f"file:{claim.reference}",
            event=event_of(content_name, self._settings["events"]),
            content_type=mimetypes.guess_type(content_name)[0] or "",
            size=size,
            # Empty files are all the same, and yet each of them says something.
            same_content=self._settings["same_content"] if size else "process",
            content_tells=True,
            attributes=attributes,
        )
