"""``o2c partners``: the trading partners, and what was sent to them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli.terminal import Json, ProjectFolder, plain, say, say_json
from hub.cli.workplace import open_workplace, project_store
from hub.clock import iso
from hub.errors import NotFound
from hub.store import interchanges
from hub.yamldoc import did_you_mean


def partners(
    name: Annotated[
        str, typer.Argument(help="One partner: its interchanges, the newest first; none: all partners.")
    ] = "",
    limit: Annotated[int, typer.Option("--limit", help="How many interchanges are shown.", min=1, max=1000)] = 20,
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Show the trading partners with the last control numbers given, or what was sent to one: which numbers were sent,
    acknowledged or void."""
    place = open_workplace(project)
    known = place.settings().partners
    if name and name not in known:
        raise NotFound(f"there is no partner '{name}'{did_you_mean(name, known)}")
    store = project_store(place, read_only=True)
    try:
        db = store.reader()
        if name:
            _say_interchanges(interchanges.listed(db, name, limit), as_json)
            return
        last, open_now = interchanges.last_numbers(db), interchanges.unacknowledged(db)
    finally:
        store.close()
    rows: list[dict[str, Any]] = [
        {"partner": each.name, "system": each.system, "syntax": each.syntax, "us": str(each.us), "them": str(each.them),
         "test": each.test, "last": last.get(each.name, {}), "unacknowledged": open_now.get(each.name, 0)}
        for each in known.values()
    ]  # fmt: skip
    if as_json:
        say_json(rows)
        return
    for row in rows:
        numbers = ", ".join(f"{kind} {number}" for kind, number in row["last"].items()) or "nothing sent yet"
        late = f"; {row['unacknowledged']} without an acknowledgement" if row["unacknowledged"] else ""
        say(f"{row['partner']}: {row['syntax']}, {row['them']} by {row['system']}; {numbers}{late}")


_ACKS = {"partial": "accepted with errors", "expired": "not acknowledged in time"}


def _say_interchanges(rows: list[dict[str, Any]], as_json: bool) -> None:
    shown = [{**row, "stamped_at": iso(row["stamped_at"])} for row in rows]
    if as_json:
        say_json(shown)
        return
    for row in shown:
        answer = f", {_ACKS.get(row['ack'], row['ack'])} (receipt {row['ack_receipt']})" if row["ack"] else ""
        answer += f", document {row['document']} {row['answer']}" if row["answer"] else ""
        number, kind = f"{row['interchange']:>9}", f"{row['type']:<8}"
        say(plain(f"{number}  {row['stamped_at']}  {kind} {row['state']}{answer}  {row['delivery_id']}"))


COMMANDS = (partners,)
