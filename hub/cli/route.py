"""Routes and whether they go on, and the switch of one: ``o2c route``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from hub.cli.hub_at_hand import hub_at_hand
from hub.cli.terminal import Json, ProjectFolder, say, say_json, say_table
from hub.client import HubClient
from hub.errors import NotFound, UsageError
from hub.states import switching_on

_COLUMNS = ("route", "state", "from", "to", "remark")
_STEPS = ("pause", "resume")


def route(
    name: Annotated[str, typer.Argument(metavar="[ROUTE]", help="Only this one; the one to pause or resume.")] = "",
    step: Annotated[
        str,
        typer.Argument(
            metavar="[pause|resume]",
            help="pause: take in what comes for it and send none of it until it is resumed; resume: go on with a route "
            "that was paused, by hand or by `on_error: stop`, in order.",
        ),
    ] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why, for the audit.")] = "",
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Show the routes and which of them are paused, since when and why; pause a route, or resume it."""
    if step not in ("", *_STEPS):
        raise UsageError(f"'{step}' is no step; expected pause or resume, as in: o2c route {name} resume")
    if step == "pause" and not reason:
        raise UsageError("say why: --reason TEXT; it stands in the audit, and with the route")
    with hub_at_hand(project) as hub:
        if step:
            hub.post(f"/routes/{quote(name, safe='')}/{step}", {"reason": reason})
        found = _found(hub, name, must_be=not step)
    if as_json:
        say_json({"routes": found})
    elif step and not found:
        say(f"'{name}' is no longer paused; it is no route of the files in force")
    else:
        say_table(_COLUMNS, [_row(item) for item in found])


def _found(hub: HubClient, name: str, must_be: bool) -> list[dict[str, Any]]:
    """The routes in force, or the one that is named. What was paused and is no longer in force can be resumed too."""
    items: list[dict[str, Any]] = hub.get("/routes")["items"]
    named = [item for item in items if item["name"] == name]
    if name and must_be and not named:
        raise NotFound(f"there is no route '{name}'; those in force: {', '.join(i['name'] for i in items) or 'none'}")
    return named if name else items


def _row(item: Mapping[str, Any]) -> Sequence[str]:
    off = item.get("off")
    remark = ""
    if off:
        since = off["since"][:19].replace("T", " ")
        remark = f"since {since} by {off['actor']}: {off['reason']}; to go on: {switching_on('route', item['name'])}"
    targets = ", ".join(item["targets"])
    return item["name"], off["state"] if off else "on", f"{item['source']} {', '.join(item['events'])}", targets, remark


COMMANDS = (route,)
