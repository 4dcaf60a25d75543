"""What is switched off, in the words for those who look at something that waits for it."""

from __future__ import annotations

from hub.client import HubClient
from hub.states import switching_on

_STATES = {"route": "paused", "system": "stopped"}


def switched_off(hub: HubClient) -> dict[tuple[str, str], str]:
    """The paused routes and the stopped systems that are in force, by kind and name."""
    return {
        (kind, item["name"]): off_text(kind, item["name"])
        for kind in _STATES
        for item in hub.get(f"/{kind}s")["items"]
        if item.get("off")
    }


def off_text(kind: str, name: str) -> str:
    """What is off, and the command that puts it on."""
    return f"{kind} {name} is {_STATES[kind]}; to go on: {switching_on(kind, name)}"
