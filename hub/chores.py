"""What is done now and then beside the flow, by the one process that sees to all of it."""

from __future__ import annotations

from concurrent.futures import Executor
from functools import partial
from pathlib import Path

from hub import replay
from hub.apart import logged
from hub.backtest import expiry
from hub.clock import SteadyClock
from hub.loggers import structlog
from hub.notify import Notifier
from hub.pipeline.advices import tell_partners
from hub.pipeline.engine import Engine
from hub.pipeline.expired import expire_waiting
from hub.pipeline.expiry import expire_interchanges
from hub.rounds import Chore
from hub.store import (
    advices,
    answers,
    backtests,
    batches,
    deliveries,
    due,
    file_leases,
    findings,
    interchanges,
    statements,
    streams,
)
from hub.store.database import Database
from hub.store.quotas import Quotas, limits_of
from hub.store.retention import Policy, Pruner, policy_of

_log = structlog.get_logger("hub")
_STILL_SECONDS = 3600.0  # a body of which nothing more has come for so long is nobody's
_STUCK_SECONDS = 600.0  # an acting request that takes longer has nobody who works on it
_PUT_SECONDS = 1.0  # a clock that is slewed goes less astray between two looks


def everything(engine: Engine, secrets: Path, telling: Executor) -> dict[str, Chore]:
    """Every so many seconds, this. ``telling`` runs what waits for those who are told."""
    notifier, pruner = Notifier(engine, secrets), Pruner(engine.store, engine.clock)
    quotas = Quotas(engine.store, engine.clock)
    return {
        **counting(engine),
        "replays": (0.25, lambda: replay.advance(engine)),
        "notices": (2.0, lambda: telling.submit(logged, notifier.round)),
        "retention": (10.0, lambda: pruner.prune(_policy(engine))),
        "quotas": (1.0, lambda: quotas.keep(limits_of(engine.program.settings, engine.program.route_files))),
        "heads of lanes": (30.0, partial(_repair_heads, engine)),
        "expired deliveries": (1.0, partial(expire_waiting, engine)),
        "acknowledgements": (5.0, partial(expire_interchanges, engine)),
        "advices": (1.0, partial(tell_partners, engine)),
        "old control numbers": (60.0, partial(_forget_control_numbers, engine)),
        "old statements": (60.0, partial(_forget_statements, engine)),
        "old answers": (600.0, lambda: engine.store.write(partial(answers.prune, at=engine.clock.epoch()))),
        "files that are gone": (3600.0, lambda: engine.store.write(file_leases.forget)),
        "left over bodies": (600.0, partial(_take_away_left_over, engine)),
        "old plans": (3600.0, lambda: replay.discard_old_plans(engine)),
        "old back-tests": (600.0, lambda: engine.store.write(partial(_forget_backtests, engine.clock.epoch()))),
    }


def beside_others(engine: Engine) -> dict[str, Chore]:
    """What is done where other processes may be at work on the store, so that no start can tell what is left over."""
    return {"stuck answers": (60.0, partial(_forget_stuck, engine))}


def counting(engine: Engine) -> dict[str, Chore]:
    """What every process does: write what it counted, and keep to the time of a store that is shared."""
    counters: dict[str, Chore] = {"counters": (1.0, lambda: engine.store.write(engine.beside.flush, durable=False))}
    clock = engine.clock
    return counters | ({"clock": (5.0, clock.follow)} if isinstance(clock, SteadyClock) else {})


class ClockWatch:
    """Notices that this machine's clock was put, and moves what waits for its time by as much."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._ahead, self._looked_at = self._now_ahead(), engine.clock.monotonic()

    def _now_ahead(self) -> float:
        return self._engine.clock.epoch() - self._engine.clock.monotonic()

    def look(self) -> None:
        """Raises StoreError when the rows cannot be moved now; they are at the next look."""
        engine, ahead = self._engine, self._now_ahead()
        seconds, now, looked_at = ahead - self._ahead, engine.clock.epoch(), engine.clock.monotonic()
        if abs(seconds) >= _PUT_SECONDS:
            since = now - (looked_at - self._looked_at)
            engine.store.write(partial(due.clock_was_put, seconds=seconds, now=now, since=since))
            engine.dispatcher.gates.clock_was_put(seconds, since, now)
            _log.warning("the clock was put; what waits for its time waits as long as it had to", seconds=seconds)
        self._ahead, self._looked_at = ahead, looked_at


def _forget_backtests(now: float, db: Database) -> None:
    backtests.prune(db, now - backtests.KEEP_SECONDS)
    expiry.forget(db)


def _forget_stuck(engine: Engine) -> None:
    engine.store.write(partial(answers.forget_stuck, before=engine.clock.epoch() - _STUCK_SECONDS))


def _forget_control_numbers(engine: Engine) -> None:
    before = engine.clock.epoch() - _policy(engine).general.metadata
    engine.store.write(partial(interchanges.prune, before=before), durable=False)
    engine.store.write(partial(advices.prune, before=before), durable=False)
    engine.store.write(partial(batches.prune, before=before), durable=False)


def _take_away_left_over(engine: Engine) -> None:
    """What a process that died had read of a file. A hub of one process does so at its start; of several none knows of
    the others whether they still read."""
    before = engine.clock.epoch() - _STILL_SECONDS
    for receipt_id in streams.left_over(engine.store.reader(), before):
        streams.abandon(engine.store.write, receipt_id)


def _forget_statements(engine: Engine) -> None:
    now, kept = engine.clock.epoch(), _policy(engine).general.metadata
    before = now - max(kept, statements.KEEP_SECONDS)
    engine.store.write(partial(statements.prune, before=before), durable=False)
    engine.store.write(partial(findings.prune, before=now - kept), durable=False)


def _policy(engine: Engine) -> Policy:
    return policy_of(engine.program.settings, engine.program.route_files)


def _repair_heads(engine: Engine) -> None:
    db, now = engine.store.reader(), engine.clock.epoch()
    left, ended = deliveries.left_heads(db), deliveries.ended_before(db)
    if not (left or ended):
        return
    repaired = engine.store.write(
        lambda db: deliveries.let_follow(db, ended, now) | deliveries.repair_heads(db, left, now)
    )
    for system in repaired:
        engine.wake.pump(system)
