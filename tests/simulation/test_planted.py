"""The planted bugs fit the hub as it is, and say which rule they break. Whether each is found takes a minute:
test_bugs.py."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from planted import PATCHES, ROOT, apply, rule_of


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.stem)
def test_every_change_of_it_stands_once_in_its_file(patch: Path, tmp_path: Path) -> None:
    text = patch.read_text(encoding="utf-8")
    files = [line.removeprefix("+++ b/") for line in text.splitlines() if line.startswith("+++ b/")]
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    apply(text, tmp_path, patch.name)
    assert all((tmp_path / file).read_text() != (ROOT / file).read_text() for file in files)


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.stem)
def test_the_rule_that_it_breaks_is_one_of_the_simulation(patch: Path) -> None:
    known = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "hub/simulation").glob("*.py"))
    assert rule_of(patch) in re.findall(r'Violation\(\s*"([^"]+)"', known)
    assert rule_of(patch) != "no unforeseen error", "whatever goes wrong breaks that"
