"""What ``o2c doctor --conservation`` says where numbers do not add up, which no hub makes them do on purpose."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hub.cli.app import main
from hub.store.conservation import Finding

FOUND = Finding("deliveries without a message", 2, 0, "d-17")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "shop"
    for command in (["init", str(folder)], ["deploy", "-C", str(folder)]):
        with pytest.raises(SystemExit) as ended:
            main(command)
        assert not ended.value.code
    monkeypatch.setattr("hub.store.conservation.check", lambda db: [FOUND])
    return folder


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_what_does_not_add_up_is_told(
    project: Path, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "--conservation", "-C", str(project), *options])
    assert ended.value.code == 1
    out = capsys.readouterr().out
    if options:
        told = {"what": "deliveries without a message", "seen": 2, "expected": 0, "example": "d-17"}
        said = json.loads(out)
        assert (said["findings"], said["holds"]) == ([told], False)
    else:
        assert "fault: 2 deliveries without a message, expected 0, e.g. d-17" in out
