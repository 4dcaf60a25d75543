"""What a back-test counts: differences by field and kind, faults by cause, each with its first samples. Tallies of
stretches of messages are added up in their order, so that the sum does not depend on who has counted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

MOST = 1000  # different differences, or faults; what is more is counted together
MORE = "(more)"
COMPARED = ("equal", "changed", "newly_failing", "newly_fixed", "still_failing")


class Sample(msgspec.Struct, array_like=True, frozen=True):
    """One message in which something differs, before and after: as it is, and without personal data."""

    message_id: str
    before: str | None
    after: str | None
    masked_before: str | None
    masked_after: str | None


class Change(msgspec.Struct, array_like=True):
    """A difference at one field, of one kind, in so many comparisons."""

    count: int = 0
    samples: list[Sample] = []


class Cause(msgspec.Struct, array_like=True):
    """A fault of one cause: its first failure, with and without values, and messages that have it."""

    count: int = 0
    failure: dict[str, Any] = {}
    masked: dict[str, Any] = {}
    message_ids: list[str] = []


Key = tuple[str, str, str]  # part, path, kind


class Tally(msgspec.Struct, array_like=True):
    """``counts`` by verdict; ``incomparable`` by reason; ``causes`` by (verdict, part, fingerprint)."""

    messages: int = 0
    counts: dict[str, int] = {}
    incomparable: dict[str, int] = {}
    changes: dict[Key, Change] = {}
    causes: dict[Key, Cause] = {}
    hub_versions: dict[str, int] = {}

    def count(self, verdict: str) -> None:
        self.counts[verdict] = self.counts.get(verdict, 0) + 1

    def leave_out(self, reason: str, times: int = 1) -> None:
        self.incomparable[reason] = self.incomparable.get(reason, 0) + times

    def note_version(self, version: str) -> None:
        self.hub_versions[version] = self.hub_versions.get(version, 0) + 1

    def change(self, part: str, path: str, kind: str, samples: Iterable[Sample], most: int, times: int = 1) -> None:
        key = (part, path, kind)
        if key not in self.changes and len(self.changes) >= MOST:
            key = (part, MORE, kind)
        change = self.changes.setdefault(key, Change(samples=[]))
        change.count += times
        change.samples += list(samples)[: max(0, most - len(change.samples))]

    def cause(self, key: Key, found: Cause, most: int) -> None:
        if key not in self.causes and len(self.causes) >= MOST:
            key = (key[0], key[1], MORE)
        cause = self.causes.setdefault(key, Cause(0, found.failure, found.masked, []))
        cause.count += found.count
        cause.message_ids += found.message_ids[: max(0, most - len(cause.message_ids))]

    def add(self, other: Tally, most: int) -> None:
        """Add what comes after."""
        self.messages += other.messages
        for mine, theirs in (
            (self.counts, other.counts), (self.incomparable, other.incomparable),
            (self.hub_versions, other.hub_versions),
        ):  # fmt: skip
            for name, number in theirs.items():
                mine[name] = mine.get(name, 0) + number
        for (part, path, kind), change in other.changes.items():
            self.change(part, path, kind, change.samples, most, change.count)
        for key, cause in other.causes.items():
            self.cause(key, cause, most)
