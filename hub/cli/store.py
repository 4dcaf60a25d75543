"""Commands on a store on a server: migrate, copy-store."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from hub.cli.terminal import Json, ProjectFolder, complain, say, say_json
from hub.cli.workplace import Workplace, open_workplace, store_address
from hub.client import LOCAL
from hub.errors import UsageError
from hub.scaffold.keys import admit_first, read_local
from hub.secret import parse_secret, resolve
from hub.store import clock_of, is_shared, open_store
from hub.store.postgres import schema
from hub.store.postgres.copying import Sums, copy_rows

_EMBEDDED = "sqlite:///data/hub.db"


def migrate(project: ProjectFolder = Path(), as_json: Json = False) -> None:
    """Bring the tables of a PostgreSQL store up to this version, while hubs of the version before run on."""
    place = open_workplace(project)
    url = store_address(place)
    if not is_shared(url):
        raise UsageError("store: this project's store is a file, whose tables o2c run brings up to date by itself")
    taken = schema.migrate(url, lambda number, name: complain(f"step {number}: {name}"))
    if _make_key_known(place, url):
        complain(f"the key in {LOCAL} opens this store")
    if as_json:
        say_json({"steps": taken})
    else:
        say(f"{len(taken)} steps taken" if taken else "nothing to do: the tables are up to date")


def _make_key_known(place: Workplace, url: str) -> bool:
    """A new store knows no key yet: the first is the one that this project's commands use."""
    store = open_store(url, place.root)
    try:
        return admit_first(store, clock_of(store), read_local(place.root).get("api_key", ""))
    finally:
        store.close()


def copy_store(
    target: Annotated[
        str, typer.Argument(metavar="TARGET", help="The empty store: postgresql://… or secret://env/NAME.")
    ],
    source: Annotated[
        str, typer.Option("--from", metavar="STORE", help="The embedded store; the project's own unless said.")
    ] = "",
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Copy an embedded store to PostgreSQL: all rows of one moment or none, checked by counts and sums."""
    place = open_workplace(project)
    to, embedded = _given(place, target), source or _own_embedded(place)
    if not is_shared(to):
        raise UsageError(f"TARGET: expected postgresql://… or a reference to such an address, got '{target}'")
    if is_shared(embedded):
        raise UsageError("--from: expected an embedded store such as sqlite:///data/hub.db")
    copied = _copy(place, embedded, to, quiet=as_json)
    if as_json:
        say_json({table: asdict(sums) for table, sums in copied.items()})
        return
    for table, sums in copied.items():
        say(f"{table}: {sums.rows}")
    complain("every count and sum is the same on both sides; what comes in from now on is not in the copy")


def _copy(place: Workplace, embedded: str, to: str, quiet: bool) -> dict[str, Sums]:
    store = open_store(embedded, place.root, read_only=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    try:
        with Progress(*columns, console=Console(stderr=True), transient=True, disable=quiet) as progress:
            task = progress.add_task("copying", total=None)
            with store.snapshot() as db:
                return copy_rows(
                    db, to, lambda table, done, total: progress.update(
                        task, description=table, completed=done, total=total
                    )
                )  # fmt: skip
    finally:
        store.close()


def _given(place: Workplace, text: str) -> str:
    secret = parse_secret(text)
    return resolve(secret, place.root / place.settings().secrets_folder) if secret else text


def _own_embedded(place: Workplace) -> str:
    own = place.settings().store
    return own if isinstance(own, str) and not is_shared(own) else _EMBEDDED


COMMANDS = (migrate, copy_store)
