"""Replay: one resource for one thing or a hundred thousand. First a plan, then chunks, at a rate, in source order.

``plan`` says exactly what would be done; ``start`` does it if that is still so; ``advance`` goes on with what runs and
is called by the sweeper, so a replay outlives the process. Final states are never overwritten: a replay makes new
deliveries or receipts, linked by ``replay_of``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from hub.clock import iso
from hub.errors import Conflict, NotFound, PlanStale
from hub.replay import request as requests
from hub.replay.judge import REASONS
from hub.replay.request import Request, request_of
from hub.replay.running import run_page
from hub.replay.selection import Selection, select
from hub.store import audit, replays
from hub.store.audit import Actor
from hub.store.database import Database
from hub.store.replays import Item, Replay

if TYPE_CHECKING:
    from hub.pipeline.engine import Engine
    from hub.pipeline.program import Program

PLAN_SECONDS = 1800.0  # how long a plan can be started
_BUDGET_SECONDS = 0.5
_SECONDS_AN_ITEM = 0.001

__all__ = [
    "REASONS",
    "Progress",
    "Request",
    "advance",
    "cancel",
    "discard_old_plans",
    "plan",
    "progress",
    "resume",
    "start",
    "verdict_on",
]


class Progress(msgspec.Struct, frozen=True):
    """Where a replay stands: its items by state, what has become of what it made, and what is off that it waits for."""

    replay: Replay
    items: Mapping[str, int]
    outcomes: Mapping[str, int]
    waits: Mapping[str, int]


def plan(engine: Engine, request: Request, actor: Actor) -> Replay:
    """Work out and store what a replay would do. Raises UsageError, NotFound."""
    requests.check(request)
    with engine.store.snapshot() as db:
        selection = select(db, request, engine.program)
    now, replay_id = engine.clock.epoch(), engine.clock.new_id()
    items = [
        Item(n, choice.letter.kind, choice.letter.id, "skipped" if choice.against else "waiting", choice.against)
        for n, choice in enumerate(selection.choices)
    ]
    for at in range(0, len(items), replays.CHUNK):
        chunk = items[at : at + replays.CHUNK]
        engine.store.write(partial(replays.add_items, replay_id=replay_id, items=chunk))
    replay = Replay(
        replay_id, now, actor.name, request.reason, request.as_dict(), "planned", selection.hash(request),
        _summary(selection, request, now), None, None,
    )  # fmt: skip

    def job(db: Database) -> None:
        replays.add(db, replay)
        detail = {"request": replay.request, "plan_hash": replay.plan_hash, "replayable": replay.plan["replayable"]}
        audit.append(db, now, actor, "replay.plan", replay_id, detail, request.reason)

    engine.store.write(job)
    return replay


def _summary(selection: Selection, request: Request, now: float) -> dict[str, Any]:
    """What the plan says in numbers; ``warnings`` in words."""
    letters = selection.replayable
    rate = request.rate_per_second
    left_out = selection.matched - len(selection.choices)
    return {
        "matched": selection.matched,
        "replayable": len(letters),
        "left_out": left_out,
        "not_replayable": selection.refused,
        "kinds": dict(Counter(letter.kind for letter in letters)),
        "destinations": dict(Counter(letter.target for letter in letters if letter.kind == "delivery")),
        "routes": dict(Counter(letter.route for letter in letters)),
        "estimated_seconds": round(len(letters) / rate if rate else len(letters) * _SECONDS_AN_ITEM, 1),
        "expires_at": iso(now + PLAN_SECONDS),
        "warnings": _warnings(selection, request, left_out),
    }


def _warnings(selection: Selection, request: Request, left_out: int) -> list[str]:
    found = [f"{count} cannot be replayed: {REASONS[reason]}" for reason, count in sorted(selection.refused.items())]
    if left_out > 0:
        found.append(f"{left_out} more match and are left out by max_items: {request.max_items}")
    if request.delivered == requests.SEND:
        found.append(
            "what was delivered is sent again: a delivery with the key of the first time, a message or a document that "
            "goes through again with new keys, which its targets take for something new"
        )
    return found


def start(engine: Engine, replay_id: str, plan_hash: str, actor: Actor) -> Replay:
    """Start a planned replay. Raises PlanStale when what it was planned for has changed, NotFound, Conflict."""
    replay = _known(engine, replay_id)
    if replay.state != "planned":
        raise Conflict(f"this replay is {replay.state}, not planned")
    now, request = engine.clock.epoch(), request_of(replay.request)
    if plan_hash != replay.plan_hash:
        raise PlanStale("this is not the hash of the plan; look at the plan, then start it with its plan_hash")
    if now > replay.created_at + PLAN_SECONDS:
        raise PlanStale("the plan is older than 30 minutes; plan it again")
    with engine.store.snapshot() as db:
        selection = select(db, request, engine.program)
        if selection.hash(request) != replay.plan_hash:
            raise PlanStale("what matches, or the active set of files, has changed since; plan it again")
        # Another process that became the leader meanwhile may have taken a plan that was being written for a lost one.
        if sum(replays.progress(db, replay_id).values()) != len(selection.choices):
            raise PlanStale("not all of the plan is stored; plan it again")
    return _run(engine, replay, now, actor)


def _run(engine: Engine, replay: Replay, now: float, actor: Actor) -> Replay:
    def job(db: Database) -> bool:
        moved = replays.set_state(db, replay.replay_id, "planned", "running", now)
        if moved:
            audit.append(
                db, now, actor, "replay.start", replay.replay_id, {"plan_hash": replay.plan_hash}, replay.reason
            )
        return moved

    if not engine.store.write(job):
        raise Conflict("this replay has been started or cancelled a moment ago")
    advance(engine)
    return _known(engine, replay.replay_id)


def verdict_on(db: Database, id: str, program: Program) -> str:
    """Why a message, receipt or delivery cannot be replayed from its failed step: a key of REASONS; '' when it can."""
    choices = select(db, Request(ids=(id,)), program).choices
    if any(not choice.against for choice in choices):
        return ""
    return choices[0].against if choices else "already_delivered"


def advance(engine: Engine) -> bool:
    """Go on with every running replay while there is room, for half a second at most; whether any runs then."""
    until = engine.clock.monotonic() + _BUDGET_SECONDS
    for replay_id in replays.running(engine.store.reader()):
        while (done := run_page(engine, replay_id)) != 0:
            if done is None:
                _finish(engine, replay_id)
                break
            if engine.clock.monotonic() >= until:
                return True
    return bool(replays.running(engine.store.reader()))


def _finish(engine: Engine, replay_id: str) -> None:
    now = engine.clock.epoch()

    def job(db: Database) -> None:
        if replays.set_state(db, replay_id, "running", "done", now):
            audit.append(db, now, Actor("hub"), "replay.done", replay_id, replays.progress(db, replay_id))

    engine.store.write(job)


def cancel(engine: Engine, replay_id: str, actor: Actor, reason: str = "") -> Replay:
    """Stop a replay; what it has started goes on. Raises Conflict when it is over already."""
    replay, now = _known(engine, replay_id), engine.clock.epoch()

    def job(db: Database) -> bool:
        moved = any(replays.set_state(db, replay_id, before, "cancelled", now) for before in ("planned", "running"))
        if moved:
            audit.append(db, now, actor, "replay.cancel", replay_id, replays.progress(db, replay_id), reason)
        return moved

    if not engine.store.write(job):
        raise Conflict(f"this replay is {replay.state} already")
    return replace(_known(engine, replay_id), ended_at=now)


def progress(engine: Engine, replay_id: str) -> Progress:
    """Where a replay stands. Raises NotFound."""
    replay = _known(engine, replay_id)
    db = engine.store.reader()
    return Progress(
        replay, replays.progress(db, replay_id), replays.outcomes(db, replay_id), replays.waits(db, replay_id)
    )


def resume(engine: Engine) -> None:
    """At start: drop half-written plans; running replays go on with ``advance``."""
    engine.store.write(replays.discard_orphans)


def discard_old_plans(engine: Engine) -> None:
    """Plans that nobody started within a day."""
    before = engine.clock.epoch() - 86400.0
    engine.store.write(lambda db: replays.discard_plans(db, before))


def _known(engine: Engine, replay_id: str) -> Replay:
    replay = replays.get(engine.store.reader(), replay_id)
    if replay is None:
        raise NotFound(f"there is no replay with the id '{replay_id[:80]}'")
    return replay
