"""``o2c schema fetch``: which published schemas and rules are here, where the others are, and taking them over."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path, PurePosixPath

from hub.cli.terminal import complain, counted, finish, say, say_json, say_table
from hub.errors import UsageError
from hub.profiles.collecting import pin, take_over
from hub.profiles.definitions import Definitions, Source, read_definitions
from hub.profiles.library import ENDINGS, FOLDER, MANIFEST, Library, manifest_faults, pinned
from hub.project import find_project, read_files, reference_files


def fetch(project: Path, paths: list[Path], pin_all: bool, as_json: bool) -> None:
    """Say what there is; or take files over, or pin those that lie in the folder."""
    if paths or pin_all:
        _take(find_project(project), paths, as_json)
        return
    try:
        files = read_files(find_project(project))
    except UsageError:
        files = reference_files()
    definitions = read_definitions(files)
    faults = manifest_faults(files)
    rows = [_row(source, definitions, files) for source in definitions.sources]
    if as_json:
        say_json({"sources": rows, "faults": [str(fault) for fault in faults]})
    else:
        say_table(("source", "what", "by", "here", "published at"), [tuple(map(str, row.values())) for row in rows])
        for fault in faults:
            say(str(fault))
        complain("o2c fetches nothing by itself: download what you need, then: o2c schema fetch FILE.zip")
        complain(f"it takes what profiles name to {FOLDER} of the project and pins it in {MANIFEST}")
    finish(any(fault.severity == "error" for fault in faults))


def _row(source: Source, definitions: Definitions, files: dict[str, bytes]) -> dict[str, str]:
    told = {"source": source.name, "title": source.title, "publisher": source.publisher}
    return {**told, "here": _here(source, definitions, files) or "no", "address": source.address}


def _here(source: Source, definitions: Definitions, files: dict[str, bytes]) -> str:
    """Where files of a source are found, and how many that profiles name."""
    wanted = {
        name
        for profile in definitions.profiles.values()
        for document in profile.documents
        for name in (*document.schemas, *(rule + ending for rule in document.rules for ending in ENDINGS))
    } | {"pipeline-for-svrl.xsl"}
    own = Library(files, ())
    counts: dict[str, int] = {}
    for name in wanted:
        path = PurePosixPath(name)
        if not source.has(name if path.suffix == ".xsd" else path.stem):
            continue
        if any(PurePosixPath(path).name == name for path in pinned(files)):
            counts[FOLDER] = counts.get(FOLDER, 0) + 1
        else:
            found = Library(files, source.packages).find(name) if own.find(name) is None else None
            if found is not None:
                counts[found.origin] = counts.get(found.origin, 0) + 1
    return ", ".join(f"{origin}: {counted(number, 'file')}" for origin, number in sorted(counts.items()))


def _take(root: Path, paths: list[Path], as_json: bool) -> None:
    if not paths:
        found = pin(root)
        if as_json:
            say_json(found)
        else:
            complain(f"{MANIFEST} pins {counted(len(found), 'file')}")
        return
    taken = take_over(root, paths, read_definitions(read_files(root)))
    if as_json:
        say_json([asdict(each) for each in taken])
    else:
        for each in taken:
            say(f"{FOLDER}{each.path}: {each.problem}" if each.problem else f"{FOLDER}{each.path}")
        good = f"{counted(sum(not each.problem for each in taken), 'file')} taken over and pinned in {MANIFEST}"
        complain(good if taken else "nothing that a profile names is in there")
    finish(not taken or any(each.problem for each in taken))
