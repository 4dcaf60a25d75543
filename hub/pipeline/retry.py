"""Waits and give-up: a pure function of the policy, the attempt and chance, by tenacity's strategies."""

from __future__ import annotations

from random import Random

import tenacity

from hub.routes import RetryPolicy

_LONGEST_ASKED = 24 * 3600.0  # a Retry-After beyond a day is cut


def gives_up(policy: RetryPolicy, attempts: int) -> bool:
    """Whether ``attempts`` tries are all the policy allows."""
    return bool(tenacity.stop_after_attempt(policy.attempts)(_state(attempts)))


def wait_seconds(policy: RetryPolicy, attempts: int, chance: Random, asked: float | None = None) -> float:
    """Seconds until the next try after ``attempts`` of them. What the other side asked for wins."""
    if asked is not None:
        return min(max(asked, 0.0), _LONGEST_ASKED)
    longest = tenacity.wait_exponential(multiplier=policy.first, exp_base=max(policy.factor, 1.0), max=policy.cap)
    wait = float(longest(_state(attempts)))
    return wait * chance.random() if policy.jitter == "full" else wait


def _state(attempts: int) -> tenacity.RetryCallState:
    state = tenacity.RetryCallState(retry_object=None, fn=None, args=(), kwargs={})  # type: ignore[arg-type]
    state.attempt_number = max(attempts, 1)
    return state
