"""``o2c test``: the cases beside mappings and routes, what differs, and what no case reached."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.text import Text

from hub.cases import SUFFIX, TestFile, file_faults, read_cases, subject_of, test_files
from hub.cli.terminal import Json, ProjectFolder, complain, counted, finish, plain, say_json
from hub.cli.workplace import Workplace, environment_name, open_workplace
from hub.errors import ProjectError, UsageError
from hub.golden import Bench, Coverage, Result, jobs_of, run
from hub.golden.junit import junit_xml
from hub.golden.page import coverage_page, summary
from hub.golden.telling import result_dict, result_lines
from hub.golden.update import Update, update_of
from hub.mapping import BRANCH, EXPRESSION

_MOST_PLACES = 40  # that never ran, told one by one


def test(
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="[PATHS]...", help="Files, or folders, to test; none: all.")
    ] = None,
    pattern: Annotated[str, typer.Option("-k", metavar="TEXT", help="Only cases with this in name or file.")] = "",
    update: Annotated[bool, typer.Option("--update", help="Write what was seen as what is expected.")] = False,
    no_properties: Annotated[
        bool, typer.Option("--no-properties", help="Leave out what is tried with fields taken away.")
    ] = False,
    seed: Annotated[int, typer.Option("--seed", help="Chooses which fields of large inputs are taken away.")] = 1,
    processes: Annotated[int, typer.Option("--processes", min=0, max=256, help="How many; 0: one a core.")] = 0,
    coverage_min: Annotated[
        float, typer.Option("--coverage-min", min=0, max=100, help="Percent that must be covered, else exit 1.")
    ] = 0,
    html: Annotated[Path | None, typer.Option("--html", help="Write the coverage as one page.")] = None,
    junit: Annotated[Path | None, typer.Option("--junit", help="Write the results as JUnit XML.")] = None,
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Run the tests beside mappings and routes (X.test.yaml beside X.yaml), and say which of their expressions and
    branches no test reached. Exit 1 where a test fails, nothing is sent anywhere."""
    place = open_workplace(project)
    wanted = _wanted(place, paths or [])
    own = _looked_at(place, wanted) if paths else place.own
    bench = Bench.of(place.files, place.root, environment_name(), place.connectors_folder, own)
    found = _read(bench, [path for path in test_files(place.files) if subject_of(path) in wanted])
    jobs = jobs_of(found, pattern, not no_properties)
    if not jobs:
        raise UsageError(_nothing(pattern, wanted))
    results = list(_with_progress(run(bench, jobs, processes or os.cpu_count() or 1, seed), len(jobs)))
    coverage = Coverage.of(bench, results, wanted)
    change = _written(place, update_of(place.files, found, results)) if update else None
    if junit is not None:
        junit.write_bytes(junit_xml(results, datetime.now(UTC)))
    if html is not None:
        html.write_text(coverage_page(coverage, results, place.root.name), encoding="utf-8")
    failed = [result for result in results if not result.passed]
    left = failed if change is None else [result for result, _ in change.refused]
    is_short = coverage.percent < coverage_min
    if as_json:
        say_json(_as_dict(results, coverage, change))
    else:
        _report(results, coverage, change)
    if is_short:
        complain(f"{coverage.percent:.1f} % is covered; --coverage-min wants {coverage_min:g} %")
    finish(bool(left) or is_short)


def _wanted(place: Workplace, paths: Sequence[Path]) -> list[str]:
    """The mappings and routes of the project that are to be tested: all, or those at these paths."""
    own = sorted(
        path for path in place.own
        if path.startswith(("mappings/", "routes/")) and path.endswith(".yaml") and not path.endswith(SUFFIX)
    )  # fmt: skip
    if not paths:
        return own
    chosen: list[str] = []
    for path in paths:
        inside = os.path.relpath(path.resolve(), place.root).replace(os.sep, "/")
        named = subject_of(inside) if inside.endswith(SUFFIX) else inside
        under = [each for each in own if each == named or each.startswith(f"{named}/") or named == "."]
        if not under:
            raise UsageError(f"{path}: no mapping, no route and no folder with any of this project")
        chosen += under
    return sorted(set(chosen))


def _looked_at(place: Workplace, wanted: Sequence[str]) -> set[str]:
    """What is checked before some of the project is tested: that, and what routes and configuration use."""
    left = place.own.difference(wanted)
    return {*wanted, *(path for path in left if not path.startswith(("mappings/", "schemas/")))}


