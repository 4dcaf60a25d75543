"""How a command ends whose result nobody reads to the end, or that is broken off: a code, and no words of Python's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from hub.cli import app


def ended(stdout: int, *arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "hub.cli", *arguments]
    usual = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    done = subprocess.run(command, env=usual, stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=60)
    return done.returncode, done.stderr


@pytest.mark.parametrize("arguments", [("--version",), ("schema", "canonical/order")])
def test_a_closed_pipe_ends_a_command_without_a_word(arguments: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        assert ended(writing, *arguments) == (1, "")
    finally:
        os.close(writing)


def test_a_result_there_is_no_room_for_is_told() -> None:
    with Path("/dev/full").open("wb") as full:
        assert ended(full.fileno(), "--version") == (1, "o2c: No space left on device\n")


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def check() -> None:
    """Work that is broken off."""
    interrupted()


@pytest.mark.parametrize("load", [interrupted, lambda _: SimpleNamespace(COMMANDS=(check,))])
def test_ctrl_c_ends_a_command_alike_whether_it_is_loaded_or_at_work(
    load: object, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(app, "import_module", load)
    with pytest.raises(SystemExit) as stop:
        app.main(["check"])
    assert stop.value.code == 130
    assert tuple(capfd.readouterr()) == ("", "")
