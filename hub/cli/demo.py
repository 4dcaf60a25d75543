"""``o2c demo``: the hub at work, with stub systems around it, in under a minute."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from threading import Event
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from hub.cli.terminal import Json, finish, say_json
from hub.demo.balance import Line
from hub.demo.story import Demo

_PLAIN_WIDTH = 160


def demo(
    stay: Annotated[bool, typer.Option("--stay", help="Leave everything running until Ctrl-C.")] = False,
    orders: Annotated[int, typer.Option("--orders", min=1, max=5000, help="How many orders the day has.")] = 200,
    seconds: Annotated[float, typer.Option("--seconds", min=1, max=600, help="How long the day takes.")] = 16.0,
    as_json: Json = False,
) -> None:
    """A day of signed orders through the hub to a stub ERP, warehouse and CRM; ends with numbers that add up."""
    is_terminal = (sys.stderr if as_json else sys.stdout).isatty()
    console = Console(highlight=False, width=None if is_terminal else _PLAIN_WIDTH, stderr=as_json)
    with ExitStack() as ends:
        root = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="o2c-demo-")))
        story = Demo(root, orders, seconds, console, ends)
        console.print(f"hub and status page: {story.folder.url}/   project folder: {root}")
        for name, stub in story.stubs.items():
            console.print(f"  stub {name}: {stub.url}")
        lines = story.run()
        if as_json:
            say_json([{**asdict(line), "holds": line.holds} for line in lines])
        else:
            console.print(_summary(lines))
        if stay:
            _stay(console, root)
    finish(not all(line.holds for line in lines))


def _summary(lines: list[Line]) -> Table:
    table = Table("", "", "adds up", title="what came of it", title_justify="left", box=None)
    for line in lines:
        table.add_row(f"{line.total} {line.what}", f"= {line.right}", "[green]yes[/]" if line.holds else "[red]NO[/]")
    return table


def _stay(console: Console, root: Path) -> None:
    """Wait for Ctrl-C; the commands work in the project folder until then."""
    stopped = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    here = "O2C_URL= " if os.environ.get("O2C_URL") else ""  # else another hub is asked
    console.print(f"everything stays up until Ctrl-C; try: {here}o2c dead --project {root}")
    stopped.wait()


COMMANDS = (demo,)
