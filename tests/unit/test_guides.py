"""What guides show is in order: systems pass the check, and the tutorial's repair leaves a project without fault."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hub.check import check_project
from hub.errors import Fault
from hub.expressions import expression_faults, expressions_of_system
from hub.outcome import CLASSES
from hub.project import reference_files
from hub.scaffold import start_files
from hub.states import DELIVERY_STATES, MESSAGE_STATES, RECEIPT_STATES
from hub.systems import load_systems
from hub.yaml_schemas import yaml_schemas
from hub.yamldoc import read_yaml

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
HOST_KEY = '"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ"'
# What a guide shows of a system that it has shown before stands below the same.
BEFORE = {
    "how-to/polling.md": "shop:\n  connector: http\n  base_url: https://shop.example\n",
    "how-to/sftp.md": f"acme:\n  connector: sftp\n  host: acme.example\n  host_key: {HOST_KEY}\n  user: hub\n"
    "  key: secret://file/acme\n",
}


def shown(page: str) -> list[str]:
    """The blocks of YAML that are systems, each a file."""
    blocks = re.findall(r"^```yaml\n(.*?)^```", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)
    blocks = [BEFORE[page] + block if block.startswith("  fetch:") else block for block in blocks]
    return [block for block in blocks if re.search(r"^  (connector|preset): ", block, re.MULTILINE)]


@pytest.mark.parametrize(
    ("page", "count"),
    [
        ("how-to/collect.md", 2),
        ("how-to/partners.md", 1),
        ("how-to/polling.md", 5),
        ("how-to/sap-invoice-bank.md", 1),
        ("how-to/sftp.md", 5),
        ("how-to/shop-erp-bank.md", 3),
        ("how-to/soap.md", 2),
        ("reference/configuration.md", 1),
        ("reference/connectors.md", 4),
    ],
)
def test_the_systems_that_a_guide_shows_have_no_fault(page: str, count: int) -> None:
    faults: list[Fault] = []
    blocks = shown(page)
    for block in blocks:
        root, found = read_yaml(block, "config/systems.yaml")
        faults += found
        for system in load_systems(root, reference_files(), None, faults).values():
            faults += expression_faults(expressions_of_system(system))
    assert len(blocks) == count
    assert [str(fault) for fault in faults] == []


@pytest.mark.parametrize("page", ["how-to/soap.md", "reference/mapping.md"])
def test_the_mappings_that_a_page_shows_whole_have_no_fault_in_a_new_project(page: str) -> None:
    blocks = re.findall(r"^```yaml\n(mapping: ([a-z-]+).*?)^```", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)
    own = start_files() | {f"mappings/{name}.yaml": text.encode() for text, name in blocks if "\noutput:" in text}
    assert len(own) > len(start_files())
    assert [str(fault) for fault in check_project({**reference_files(), **own}, own=set(own)).errors] == []


def test_what_the_tutorial_adds_to_a_table_is_no_fault() -> None:
    row = re.search(r"^```csv\n(.*?)```", (DOCS / "tutorial/first-route.md").read_text(), re.MULTILINE | re.DOTALL)
    files = {**reference_files(), **start_files()}
    own = set(start_files())
    assert row is not None
    files["mappings/tables/units.csv"] = files["mappings/tables/units.csv"].rstrip() + b"\n" + row[1].encode()
    assert [str(fault) for fault in check_project(files, own=own).faults] == []


def test_every_schema_for_editors_is_named() -> None:
    editors = (DOCS / "how-to/editors.md").read_text()
    command = (DOCS / "reference/cli.md").read_text().partition("## o2c schema\n")[2].partition("\n## ")[0]
    names = [Path(path).name.removesuffix(".schema.json") for path in yaml_schemas(reference_files())]
    assert len(names) > 8
    assert [name for name in names if f"hub/{name}.schema.json" not in editors] == []
    assert [name for name in names if not re.search(rf"[ ,]{name}[,;]", command)] == []


@pytest.mark.parametrize(
    ("part", "names"),
    [
        ("Receipts", RECEIPT_STATES),
        ("Messages", MESSAGE_STATES),
        ("Deliveries", DELIVERY_STATES),
        ("Error classes", CLASSES),
    ],
)
def test_every_state_and_class_is_explained(part: str, names: tuple[str, ...]) -> None:
    page = (DOCS / "reference/states.md").read_text().partition(f"## {part}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`[^|]*`) \|", page, re.MULTILINE)
    assert sorted(re.findall(r"`([a-z_]+)`", " ".join(rows))) == sorted(names)


def test_every_metric_is_explained_to_operators() -> None:
    names = set(re.findall(r'"(o2c_\w+)"', (ROOT / "hub/metrics.py").read_text()))
    page = (DOCS / "how-to/operate.md").read_text()
    assert len(names) > 20
    assert sorted(name for name in names if not re.search(rf"`{name}(_total)?[`{{]", page)) == []


@pytest.mark.parametrize(
    ("page", "begins", "path"),
    [
        ("edi-grammars.md", "title: Orders of Acme\n", "schemas/edifact/acme/ORDERS.yaml"),
        ("edi-grammars.md", "uses:\n", "schemas/edifact/acme/ORDERS.yaml"),
        ("idoc.md", "# yaml-language-server", "schemas/idoc/acme/ZORDERS.yaml"),
        ("profiles.md", "- profile: our-invoice", "schemas/profiles/own.yaml"),
    ],
)
def test_the_schemas_of_ones_own_that_the_reference_shows_have_no_fault(page: str, begins: str, path: str) -> None:
    blocks = re.findall(r"^```yaml\n(.*?)^```", (DOCS / "reference" / page).read_text(), re.MULTILINE | re.DOTALL)
    [block] = [block for block in blocks if block.startswith(begins)]
    block = block if begins != "uses:\n" else f"title: Orders\nextends: edifact/D96A/ORDERS\n{block}"
    own = start_files() | {path: block.encode()}
    assert [str(fault) for fault in check_project({**reference_files(), **own}, own=set(own)).faults] == []
