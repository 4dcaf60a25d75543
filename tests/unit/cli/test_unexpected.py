"""What a command leaves behind that fails in a way that nobody foresaw."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from hub.cli import app
from hub.scaffold import create_project


def test_the_log_of_an_unexpected_error_is_for_its_owner_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(name: str) -> None:
        raise RuntimeError("boom")

    (tmp_path / ".o2c").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(app, "create_app", fails)
    before = os.umask(0o022)
    try:
        for _ in range(2):
            with pytest.raises(SystemExit, match="1"):
                app.main(["check"])
    finally:
        os.umask(before)
    log = tmp_path / ".o2c/error.log"
    assert "details are in .o2c/error.log" in capsys.readouterr().err
    assert log.read_text().count("RuntimeError: boom") == 2
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_an_argument_that_is_no_text_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    create_project(tmp_path / "project")
    with pytest.raises(SystemExit, match="2"):
        app.main(["backup", "copy-\udcff.db", "--project", str(tmp_path / "project")])
    assert capsys.readouterr().err.strip() == "o2c: 'copy-\ufffd.db' is not UTF-8; write another name"
