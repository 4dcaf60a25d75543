"""What is stored of verdicts: the ends of tries, answers taken in, switches thrown, what became of systems."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from connectors.base import DELIVERED, FOUND, STOPPED, Verdict
from hub.loggers import structlog
from hub.message import RAW, Accepted, Arrival, Delivery, Finish
from hub.pipeline.deliver import Sent
from hub.pipeline.fetch_back import fetched, is_fetch_back
from hub.pipeline.gates import Step
from hub.pipeline.reply import reply_route
from hub.redaction import without_excerpts
from hub.states import switching_on
from hub.store import deliveries, findings, payloads, receipts, switches
from hub.store.database import Database

if TYPE_CHECKING:
    from hub.pipeline.engine import Engine

_log = structlog.get_logger("hub")
Thrown = tuple[str, str, str, str]  # kind, name, state, reason of a switch


@dataclass(slots=True)
class Answers:
    """What targets said, as arrivals by delivery; of the deliveries whose routes want that, those with and those
    without."""

    replies: dict[str, Arrival] = field(default_factory=dict)
    answered: list[Delivery] = field(default_factory=list)
    unanswered: list[Delivery] = field(default_factory=list)


@dataclass(slots=True)
class Ends:
    """What some verdicts lead to, at ``now``: the ends of tries, each with its route, and what is ``thrown`` whether or
    not an end changes anything."""

    now: float
    finishes: Sequence[tuple[str, Finish]]
    answers: Answers
    thrown: set[Thrown]
    steps: Sequence[Step]
    rows: list[tuple[Any, ...]] = field(init=False)

    def __post_init__(self) -> None:
        bodies = [(a.receipt_id, RAW, 1, a.content_type, a.raw) for a in self.answers.replies.values()]
        self.rows = payloads.packed_rows(bodies, self.now)


# The systems that have something due by it, the replies taken in.
Stored = tuple[set[str], list[tuple[Arrival, Accepted]]]


class Records:
    """Stores what verdicts lead to, that of several batches with the statements of one."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def store(self, db: Database, parts: list[Ends]) -> list[Stored]:
        for part in parts:
            for step in part.steps:
                step.store(db)
        finishes = [finish for part in parts for _, finish in part.finishes]
        free, ended = deliveries.finish(db, finishes, self._engine.worker)
        return [(free, self._follow_up(db, part, ended)) for part in parts]

    def _follow_up(self, db: Database, part: Ends, ended: set[deliveries.End]) -> list[tuple[Arrival, Accepted]]:
        """What follows from ends that have changed something, each once; gives the answers that were taken in. Of a
        delivery that has another end already the answer is one only where none has come so far. So what is done again
        after a commit of which nobody has heard adds nothing."""
        own = [(route, finish) for route, finish in part.finishes if finish.end in ended]
        ended.difference_update(finish.end for _, finish in own)
        throw(db, part.thrown | paused(own), part.now)
        answers, wanted = part.answers, {finish.delivery_id for _, finish in own}
        for d in answers.unanswered:
            if d.delivery_id in wanted:
                findings.put_one(db, d.message_id, findings.NO_REPLY, d.source, _unanswered(d), part.now)
        if answers.answered and findings.is_any_open(db, [findings.NO_REPLY]):
            for d in answers.answered:
                if findings.settle_one(db, d.message_id, findings.NO_REPLY, _unanswered(d), part.now):
                    wanted.add(d.delivery_id)
        replies = [reply for delivery_id, reply in answers.replies.items() if delivery_id in wanted]
        if not replies:
            return []
        ids = {reply.receipt_id for reply in replies}
        rows = [row for row in part.rows if row[0] in ids]
        return list(zip(replies, receipts.accept(db, replies, rows, self._engine.intake.worker), strict=True))


def answers_of(verdicts: Sequence[tuple[Sent, Verdict]], now: float, new_id: Callable[[], str]) -> Answers:
    """The answers among some verdicts."""
    found = Answers()
    for sent, verdict in verdicts:
        answer = _answer_of(sent, verdict, now, new_id)
        if answer is not None:
            found.replies[sent.delivery.delivery_id] = answer
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


def stopped(verdicts: Sequence[tuple[Sent, Verdict]]) -> set[Thrown]:
    """Of verdicts, the systems that are stopped by them: their credentials fail."""
    return {("system", s.delivery.system, "stopped", v.detail) for s, v in verdicts if v.kind == STOPPED}


def paused(ended: Iterable[tuple[str, Finish]]) -> set[Thrown]:
    """Of ends, each with its route, the routes that are paused by them: their targets say ``on_error: stop``. Why is
    said without what a document has: everybody may see it."""
    stopping = [(route, without_excerpts(f.failure or {})) for route, f in ended if f.hold_reason == "route_stopped"]
    return {("route", route, "paused", str(failure["detail"])) for route, failure in stopping}


def throw(db: Database, thrown: Iterable[Thrown], at: float) -> None:
    """Throw switches, in one order: several processes may throw the same."""
    for kind, name, state, reason in sorted(thrown):
        if switches.throw(db, kind, name, state, reason, at, "hub"):
            _log.warning(f"a {kind} is {state}", name=name, reason=reason, to_go_on=switching_on(kind, name))
