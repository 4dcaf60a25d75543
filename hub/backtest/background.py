"""Back-tests that a running hub was asked for: one at a time, beside the flow, in processes that step back for it."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from hub.backtest import DEPLOYED_ONLY, Backtest, Request, begin, report, span
from hub.backtest.expiry import Reports, expire
from hub.clock import iso
from hub.errors import Conflict, HubError, NotFound, StoreError, UsageError
from hub.loggers import structlog
from hub.store import Store, audit, backtests, recorded, sets
from hub.store.audit import Actor
from hub.store.backtests import Row
from hub.store.database import Database

if TYPE_CHECKING:
    from hub.pipeline.engine import Engine

_log = structlog.get_logger("backtest")
_NICE, _TELL_SECONDS = 10, 1.0
_FOLDERS = ("mappings/", "routes/", "schemas/")
MOST_FILES, MOST_BYTES = 500, 4_000_000


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody has asked for: files over a set that was in force, and the rest of a ``Request``."""

    name: str
    set_id: int
    files: Mapping[str, str]
    edited: Sequence[str]
    since: float
    until: float
    limit: int | None
    system: str
    lookups: str
    samples: int


class Background:
    """``round`` is called every second; ``thread`` works on the one that runs, if any does or did."""

    def __init__(self, engine: Engine, environment: str | None, own_connectors: Path | None) -> None:
        self._engine, self._environment, self._own_connectors = engine, environment, own_connectors
        self.thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._told_at = 0.0

    def round(self) -> None:
        """Begin the next one, if none runs. Raises StoreError."""
        engine = self._engine
        if self.thread is not None and self.thread.is_alive():
            return
        if not backtests.is_waiting(engine.store.reader(), engine.worker):
            return
        taken = engine.store.write(lambda db: backtests.take(db, engine.worker, engine.clock.epoch()))
        if taken is not None:
            self.thread = threading.Thread(target=self.work, args=taken, name="backtest", daemon=True)
            self.thread.start()

    def stop(self) -> None:
        """Break off what runs; it is begun anew by whoever starts next."""
        self._stopping.set()
        if self.thread is not None:
            self.thread.join(10)

    def work(self, backtest_id: str, work: bytes) -> None:
        """Run one that was taken, to its end."""
        error, found = "", None
        try:
            found = self._reports(backtest_id, msgspec.msgpack.decode(work, type=Order))
        except HubError as problem:
            error = str(problem)
        except Exception as problem:
            _log.exception("a back-test has failed", backtest_id=backtest_id)
            error = f"the hub itself failed on it: {type(problem).__name__}"
        if found is None and not error:
            return  # cancelled, or the hub stops
        self._end(backtest_id, None if found is None else msgspec.json.encode(found), error)

    def _reports(self, backtest_id: str, order: Order) -> Reports | None:
        begun = begun_with(self._engine.store, order, self._environment, self._own_connectors)
        seen = (0, 0)

        def show(done: int, total: int) -> None:
            nonlocal seen
            seen = (done, total)

        tally = begun.run(
            self._engine.store, progress=show, niceness=_NICE,
            goes_on=lambda: not self._stopping.is_set() and self._note(backtest_id, *seen),
        )  # fmt: skip
        if tally is None:
            return None
        self._note(backtest_id, *seen, at_once=True)
        open, masked = (report(begun.request, begun.subject, tally, masked=hidden) for hidden in (False, True))
        return Reports(open, masked)

    def _note(self, backtest_id: str, done: int, total: int, at_once: bool = False) -> bool:
        """Tell how far it is, once a second; whether it is still wanted."""
        engine = self._engine
        now = engine.clock.monotonic()
        if now - self._told_at < _TELL_SECONDS and not at_once:
            return True
        self._told_at = now
        note = partial(backtests.note_progress, backtest_id=backtest_id, holder=engine.worker, done=done, total=total)
        return bool(engine.store.write(note, durable=False))

    def _end(self, backtest_id: str, found: bytes | None, error: str) -> None:
        engine, now = self._engine, self._engine.clock.epoch()

        def job(db: Database) -> None:
            if backtests.finish(db, backtest_id, engine.worker, now, found, error):
                audit.append(db, now, Actor("hub"), "backtest.done", backtest_id, {"failed": bool(error)})

        try:
            engine.store.write(job)
        except StoreError as away:
            _log.warning("a back-test is begun anew, for its end could not be stored", reason=str(away))


