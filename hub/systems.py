"""``config/systems.yaml``: the systems the hub talks to, each with its connector, from a preset where there is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import connectors
from connectors.base import Field
from hub.connector_lint import connector_faults, place_faults
from hub.errors import Fault
from hub.fields import Scope, read_fields
from hub.overlay import overlay, stand_at
from hub.project import document_of
from hub.route_fields import quota_field
from hub.yamldoc import Node, did_you_mean

FILE = "config/systems.yaml"
PRESETS = "connectors/presets/"
RECEIVER = "webhook"  # the connector that verifies what is posted to the hub
NAME_FORM = "letters, digits, '-', '_' and '.', starting with a letter or digit"
_PRESET_ONLY = ("preset", "description", "proved")

COMMON = (
    Field("preset", "text", "The preset this system is made from: connector, signature and events as data."),
    Field("connector", "text", "How the bytes move: the name of a connector. A preset usually says it."),
    Field("description", "text", "What this system is, in your own words."),
    Field("format", "text", "The format of its documents where a mapping does not say it.", default="json"),
    Field("event", "text", "Where the event's name is: header:X-Topic, field:type, or a fixed name."),
    Field(
        "dedupe", "group", "What tells a repeat from a new document.",
        fields=(
            Field("id", "text", "Where the sender's id is: header:X-Id, field:id, or sha256 of the body."),
            Field("keep", "duration", "How long ids are remembered.", default=30 * 86400.0),
        ),
    ),
    Field("ignore", "texts", "Events that are taken in and wanted by no route.", default=()),
    Field(
        "breaker", "group", "When the hub leaves it alone for a while because it fails; one delivery at a time then "
        "finds out whether it is back.",
        fields=(
            Field("failures", "integer", "So many tries that fail in a row; 0: any number.", default=5),
            Field("ratio", "share", "This share of the tries within the window, of 20 or more; 0%: any.", default=0.5),
            Field("window", "duration", "How far back the share is counted.", default=60.0),
            Field("open", "duration", "The longest wait for the next probe; the first comes after a second, and each "
                  "that fails doubles the wait.", default=30.0),
        ),
    ),
    Field(
        "backlog", "group", "How much may wait before doors answer 429.",
        fields=(
            Field("received", "integer", "Documents of this system that are taken in and not yet looked into; 0: no "
                  "limit but http.backlog.", default=0),
            Field("deliveries", "integer", "Deliveries that wait for this system, about; beyond it what its routes "
                  "would bring is refused at the door. 0: no limit.", default=1_000_000),
        ),
    ),
    quota_field("what comes from this system", "it is answered"),
    Field("retry_budget", "share", "How much of what is sent to it may be retries, counted over 10 s; ten retries a "
          "second may always go. What is over waits; first tries go on.", default=0.2),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class System:
    """One system. ``options`` has a value for every setting of its connector (``connectors.base`` says in which
    form), with secrets as references and expressions as located text; ``file`` and ``line`` are where it stands."""

    name: str
    connector: str
    preset: str = ""
    description: str = ""
    format: str = "json"
    event: str | None = None
    dedupe: Mapping[str, Any] = field(default_factory=dict)
    ignore: tuple[str, ...] = ()
    verify: Mapping[str, Any] | None = None
    answer: Any = None
    ping: Mapping[str, Any] | None = None
    limits: Mapping[str, Any] = field(default_factory=dict)
    idempotency: Mapping[str, Any] = field(default_factory=dict)
    breaker: Mapping[str, Any] = field(default_factory=dict)
    retry_budget: float = 0.2
    backlog: Mapping[str, Any] = field(default_factory=dict)
    quota: Mapping[str, int | None] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    sends: bool = True
    fetches: bool = False
    receives: bool = False
    file: str = FILE
    line: int = 0
    column: int = 0
    node: Node | None = field(default=None, repr=False, compare=False)


def connector_fields(module: ModuleType) -> tuple[Field, ...]:
    """The settings a connector declares."""
    return tuple(getattr(module, "FIELDS", ()))


def system_fields(name: str, folder: Path | None = None) -> tuple[Field, ...]:
    """All settings of a system with this connector: those of every system, and the connector's own, which win."""
    own = connector_fields(connectors.connector(name, folder))
    extra = _receiving_fields(name, own)
    taken = {part.name for part in (*own, *extra)}
    return (*(part for part in COMMON if part.name not in taken), *own, *extra)


