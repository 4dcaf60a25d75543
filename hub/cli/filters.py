"""The filters of lists and replays as options of commands; their words are those of the admin API."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from hub.errors import UsageError
from hub.units import seconds_of

State = Annotated[str, typer.Option("--state", help="Of the message or of one of its deliveries, e.g. retrying.")]
Class = Annotated[str, typer.Option("--class", help="The class of the error, e.g. mapping or remote_rejected.")]
Code = Annotated[str, typer.Option("--code", help="The code of the error.")]
Issue = Annotated[str, typer.Option("--issue", help="What has the same cause; `o2c dead` prints it.")]
RouteName = Annotated[str, typer.Option("--route", help="The route.")]
Source = Annotated[str, typer.Option("--source", help="The system it came from.")]
Destination = Annotated[str, typer.Option("--destination", help="A target, or its system.")]
Type = Annotated[str, typer.Option("--type", help="The canonical type, e.g. canonical/order.")]
Key = Annotated[list[str], typer.Option("--key", metavar="SCHEME:VALUE", help="A business key, e.g. order:1001.")]
Since = Annotated[str, typer.Option("--since", metavar="TIME", help="Received since: 24h, 2026-03-05, or a full time.")]
Until = Annotated[str, typer.Option("--until", metavar="TIME", help="Received before.")]
Text = Annotated[str, typer.Option("--text", help="The start of a key's value, or words of an error.")]


def given(words: Mapping[str, object], since: str, until: str) -> dict[str, object]:
    """What was said of these words of a filter, as the API wants it."""
    now = datetime.now(UTC)
    times = {"received_from": moment(since, "--since", now), "received_until": moment(until, "--until", now)}
    return {name: value for name, value in {**words, **times}.items() if value}


def moment(text: str, option: str, now: datetime) -> str | None:
    """A time as the API wants it: ``24h`` is that long ago; a date or time without offset is UTC."""
    if not text:
        return None
    ago = seconds_of(text)
    if ago is not None:
        return (now - timedelta(seconds=ago)).isoformat()
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option}: expected 24h, 2026-03-05 or 2026-03-05T10:00:00Z, got '{text}'") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).isoformat()
