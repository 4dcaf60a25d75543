"""``o2c graph``: the routes as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from hub.cli.filters import moment
from hub.cli.terminal import Json, ProjectFolder, complain, counted, say, say_json
from hub.cli.workplace import Workplace, open_workplace, project_store
from hub.errors import UsageError
from hub.graph import THEMES
from hub.graph import graph as drawn
from hub.routes import Route
from hub.store import READ_ERRORS
from hub.store.traffic import Traffic
from hub.store.traffic import traffic as traffic_since
from hub.yamldoc import did_you_mean


def graph(
    route: Annotated[list[str], typer.Argument(metavar="[ROUTE...]", help="Which routes; none: all.")] = [],  # noqa: B006
    into: Annotated[Path | None, typer.Option("--into", help="The file to write; else standard output.")] = None,
    since: Annotated[
        str, typer.Option("--since", metavar="TIME", help="What was taken in or delivered since counts: 24h, a date.")
    ] = "24h",
    theme: Annotated[str, typer.Option("--theme", help="auto follows the reader; or light, or dark.")] = "auto",
    no_counts: Annotated[bool, typer.Option("--no-counts", help="Only the routes.")] = False,
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Draw the routes as SVG, light and dark, with what went through each of them."""
    if theme not in THEMES:
        raise UsageError(f"--theme: expected auto, light or dark, got '{theme}'{did_you_mean(theme, THEMES)}")
    place = open_workplace(project)
    result = place.check()
    chosen = _chosen(result.routes, route)
    start = moment(since, "--since", datetime.now(UTC)) or ""
    traffic = None if no_counts else _traffic(place, datetime.fromisoformat(start).timestamp() if start else 0.0)
    if result.errors:
        complain(f"the project has {counted(len(result.errors), 'error')}; see: o2c check")
    if as_json:
        say_json([_fields(each, traffic) for each in chosen])
        return
    text = drawn(chosen, result.settings, traffic, theme)
    if into is None:
        say(text.rstrip())
        return
    into.parent.mkdir(parents=True, exist_ok=True)
    into.write_text(text, encoding="utf-8")
    complain(f"{into}: {counted(len(chosen), 'route')}{f', counts since {start[:16]} UTC' if traffic else ''}")


def _chosen(routes: Sequence[Route], names: Sequence[str]) -> list[Route]:
    known = [route.name for route in routes]
    for name in names:
        if name not in known:
            raise UsageError(f"unknown route '{name}'{did_you_mean(name, known)}")
    return [route for route in routes if not names or route.name in names]


def _traffic(place: Workplace, since: float) -> Traffic | None:
    """What the project's store counts; None, with a word about it, where there is none that can be read."""
    try:
        store = project_store(place, read_only=True)
        try:
            with store.snapshot() as db:
                return traffic_since(db, since)
        finally:
            store.close()
    except READ_ERRORS as error:
        complain(f"drawn without counts: {error}")
        return None


def _fields(route: Route, traffic: Traffic | None) -> dict[str, object]:
    counts = {"counts": msgspec.to_builtins(traffic.route(route.name))} if traffic else {}
    targets = [
        {
            "target": target.id, "system": target.system, "map": target.map, "after": target.after,
            "when": str(target.when) if target.when else None,
            **({"counts": msgspec.to_builtins(traffic.target(route.name, target.id))} if traffic else {}),
        }
        for target in route.targets
    ]  # fmt: skip
    return {"route": route.name, "system": route.system, "events": route.events, "map": route.map, **counts,
            "targets": targets}  # fmt: skip


COMMANDS = (graph,)
