"""``o2c backtest``: stored messages through edited files, beside what came of them then; nothing is sent."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from hub import backtest as backtests
from hub.backtest.approvals import SUFFIX, Approvals, read_approvals
from hub.cli.backtest_text import say_report
from hub.cli.terminal import Json, ProjectFolder, complain, finish, say_json
from hub.cli.workplace import Workplace, environment_name, open_workplace, project_store
from hub.client import HubClient, client_for
from hub.errors import Fault, HubError, ProjectError, UsageError
from hub.project import text_of
from hub.store import READ_ERRORS
from hub.units import seconds_of

_LOOK_SECONDS = 0.5
_SENT = ("mappings/", "routes/", "schemas/")


def backtest(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A mapping or a route; mapping:NAME, route:NAME.")],
    candidate: Annotated[
        list[Path], typer.Option("--candidate", metavar="FILE", help="In place of the file it stands for; repeatable.")
    ] = [],  # noqa: B006 - typer reads the default, nothing changes it
    since: Annotated[
        str, typer.Option("--since", help="So long before the newest message (7d, 12h), or a time.")
    ] = "7d",
    until: Annotated[str, typer.Option("--until", help="Only what came before this time.")] = "",
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="So many messages, the newest.")] = None,
    system: Annotated[str, typer.Option("--system", help="Only what came from this system, or went to it.")] = "",
    lookups: Annotated[
        str, typer.Option("--lookups", help="recorded: as they were answered then; current: as they are now.")
    ] = backtests.RECORDED,
    samples: Annotated[int, typer.Option("--samples", min=0, max=100, help="Of each difference.")] = 3,
    unmasked: Annotated[bool, typer.Option("--unmasked", help="Show personal data in samples.")] = False,
    approve: Annotated[
        Path | None, typer.Option("--approve", metavar="FILE", help="Write what is found to this file, as meant.")
    ] = None,
    approvals: Annotated[
        Path | None, typer.Option("--approvals", metavar="FILE", help="What is meant; else NAME.approved beside it.")
    ] = None,
    allow_empty: Annotated[
        bool, typer.Option("--allow-empty", help="Exit 0 too where no message could be compared.")
    ] = False,
    processes: Annotated[
        int, typer.Option("--processes", min=0, max=64, help="How many work on it; 0: one a core.")
    ] = 0,
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Put stored messages through edited files and tell what would come out otherwise; nothing is sent.

    The files of the project, or a candidate in place of one of them, are run over messages of the store, with look-ups
    answered as they were then. Exit 1 if something is changed or newly failing that is not approved, or if nothing
    could be compared: a gate that has seen nothing does not open.
    """
    if lookups not in (backtests.RECORDED, backtests.CURRENT):
        raise UsageError(f"--lookups: expected recorded or current, got '{lookups}'")
    asked = {
        "name": name, "since": _moment(since, "--since"), "until": _moment(until, "--until") if until else None,
        "limit": limit, "system": system, "lookups": lookups, "samples": samples,
    }  # fmt: skip
    if isinstance(asked["until"], float):
        raise UsageError(f"--until: expected a time such as 2026-11-28T12:00:00Z, got '{until}'")
    try:
        place = open_workplace(project)
        found = _found(place, asked, candidate, unmasked, processes, as_json)
        found, file = _judged(place, approvals, approve, found)
    except (HubError, *READ_ERRORS) as error:
        complain(str(error) if isinstance(error, ProjectError) else f"o2c: {error}")
        raise typer.Exit(2) from None
    if as_json:
        say_json(found)
    else:
        say_report(found, file)
    finish(bool(found["unapproved"]) or not (found["compared"] or allow_empty))


def _found(
    place: Workplace, asked: Mapping[str, Any], candidates: Sequence[Path], unmasked: bool, processes: int, quiet: bool
) -> dict[str, Any]:
    """The report, made here or by the hub that ``O2C_URL`` names."""
    files, edited = backtests.edited_files(place.files, {str(path): _content(path) for path in candidates})
    if os.environ.get("O2C_URL"):
        return _by_hub(client_for(place.root), asked, files, edited, place, unmasked, quiet)
    return _here(place, asked, files, edited, unmasked, processes, quiet)


def _moment(text: str, option: str) -> float | datetime:
    """Seconds of a duration, or a time, which without a zone is UTC."""
    seconds = seconds_of(text)
    if seconds is not None:
        return seconds
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option}: expected 7d, 12h or a time such as 2026-11-28T12:00:00Z, got '{text}'") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _content(path: Path) -> bytes:
    if not path.is_file():
        raise UsageError(f"--candidate: there is no file {path}")
    return path.read_bytes()


# -- on the project's own store ------------------------------------------------------------------------------------


