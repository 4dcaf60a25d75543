"""What is measured is the whole work: every entry is read, by the hub and by those it is compared with."""

from __future__ import annotations

from pathlib import Path

from benchmarks import xml_bank
from benchmarks.xml_bank_samples import statement


def test_the_hub_and_bare_lxml_go_over_every_entry(tmp_path: Path) -> None:
    path = tmp_path / "statement.xml"
    path.write_bytes(b"".join(statement(120)))
    for name in ("hub", "bare"):
        found = xml_bank._told(name, path)
        assert found is not None and found["entries"] == 120, name
