"""Whether each system of a project can be reached, as its own connector sees it, and whether its door can be opened."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import connectors
from connectors.base import ConnectorError, Reachable, Telling
from hub.check import CheckResult
from hub.cli.doctor_checks import FAULT, OK, WARNING, Finding
from hub.cli.terminal import counted
from hub.cli.workplace import Workplace
from hub.errors import HubError, NotFound
from hub.pipeline.connections import open_destination, open_source
from hub.secret import references, resolve, resolve_all
from hub.systems import RECEIVER, System
from hub.yamldoc import did_you_mean

_AT_A_TIME = 8
_WAITS = "messages wait for it and are tried again"
_STAYS = "nothing is fetched from it until then"
_OUT_OF_SIGHT, _SHORTEST = "***", 4  # what is shorter is in any word


def reach_systems(place: Workplace, names: Sequence[str] = ()) -> Iterator[Finding]:
    """The findings of every system that is declared, or of those that are named: of these what cannot be reached is a
    fault. Raises NotFound for a name that is none."""
    result = place.check()
    declared = result.settings.systems
    for name in names:
        if name not in declared:
            raise NotFound(f"there is no system '{name}' in config/systems.yaml{did_you_mean(name, declared)}")
    os.chdir(place.root)  # folders in the configuration are relative to the project, as for the hub itself
    looks = [look for name in sorted(names or declared) for look in _looks(declared[name], place, result)]
    with ThreadPoolExecutor(_AT_A_TIME) as threads:  # some may have to wait for a time-out
        for finding in threads.map(lambda look: look(), looks):
            if finding is not None:
                is_asked_for = bool(names) and finding.state == WARNING
                yield replace(finding, state=FAULT) if is_asked_for else finding


def _looks(system: System, place: Workplace, result: CheckResult) -> Iterator[Callable[[], Finding | None]]:
    if not system.connector:
        yield lambda: Finding(f"system {system.name}", FAULT, _first_fault(system, result), "see: o2c check")
        return
    if system.sends and not _is_only_called(system, result):
        yield lambda: reach(system, place)
    if system.fetches:
        yield lambda: reach_source(system, place)
    if system.receives:
        yield lambda: _look_at_door(system, place)


def _is_only_called(system: System, result: CheckResult) -> bool:
    """A caller of ours by SOAP, to whom nothing goes: the address in the WSDL is where the caller would be called."""
    says = system.options.get("operation") or system.options.get("address")
    targets = (target.system for route in result.routes for target in route.targets)
    return system.connector == "soap" and system.receives and not says and system.name not in targets


def _first_fault(system: System, result: CheckResult) -> str:
    """Why a system could not be read: the first fault from its line on."""
    here = [fault for fault in result.errors if fault.file == system.file and fault.line >= system.line]
    return here[0].message if here else "its settings are wrong"


def reach(system: System, place: Workplace) -> Finding:
    """Whether something could be sent to a system now."""
    opened = partial(open_destination, system, _secrets(place), place.connectors_folder)
    found = _asked(system, place, opened, _WAITS)
    assert found is not None  # a destination can always tell
    return found


def reach_source(system: System, place: Workplace) -> Finding | None:
    """Whether something could be fetched from a system now; None where its connector cannot tell."""
    opened = partial(open_source, system, _secrets(place), place.connectors_folder)
    return _asked(system, place, opened, _STAYS)


def _secrets(place: Workplace) -> Path:
    return place.root / place.check().settings.secrets_folder


def _asked(system: System, place: Workplace, open_it: Callable[[], Any], hint: str) -> Finding | None:
    """What its connector says; None where it says nothing."""
    subject, where = f"system {system.name}", f"see {system.file}:{system.line}"
    tried = ""
    try:
        opened = open_it()
        if not isinstance(opened, Reachable):
            return None
        try:
            tried = opened.tries() if isinstance(opened, Telling) else ""
            faults = opened.check()
        finally:
            opened.close()
    except (HubError, ConnectorError) as error:
        finding = Finding(subject, FAULT, str(error), where, tried)
    except Exception as error:  # a connector may be anybody's; what it says of a mistake may hold a secret
        text = f"its connector '{system.connector}' failed: {type(error).__name__}"
        finding = Finding(subject, FAULT, text, f"connectors/{system.connector}.py, or whoever wrote it", tried)
    else:
        finding = (
            Finding(subject, WARNING, "; ".join(faults), f"{hint}; {where}", tried)
            if faults
            else Finding(subject, OK, "can be reached", tried=tried)
        )
    return _without_secrets(finding, system, place)


def _look_at_door(system: System, place: Workplace) -> Finding:
    """Whether what it posts could be believed: its secrets are there, and of the form that is expected."""
    subject, where = f"door of {system.name}", f"POST /{system.door}/{system.name}"
    module = connectors.connector(system.connector, place.connectors_folder)
    receiver = module if hasattr(module, "Verifier") else connectors.connector(RECEIVER)
    try:
        config = {"verify": system.verify, "event": system.event, "dedupe": system.dedupe}
        receiver.Verifier({**resolve_all(config, _secrets(place)), "files": system.files})
    except (HubError, ConnectorError) as error:
        finding = Finding(subject, FAULT, str(error), f"whatever it posts is refused; see {system.file}:{system.line}")
        return _without_secrets(finding, system, place)
    method = str((system.verify or {}).get("method") or "")
    count = len(references(system.verify))
    proof = "nothing: anybody may post there" if method == "none" else f"{method} ({counted(count, 'secret')})"
    return Finding(subject, OK, f"{where} is proved by {proof}")


def _without_secrets(finding: Finding, system: System, place: Workplace) -> Finding:
    """The finding without the value of any secret of the system, whatever its connector says."""
    detail, tried = finding.detail, finding.tried
    for secret in references([system.options, system.verify]):
        try:
            value = resolve(secret, _secrets(place))
        except HubError:
            continue  # it is not there, so it cannot be told
        if len(value) >= _SHORTEST:
            detail, tried = detail.replace(value, _OUT_OF_SIGHT), tried.replace(value, _OUT_OF_SIGHT)
    return replace(finding, detail=detail, tried=tried)
