"""``config/systems.yaml``: the systems the hub talks to, each with its connector, from a preset where there is one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec

import connectors
from connectors.base import WHEN, Field
from hub.connector_lint import connector_faults, place_faults
from hub.errors import Fault
from hub.fields import Scope, read_fields, refuse_zero
from hub.overlay import overlay, stand_at
from hub.project import document_of
from hub.route_fields import quota_field
from hub.schedule import Schedule, read_schedule
from hub.yamldoc import Node, did_you_mean

FILE = "config/systems.yaml"
PRESETS = "connectors/presets/"
RECEIVER = "webhook"  # the connector that verifies what is posted to the hub
NAME_FORM = "letters, digits, '-', '_' and '.', starting with a letter or digit"
RETRY_BUDGET = 0.2  # of what is sent to a system, where nothing is said
PRESET_FIELDS = (
    Field("preset", "text", "The preset's name: the name of its file.", required=True),
    Field("kind", "choice", "What kind of system it is made for.",
          choices=("shop", "crm", "erp", "wms", "tms", "3pl", "payment", "pos", "bank", "protocol")),
    Field("description", "text", "Which system it is made for, and what its secret is."),
    Field("connector", "text", "How the bytes move: the name of a connector.", required=True),
    Field("mappings", "texts", "The folders below mappings/ that go with it, where they are not called as it is; []: "
          "none."),
    Field("proved", "choice", "What it was tried against: the real system, a double of it, or its documentation.",
          required=True, choices=("real", "double", "documented")),
)  # fmt: skip
_PROOFS = ("secrets", "old_secrets", "basic", "certificates", "unsigned")  # of who sends; one of them at least
_PRESET_ONLY = tuple(part for part in PRESET_FIELDS if part.name != "connector")

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
    Field("statements", "choice", "Bank statements that it brings: shared (one that came from another system is a "
          "repeat) or own (only those of this system are known again, so that two may bring the same one).",
          default="shared", choices=("shared", "own")),
    Field("events", "texts", "The events it is known to send: o2c check finds misspelt ones in routes.", default=()),
    Field("ignore", "texts", "Events that are taken in and wanted by no route.", default=()),
    Field(
        "breaker", "group", "When the hub leaves it alone for a while because it fails; one delivery, or look, at a "
        "time then finds out whether it is back.",
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
          "second may always go. What is over waits; first tries go on.", default=RETRY_BUDGET),
)  # fmt: skip
_LITERAL = frozenset(field.name for field in COMMON)


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
    statements: str = "shared"
    events: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    verify: Mapping[str, Any] | None = None
    answer: Any = None
    ping: Mapping[str, Any] | None = None
    limits: Mapping[str, Any] = field(default_factory=dict)
    idempotency: Mapping[str, Any] = field(default_factory=dict)
    breaker: Mapping[str, Any] = field(default_factory=dict)
    retry_budget: float = RETRY_BUDGET
    backlog: Mapping[str, Any] = field(default_factory=dict)
    quota: Mapping[str, int | None] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    sends: bool = True
    fetches: bool = False
    receives: bool = False
    schedule: Schedule | None = None  # of what is fetched, where it says times of day or days
    door: str = "in"  # where what it sends comes to: /in/<system>, /soap/<system>
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False, compare=False)  # those its connector may read
    file: str = FILE
    line: int = 0
    column: int = 0
    node: Node | None = field(default=None, repr=False, compare=False)

    @property
    def has_circuit(self) -> bool:
        """Whether the hub turns to it by itself, so that it can be left alone."""
        return self.sends or self.fetches


def fixed_event(event: str | None) -> str:
    """The event of a system whose settings give it a name; nothing where they say where it is in a document."""
    if event is None or event.startswith(("header:", "field:")) or "{" in event or event == "sha256":
        return ""
    return event


def connector_fields(module: ModuleType) -> tuple[Field, ...]:
    """The settings a connector declares; what it declares wrongly, ``own_connectors`` tells."""
    fields = getattr(module, "FIELDS", ())
    return tuple(field for field in fields if isinstance(field, Field)) if isinstance(fields, tuple | list) else ()


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
    return tuple(msgspec.structs.replace(part, required=False) for part in both if part.name not in taken)


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
    place = msgspec.structs.replace(node, file=key.file, line=key.line, column=key.column)
    unread = System(name, "", file=key.file, line=key.line, column=key.column, node=place)
    scope = Scope(f"system '{name}'", faults, literal=_LITERAL)
    if not node.is_map:
        scope.fault(key, f"system '{name}': expected a mapping with its settings, got {node.kind}")
        return unread
    merged, preset_read = _with_preset(place, files, faults)
    connector = _connector_name(name, merged, preset_read, folder, scope, known)
    module = _module(connector, merged, folder, scope) if connector else None
    if module is None:
        return unread
    found = len(faults)
    merged = _as_meant(merged, node, connector, connector_fields(module))
    values = read_fields(merged, system_fields(connector, folder), scope)
    system = replace(_system(name, connector, module, values, merged, scope), files=files_for(module, files))
    if len(faults) == found:
        own = module if hasattr(module, "Verifier") else connectors.connector(RECEIVER)
        receiver = own if system.receives else None
        faults += connector_faults(module, receiver, system.options, merged)
        faults += place_faults(system.event, system.dedupe.get("id"), merged)
        if system.options.get("fetch_back") and not system.receives:
            text = (
                "fetch_back: it fetches what webhooks tell of, and this system has no verify:; add it, or take this out"
            )
            faults.append((merged.get("fetch_back") or merged).fault(text))
    return system


def _system(
    name: str, connector: str, module: ModuleType, values: dict[str, Any], node: Node, scope: Scope
) -> System:  # fmt: skip
    verify = values.get("verify") if node.get("verify") or connector == RECEIVER else None
    own = {part.name for part in connector_fields(module)} | {"event", "dedupe", "verify", "answer", "ping"}
    return System(
        name=name, connector=connector, preset=values.get("preset") or "", format=values.get("format") or "json",
        description=values.get("description") or "", event=values.get("event"), dedupe=values.get("dedupe") or {},
        statements=values.get("statements") or "shared",
        events=(*(values.get("events") or ()), *((values.get("fetch") or {}).get("events") or ())),
        ignore=tuple(values.get("ignore") or ()), verify=verify, answer=values.get("answer"), ping=values.get("ping"),
        limits=values.get("limits") or {}, idempotency=values.get("idempotency") or {},
        breaker=values.get("breaker") or {}, backlog=values.get("backlog") or {},
        retry_budget=values["retry_budget"], quota=quota_of(values.get("quota"), node.get("quota"), scope),
        options={part: verify if part == "verify" else value for part, value in values.items() if part in own},
        sends=_offers(module, "destination", "send", values), fetches=_offers(module, "source", "fetch", values),
        receives=verify is not None, schedule=_schedule(values.get("fetch"), node.get("fetch"), scope),
        door=getattr(module, "DOOR", "in"),
        file=node.file, line=node.line, column=node.column, node=node,
    )  # fmt: skip


def _schedule(values: Any, node: Node | None, scope: Scope) -> Schedule | None:
    """When something is fetched; None where that is every so often, whatever the day. With ``at`` that alone counts."""
    said = node is not None and node.is_map and any(node.get(field.name) is not None for field in WHEN)
    if node is None or not node.is_map or not isinstance(values, Mapping):
        return None
    if not said:
        refuse_zero(values, ("every",), node, scope.within("fetch"), "1m")
        return None
    found = read_schedule({**values, "every": None} if values.get("at") else values, node, scope.within("fetch"))
    return found if found.at or found.every else None


def files_for(module: ModuleType, files: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """The project's files that a connector is given: those below ``schemas/`` where a setting of its names files."""
    if not any(True for _ in _file_fields(connector_fields(module))):
        return {}
    return {path: content for path, content in files.items() if path.startswith("schemas/")}


