"""Trading partners as ``o2c doctor`` looks at them: their systems, what their messages are read by and where they go,
the control numbers, what they have not acknowledged."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from hub.check import CheckResult
from hub.cli.doctor_checks import FAULT, OK, WARNING, Finding
from hub.cli.doctor_systems import reach
from hub.cli.terminal import counted
from hub.cli.workplace import Workplace, project_store
from hub.errors import HubError, ProjectError
from hub.formats._acks import ACKNOWLEDGEMENTS, KINDS
from hub.formats._advices import ADVICES
from hub.grammars import Grammars
from hub.partners import FILE, Partner
from hub.store import interchanges
from hub.store.database import Database
from hub.systems import System


def look_at_partners(place: Workplace) -> Iterator[Finding]:
    """The findings of every partner, one partner after the other."""
    result = place.check()
    grammars = result.schemas.grammars if result.schemas else None
    for partner in result.settings.partners.values():
        yield from _system(partner, result, place)
        yield from _routes(partner, result)
        if grammars is not None:
            yield from _grammars(partner, result, grammars)
    if result.settings.partners:
        yield from _traffic(place, result)


# -- its system ----------------------------------------------------------------------------------------------------


def _system(partner: Partner, result: CheckResult, place: Workplace) -> Iterator[Finding]:
    name, system = f"partner {partner.name}", result.settings.systems.get(partner.system)
    if system is None:
        hint = f"write it to config/systems.yaml, or another to {FILE}"
        yield Finding(name, FAULT, f"its system '{partner.system}' is not there", hint)
        return
    sends = [target for route in result.routes for target in route.targets if target.partner == partner.name]
    answers = [kind for kind in (*KINDS, "aperak", "824") if partner.ack.get(kind) in ("always", "on_error")]
    if system.sends and system.connector:
        if not any(target.system == system.name for route in result.routes for target in route.targets):
            found = reach(system, place)  # else it was among the systems that routes send to
            yield Finding(name, found.state, f"its {found.subject}: {found.detail}", found.hint)
    elif sends or answers:
        wants = f"acknowledgements ({', '.join(answers)})" if answers else "messages"
        yield Finding(name, FAULT, f"it is to get {wants}, and system '{system.name}' sends nothing",
                      f"say where to in config/systems.yaml, at {system.file}:{system.line}")  # fmt: skip
    yield from _folder(name, system, place.root)


def _folder(name: str, system: System, root: Path) -> Iterator[Finding]:
    """Where its files are fetched: they are taken out of there, so it must be writable too."""
    fetch = system.options.get("fetch")
    if system.connector != "file" or not isinstance(fetch, Mapping):
        return
    folder = Path(str(system.options.get("root") or "."), str(fetch.get("folder") or "."))
    if not (root / folder).is_dir():
        yield Finding(name, WARNING, f"the folder {folder} it is fetched from is not there", f"mkdir -p {folder}")
    elif not os.access(root / folder, os.R_OK | os.W_OK | os.X_OK):
        yield Finding(name, FAULT, f"the folder {folder} it is fetched from cannot be read and written",
                      f"give it to the user the hub runs as: chown, or chmod u+rwx {folder}")  # fmt: skip
    else:
        yield Finding(name, OK, f"is fetched from {folder}")


# -- where its messages go, and by what they are read --------------------------------------------------------------


def _routes(partner: Partner, result: CheckResult) -> Iterator[Finding]:
    name = f"partner {partner.name}"
    routes = [route for route in result.routes if route.partner == partner.name]
    example = "ORDERS" if partner.syntax == "edifact" else '"850"'
    if not routes:
        yield Finding(name, WARNING, "no route takes anything from it: each message becomes a dead letter",
                      f"write a route with from: {{partner: {partner.name}, event: {example}}}")  # fmt: skip
        return
    taken = ", ".join(f"{'/'.join(route.events) or 'everything else'} by {route.name}" for route in routes)
    yield Finding(name, OK, f"takes {taken}")
    for route in routes:
        if route.map not in result.mappings:
            yield Finding(name, FAULT, f"the mapping '{route.map}' of route '{route.name}' is not there or wrong",
                          "see: o2c check")  # fmt: skip


def _grammars(partner: Partner, result: CheckResult, grammars: Grammars) -> Iterator[Finding]:
    name, read = f"partner {partner.name}", dict(partner.overlays)
    for route in result.routes:
        mapping = result.mappings.get(route.map) if route.partner == partner.name else None
        for event in (event.partition(" ")[0] for event in route.events if mapping):
            schema = (mapping.source.schema if mapping else "") or ""
            if event not in read and event not in ACKNOWLEDGEMENTS | set(ADVICES.values()):
                read[event] = schema if grammars.has(schema) else ""
    for event, grammar in sorted(read.items()):
        yield _grammar(name, event, grammar, grammars)


def _grammar(name: str, event: str, grammar: str, grammars: Grammars) -> Finding:
    if not grammar:
        return Finding(name, WARNING, f"{event} is read without a grammar: only its envelope is checked",
                       "name one in the mapping, source: {schema: …}, or under overlays: of the partner")  # fmt: skip
    if not grammars.has(grammar):
        return Finding(name, FAULT, f"{event}: there is no grammar '{grammar}'",
                       f"write schemas/{grammar}.yaml, or name another in {FILE}")  # fmt: skip
    try:
        grammars.message(grammar)
    except ProjectError as error:
        return Finding(name, FAULT, f"{event}: grammar {grammar}: {error.faults[0]}", "see: o2c check")
    return Finding(name, OK, f"{event} is read by {grammar}")


# -- what was sent -------------------------------------------------------------------------------------------------


def _traffic(place: Workplace, result: CheckResult) -> Iterator[Finding]:
    try:
        store = project_store(place, read_only=True)
    except HubError:
        return  # that there is none yet, or that it is away, was told with the store
    try:
        yield from _told(store.reader(), result)
    finally:
        store.close()


def _told(db: Database, result: CheckResult) -> Iterator[Finding]:
    last, open_now, unrouted = interchanges.last_numbers(db), interchanges.awaited(db), interchanges.unrouted(db)
    for partner in result.settings.partners.values():
        name, (waiting, expired, rejected) = f"partner {partner.name}", open_now.get(partner.name, (0, 0, 0))
        numbers = ", ".join(f"{kind} {number}" for kind, number in last.get(partner.name, {}).items())
        yield Finding(name, OK, f"last control numbers: {numbers}" if numbers else "nothing was sent to it yet")
        if waiting:
            yield Finding(name, OK, f"has still to acknowledge {counted(waiting, 'interchange')}")
        if expired:
            yield Finding(name, WARNING, f"has not acknowledged {counted(expired, 'interchange')} in time",
                          f"ask it whether they came; see: o2c partners {partner.name}")  # fmt: skip
        if rejected:
            yield Finding(name, WARNING, f"has rejected {counted(rejected, 'interchange')}",
                          "see why with o2c dead, correct it, then: o2c replay --class remote_rejected")  # fmt: skip
        for event, count in unrouted.get(partner.name, {}).items():
            hint = (
                f"write a route with from: {{partner: {partner.name}, event: {event}}}, then replay them from the start"
            )
            detail = f"has sent {counted(count, 'message')} of the type {event}, which no route takes"
            yield Finding(name, WARNING, detail, hint)
