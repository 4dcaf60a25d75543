"""Commands on the hub as processes: run, serve, work, sweep. Each loads what it needs and no more: it starts a hub."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from hub.cli.terminal import ProjectFolder
from hub.project import find_project
from hub.supervisor import become


def run(
    reload: Annotated[bool, typer.Option("--reload", help="Deploy whenever a file of the project changes.")] = False,
    project: ProjectFolder = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="Log JSON lines to a terminal too.")] = False,
) -> None:
    """Start the hub: everything in one process, with the embedded store. Ctrl-C stops it."""
    _log_json(as_json)
    become(find_project(project), reload)


def serve(
    descriptor: Annotated[
        int | None, typer.Option("--fd", metavar="N", help="Number of an inherited listening socket.")
    ] = None,
    project: ProjectFolder = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="Log JSON lines to a terminal too.")] = False,
) -> None:
    """Take documents in, on a store that several processes share: the door, the admin API and the status page.

    It splits and sends nothing. Started by systemd it takes the socket that it is given.
    """
    _log_json(as_json)
    from hub.roles.serve import main  # loads the web server, which the other commands do not need

    raise typer.Exit(main(find_project(project), descriptor))


def work(
    processes: Annotated[int, typer.Option("--processes", min=1, max=256, help="How many processes work.")] = 1,
    project: ProjectFolder = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="Log JSON lines to a terminal too.")] = False,
) -> None:
    """Split and send what was taken in, in several processes; one that dies is started again.

    SIGTERM lets them finish what is in hand.
    """
    _log_json(as_json)
    from hub.roles.team import become as become_team

    become_team(find_project(project), processes)


def sweep(
    project: ProjectFolder = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="Log JSON lines to a terminal too.")] = False,
) -> None:
    """See that nothing stays: retries, what died or was lost, polled sources, notices, retention.

    Start two: one leads, the other takes over within seconds when it dies.
    """
    _log_json(as_json)
    from hub.roles.sweep import main  # loads the engine, which the other commands do not need

    raise typer.Exit(main(find_project(project)))


def _log_json(wanted: bool) -> None:
    if wanted:
        from hub.logs import FORMAT

        os.environ[FORMAT] = "json"  # for the processes that it starts too


COMMANDS = (run, serve, work, sweep)
