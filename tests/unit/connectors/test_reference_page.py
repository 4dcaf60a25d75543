"""docs/reference/connectors.md says every setting, verdict and preset there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import connectors
from hub.cli.reference_pages import settings_table

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "reference" / "connectors.md").read_text()


@pytest.mark.parametrize("name", connectors.names())
def test_the_page_has_every_setting_of_a_connector(name: str) -> None:
    assert f"\n## {name}\n" in PAGE
    section = PAGE.split(f"\n## {name}\n")[1].split("\n## ")[0]
    assert settings_table(name) in section, "run: make docs"


@pytest.mark.parametrize("path", sorted((ROOT / "connectors" / "presets").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_page_names_every_preset(path: Path) -> None:
    assert f"| `{path.stem}` |" in PAGE


def test_the_page_names_every_refusal_of_the_door() -> None:
    files = ("api/ingest.py", "api/refusals.py", "api/short_way.py", "pipeline/pressure.py")
    code = "".join((ROOT / "hub" / path).read_text() for path in files)
    refusals = set(re.findall(r'(?:Refusal|Full|_refuse)\((\d{3}), "(\w+)"', code)) - {("200", "ping")}
    table = PAGE.partition("### What a sender is answered")[2].partition("\n\nAll but 2xx")[0]
    rows = re.findall(r"\| (\d{3}) (`\w+`(?:, `\w+`)*)", table)
    assert len(refusals) > 8
    assert {(status, name) for status, names in rows for name in re.findall(r"`(\w+)`", names)} == refusals
