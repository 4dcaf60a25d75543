"""A mapping's trace as a table: for each field its value, the expression it came from, the source paths that read, and
where in the raw document those stand. Its entries are those of the admin API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hub.cli.terminal import json_text, say_table
from hub.client import HubClient

_LONGEST = 40
_SHOWN = 3  # canonical fields that one field of a target was made of
_PAGE = 1000
Entry = Mapping[str, Any]


def whole_trace(hub: HubClient, path: str) -> dict[str, Any]:
    """A trace with the fields of all of its pages. Raises the fitting HubError where there is none."""
    found: dict[str, Any] = hub.get(path, limit=_PAGE)
    cursor = found["next_cursor"]
    while cursor is not None:
        page = hub.get(path, limit=_PAGE, cursor=cursor)
        found["fields"] += page["fields"]
        cursor = page["next_cursor"]
    return found


def say_trace(entries: Sequence[Entry]) -> None:
    """The trace of a document that was made of the raw one."""
    rows = [(e["path"], _short(e["value"]), _origin(e), _reads(e)) for e in entries]
    say_table(("field", "value", "expression", "read"), rows)


def say_target_trace(entries: Sequence[Entry]) -> None:
    """The trace of what one target is sent, the whole way back to the raw document."""
    rows = [(e["path"], _short(e["value"]), _origin(e), _back(e)) for e in entries]
    say_table(("field", "value", "expression", "from"), rows)


def _back(entry: Entry) -> str:
    if "places" in entry:  # of the raw document itself
        return _reads(entry)
    shown = entry["from"][:_SHOWN]
    back = "; ".join(f"{each['path']} <- {_origin(each)} <- {_reads(each)}" for each in shown)
    more = entry["from_total"] - len(shown)
    return (back or ", ".join(entry["sources"])) + (f"; and {more} more" if more else "")


def _reads(entry: Entry) -> str:
    pairs = zip(entry["sources"], entry["places"], strict=True)
    return ", ".join(f"{path}{_at(place)}" for path, place in pairs) or "nothing"


def _at(place: Mapping[str, Any] | None) -> str:
    if place is None:
        return ""
    more = place.get("what") or (f"byte {place['offset']}" if "offset" in place else "")
    return f" at {place['line']}:{place['column']}{f' ({more})' if more else ''}"


def _origin(entry: Entry) -> str:
    return f"{entry['line']}:{entry['column']} {entry['expression']}"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else " ".join(json_text(value).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
