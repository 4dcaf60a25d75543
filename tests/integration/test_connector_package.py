"""A package of somebody else brings a connector: built, installed without a network, found, tried, sent by."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

import connectors
from connectors.base import DELIVERED, Parcel
from hub.pipeline.connections import open_destination
from hub.settings import load_settings
from hub.yaml_schemas import yaml_schemas

PAGE = (Path(__file__).parents[2] / "docs/how-to/connectors.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def block(kind: str, word: str) -> str:
    """The block of the page that has this word in it."""
    [found] = [text for language, text in BLOCKS if language == kind and word in text]
    return found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the package of the page is installed: nowhere else is anything changed."""
    source = tmp_path_factory.mktemp("package")
    (source / "acme_connectors").mkdir()
    (source / "pyproject.toml").write_text(block("toml", "o2c.connectors"))
    (source / "acme_connectors/__init__.py").write_text("")
    (source / "acme_connectors/label_printer.py").write_text(block("python", "class Lines"))
    into = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install", "--no-index", "--no-deps"]
    built = subprocess.run(
        [*pip, "--no-build-isolation", "--target", str(into), str(source)], capture_output=True, text=True
    )
    assert built.returncode == 0, built.stderr
    return into


@pytest.fixture
def path(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Where packages are looked for; what was found there is forgotten afterwards."""
    _forget()
    yield monkeypatch
    _forget()


def _forget() -> None:
    connectors.names.cache_clear()
    connectors.connector.cache_clear()
    for name in [name for name in sys.modules if name.startswith("acme_connectors")]:
        del sys.modules[name]


@contextmanager
def receiver() -> Iterator[tuple[int, list[bytes]]]:
    """Takes one document after another."""
    came: list[bytes] = []
    with closing(socket.create_server(("127.0.0.1", 0))) as server:

        def take() -> None:
            for _ in range(2):
                line, _ = server.accept()
                with line, line.makefile("rb") as sent:
                    came.append(sent.read())
                    line.sendall(b"OK\n") if came[-1] else None

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        yield server.getsockname()[1], came
        thread.join(20)


def load(text: str) -> tuple[dict[str, object], list[str]]:
    settings, faults = load_settings({"config/systems.yaml": text.encode()})
    return dict(settings.systems), [str(fault) for fault in faults]


def test_it_is_found_by_its_entry_point_and_carries_documents(site: Path, path: pytest.MonkeyPatch) -> None:
    path.syspath_prepend(str(site))
    assert "label_printer" in connectors.names()
    assert connectors.origin("label_printer") == "acme-connectors 1.0"
    assert "label_printer" in yaml_schemas({})["hub/systems.schema.json"]["$defs"]
    with receiver() as (port, came):
        systems, faults = load(f"printer: {{connector: label_printer, host: 127.0.0.1, port: {port}}}")
        assert faults == []
        to = open_destination(systems["printer"], Path())
        try:
            assert to.check() == []
            ended: list[str] = []
            done = threading.Event()
            to.submit([Parcel("d", "d.1", b"{}")], lambda batch: (ended.append(batch[0][1].kind), done.set()))
            assert done.wait(20)
        finally:
            to.close()
    assert (ended, came) == ([DELIVERED], [b"", b"d.1\n{}"])


def test_its_settings_are_linted_and_without_it_its_name_is_unknown(site: Path, path: pytest.MonkeyPatch) -> None:
    text = "printer: {connector: label_printer, hots: x}"
    assert "unknown connector 'label_printer'; known: file, http, sftp, soap, webhook" in load(text)[1][0]
    _forget()
    path.syspath_prepend(str(site))
    assert "unknown key 'hots' in system 'printer'; did you mean 'host'?" in load(text)[1][0]


def test_the_program_lists_it_with_its_package(site: Path, tmp_path: Path) -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "hub.cli", "systems", "label_printer"], cwd=tmp_path, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(site)}, timeout=60,
    )  # fmt: skip
    assert listed.returncode == 0, listed.stderr
    assert "from: acme-connectors 1.0" in listed.stdout and "does: sends" in listed.stdout


def test_a_package_that_is_broken_is_told_and_breaks_nothing_else(
    site: Path, path: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    [package] = site.glob("acme_connectors-*.dist-info")
    (tmp_path / package.name).mkdir()
    for file in ("METADATA", "entry_points.txt"):
        (tmp_path / package.name / file).write_text((package / file).read_text())
    path.syspath_prepend(str(tmp_path))
    faults = load("printer: {connector: label_printer, host: x}\nfolder: {connector: file, root: data}")[1]
    assert len(faults) == 1
    assert "connector 'label_printer' cannot be loaded: No module named 'acme_connectors'" in faults[0]
    assert "label_printer" not in yaml_schemas({})["hub/systems.schema.json"]["$defs"]
