"""``o2c bench``: the measured claims, from a checkout (the scripts do not travel in the wheel)."""

from __future__ import annotations

import subprocess
import sys
from typing import Annotated

import typer

from hub.cli.terminal import Json, finish
from hub.errors import UsageError
from hub.reference import reference_root
from hub.yamldoc import did_you_mean

_MODULES = {
    "hub": "benchmarks.hub", "mapping": "benchmarks.mapping", "edi": "benchmarks.edi", "scale": "benchmarks.scale",
    "backtest": "benchmarks.backtest", "xml": "benchmarks.xml",
}  # fmt: skip


def bench(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="What is measured: hub (one process), mapping, backtest, edi, xml, scale (several)."
        ),
    ] = "hub",
    quick: Annotated[bool, typer.Option("--quick", help="Short runs, for working on it; not worth quoting.")] = False,
    as_json: Json = False,
) -> None:
    """Run a benchmark and print each claim with what was measured; exit 1 if one does not hold."""
    if name not in _MODULES:
        raise UsageError(f"unknown benchmark '{name}'{did_you_mean(name, _MODULES)}")
    root = reference_root()
    if not (root / "benchmarks").is_dir():
        raise UsageError("the benchmarks are not part of the installed package; run this in a checkout of the project")
    options = [*(["--quick"] if quick else []), *(["--json"] if as_json else [])]
    command = [sys.executable, "-m", _MODULES[name], *options]
    finish(subprocess.run(command, cwd=root, check=False).returncode != 0)  # noqa: S603 - our own script


COMMANDS = (bench,)
