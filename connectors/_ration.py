"""What a system says it bears still: ``RateLimit`` and ``RateLimit-Policy`` (draft-ietf-httpapi-ratelimit-headers), so
that the hub slows down before it is told to.

While more than half is left, requests go as they come; then they are spread over the time until more is allowed; where
nothing is left, none goes before. Of several limits the tightest counts. What does not parse says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import msgspec

from connectors._rate import Rate

_LONGEST_SECONDS = 86_400.0
_SPREAD_BELOW = 0.5  # of what is allowed
# RFC 9651: a list of strings (or tokens) with parameters; a bare item, as other drafts and gateways send it, is none.
_STRING = r'"(?:[^"\\]|\\["\\])*"'
_VALUE = rf"-?[0-9]{{1,15}}(?:\.[0-9]{{1,3}})?|{_STRING}|:[A-Za-z0-9+/=]*:|\?[01]|[A-Za-z*][\w:/!#$%&\'*+.^`|~-]*"
_PARAMETER = re.compile(rf";[ ]*([a-z*][a-z0-9_.*-]*)(?:=({_VALUE}))?", re.ASCII)
_MEMBER = re.compile(rf"({_STRING}|[A-Za-z*][\w:/!#$%&'*+.^`|~-]*)((?:{_PARAMETER.pattern})*)", re.ASCII)
_COMMA = re.compile(r"[ \t]*,[ \t]*")


class Left(msgspec.Struct, frozen=True):
    """So many requests are left until ``seconds`` from now, of ``quota`` (0: not said)."""

    requests: int
    seconds: float
    quota: int = 0


class Names(msgspec.Struct, frozen=True):
    """Headers that a system uses instead of the draft's; ``reset_is_time``: the reset is a time, not seconds."""

    remaining: str
    reset: str
    quota: str = ""
    reset_is_time: bool = False


def left_of(headers: Mapping[str, str], names: Names | None, now_epoch: float) -> Left | None:
    """The tightest limit that an answer tells of; None where it tells of none."""
    found = list(_draft(headers)) if "ratelimit" in headers else []
    if names is not None and (other := _named(headers, names, now_epoch)) is not None:
        found.append(other)
    return min(found, key=lambda left: left.requests / left.seconds, default=None)


def _draft(headers: Mapping[str, str]) -> Iterator[Left]:
    policies = dict(_members(headers.get("ratelimit-policy", "")))
    for name, told in _members(headers["ratelimit"]):
        policy = policies.get(name, {})
        if policy.get("qu", '"requests"').strip('"') != "requests":
            continue  # bytes, or requests at a time
        requests, seconds = _whole(told.get("r")), _whole(told.get("t", policy.get("w")))
        if requests is not None and seconds:
            yield Left(requests, min(float(seconds), _LONGEST_SECONDS), _whole(policy.get("q")) or 0)


def _members(header: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The items of a list with their parameters; of a header that is no such list nothing at all."""
    members, place, text = [], 0, header.strip()
    while place < len(text):
        member = _MEMBER.match(text, place)
        if member is None:
            return
        members.append((member[1].strip('"'), dict(_PARAMETER.findall(member[2]))))
        place = member.end()
        if place < len(text):
            comma = _COMMA.match(text, place)
            if comma is None or comma.end() == len(text):
                return
            place = comma.end()
    yield from members


def _named(headers: Mapping[str, str], names: Names, now_epoch: float) -> Left | None:
    requests, reset = (_whole(headers.get(name.lower())) for name in (names.remaining, names.reset))
    if requests is None or reset is None:
        return None
    seconds = reset - now_epoch if names.reset_is_time else float(reset)
    quota = _whole(headers.get(names.quota.lower())) if names.quota else None
    return Left(requests, min(seconds, _LONGEST_SECONDS), quota or 0) if seconds > 0 else None


def _whole(text: str | None) -> int | None:
    """A number of requests or seconds; None for anything else."""
    text = (text or "").strip()
    return int(text[:15]) if text.isascii() and text.isdigit() else None


class Ration:
    """What is left of a system's limit, as its last answer said. Times are of the monotonic clock."""

    __slots__ = ("_heard", "_left", "_most", "_pace", "_until")

    def __init__(self) -> None:
        self._left, self._most, self._until, self._heard = 0, 0, 0.0, float("-inf")
        self._pace: Rate | None = None

    def learn(self, left: Left, on_their_way: int, started: float, now: float) -> None:
        """The answer to a request that started then has said what is left. Requests on their way may not have been
        counted in it, nor those that were answered before it though they started later."""
        is_newer = started >= self._heard or now >= self._until
        self._left = left.requests - on_their_way if is_newer else min(self._left, left.requests - on_their_way)
        if not is_newer:
            return
        self._heard, self._until = now, now + left.seconds
        self._most = left.quota or max(self._most, left.requests)
        is_much = left.requests > _SPREAD_BELOW * self._most
        if is_much or not left.requests:
            self._pace = None
        elif self._pace is None:
            self._pace = Rate(left.requests / left.seconds)
            self._pace.take(now)
        else:
            self._pace.change(left.requests / left.seconds)

    def wait_seconds(self, now: float) -> float:
        """How long the next request must wait; 0 when it may go now."""
        if now >= self._until:
            return 0.0
        if self._left <= 0:
            return self._until - now
        return self._pace.wait_seconds(now) if self._pace is not None else 0.0

    def take(self, now: float) -> None:
        """A request goes now."""
        self._left -= 1
        if self._pace is not None:
            self._pace.take(now)
