"""``o2c send``: one document into the hub as if its system had sent it."""

from __future__ import annotations

import shutil
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer

from connectors._file_ready import fits, marker_of
from hub.cli.hub_at_hand import hub_at_hand
from hub.cli.signing import proof
from hub.cli.terminal import Json, ProjectFolder, complain, finish, read_input, say, say_json
from hub.cli.workplace import Workplace, open_workplace
from hub.client import Answer, HubClient
from hub.errors import HubError, UsageError
from hub.formats import codec
from hub.routes import Route, load_routes
from hub.secret import resolve_all
from hub.systems import System
from hub.yamldoc import did_you_mean, parse_yaml


def send(
    system: Annotated[str, typer.Argument(metavar="SYSTEM", help="The system it comes from.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The document; - is standard input.")],
    event: Annotated[str, typer.Option("--event", help="The event; none: the one its route takes.")] = "",
    document_id: Annotated[str, typer.Option("--id", help="The sender's id; none: a new one each time.")] = "",
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Send one document into the hub as if the system had sent it: signed and posted, or put into its folder."""
    place = open_workplace(project)
    body = read_input(file)
    known = place.settings().systems
    if system not in known:
        raise UsageError(f"unknown system '{system}'{did_you_mean(system, known)}")
    if known[system].door != "in":
        raise UsageError(f"system '{system}' calls by a WSDL; call /{known[system].door}/{system} as it does")
    if known[system].receives:
        wanted = event or _event_of(system, load_routes(place.files)[0])
        with hub_at_hand(place.root) as hub:
            _say(_post(hub, place, known[system], body, wanted, document_id or f"cli-{uuid.uuid4()}"), as_json)
    else:
        _say_dropped(_drop(place, known[system], body, file), as_json)


def _event_of(system: str, routes: Sequence[Route]) -> str:
    """The one event that the system's routes take; an empty text where any will do."""
    events = {event for route in routes if route.system == system for event in route.events}
    if len(events) > 1:
        raise UsageError(f"system '{system}' sends several events; say --event, one of {', '.join(sorted(events))}")
    return next(iter(events), "")


def _post(hub: HubClient, place: Workplace, system: System, body: bytes, event: str, document_id: str) -> Answer:
    headers = {"Content-Type": codec(_format_of(place, system, event)).CONTENT_TYPES[0]}
    headers |= _named(system.event, event) | _named(system.dedupe.get("id"), document_id)
    verify: Mapping[str, Any] = resolve_all(system.verify or {}, place.root / place.settings().secrets_folder)
    headers |= proof(verify, headers, body, time.time())
    return hub.request("POST", f"/in/{system.name}", body, headers)


def _format_of(place: Workplace, system: System, event: str) -> str:
    """That of its partners, else that of the mapping which its route names, else its own; JSON of what only tells of
    something."""
    if system.options.get("fetch_back"):
        return "json"
    for partner in place.settings().partners.values():
        if partner.system == system.name:
            return partner.syntax
    for route in load_routes(place.files)[0]:
        if route.system == system.name and (not route.events or event in route.events):
            return _format_said(place.files, route.map) or system.format
    return system.format


def _format_said(files: Mapping[str, bytes], mapping: str) -> str:
    for path, raw in files.items():
        if path.startswith("mappings/") and path.endswith(f"/{mapping}.yaml"):
            with suppress(HubError):  # a mapping with a fault: what is in force is another one
                source = parse_yaml(raw.decode("utf-8", "replace"), path).get("source")
                named = source.get("format") if source is not None and source.is_map else None
                return named.text if named is not None else ""
    return ""


def _named(place: str | None, value: str) -> dict[str, str]:
    """The header that a setting such as ``header:X-Topic`` names; a field stands in the document already."""
    kind, _, name = (place or "").partition(":")
    return {name: value} if kind == "header" and value else {}


def _say(answer: Answer, as_json: bool) -> None:
    said = answer.json()
    failed = answer.status >= 300
    if as_json:
        say_json({"http_status": answer.status, **(said if isinstance(said, dict) else {"answer": said})})
    elif failed or not isinstance(said, dict):
        complain(f"{answer.status}: {said.get('detail', said) if isinstance(said, dict) else said}")
    else:
        say(str(said.get("message_id", "")))
        repeated = " (a repeat: nothing new was stored)" if said.get("duplicate") else ""
        complain(f"accepted{repeated}; see: o2c show {said.get('message_id', '')}")
    finish(failed)


def _drop(place: Workplace, system: System, body: bytes, file: Path) -> Path:
    """Put a file into the folder that the hub watches: complete when it gets its name."""
    fetch = system.options.get("fetch") or {}
    if fetch.get("folder") and system.connector != "file":
        raise UsageError(f"system '{system.name}' is fetched from: put the file into '{fetch['folder']}' on its server")
    if fetch and system.connector != "file":
        raise UsageError(f"system '{system.name}' is asked for what it has; try a document with: o2c map MAPPING FILE")
    if system.connector != "file" or not fetch.get("folder"):
        raise UsageError(f"system '{system.name}' takes nothing in; its connector only sends")
    name = file.name if str(file) != "-" else f"stdin-{uuid.uuid4().hex}"
    if not fits(name, fetch["pattern"]):
        raise UsageError(
            f"system '{system.name}' takes no file called '{name}' from its folder, only {fetch['pattern']}"
            " (fetch.pattern), nothing hidden and nothing temporary; give the file such a name"
        )
    folder = place.root / str(system.options["root"]) / str(fetch["folder"])
    folder.mkdir(parents=True, exist_ok=True)
    target, partial = folder / name, folder / f".{name}.part"
    if target.exists():
        raise UsageError(f"{target} is there already and waits to be fetched")
    partial.write_bytes(body)
    if fetch.get("ready") == "marker":
        shutil.move(partial, target)
        (folder / marker_of(name, fetch["markers"][0])).touch()
    else:
        partial.replace(target)
    return target


def _say_dropped(target: Path, as_json: bool) -> None:
    if as_json:
        say_json({"file": str(target)})
        return
    say(str(target))
    complain("the hub fetches it at its next look; see: o2c messages")


COMMANDS = (send,)
