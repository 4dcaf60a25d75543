"""``o2c new``: the start of a connector, a system, a route or a mapping, which is sound as it is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from hub.cli.terminal import Json, ProjectFolder, complain, say, say_json
from hub.cli.workplace import environment_name, open_workplace
from hub.errors import UsageError
from hub.scaffold.connector_start import connector_start
from hub.scaffold.mapping_start import mapping_start
from hub.scaffold.route_start import route_start
from hub.scaffold.starts import Ground, Start, add
from hub.scaffold.system_start import system_start
from hub.yamldoc import did_you_mean

# Which options say something of which kind.
_OPTIONS = {
    "connector": (), "system": ("preset", "connector"), "mapping": ("type", "out"),
    "route": ("from", "event", "to", "map", "type"),
}  # fmt: skip


def new(
    kind: Annotated[str, typer.Argument(help="connector, system, route or mapping.")],
    name: Annotated[str, typer.Argument(help="Its name.")],
    preset: Annotated[str, typer.Option("--preset", help="system: the preset it is made of; see o2c systems.")] = "",
    connector: Annotated[
        str, typer.Option("--connector", help="system: the connector, where there is no preset.")
    ] = "",
    source: Annotated[str, typer.Option("--from", metavar="SYSTEM", help="route: where documents come from.")] = "",
    event: Annotated[str, typer.Option("--event", help="route: which of its events.")] = "",
    target: Annotated[str, typer.Option("--to", metavar="SYSTEM", help="route: where they go.")] = "",
    map: Annotated[
        str,
        typer.Option(
            "--map", help="route: a mapping that there is; none: one of its own, or the hub's of bank statements."
        ),
    ] = "",
    type: Annotated[
        str, typer.Option("--type", help="route, mapping: the canonical type; none: the one in its name, else order.")
    ] = "",
    out: Annotated[
        bool, typer.Option("--out", help="mapping: from the canonical type to what a system wants.")
    ] = False,
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Write the start of a connector, a system, a route or a mapping: one that passes o2c check, and o2c test where a
    test comes with it. Nothing that is there is written over."""
    given = {"preset": preset, "connector": connector, "from": source, "event": event, "to": target, "map": map,
             "type": type, "out": out}  # fmt: skip
    _refuse_strange(kind, [option for option, value in given.items() if value])
    place = open_workplace(project)
    ground = Ground(place.root, place.files, place.own, environment_name(), place.connectors_folder)
    make: dict[str, Callable[[], Start]] = {
        "connector": lambda: connector_start(ground, name),
        "system": lambda: system_start(ground, name, preset, connector),
        "route": lambda: route_start(ground, name, source, event, target, map, type),
        "mapping": lambda: mapping_start(ground, name, type, out),
    }
    start = make[kind]()
    written = add(ground, start)
    if as_json:
        then = [{"command": command, "for": what} for command, what in start.then]
        say_json({kind: name, "files": written, "notes": list(start.notes), "then": then})
    else:
        _say(start, written)


def _refuse_strange(kind: str, options: list[str]) -> None:
    if kind not in _OPTIONS:
        raise UsageError(
            f"o2c new makes a connector, system, route or mapping, not '{kind}'{did_you_mean(kind, _OPTIONS)}"
        )
    for option in options:
        if option not in _OPTIONS[kind]:
            takes = " and ".join(each for each, known in _OPTIONS.items() if option in known)
            raise UsageError(f"--{option} goes with a {takes}, not with a {kind}; take it out")


def _say(start: Start, written: list[str]) -> None:
    for path in written:
        say(f"{'added to' if path in start.appended else 'wrote'} {path}")
    for note in start.notes:
        complain(f"  {note}")
    complain("next:")
    width = max(len(command) for command, _ in start.then)
    for command, what in start.then:
        complain(f"  {command.ljust(width)}   # {what}")


COMMANDS = (new,)
