"""The rules of the house that no linter knows: sizes, names, docstrings, what must never stand in a file."""

from __future__ import annotations

import ast
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PYTHON_FOLDERS = ("hub", "connectors", "tests", "benchmarks")
TOP_LEVEL = {
    "hub", "connectors", "tests", "benchmarks", "docs", "config", "routes", "mappings", "schemas",
    ".ci", ".gitignore", "Makefile", "pyproject.toml", "requirements.lock",
    "README.md", "CHANGELOG.md", "LICENSE",
}  # fmt: skip
REFUSED_NAMES = {"utils", "util", "helpers", "helper", "common", "core", "manager", "managers", "misc", "stuff"}
MAX_MODULE_LINES, MAX_FUNCTION_LINES = 400, 60
BINARY = {".png", ".jpg", ".gz", ".zip", ".db", ".pdf"}
# Written in two parts, so that this file does not hold what it looks for.
OPEN_WORK = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|HA" + r"CK)\b|[#/] ?XX" + r"X\b")  # alone it is a currency
MACHINE_PATHS = re.compile(r"(?<![\w.:/-])/(?:work|root|home|Users|opt)/[\w.-]+")
REGISTRY_HOSTS = re.compile(r"pypi\." + r"org|pythonhosted\." + r"org|npmjs\." + r"(?:org|com)|registry\." + r"yarnpkg")


@cache
def tracked() -> list[Path]:
    """Every file that is, or may become, part of the project."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )  # fmt: skip
    if listed.returncode == 0:
        paths = [ROOT / line for line in listed.stdout.splitlines()]
    else:
        hidden = (".venv", ".git", "__pycache__", "_cache", "build", "dist", ".hypothesis")
        paths = [path for path in ROOT.rglob("*") if not any(part.endswith(hidden) for part in path.parts)]
    return sorted({path for path in paths if path.is_file()})


def modules() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in PYTHON_FOLDERS]


def texts() -> Iterator[tuple[Path, str]]:
    for path in tracked():
        if path.suffix not in BINARY:
            yield path.relative_to(ROOT), path.read_text(encoding="utf-8", errors="replace")


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def places(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path}:{number}: {line.strip()[:80]}"
        for path, text in texts()
        if path.name != "requirements.lock"
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_module_is_over_its_limit() -> None:
    long = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in modules()}
    assert {name: lines for name, lines in long.items() if lines > MAX_MODULE_LINES} == {}


def test_no_function_is_over_its_limit() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in modules()
        for node in functions(path)
        if (node.end_lineno or 0) - node.lineno + 1 > MAX_FUNCTION_LINES
    ]
    assert long == []


def test_most_functions_of_the_hub_are_small() -> None:
    own = [path for path in modules() if path.relative_to(ROOT).parts[0] in ("hub", "connectors")]
    sizes = sorted((node.end_lineno or 0) - node.lineno + 1 for path in own for node in functions(path))
    assert sizes[len(sizes) // 2] <= 10
    assert sizes[int(len(sizes) * 0.95)] <= 30


def test_every_module_says_what_it_is_for() -> None:
    silent = [path for path in modules() if path.stat().st_size and not ast.get_docstring(ast.parse(path.read_text()))]
    assert [
        str(path.relative_to(ROOT)) for path in silent if path.name != "__init__.py" or "tests" not in path.parts
    ] == []


def test_names_say_what_a_thing_is() -> None:
    bad = [
        path
        for path in tracked()
        if {part.lower() for part in (path.stem, *path.relative_to(ROOT).parts)} & REFUSED_NAMES
    ]
    assert [str(path.relative_to(ROOT)) for path in bad] == []


def test_no_python_stands_among_the_data() -> None:
    data = ("routes", "mappings", "schemas", "config")
    bad = [path for path in tracked() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in data]
    assert [*bad, *(ROOT / "connectors/presets").glob("*.py")] == []


def test_the_top_level_holds_what_the_layout_names() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in tracked()} <= TOP_LEVEL


@pytest.mark.parametrize(
    ("what", "pattern"),
    [("open work", OPEN_WORK), ("a path of one machine", MACHINE_PATHS), ("a package registry", REGISTRY_HOSTS)],
)  # fmt: skip
def test_no_file_holds(what: str, pattern: re.Pattern[str]) -> None:
    assert places(pattern) == [], what


def test_no_error_is_swallowed() -> None:
    silent = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler)
        and _is_broad(node)
        and all(isinstance(line, ast.Pass) for line in node.body)
    ]
    assert silent == []


def _is_broad(node: ast.ExceptHandler) -> bool:
    return node.type is None or (isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException"))


def test_formats_open_nothing() -> None:
    """A codec makes documents of bytes; whoever calls it has read those."""
    doors = {"asyncio", "httpx", "os", "pathlib", "shutil", "socket", "subprocess", "tempfile"}
    found = [
        f"{path.name}:{node.lineno}"
        for path in (ROOT / "hub/formats").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if _calls(node) in ("open", "print", "input") or doors & _imported(node)
    ]
    assert found == []


def _calls(node: ast.AST) -> str:
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""


def _imported(node: ast.AST) -> set[str]:
    if isinstance(node, ast.ImportFrom):
        return {(node.module or "").partition(".")[0]}
    return {name.name.partition(".")[0] for name in node.names} if isinstance(node, ast.Import) else set()


def test_connectors_know_nothing_of_the_hub() -> None:
    knowing = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "connectors").rglob("*.py")
        if re.search(r"^\s*(?:from|import) hub\b", path.read_text(), re.MULTILINE)
    ]
    assert knowing == []


def test_all_tests_can_run_in_one_call() -> None:
    """Of several modules of one name only the first is imported: what tests share has a name of its own."""
    paths = [path for path in modules() if path.relative_to(ROOT).parts[0] == "tests"]
    names = Counter(path.stem for path in paths if path.stem != "conftest")
    assert [name for name, count in names.items() if count > 1] == []
    assert places(re.compile(r"^\s*(?:from|import) conftest\b", re.MULTILINE)) == []


def test_every_pin_of_the_lock_file_is_exact_and_names_no_place() -> None:
    pins = [line for line in (ROOT / "requirements.lock").read_text().splitlines() if line and not line.startswith("#")]
    assert [pin for pin in pins if not re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9_.+-]+(; .+)?", pin)] == []
