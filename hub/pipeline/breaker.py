"""When a system has failed so often that the hub leaves it alone: failures in a row, or their share of all tries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from connectors.base import DOUBT, LATER, STOPPED, Verdict

_FEWEST_TRIES = 20  # a share of fewer says nothing
_PARTS = 10  # of the window, forgotten one by one
_FIRST_WAIT_SECONDS = 1.0
# No request could be made of the document, so the system was not asked.
_NOT_ASKED = frozenset({"missing_variable", "bad_variable", "bad_header", "bad_body", "no_look_up", "cannot_look_up"})
GOOD, BAD, NEITHER = "good", "bad", "neither"
# The connector kept these from being tried at all.
NOT_TRIED = frozenset({"paused", "queue_full", "closing", "circuit_open"})


class BreakerPolicy(msgspec.Struct, frozen=True):
    """``failures`` in a row open the circuit (0: never), so does the ``ratio`` of the tries within
    ``window`` seconds (0: never); ``longest`` is the longest wait for the next probe."""

    failures: int = 5
    ratio: float = 0.5
    window: float = 60.0
    longest: float = 30.0

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> BreakerPolicy:
        """The policy a system's ``breaker:`` says."""
        names = {"failures": "failures", "ratio": "ratio", "window": "window", "open": "longest"}
        return cls(**{name: said[key] for key, name in names.items() if said.get(key) is not None})

    def probe_wait(self, failed_probes: int) -> float:
        """Seconds until the next probe: one, doubled with each that failed."""
        return min(self.longest, _FIRST_WAIT_SECONDS * 2.0 ** min(failed_probes, 20))


def weigh(verdict: Verdict) -> str:
    """What a verdict says of the system, not of the delivery: a refusal is a good sign, 429 is none of both."""
    if verdict.kind == STOPPED or verdict.code in NOT_TRIED or verdict.code in _NOT_ASKED:
        return NEITHER
    if verdict.kind not in (LATER, DOUBT):
        return GOOD
    return BAD if verdict.status == 0 or verdict.status == 408 or verdict.status >= 500 else NEITHER


class Breaker:
    """Counts the tries of one system in this process."""

    __slots__ = ("_bad", "_part_ends", "_tries", "in_a_row", "policy")

    def __init__(self, policy: BreakerPolicy) -> None:
        self.policy = policy
        self.forget()

    def forget(self) -> None:
        """Count anew."""
        self._tries, self._bad = [0] * _PARTS, [0] * _PARTS
        self._part_ends, self.in_a_row = 0.0, 0

    def note(self, sign: str, now: float) -> str:
        """Count a try; gives why the circuit opens, or ''."""
        if sign == NEITHER:
            return ""
        if not self._part_ends - self.policy.window <= now < self._part_ends:  # earlier: the clock was put back
            self._next_part(now)
        self._tries[-1] += 1
        if sign == GOOD:
            self.in_a_row = 0
            return ""
        self._bad[-1] += 1
        self.in_a_row += 1
        return self._reason()

    def _next_part(self, now: float) -> None:
        length = self.policy.window / _PARTS
        is_new = not self._part_ends or now < self._part_ends
        gone = _PARTS if is_new else min(_PARTS, 1 + int((now - self._part_ends) / length))
        self._tries = [*self._tries[gone:], *[0] * gone]
        self._bad = [*self._bad[gone:], *[0] * gone]
        self._part_ends = now + length

    def _reason(self) -> str:
        policy, tries, bad = self.policy, sum(self._tries), sum(self._bad)
        if policy.failures and self.in_a_row >= policy.failures:
            return f"{self.in_a_row} tries in a row failed"
        if policy.ratio and tries >= _FEWEST_TRIES and bad >= policy.ratio * tries:
            return f"{bad} of {tries} tries within {policy.window:g} s failed"
        return ""
