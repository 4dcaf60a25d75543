"""``config/*.yaml`` as frozen settings: every default filled in, every mistake found at once, secrets as references.

``config/hub.yaml`` is the hub itself, ``config/systems.yaml`` the systems, ``config/partners.yaml`` the trading
partners, and ``config/environments/NAME.yaml`` changes single keys of them for one environment.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from hub.errors import Fault
from hub.fields import Scope, read_fields, refuse_zero, zone_of
from hub.overlay import overlay
from hub.partners import FILE as PARTNERS_FILE
from hub.partners import Partner, load_partners
from hub.project import document_of
from hub.secret import DEFAULT_FOLDER, Secret
from hub.settings_fields import DAY, FIELDS, RESERVED
from hub.systems import FILE as SYSTEMS_FILE
from hub.systems import System, load_systems, quota_of
from hub.yamldoc import Node, did_you_mean

FILE = "config/hub.yaml"
ENVIRONMENTS = "config/environments/"
STORES = ("sqlite", "postgresql")
BROKERS = ("redis", "rediss", "amqp", "amqps")
_LITERAL = frozenset(field.name for field in FIELDS) - {"store", "broker", "notify"}


class Tls(msgspec.Struct, frozen=True):
    """The certificate the hub shows: a file, and its private key."""

    certificate: str
    key: Secret


class Http(msgspec.Struct, frozen=True):
    """Where the hub listens, and how large a body may be (bytes)."""

    host: str = "127.0.0.1"
    port: int = 8420
    max_body: int = 10_000_000
    backlog: int = 20_000
    insecure: bool = False
    trusted_proxies: tuple[str, ...] = ()
    tls: Tls | None = None


class Retention(msgspec.Struct, frozen=True):
    """How long things are kept, in seconds."""

    raw: float = 90 * DAY
    stages: float = 30 * DAY
    metadata: float = 400 * DAY


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything ``config/`` says. ``unread`` names files that could not be read in full: what else they define is
    unknown."""

    http: Http = field(default_factory=Http)
    store: str | Secret = "sqlite:///data/hub.db"
    broker: str | Secret = "local"
    time_zone: str = "UTC"
    company: Mapping[str, Any] | None = None
    retention: Retention = field(default_factory=Retention)
    quota: Mapping[str, int | None] = field(default_factory=dict)
    notify: tuple[Mapping[str, Any], ...] = ()
    secrets_folder: str = DEFAULT_FOLDER
    systems: Mapping[str, System] = field(default_factory=dict)
    partners: Mapping[str, Partner] = field(default_factory=dict)
    environment: str = ""
    unread: frozenset[str] = frozenset()
    node: Node | None = field(default=None, repr=False, compare=False)


def load_settings(
    files: Mapping[str, bytes], environment: str | None = None, connectors_folder: Path | None = None
) -> tuple[Settings, list[Fault]]:
    """The settings of one environment and every fault in them. With faults, wrong values are their defaults.

    ``connectors_folder`` is the project's own ``connectors/``.
    """
    faults: list[Fault] = []
    unread: set[str] = set()
    changes = _environment(files, environment or "", faults, unread)
    hub = _changed(_read(files, FILE, faults, unread), changes.get("hub"))
    systems = _read(files, SYSTEMS_FILE, faults, unread)
    if SYSTEMS_FILE not in unread:  # else every change would be one of a system that seems not to be there
        systems = _changed(systems, changes.get("systems"))
    partners = _changed(_read(files, PARTNERS_FILE, faults, unread), changes.get("partners"))
    values = _hub_values(hub, Scope(FILE, faults, literal=_LITERAL))
    settings = Settings(
        **values,
        systems=load_systems(systems, files, connectors_folder, faults),
        partners=load_partners(partners, str(values["time_zone"]), faults),
        environment=environment or "",
        unread=frozenset(unread),
        node=hub,
    )
    return settings, sorted(set(faults), key=lambda fault: (fault.file, fault.line, fault.column))


def _read(files: Mapping[str, bytes], path: str, faults: list[Fault], unread: set[str]) -> Node:
    """A file's root, noted in ``unread`` when it cannot be read in full; nothing when it is not there."""
    if path not in files:
        return Node(path, 0, 0, None)
    root, found = document_of(files, path)
    faults += found
    if found:
        unread.add(path)
    return root


def _environment(files: Mapping[str, bytes], name: str, faults: list[Fault], unread: set[str]) -> Node:
    if not name:
        return Node(FILE, 0, 0, None)
    path = f"{ENVIRONMENTS}{name}.yaml"
    if path not in files:
        known = [key[len(ENVIRONMENTS) : -5] for key in files if key.startswith(ENVIRONMENTS) and key.endswith(".yaml")]
        faults.append(Fault(FILE, 0, 0, f"O2C_ENV is '{name}' and there is no {path}{did_you_mean(name, known)}"))
        return Node(path, 0, 0, None)
    root = _read(files, path, faults, unread)
    if root.value is not None:
        _report_sections(root, Scope(path, faults))
    return root


