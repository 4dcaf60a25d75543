"""docs/reference/connectors.md says every setting, verdict and preset there is."""

from __future__ import annotations

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
