"""``o2c new system``: a system with all that its preset or connector must be told, each value an example to be changed.

What must be told is found out by asking: the lint says what is missing, that is given an example of its kind, and so on
until nothing is. So it goes for connectors and presets that are not known here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import connectors
from connectors.base import Field
from hub.errors import Fault, UsageError
from hub.scaffold.starts import Ground, Start, fit_name, yaml_lines
from hub.secret import DEFAULT_FOLDER, Secret, references
from hub.systems import FILE, System, load_systems, preset_names, system_fields
from hub.yamldoc import did_you_mean, read_yaml

DEFAULT_CONNECTOR = "http"
_MISSING = re.compile(r"([a-z_.]+) is missing(?: in (?:([a-z_.]+) of )?system |[:,])")
_MOST = 30  # things that can be missing
_DIRECTIONS = ("send", "fetch", "verify")
# Examples for texts, by the name of their setting; {name} is the system's.
_TEXTS = {
    "host": "{name}.example", "root": "data/{name}", "folder": "out", "user": "hub",
    "host_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ",
}  # fmt: skip
_WIDTH, _COLUMN = 120, 52


def system_start(ground: Ground, name: str, preset: str = "", connector: str = "") -> Start:
    """A system of this preset or connector; without either of the one that is called so, else over HTTP. Raises
    UsageError."""
    tree = _made_of(ground, fit_name(name, "system"), preset, connector)
    if name in ground.checked.settings.systems:
        raise UsageError(f"there is a system '{name}' already in {FILE}; take another name")
    system = _completed(ground, name, tree)
    fields = system_fields(system.connector, ground.connectors_folder)
    missing = references([system.options, system.verify])
    return Start(
        appended={FILE: _text(name, tree, fields)}, folders=_folders(system),
        notes=[f"made of {'the preset' if system.preset else 'the connector'} {system.preset or system.connector} "
               "(--preset, --connector)"],
        then=_then(name, missing, system),
    )  # fmt: skip


def _made_of(ground: Ground, name: str, preset: str, connector: str) -> dict[str, Any]:
    presets, known = preset_names(ground.files), connectors.names(ground.connectors_folder)
    if preset and connector:
        raise UsageError("--preset and --connector: a preset says its connector; write one of them")
    if preset and preset not in presets:
        raise UsageError(f"--preset: unknown preset '{preset}'{did_you_mean(preset, presets)}")
    if connector and connector not in known:
        raise UsageError(f"--connector: unknown connector '{connector}'{did_you_mean(connector, known)}")
    if preset or (not connector and name in presets):
        return {"preset": preset or name}
    return {"connector": connector or (name if name in known else DEFAULT_CONNECTOR)}


def _completed(ground: Ground, name: str, tree: dict[str, Any]) -> System:
    """The system, once an example stands for everything that it must be told."""
    for _ in range(_MOST):
        system, faults = _loaded(ground, name, tree)
        path = next((_path(found) for fault in faults if (found := _MISSING.match(fault.message))), "")
        if not path and not faults and not (system.sends or system.fetches or system.receives):
            given = {field.name for field in system_fields(system.connector, ground.connectors_folder)}
            path = next((word for word in _DIRECTIONS if word in given), "")
        if not path:
            break
        _put(tree, path.split("."), _example(ground, name, system, tree, path))
    if faults:
        raise UsageError(f"no start can be made of it by itself: {faults[0].message}")
    return system


def _loaded(ground: Ground, name: str, tree: dict[str, Any]) -> tuple[System, list[Fault]]:
    faults: list[Fault] = []
    root, _ = read_yaml("\n".join(yaml_lines({name: tree})) + "\n", FILE)
    return load_systems(root, ground.files, ground.connectors_folder, faults)[name], faults


def _path(found: re.Match[str]) -> str:
    return f"{found[2]}.{found[1]}" if found[2] else found[1]


def _put(tree: dict[str, Any], path: Sequence[str], value: Any) -> None:
    for part in path[:-1]:
        tree = tree.setdefault(part, {})
    tree[path[-1]] = value


def _example(ground: Ground, name: str, system: System, tree: dict[str, Any], path: str) -> Any:
    connector = system.connector or str(tree.get("connector") or _connector_of(ground, tree))
    field = _field(system_fields(connector, ground.connectors_folder), path.split("."))
    return _value(ground, name, field, path)


def _connector_of(ground: Ground, tree: dict[str, Any]) -> str:
    root, _ = read_yaml(ground.files[f"connectors/presets/{tree['preset']}.yaml"].decode(), "preset")
    node = root.get("connector")
    return node.text if node else DEFAULT_CONNECTOR


def _field(fields: Sequence[Field], path: Sequence[str]) -> Field:
    found = next((field for field in fields if field.name == path[0]), Field(path[0]))
    return _field(found.fields, path[1:]) if len(path) > 1 else found


def _value(ground: Ground, name: str, field: Field, path: str) -> Any:
    word = re.sub(r"[^A-Za-z0-9]", "_", f"{name}_{path.removeprefix('auth.')}")
    secret = str(Secret("env", word.upper()))
    match field.kind:
        case "secret":  # a private key has lines, which a file holds better than a variable
            return str(Secret("file", word)) if "private key" in field.description else secret
        case "list":
            return [secret.removesuffix("S")] if field.fields and field.fields[0].kind == "secret" else []
        case "group" | "map":
            return {}
        case "url":
            return f"https://{name}.example"
        case "integer" | "number":
            return field.default or 1
        case "boolean":
            return bool(field.default)
        case "choice":
            return field.choices[0]
        case "duration":
            return "60s"
        case "file":
            return _some_file(ground, path)
    return _TEXTS.get(field.name, name).format(name=name)


def _some_file(ground: Ground, path: str) -> str:
    ending = f".{path.rpartition('.')[2]}"
    found = sorted(file for file in ground.own if file.startswith("schemas/") and file.endswith(ending))
    if not found:
        raise UsageError(f"{path}: put the file below schemas/ of the project first ({ending}); then it is found there")
    return found[0]


def _folders(system: System) -> list[str]:
    """Of files on this machine."""
    if system.connector != "file":
        return []
    groups = [system.options.get(part) or {} for part in ("send", "fetch")]
    return [f"{system.options['root']}/{group['folder']}" for group in groups if group.get("folder")]


# -- as it is written ----------------------------------------------------------------------------------------------


def _text(name: str, tree: dict[str, Any], fields: Sequence[Field]) -> str:
    """The system's lines, each with what it is for, and what else it may say."""
    lines = [f"{name}:"]
    for key, value in tree.items():
        lines += _lines(key, value, _field(fields, [key]), 2)
    more = ", ".join(field.name for field in fields if field.name not in tree and field.name != "preset")
    return "\n".join([*lines, *_comment(f"More: {more}. What each is for: o2c systems {_connector(tree)}"), ""])


