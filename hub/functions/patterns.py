"""Text compared with a pattern: ``#`` a digit, ``@`` a letter, ``?`` any sign, ``*`` any signs. Never slow: a pattern
becomes pieces of fixed length, each of which is looked for once, from the left."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from hub.functions.allowance import SMALL, spend
from hub.functions.refusal import kind_of, refusal
from hub.functions.registry import function
from hub.functions.text import counted

_SIGNS = {"?": r"[\s\S]", "#": "[0-9]", "@": r"[^\W\d_]"}
_LONGEST_PATTERN, _LONGEST_TEXT = 200, 10_000
_WORK = 10  # what looking at a character counts for


@function(
    args="text, text",
    returns="boolean",
    nothing="never",
    examples=[
        ("matches('INV-2026-7', 'INV-####-*')", True),
        ("matches('4012345000009', '#############')", True),
        ("matches('AB12', '@@##')", True),
        ("matches(null, '*')", False),
    ],
)
def matches(value: Any, pattern: Any) -> bool:
    """Whether the whole text fits a pattern: ``#`` a digit, ``@`` a letter, ``?`` any sign, ``*`` any signs."""
    if value is None:
        return False
    subject, wanted = _bounded(value, pattern, "matches")
    first, *others = _pieces(wanted)
    if not others:
        return first.fullmatch(subject) is not None
    found = first.match(subject)
    last = others.pop()
    for piece in others:
        found = piece.search(subject, found.end()) if found else None
    start = len(subject) - len(wanted.rpartition("*")[2])
    return found is not None and start >= found.end() and last.match(subject, start) is not None


@function(
    args="text, text",
    returns="text",
    nothing="always",
    examples=[("find('for INV-2026-07 of March', 'INV-####-##')", "INV-2026-07"), ("find('thanks', '####')", None)],
)
def find(value: Any, pattern: Any) -> str | None:
    """The first part of a text that fits a pattern of ``#``, ``@``, ``?`` and other signs; nothing if none does."""
    if value is None:
        return None
    found = _pieces(_fixed(value, pattern, "find"))[0].search(value)
    return found[0] if found else None


@function(
    args="text, text",
    returns="list",
    nothing="never",
    examples=[("find_all('INV-07, INV-08', 'INV-##')", ["INV-07", "INV-08"]), ("find_all(null, '##')", [])],
)
def find_all(value: Any, pattern: Any) -> list[str]:
    """All parts of a text that fit a pattern of ``#``, ``@``, ``?`` and other signs, from left to right."""
    if value is None:
        return []
    return counted([found[0] for found in _pieces(_fixed(value, pattern, "find_all"))[0].finditer(value)], len(value))


def _bounded(value: object, pattern: object, name: str) -> tuple[str, str]:
    for part in (value, pattern):
        if not isinstance(part, str):
            raise refusal(f"{name} wants text, got {kind_of(part)}", part, expected="text")
    subject, wanted = str(value), str(pattern)
    if len(wanted) > _LONGEST_PATTERN or len(subject) > _LONGEST_TEXT:
        message = f"{name} takes patterns up to {_LONGEST_PATTERN} and texts up to {_LONGEST_TEXT} characters"
        raise refusal(message, code="too_large")
    if len(subject) > SMALL:
        spend(_WORK * len(subject))
    return subject, wanted


def _fixed(value: object, pattern: object, name: str) -> str:
    _, wanted = _bounded(value, pattern, name)
    if not wanted or "*" in wanted:
        raise refusal(f"{name} wants a pattern without '*' that is not empty", expected="a pattern such as 'INV-####'")
    return wanted


@lru_cache(256)
def _pieces(pattern: str) -> list[re.Pattern[str]]:
    """The parts between stars. Each stands for a fixed number of signs: there is nothing to go back for."""
    return [re.compile("".join(_SIGNS.get(sign, re.escape(sign)) for sign in part)) for part in pattern.split("*")]
