"""One try's verdict to an outcome, and the outcome to the delivery's next state."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

import msgspec
from msgspec.structs import replace

from connectors.base import ABSENT, DELIVERED, DOUBT, FOUND, LATER, REFUSED, STOPPED, Verdict
from hub.message import Delivery, Finish
from hub.outcome import Dead, Done, Failure, Hold, Outcome, Retry
from hub.pipeline.breaker import NOT_TRIED
from hub.pipeline.fetch_back import is_fetch_back
from hub.pipeline.program import CompiledTarget
from hub.pipeline.retry import gives_up, wait_seconds
from hub.routes import RetryPolicy
from hub.states import switching_on

_CLASSES = {REFUSED: "remote_rejected", DOUBT: "remote_error", STOPPED: "auth"}
_SETTLES = frozenset({DELIVERED, FOUND, ABSENT, REFUSED})
_HINTS = {
    "remote_rejected": "the receiver refused these bytes; correct the data or the mapping, then: o2c replay {id}",
    "answered": "the receiver refused these bytes; what it says: o2c show {id} --payload response.{target}; correct "
    "the data or the mapping, then: o2c replay {id}",
    "not_fetched": "nothing was fetched; once it is there, and ours to see: o2c replay {id}",
    "auth": "check the system's credentials with `o2c doctor`, then: o2c circuit {system} start",
    "unknown": "look in the target whether this arrived; if so: o2c resolve {id} --reason 'it has arrived', else, to "
    "send it again: o2c release {id} --reason 'it has not arrived'",
}


class Sent(msgspec.Struct, frozen=True, gc=False):
    """A delivery whose bytes are under way: what is needed when its verdict comes. ``context`` is its message's;
    ``secrets`` are those of ours that stand in the bytes."""

    delivery: Delivery
    target: CompiledTarget
    started_at: float
    set_id: int
    looking: bool = False
    context: Mapping[str, str] = {}
    secrets: frozenset[str] = frozenset()


def outcome(sent: Sent, verdict: Verdict) -> Outcome:
    """What a verdict means for this delivery, by what the system offers against double effects."""
    if verdict.kind in (DELIVERED, FOUND):
        return Done()
    failure = _failure(sent, verdict)
    match verdict.kind:
        case kind if kind == ABSENT:
            return Retry(failure, after_seconds=0.0, counts=False)
        case kind if kind == STOPPED:
            return Retry(failure, after_seconds=0.0, counts=False)
        case kind if kind == REFUSED:
            return Dead(failure)
        case kind if kind == LATER:
            return Retry(failure, verdict.retry_after_seconds, counts=verdict.code not in NOT_TRIED)
        case _:
            return _doubt(sent, failure, verdict)


def _doubt(sent: Sent, failure: Failure, verdict: Verdict) -> Outcome:
    if sent.target.mode == "native" and not sent.looking:
        return Retry(failure, after_seconds=verdict.retry_after_seconds)
    return Hold("unknown", failure)


def _failure(sent: Sent, verdict: Verdict) -> Failure:
    error_class = _error_class(verdict)
    return Failure(
        error_class=error_class, code=verdict.code, detail=verdict.detail, step="deliver", status=verdict.status,
        hint=_hint(sent, verdict, error_class), retryable=verdict.kind in (LATER, DOUBT),
    ).printed(sent.delivery.route)  # fmt: skip


def _hint(sent: Sent, verdict: Verdict, error_class: str) -> str:
    d, what = sent.delivery, error_class
    if verdict.kind == DOUBT and (sent.target.mode == "none" or sent.looking):
        what = "unknown"
    elif verdict.kind == REFUSED and is_fetch_back(d.route):
        what = "not_fetched"
    elif verdict.kind == REFUSED and verdict.response and not d.is_batch:
        what = "answered"
    return _HINTS.get(what, "").format(id=d.delivery_id, system=d.system, target=d.target)


def _error_class(verdict: Verdict) -> str:
    if verdict.kind == LATER:
        return "rate_limited" if verdict.status == 429 else "remote_error" if verdict.status else "connection"
    if verdict.kind == DOUBT and "timeout" in verdict.code:
        return "timeout"
    return _CLASSES.get(verdict.kind, "internal")


def conclude(sent: Sent, verdict: Verdict, now: float, chance: Random) -> Finish:
    """The end of a try: the delivery's next state, when it is due, and what its attempt row says."""
    match outcome(sent, verdict):
        case Done():
            return _finish(sent, verdict, now, "delivered", None)
        case Dead(failure):
            return give_up(sent, verdict, now, failure)
        case Hold(reason, failure):
            return _settle(sent, verdict, now, reason, failure)
        case Retry(failure, after, counts):
            return _again(sent, verdict, now, failure, after, counts, chance)


