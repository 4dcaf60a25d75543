"""``--update``: what was seen becomes what is expected, in the files where it is written."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from hub.cases import TestFile, Wanted, rewritten
from hub.golden.results import CASE, Result
from hub.project import text_of


class Update(msgspec.Struct, frozen=True):
    """What an update comes to: new contents of files, a line for each case that it changes, and one for each that it
    must not, with why."""

    files: Mapping[str, bytes]
    changed: Sequence[tuple[Result, str]]
    refused: Sequence[tuple[Result, str]]


def update_of(files: Mapping[str, bytes], found: Sequence[TestFile], results: Iterable[Result]) -> Update:
    """The update that makes the failed cases pass, without writing it."""
    numbers = {(file.file, case.name): case.number for file in found for case in file.cases}
    written: dict[str, bytes] = {}
    wanted: dict[str, list[tuple[Result, Wanted]]] = {}
    changed: list[tuple[Result, str]] = []
    refused: list[tuple[Result, str]] = []
    for result in results:
        if result.passed:
            continue
        if result.kind != CASE or not (result.update or result.files):
            refused.append((result, result.why_not or "only a change of the mapping helps"))
            continue
        number = numbers[(result.file, result.name)]
        for key, value in result.update.items():
            wanted.setdefault(result.file, []).append((result, Wanted(("cases", number, key), value)))
        for name, content in result.files.items():
            path = name if name in files else posixpath.normpath(posixpath.join(posixpath.dirname(result.file), name))
            written[path] = content
            changed.append((result, f"{path} written anew"))
    for file, edits in wanted.items():
        text = text_of(files, file)[0]
        for result, edit in edits:
            try:
                text = rewritten(text, [edit])
            except ValueError as error:
                refused.append((result, str(error)))
                continue
            changed.append((result, _said(result)))
        written[file] = text.encode()
    return Update(written, changed, refused)


def _said(result: Result) -> str:
    paths = [each.path for each in result.differences]
    if not paths:
        return "expected: filled in"
    more = f" and {len(paths) - 6} more" if len(paths) > 6 else ""
    return f"{', '.join(paths[:6])}{more}"
