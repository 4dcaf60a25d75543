"""The documentation is true because it is read here: commands, links, files and examples in it exist."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from mockedi.partners import BEHAVIOURS

from hub.cli import reference_pages
from hub.cli.app import GROUPS
from hub.formats import names as format_names
from hub.routes import load_routes
from hub.yamldoc import parse_yaml, read_yaml

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES += sorted((ROOT / "hub/scaffold/start").glob("*.md"))
COMMANDS = {name for names in GROUPS.values() for name in names}
# Words that may stand after "o2c" in a sentence, a heading or an example of a caller's own key.
NOT_COMMANDS = {"COMMAND"}

LINK = re.compile(r"\[[^\]]+\]\(([^)#\s]*)(?:#([^)\s]*))?\)")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
COMMAND = re.compile(r"(?<![\w./-])o2c ([A-Za-z]+(?:-[a-z]+)*)")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def pages() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        yield str(page.relative_to(ROOT)), page.read_text(encoding="utf-8")


MADE = {
    "canonical.md": "| `order` | A buyer's", "cli.md": "## o2c demo",
    "configuration.md": "| `http.backlog` | integer",
    "connectors.md": "| `ping.begins` | text",
    "formats.md": "| `indent` | whole", "functions.md": "**`upper(text)`**", "routes.md": "| `weight` | number",
    "profiles.md": "| `peppol-bis-3` | Peppol BIS", "tests.md": "| `cases[].record` | integer",
}  # fmt: skip


@pytest.mark.parametrize("name", reference_pages.PAGES)
def test_what_is_made_of_a_reference_page_is_fresh(name: str) -> None:
    page = (ROOT / "docs/reference" / name).read_text(encoding="utf-8")
    assert reference_pages.PAGES[name](page) == page, "run: make docs"
    assert MADE[name] in page
    assert reference_pages.PAGES[name](page.replace(MADE[name], "| stale")) == page


def test_the_page_of_commands_is_the_same_whatever_machine_makes_it() -> None:
    program = "import os; os.cpu_count = lambda: 7; from hub.cli.reference import render; print(render(), end='')"
    made = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, encoding="utf-8", check=True)
    assert made.stdout == (ROOT / "docs/reference/cli.md").read_text(encoding="utf-8")


def test_every_command_is_where_the_program_looks_for_it() -> None:
    modules = {group: import_module(f"hub.cli.{group}") for group in GROUPS}
    assert {
        group: tuple(command.__name__.replace("_", "-") for command in module.COMMANDS)
        for group, module in modules.items()
    } == GROUPS


def test_every_misbehaviour_that_mock_edi_knows_has_a_row_and_is_played() -> None:
    page = (ROOT / "docs/reference/edi-misbehaviours.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z-]+)`: ", page, re.MULTILINE)
    assert sorted(rows) == sorted(BEHAVIOURS)
    played = (ROOT / "tests/acceptance/test_mock_edi.py").read_text(encoding="utf-8")
    assert [name for name in rows if f'"{name}"' not in played] == []


def _mapping_rows() -> set[tuple[str, str, str, str]]:
    """(message, canonical type, direction, mapping or "") of each row of the page of EDI mappings."""
    page = (ROOT / "docs/reference/edi-mappings.md").read_text(encoding="utf-8")
    rows = set()
    for message, kind, there, back in re.findall(
        r"^\| ([0-9A-Z]\S*)[^|]* \| (\w+)[^|]*\|([^|]*)\|([^|]*)\|", page, re.MULTILINE
    ):
        for direction, cell in (("in", there), ("out", back)):
            named = re.match(r" *`([a-z0-9-]+)`", cell)
            rows.add((message.rstrip(","), kind, direction, named[1] if named else ""))
    return rows


def test_the_page_of_edi_mappings_names_each_with_its_message_and_type() -> None:
    there = set()
    for path in (*ROOT.glob("mappings/edifact/*.yaml"), *ROOT.glob("mappings/x12/*.yaml")):
        if not path.name.endswith(".test.yaml"):
            data = parse_yaml(path.read_text(encoding="utf-8"), path.name).data()
            reads = "format" in data["source"]
            message, kind = (
                data[side]["schema"].rpartition("/")[2]
                for side in (("source", "target") if reads else ("target", "source"))
            )
            there.add((message, kind, "in" if reads else "out", data["mapping"]))
    assert {row for row in _mapping_rows() if row[3]} == there


def test_what_has_no_edi_mapping_one_way_has_a_reason() -> None:
    page = (ROOT / "docs/reference/edi-mappings.md").read_text(encoding="utf-8")
    told = set(re.findall(r"\*\*(\w+)\*\*", page.partition("## One way only, or none")[2]))
    rows = _mapping_rows()
    shared = {"segments", "composites", "elements", "codes"}
    grammars = {path.stem for path in ROOT.glob("schemas/[ex]*/*/*.yaml")} - shared
    assert {message for message, _, _, mapping in rows if not mapping} | grammars - {row[0] for row in rows} == told


def test_the_page_of_idoc_mappings_names_each_with_its_type() -> None:
    page = (ROOT / "docs/reference/idoc-mappings.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([A-Z0-9]+) \| (\w+) \| `([a-z-]+)` \| `([a-z-]+)` \|", page, re.MULTILINE)
    told = {(name, f"idoc/{idoc}", f"canonical/{kind}") for idoc, kind, *both in rows for name in both}
    there = set()
    for path in ROOT.glob("mappings/idoc/*.yaml"):
        if not path.name.endswith(".test.yaml"):
            data = parse_yaml(path.read_text(encoding="utf-8"), path.name).data()
            there.add((data["mapping"], *sorted((data[side]["schema"] for side in ("source", "target")), reverse=True)))
    assert told == there


def test_the_page_of_logistics_mappings_names_each_and_all_of_its_columns() -> None:
    page = (ROOT / "docs/reference/logistics-mappings.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \|(.*)$", page, re.MULTILINE)
    told = {name: set(re.findall(r"\w+", row)) for name, row in rows}
    for path in (path for name in ("wms", "tms", "pos") for path in ROOT.glob(f"mappings/{name}-*/*.yaml")):
        if not path.name.endswith(".test.yaml"):
            data = parse_yaml(path.read_text(encoding="utf-8"), path.name).data()
            assert _columns(data) - told[data["mapping"]] == set(), data["mapping"]


def _columns(mapping: dict[str, Any]) -> set[str]:
    """Those of the CSV file that a mapping reads or writes; none where it is another file."""
    schema = mapping["source"].get("schema", "")
    if mapping["source"].get("format") != "csv":
        return set(mapping["target"].get("columns", ()))
    properties = json.loads((ROOT / f"schemas/{schema}.schema.json").read_text(encoding="utf-8"))["properties"]
    rows = properties.pop("rows", {"items": {"properties": {}}})["items"]["properties"]
    return {*properties, *rows}


def test_every_command_is_in_the_reference() -> None:
    page = (ROOT / "docs/reference/cli.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"## o2c {name}\n" not in page] == []


def test_every_command_that_a_page_names_exists() -> None:
    unknown = {f"{page}: o2c {word}" for page, text in pages() for word in COMMAND.findall(_code(text))}
    assert {entry for entry in unknown if entry.rpartition(" ")[2] not in COMMANDS | NOT_COMMANDS} == set()


def _code(text: str) -> str:
    """What stands in code: fenced, indented, or between backticks."""
    blocks = [block for _, block in BLOCK.findall(text)]
    lines = [line for line in text.splitlines() if line.startswith("    ")]
    return "\n".join([*blocks, *lines, *re.findall(r"`([^`\n]+)`", BLOCK.sub("", text))])


def test_every_link_to_a_file_leads_somewhere() -> None:
    dead = [
        f"{page}: {target}"
        for page, text in pages()
        for target, _ in LINK.findall(text)
        if "://" not in target and not ((ROOT / page).parent / target).exists()
    ]
    assert dead == []


def test_every_link_to_a_part_of_a_page_leads_there() -> None:
    dead = [
        f"{page}: {target}#{part}"
        for page, text in pages()
        for target, part in LINK.findall(text)
        if part and "://" not in target and part not in _parts((ROOT / page).parent / target if target else ROOT / page)
    ]
    assert dead == []


def _parts(page: Path) -> set[str]:
    """What a link to the page may name: its headings, as sites that show Markdown name them."""
    times: Counter[str] = Counter()
    names = set()
    for heading in HEADING.findall(BLOCK.sub("", page.read_text(encoding="utf-8"))):
        name = re.sub(r"[^\w -]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()).replace(" ", "-")
        names.add(f"{name}-{times[name]}" if times[name] else name)
        times[name] += 1
    return names


def test_every_make_target_that_a_page_names_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {(page, word) for page, text in pages() for word in re.findall(r"\bmake ([a-z]+)\b", _code(text))}
    assert {entry for entry in named if entry[1] not in targets} == set()


def test_every_format_has_its_place_in_the_reference() -> None:
    page = (ROOT / "docs/reference/formats.md").read_text(encoding="utf-8")
    assert [name for name in format_names() if name not in page] == []


def test_the_route_of_the_readme_is_the_one_of_the_reference_project() -> None:
    shown = next(block for kind, block in BLOCK.findall(_readme()) if kind == "yaml" and block.startswith("route:"))
    routes, faults = load_routes({"routes/readme.yaml": shown.encode()})
    reference, _ = load_routes({"routes/orders.yaml": (ROOT / "routes/orders.yaml").read_bytes()})
    assert faults == []
    assert [(r.name, r.system, r.events, r.map, len(r.targets), r.retry) for r in routes] == [
        (r.name, r.system, r.events, r.map, len(r.targets), r.retry) for r in reference[:1]
    ]


def test_the_mapping_of_the_readme_is_part_of_the_reference_project() -> None:
    shown = next(block for kind, block in BLOCK.findall(_readme()) if kind == "yaml" and block.startswith("output:"))
    mapping = [line.strip() for line in (ROOT / "mappings/orders/shopify-order.yaml").read_text().splitlines()]
    assert [line for line in shown.splitlines() if line.strip() not in mapping] == []


def _readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "page",
    [path for path in PAGES if "```yaml" in path.read_text() and "reference/mapping" not in str(path)],
    ids=lambda path: path.name,
)
def test_yaml_in_a_page_is_yaml(page: Path) -> None:
    for number, (kind, block) in enumerate(BLOCK.findall(page.read_text(encoding="utf-8"))):
        if kind in ("yaml", "yml"):
            assert read_yaml(block, f"{page.name} (block {number + 1})")[1] == []


def test_the_changelog_starts_with_what_is_not_released_yet() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[0] == "Unreleased" or re.fullmatch(r"\d+\.\d+\.\d+ .*", headings[0])