def begun_with(store: Store, order: Order, environment: str | None, own_connectors: Path | None) -> Backtest:
    """An order as it can be run. Raises NotFound, ProjectError, UsageError."""
    db = store.reader()
    if recorded.hub_version(db, order.set_id) is None:
        raise NotFound(f"there is no set {order.set_id} in this store")
    files = {**sets.files_of(db, order.set_id), **{path: text.encode() for path, text in order.files.items()}}
    return begin(
        Request(
            name=order.name, files=files, edited=order.edited, since=order.since, until=order.until, limit=order.limit,
            system=order.system, lookups=order.lookups, samples=order.samples, environment=environment or "",
            own_connectors=str(own_connectors or ""),
        )
    )  # fmt: skip


def order_of(
    engine: Engine, *, name: str, set_id: int | None, files: Mapping[str, str], edited: Sequence[str] | None,
    since_seconds: float | None, since: float | None, until: float | None, limit: int | None, system: str,
    lookups: str, samples: int,
) -> Order:  # fmt: skip
    """What was asked, checked as far as it can be without the files. Raises UsageError."""
    for path in files:
        if not path.startswith(_FOLDERS) or ".." in path.split("/"):
            raise UsageError(f"files: expected paths in {', '.join(_FOLDERS)}, got '{path[:200]}'")
        if path.startswith(DEPLOYED_ONLY):
            raise UsageError(
                f"files: profiles and what they judge by are those of the set, got '{path[:200]}'; deploy them first"
            )
    if len(files) > MOST_FILES or sum(map(len, files.values())) > MOST_BYTES:
        raise UsageError(f"files: at most {MOST_FILES} with {MOST_BYTES} characters together; send what was edited")
    unknown = sorted(set(edited or ()) - set(files))
    if unknown:
        raise UsageError(f"edited: expected paths of files, got '{unknown[0][:200]}'; send that file too")
    first, end = span(engine.store, since_seconds, since, until)
    return Order(
        name=name, set_id=engine.program.set_id if set_id is None else set_id, files=files,
        edited=sorted(files) if edited is None else sorted(edited), since=first, until=end, limit=limit, system=system,
        lookups=lookups, samples=samples,
    )  # fmt: skip


def put_in_line(engine: Engine, order: Order, own_connectors: Path | None, actor: Actor, reason: str) -> Row:
    """Check an order with its files and store it. Raises ProjectError, UsageError, NotFound, Conflict."""
    begun = begun_with(engine.store, order, engine.program.settings.environment or None, own_connectors)
    now, backtest_id = engine.clock.epoch(), engine.clock.new_id()
    asked = {
        "name": order.name, "kind": begun.subject.kind, "set_id": order.set_id, "edited": list(order.edited),
        "since": iso(order.since), "until": iso(order.until), "limit": order.limit, "system": order.system or None,
        "lookups": order.lookups, "samples": order.samples,
    }  # fmt: skip
    row = Row(backtest_id, now, actor.name, reason, asked, "waiting", 0, None, None, None, "")

    def job(db: Database) -> bool:
        added = backtests.add(db, row, msgspec.msgpack.encode(order))
        if added:
            audit.append(db, now, actor, "backtest.create", backtest_id, asked, reason)
        return added

    if not engine.store.write(job):
        raise Conflict(f"{backtests.MOST_WAITING} back-tests wait already; wait for one of them, or cancel it")
    return row


def cancel(engine: Engine, backtest_id: str, actor: Actor, reason: str) -> Row:
    """Stop one. Raises NotFound, Conflict when it is over."""
    row, now = known(engine, backtest_id), engine.clock.epoch()

    def job(db: Database) -> bool:
        stopped = backtests.cancel(db, backtest_id, now)
        if stopped:
            audit.append(db, now, actor, "backtest.cancel", backtest_id, {}, reason)
        return stopped

    if not engine.store.write(job):
        raise Conflict(f"this back-test is {row.state} already")
    return known(engine, backtest_id)


def result(engine: Engine, backtest_id: str, actor: Actor, unmasked: bool) -> bytes:
    """The report of one that is done, as JSON. Showing personal data, of what is still stored, is in the audit. Raises
    NotFound, Conflict."""
    row = known(engine, backtest_id)
    packed = backtests.result(engine.store.reader(), backtest_id)
    if packed is None:
        raise Conflict(f"this back-test is {row.state}; it has no result{' yet' if row.ended_at is None else ''}")
    found = msgspec.json.decode(packed, type=Reports)
    if unmasked:
        expire(found, lambda ids: backtests.still_stored(engine.store.reader(), ids))
        now = engine.clock.epoch()
        engine.store.write(lambda db: audit.append(db, now, actor, "backtest.read", backtest_id, {"unmasked": True}))
    return msgspec.json.encode(found.open if unmasked else found.masked)


def known(engine: Engine, backtest_id: str) -> Row:
    """Raises NotFound."""
    row = backtests.get(engine.store.reader(), backtest_id)
    if row is None:
        raise NotFound(f"there is no back-test with the id '{backtest_id[:80]}'; results are kept for a week")
    return row
