"""What happened in a run, line by line, in words that a person can follow."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from hub.loggers import structlog


class Violation(BaseException):
    """An invariant is broken. ``rule`` is its short name; nothing of the hub may catch it."""

    def __init__(self, rule: str, detail: str) -> None:
        self.rule, self.detail = rule, detail
        super().__init__(f"{rule}: {detail}")

    def __reduce__(self) -> tuple[type[Violation], tuple[str, str]]:
        return Violation, (self.rule, self.detail)


class Trace:
    """Lines with their time; the same run gives the same lines."""

    def __init__(self) -> None:
        self.lines: list[tuple[float, str]] = []

    def note(self, at: float, text: str) -> None:
        self.lines.append((at, text))

    def __str__(self) -> str:
        return "\n".join(f"{at:10.3f} s  {text}" for at, text in self.lines)


def unforeseen_is_a_violation(_: object, method: str, event: Mapping[str, object]) -> Mapping[str, object]:
    """For structlog: what the hub logs as a mistake of its own, and survives, is a finding here."""
    error = event.get("exc_info")
    if error:
        shown = sys.exc_info()[1] if error is True else error
        raise Violation("no unforeseen error", f"{event.get('event')}: {shown!r}")
    raise structlog.DropEvent
