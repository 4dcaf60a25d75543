"""Which files of a watched folder are complete. Successive sights are compared, never a file's time with our clock."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePath
from typing import Any

from connectors._file_names import TEMPORARY

_MARKER_BYTES = 4096
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


@dataclass(frozen=True, slots=True)
class Seen:
    """One file as the folder listed it. ``marker`` is the file that says it is complete; ``sha256`` what that says."""

    name: str
    size: int
    mtime_ns: int
    marker: str = ""
    sha256: str = ""


@dataclass(slots=True)
class _Sight:
    size: int
    mtime_ns: int
    since: float
    times: int = 0


def seen_in(folder: Path, pattern: str) -> list[Seen]:
    """The plain files of a folder: no links, no folders, nothing hidden or on its way (``.tmp``, ``.part`` …)."""
    with os.scandir(folder) as entries:
        found = [entry for entry in entries if is_candidate(entry.name) and entry.is_file(follow_symlinks=False)]
    return [seen for entry in found if fnmatchcase(entry.name, pattern) and (seen := _stat(entry))]


def is_candidate(name: str) -> bool:
    """Whether a name may be that of a complete file."""
    return not name.startswith(".") and not name.lower().endswith(TEMPORARY)


def _stat(entry: os.DirEntry[str]) -> Seen | None:
    try:
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    return Seen(entry.name, status.st_size, status.st_mtime_ns)


class Stability:
    """A file is complete when its size and time were the same in so many polls over so many seconds."""

    def __init__(self, polls: int, seconds: float, monotonic: Callable[[], float]) -> None:
        self._polls, self._seconds, self._monotonic = polls, seconds, monotonic
        self._sights: dict[str, _Sight] = {}

    def ready(self, folder: Path, pattern: str) -> list[Seen]:
        now = self._monotonic()
        found = seen_in(folder, pattern)
        sights = {seen.name: self._sight(seen, now) for seen in found}
        self._sights = sights
        return [seen for seen in found if self._is_steady(sights[seen.name], now)]

    def _sight(self, seen: Seen, now: float) -> _Sight:
        sight = self._sights.get(seen.name)
        if sight is None or (sight.size, sight.mtime_ns) != (seen.size, seen.mtime_ns):
            sight = _Sight(seen.size, seen.mtime_ns, now)
        sight.times += 1
        return sight

    def _is_steady(self, sight: _Sight, now: float) -> bool:
        return sight.times >= self._polls and now - sight.since >= self._seconds


class Renamed:
    """A file is complete as soon as it has a name of its own: its writer renames it when it is."""

    def ready(self, folder: Path, pattern: str) -> list[Seen]:
        return seen_in(folder, pattern)


class Marked:
    """A file is complete when a marker lies beside it (``orders.csv.done``), which may say its size and sha256."""

    def __init__(self, templates: Sequence[str]) -> None:
        self._templates = tuple(templates)
        self._forms = [re.compile(_form(template), re.DOTALL) for template in templates]

    def ready(self, folder: Path, pattern: str) -> list[Seen]:
        every = seen_in(folder, "*")
        names = {seen.name for seen in every}
        data = [seen for seen in every if fnmatchcase(seen.name, pattern) and not self._is_marker(seen.name)]
        marked = [(seen, self._marker(seen.name, names)) for seen in data]
        return [complete for seen, marker in marked if marker and (complete := _as_marked(folder, seen, marker))]

    def _is_marker(self, name: str) -> bool:
        return any(form.fullmatch(name) for form in self._forms)

    def _marker(self, name: str, names: set[str]) -> str:
        stem = PurePath(name).stem
        candidates = (form.replace("{name}", name).replace("{stem}", stem) for form in self._templates)
        return next((candidate for candidate in candidates if candidate in names and candidate != name), "")


def _form(template: str) -> str:
    return re.escape(template).replace(r"\{name\}", ".+").replace(r"\{stem\}", ".+")


def _as_marked(folder: Path, seen: Seen, marker: str) -> Seen | None:
    """The file with what its marker says; None while its size is not the one the marker says."""
    words = _words(folder / marker)
    sizes = [int(word) for word in words if word.isascii() and word.isdigit() and len(word) < 19]
    hashes = [word.lower() for word in words if _SHA256.fullmatch(word)]
    if sizes and seen.size not in sizes:
        return None
    return Seen(seen.name, seen.size, seen.mtime_ns, marker, hashes[0] if hashes else "")


def _words(marker: Path) -> list[str]:
    try:
        descriptor = os.open(marker, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return []
    with os.fdopen(descriptor, "rb") as file:
        return file.read(_MARKER_BYTES).decode("ascii", "replace").split()


Readiness = Stability | Renamed | Marked


def readiness(settings: Mapping[str, Any], monotonic: Callable[[], float]) -> Readiness:
    """The way of telling that the settings of ``fetch`` name."""
    if settings["ready"] == "marker":
        return Marked(settings["markers"])
    if settings["ready"] == "rename":
        return Renamed()
    return Stability(settings["polls"], settings["steady_for"], monotonic)