def _settle(sent: Sent, verdict: Verdict, now: float, reason: str, failure: Failure) -> Finish:
    if sent.target.mode == "lookup" and not sent.looking:
        settle = float(sent.target.system.idempotency.get("settle") or 60.0)
        return _finish(sent, verdict, now, "unknown", failure, due_at=now + settle)
    return _finish(sent, verdict, now, "held", failure, hold_reason=reason)


def _again(
    sent: Sent, verdict: Verdict, now: float, failure: Failure, after: float | None, counts: bool, chance: Random
) -> Finish:
    tries = sent.delivery.attempts + (1 if counts else 0)
    policy: RetryPolicy = sent.target.target.retry
    if verdict.kind == ABSENT:
        return _absent(sent, verdict, now, failure, policy, chance)
    if sent.looking and verdict.kind == LATER:
        due = now + wait_seconds(policy, tries, chance, after)
        return _finish(sent, verdict, now, "unknown", failure, due_at=due, counts=False)
    if verdict.kind == STOPPED:
        state = "unknown" if sent.looking else "retrying"
        return _finish(sent, verdict, now, state, failure, due_at=now, counts=False)
    if counts and gives_up(policy, tries):
        return give_up(sent, verdict, now, failure)
    due = now + wait_seconds(policy, tries, chance, after)
    return _finish(sent, verdict, now, "retrying", failure, due_at=due, counts=counts)


def _absent(
    sent: Sent, verdict: Verdict, now: float, failure: Failure, policy: RetryPolicy, chance: Random
) -> Finish:  # fmt: skip
    """Sent again: at once after the first try, else after the policy's wait, until its tries are used up."""
    tries = sent.delivery.attempts
    if tries and gives_up(policy, tries):
        return give_up(sent, verdict, now, _of_the_try(sent, failure))
    due = now + (wait_seconds(policy, tries, chance) if tries > 1 else 0.0)
    return _finish(sent, verdict, now, "retrying", failure, due_at=due, counts=False)


def _of_the_try(sent: Sent, failure: Failure) -> Failure:
    """What a delivery is dead of whose last try a look-up has not found: what that try met."""
    said = sent.delivery.failure
    if not said:
        return failure
    detail = f"{said.get('detail') or said.get('code', '')}; a look-up has not found it"
    own = {"detail": detail, "error_class": said.get("class", failure.error_class)}
    return msgspec.convert({"code": "", "fingerprint": failure.fingerprint, **said, **own}, Failure)


def _in_doubt(sent: Sent, verdict: Verdict) -> bool:
    """Whether the bytes may have had their effect. What never reached the receiver says nothing of an earlier try."""
    if verdict.kind in _SETTLES:
        return False
    return verdict.kind == DOUBT or sent.looking or sent.delivery.doubt


def give_up(sent: Sent, verdict: Verdict, now: float, failure: Failure) -> Finish:
    """The end by the target's ``on_error``: dead, dead but keeping its lane, skipped, or held with the route paused."""
    match sent.target.target.on_error:
        case "skip":
            return _finish(sent, verdict, now, "skipped", failure)
        case "block_key":
            blocks_lane = bool(sent.delivery.lane) or sent.delivery.is_batch  # others in it may have lanes
            return _finish(sent, verdict, now, "dead", failure, blocks_lane=blocks_lane)
        case "stop":
            return _finish(sent, verdict, now, "held", _with_pause(sent, failure), hold_reason="route_stopped")
        case _:
            return _finish(sent, verdict, now, "dead", failure)


def _with_pause(sent: Sent, failure: Failure) -> Failure:
    """What pauses a route says how the route goes on, beside what is to be done about itself."""
    resumed = f"the route is paused, and what comes for it waits, until: {switching_on('route', sent.delivery.route)}"
    return replace(failure, hint="; ".join(filter(None, (failure.hint, resumed))))


def _finish(
    sent: Sent, verdict: Verdict, now: float, state: str, failure: Failure | None, *, due_at: float | None = None,
    counts: bool = True, blocks_lane: bool = False, hold_reason: str = "",
) -> Finish:  # fmt: skip
    d = sent.delivery
    said = "stopped" if hold_reason == "route_stopped" else state
    return Finish(
        delivery_id=d.delivery_id, state=state, at=now, started_at=sent.started_at, number=d.tries + 1,
        revision=d.revision, set_id=sent.set_id, due_at=due_at, outcome=f"looked_up: {said}" if sent.looking else state,
        status=verdict.status, code=verdict.code, detail=verdict.detail,
        failure=failure.as_dict() if failure else None, fingerprint=failure.fingerprint if failure else "",
        response=verdict.response[:2000], blocks_lane=blocks_lane, counts=counts,
        doubt=_in_doubt(sent, verdict), hold_reason=hold_reason, reference=verdict.reference, is_batch=d.is_batch,
    )  # fmt: skip
