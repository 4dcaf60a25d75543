"""``o2c``: the hub from a terminal. Every group of commands is a file beside this one; ``main`` is the program.

Exit codes: 0 all is well, 1 there are findings or it failed, 2 the command was not well formed, 130 Ctrl-C ended it.
Results go to standard output, everything said about them to standard error; no Python traceback reaches either.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import typer

from hub import __version__
from hub.cli.terminal import complain
from hub.errors import HubError, MessageError, ProjectError, UsageError

# The modules beside this one and their commands, so that one command loads what it needs and no more.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "project": ("init", "check", "explain", "schema"),
    "test": ("test",),
    "run": ("run", "serve", "work", "sweep"),
    "backup": ("backup",),
    "deploy": ("deploy",),
    "store": ("migrate", "copy-store"),
    "send": ("send",),
    "messages": ("messages", "show", "dead"),
    "replay": ("replay",),
    "acts": ("release", "resolve", "cancel", "hold"),
    "backtest": ("backtest",),
    "limits": ("limits", "circuit"),
    "route": ("route",),
    "partners": ("partners",),
    "ack": ("ack",),
    "graph": ("graph",),
    "documents": ("decode", "encode", "validate", "map"),
    "edi": ("grammar", "show-edi"),
    "infer": ("infer",),
    "systems": ("systems",),
    "new": ("new",),
    "doctor": ("doctor",),
    "demo": ("demo",),
    "simulate": ("simulate",),
    "bench": ("bench",),
}
_LOG = "error.log"
_INTERRUPTED = 130


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"o2c-hub {__version__}")
        raise typer.Exit


def _root(
    version: bool = typer.Option(False, "--version", help="Print the version and stop.", callback=_show_version),
) -> None:
    """A declarative routing hub for order to cash: YAML routes and mappings, durable delivery, replay."""


class _Commands(typer.core.TyperGroup):
    """Says of every command what it does, in a whole sentence."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        rows = [(name, _first_sentence(self.commands[name].help or "")) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def _first_sentence(text: str) -> str:
    return f"{' '.join(text.split()).removesuffix('.').partition('. ')[0]}."


def create_app(wanted: str = "") -> typer.Typer:
    """The program; with all its commands, or with the group of the one that is wanted."""
    app = typer.Typer(name="o2c", cls=_Commands, rich_markup_mode=None, add_completion=True, no_args_is_help=True)
    app.callback()(_root)
    groups = [name for name, commands in GROUPS.items() if wanted in commands] or list(GROUPS)
    for name in groups:
        for command in import_module(f"hub.cli.{name}").COMMANDS:
            app.command()(command)
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and leave with its exit code."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed by whoever gave the command
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115 - until the end
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as standard error does: not all terminals know all letters
    sys.exit(_run(list(sys.argv[1:] if arguments is None else arguments)))


def _run(arguments: list[str]) -> int:
    code = _ended(arguments)
    try:
        print(end="", flush=True)
    except OSError as error:  # nobody reads on, or there is no room: what is left would be tried again at the very end
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        if not (code or isinstance(error, BrokenPipeError)):
            complain(f"o2c: {_os_text(error)}")
        return code or 1
    return code


def _ended(arguments: list[str]) -> int:
    try:
        create_app(arguments[0] if arguments else "")(args=arguments, prog_name="o2c")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    except ProjectError as error:
        complain(str(error))
        return 1
    except HubError as error:
        hint = f"; {error.hint}" if isinstance(error, MessageError) and error.hint else ""
        complain(f"o2c: {error}{hint}")
        return 2 if isinstance(error, UsageError) else 1
    except OSError as error:
        complain(f"o2c: {_os_text(error)}")
        return 1
    except Exception as error:
        odd = [word for word in arguments if word.encode(errors="ignore").decode() != word]
        if isinstance(error, UnicodeEncodeError) and odd:
            complain(f"o2c: '{odd[0]}' is not UTF-8; write another name")
            return 2
        complain(f"o2c: unexpected: {error or 'a fault of the program'}; details are in {_log(arguments)}")
        return 1
    return 0


def _os_text(error: OSError) -> str:
    reason = error.strerror or "the system refused"
    return f"{error.filename}: {reason}" if error.filename else reason


def _log(arguments: list[str]) -> str:
    """Where the traceback of an unexpected error was written: the project's own folder, else the user's."""
    local = Path(".o2c")
    folder = local if local.is_dir() else Path(os.environ.get("XDG_STATE_HOME", Path.home() / ".local/state")) / "o2c"
    path = folder / _LOG
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # What failed may quote a document: it is for whoever gave the command.
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8") as log:
            log.write(f"--- {datetime.now(UTC).isoformat(timespec='seconds')} o2c {arguments[:1]}\n")
            log.write(traceback.format_exc())
    except OSError:
        return f"no file ({folder} cannot be written)"
    return str(path)
