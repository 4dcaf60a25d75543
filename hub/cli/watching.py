"""Doing the same again whenever a file changes, and showing what that changed."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from datetime import datetime
from difflib import SequenceMatcher
from pathlib import Path

import typer
from rich.console import Console
from rich.text import Text

from hub.cli.terminal import complain, say
from hub.errors import HubError
from hub.project import OWN_FOLDERS

_POLL_SECONDS = 0.2
Signature = frozenset[tuple[str, int, int]]


def watch(root: Path, file: Path, once: Callable[[], None]) -> None:
    """Run ``once`` now, and again at every change of the project's files or of one more, until Ctrl-C. What it prints
    is shown afresh each time; on a terminal, what differs from the time before is coloured."""
    seen: Signature | None = None
    before: list[str] = []
    try:
        while True:
            if (now := _signature(root, file)) != seen:
                seen = now
                lines, faults = _run(once)
                _show(lines, faults, before)
                before = lines or before
            time.sleep(_POLL_SECONDS)
    except KeyboardInterrupt:
        return


def _signature(root: Path, file: Path) -> Signature:
    """Path, size and time of all that counts. A file that goes while it is looked at counts as gone."""
    return frozenset(entry for path in (file, *_files(root)) for entry in _entry(path))


def _files(root: Path) -> Iterator[Path]:
    for folder in OWN_FOLDERS:
        yield from (root / folder).rglob("*")


def _entry(path: Path) -> Iterator[tuple[str, int, int]]:
    try:
        about = path.stat()
    except OSError:
        return
    yield str(path), about.st_mtime_ns, about.st_size


def _run(once: Callable[[], None]) -> tuple[list[str], list[str]]:
    """The lines that it printed, and the words about them."""
    said, complained = io.StringIO(), io.StringIO()
    with redirect_stdout(said), redirect_stderr(complained):
        try:
            once()
        except typer.Exit:
            pass  # it has said what is wrong
        except (HubError, OSError) as error:
            complain(str(error))
    return said.getvalue().splitlines(), complained.getvalue().splitlines()


def _show(lines: Sequence[str], faults: Sequence[str], before: Sequence[str]) -> None:
    head = f"-- {datetime.now().astimezone():%H:%M:%S} " + ("with faults" if faults else "valid")
    if not sys.stdout.isatty():
        say("\n".join((head, *lines)))
        sys.stdout.flush()
        for fault in faults:
            complain(fault)
        return
    console = Console(highlight=False)
    console.clear()
    console.print(Text(head, style="bold red" if faults else "bold green"))
    console.print(_coloured(before, lines) if lines else Text("\n".join(before), style="dim"))
    console.print(Text("\n".join(faults), style="red"))


def _coloured(before: Sequence[str], after: Sequence[str]) -> Text:
    """The new lines; what is new in them is green, what went is red and struck out."""
    shown = Text()
    if not before:
        return Text("\n".join(after))
    for kind, start, end, new_start, new_end in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind in ("replace", "delete"):
            shown.append("".join(f"{line}\n" for line in before[start:end]), style="red strike")
        shown.append(
            "".join(f"{line}\n" for line in after[new_start:new_end]), style="" if kind == "equal" else "green"
        )
    return shown
