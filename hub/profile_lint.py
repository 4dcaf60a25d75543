"""Whether the profiles that routes name exist and can judge: their files, and what ``schemas/published/`` holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from hub.cross_check import place_of
from hub.errors import Fault
from hub.profiles.definitions import definitions
from hub.profiles.library import manifest_faults
from hub.routes import Route
from hub.yamldoc import Node, did_you_mean

if TYPE_CHECKING:
    from hub.profiles.judge import Judge


def profile_faults(files: Mapping[str, bytes], routes: Sequence[Route]) -> list[Fault]:
    """Errors of profiles, of pinned files and of names; a warning where a profile's files are not here."""
    faults: list[Fault] = []
    known = definitions(files, faults)
    faults += manifest_faults(files)
    uses = [use for route in routes for use in _uses(route)]
    for node, name, partner in uses:
        if partner:
            message = f"profile: is for documents of XML, and partner '{partner}' gets interchanges; take it out"
            faults.append(node.fault(message))
        elif name not in known.profiles:
            faults.append(node.fault(f"unknown profile '{name}'{did_you_mean(name, known.profiles)}"))
    if uses and not any(fault.severity == "error" for fault in faults):
        from hub.profiles.judge import Judge  # loads lxml, which most projects do without

        faults += _unavailable(Judge(files), uses)
    return faults


def used_profiles(routes: Sequence[Route]) -> list[str]:
    """The names of the profiles that routes hold documents to."""
    return sorted({name for route in routes for _, name, _ in _uses(route)})


def _uses(route: Route) -> Iterator[tuple[Node, str, str]]:
    """Where a profile stands, its name, and the partner that it stands with."""
    if route.profile:
        yield place_of(route.node, "from", "profile"), route.profile, route.partner
    for target in route.targets:
        if target.profile:
            yield place_of(target.node, "profile"), target.profile, target.partner


def _unavailable(judge: Judge, uses: Sequence[tuple[Node, str, str]]) -> Iterator[Fault]:
    for node, name, _ in uses:
        if missing := judge.missing(name):
            yield node.fault(f"profile '{name}' cannot judge here: {'; '.join(map(str, missing))}", "warning")
