"""The stored receipts of a stretch with all that belongs to them: small ones together, large ones piece by piece."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, chain, islice
from typing import Any

import msgspec
from msgspec.structs import replace

from hub.backtest.versions import Unknown
from hub.message import RAW, Receipt
from hub.store import Store, payloads, receipts, recorded
from hub.store.compression import CHUNK
from hub.store.recorded import Came, WasMade

_SMALL, _PIECE = 100, 200  # messages of a receipt that is read with others; of a large one that are read at once


class Stored:
    """``bodies``: whether what was sent is wanted too."""

    def __init__(self, store: Store, came: Sequence[Came], bodies: bool) -> None:
        self._store, self._bodies = store, bodies
        db = store.reader()
        found = receipts.load(db, [each.seq for each in came], CHUNK)
        self._receipts = {receipt.seq: receipt for receipt in found}
        small = [each.seq for each in came if each.messages <= _SMALL]
        self._messages: dict[int, dict[int, WasMade]] = {}
        for (seq, position), was in recorded.messages_of(db, small, bodies=bodies).items():
            self._messages.setdefault(seq, {})[position] = was

    def receipt(self, came: Came) -> Receipt | None:
        """A receipt; None where it has gone meanwhile. Its bytes are left out where there are many."""
        return self._receipts.get(came.seq)

    def raw(self, receipt: Receipt) -> Iterable[bytes]:
        """Its bytes, in pieces. Raises Unknown where they are not stored any more."""
        if receipt.raw:
            return (receipt.raw,)
        owner = receipt.raw_owner or receipt.receipt_id
        pieces = payloads.read_chunks(self._store.reader(), owner, RAW, 1)
        first = list(islice(pieces, 1))
        if not first:
            raise Unknown("raw_pruned")
        return chain(first, pieces)

    def pieces(self, receipt: Receipt) -> Iterable[bytes]:
        """Its bytes, to be read as often as one wants. Raises Unknown where they are not stored any more."""
        return _Pieces(self, receipt)

    def with_raw(self, receipt: Receipt) -> Receipt:
        """The same with all of its bytes."""
        return receipt if receipt.raw else replace(receipt, raw=b"".join(self.raw(receipt)))

    def records(self, came: Came) -> Records:
        """The messages that a receipt was split into."""
        if came.messages <= _SMALL:
            return Records(None, came.seq, self._messages.get(came.seq, {}), self._bodies)
        return Records(self._store, came.seq, {}, self._bodies)


class _Pieces(msgspec.Struct, frozen=True):
    stored: Stored
    receipt: Receipt

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.stored.raw(self.receipt))


class Records:
    """The messages of a receipt, asked for by position, upwards. ``store``: where they are read from piece by piece;
    None: all are in ``held``."""

    def __init__(self, store: Store | None, seq: int, held: Mapping[int, WasMade], bodies: bool) -> None:
        self._store, self._seq, self._bodies = store, seq, bodies
        self._held, self._piece = held, -1

    def at(self, position: int) -> WasMade | None:
        if self._store is not None and position // _PIECE != self._piece:
            self._read(self._store, position // _PIECE)
        return self._held.get(position)

    def _read(self, store: Store, piece: int) -> None:
        first = piece * _PIECE
        found = recorded.messages_of(store.reader(), [self._seq], first, first + _PIECE, self._bodies)
        self._piece, self._held = piece, {position: was for (_, position), was in found.items()}

    def first(self) -> WasMade | None:
        """The first that there is, wherever it stands."""
        return next(self.all(), None)

    def all(self, first: int = 0) -> Iterator[WasMade]:
        """Those from a position on, in their order."""
        if self._store is None:
            yield from (self._held[position] for position in sorted(self._held) if position >= first)
            return
        here = recorded.first_from(self._store.reader(), self._seq, first)
        while here is not None:
            self._read(self._store, here // _PIECE)
            yield from [self._held[position] for position in sorted(self._held) if position >= here]
            here = recorded.first_from(self._store.reader(), self._seq, (here // _PIECE + 1) * _PIECE)

    def places(self) -> Iterator[tuple[int, str]]:
        """(position, place) of every message, in their order."""
        if self._store is None:
            yield from ((position, self._held[position].place) for position in sorted(self._held))
        else:
            yield from recorded.places_of(self._store.reader(), self._seq)


class ByPlace:
    """The messages of a receipt by what they are called, whatever has come before them. Each is taken once: of several
    that are called alike, in their order."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._all = sorted((place, position) for position, place in records.places())
        self._next: dict[str, int] = {}  # from which position on there is more that is called so
        self._taken = set[int]()
        self._refused: dict[str, Mapping[str, Any]] = {}

    def take(self, place: str, message: str) -> WasMade | None:
        """What was called so, ``message`` being what it is, or is a part of. Of a message that was whole and is parted
        now, or the other way round, the first part stands for the whole."""
        found = self._called(place, self._next.get(place, 0))
        if found is None and message:
            found = self._beginning(message)
            found = found if found and found[1] not in self._taken and message in (place, found[0]) else None
        if found is None:
            return None
        self._next[found[0]] = found[1] + 1
        self._taken.add(found[1])
        return self._records.at(found[1])

    def message(self, place: str) -> WasMade | None:
        """What a message was, or the first of its parts; taken or not."""
        found = self._beginning(place)
        return self._records.at(found[1]) if found else None

    def _called(self, place: str, position: int = 0) -> tuple[str, int] | None:
        """The first that is called so, from a position on."""
        found = self._from(place, position)
        return found if found[0] == place else None

    def _beginning(self, message: str) -> tuple[str, int] | None:
        part = self._from(f"{message}, ", 0)
        return self._called(message) or (part if part[0].startswith(f"{message}, ") else None)

    def _from(self, place: str, position: int) -> tuple[str, int]:
        index = bisect_left(self._all, (place, position))
        return self._all[index] if index < len(self._all) else ("", -1)

    def refuse(self, place: str, failure: Mapping[str, Any]) -> None:
        """Nothing below a place comes any more, and why."""
        self._refused[place] = failure

    def left(self) -> Iterator[tuple[WasMade, Mapping[str, Any] | None]]:
        """Those that were not taken, in their order, each with the reason, where there is one."""
        for was in self._records.all():
            if was.position not in self._taken:
                steps = accumulate(was.place.split(", "), "{}, {}".format)
                yield was, next((self._refused[place] for place in steps if place in self._refused), None)
