"""``o2c systems``: the presets and connectors there are, and the systems that the project declares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

import connectors
from hub.cli.terminal import Json, ProjectFolder, complain, counted, say, say_json, say_table
from hub.cli.workplace import Workplace, open_workplace
from hub.errors import NotFound, UsageError
from hub.key_tables import default_text, described
from hub.presets import Preset, presets
from hub.project import document_of, reference_files
from hub.routes import Route, load_routes, resolved
from hub.settings import Settings
from hub.systems import PRESETS, System, connector_fields, system_fields
from hub.yamldoc import did_you_mean

_DOES = {"sends": "destination", "fetches": "source"}
_PROVED = {"real": "the real system", "double": "a double of it", "documented": "its documentation only"}


def systems(
    name: Annotated[
        str, typer.Argument(help="A preset, a connector or a system: all that is known of it; none: all of them.")
    ] = "",
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """List the presets there are, with the messages they carry and how they are proved, the connectors, and the systems
    that the project declares. Outside of a project: what travels with the hub."""
    place = _place(project)
    files, own = (place.files, place.own) if place else (reference_files(), frozenset[str]())
    found = presets(files, own)
    folder = place.connectors_folder if place else None
    declared = _declared(place) if place else {}
    if name:
        _say_one(name, found, folder, declared, files, as_json)
    elif as_json:
        parts = [_of_preset(preset) for preset in found], [_of_connector(each, folder) for each in _names(folder)]
        say_json({"presets": parts[0], "connectors": parts[1], "systems": list(declared.values())})
    else:
        _say_all(found, folder, declared, place is not None)


def _place(folder: Path) -> Workplace | None:
    try:
        return open_workplace(folder)
    except UsageError:
        return None


def _names(folder: Path | None) -> Sequence[str]:
    return connectors.names(folder)


# -- what there is, as data ----------------------------------------------------------------------------------------


def _of_preset(preset: Preset) -> dict[str, Any]:
    mappings = [
        {"mapping": each.mapping, **({"gives": each.gives} if each.gives else {"takes": each.takes})}
        for each in preset.carried
    ]
    return {
        "preset": preset.name, "kind": preset.kind, "connector": preset.connector, "proved": preset.proved,
        "description": preset.description, "from": preset.origin, "receives": preset.receives,
        "takes_in": preset.takes_in, "sends_out": preset.sends_out, "mappings": mappings,
        "events": list(preset.events),
    }  # fmt: skip


def _of_connector(name: str, folder: Path | None) -> dict[str, Any]:
    about: dict[str, Any] = {"connector": name, "from": connectors.origin(name, folder)}
    try:
        module = connectors.connector(name, folder)
    except connectors.Unloadable as error:
        return {**about, "does": [], "description": "", "broken": str(error)}
    does = [word for word, made_by in _DOES.items() if hasattr(module, made_by)]
    does += ["receives"] if any(field.name == "verify" for field in system_fields(name, folder)) else []
    lines = (getattr(module, "__doc__", None) or "").strip().split("\n\n", 1)[0]
    return {**about, "does": does, "description": " ".join(lines.split())}


def _declared(place: Workplace) -> dict[str, dict[str, Any]]:
    """The systems by name, as far as they could be read."""
    settings = place.settings()
    routes = resolved(load_routes(place.files)[0], {each.name: each.system for each in settings.partners.values()})
    return {name: _of_system(system, routes, settings) for name, system in settings.systems.items()}


def _of_system(system: System, routes: Sequence[Route], settings: Settings) -> dict[str, Any]:
    can = {"receives": system.receives, "fetches": system.fetches, "sends": system.sends and bool(system.connector)}
    return {
        "system": system.name, "preset": system.preset, "connector": system.connector,
        "description": system.description, "does": [word for word, does in can.items() if does],
        "routes_from": [route.name for route in routes if route.system == system.name],
        "routes_to": [
            route.name for route in routes if any(target.system == system.name for target in route.targets)
        ],
        "partners": [each.name for each in settings.partners.values() if each.system == system.name],
        "file": system.file, "line": system.line,
    }  # fmt: skip


# -- the same for people -------------------------------------------------------------------------------------------


def _say_all(
    found: Sequence[Preset], folder: Path | None, declared: Mapping[str, Mapping[str, Any]], in_project: bool
) -> None:
    rows = [
        (each.name, each.kind or "-", each.connector, each.proved, _messages(each))
        for each in sorted(found, key=lambda each: (each.kind or "~", each.name))
    ]
    say_table(("preset", "kind", "connector", "proved", "messages"), rows)
    say("")
    made = [_of_connector(name, folder) for name in _names(folder)]
    say_table(
        ("connector", "from", "does", ""),
        [
            (each["connector"], each["from"], _words(each["does"]),
             f"cannot be loaded: {each['broken']}" if "broken" in each else _first_sentence(each["description"]))
            for each in made
        ],
    )  # fmt: skip
    if in_project:
        say("")
        say_table(("system", "made of", "does", "routes", "at"), map(_row, declared.values()))
    count = f", {counted(len(declared), 'system')} of this project" if in_project else ""
    told = f"{counted(len(found), 'preset')}, {counted(len(made), 'connector')}{count}"
    complain(f"{told}; all of one: o2c systems NAME; a start: o2c new system NAME")


def _messages(preset: Preset) -> str:
    """``in order; out payment``: those there are mappings for."""
    ways = (("in", preset.takes_in), ("out", preset.sends_out))
    return "; ".join(f"{way} {', '.join(types)}" for way, types in ways if types) or "-"


def _row(system: Mapping[str, Any]) -> tuple[str, ...]:
    made = f"preset {system['preset']}" if system["preset"] else f"connector {system['connector'] or '?'}"
    routes = [*(f"from {name}" for name in system["routes_from"]), *(f"to {name}" for name in system["routes_to"])]
    return system["system"], made, _words(system["does"]), _words(routes), f"{system['file']}:{system['line']}"


def _words(parts: Iterable[str]) -> str:
    return ", ".join(parts) or "-"


def _first_sentence(text: str) -> str:
    return " ".join(text.split()).partition(". ")[0].partition("; ")[0].removesuffix(".")


# -- one of them ---------------------------------------------------------------------------------------------------


def _say_one(
    name: str, found: Sequence[Preset], folder: Path | None, declared: Mapping[str, Mapping[str, Any]],
    files: Mapping[str, bytes], as_json: bool,
) -> None:  # fmt: skip
    """A system and its preset may have one name: then both are told."""
    parts: dict[str, Any] = {"system": declared[name]} if name in declared else {}
    if preset := next((each for each in found if each.name == name), None):
        parts["preset"] = _of_preset(preset)
    if name in _names(folder):
        parts["connector"] = {**_of_connector(name, folder), "settings": _settings(name, folder)}
    if not parts:
        known = {*declared, *(each.name for each in found), *_names(folder)}
        raise NotFound(f"there is no preset, connector or system '{name}'{did_you_mean(name, known)}")
    if as_json:
        say_json(parts)
        return
    for kind, about in parts.items():
        say(f"{kind} {name}")
        if kind == "preset":
            _say_preset(about, files)
        else:
            _say_facts({key: value for key, value in about.items() if key not in (kind, "settings")})
        if kind == "connector":
            say_table(("  setting", "kind", "default", ""), [(f"  {row[0]}", *row[1:]) for row in about["settings"]])


def _say_preset(about: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
    facts = {key: value for key, value in about.items() if key not in ("preset", "mappings", "receives")}
    _say_facts({**facts, "proved": f"{about['proved']} (tried against {_PROVED.get(about['proved'], '?')})"})
    for each in about["mappings"]:
        does = f"gives canonical/{each['gives']}" if "gives" in each else f"takes canonical/{each['takes']}"
        say(f"  mapping: {each['mapping']} {does}")
    root, _ = document_of(files, f"{PRESETS}{about['preset']}.yaml")
    brings = [key for key, _ in root.items() if key not in ("preset", "kind", "description", "proved", "connector")]
    say(f"  brings: {_words(brings)}; what is missing: o2c new system NAME --preset {about['preset']}")


def _say_facts(facts: Mapping[str, Any]) -> None:
    for key, value in facts.items():
        shown = _words(value) if isinstance(value, list) else str(value)
        if shown not in ("", "-"):
            say(f"  {key.replace('_', ' ')}: {shown}")


def _settings(name: str, folder: Path | None) -> list[tuple[str, str, str, str]]:
    try:
        module = connectors.connector(name, folder)
    except connectors.Unloadable:
        return []
    return [
        (path, " | ".join(field.choices) or field.kind, "required" if field.required else default_text(field),
         field.description)
        for path, field in described(connector_fields(module))
    ]  # fmt: skip


COMMANDS = (systems,)
