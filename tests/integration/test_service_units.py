"""The units and the compose file of the documentation are what systemd and the command line understand."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from typer.main import get_command

from hub.cli.app import create_app
from hub.yamldoc import parse_yaml

FOLDER = Path(__file__).parent.parent.parent / "docs/how-to/scale-out"
PROGRAM = "/srv/o2c/.venv/bin/o2c"
UNITS = sorted(path.name for path in FOLDER.iterdir() if path.suffix in (".service", ".socket"))


def verified(folder: Path, names: list[str]) -> str:
    """What systemd says against units; they must name a program that is there."""
    if shutil.which("systemd-analyze") is None:
        raise FileNotFoundError("systemd-analyze is not installed; on Debian: apt-get install systemd")
    for name in UNITS:
        text = (FOLDER / name).read_text()
        (folder / name).write_text(text.replace(PROGRAM, str(Path(sys.executable).parent / "o2c")))
    wanted = [str(folder / name.replace("@.", "@1.")) for name in names]
    ended = subprocess.run(["systemd-analyze", "verify", *wanted], capture_output=True, text=True, timeout=60)
    return ended.stderr + ("" if ended.returncode == 0 else f"exit code {ended.returncode}")


def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    assert len(UNITS) == 5
    assert verified(tmp_path, UNITS) == ""


def test_a_mistake_in_a_unit_would_be_found(tmp_path: Path) -> None:
    assert verified(tmp_path, UNITS) == ""
    unit = tmp_path / "o2c-wrong.service"
    unit.write_text((tmp_path / "o2c-work.service").read_text().replace("KillMode=mixed", "KilMode=mixed"))
    ended = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, timeout=60)
    assert "KilMode" in ended.stderr


def commands() -> list[list[str]]:
    """Every command that a unit or the compose file starts the hub with."""
    lines = [line for name in UNITS for line in (FOLDER / name).read_text().splitlines()]
    found = [line.partition("=")[2].split()[1:] for line in lines if line.startswith("ExecStart=")]
    # Anchors are Docker's to understand; what is asked here stands in each service itself.
    plain = re.sub(r"&hub|<<: \*hub", "", (FOLDER / "compose.yaml").read_text())
    services: Any = parse_yaml(plain, "compose.yaml").data()
    for service in services["services"].values():
        command = service.get("command", [])
        if command[:1] == ["o2c"]:
            found.append([str(word) for word in command[1:]])
    return found


def test_every_command_of_the_units_is_one() -> None:
    program, seen = get_command(create_app()), set()
    for words in commands():
        command = program.commands[words[0]]  # type: ignore[attr-defined]
        command.make_context(words[0], list(words[1:]))
        seen.add(words[0])
    assert seen == {"run", "serve", "work", "sweep", "migrate"}
