"""``o2c replay``: send dead letters again, one or many, after a plan that says what would happen."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from hub.cli import filters
from hub.cli.hub_at_hand import hub_at_hand
from hub.cli.switched_off import off_text
from hub.cli.terminal import Json, ProjectFolder, complain, finish, say, say_json
from hub.client import HubClient
from hub.errors import UsageError
from hub.states import NEEDS_A_PERSON

_LOOK_SECONDS, _PATIENCE_SECONDS = 0.3, 5.0
_MOVING = {"received", "queued", "delivering"}

From = Annotated[str, typer.Option("--from", help="failed_step, or start: the raw bytes go through again.")]
Version = Annotated[str, typer.Option("--version", help="current, or as_run: the very bytes of before.")]
Superseded = Annotated[str, typer.Option("--superseded", help="skip, or send what a newer message overtook.")]
Delivered = Annotated[
    str, typer.Option("--delivered", help="skip, or send what arrived once more; from the start also what may have.")
]


def replay(
    ids: Annotated[list[str], typer.Argument(metavar="[ID]...", help="Messages, receipts or deliveries.")] = [],  # noqa: B006
    everything: Annotated[bool, typer.Option("--all", help="Every dead letter.")] = False,
    issue: filters.Issue = "",
    route: filters.RouteName = "",
    state: filters.State = "",
    error_class: filters.Class = "",
    code: filters.Code = "",
    source: filters.Source = "",
    type_name: filters.Type = "",
    key: filters.Key = [],  # noqa: B006 - typer reads the default, nothing changes it
    since: filters.Since = "",
    until: filters.Until = "",
    text: filters.Text = "",
    destination: Annotated[list[str], typer.Option("--destination", help="Only to this target; may be repeated.")] = [],  # noqa: B006
    begin: From = "failed_step",
    version: Version = "current",
    superseded: Superseded = "skip",
    delivered: Delivered = "skip",
    most: Annotated[int, typer.Option("--max", min=1, help="How many at most.")] = 5000,
    rate: Annotated[float | None, typer.Option("--rate", help="How many a second; none: as fast as they go.")] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why, for the audit.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be sent.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Send dead letters again: a plan first, then the replay, then what became of it; exit 1 if anything of it needs a
    person again, waits for a route that is paused or a system that is stopped, or nothing could be sent."""
    words = {
        "issue": issue, "route": route, "state": state, "class": error_class, "code": code, "source": source,
        "type": type_name, "key": list(key), "text": text,
    }  # fmt: skip
    given = filters.given(words, since, until)
    body = {
        "select": _selection(list(ids), everything, given), "from": begin, "version": version,
        "destinations": list(destination), "superseded": superseded, "delivered": delivered, "max_items": most,
        "rate_per_second": rate, "reason": reason, "dry_run": True,
    }  # fmt: skip
    with hub_at_hand(project) as hub:
        planned = hub.post("/replays", {name: value for name, value in body.items() if value is not None})
        if not as_json:
            _say_plan(planned["plan"])
        count = int(planned["plan"]["replayable"])
        if dry_run or not count:
            _end_with_plan(planned, as_json, failed=not count and not dry_run)
        elif yes or _is_agreed(count):
            hub.post(f"/replays/{planned['replay_id']}/start", {"plan_hash": planned["plan_hash"]})
            with Progress(console=Console(stderr=True), transient=True, disable=as_json) as progress:
                task = progress.add_task("replaying", total=count)
                ended = _wait(hub, planned["replay_id"], lambda done: progress.update(task, completed=done))
            _say_result(ended, as_json)
        else:
            complain("nothing was sent")
            _end_with_plan(planned, as_json, failed=False)


def _selection(ids: list[str], everything: bool, given: Mapping[str, Any]) -> dict[str, Any]:
    if sum((bool(ids), everything, bool(given))) != 1:
        raise UsageError("say which: ids, or --all, or a filter such as --issue; `o2c dead` lists what there is")
    if ids:
        return {"ids": ids}
    return {"filter": {"state": "dead"} if everything else dict(given)}


def _say_plan(plan: Mapping[str, Any]) -> None:
    say(f"{plan['matched']} found, {plan['replayable']} to be sent, in about {plan['estimated_seconds']} s")
    for target, count in plan["destinations"].items():
        say(f"  {count} to {target}")
    for kind, count in plan["kinds"].items():
        if kind != "delivery":
            say(f"  {count} {kind} goes through again" if count == 1 else f"  {count} {kind}s go through again")
    for warning in plan["warnings"]:
        complain(f"  {warning}")


def _end_with_plan(planned: Mapping[str, Any], as_json: bool, failed: bool) -> None:
    if as_json:
        say_json(planned)
    finish(failed)


def _is_agreed(count: int) -> bool:
    """A question on a terminal; a script that did not say --yes is refused."""
    if not sys.stdin.isatty():
        raise UsageError("this is no terminal to ask on; say --yes, or --dry-run to see the plan only")
    return typer.confirm(f"send {count} again?", err=True)


def _wait(hub: HubClient, replay_id: str, seen: Callable[[int], None]) -> dict[str, Any]:
    """The replay once it has ended, and what it sent for a moment longer; that may still be on its way then.

    ``seen`` is told how many of its things are done.
    """
    patience = _PATIENCE_SECONDS
    while True:
        state: dict[str, Any] = hub.get(f"/replays/{replay_id}")
        seen(sum(count for name, count in state["items"].items() if name != "waiting"))
        has_ended = state["state"] in ("done", "cancelled")
        if has_ended and (patience <= 0 or not _MOVING & set(state["outcomes"])):
            return state
        patience -= _LOOK_SECONDS if has_ended else 0
        time.sleep(_LOOK_SECONDS)


def _say_result(state: Mapping[str, Any], as_json: bool) -> None:
    if as_json:
        say_json(state)
    else:
        items = state["items"]
        skipped = f", {items['skipped']} skipped" if items.get("skipped") else ""
        say(f"replay {state['replay_id']}: {state['state']}, {items.get('started', 0)} sent{skipped}")
        if state["outcomes"]:
            say("  " + ", ".join(f"{count} {name}" for name, count in sorted(state["outcomes"].items())))
    again = sum(count for name, count in state["outcomes"].items() if name in NEEDS_A_PERSON)
    if again:
        complain(f"{again} of them {'needs' if again == 1 else 'need'} a person again; see: o2c dead")
    for what, count in state.get("waits", {}).items():
        complain(f"{count} of them {'waits' if count == 1 else 'wait'}: {off_text(*what.split(' ', 1))}")
    stays = again > 0 or bool(state.get("waits")) or state["state"] == "cancelled"
    finish(failed=stays or not state["items"].get("started"))


COMMANDS = (replay,)
