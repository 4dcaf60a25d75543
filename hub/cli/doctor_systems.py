"""Whether each system of a project can be reached, as its own connector sees it."""

from __future__ import annotations

import os
from collections.abc import Iterator

from connectors.base import ConnectorError
from hub.cli.doctor_checks import FAULT, OK, WARNING, Finding
from hub.cli.workplace import Workplace
from hub.errors import HubError
from hub.pipeline.connections import open_destination
from hub.systems import System


def reach_systems(place: Workplace) -> Iterator[Finding]:
    """One finding for each system that a route sends to."""
    result = place.check()
    targets = {target.system for route in result.routes for target in route.targets}
    os.chdir(place.root)  # folders in the configuration are relative to the project, as for the hub itself
    for name in sorted(targets & set(result.settings.systems)):
        system = result.settings.systems[name]
        if system.sends and system.connector:
            yield _reach(system, place)


def _reach(system: System, place: Workplace) -> Finding:
    try:
        destination = open_destination(system, place.root / place.settings().secrets_folder)
    except (HubError, ConnectorError) as error:
        return Finding(f"system {system.name}", FAULT, str(error), f"see {system.file}:{system.line}")
    try:
        faults = destination.check()
    finally:
        destination.close()
    if faults:
        return Finding(f"system {system.name}", WARNING, "; ".join(faults), "messages wait for it and are tried again")
    return Finding(f"system {system.name}", OK, "can be reached")
