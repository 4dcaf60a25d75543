"""The documentation is true because it is read here: commands, links, files and examples in it exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from hub.cli import reference_pages
from hub.cli.app import GROUPS
from hub.formats import names as format_names
from hub.routes import load_routes
from hub.yamldoc import read_yaml

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAGES += sorted((ROOT / "hub/scaffold/start").glob("*.md"))
COMMANDS = {name for names in GROUPS.values() for name in names}
# Words that may stand after "o2c" in a sentence, a heading or an example of a caller's own key.
NOT_COMMANDS = {"COMMAND"}

LINK = re.compile(r"\[[^\]]+\]\(([^)#\s]+)(?:#[^)]*)?\)")
COMMAND = re.compile(r"(?<![\w./-])o2c ([A-Za-z]+(?:-[a-z]+)*)")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def pages() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        yield str(page.relative_to(ROOT)), page.read_text(encoding="utf-8")


MADE = {
    "cli.md": "## o2c demo", "configuration.md": "| `http.backlog` | integer",
    "connectors.md": "| `ping.begins` | text",
    "formats.md": "| `indent` | whole", "mapping.md": "**`upper(text)`**", "routes.md": "| `weight` | number",
}  # fmt: skip


@pytest.mark.parametrize("name", reference_pages.PAGES)
def test_what_is_made_of_a_reference_page_is_fresh(name: str) -> None:
    page = (ROOT / "docs/reference" / name).read_text(encoding="utf-8")
    assert reference_pages.PAGES[name](page) == page, "run: make docs"
    assert MADE[name] in page
    assert reference_pages.PAGES[name](page.replace(MADE[name], "| stale")) == page


def test_every_command_is_where_the_program_looks_for_it() -> None:
    modules = {group: import_module(f"hub.cli.{group}") for group in GROUPS}
    assert {
        group: tuple(command.__name__.replace("_", "-") for command in module.COMMANDS)
        for group, module in modules.items()
    } == GROUPS


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
        for target in LINK.findall(text)
        if "://" not in target and not ((ROOT / page).parent / target).exists()
    ]
    assert dead == []


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
