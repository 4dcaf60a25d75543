"""Files that are in hand: renamed into ``.work``, so that of two hubs on one folder only one gets each.

A name in ``.work`` says all there is to know: ``claimed-<milliseconds>-<reference>__<name>`` while it is read,
``accepted-…`` once it is stored and waits for the outcome of its messages, ``marker-…`` for the marker of a file that
is just being claimed. The reference is made of path, size and time, which no rename changes: the same file has the
same one before and after a crash. Behind it stands, after a ``-``, how the sha256 begins, as much of it as there is
room for in a name: the one that the marker said, if it said one, and once it is accepted that of the file, since two
files may have one path, size and time.
"""

from __future__ import annotations

import hashlib
import logging
import math
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import PurePath
from typing import Protocol

import msgspec
from msgspec.structs import replace

from connectors._file_names import KEPT_END, is_shortened, readable, shortened
from connectors._file_ready import Seen, fits, is_candidate
from connectors._files import Files, Lost, Passing, Renames, is_there
from connectors.base import TransientError

_LONG_AGO = 30 * 365 * 86400.0
_LONG_SECONDS = 3600.0  # in which every system that looks at a folder has looked
_SHA256_DIGITS = 16
_CLOSE_MILLISECONDS = 1000
_log = logging.getLogger("o2c.connectors.file")
_FORM = re.compile(r"(claimed|accepted|marker)-([0-9]{1,16})-([0-9a-f]{32})(?:-([0-9a-f]{16}))?__(.+)", re.DOTALL)


class Claim(msgspec.Struct, frozen=True):
    """One file in hand. ``at`` is when, in seconds since 1970; ``sha256`` how that begins, by its marker."""

    path: PurePath
    state: str
    at: float
    reference: str
    name: str
    sha256: str = ""

    @property
    def exact_reference(self) -> str:
        """The reference with how the sha256 begins: what no other content has."""
        return f"{self.reference}-{self.sha256[:_SHA256_DIGITS]}" if self.sha256 else self.reference


