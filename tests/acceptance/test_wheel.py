"""The wheel names and holds all the hub needs: it works where nothing is but what it asks for."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from program import give_port, started, wait_for

from hub.client import client_for

ROOT = Path(__file__).parent.parent.parent
# Nothing of the checkout is on the path, no other hub is named.
ENVIRONMENT = {
    name: value for name, value in os.environ.items() if not name.startswith("O2C_") and not name.startswith("PYTHON")
}  # fmt: skip
OF_EXTRAS = {"paramiko", "pika", "pypdf", "redis", "saxonche", "zeep"}


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
    """The programs of an environment of its own, which holds the wheel and what it asks for, and nothing else."""
    into = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", str(into)], check=True)
    command = [into / "bin/python", "-m", "pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check"]
    pins = ["--constraint", str(ROOT / "requirements.lock")]
    done = subprocess.run([*command, *pins, str(wheel)], env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return into / "bin"


def run(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """One command of the environment."""
    program, *rest = arguments
    return subprocess.run(
        [installed / program, *rest], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=60
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
    said = run(installed, tmp_path, "python", "-c", asked)
    root = Path(said.stdout.strip())
    assert root.is_relative_to(installed.parent) and root.match("hub/reference"), said.stderr


def imported() -> set[str]:
    """What modules of the packages import of others, also when they come to it only."""
    found = set()
    for path in [*(ROOT / "hub").rglob("*.py"), *(ROOT / "connectors").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                found |= {name.name.partition(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found


def test_all_that_it_imports_is_installed_with_it_but_for_what_is_of_extras(installed: Path, tmp_path: Path) -> None:
    asked = f"from importlib.util import find_spec; print(*(name for name in {imported()} if not find_spec(name)))"
    said = run(installed, tmp_path, "python", "-c", asked)
    assert set(said.stdout.split()) == OF_EXTRAS, said.stdout + said.stderr


def test_the_installed_package_makes_a_project_without_faults(installed: Path, tmp_path: Path) -> None:
    made = run(installed, tmp_path, "o2c", "init", "shop")
    assert made.returncode == 0, made.stderr
    checked = run(installed, tmp_path / "shop", "o2c", "check")
    assert (checked.returncode, checked.stdout) == (0, ""), checked.stdout
    mapped = run(installed, tmp_path / "shop", "o2c", "map", "shopify-order", "sample-order.json")
    assert mapped.returncode == 0, mapped.stderr


def test_the_hub_of_the_installed_package_takes_an_order_to_its_targets(installed: Path, tmp_path: Path) -> None:
    assert run(installed, tmp_path, "o2c", "init", "shop").returncode == 0
    project = tmp_path / "shop"
    give_port(project)
    with started(project, program=[str(installed / "o2c")], PYTHONPATH=""):
        unsigned = client_for(project).request("POST", "/in/webshop", b"{}", {"Content-Type": "application/json"})
        assert (unsigned.status, unsigned.json()["code"]) == (401, "missing_signature")
        sent = run(installed, project, "o2c", "send", "webshop", "sample-order.json")
        assert sent.returncode == 0, sent.stderr
        [item] = wait_for(project, 1)
        assert {line["state"] for line in item["deliveries"]} == {"delivered"}
        assert len(list((project / "data/outbox").rglob("*.json"))) == 2


def test_the_installed_package_says_that_benchmarks_need_a_checkout(installed: Path, tmp_path: Path) -> None:
    said = run(installed, tmp_path, "o2c", "bench", "hub")
    assert said.returncode == 2
    assert "the benchmarks are not part of the installed package" in said.stderr
