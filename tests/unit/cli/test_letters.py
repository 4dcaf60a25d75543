"""What is printed where standard output cannot write every letter, as in a locale that is not UTF-8."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from hub.cli import app


def printed(monkeypatch: pytest.MonkeyPatch, *words: str, encoding: str = "latin-1") -> str:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding))
    with pytest.raises(SystemExit, match="1"):
        app.main(words)
    return raw.getvalue().decode(encoding)


@pytest.fixture
def faulty(tmp_path: Path) -> str:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/hub.yaml").write_text("store: mysql://é\U0001f600\n", encoding="utf-8")
    return str(tmp_path)


def test_a_letter_that_cannot_be_written_is_shown_by_its_number(monkeypatch: pytest.MonkeyPatch, faulty: str) -> None:
    told = printed(monkeypatch, "check", "--project", faulty)
    assert "postgresql://\\u2026 or a secret reference, got 'mysql://é\\U0001f600'" in told


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "utf-8"])
def test_json_is_whole_in_every_encoding(monkeypatch: pytest.MonkeyPatch, faulty: str, encoding: str) -> None:
    told = printed(monkeypatch, "check", "--json", "--project", faulty, encoding=encoding)
    assert "got 'mysql://é\U0001f600'" in json.loads(told)[0]["message"]