def _report_sections(root: Node, scope: Scope) -> None:
    """Faults of the sections themselves; their content is read, and reported, with the files they change."""
    names = ("hub", "systems", "partners")
    if not root.is_map:
        scope.fault(root, f"expected a mapping with hub:, systems: or partners:, got {root.kind}")
    for name, node in root.items():
        if name not in names:
            scope.fault(root.key(name), f"unknown key '{name}' in {scope.what}{did_you_mean(name, names)}")
        elif not node.is_map:
            scope.fault(node, f"{name}: expected a mapping, got {node.kind}")


def _changed(root: Node, change: Node | None) -> Node:
    if change is None or not change.is_map:
        return root
    return overlay(root, change) if root.value is not None else change


def _hub_values(root: Node, scope: Scope) -> dict[str, Any]:
    if root.value is None:
        root = Node(root.file, root.line, root.column, {}, keys={})
    values = read_fields(root, FIELDS, scope, RESERVED)
    values["http"] = _http(values["http"], _at(root, "http"), scope)
    if kept := root.get("retention"):
        refuse_zero(values["retention"], ("metadata",), kept, scope.within("retention"), "1d")
    values["retention"] = Retention(**values["retention"])
    values["quota"] = quota_of(values["quota"], root.get("quota"), scope)
    values["notify"] = _notify(values["notify"], _at(root, "notify"), scope)
    _check_scheme(root, "store", values, STORES, scope)
    _check_scheme(root, "broker", values, BROKERS, scope)
    zone = zone_of(str(values["time_zone"]), _at(root, "time_zone"), "time_zone", scope, "Europe/Paris")
    values["time_zone"] = zone or "UTC"
    if values["company"] is not None and not isinstance(values["company"], dict):
        scope.fault(_at(root, "company"), f"company: expected a mapping, got {_at(root, 'company').kind}")
        values["company"] = None
    return values


def _at(node: Node, name: str) -> Node:
    return node.get(name) or node


def _notify(entries: Sequence[Any], node: Node, scope: Scope) -> tuple[Mapping[str, Any], ...]:
    """Each entry names one channel: a webhook or an e-mail."""
    for number, (entry, place) in enumerate(zip(entries, node.elements(), strict=False)):
        if bool(entry.get("webhook")) == bool(entry.get("email")) and place.is_map:
            scope.fault(place, f"notify[{number}]: expected webhook: or email:, one of them in each entry")
        if (mail := entry.get("email")) and (said := place.get("email")):
            _check_mail(mail, said, scope.within(f"notify[{number}].email"))
    return tuple(entry for entry in entries if entry.get("webhook") or entry.get("email"))


def _check_mail(mail: Mapping[str, Any], node: Node, scope: Scope) -> None:
    """The port, and that addresses are some."""
    if not 0 < mail["port"] < 65536:
        scope.fault(_at(node, "port"), f"{scope.path}.port: expected 1 to 65535, got {mail['port']}")
    for name, addresses in (("from", [mail["from"]]), ("to", mail["to"] or ())):
        for address in addresses:
            if isinstance(address, str) and address and "@" not in address:
                told = f"expected an address such as hub@example.com, got '{address[:40]}'"
                scope.fault(_at(node, name), f"{scope.path}.{name}: {told}")


def _http(values: dict[str, Any], node: Node, scope: Scope) -> Http:
    place = _at(node, "listen")
    host, port = _address(values["listen"], place, scope)
    tls = Tls(**values["tls"]) if values["tls"] else None
    rest = {name: value for name, value in values.items() if name not in ("listen", "tls")}
    http = Http(host=host, port=port, tls=tls, **rest)
    if not tls and not http.insecure and not _is_local(host):
        message = f"http.listen: {host} can be reached from outside and there is no TLS; set http.tls, listen on "
        scope.fault(place, message + "127.0.0.1 behind a proxy, or say http.insecure: true")
    if tls and isinstance(tls.key, Secret) and tls.key.scheme != "file":
        key = _at(_at(node, "tls"), "key")
        scope.fault(key, f"http.tls.key: {tls.key} must be a file; write secret://file/NAME")
    for network in http.trusted_proxies:
        if not _is_network(network):
            message = f"expected addresses or networks such as 10.0.0.0/8, got '{network}'"
            scope.fault(_at(node, "trusted_proxies"), f"http.trusted_proxies: {message}")
    return http


def _address(text: Any, node: Node, scope: Scope) -> tuple[str, int]:
    host, _, port = str(text).rpartition(":")
    host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if host and port.isascii() and port.isdigit() and int(port) < 65536 and " " not in host:
        return host, int(port)
    scope.fault(node, f"http.listen: expected an address and a port such as 127.0.0.1:8420, got '{text}'")
    return "127.0.0.1", 8420


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _check_scheme(root: Node, name: str, values: dict[str, Any], known: tuple[str, ...], scope: Scope) -> None:
    text = values[name]
    if isinstance(text, Secret) or (name == "broker" and text == "local"):
        return
    scheme, colon, place = str(text).partition("://")
    if not colon or scheme not in known or (scheme == "sqlite" and not place.strip("/")):
        words = ", ".join([*(["local"] if name == "broker" else []), *(f"{word}://…" for word in known)])
        advice = did_you_mean(scheme, known, "") if scheme not in known else ""
        scope.fault(_at(root, name), f"{name}: expected one of {words} or a secret reference, got '{text}'{advice}")