class Claims:
    """The ``.work`` folder of one watched folder."""

    def __init__(self, files: Files, folder: PurePath, pattern: str, now: Callable[[], float]) -> None:
        self._files, self._folder, self._work, self._now = files, folder, folder / ".work", now
        self._pattern = pattern
        self._last: dict[float, tuple[str, int]] = {}
        # Where they were put, so that most need not be searched for; None where there are several of one.
        self._accepted: dict[str, Claim | None] = {}
        self._waiting = set[str]()  # the exact references of what had been accepted at the last look
        self._strange: dict[PurePath, float] = {}  # what does not fit the pattern, and since when that is known
        self.are_held = False  # whether the last look for what is expired has met leases that are not over

    def take(self, seen: Seen) -> Claim | None:
        """Claim a file; None when another was faster or it is not the file that was seen any more. Raises
        PermissionError where it cannot be renamed.

        Its marker goes first and comes to nothing once the file is claimed: were it to outlive its file in the folder,
        whatever crashes, it would vouch for the next one of that name.
        """
        reference = reference_of(self._folder / seen.name, seen)
        claim = self._named("claimed", reference, shortened(seen.name, KEPT_END), seen.sha256)
        if not seen.marker:
            return claim if self._took(seen, claim) else None
        there, marker = self._folder / seen.marker, self._named("marker", reference, claim.name, seen.sha256).path
        if not self._moved(there, marker):
            return None
        try:
            is_mine = self._took(seen, claim)
        except Lost:
            raise
        except OSError:
            self._files.rename(marker, there)
            raise
        if is_mine:
            self._files.remove(marker)
            return claim
        with suppress(FileExistsError, FileNotFoundError):
            self._files.move_new(marker, there)
        return None

    def _took(self, seen: Seen, claim: Claim) -> bool:
        if not self._moved(self._folder / seen.name, claim.path):
            return False
        status = self._files.status(claim.path)
        if (status.size, status.mtime_ns) != (seen.size, seen.mtime_ns):
            self.put_back(claim)
            return False
        return True

    def left(self, lease_seconds: float, waits_for_outcome: bool) -> Iterator[Claim]:
        """What a crash left behind, claimed anew: claims, and files of which only the marker was claimed. Not
        ``waits_for_outcome``: what is accepted as well. Another system may look at this folder too: what is its stays
        as it is."""
        every, now = self._listed("claimed", "marker", "accepted"), self._now()
        self._waiting = {claim.exact_reference for claim in every if claim.state == "accepted"}
        mine = [claim for claim in every if fits(claim.name, self._pattern) or is_shortened(claim.name)]
        self._tell_strange([claim for claim in every if claim.state != "accepted" and claim not in mine], now)
        yield from (claim for claim in mine if claim.state == "accepted" and not waits_for_outcome)
        found = [claim for claim in mine if claim.state != "accepted"]
        left = [claim for claim in found if not -lease_seconds < now - claim.at < lease_seconds]  # clocks are put back
        self.are_held = len(left) < len(found)
        for claim in left:
            if claim.state == "claimed" and (again := self._claimed_anew(claim)):
                yield again
        if markers := {claim.reference: claim for claim in left if claim.state == "marker"}:
            yield from self._vouched_for(markers)

    def _tell_strange(self, claims: Sequence[Claim], now: float) -> None:
        """Once of each that lies there for long: who took it may have had another pattern."""
        self._strange = {claim.path: self._strange.get(claim.path, now) for claim in claims}
        for claim in claims:
            if now - self._strange[claim.path] >= _LONG_SECONDS:
                self._strange[claim.path] = math.inf
                _log.warning(
                    "%s has been in %s since a crash, and its name does not fit the pattern of this system: if no "
                    "other system looks at this folder, move it back", readable(claim.name), self._work,
                )  # fmt: skip

    def _claimed_anew(self, claim: Claim) -> Claim | None:
        """None also where it cannot be renamed for now."""
        with self._for_now(claim.name):
            return self._renamed(claim, "claimed")
        return None

    def _vouched_for(self, markers: dict[str, Claim]) -> Iterator[Claim]:
        for entry in self._files.entries(self._folder, is_candidate):
            seen = Seen(entry.name, entry.size, entry.mtime_ns)
            marker = markers.pop(reference_of(self._folder / seen.name, seen), None)
            if marker and (claim := self._taken_by(marker, seen)):
                yield claim
        for marker in markers.values():  # of what had been claimed, or is not there any more
            with self._for_now(marker.name):
                self._files.remove(marker.path)

    def _taken_by(self, marker: Claim, seen: Seen) -> Claim | None:
        claim = None
        with self._for_now(seen.name):
            claim = self.take(replace(seen, sha256=marker.sha256))
            self._files.remove(marker.path)
        return claim

    @contextmanager
    def _for_now(self, name: str) -> Iterator[None]:
        """What is locked stays as it is: a server may take a while to see that who had it open is gone."""
        try:
            yield
        except Lost:
            raise
        except (PermissionError, Passing) as error:
            _log.warning("%s cannot be taken in hand again for now: %s", readable(name), error.strerror)
            self.are_held = True

    def new(self, found: list[Seen]) -> list[Seen]:
        """Those that are not done with: what is lies elsewhere."""
        return found

    def accept(self, claim: Claim) -> None:
        """The file is stored and waits for its outcome."""
        if again := self._renamed(claim, "accepted"):
            exact = claim.exact_reference
            self._accepted[exact] = None if exact in self._accepted or exact in self._waiting else again

    def put_back(self, claim: Claim) -> None:
        """Back into the folder; where its name is taken by now it stays, and is taken again when the lease is over."""
        try:
            self._files.move_new(claim.path, self._folder / claim.name)
        except (FileExistsError, FileNotFoundError):
            return

    def release(self, claim: Claim) -> None:
        """Its lease is over at once: who looks next takes it. For a file that lies complete in nobody's eyes any more
        once it is back in its folder, since its marker is gone."""
        self._renamed(claim, "claimed", _LONG_AGO)

    def renew(self, claim: Claim, file: Renames) -> Claim:
        """A new lease while the file is open; the old one on a server that renames no open file, as Windows does.
        Raises TransientError when another has it by now."""
        again = self._named("claimed", claim.reference, claim.name, claim.sha256)
        try:
            file.rename(claim.path, again.path)
        except FileNotFoundError:
            raise TransientError("another has taken it: the lease was over") from None
        except Lost:
            raise
        except OSError:
            return replace(claim, at=again.at)
        return again

    def find(self, reference: str) -> list[Claim]:
        """What is in hand under this exact reference, in either state; under one without a sha256 whatever content."""
        known = self._accepted.pop(reference, None)
        if known and is_there(self._files, known.path):
            return [known]
        path_size_time, _, sha256 = reference.partition("-")
        found = [claim for claim in self._listed("claimed", "accepted") if claim.reference == path_size_time]
        return [claim for claim in found if not sha256 or self._content(claim) in (sha256, "")]

    def _content(self, claim: Claim) -> str:
        """How its sha256 begins; empty where it is not there any more."""
        if claim.sha256:
            return claim.sha256
        digest = hashlib.sha256()
        try:
            with self._files.opened(claim.path) as file:
                for chunk in file.chunks():
                    digest.update(chunk)
        except FileNotFoundError:
            return ""
        return digest.hexdigest()[:_SHA256_DIGITS]

    def _moved(self, source: PurePath, target: PurePath) -> bool:
        """False when another was faster."""
        for is_last in (False, True):
            try:
                self._files.rename(source, target)
            except FileNotFoundError:
                if is_last or self._files.is_folder(self._work):
                    return False
                self._files.make_folder(self._work)
            else:
                return True
        return False

    def _renamed(self, claim: Claim, state: str, ago_seconds: float = 0.0) -> Claim | None:
        again = self._named(state, claim.reference, claim.name, claim.sha256, ago_seconds)
        try:
            self._files.rename(claim.path, again.path)
        except FileNotFoundError:
            return None
        return again

    def _named(self, state: str, reference: str, name: str, sha256: str, ago_seconds: float = 0.0) -> Claim:
        now = self._now() - ago_seconds
        moment = int(now * 1000)
        # Two files of one name, size and second have one reference; neither may take the other's place.
        before, at = self._last.get(ago_seconds, ("", 0))
        if reference == before and 0 <= at - moment < _CLOSE_MILLISECONDS:
            moment = at + 1
        self._last[ago_seconds] = reference, moment
        claim = Claim(self._work, state, now, reference, name, sha256)
        return replace(claim, path=self._work / f"{state}-{moment}-{claim.exact_reference}__{name}")

    def _listed(self, *states: str) -> list[Claim]:
        try:
            names = sorted(entry.name for entry in self._files.entries(self._work, lambda name: True))
        except FileNotFoundError:
            return []
        claims = [self._parsed(match) for name in names if (match := _FORM.fullmatch(name))]
        return [claim for claim in claims if claim.state in states]

    def _parsed(self, match: re.Match[str]) -> Claim:
        return Claim(self._work / match[0], match[1], int(match[2]) / 1000, match[3], match[5], match[4] or "")


class Renewing(Protocol):
    def renew(self, claim: Claim, file: Renames) -> Claim: ...


class Held:
    """A claim while its file is read: renewed in time, so that nobody takes it for one that a crash left behind."""

    def __init__(self, claims: Renewing, claim: Claim, lease_seconds: float, now: Callable[[], float]) -> None:
        self.claim = claim
        self._claims, self._now, self._seconds = claims, now, lease_seconds / 3

    def keep(self, file: Renames) -> None:
        """Called again and again. Raises TransientError when another has it by now."""
        if not 0 <= self._now() - self.claim.at < self._seconds:
            self.claim = self._claims.renew(self.claim, file)


def reference_of(path: PurePath, seen: Seen) -> str:
    """The same for the same file, whoever sees it and however often."""
    text = b"\0".join((os.fsencode(path), str(seen.size).encode(), str(seen.mtime_ns).encode()))
    return hashlib.sha256(text).hexdigest()[:32]