def _receiving_fields(name: str, own: Sequence[Field]) -> tuple[Field, ...]:
    """A system that is sent to over HTTP may also send webhooks: then it takes the settings of both."""
    if name != "http":
        return ()
    taken = {part.name for part in own}
    both = connector_fields(connectors.connector(RECEIVER))
    return tuple(replace(part, required=False) for part in both if part.name not in taken)


def load_systems(root: Node, files: Mapping[str, bytes], folder: Path | None, faults: list[Fault]) -> dict[str, System]:
    """Every system of the file's mapping; one with faults is there too, so that routes which name it are in order."""
    if root.value is None:
        return {}
    if not root.is_map:
        faults.append(root.fault(f"expected a mapping from system names to their settings, got {root.kind}"))
        return {}
    known = [name for name, node in root.items() if node.file == FILE]
    systems = {}
    for name, node in root.items():
        if not is_name(name):
            faults.append(root.key(name).fault(f"'{name}' cannot name a system; use {NAME_FORM}"))
        systems[name] = _load_system(name, node, root.key(name), files, folder, faults, known)
    return systems


def is_name(text: str) -> bool:
    """Whether a text can name a system, a route or a target (it becomes part of addresses and file names)."""
    plain = text.replace("-", "").replace("_", "").replace(".", "")
    return plain.isascii() and plain.isalnum() and text[:1].isalnum() and len(text) <= 80


def _load_system(
    name: str, node: Node, key: Node, files: Mapping[str, bytes], folder: Path | None, faults: list[Fault],
    known: Sequence[str],
) -> System:  # fmt: skip
    place = replace(node, file=key.file, line=key.line, column=key.column)
    unread = System(name, "", file=key.file, line=key.line, column=key.column, node=place)
    scope = Scope(f"system '{name}'", faults)
    if not node.is_map:
        scope.fault(key, f"system '{name}': expected a mapping with its settings, got {node.kind}")
        return unread
    merged, preset_read = _with_preset(place, files, faults)
    connector = _connector_name(name, merged, preset_read, folder, scope, known)
    module = _module(connector, merged, folder, scope) if connector else None
    if module is None:
        return unread
    found = len(faults)
    values = read_fields(merged, system_fields(connector, folder), scope)
    system = _system(name, connector, module, values, merged, scope)
    if len(faults) == found:
        receiver = connectors.connector(RECEIVER) if system.receives else None
        faults += connector_faults(module, receiver, system.options, merged)
        faults += place_faults(system.event, system.dedupe.get("id"), merged)
    return system


def _system(
    name: str, connector: str, module: ModuleType, values: dict[str, Any], node: Node, scope: Scope
) -> System:  # fmt: skip
    verify = values.get("verify") if node.get("verify") or connector == RECEIVER else None
    own = {part.name for part in connector_fields(module)} | {"event", "dedupe", "verify", "answer", "ping"}
    return System(
        name=name, connector=connector, preset=values.get("preset") or "", format=values.get("format") or "json",
        description=values.get("description") or "", event=values.get("event"), dedupe=values.get("dedupe") or {},
        ignore=tuple(values.get("ignore") or ()), verify=verify, answer=values.get("answer"), ping=values.get("ping"),
        limits=values.get("limits") or {}, idempotency=values.get("idempotency") or {},
        breaker=values.get("breaker") or {}, backlog=values.get("backlog") or {},
        retry_budget=_share(values.get("retry_budget")), quota=quota_of(values.get("quota"), node.get("quota"), scope),
        options={part: value for part, value in values.items() if part in own},
        sends=_offers(module, "destination", "send", values), fetches=_offers(module, "source", "fetch", values),
        receives=verify is not None,
        file=node.file, line=node.line, column=node.column, node=node,
    )  # fmt: skip