def _read(bench: Bench, paths: Iterable[str]) -> list[TestFile]:
    found = [read_cases(bench.files, path, bench.read_file) for path in paths]
    faults = [fault for file in found for fault in file.faults]
    faults += [fault for file in found for fault in file_faults(file, bench.files, bench.check.routes)]
    if faults:
        raise ProjectError(faults)
    return found


def _nothing(pattern: str, wanted: Sequence[str]) -> str:
    if pattern:
        return f"-k: no case has '{pattern}' in its name or file"
    example = wanted[0].removesuffix(".yaml") if wanted else "mappings/x"
    return f"no tests yet; write {example}{SUFFIX} (see docs/reference/tests.md)"


def _with_progress(results: Iterator[Result], total: int) -> Iterator[Result]:
    with Progress(console=Console(stderr=True), transient=True) as progress:
        yield from progress.track(results, total=total, description="testing")


def _written(place: Workplace, change: Update) -> Update:
    for path, content in change.files.items():
        (place.root / path).write_bytes(content)
    return change


def _as_dict(results: Sequence[Result], coverage: Coverage, change: Update | None) -> dict[str, object]:
    said: dict[str, object] = {
        "passed": sum(result.passed for result in results), "failed": sum(not result.passed for result in results),
        "results": [result_dict(result) for result in results], "coverage": coverage.as_dict(),
    }  # fmt: skip
    if change is not None:
        said["updated"] = [{"file": r.file, "name": r.name, "what": what} for r, what in change.changed]
        said["not_updated"] = [{"file": r.file, "name": r.name, "why": why} for r, why in change.refused]
    return said


def _report(results: Sequence[Result], coverage: Coverage, change: Update | None) -> None:
    console = Console(highlight=False, soft_wrap=True)
    failed = [result for result in results if not result.passed]
    for result in failed:
        _say(console, f"{result.file}:{result.line}: {result.title}", ("FAIL", "bold red"))
        for line in result_lines(result):
            _say(console, line, style=_style(line))
    _report_coverage(console, coverage)
    for result, what in change.changed if change is not None else ():
        _say(console, f"{result.file}:{result.line}: {result.name}: {what}", ("updated", "bold yellow"))
    for result, why in change.refused if change is not None else ():
        _say(console, f"{result.file}:{result.line}: {result.title}: {why}", ("not updated", "bold red"))
    tried = sum(int(note.split()[0]) for result in results for note in result.notes)
    more = f", {tried} variants of their inputs tried" if tried else ""
    mended = f" ({len(failed) - len(change.refused)} of them updated)" if change is not None and failed else ""
    complain(f"{counted(len(results) - len(failed), 'test')} passed, {len(failed)} failed{mended}{more}")


def _say(console: Console, text: str, head: tuple[str, str] | None = None, style: str = "") -> None:
    """One line, plain."""
    console.print(Text.assemble(head, f" {plain(text)}") if head else Text(plain(text), style=style))


def _style(line: str) -> str:
    return "green" if line.startswith("    expected") else "red" if line.startswith("    seen") else ""


def _report_coverage(console: Console, coverage: Coverage) -> None:
    """What never ran, place by place; by file where those are many files and many places."""
    many = len(coverage.files) > 1 and sum(len(file.missed) for file in coverage.files) > _MOST_PLACES
    for file in coverage.files:
        if not file.has_tests and len(file.missed) == len(file.probes):
            counts = f"{counted(file.count(EXPRESSION), 'expression')}, {file.count(BRANCH)} branches"
            _say(console, f"{file.file}:1:1: no test runs it ({counts})", style="yellow")
            continue
        if many and file.missed:
            kinds = ((EXPRESSION, "expression", "s"), (BRANCH, "branch", "es"))
            missing = [(file.count(kind, missed=True), noun, plural) for kind, noun, plural in kinds]
            missed = " and ".join(f"{n} {noun}{plural if n != 1 else ''}" for n, noun, plural in missing if n)
            _say(console, f"{file.file}: {missed} never ran", style="yellow")
        for probe in file.missed if not many else ():
            _say(console, str(probe), style="yellow")
    where = "; o2c test FILE tells the places in one file" if many else ""
    _say(console, summary(coverage) + where, style="bold")


COMMANDS = (test,)
