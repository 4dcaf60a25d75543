"""Files that are in hand where nobody may rename them: a lease in the hub's own store says whose each is, and later
that it is done with. They stay where they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import PurePath

from msgspec.structs import replace

from connectors._file_claims import Claim, reference_of
from connectors._file_names import readable
from connectors._file_ready import Seen
from connectors._files import Files, Renames
from connectors.base import Leases, PermanentError, TransientError


class LeasedClaims:
    """As ``Claims``, of a folder in which nothing is written."""

    def __init__(self, files: Files, folder: PurePath, now: Callable[[], float], lease_seconds: float) -> None:
        self._files, self._folder, self._now, self._seconds = files, folder, now, lease_seconds
        self._leases: Leases | None = None
        self.are_held = False  # whether somebody else has a file in hand
        self.faults: dict[str, str] = {}  # of files that lie there and cannot be taken, by their names

    def lease_by(self, leases: Leases) -> None:
        self._leases = leases

    @property
    def _known(self) -> Leases:
        if self._leases is None:
            raise PermanentError("claim: lease: there is no store that leases could stand in")
        return self._leases

    def new(self, found: list[Seen]) -> list[Seen]:
        """Those that are not done with."""
        by_reference = {self._reference(seen): seen for seen in found}
        ended = self._known.ended(list(by_reference))
        self.faults = {by_reference[reference].name: reason for reference, reason in ended.items() if reason}
        return [seen for reference, seen in by_reference.items() if reference not in ended]

    def take(self, seen: Seen) -> Claim | None:
        """None when another has it, or it is not the file that was seen any more."""
        claim = Claim(self._folder / seen.name, "claimed", self._now(), self._reference(seen), seen.name, seen.sha256)
        if not self._known.take(claim.reference, readable(seen.name), self._seconds):
            self.are_held = True
            return None
        try:
            status = self._files.status(claim.path)
            is_same = (status.size, status.mtime_ns) == (seen.size, seen.mtime_ns)
        except FileNotFoundError:
            is_same = False
        if not is_same:
            self.put_back(claim)
        return claim if is_same else None

    def left(self, lease_seconds: float, waits_for_outcome: bool) -> Iterator[Claim]:
        """Nothing: what a crash left behind lies in the folder like all else, and is taken when its lease is over."""
        self.are_held = False
        return iter(())

    def end(self, claim: Claim, reason: str = "") -> None:
        """The file is stored, or cannot be taken."""
        self._known.end(claim.reference, reason)
        if reason:
            self.faults[claim.name] = reason

    def accept(self, claim: Claim) -> None:
        self.end(claim)

    def put_back(self, claim: Claim) -> None:
        """Anybody's again at the next look."""
        self._known.let_go(claim.reference)

    release = put_back

    def renew(self, claim: Claim, file: Renames) -> Claim:
        """Raises TransientError when another has it by now."""
        if not self._known.renew(claim.reference, self._seconds):
            raise TransientError("another has taken it: the lease was over")
        return replace(claim, at=self._now())

    def find(self, reference: str) -> list[Claim]:
        """Nothing waits to be filed away."""
        return []

    def _reference(self, seen: Seen) -> str:
        return reference_of(self._folder / seen.name, seen)
