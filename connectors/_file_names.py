"""Names of files: nothing a document says can lead out of a folder, and no move writes over a file."""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import PurePath
from typing import TypeVar

from connectors._files import Files, is_there
from connectors.base import PermanentError

TEMPORARY = (".tmp", ".part", ".filepart")
PACKED = (".gz", ".zip")
ENCRYPTED = (".pgp", ".gpg", ".asc")

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_UNSAFE = re.compile(r"[^A-Za-z0-9._=@+-]")
_LONGEST_VALUE = 100
_MOST_TRIES = 1000  # for a name, each of which another had by then
_LONGEST_NAME = 180  # of the 255 bytes a file system has, the rest is room for what is put around a name
_CUT_OFF_AT = 120
_CUT_OFF = re.compile(r"~[0-9a-f]{8}.{0,50}\Z", re.DOTALL)
KEPT_END = 50

P = TypeVar("P", bound=PurePath)


def folder_within(root: P, name: str) -> P:
    """A folder below ``root``. Raises PermanentError for a name that leads elsewhere."""
    part = PurePath(name)
    if part.is_absolute() or ".." in part.parts:
        raise PermanentError(f"the folder '{name}' leads out of the root; write a path below it, without '..'")
    return root / part


def event_of(name: str, events: Mapping[str, str] | None) -> str:
    """The first event whose pattern fits a file's name; empty where none does."""
    return next((event for event, pattern in (events or {}).items() if fnmatchcase(name, pattern)), "")


def check_template(template: str) -> None:
    """Raises PermanentError for a file name's template that holds a folder or nothing."""
    if not template or "/" in template or "\\" in template or "\0" in template or template in (".", ".."):
        raise PermanentError(f"the name '{template}' is not a file name; write one without folders, e.g. {{key}}.xml")


def is_template(text: str) -> bool:
    """Whether a text has placeholders to fill."""
    return _PLACEHOLDER.search(text) is not None


def filled(template: str, values: Mapping[str, str]) -> str:
    """A file name out of a template. Raises PermanentError for a placeholder without a value.

    A value that had to be changed gets a hash of what it was, so that two of them never become one name.
    """

    def value(match: re.Match[str]) -> str:
        if match[1] not in values:
            known = ", ".join(sorted(values))
            raise PermanentError(f"the name '{template}' asks for {{{match[1]}}}, which there is not; known: {known}")
        return safe(values[match[1]])

    return shortened(_PLACEHOLDER.sub(value, template).lstrip(".") or "_")


def safe(value: str) -> str:
    """A text as part of a file name."""
    plain = _UNSAFE.sub("_", value).lstrip(".")[:_LONGEST_VALUE]
    return plain if plain == value else f"{plain}~{hashlib.sha256(value.encode('utf-8', 'replace')).hexdigest()[:8]}"


def shortened(name: str, end: int = 0) -> str:
    """A name that still fits when something is put around it; a hash tells what was cut off. So many bytes of its end
    stay, the ending alone where that is none."""
    raw = os.fsencode(name)
    if len(raw) <= _LONGEST_NAME:
        return name
    suffix = PurePath(name).suffix
    tail = raw[-end:].decode("utf-8", "ignore") if end else suffix if suffix.isascii() and len(suffix) < 20 else ""
    return f"{raw[:_CUT_OFF_AT].decode('utf-8', 'ignore')}~{hashlib.sha256(raw).hexdigest()[:8]}{tail}"


def is_shortened(name: str) -> bool:
    """Whether a name seems to be cut off, so that it cannot be told which patterns the whole one fits."""
    return len(os.fsencode(name)) > _CUT_OFF_AT and _CUT_OFF.search(name) is not None


def readable(name: str) -> str:
    """A name as text, whatever bytes the file system holds."""
    return os.fsencode(name).decode("utf-8", "replace")


def numbered(name: str, number: int) -> str:
    """``orders.csv``, ``orders-1.csv``, ``orders-2.csv`` …; ``orders-1.csv.gz``"""
    path = PurePath(name)
    ending = path.suffix if path.suffix.lower() in PACKED + ENCRYPTED else ""
    path = PurePath(name.removesuffix(ending))
    return name if number == 0 else f"{path.stem}-{number}{path.suffix}{ending}"


def move_numbered(files: Files, source: PurePath, folder: PurePath, name: str) -> PurePath:
    """Move into a folder, which is made, under the name or a free numbered one."""
    files.make_folder(folder, parents=True)
    number = 0
    for _ in range(_MOST_TRIES):
        target = folder / numbered(name, number)
        try:
            files.move_new(source, target)
        except FileExistsError:
            number = number + 1 if number else _free_number(files, folder, name)
            continue
        return target
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(folder / name))


def _free_number(files: Files, folder: PurePath, name: str) -> int:
    """One behind a number that is taken, found in a few looks however many are: each is a way to a server and back."""
    taken, free = 0, 1
    while is_there(files, folder / numbered(name, free)):
        taken, free = free, 2 * free
    while free - taken > 1:
        between = (taken + free) // 2
        if is_there(files, folder / numbered(name, between)):
            taken = between
        else:
            free = between
    return free
