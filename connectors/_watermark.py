"""How far a source was read: values that only go up, and the form in which the system is asked for what lies behind."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import ROUND_FLOOR, Decimal, InvalidOperation
from typing import Any

from connectors.base import PermanentError

FORMS = ("time", "seconds", "milliseconds", "number", "text")
_TIMED = {"time", "seconds", "milliseconds"}
_OVERLAP_SECONDS, _PUT_BACK_SECONDS = 300.0, 3600.0
_SAP_DATE = re.compile(r"/Date\((-?[0-9]{1,15})(?:[+-][0-9]{4})?\)/")
_WRITTEN = re.compile(
    r"\d{4}-\d\d-\d\d(?:(?P<between>[T ])\d\d:\d\d(?P<seconds>:\d\d(?:\.(?P<fraction>\d{1,6}))?)?"
    r"(?P<zone>Z|[+-]\d\d:\d\d)?)?"
)
_EXAMPLES = {"time": "2026-01-01T00:00:00Z", "seconds": "1767225600", "milliseconds": "1767225600000", "number": "0"}
_LONGEST_TEXT = 1000
_LARGEST = 40  # digits before the point, and behind it

Mark = Decimal | str  # times are seconds since 1970


class Watermark:
    """What the setting ``watermark`` says. A mark is a number, or text of the form ``text``."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.start = str(settings["start"])
        self._form = str(settings.get("form") or "time")
        overlap = settings.get("overlap")
        if overlap and self._form not in _TIMED:
            raise PermanentError(f"fetch.watermark.overlap: a {self._form} has none; take it out")
        self._written = _WRITTEN.fullmatch(self.start) if self._form == "time" else None
        usual = _OVERLAP_SECONDS
        if self._written is not None and self._written["between"] and not self._written["zone"]:
            usual += _PUT_BACK_SECONDS  # it may be local time, of which one hour of the year comes twice
        self._overlap = Decimal(str(usual if overlap is None else overlap)) if self._form in _TIMED else 0
        if self._form == "time" and self._written is None:
            raise PermanentError(f"fetch.watermark.start: expected a time such as {_EXAMPLES['time']} or a day such as "
                                 f"2026-01-01, got '{self.start[:40]}'")  # fmt: skip
        try:
            self.first = self.read(self.start)
        except ValueError:
            raise PermanentError(f"fetch.watermark.start: expected {self._words()}, got '{self.start[:40]}'") from None

    def _words(self) -> str:
        return f"{self._form} such as {_EXAMPLES[self._form]}" if self._form in _EXAMPLES else "text"

    def read(self, value: Any) -> Mark:
        """The mark that an item has. Raises ValueError that says what was expected."""
        if self._form == "text":
            if isinstance(value, str) and 0 < len(value) <= _LONGEST_TEXT:
                return value
        elif self._form == "time":
            if isinstance(value, str) and (moment := moment_of(value)) is not None:
                return moment
        elif (number := _number(value)) is not None:
            return number / 1000 if self._form == "milliseconds" else number
        raise ValueError(f"expected {self._words()}, got {_seen(value)}")

    def known(self, text: str) -> Mark | None:
        """A mark as it was kept; None for none."""
        return None if not text else text if self._form == "text" else _number(text)

    def higher(self, one: Mark | None, other: Mark, began: float) -> Mark:
        """The higher of two marks. No time is higher than when the round ``began``: what changes while pages are read
        may move to one that was read before, and what lies in the future would hide all that comes until then."""
        if self._form in _TIMED and isinstance(other, Decimal):
            other = min(other, Decimal(str(began)))
        return other if one is None or other > one else one  # type: ignore[operator]

    def asked(self, mark: Mark | None) -> str:
        """The text that stands for ``{watermark}``: as ``start`` is written, and earlier by the overlap. Before
        anything was read it is ``start`` itself, which nothing is asked from before."""
        if mark is None:
            return self.start
        if isinstance(mark, str):
            return mark
        moment = mark - self._overlap if self._form in _TIMED else mark
        if isinstance(self.first, Decimal) and moment <= self.first:
            return self.start
        if self._form == "time":
            return self._as_start(moment)
        scaled = moment * 1000 if self._form == "milliseconds" else moment
        whole = self._form in _TIMED
        return str(scaled.to_integral_value(ROUND_FLOOR)) if whole else f"{scaled:f}"

    def _as_start(self, seconds: Decimal) -> str:
        assert self._written is not None
        zone, digits = self._written["zone"], self._written["fraction"]
        offset = UTC if zone in (None, "Z") else datetime.fromisoformat(f"2026-01-01T00:00{zone}").tzinfo
        moment = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(seconds * 1_000_000))).astimezone(
            offset
        )
        if not self._written["between"]:
            return f"{moment:%Y-%m-%d}"
        text = f"{moment:%Y-%m-%d}{self._written['between']}{moment:%H:%M}"
        text += f":{moment:%S}" if self._written["seconds"] else ""
        text += f".{moment.microsecond:06d}"[: len(digits) + 1] if digits else ""
        return f"{text}{zone or ''}"


def kept(mark: Mark | None) -> str:
    """A mark as it is kept between rounds."""
    return "" if mark is None else str(mark)


def moment_of(text: str) -> Decimal | None:
    """The seconds since 1970 of a time as systems write it: ISO 8601, UTC without an offset, or SAP's /Date(…)/."""
    if found := _SAP_DATE.fullmatch(text):
        return Decimal(found[1]) / 1000
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    since = aware - datetime(1970, 1, 1, tzinfo=UTC)
    return Decimal(since // timedelta(microseconds=1)) / 1_000_000


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    if not number.is_finite() or number.adjusted() > _LARGEST or int(number.as_tuple().exponent) < -_LARGEST:
        return None  # written out it would have as many digits as its exponent says
    return number


def _seen(value: Any) -> str:
    """What came, without showing it: it may be anything."""
    if value is None:
        return "nothing"
    return {bool: "true or false", dict: "an object", list: "a list"}.get(type(value), "another text or number")
