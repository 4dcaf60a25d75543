"""Pruning by age, in chunks, each a short transaction of its own, so that work goes on beside it.

Raw bytes, stages (canonical documents, sent bytes) and metadata have their own ages, by route where it says so. What
has a dead letter or an open delivery is never pruned, however old; nor is the audit. It is noted as left behind, and
goes when nothing protects it any more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import replace

from hub.clock import Clock
from hub.routes import Route
from hub.settings import Settings
from hub.store import counters, items, pruning, usage
from hub.store.database import Database, Store
from hub.store.pruning import Chunk

ROWS = 500  # of one transaction
_DEDUPE_KEEP = 30 * 86400.0
_MARK = "retention"
_PASSES = {"raw": pruning.RAW, "stages": pruning.STAGES}


class Keep(msgspec.Struct, frozen=True):
    """How long things are kept, in seconds."""

    raw: float
    stages: float
    metadata: float


class Policy(msgspec.Struct, frozen=True):
    """What is kept how long: in general, by route, and senders' ids by source."""

    general: Keep
    routes: Mapping[str, Keep]
    dedupe: Mapping[str, float]

    def of(self, route: str) -> Keep:
        """What holds for a route; replies (``ROUTE#TARGET``) are kept as their route says."""
        return self.routes.get(route.partition("#")[0], self.general)


def policy_of(settings: Settings, routes: Mapping[str, Route]) -> Policy:
    """The policy that the configuration and the routes in force say."""
    kept = settings.retention
    general = Keep(kept.raw, kept.stages, kept.metadata)
    changed = {name: replace(general, **route.retention) for name, route in routes.items() if route.retention}
    dedupe = {name: float(system.dedupe.get("keep") or _DEDUPE_KEEP) for name, system in settings.systems.items()}
    return Policy(general, changed, dedupe)


