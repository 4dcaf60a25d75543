"""``o2c doctor``: what is installed, reachable, misconfigured; and whether every number adds up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated

import apsw
import msgspec
import typer

from hub.cli.doctor_checks import FAULT, OK, WARNING, Finding, examine
from hub.cli.doctor_partners import look_at_partners
from hub.cli.doctor_profiles import look_at_profiles
from hub.cli.doctor_sources import look_at_sources
from hub.cli.doctor_statements import look_at_statements
from hub.cli.doctor_switches import look_at_switches
from hub.cli.doctor_systems import reach_systems
from hub.cli.terminal import Json, ProjectFolder, complain, finish, plain, say, say_json
from hub.cli.workplace import Workplace, open_workplace, project_store
from hub.errors import StoreError, UsageError
from hub.store import conservation as proof
from hub.store.tally import Tally

Look = Callable[[Workplace], Iterable[Finding]]
_MARKS = {OK: "ok     ", WARNING: "warning", FAULT: "fault  "}


def doctor(
    systems: Annotated[
        list[str],
        typer.Argument(metavar="[SYSTEM]...", help="Only try these systems, as they are declared; none: everything."),
    ] = [],  # noqa: B006 - typer reads the default, nothing changes it
    conservation: Annotated[
        bool,
        typer.Option("--conservation", help="Only prove that every receipt, message and delivery is accounted for."),
    ] = False,
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Look at the installation, the project, its systems and its numbers, or try single systems; exit 1 if something is
    wrong. No secret is shown."""
    place = open_workplace(project)
    if conservation:
        if systems:
            raise UsageError("--conservation is of the whole hub; take the names of systems out")
        _prove(place, as_json)
        return
    looks: Sequence[Look] = (
        examine, look_at_profiles, reach_systems, look_at_switches, look_at_sources, look_at_partners,
        look_at_statements,
    )  # fmt: skip
    if systems:
        looks = (partial(reach_systems, names=systems), partial(look_at_switches, systems=systems))
    findings = list(dict.fromkeys(finding for look in looks for finding in _looked(look, place)))
    _say_findings(findings, as_json)
    finish(any(finding.state == FAULT for finding in findings))


def _looked(look: Look, place: Workplace) -> Iterator[Finding]:
    """Its findings; where what it needs of the store cannot be read, that, and the other looks go on."""
    try:
        yield from look(place)
    except StoreError as error:
        yield Finding("store", FAULT, str(error))
    except apsw.Error as error:
        hint = "put a copy that `o2c backup` made in its place"
        yield Finding("store", FAULT, f"some of it cannot be read: {error}", hint)


def _say_findings(findings: Sequence[Finding], as_json: bool) -> None:
    if as_json:
        say_json([asdict(finding) for finding in findings])
        return
    for finding in findings:
        hint = f"; {finding.hint}" if finding.hint else ""
        tried = f" (tried: {finding.tried})" if finding.tried else ""
        say(plain(f"{_MARKS[finding.state]} {finding.subject}: {finding.detail}{hint}{tried}"))


def _prove(place: Workplace, as_json: bool) -> None:
    """Count every row of one moment; say what each table adds up to, and what breaks a rule."""
    store = project_store(place, read_only=True)
    try:
        with store.snapshot() as db:
            tally, broken = proof.counted(db), proof.check(db)
    finally:
        store.close()
    if as_json:
        say_json(
            {**asdict(tally), "findings": [msgspec.structs.asdict(finding) for finding in broken], "holds": not broken}
        )
    else:
        _say_proof(tally, broken)
    finish(bool(broken))


def _say_proof(tally: Tally, broken: Sequence[proof.Finding]) -> None:
    for noun, states in asdict(tally).items():
        parts = " + ".join(f"{count} {state}" for state, count in sorted(states.items()) if count)
        say(f"{noun}: {sum(states.values())}{f' = {parts}' if parts else ''}")
    for finding in broken:
        example = f", e.g. {finding.example}" if finding.example else ""
        say(f"fault: {finding.seen} {finding.what}, expected {finding.expected}{example}")
    complain("some numbers do not add up" if broken else "everything adds up")


COMMANDS = (doctor,)