def quota_of(values: Mapping[str, Any] | None, node: Node | None, scope: Scope) -> dict[str, int | None]:
    """What a ``quota:`` says; one that says nothing, or that nothing fits into, is a fault."""
    said = {name: value for name, value in (values or {}).items() if value is not None}
    if node is not None and node.is_map and not list(node.items()):
        scope.fault(node, "quota: expected size: or messages: or both, e.g. quota: {size: 20GB}")
    for name, value in said.items():
        if value == 0 and node is not None:
            example = "20GB" if name == "size" else "1000000"
            scope.fault(node.get(name) or node, f"quota.{name}: 0 leaves room for nothing; write e.g. {example}")
    return said


def _share(value: Any) -> float:
    return 0.2 if value is None else float(value)


def _offers(module: ModuleType, function: str, setting: str, values: Mapping[str, Any]) -> bool:
    """Whether the connector can do this, and the system asks for it where there is a setting for it."""
    return hasattr(module, function) and values.get(setting, True) is not None


def preset_names(files: Mapping[str, bytes]) -> list[str]:
    """The presets there are."""
    return sorted(path[len(PRESETS) : -5] for path in files if path.startswith(PRESETS) and path.endswith(".yaml"))


def _with_preset(node: Node, files: Mapping[str, bytes], faults: list[Fault]) -> tuple[Node, bool]:
    """The system's settings over those of its preset, and whether the preset (if any) could be read."""
    wanted = node.get("preset")
    if wanted is None:
        return node, True
    path = f"{PRESETS}{wanted.text}.yaml"
    if path not in files:
        advice = did_you_mean(wanted.text, preset_names(files))
        faults.append(wanted.fault(f"unknown preset '{wanted.text}'{advice}"))
        return node, False
    root, found = document_of(files, path)
    faults += found
    if not root.is_map:
        faults += [] if found else [root.fault(f"expected a mapping with the settings of a system, got {root.kind}")]
        return node, False
    kept = {name: child for name, child in root.items() if name not in _PRESET_ONLY}
    return overlay(stand_at(replace(root, value=kept), node), node, placed_by_high=True), True


def _connector_name(
    name: str, node: Node, preset_read: bool, folder: Path | None, scope: Scope, known: Sequence[str]
) -> str:
    wanted, names = node.get("connector"), connectors.names(folder)
    if wanted is None:
        if preset_read:
            scope.faults.append(_no_connector(name, node, known, names))
        return ""
    if wanted.text not in names:
        scope.fault(wanted, f"unknown connector '{wanted.text}'{did_you_mean(wanted.text, names)}")
        return ""
    return wanted.text


def _no_connector(name: str, node: Node, known: Sequence[str], names: Sequence[str]) -> Fault:
    for key, _ in node.items():
        near = did_you_mean(key, ["connector", "preset"])
        if near.startswith("; did"):
            return node.key(key).fault(f"unknown key '{key}' in system '{name}'{near}")
    near = did_you_mean(name, known)
    if node.file != FILE and near.startswith("; did"):
        advice = f"{near} (a new system needs connector: or preset:)"
        return node.fault(f"unknown system '{name}' in this environment{advice}")
    advice = f"write one of them (connectors: {', '.join(names)})"
    return node.fault(f"system '{name}' says neither connector: nor preset:; {advice}")


def _module(connector: str, node: Node, folder: Path | None, scope: Scope) -> ModuleType | None:
    try:
        return connectors.connector(connector, folder)
    except (ImportError, SyntaxError) as error:
        scope.fault(node.get("connector") or node, f"connector '{connector}' cannot be loaded: {error}")
        return None
