"""Putting a project's files in force: deploy, and back with ``--rollback``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli.terminal import Json, ProjectFolder, complain, say, say_json
from hub.cli.workplace import Workplace, actor, environment_name, open_workplace, project_store, running_hub
from hub.deploy import deploy as deploy_files
from hub.deploy import rollback as roll_back
from hub.store import clock_of
from hub.store.audit import Actor


def deploy(
    rollback: Annotated[bool, typer.Option("--rollback", help="Go back to the set in force before.")] = False,
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Check all files and put them in force at once; a faulty set is refused whole."""
    place = open_workplace(project)
    if not rollback:
        place.check().require_sound()
    hub = running_hub(place.root)
    if hub is None:
        answer = {"set_id": _into_store(place, rollback), "running": False}
    else:
        answer = {**hub.post("/deployments/rollback" if rollback else "/deployments"), "running": True}
    _say(answer, rollback, as_json)


def _into_store(place: Workplace, rollback: bool) -> int:
    store, environment, own = project_store(place, read_only=False), environment_name(), place.connectors_folder
    try:
        if rollback:
            return roll_back(store, environment, clock_of(store), Actor(actor()), own).set_id
        return deploy_files(store, place.files, environment, clock_of(store), Actor(actor()), own, anew=True).set_id
    finally:
        store.close()


def _say(answer: dict[str, Any], rollback: bool, as_json: bool) -> None:
    if as_json:
        say_json(answer)
        return
    when = "now" if answer["running"] else "when the hub starts"
    say(f"set {answer['set_id']} {'is in force again' if rollback else 'is in force'}")
    complain(f"every message that is transformed from {when} on takes it")


COMMANDS = (deploy,)
