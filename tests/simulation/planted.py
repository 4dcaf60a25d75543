"""Classic bugs as patches: a copy of the hub with one of them in it, and the simulation run over that copy."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
PATCHES = sorted((Path(__file__).parent / "bugs").glob("*.patch"))
_DATA = ("schemas", "mappings", "routes", "config")


def rule_of(patch: Path) -> str:
    """The rule that the bug breaks, as the simulation names it: the last line of what is said of the bug."""
    said = patch.read_text(encoding="utf-8").partition("\n\n--- ")[0].splitlines()[-1]
    assert said.startswith("rule: "), f"{patch.name}: write above the changes which rule it breaks: rule: ..."
    return said.removeprefix("rule: ")


def hub_with(patch: Path, folder: Path) -> Path:
    """A copy of the hub, in ``folder``, with a patch applied."""
    for package in ("hub", "connectors"):  # with what is compiled of it, but for what another process is just writing
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("*.pyc.*"))
    for name in _DATA:
        (folder / name).symlink_to(ROOT / name)
    apply(patch.read_text(encoding="utf-8"), folder, patch.name)
    return folder


def apply(patch: str, folder: Path, name: str) -> None:
    """Change files by a unified diff. A hunk is found by its text, wherever in the file that stands by now."""
    path, before, after = Path(), "", ""
    for line in [*patch.splitlines(), "@@"]:
        if line.startswith(("@@", "--- ")):
            _replace(folder / path, before, after, name)
            before = after = ""
        elif line.startswith("+++ b/"):
            path = Path(line.removeprefix("+++ b/"))
        elif path.name and line[:1] in (" ", "-", "+"):
            before += line[1:] + "\n" if line[0] != "+" else ""
            after += line[1:] + "\n" if line[0] != "-" else ""


def _replace(file: Path, before: str, after: str, name: str) -> None:
    if before == after:
        return
    text = file.read_text(encoding="utf-8")
    found = text.count(before)
    assert found == 1, f"{name}: this stands {found} times in {file.name}, write the patch anew:\n{before}"
    file.write_text(text.replace(before, after), encoding="utf-8")


def simulate(hub: Path, *arguments: str) -> Any:
    """``o2c simulate`` with that hub; what it prints as JSON."""
    command = [sys.executable, "-m", "hub.cli", "simulate", *arguments, "--json"]
    done = subprocess.run(
        command, cwd=hub, env={**os.environ, "PYTHONPATH": str(hub)}, capture_output=True, text=True, timeout=300
    )
    assert done.stdout, done.stderr
    return json.loads(done.stdout)
