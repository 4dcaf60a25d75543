"""Grammars to test with: those that are shipped, and small ones in a line or two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from hub.formats._segments import EDIFACT, X12, splitter
from hub.grammars import Checker, Finding, Grammars, Matcher, MessageType
from hub.grammars.matched import Match
from hub.project import reference_files

SHARED = {
    "schemas/edifact/T1/segments.yaml": """segments:
  AAA first: [1001 M code, C002 C party, 1004 C x3 lines]
  BBB second: [1004 C number, 1005 C 3 texts]
  CCC third: [1006 C quantity]
  DDD date: [C507 M .]
  EEE end: [1001 M code]
""",
    "schemas/edifact/T1/composites.yaml": """composites:
  C002 party: [1002 M id, 1003 C agency]
  C507 date: [2005 M qualifier, 2380 C value, 2379 C format]
""",
    "schemas/edifact/T1/elements.yaml": """elements:
  1001: code an..3
  1002: id an..5
  1003: agency an3
  1004: number an..8
  1005: text a..4
  1006: quantity n..5
  2005: qualifier an..3
  2379: format an..3
  2380: value an..35
""",
    "schemas/edifact/T1/codes.yaml": "codes:\n  1001: 1 2 3\n",
    "schemas/edifact/T1/TEST.yaml": """title: A test
structure:
  - AAA M 1
  - DDD C 2
  - SG1 C 2:
      - BBB M 1
      - CCC M 2
      - SG2 C 1:
          - DDD M 1
          - EEE C 1
  - EEE M 1
""",
}


def grammars(**changed: str) -> Grammars:
    """The small ones, with files added or replaced: ``TEST="..."`` is ``schemas/edifact/T1/TEST.yaml``."""
    files = {**SHARED, **{f"schemas/edifact/T1/{name}.yaml": text for name, text in changed.items()}}
    return Grammars({path: text.encode() for path, text in files.items()})


def overlaid(overlay: str) -> Grammars:
    """The small ones and an overlay, ``own/TEST``."""
    text = f"title: Own\nextends: edifact/T1/TEST\n{overlay}"
    return Grammars({path: text.encode() for path, text in {**SHARED, "schemas/own/TEST.yaml": text}.items()})


@cache
def shipped() -> Grammars:
    return Grammars(reference_files())


@cache
def small() -> MessageType:
    return grammars().message("edifact/T1/TEST")


def edifact(text: str) -> list[list[Any]]:
    return splitter(EDIFACT)(text)


def x12(text: str) -> list[list[Any]]:
    return splitter(X12)(text)


def matched(message: MessageType, segments: Sequence[Sequence[Any]]) -> Match:
    return Matcher(message).match(segments)


def findings(message: MessageType, segments: Sequence[Sequence[Any]], mark: str = ".") -> list[Finding]:
    """Everything that is wrong with a message, structure first."""
    match = Matcher(message).match(segments)
    return [*match.findings, *Checker(message, mark).check(match)]


def places(match: Match) -> Mapping[int, str]:
    """Where each segment of the body was put, by its number."""
    return {
        number: ".".join(place.path) if place is not None else "-"
        for number, place in enumerate(match.places, match.first)
    }
