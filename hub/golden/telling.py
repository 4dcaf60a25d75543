"""Results in words: what differs, field by field, as lines of text and as data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from hub.golden.compare import MISSING, Difference
from hub.golden.results import Result

_LONGEST = 160
_JSON = msgspec.json.Encoder(decimal_format="number")


def shown(value: Any) -> str:
    """A value as a person reads it: text in quotes, numbers as they are, what is missing in a word."""
    if value is MISSING:
        return "nothing there"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, str):
        text = f"'{''.join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in value)}'"
    elif isinstance(value, float):
        text = repr(value)
    else:
        text = _JSON.encode(value).decode()
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def result_lines(result: Result) -> Iterator[str]:
    """Everything that is wrong with a case."""
    if result.problem:
        yield f"  {result.problem}"
    for each in result.differences:
        place = f"   ({result.file}:{each.line}:{each.column})" if each.line else ""
        yield f"  {each.path}"
        yield f"    expected  {shown(each.expected)}{place}"
        yield f"    seen      {shown(each.seen)}{f'   ({each.origin})' if each.origin else ''}"


def result_dict(result: Result) -> Mapping[str, Any]:
    """A result for programs."""
    found: dict[str, Any] = {
        "file": result.file, "line": result.line, "name": result.name, "kind": result.kind,
        "passed": result.passed, "seconds": round(result.seconds, 4),
    }  # fmt: skip
    if result.problem:
        found["problem"] = result.problem
    if result.differences:
        found["differences"] = [_difference_dict(each) for each in result.differences]
    return found


def _difference_dict(each: Difference) -> dict[str, Any]:
    values = {name: value for name, value in (("expected", each.expected), ("seen", each.seen)) if value is not MISSING}
    place = {"line": each.line, "column": each.column} if each.line else {}
    return {"path": each.path, **values, **place, **({"origin": each.origin} if each.origin else {})}
