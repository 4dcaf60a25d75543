"""What is switched off, as ``o2c doctor`` looks at it: nothing goes on there until somebody switches it on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hub.cli.doctor_checks import FAULT, Finding
from hub.cli.workplace import Workplace, project_store
from hub.clock import iso
from hub.errors import HubError
from hub.redaction import redact_text
from hub.states import switching_on
from hub.store import switches


def look_at_switches(place: Workplace, systems: Sequence[str] = ()) -> Iterator[Finding]:
    """A fault for each route that is paused and each system that is stopped; of the systems alone that are named."""
    try:
        store = project_store(place, read_only=True)
    except HubError:
        return  # that there is none yet, or that it is away, was told with the store
    try:
        found = switches.listed(store.reader())
    finally:
        store.close()
    for off in found:
        kind, name = off["kind"], off["name"]
        if systems and (kind != "system" or name not in systems):
            continue
        detail = f"{off['state']} since {iso(off['since'])} by {off['actor']}: {off['reason']}"
        hint = f"what comes for it waits until: {switching_on(kind, name)}"
        yield Finding(f"{kind} {name}", FAULT, redact_text(detail), hint)
