"""Files that are in hand: renamed into ``.work``, so that of two hubs on one folder only one gets each.

A name in ``.work`` says all there is to know: ``claimed-<milliseconds>-<reference>__<name>`` while it is read,
``accepted-…`` once it is stored and waits for the outcome of its messages. The reference is made of path, size and
time, which no rename changes: the same file has the same one before and after a crash.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from connectors._file_names import move_new, shortened
from connectors._file_ready import Seen

_FORM = re.compile(r"(claimed|accepted)-([0-9]{1,16})-([0-9a-f]{32})__(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Claim:
    """One file in hand. ``at`` is when, in seconds since 1970."""

    path: Path
    state: str
    at: float
    reference: str
    name: str


class Claims:
    """The ``.work`` folder of one watched folder."""

    def __init__(self, folder: Path, now: Callable[[], float]) -> None:
        self._folder, self._work, self._now = folder, folder / ".work", now

    def take(self, seen: Seen) -> Claim | None:
        """Claim a file; None when another was faster or it is not the file that was seen any more."""
        claim = self._named("claimed", reference_of(self._folder / seen.name, seen), shortened(seen.name))
        self._work.mkdir(exist_ok=True)
        try:
            (self._folder / seen.name).rename(claim.path)
        except FileNotFoundError:
            return None
        status = claim.path.lstat()
        if (status.st_size, status.st_mtime_ns) != (seen.size, seen.mtime_ns):
            self.put_back(claim)
            return None
        return claim

    def expired(self, lease_seconds: float) -> Iterator[Claim]:
        """Claims that a crash left behind, claimed anew."""
        for claim in self._listed("claimed"):
            if claim.at + lease_seconds <= self._now() and (again := self._renamed(claim, "claimed")):
                yield again

    def accept(self, claim: Claim) -> None:
        """The file is stored and waits for its outcome."""
        self._renamed(claim, "accepted")

    def put_back(self, claim: Claim) -> None:
        """Back into the folder; where its name is taken by now it stays, and is taken again when the lease is over."""
        try:
            move_new(claim.path, self._folder / claim.name)
        except (FileExistsError, FileNotFoundError):
            return

    def find(self, reference: str) -> list[Claim]:
        """What is in hand under this reference, in either state."""
        return [claim for claim in self._listed() if claim.reference == reference]

    def _renamed(self, claim: Claim, state: str) -> Claim | None:
        again = self._named(state, claim.reference, claim.name)
        try:
            claim.path.rename(again.path)
        except FileNotFoundError:
            return None
        return again

    def _named(self, state: str, reference: str, name: str) -> Claim:
        now = self._now()
        return Claim(self._work / f"{state}-{int(now * 1000)}-{reference}__{name}", state, now, reference, name)

    def _listed(self, state: str = "") -> list[Claim]:
        try:
            names = sorted(path.name for path in self._work.iterdir())
        except FileNotFoundError:
            return []
        claims = [self._parsed(match) for name in names if (match := _FORM.fullmatch(name))]
        return [claim for claim in claims if state in ("", claim.state)]

    def _parsed(self, match: re.Match[str]) -> Claim:
        return Claim(self._work / match[0], match[1], int(match[2]) / 1000, match[3], match[4])


def reference_of(path: Path, seen: Seen) -> str:
    """The same for the same file, whoever sees it and however often."""
    text = b"\0".join((os.fsencode(path), str(seen.size).encode(), str(seen.mtime_ns).encode()))
    return hashlib.sha256(text).hexdigest()[:32]
