"""The filters of lists and replays, from query parameters or from a body."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Query
from pydantic import AwareDatetime

from hub.api.asked import FilterBody
from hub.api.auth import Viewer
from hub.errors import UsageError
from hub.outcome import CLASSES
from hub.store.search import STATES
from hub.store.search_terms import Filter
from hub.yamldoc import did_you_mean

State = Annotated[str, Query(description="Of the message or of one of its deliveries.", examples=["dead"])]
ErrorClass = Annotated[str, Query(alias="class", description="Class of the error.", examples=["schema"])]
Code = Annotated[str, Query(description="Code of the error.", examples=["http_422"])]
IssueName = Annotated[str, Query(description="Fingerprint: everything with the same cause.")]
Destination = Annotated[str, Query(description="A target of the route, or its system.", examples=["erp"])]
Key = Annotated[
    list[str] | None, Query(description="scheme:value; repeatable, all must match.", examples=[["order:1001"]])
]
From = Annotated[AwareDatetime | None, Query(description="Received at or after this time.")]
Until = Annotated[AwareDatetime | None, Query(description="Received before this time.")]
Text = Annotated[
    str,
    Query(
        description="The beginning of a key's value, or words of an open error; for a viewer a whole value, or words "
        "of the error's class, code, field or what was expected.",
        max_length=200,
    ),
]
ReplayOf = Annotated[str, Query(description="Replays of this message, receipt or delivery.")]


def filter_of(
    caller: Viewer, state: State = "", error_class: ErrorClass = "", code: Code = "", issue: IssueName = "",
    route: str = "", source: str = "", destination: Destination = "", type: str = "", key: Key = None,
    received_from: From = None, received_until: Until = None, text: Text = "", replay_of: ReplayOf = "",
) -> Filter:  # fmt: skip
    """The filter of a list, from its query parameters; a viewer's is of what they are shown."""
    return _checked(
        Filter(
            state, error_class, code, issue, route, source, destination, type, keys_of(key or ()),
            _epoch(received_from), _epoch(received_until), text, replay_of, not caller.sees_personal_data,
        )
    )  # fmt: skip


def filter_from(body: FilterBody | None) -> Filter:
    """The filter of a replay, from its body."""
    if body is None:
        return Filter()
    return _checked(
        Filter(
            body.state, body.class_, body.code, body.issue, body.route, body.source, body.destination, body.type,
            keys_of(body.key), _epoch(body.received_from), _epoch(body.received_until), body.text, body.replay_of,
        )
    )  # fmt: skip


def keys_of(texts: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """``scheme:value`` each. Raises UsageError."""
    found = []
    for text in texts:
        scheme, colon, value = text.partition(":")
        if not (scheme and colon and value):
            raise UsageError(f"key: expected scheme:value such as order:1001, got '{text[:80]}'")
        found.append((scheme, value))
    return tuple(found)


def _checked(wanted: Filter) -> Filter:
    for name, value, known in (("state", wanted.state, STATES), ("class", wanted.error_class, CLASSES)):
        if value and value not in known:
            raise UsageError(f"{name}: unknown {name} '{value[:80]}'{did_you_mean(value[:80], known)}")
    return wanted


def _epoch(time: datetime | None) -> float | None:
    return None if time is None else time.timestamp()


Wanted = Annotated[Filter, Depends(filter_of)]
