"""Commands on what went through the hub: messages, show, dead. They ask the running hub."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from hub.cli import filters
from hub.cli.hub_at_hand import hub_at_hand
from hub.cli.message_text import message_lines, waits
from hub.cli.switched_off import switched_off
from hub.cli.terminal import Json, ProjectFolder, complain, plain, say, say_json, say_table
from hub.cli.trace_table import say_target_trace, say_trace, whole_trace
from hub.client import HubClient
from hub.errors import HubError
from hub.states import standing

_MOST_CAUSES = 500  # the API gives no more at once
_COLUMNS = ("received", "id", "state", "from", "event", "key", "deliveries")


def messages(
    state: filters.State = "",
    error_class: filters.Class = "",
    code: filters.Code = "",
    issue: filters.Issue = "",
    route: filters.RouteName = "",
    source: filters.Source = "",
    destination: filters.Destination = "",
    type_name: filters.Type = "",
    key: filters.Key = [],  # noqa: B006 - typer reads the default, nothing changes it
    since: filters.Since = "",
    until: filters.Until = "",
    text: filters.Text = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="How many at most.")] = 20,
    cursor: Annotated[str, typer.Option("--cursor", help="Where an earlier list ended.")] = "",
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """List messages, the newest first, with the states of their deliveries."""
    words = {
        "state": state, "class": error_class, "code": code, "issue": issue, "route": route, "source": source,
        "destination": destination, "type": type_name, "key": key, "text": text,
    }  # fmt: skip
    given = filters.given(words, since, until)
    with hub_at_hand(project) as hub:
        page = hub.get("/messages", limit=limit, cursor=cursor or None, **given)
    if as_json:
        say_json(page)
        return
    say_table(_COLUMNS, [_row(item) for item in page["items"]])
    if page.get("next_cursor"):
        complain(f"there are more: --cursor {page['next_cursor']}")


def _row(item: Mapping[str, Any]) -> Sequence[str]:
    reason = (item.get("error") or {}).get("code", "")
    state = standing(item["state"], item.get("resolved_by"), item.get("replay_state"))
    return (
        str(item["received_at"])[:19].replace("T", " "), str(item["message_id"]),
        f"{state}{f' ({reason})' if reason else ''}", str(item["source"]), str(item["event"]),
        str(item.get("main_key") or ""), _delivered(item.get("deliveries") or ()),
    )  # fmt: skip


def _delivered(lines: Sequence[Mapping[str, Any]]) -> str:
    """Each target with its state; of a delivery that was replayed, the replay's."""
    return ", ".join(
        f"{line['target']} {line['state']}{' (replayed)' if line.get('replay_of') else ''}" for line in _current(lines)
    )


def _current(lines: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Deliveries that no replay stands in for."""
    replaced = {line.get("replay_of") for line in lines}
    return [line for line in lines if line["delivery_id"] not in replaced]


def show(
    message_id: Annotated[str, typer.Argument(metavar="ID", help="A message, receipt or delivery.")],
    trace: Annotated[
        bool, typer.Option("--trace", help="Say where each field of it, and of what was sent, came from.")
    ] = False,
    payload: Annotated[
        str,
        typer.Option("--payload", metavar="STAGE", help="Print that: raw, canonical, sent.TARGET or response.TARGET."),
    ] = "",
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Show one message whole: its keys, its deliveries, every attempt, what can be done; or one of its payloads."""
    path = f"/messages/{quote(message_id.strip(), safe='')}"
    with hub_at_hand(project) as hub:
        if payload:
            sys.stdout.buffer.write(hub.content(f"{path}/payloads/{quote(payload, safe='')}"))
            return
        found = hub.get(path)
        if trace:
            _show_traced(hub, found, as_json)
        elif as_json:
            say_json(found)
        else:
            _show_plain(hub, found)


def _show_plain(hub: HubClient, found: Mapping[str, Any]) -> None:
    say("\n".join(message_lines(found, switched_off(hub) if waits(found) else {})))


def _show_traced(hub: HubClient, found: Mapping[str, Any], as_json: bool) -> None:
    own = _trace(hub, f"/messages/{found['message_id']}/trace")
    targets = {
        line["target"]: _trace(hub, f"/deliveries/{line['delivery_id']}/trace")
        for line in _current(found["deliveries"])
    }
    if as_json:
        fields = {name: trace["fields"] for name, trace in targets.items()}
        say_json({**found, "findings": own["findings"], "trace": own["fields"], "target_traces": fields})
        return
    _show_plain(hub, found)
    _say_doubts(own)
    for finding in own["findings"]:
        say(plain(f"  {'read although':12} {finding['position']}: {finding['detail'] or finding['code']}"))
    say_trace(own["fields"])
    for name, trace in targets.items():
        say(f"\nto {name}:")
        _say_doubts(trace)
        say_target_trace(trace["fields"])


def _trace(hub: HubClient, path: str) -> dict[str, Any]:
    """The trace of a message or of a delivery; where there is none, such as of an acknowledgement, the reason."""
    try:
        return whole_trace(hub, path)
    except HubError as error:
        # Of the same message, others may have theirs.
        return {"fields": [], "findings": [], "error": {"detail": str(error)}, "reproduced": None, "reaches": "raw"}


def _say_doubts(trace: Mapping[str, Any]) -> None:
    """What a reader has to know of a trace before he believes it."""
    if trace["error"]:
        complain(f"nothing to trace: {trace['error']['detail']}")
    if trace["reproduced"] is False:
        complain("made anew with the files of then it is not what is stored: another version of the hub made that")
    if trace["reaches"] != "raw":
        complain("the trace ends at the canonical document: what that was made of is no longer stored")


def dead(
    issue: filters.Issue = "",
    route: filters.RouteName = "",
    source: filters.Source = "",
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Say what cannot go on and why, grouped by cause, with what to do."""
    given = {name: value for name, value in {"issue": issue, "route": route, "source": source}.items() if value}
    with hub_at_hand(project) as hub:
        answer = hub.get("/dead-letters", group_by="issue", limit=_MOST_CAUSES, **given)
    groups = answer["issues"]
    if as_json:
        say_json(answer)
        return
    for group in groups:
        for line in _issue_lines(group):
            say(line)
    more = answer["total"] - sum(group["count"] for group in groups)
    if more > 0:
        complain(f"and {more} more, of other causes: ask for one --route or --source")
    if not groups:
        complain("no dead letters")


def _issue_lines(issue: Mapping[str, Any]) -> list[str]:
    error = issue["error"]
    place = f"{error['file']}:{error.get('line') or 0}:{error.get('column') or 0}: " if error.get("file") else ""
    came = f", from {issue['source']}" if issue.get("source") else ""
    to = f", to {issue['system']}" if issue.get("system") else ""
    told = [
        ("why", f"{place}{error.get('detail') or ''}"),
        ("at", error.get("position")),
        ("field", error.get("field_path")),
        ("seen", error.get("value_excerpt")),
        ("wanted", error.get("expected")),
        ("hint", error.get("hint")),
        ("since", str(issue["first_seen"])[:19].replace("T", " ")),
        ("e.g.", ", ".join(issue["examples"])),
        ("again", issue["command"]),
    ]
    cause = "/".join(dict.fromkeys((str(error.get("class") or ""), str(error.get("code") or ""))))
    head = f"{issue['count']} x {cause}, {issue.get('route') or 'no route'}{came}{to}"
    return [plain(line) for line in (head, *(f"  {name:7} {text}" for name, text in told if text), "")]


COMMANDS = (messages, show, dead)
