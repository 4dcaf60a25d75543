"""Quotas: how much each may store, kept to in the background, a little at a time.

Where a quota is reached, the oldest of what has ended goes first, before its retention is over. What is on its way and
dead letters stay; where they alone are too much, doors are shut for the route or source until there is room.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import msgspec

from hub.clock import Clock
from hub.routes import Route
from hub.settings import Settings
from hub.store import counters, pruning, room, usage
from hub.store.database import Store
from hub.store.usage import HUB, ROUTE, SOURCE, Limit, State

ROWS = 500  # of one transaction
_STRETCHES, _CHUNKS = 20, 40  # of one pass, for each of its parts
_REST_SECONDS = 30.0  # until what is protected is looked through again
_BEYOND = 1.1  # doors are shut where more than this share comes faster than room is made
REMOVED = "quota"
_BYTES, _MESSAGES = 0, 1

Key = tuple[str, str]


def limits_of(settings: Settings, routes: Mapping[str, Route]) -> tuple[Limit, ...]:
    """The quotas that the configuration and the routes in force say."""
    said = [(HUB, "", settings.quota)]
    said += [(SOURCE, name, system.quota) for name, system in sorted(settings.systems.items())]
    said += [(ROUTE, name, route.quota) for name, route in sorted(routes.items())]
    made = (Limit(kind, name, quota.get("size") or None, quota.get("messages") or None) for kind, name, quota in said)
    return tuple(limit for limit in made if limit.bytes is not None or limit.messages is not None)


class Quotas:
    """Measures and makes room, a little at each call, and goes on from there at the next."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._limits: tuple[Limit, ...] = ()
        self._pass: Iterator[None] = iter(())
        self._states: dict[Key, State] | None = None  # None: nothing is known yet
        self._after: dict[tuple[Limit, int], int] = {}  # how far room was made
        self._rests: dict[tuple[Limit, int], float] = {}  # where all that may go is gone: when to look again
        self._all_was_known = False

    def keep(self, limits: Sequence[Limit], budget_seconds: float = 0.2) -> None:
        """Go on for about this long. Costs nothing where no quota is set."""
        until = self._clock.monotonic() + budget_seconds
        if self._states is None or tuple(limits) != self._limits:
            self._begin(tuple(limits))
        if not limits:
            return
        try:
            for _ in self._pass:
                if self._clock.monotonic() >= until:
                    return
        except BaseException:
            self._pass = iter(())  # it has ended; the next call begins a new one
            raise
        self._pass = self._steps()

    def _begin(self, limits: tuple[Limit, ...]) -> None:
        """Other quotas than before, or a new process: what is known of those that stay is kept."""
        known = {(state.kind, state.name): state for state in usage.states(self._store.reader())}
        states = {key: known.get(key, State(*key)) for key in map(_key, limits)}
        if states != known:
            self._store.write(lambda db: usage.put_states(db, list(states.values())), durable=False)
        self._limits, self._states, self._pass = limits, states, self._steps()
        self._after, self._rests, self._all_was_known = {}, {}, False

    def _steps(self) -> Iterator[None]:
        """One pass; each step is a short look or a short transaction."""
        stretches = usage.due(self._store.reader(), self._clock.epoch(), _STRETCHES)
        for stretch in stretches:
            yield from self._measure(stretch)
        self._store.write(usage.forget_gone, durable=False)
        all_is_known = len(stretches) < _STRETCHES
        states = self._states or {}
        for limit in self._limits:
            for what in (_BYTES, _MESSAGES):
                if self._clock.monotonic() >= self._rests.get((limit, what), 0.0):
                    yield from self._make_room(limit, what)
            states[_key(limit)] = self._judged(limit, states[_key(limit)], all_is_known and self._all_was_known)
        self._all_was_known = all_is_known
        if list(states.values()) != usage.states(self._store.reader()):
            self._store.write(lambda db: usage.put_states(db, list(states.values())), durable=False)
        yield

    def _measure(self, stretch: int) -> Iterator[None]:
        for found in usage.measure(self._store, stretch, self._clock.epoch()):
            if found is not None:
                self._store.write(partial(usage.put, stretch=stretch, found=found), durable=False)
            yield

    def _judged(self, limit: Limit, before: State, is_sure: bool) -> State:
        """How full a quota is now. What is full stays so until it fits; it becomes so where what may not go is too
        much alone, or where more comes than room is made for."""
        size, messages = usage.used(self._store.reader(), limit)
        now = msgspec.structs.replace(before, bytes=size, messages=messages)
        over = _share(limit, now)
        is_stuck = any((limit, what) in self._rests for what in (_BYTES, _MESSAGES))
        outruns = is_sure and over > _BEYOND and over >= _share(limit, before)
        is_full = over > 1.0 and (before.full_since is not None or is_stuck or outruns)
        return msgspec.structs.replace(now, full_since=(before.full_since or self._clock.epoch()) if is_full else None)

    # -- making room ---------------------------------------------------------------------------------------------------

    def _make_room(self, limit: Limit, what: int) -> Iterator[None]:
        """Stretch by stretch, the oldest first, until it fits; begins anew where the last pass has ended."""
        key, remove = (limit, what), (self._remove_payloads, self._remove_messages)[what]
        most = (limit.bytes, limit.messages)[what]
        excess = 0 if most is None else usage.used(self._store.reader(), limit)[what] - most
        self._rests.pop(key, None)
        for _ in range(_CHUNKS if excess > 0 else 0):
            stretch = usage.next_stretch(self._store.reader(), limit, self._after.get(key, -1))
            if stretch is None:
                self._rests[key] = self._clock.monotonic() + _REST_SECONDS
                break
            before = usage.used(self._store.reader(), limit, stretch)[what]
            if not remove(limit, stretch, excess):
                self._after[key] = stretch
                yield
                continue
            yield from self._measure(stretch)
            excess -= before - usage.used(self._store.reader(), limit, stretch)[what]
            if excess <= 0:
                break
        else:
            if excess > 0:
                return  # the next pass goes on from here
        self._after.pop(key, None)

    def _remove_payloads(self, limit: Limit, stretch: int, excess: int) -> bool:
        """Remove some payloads of a stretch; False where none may go."""
        kind, found = room.pieces(self._store.reader(), limit, stretch, ROWS)
        going = found[: _enough([piece.bytes for piece in found], excess)]
        if not going or not self._store.write(lambda db: room.remove_pieces(db, kind, going), durable=False):
            return False
        self._note(limit, len(going), max(piece.received_at for piece in going))
        return True

    def _remove_messages(self, limit: Limit, stretch: int, excess: int) -> bool:
        """Remove some receipts of a stretch with all that came of them; False where none may go."""
        found = room.receipts(self._store.reader(), limit, stretch, ROWS // 5)
        going = found[: _enough([messages for _, messages, _ in found], excess)]
        seqs, now = [seq for seq, _, _ in going], self._clock.epoch()
        if (
            not going
            or not self._store.write(lambda db: pruning.remove_receipts(db, seqs, ROWS, now), durable=False)[0]
        ):
            return False
        self._note(limit, len(going), max(at for _, _, at in going))
        return True

    def _note(self, limit: Limit, count: int, received_at: float) -> None:
        """Things that came in up to then have gone to make room."""
        states, key, now = self._states or {}, _key(limit), self._clock.epoch()
        youngest = max(received_at, states[key].pruned_to or 0.0)
        states[key] = msgspec.structs.replace(states[key], pruned_at=now, pruned_to=youngest)
        self._store.write(lambda db: counters.add(db, [(REMOVED, *key, count, 0, now)]), durable=False)


def _key(limit: Limit) -> Key:
    return limit.kind, limit.name


def _enough(sizes: Sequence[int], wanted: int) -> int:
    """How many of these, from the first on, add up to what is wanted."""
    for number, size in enumerate(sizes, 1):
        wanted -= size
        if wanted <= 0:
            return number
    return len(sizes)


def _share(limit: Limit, state: State) -> float:
    """How much of a quota is used, whichever of its two limits is used more: 1 is all of it."""
    size = state.bytes / limit.bytes if limit.bytes else 0.0
    return max(size, state.messages / limit.messages if limit.messages else 0.0)
