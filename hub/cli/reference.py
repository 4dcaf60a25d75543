"""The reference page of the command line, written from the commands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from hub.cli.app import GROUPS, create_app

_HEAD = """# The command line

Generated from the program by `make docs`; a test fails where it is stale. `o2c COMMAND --help` says the same.

Exit codes: 0 all is well, 1 there are findings or it failed, 2 the command was not well formed, 130 Ctrl-C ended it.
Results go to standard output, everything said about them to standard error. With `--json` the result is JSON.

`o2c run` logs to standard error, JSON lines where that is no terminal. `O2C_LOG_LEVEL` is `debug`, `info` (the
default), `warning` or `error`.

Commands on a project look for it from `--project` (or the current folder) upwards. Those that ask the running hub find
it by `O2C_URL` and `O2C_API_KEY`, else by `.o2c/local.json` of the project. While none runs they work on the project's
store: what they write goes on its way when the hub starts. `O2C_ENV` names the environment whose file under
`config/environments/` counts.
"""


def render() -> str:
    """The whole page."""
    commands = typer.main.get_command(create_app()).commands  # type: ignore[attr-defined]
    parts = [_HEAD]
    for names in GROUPS.values():
        parts += ["\n".join(_command(commands[name])) for name in names]
    return "\n".join(parts)


def _command(command: Any) -> Iterator[str]:
    arguments = [part for part in command.params if part.param_type_name == "argument"]
    options = [part for part in command.params if part.param_type_name == "option" and part.name != "help"]
    usage = " ".join(_argument(part) for part in arguments)
    yield f"## o2c {command.name}\n"
    yield f"    o2c {command.name}{' ' + usage if usage else ''}{' [OPTIONS]' if options else ''}\n"
    yield " ".join((command.help or "").split()) + "\n"
    if arguments or options:
        yield "| | |\n|---|---|"
        for part in arguments:
            yield f"| `{_argument(part)}` | {part.help or ''} |"
        for part in options:
            yield f"| `{_option(part)}` | {part.help or ''}{_default(part)} |"
        yield ""


def _argument(part: Any) -> str:
    name = part.metavar or part.name.upper()
    return name if part.required or name.startswith("[") else f"[{name}]"


def _option(part: Any) -> str:
    value = "" if part.is_flag else f" {part.metavar or _VALUES.get(part.type_descriptor.annotation, 'TEXT')}"
    return f"{', '.join(part.opts)}{value}"


_VALUES: dict[Any, str] = {int: "NUMBER", float: "NUMBER", Path: "PATH"}


def _default(part: Any) -> str:
    shown = part.default not in (None, False, "", [], ()) and not isinstance(part.default, Path) and not part.is_flag
    return f" Default: `{part.default}`." if shown else ""
