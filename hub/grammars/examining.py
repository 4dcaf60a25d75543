"""Segments that are to be sent, checked by a grammar as those that come are."""

from __future__ import annotations

from hub.grammars.checks import Checker
from hub.grammars.findings import Finding
from hub.grammars.matched import Segments
from hub.grammars.matching import Matcher
from hub.grammars.types import MessageType


class Examiner:
    """Tells what is wrong with messages of one type."""

    def __init__(self, message: MessageType) -> None:
        self.message = message
        self._matcher, self._checker = Matcher(message), Checker(message)

    def errors(self, body: Segments) -> list[Finding]:
        """Every error of a message without its header and trailer, in order; segments count from 1, the first of these
        being 1."""
        match = self._matcher.match(body)
        found = [each for each in (*match.findings, *self._checker.check(match)) if each.severity == "error"]
        return sorted(found, key=lambda each: (each.segment, each.element, each.repetition, each.component))
