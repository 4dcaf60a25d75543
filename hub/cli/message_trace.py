"""Where each field of a message came from: its stored bytes through the project's mapping once more, traced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hub.cli.workplace import open_workplace
from hub.client import HubClient
from hub.errors import UsageError
from hub.formats import BadRecord, codec
from hub.mapping import Context, TraceEntry


def trace_of(hub: HubClient, folder: Path, found: Mapping[str, Any]) -> Sequence[TraceEntry]:
    """The trace of the route's mapping as it is in the folder now. Raises UsageError where there is no such route."""
    result = open_workplace(folder).check()
    routes = [route for route in result.routes if route.name == found.get("route")]
    if not routes or routes[0].map not in result.mappings:
        raise UsageError(f"this project has no route '{found.get('route')}' with a mapping to trace")
    mapping = result.mappings[routes[0].map]
    source_format = mapping.source.format or result.settings.systems[routes[0].system].format
    raw = hub.request(
        "GET", f"/api/v1/messages/{found['message_id']}/payloads/raw", headers={"Authorization": f"Bearer {hub.key}"}
    )
    if raw.status != 200:
        raise UsageError("its raw bytes are no longer stored, or this key may not read them")
    position = int(found.get("position") or 0)
    envelope = {"id": found["message_id"], "source": found["source"], "event": found["event"],
                "received_at": found["received_at"], "name": ""}  # fmt: skip
    for record in codec(source_format).decode([raw.body], mapping.source.options):
        if record.index == position and not isinstance(record, BadRecord):
            _, entries = mapping.trace(record.value, Context(company=result.settings.company, envelope=envelope))
            return entries
    raise UsageError("its bytes hold no such record any more: the mapping's source has changed")
