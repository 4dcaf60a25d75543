"""What a report shows of documents, taken out again when they are: samples are kept no longer than what they are of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from hub.store import backtests
from hub.store.database import Database

_CAUSES = ("newly_failing", "newly_fixed", "failing_otherwise")
Stored = Callable[[Iterable[str]], set[str]]


class Reports(msgspec.Struct, frozen=True):
    """The report with personal data and without."""

    open: dict[str, Any]
    masked: dict[str, Any]


def expire(reports: Reports, stored: Stored) -> bool:
    """Put what is shown masked in the place of every value whose message is not stored any more; whether there was
    one. ``stored`` gives those of some messages that still are."""
    kept = stored(dict.fromkeys(_messages(reports.open)))
    return any([*_samples(reports, kept), *_causes(reports, kept)])


def forget(db: Database) -> None:
    """The same for all reports there are."""
    for backtest_id, packed in backtests.results(db):
        reports = msgspec.json.decode(packed, type=Reports)
        if expire(reports, lambda ids: backtests.still_stored(db, ids)):
            backtests.put_result(db, backtest_id, msgspec.json.encode(reports))


def _messages(report: dict[str, Any]) -> Iterator[str]:
    for change in report["changes"]:
        yield from (sample["message_id"] for sample in change["samples"])
    for name in _CAUSES:
        for cause in report[name]:
            yield from cause["message_ids"]


def _samples(reports: Reports, kept: set[str]) -> Iterator[bool]:
    for shown, hidden in zip(reports.open["changes"], reports.masked["changes"], strict=True):
        for place, sample in enumerate(shown["samples"]):
            if sample["message_id"] not in kept and sample != hidden["samples"][place]:
                shown["samples"][place] = hidden["samples"][place]
                yield True


def _causes(reports: Reports, kept: set[str]) -> Iterator[bool]:
    """The error that is shown is that of the first message of its kind."""
    for name in _CAUSES:
        for shown, hidden in zip(reports.open[name], reports.masked[name], strict=True):
            if not kept.intersection(shown["message_ids"][:1]) and shown["error"] != hidden["error"]:
                shown["error"] = hidden["error"]
                yield True
