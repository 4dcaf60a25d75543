"""When each system that things are fetched from was last read, and why one cannot be read, as the hub has noted it."""

from __future__ import annotations

from collections.abc import Iterator

from hub.cli.doctor_checks import FAULT, OK, WARNING, Finding
from hub.cli.workplace import Workplace, project_store
from hub.clock import iso
from hub.errors import HubError
from hub.store import sources
from hub.store.sources import SourceState


def look_at_sources(place: Workplace) -> Iterator[Finding]:
    """One finding for each; none where there is no store to ask, which is told of the store."""
    names = sorted(name for name, system in place.check().settings.systems.items() if system.fetches)
    if not names:
        return
    try:
        known = _noted(place)
    except HubError:
        return
    for name in names:
        yield finding_of(name, known.get(name))


def _noted(place: Workplace) -> dict[str, SourceState]:
    store = project_store(place, read_only=True)
    try:
        return sources.states(store.reader())
    finally:
        store.close()


def finding_of(name: str, state: SourceState | None) -> Finding:
    """What there is to say of a source."""
    subject = f"fetching from {name}"
    if state is None:
        return Finding(subject, WARNING, "it was not read yet", "the hub reads it while it runs: o2c run")
    last = f"last read {iso(state.read_at)}" if state.read_at is not None else "never read to its end"
    if state.failing_since is not None:
        detail = f"it cannot be read since {iso(state.failing_since)}: {state.reason} ({last})"
        return Finding(subject, FAULT, detail, "what is there waits in that system; see what it says of it")
    return Finding(subject, OK, f"{last}, {state.taken} taken in all")
