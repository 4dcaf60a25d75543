"""What is stored of verdicts: the ends of tries, answers taken in, switches thrown, what became of systems."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from connectors.base import DELIVERED, FOUND, STOPPED, Verdict
from hub.message import RAW, Accepted, Arrival, Delivery, Finish
from hub.pipeline.deliver import Sent
from hub.pipeline.fetch_back import fetched, is_fetch_back
from hub.pipeline.gates import Step
from hub.pipeline.reply import reply_route
from hub.store import deliveries, findings, payloads, receipts, switches
from hub.store.database import Database

if TYPE_CHECKING:
    from hub.pipeline.engine import Engine

Thrown = tuple[str, str, str, str]  # kind, name, state, reason of a switch


@dataclass(slots=True)
class Answers:
    """What targets said, as arrivals; of the deliveries whose routes want that, those with and those without."""

    replies: list[Arrival] = field(default_factory=list)
    answered: list[Delivery] = field(default_factory=list)
    unanswered: list[Delivery] = field(default_factory=list)


@dataclass(slots=True)
class Ends:
    """What some verdicts lead to, at ``now``."""

    now: float
    finishes: Sequence[Finish]
    answers: Answers
    thrown: set[Thrown]
    steps: Sequence[Step]
    rows: list[tuple[Any, ...]] = field(init=False)

    def __post_init__(self) -> None:
        bodies = [(a.receipt_id, RAW, 1, a.content_type, a.raw) for a in self.answers.replies]
        self.rows = payloads.packed_rows(bodies, self.now)


Stored = tuple[set[str], list[Accepted]]  # the systems that have something due by it, the replies taken in


class Records:
    """Stores what verdicts lead to, that of several batches with the statements of one."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def store(self, db: Database, parts: list[Ends]) -> list[Stored]:
        for part in parts:
            throw(db, part.thrown, part.now)
            for step in part.steps:
                step.store(db)
            for d in part.answers.unanswered:
                findings.put_one(db, d.message_id, findings.NO_REPLY, d.source, _unanswered(d), part.now)
        worker = self._engine.worker
        free = deliveries.finish(db, [finish for part in parts for finish in part.finishes], worker)
        return [(free, self._take_in(db, part) if part.answers.replies else []) for part in parts]

    def _take_in(self, db: Database, part: Ends) -> list[Accepted]:
        replies = part.answers.replies
        if receipts.is_stored(db, replies[0].receipt_id):
            # By a commit of which nobody has heard: all of it was done then.
            return [Accepted(a.receipt_id, 0, duplicate=True) for a in replies]
        if part.answers.answered and findings.is_any_open(db, [findings.NO_REPLY]):
            for d in part.answers.answered:
                findings.settle_one(db, d.message_id, findings.NO_REPLY, _unanswered(d), part.now)
        return receipts.accept(db, replies, part.rows, self._engine.intake.worker)


def answers_of(verdicts: Sequence[tuple[Sent, Verdict]], now: float, new_id: Callable[[], str]) -> Answers:
    """The answers among some verdicts."""
    found = Answers()
    for sent, verdict in verdicts:
        answer = _answer_of(sent, verdict, now, new_id)
        if answer is not None:
            found.replies.append(answer)
        if _wants_reply(sent, verdict):
            (found.unanswered if answer is None else found.answered).append(sent.delivery)
    return found


def _answer_of(sent: Sent, verdict: Verdict, now: float, new_id: Callable[[], str]) -> Arrival | None:
    """The answer of a target whose route wants it, as a new arrival caused by the message that was sent. Where a
    look-up has settled doubt, its answer stands for the one that was lost."""
    d = sent.delivery
    if is_fetch_back(d.route) and verdict.kind == DELIVERED:
        return fetched(sent.target.system, d, verdict, sent.context, now, new_id)
    if not _wants_reply(sent, verdict) or not verdict.response:
        return None
    return Arrival(
        receipt_id=new_id(), source=d.system, event="reply", raw=verdict.response, received_at=now, door="reply",
        content_type=verdict.response_type, causation_id=d.message_id, route=reply_route(d.route, d.target),
        correlation_id=sent.context.get("correlation_id", ""), traceparent=sent.context.get("traceparent", ""),
    )  # fmt: skip


def _wants_reply(sent: Sent, verdict: Verdict) -> bool:
    return sent.target.reply is not None and verdict.kind in (DELIVERED, FOUND)


def _unanswered(delivery: Delivery) -> str:
    return (
        f"'{delivery.system}' has it (target '{delivery.target}'), and gave no answer for the reply: of the route "
        f"'{delivery.route}'; see there what it would have said"
    )


def switches_of(verdicts: Sequence[tuple[Sent, Verdict]], ended: Sequence[tuple[Sent, Finish]]) -> set[Thrown]:
    """A system whose credentials fail is stopped; a route whose target says ``on_error: stop`` is paused."""
    stopped = {("system", s.delivery.system, "stopped", v.detail) for s, v in verdicts if v.kind == STOPPED}
    return stopped | paused((s.delivery.route, finish) for s, finish in ended)


def paused(ended: Iterable[tuple[str, Finish]]) -> set[Thrown]:
    """Of ends, each with its route, the routes that are paused by them."""
    return {("route", route, "paused", f.detail) for route, f in ended if f.hold_reason == "route_stopped"}


def throw(db: Database, thrown: Iterable[Thrown], at: float) -> None:
    """Throw switches, in one order: several processes may throw the same."""
    for kind, name, state, reason in sorted(thrown):
        switches.throw(db, kind, name, state, reason, at, "hub")
