"""The stores that one suite runs over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from store_steps import EMBEDDED

from hub.store import Store, open_store


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "sqlite":
        yield EMBEDDED
        return
    with request.getfixturevalue("postgres").lent() as address:
        yield address


@pytest.fixture
def store(url: str, tmp_path: Path) -> Iterator[Store]:
    opened = open_store(url, tmp_path)
    yield opened
    opened.close()
