"""Commands whose standard streams are closed, or have no end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hub.cli import terminal
from hub.errors import UsageError

O2C = [sys.executable, "-m", "hub.cli"]


def test_standard_input_that_is_closed_holds_nothing() -> None:
    ended = subprocess.run(
        ["sh", "-c", '"$@" <&-', "sh", *O2C, "decode", "json", "-"], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, "unexpected" in ended.stderr) == (1, False)


@pytest.mark.parametrize("command", [["schema", "route"], ["init", "project"]])
def test_standard_output_that_is_closed_is_no_fault(tmp_path: Path, command: list[str]) -> None:
    ended = subprocess.run(
        ["sh", "-c", '"$@" >&-', "sh", *O2C, *command], cwd=tmp_path, stderr=subprocess.PIPE, text=True, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_of_what_has_no_end_no_more_is_read_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "MAX_INPUT", 1000)
    with pytest.raises(UsageError, match="/dev/zero: more than 1000 bytes"):
        terminal.read_input(Path("/dev/zero"))
