"""Which files of a watched folder are complete. Successive sights are compared, never a file's time with our clock."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePath
from typing import Any

import msgspec
from msgspec.structs import replace

from connectors._file_names import TEMPORARY
from connectors._files import Files, Passing
from connectors.base import PermanentError

_MARKER_BYTES = 4096
_EMPTY_SECONDS = 60.0
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


class Seen(msgspec.Struct, frozen=True):
    """One file as the folder listed it. ``marker`` is the file that says it is complete, of ``marker_size`` bytes;
    ``sha256`` what that says."""

    name: str
    size: int
    mtime_ns: int
    marker: str = ""
    marker_size: int = 0
    sha256: str = ""


@dataclass(slots=True)
class _Sight:
    size: int
    mtime_ns: int
    since: float
    times: int = 0


def is_candidate(name: str) -> bool:
    """Whether a name may be that of a complete file: nothing hidden or on its way (``.tmp``, ``.part`` …)."""
    return not name.startswith(".") and not name.lower().endswith(TEMPORARY)


def check_pattern(pattern: str) -> None:
    """Raises PermanentError for a pattern that no name of a complete file has."""
    if "/" in pattern:
        name = pattern.rpartition("/")[2] or "*"
        raise PermanentError(f"no file is taken by '{pattern}', for a name has no folder in it; write '{name}'")
    if not pattern or not is_candidate(pattern):
        why = f"names that end in {' or '.join(TEMPORARY)}, or begin with a point, are of files on their way"
        raise PermanentError(f"no file is taken by '{pattern}': {why}; write such as *.xml")


def fits(name: str, pattern: str) -> bool:
    """Whether a file of this name is taken where names like ``pattern`` are."""
    return is_candidate(name) and fnmatchcase(name, pattern)


def marker_of(name: str, template: str) -> str:
    """How the marker of a file is called."""
    return template.replace("{name}", name).replace("{stem}", PurePath(name).stem)


class Renamed:
    """A file is complete as soon as it has a name of its own: its writer renames it when it is. ``is_settled``: nothing
    has to be looked at once more before it can be told whether it is complete."""

    is_settled = True

    def __init__(self, files: Files, folder: PurePath, pattern: str) -> None:
        self._files, self._folder, self._pattern = files, folder, pattern

    def ready(self) -> list[Seen]:
        """What seems to be complete, by the folder's listing alone."""
        return self._listed(self._fits)

    def complete(self, seen: Seen) -> Seen | None:
        """The file with what else can be found out about it; None when it is not complete after all."""
        return seen

    def _fits(self, name: str) -> bool:
        return fits(name, self._pattern)

    def _listed(self, wanted: Callable[[str], bool]) -> list[Seen]:
        return [Seen(entry.name, entry.size, entry.mtime_ns) for entry in self._files.entries(self._folder, wanted)]


class Stability(Renamed):
    """A file is complete when its size and time were the same in so many polls over so many seconds; an empty one after
    a minute at least, since many writers make the file first and then work out what is to be in it."""

    def __init__(
        self, files: Files, folder: PurePath, pattern: str, polls: int, seconds: float, monotonic: Callable[[], float]
    ) -> None:
        super().__init__(files, folder, pattern)
        self._polls, self._seconds, self._monotonic = polls, seconds, monotonic
        self._sights: dict[str, _Sight] = {}

    def ready(self) -> list[Seen]:
        found, now, before = super().ready(), self._monotonic(), self._sights
        self._sights = sights = {seen.name: self._sight(seen, now) for seen in found}
        steady = [seen for seen in found if self._is_steady(sights[seen.name], now)]
        # What still grows comes to rest when it does: nobody waits for it.
        growing = sum(name in before and sight is not before[name] for name, sight in sights.items())
        self.is_settled = len(steady) + growing >= len(found)
        return steady

    def _sight(self, seen: Seen, now: float) -> _Sight:
        sight = self._sights.get(seen.name)
        if sight is None or (sight.size, sight.mtime_ns) != (seen.size, seen.mtime_ns):
            sight = _Sight(seen.size, seen.mtime_ns, now)
        sight.times += 1
        return sight

    def _is_steady(self, sight: _Sight, now: float) -> bool:
        seconds = self._seconds if sight.size else max(self._seconds, _EMPTY_SECONDS)
        return sight.times >= self._polls and now - sight.since >= seconds


class Marked(Renamed):
    """A file is complete when a marker lies beside it (``orders.csv.done``), which may say its size and sha256."""

    def __init__(self, files: Files, folder: PurePath, pattern: str, templates: tuple[str, ...]) -> None:
        super().__init__(files, folder, pattern)
        self._templates = templates
        self._forms = [re.compile(_form(template), re.DOTALL) for template in templates]

    def ready(self) -> list[Seen]:
        every = {seen.name: seen for seen in self._listed(is_candidate)}
        data = [seen for seen in every.values() if self._fits(seen.name) and not self._is_marker(seen.name)]
        marked = [(seen, self._marker(seen.name, every)) for seen in data]
        return [replace(seen, marker=marker.name, marker_size=marker.size) for seen, marker in marked if marker]

    def complete(self, seen: Seen) -> Seen | None:
        """None while its size is not the one the marker says."""
        words = self._words(seen.marker) if seen.marker_size else []
        sizes = [int(word) for word in words if word.isascii() and word.isdigit() and len(word) < 19]
        hashes = [word.lower() for word in words if _SHA256.fullmatch(word)]
        if sizes and seen.size not in sizes:
            return None
        return replace(seen, sha256=hashes[0] if hashes else "")

    def _is_marker(self, name: str) -> bool:
        return any(form.fullmatch(name) for form in self._forms)

    def _marker(self, name: str, every: Mapping[str, Seen]) -> Seen | None:
        candidates = (marker_of(name, template) for template in self._templates)
        return next((every[candidate] for candidate in candidates if candidate in every and candidate != name), None)

    def _words(self, marker: str) -> list[str]:
        try:
            with self._files.opened(self._folder / marker) as file:
                return next(iter(file.chunks()), b"")[:_MARKER_BYTES].decode("ascii", "replace").split()
        except Passing:
            raise
        except OSError:
            return []


def _form(template: str) -> str:
    return re.escape(template).replace(r"\{name\}", ".+").replace(r"\{stem\}", ".+")


def readiness(
    files: Files, folder: PurePath, settings: Mapping[str, Any], monotonic: Callable[[], float]
) -> Renamed:  # fmt: skip
    """The way of telling that the settings of ``fetch`` name."""
    pattern = settings["pattern"]
    if settings["ready"] == "marker":
        return Marked(files, folder, pattern, tuple(settings["markers"]))
    if settings["ready"] == "rename":
        return Renamed(files, folder, pattern)
    return Stability(files, folder, pattern, settings["polls"], settings["steady_for"], monotonic)