def _file_fields(fields: Sequence[Field]) -> Iterator[Field]:
    for part in fields:
        if part.kind == "file":
            yield part
        yield from _file_fields(part.fields)


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
    only = {part.name for part in _PRESET_ONLY}
    about = {name: child for name, child in root.items() if name in only}
    read_fields(msgspec.structs.replace(root, value=about), _PRESET_ONLY, Scope(f"preset '{wanted.text}'", faults))
    kept = {name: child for name, child in root.items() if name not in only}
    return overlay(stand_at(msgspec.structs.replace(root, value=kept), node), node, placed_by_high=True), True


def _as_meant(merged: Node, own: Node, connector: str, fields: Sequence[Field]) -> Node:
    """Without what the preset says of how such a system is fetched from, sent to or believed, where this one is not: it
    says nothing of it itself, and something that must be said is missing, such as the folder or the secrets."""
    kept = dict(merged.items())
    for part in fields:
        said = _only_of_preset(part.name, kept, own) if part.name in ("fetch", "send") else None
        if said is not None and not all(said.get(each.name) for each in part.fields if each.required):
            del kept[part.name]
    if connector != RECEIVER and (said := _only_of_preset("verify", kept, own)) and not any(map(said.get, _PROOFS)):
        del kept["verify"]
    return msgspec.structs.replace(merged, value=kept)


def _only_of_preset(name: str, merged: Mapping[str, Node], own: Node) -> Node | None:
    return merged.get(name) if own.get(name) is None else None


def _connector_name(
    name: str, node: Node, preset_read: bool, folder: Path | None, scope: Scope, known: Sequence[str]
) -> str:
    wanted = node.get("connector")
    if wanted is None:
        if preset_read:
            scope.faults.append(_no_connector(name, node, known, connectors.names(folder)))
        return ""
    if not connectors.has(wanted.text, folder):
        scope.fault(wanted, f"unknown connector '{wanted.text}'{did_you_mean(wanted.text, connectors.names(folder))}")
        return ""
    return wanted.text


def _no_connector(name: str, node: Node, known: Sequence[str], names: Sequence[str]) -> Fault:
    for key, _ in node.items():
        if near := did_you_mean(key, ["connector", "preset"], ""):
            return node.key(key).fault(f"unknown key '{key}' in system '{name}'{near}")
    if node.file != FILE and (near := did_you_mean(name, known, "")):
        advice = f"{near} (a new system needs connector: or preset:)"
        return node.fault(f"unknown system '{name}' in this environment{advice}")
    advice = f"write one of them (connectors: {', '.join(names)})"
    return node.fault(f"system '{name}' says neither connector: nor preset:; {advice}")


def _module(connector: str, node: Node, folder: Path | None, scope: Scope) -> ModuleType | None:
    try:
        return connectors.connector(connector, folder)
    except connectors.Unloadable as error:
        scope.fault(node.get("connector") or node, f"connector '{connector}' cannot be loaded: {error}")
        return None
