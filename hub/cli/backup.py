"""``o2c backup``: a copy of the store while the hub runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from hub.cli.terminal import Json, ProjectFolder, complain, say, say_json
from hub.cli.workplace import open_workplace, store_address
from hub.errors import UsageError
from hub.store import open_store


def backup(
    target: Annotated[Path, typer.Argument(metavar="FILE", help="Where the copy goes.")],
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Copy the store while the hub runs. The copy is checked; it is whole or not there. Files of the store itself are
    never replaced."""
    if target.exists() and not force:
        raise UsageError(f"{target} is there already; name another file, or say --force")
    if not target.absolute().parent.is_dir():
        raise UsageError(f"there is no folder {target.parent}")
    place = open_workplace(project)
    store = open_store(store_address(place), place.root, read_only=True, any_version=True)
    try:
        with Progress(console=Console(stderr=True), transient=True, disable=as_json) as progress:
            task = progress.add_task("copying the store", total=None)
            store.backup(target, lambda done, total: progress.update(task, completed=done, total=total))
    finally:
        store.close()
    size = target.stat().st_size
    if as_json:
        say_json({"file": str(target), "bytes": size})
        return
    say(str(target))
    complain(f"{size} bytes; the copy is sound")


COMMANDS = (backup,)
