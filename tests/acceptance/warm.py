"""Commands in processes of their own that need not load the program again: each is forked off one that has.

What ``o2c`` does when it is started for real is tested where ``python -m hub.cli`` is run.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from multiprocessing.context import ForkServerContext
from pathlib import Path

from hub.cli.app import GROUPS, main

_context: ForkServerContext | None = None


def run(arguments: Sequence[str], folder: Path, environment: Mapping[str, str], stdin: bytes) -> tuple[int, str, str]:
    """The exit code of a command, what it wrote to standard output, and to standard error. Raises TimeoutError."""
    with tempfile.TemporaryDirectory(prefix="o2c-command-") as place:
        Path(place, "0").write_bytes(stdin)
        process = _forkserver().Process(target=_command, args=(list(arguments), str(folder), dict(environment), place))
        process.start()
        process.join(240)
        if process.exitcode is None:
            process.kill()
            raise TimeoutError(f"o2c {' '.join(arguments)} took over four minutes")
        out, err = (Path(place, name).read_text(encoding="utf-8") for name in "12")
        return process.exitcode, out, err


def _forkserver() -> ForkServerContext:
    global _context
    if _context is None:
        _context = multiprocessing.get_context("forkserver")
        _context.set_forkserver_preload(
            [f"hub.cli.{name}" for name in GROUPS] + ["hub.cli.hub_at_rest", "hub.api.application"]
        )
    return _context


def _command(arguments: list[str], folder: str, environment: dict[str, str], place: str) -> None:
    for number, flags in enumerate((os.O_RDONLY, os.O_WRONLY | os.O_CREAT, os.O_WRONLY | os.O_CREAT)):
        os.dup2(os.open(f"{place}/{number}", flags), number)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w", buffering=1)  # noqa: SIM115
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["o2c", *arguments]
    code: object = 1
    try:
        main(arguments)
    except SystemExit as stop:
        code = stop.code
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 0)
