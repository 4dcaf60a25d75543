"""What is done to deliveries and dead letters by hand: ``o2c release``, ``resolve``, ``cancel`` and ``hold``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from hub.cli import filters
from hub.cli.hub_at_hand import hub_at_hand
from hub.cli.terminal import Json, ProjectFolder, complain, finish, say, say_json
from hub.client import HubClient
from hub.errors import Conflict, HubError, NotFound, UsageError

Ids = Annotated[list[str], typer.Argument(metavar="[ID]...", help="Deliveries.")]
Letters = Annotated[list[str], typer.Argument(metavar="[ID]...", help="Deliveries, messages or receipts.")]
Reason = Annotated[str, typer.Option("--reason", help="Why, for the audit.")]
_MOST = 500  # a page of dead letters
_IS = "the delivery is "  # how a refusal begins that an act does not fit its state
_GOES = ("delivering", "delivered")


def release(
    ids: Ids = [],  # noqa: B006 - typer reads the default, nothing changes it
    issue: filters.Issue = "",
    reason: Reason = "",
    no_look_up: Annotated[
        bool, typer.Option("--no-look-up", help="Send it without asking its system: you have looked, it is not there.")
    ] = False,
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Let held deliveries go, or try now what waits for its next try. Where an earlier try may have had its effect and
    the system can be asked, it is asked first; exit 1 if anything was refused."""
    _act("release", ids, issue, {"reason": reason, "look_up": not no_look_up}, project, as_json)


def resolve(
    ids: Letters = [],  # noqa: B006 - typer reads the default, nothing changes it
    issue: filters.Issue = "",
    reason: Reason = "",
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Say that deliveries, dead messages or what was found about messages have been dealt with by other means, so that
    their lanes go on; exit 1 if anything was refused."""
    _act("resolve", ids, issue, {"reason": reason}, project, as_json)


def cancel(
    ids: Ids = [],  # noqa: B006 - typer reads the default, nothing changes it
    issue: filters.Issue = "",
    reason: Reason = "",
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Say that deliveries shall never be sent, so that their lanes go on; exit 1 if anything was refused."""
    _act("cancel", ids, issue, {"reason": reason}, project, as_json)


def hold(
    ids: Ids = [],  # noqa: B006 - typer reads the default, nothing changes it
    reason: Reason = "",
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Keep deliveries back that wait to be sent, each at its place in its lane, until they are released; exit 1 if
    anything was refused."""
    _act("hold", ids, "", {"reason": reason}, project, as_json)


def _act(
    act: str, ids: Sequence[str], issue: str, body: Mapping[str, Any], project: Path, as_json: bool
) -> None:  # fmt: skip
    if bool(ids) == bool(issue):
        either = "ids" if act == "hold" else "ids, or --issue"
        raise UsageError(f"say which: {either}; `o2c dead` and `o2c show` name them, as in: o2c {act} ID --reason TEXT")
    if not str(body["reason"]).strip():
        raise UsageError("say why: --reason TEXT; it stands in the audit")
    done: dict[str, str] = {}
    refused: dict[str, str] = {}
    try:
        with hub_at_hand(project) as hub:
            _go_through(hub, act, ids, issue, body, done, refused)
    except HubError:
        if done or refused:
            _say(done, refused, as_json)
        raise
    _say(done, refused, as_json)
    if not (done or refused):
        complain(f"there is nothing to {act} of it")
    finish(bool(refused) or not done)


def _go_through(
    hub: HubClient, act: str, ids: Sequence[str], issue: str, body: Mapping[str, Any], done: dict[str, str],
    refused: dict[str, str],
) -> None:  # fmt: skip
    """Fills in the states of what was done, and why the rest was refused."""
    left = list(dict.fromkeys(id.strip() for id in ids)) or _of_issue(hub, issue)
    while new := [id for id in left if id not in done and id not in refused]:
        for id in new:
            try:
                done[id] = _done(hub, act, id, body)
            except (NotFound, Conflict, UsageError) as error:
                refused[id] = str(error)
        if issue:
            left = _of_issue(hub, issue)
            _count_batches(act, left, done, refused)


def _count_batches(act: str, left: Sequence[str], done: dict[str, str], refused: dict[str, str]) -> None:
    """What is no longer of the issue, and is what the act makes of one, went with another of its batch."""
    meant = {*done.values(), *(_GOES if act == "release" else ())}
    for id in [id for id in refused if id not in left]:
        state = refused[id].removeprefix(_IS).partition(";")[0]
        if state in meant:
            done[id] = state
            del refused[id]


def _of_issue(hub: HubClient, issue: str) -> list[str]:
    found = hub.get("/dead-letters", group_by="none", issue=issue, limit=_MOST)
    return [str(letter["id"]) for letter in found["items"]]


def _done(hub: HubClient, act: str, id: str, body: Mapping[str, Any]) -> str:
    """The state afterwards. Raises NotFound, Conflict."""
    path = quote(id, safe="")
    try:
        return str(hub.post(f"/deliveries/{path}/{act}", body)["state"])
    except NotFound as error:
        if act != "resolve":
            raise NotFound(f"{error}; those of a message: o2c show {id}") from None
    try:
        hub.post(f"/messages/{path}/resolve", body)
    except Conflict as error:
        raise Conflict(f"{error}; a delivery of it is resolved by its own id: o2c show {id}") from None
    return "resolved"


def _say(done: Mapping[str, str], refused: Mapping[str, str], as_json: bool) -> None:
    if as_json:
        items: list[dict[str, str]] = [{"id": id, "state": state} for id, state in done.items()]
        say_json({"items": items + [{"id": id, "refused": why} for id, why in refused.items()]})
    else:
        for id, state in done.items():
            say(f"{id}  {state}")
    for id, why in refused.items():
        complain(f"{id}: {why}")


COMMANDS = (release, resolve, cancel, hold)