class Pruner:
    """Prunes a little at each call and goes on from there at the next."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._receipts_after = 0
        self._left_after: dict[str, int] = {}
        self._marks: frozenset[str] = frozenset()
        self._dedupe_after: tuple[str, str] = ("", "")
        self._belongings_after: dict[str, tuple[Any, ...]] = {}

    def prune(self, policy: Policy, budget_seconds: float = 0.5) -> int:
        """Remove what is too old, for this long at most; gives how many rows went. 0: there was nothing to do."""
        until = self._clock.monotonic() + budget_seconds
        self._forget_passes(policy)
        removed = self._left_behind(policy)
        for step in (self._raw, self._stages, self._metadata, self._dedupe, self._items, self._keys, self._edges):
            while (count := step(policy)) is not None:
                removed += count
                if self._clock.monotonic() >= until:
                    return removed
        return removed

    # Each step does one chunk and gives how many rows went; None when it is done for now.

    def _raw(self, policy: Policy) -> int | None:
        return self._payloads(policy, "raw")

    def _stages(self, policy: Policy) -> int | None:
        return self._payloads(policy, "stages")

    def _payloads(self, policy: Policy, kind: str) -> int | None:
        """One chunk of payloads. Routes that keep them equally long share a mark: all before it have been looked at."""
        now = self._clock.epoch()
        for age in _ages(policy, kind):
            routes = _routes(policy, kind, age)
            mark = _mark(kind, age, routes)
            last = counters.total(self._store.reader(), _MARK, mark)
            until = pruning.last_before(self._store.reader(), last, now - age, ROWS)
            if until is None:
                continue
            chunk = Chunk(_PASSES[kind], last, until, *routes, mark)
            return self._in_transaction(partial(_prune_payloads, chunk=chunk, at=now))
        return None

    def _forget_passes(self, policy: Policy) -> None:
        """Passes that are none by the policy any more; should they be once more, they begin anew."""
        marks = frozenset(_mark(k, age, _routes(policy, k, age)) for k in _PASSES for age in _ages(policy, k))
        if marks == self._marks:
            return
        names = [str(row["name"]) for row in counters.listed(self._store.reader(), _MARK)]
        if old := [name for name in names if name.partition(":")[0] in _PASSES and name not in marks]:
            self._store.write(lambda db: pruning.forget_passes(db, _MARK, old), durable=False)
        self._marks = marks

    def _left_behind(self, policy: Policy) -> int:
        """A chunk of each age of what was protected when its time came: gives how many rows went. The next call goes on
        from there, so that it costs the same however much there is."""
        removed = 0
        for kind, statement in _PASSES.items():
            for age in _ages(policy, kind):
                routes = _routes(policy, kind, age)
                mark = _mark(kind, age, routes)
                after = self._left_after.pop(mark, 0)
                seqs = pruning.left_behind(self._store.reader(), mark, after, ROWS)
                if not seqs:
                    continue
                chunk, count = Chunk(statement, after, seqs[-1], *routes, mark), 0
                if pruning.is_any_free(self._store.reader(), chunk):
                    count = self._in_transaction(partial(_prune_left_behind, chunk=chunk, seqs=seqs))
                self._left_after[mark] = chunk.until if count < ROWS else after
                removed += count
        return removed

    def _metadata(self, policy: Policy) -> int | None:
        now, longest = self._clock.epoch(), min(k.metadata for k in (policy.general, *policy.routes.values()))
        found = pruning.old_receipts(self._store.reader(), self._receipts_after, now - longest, ROWS // 5)
        if not found:
            self._receipts_after = 0
            return None
        due = [seq for seq, route, at in found if at < now - policy.of(route).metadata]

        def job(db: Database) -> tuple[int, bool]:
            if due:
                usage.touched(db, due[0], due[-1])
            return pruning.remove_receipts(db, due, ROWS, now)

        removed, finished = self._store.write(job, durable=False)
        if finished:
            self._receipts_after = found[-1][0]
        return int(removed)

    def _dedupe(self, policy: Policy) -> int | None:
        """Senders' ids that are older than their source keeps them."""
        now = self._clock.epoch()
        shortest = min([_DEDUPE_KEEP, *policy.dedupe.values()])
        rows = pruning.old_dedupe(self._store.reader(), self._dedupe_after, now - shortest, ROWS)
        if not rows:
            self._dedupe_after = ("", "")
            return None
        self._dedupe_after = (rows[-1][0], rows[-1][1])
        old = [
            (source, key)
            for source, key, at in rows
            if at is not None and at < now - policy.dedupe.get(source, _DEDUPE_KEEP)
        ]
        return self._in_transaction(lambda db: pruning.remove_dedupe(db, old)) if old else 0

    def _items(self, policy: Policy) -> int | None:
        """What a source has not given again for as long as its ids are kept."""
        db, now = self._store.reader(), self._clock.epoch()
        for source in items.sources(db):
            before = now - policy.dedupe.get(source, _DEDUPE_KEEP)
            if items.are_any_older(db, source, before):
                return self._in_transaction(partial(items.prune, source=source, before=before, limit=ROWS))
        return None

    def _keys(self, policy: Policy) -> int | None:
        return self._belongings(pruning.KEYS)

    def _edges(self, policy: Policy) -> int | None:
        return self._belongings(pruning.EDGES)

    def _belongings(self, of: pruning.Belongings) -> int | None:
        """What belonged to messages that are gone; looked for only after messages went."""
        db = self._store.reader()
        after = self._belongings_after.pop(of.table, None)
        if after is None:
            gone = counters.total(db, counters.PRUNED, "messages")
            if gone == counters.total(db, _MARK, of.table):
                return None
            after, now = of.start, self._clock.epoch()
            self._store.write(lambda db: counters.put(db, _MARK, of.table, gone, now))
        rows, orphans = pruning.belongings_after(db, of, after, ROWS)
        if not rows:
            return None
        self._belongings_after[of.table] = rows[-1]
        return self._in_transaction(lambda db: pruning.remove_belongings(db, of, orphans)) if orphans else 0

    def _in_transaction(self, job: Callable[[Database], int]) -> int:
        # What a crash undoes here is simply pruned again.
        return int(self._store.write(job, durable=False))


def _routes(policy: Policy, kind: str, age: float) -> tuple[str, tuple[str, ...]]:
    """("IN" | "NOT IN", routes): which routes keep this kind of thing this long."""
    if getattr(policy.general, kind) == age:
        return "NOT IN", tuple(name for name, keep in policy.routes.items() if getattr(keep, kind) != age)
    return "IN", tuple(name for name, keep in policy.routes.items() if getattr(keep, kind) == age)


def _ages(policy: Policy, kind: str) -> list[float]:
    return sorted({getattr(keep, kind) for keep in (policy.general, *policy.routes.values())})


def _mark(kind: str, age: float, routes: tuple[str, tuple[str, ...]]) -> str:
    """Names how far pruning by an age has come. Where the routes are others that keep things so long, all is looked at
    anew: what was passed for being of another route may be one of theirs."""
    belongs, names = routes
    told = "\n".join((belongs, *sorted(names))).encode()
    return f"{kind}:{age:g}:{hashlib.sha256(told).hexdigest()[:12]}"


def _prune_payloads(db: Database, chunk: Chunk, at: float) -> int:
    removed = pruning.remove_payloads(db, chunk, ROWS)
    if removed:
        usage.touched(db, chunk.after, chunk.until)
    if removed < ROWS:
        counters.put(db, _MARK, chunk.mark, chunk.until, at)
    return removed


def _prune_left_behind(db: Database, chunk: Chunk, seqs: Sequence[int]) -> int:
    removed = pruning.remove_left_behind(db, chunk, ROWS)
    for start in {seq - seq % usage.RECEIPTS for seq in seqs} if removed else ():
        usage.touched(db, start, start)
    return removed