def _here(
    place: Workplace, asked: Mapping[str, Any], files: Mapping[str, bytes], edited: list[str], unmasked: bool,
    processes: int, quiet: bool,
) -> dict[str, Any]:  # fmt: skip
    store = project_store(place, read_only=True)
    try:
        since, until = asked["since"], asked["until"]
        is_back = isinstance(since, float)
        first, end = backtests.span(
            store, since if is_back else None, None if is_back else since.timestamp(),
            until.timestamp() if until else None,
        )  # fmt: skip
        begun = backtests.begin(
            backtests.Request(
                name=asked["name"], files=files, edited=edited, since=first, until=end, limit=asked["limit"],
                system=asked["system"], lookups=asked["lookups"], samples=asked["samples"],
                environment=environment_name() or "", own_connectors=str(place.connectors_folder or ""),
            )
        )  # fmt: skip
        with _bar(quiet) as show:
            tally = begun.run(store, processes or os.cpu_count() or 1, show)
        assert tally is not None, "nobody stops it"
        return backtests.report(begun.request, begun.subject, tally, masked=not unmasked)
    finally:
        store.close()


@contextmanager
def _bar(quiet: bool) -> Iterator[Any]:
    """A progress bar on standard error: call it with how many receipts are done and how many there are."""
    columns = (TextColumn("receipts"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=quiet or not console.is_terminal) as progress:
        task = progress.add_task("receipts", total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


# -- by a running hub ----------------------------------------------------------------------------------------------


def _by_hub(
    hub: HubClient, asked: Mapping[str, Any], files: Mapping[str, bytes], edited: list[str], place: Workplace,
    unmasked: bool, quiet: bool,
) -> dict[str, Any]:  # fmt: skip
    """The same on the hub that ``O2C_URL`` names, over what it has in force."""
    since, until = asked["since"], asked["until"]
    own = {path for path in place.own if path.startswith(_SENT) and not path.endswith(".test.yaml")}
    own = {path for path in own if not path.startswith(backtests.DEPLOYED_ONLY)}
    body = {
        **asked, "files": _texts(files, sorted(own | set(edited)), edited), "edited": edited,
        "since": f"{since:.3f}s" if isinstance(since, float) else since.isoformat(),
        "until": until.isoformat() if until else None,
    }  # fmt: skip
    view = hub.post("/backtests", {name: value for name, value in body.items() if value not in (None, "")})
    path = f"/backtests/{view['backtest_id']}"
    try:
        with _bar(quiet) as show:
            while view["state"] in ("waiting", "running"):
                show(view["done"], view.get("total"))
                time.sleep(_LOOK_SECONDS)
                view = hub.get(path)
    except KeyboardInterrupt:
        hub.post(f"{path}/cancel")
        raise
    if view["state"] != "done":
        raise HubError(f"the hub has not finished the back-test: {view['state']} {view.get('error', '')}".rstrip())
    result: dict[str, Any] = hub.get(f"{path}/result", unmasked="true" if unmasked else None)
    return result


def _texts(files: Mapping[str, bytes], paths: Sequence[str], edited: Sequence[str]) -> dict[str, str]:
    """Those of the files that are text; of others the hub has its own. Raises ProjectError for what has to be text."""
    texts: dict[str, str] = {}
    faults: list[Fault] = []
    for path in paths:
        try:
            texts[path] = files[path].decode()
        except UnicodeDecodeError:
            if path in edited or path.endswith((".yaml", ".yml")) or path.startswith("mappings/tables/"):
                faults += text_of(files, path)[1]
            elif path.startswith("schemas/"):
                complain(f"{path} is not UTF-8 and stays here; the hub takes its own")
    if faults:
        raise ProjectError(faults)
    return texts


# -- approvals -----------------------------------------------------------------------------------------------------


def _judged(
    place: Workplace, given: Path | None, written: Path | None, found: Mapping[str, Any]
) -> tuple[dict[str, Any], str]:
    """The report with what is approved in it, and the file that approves; with ``written`` that is written first."""
    known, file = _approved(place, given, written, found["subject"])
    if written is not None:
        _write(written, known.text_for(found))
        known, file = _approved(place, written, None, found["subject"])
    return known.judge(found), file


def _approved(
    place: Workplace, given: Path | None, written: Path | None, subject: Mapping[str, str]
) -> tuple[Approvals, str]:
    """What is approved, and the file that says so: the one given, the one to be written, or the one beside the file."""
    beside = place.root / f"{str(subject['file']).removesuffix('.yaml')}{SUFFIX}"
    if given is not None and not given.is_file():
        raise UsageError(f"--approvals: there is no file {given}; write it with --approve {given}")
    file = given or (written if written is not None and written.is_file() else beside)
    if not file.is_file():
        return Approvals(), ""
    return read_approvals(file.read_text(encoding="utf-8"), str(file), subject["name"]), str(file)


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--approve: {file}: {error.strerror}") from None
    complain(f"{file}: approves every difference of this back-test; review and commit it")


COMMANDS = (backtest,)
