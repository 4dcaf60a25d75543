"""Versions of items that are times in whole seconds. Until its second is over an item may change once more and have the
same one: so long its content tells it apart as well."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from connectors._verdicts import date_of
from connectors._watermark import moment_of
from connectors.base import Verdict

_LATE = 5  # seconds: what is stored late, and clocks of one system that differ
_AHEAD = 60  # seconds: what lies further in the future was not told by the clock that dates the answers
_NUMBER = re.compile(r"[1-9][0-9]{8,12}")
_MOST_DIGITS = 10  # of seconds until the year 2286; a longer number counts milliseconds


def second_of(version: Any) -> Decimal | None:
    """The seconds since 1970 that a version says: ISO 8601, SAP's /Date(…)/, a number of seconds or milliseconds. None
    for one that is no time, or finer than a second."""
    moment = moment_of(version) if isinstance(version, str) else None
    if moment is None and isinstance(version, int | Decimal | str) and _NUMBER.fullmatch(text := str(version)):
        moment = Decimal(text) / (1000 if len(text) > _MOST_DIGITS else 1)
    return moment if moment is not None and moment % 1 == 0 else None


def asked_at(page: Verdict, now: float) -> float:
    """When a page was asked for, in seconds since 1970, by the clock of the system; without a header Date by ours."""
    answered = date_of(page.headers.get("date", ""))
    return (now if answered is None else answered.timestamp()) - page.seconds


def is_open(second: Decimal, asked: float) -> bool:
    """Whether the second of a version may not have been over when its page was asked for."""
    return -1 - _LATE < second - Decimal(str(asked)) < _AHEAD
