"""The wheel holds all the hub needs, and works where there is no checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from program import new_project, started, wait_for

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    into = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-build-isolation",
        "--no-deps",
        "-w",
        str(into),
        str(ROOT),
    ]
    built = subprocess.run(command, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    return next(into.glob("o2c_hub-*.whl"))


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    into = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(into)
    return into


def run(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """One command of the installed package; nothing of the checkout is on its path before it."""
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    environment.pop("O2C_URL", None)
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        "hub/cli/app.py",
        "hub/store/migrations/sqlite/0001_first.sql",
        "hub/scaffold/start/sample-order.json",
        "hub/scaffold/start/gitignore",
        "hub/reference/config/hub.yaml",
        "hub/reference/routes/orders.yaml",
        "hub/reference/mappings/orders/shopify-order.yaml",
        "hub/reference/mappings/tables/units.csv",
        "hub/reference/schemas/canonical/v1/order.schema.json",
        "hub/reference/schemas/codes/iso4217.csv",
        "connectors/http.py",
        "connectors/presets/shopify.yaml",
    ],
)
def test_the_wheel_holds(names: set[str], name: str) -> None:
    assert name in names


def test_every_data_file_of_the_packages_travels(names: set[str]) -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "hub", "connectors"],
        cwd=ROOT, capture_output=True, text=True,
    ).stdout.splitlines()  # fmt: skip
    assert [path for path in listed if (ROOT / path).is_file() and path not in names] == []


def test_the_wheel_holds_nothing_else(names: set[str]) -> None:
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"hub", "connectors"}
    assert [name for name in names if name.endswith((".db", ".pyc", ".log")) or "/.o2c" in name] == []


def test_the_licence_and_the_readme_are_in_its_metadata(wheel: Path, names: set[str]) -> None:
    assert any(name.endswith("licenses/LICENSE") for name in names)
    with zipfile.ZipFile(wheel) as archive:
        metadata = archive.read(next(name for name in names if name.endswith("METADATA"))).decode()
    assert "License-Expression: Apache-2.0" in metadata
    assert "# o2c-hub" in metadata


def test_the_installed_package_finds_its_own_files(installed: Path, tmp_path: Path) -> None:
    asked = "from hub.reference import reference_root; print(reference_root())"
    said = run(installed, tmp_path, "-c", asked)
    assert Path(said.stdout.strip()) == installed / "hub/reference", said.stderr


def test_the_installed_package_makes_a_project_without_faults(installed: Path, tmp_path: Path) -> None:
    made = run(installed, tmp_path, "-m", "hub.cli", "init", "shop")
    assert made.returncode == 0, made.stderr
    checked = run(installed, tmp_path / "shop", "-m", "hub.cli", "check")
    assert (checked.returncode, checked.stdout) == (0, ""), checked.stdout
    mapped = run(installed, tmp_path / "shop", "-m", "hub.cli", "map", "shopify-order", "sample-order.json")
    assert mapped.returncode == 0, mapped.stderr


def test_the_hub_of_the_installed_package_takes_an_order_to_its_targets(installed: Path, tmp_path: Path) -> None:
    project = new_project(tmp_path, "shop")
    with started(project, PYTHONPATH=str(installed), PYTHONSAFEPATH="1"):
        sent = run(installed, project, "-m", "hub.cli", "send", "webshop", "sample-order.json")
        assert sent.returncode == 0, sent.stderr
        [item] = wait_for(project, 1)
        assert {line["state"] for line in item["deliveries"]} == {"delivered"}
        assert len(list((project / "data/outbox").rglob("*.json"))) == 2


def test_the_installed_package_says_that_benchmarks_need_a_checkout(installed: Path, tmp_path: Path) -> None:
    said = run(installed, tmp_path, "-m", "hub.cli", "bench", "hub")
    assert said.returncode == 2
    assert "the benchmarks are not part of the installed package" in said.stderr