def _connector(tree: dict[str, Any]) -> str:
    return str(tree.get("preset") or tree.get("connector"))


def _lines(key: str, value: Any, field: Field, indent: int) -> list[str]:
    if isinstance(value, dict) and value:
        below = (_lines(name, each, _field(field.fields, [name]), indent + 2) for name, each in value.items())
        return [f"{' ' * indent}{key}:", *(line for lines in below for line in lines)]
    first, *rest = yaml_lines({key: value}, indent)
    about = (
        ""
        if key in ("preset", "connector")
        else field.description.partition("; ")[0].partition(". ")[0].removesuffix(".")
    )
    note = f"{first.ljust(_COLUMN)}  # {about}"
    return [note if about and len(note) <= _WIDTH else first, *rest]


def _comment(text: str) -> list[str]:
    lines = ["  #"]
    for word in text.split():
        if len(lines[-1]) + len(word) >= _WIDTH:
            lines.append("  #")
        lines[-1] += f" {word}"
    return lines


def _then(name: str, secrets: Sequence[Secret], system: System) -> list[tuple[str, str]]:
    steps = [
        (f"export {secret.name}=…", "the secret, where the hub runs") if secret.scheme == "env"
        else (f"install -m 600 YOURS {DEFAULT_FOLDER}/{secret.name}", "the secret, in the secrets folder")
        for secret in secrets
    ]  # fmt: skip
    steps += [(f"o2c doctor {name}", "try it, once its values are yours")]
    if system.sends:
        steps.append((f"o2c new route NAME --to {name}", "a route that sends to it"))
    if system.receives or system.fetches:
        steps.append((f"o2c new route NAME --from {name}", "a route for what comes from it"))
    return steps
