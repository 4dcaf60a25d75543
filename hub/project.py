"""The project folder: where it is, which of its files matter, and their bytes.

The hub works from these bytes, never from the disk: what is deployed is what was read at once. A project's own files
win over those that travel with the hub; ``config/`` and ``routes/`` are never taken from the hub.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path

import connectors
from hub.errors import Fault, ProjectError, UsageError
from hub.reference import reference_root
from hub.yamldoc import Node, read_yaml

MARK = "config/hub.yaml"
OWN_FOLDERS = ("config", "routes", "mappings", "schemas", "connectors/presets")
SHARED_FOLDERS = ("schemas", "mappings", "connectors/presets")
# What YAML 1.2, 5.1 calls printable, without the surrogates that UTF-8 cannot hold.
_CONTROL = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_EDITORS = "schemas/hub/"  # what ``o2c schema`` writes for editors; the hub has no use for it
_SUFFIXES = (
    ".yaml", ".yml", ".json", ".jsonl", ".csv", ".edi", ".txt", ".xml", ".xsd", ".sch", ".xsl", ".xslt",
    ".wsdl", ".crt", ".asc",
)  # fmt: skip
_MAX_FILE, _MAX_TOTAL, _MAX_FILES = 16_000_000, 256_000_000, 20_000


def find_project(start: Path) -> Path:
    """The nearest folder, from ``start`` upwards, that holds ``config/hub.yaml``. Raises UsageError."""
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / MARK).is_file():
            return folder
    advice = "make a project with: o2c init DIR"
    raise UsageError(f"no project here: neither {start} nor a folder above it holds {MARK}; {advice}")


def read_files(root: Path) -> dict[str, bytes]:
    """Every file that matters, by its path relative to the project: the project's own over the hub's.

    Raises ProjectError for what cannot be read, for links that lead outside and for files over the limits (16 MB each,
    256 MB together).
    """
    return {**reference_files(), **own_files(root)}


def own_files(root: Path) -> dict[str, bytes]:
    """The files of the project folder itself."""
    faults: list[Fault] = []
    files: dict[str, bytes] = {}
    for folder in OWN_FOLDERS:
        files.update(_read_folder(root / folder, folder, root.resolve(), faults))
    _check_total(files, faults)
    if faults:
        raise ProjectError(sorted(faults, key=lambda fault: fault.file))
    return files


def reference_files() -> dict[str, bytes]:
    """The schemas, mappings and presets that travel with the hub, without the tests of these mappings. They are read
    once: what is installed does not change while it runs."""
    return dict(_shipped())


@cache
def _shipped() -> Mapping[str, bytes]:
    faults: list[Fault] = []
    files: dict[str, bytes] = {}
    packages = Path(connectors.__file__).resolve().parent
    for folder in SHARED_FOLDERS:
        place = packages / "presets" if folder.startswith("connectors") else reference_root() / folder
        files.update(_read_folder(place, folder, place.resolve(), faults))
    if faults:
        raise ProjectError(faults)
    return {path: content for path, content in files.items() if not path.endswith(".test.yaml")}


def content_hash(files: Mapping[str, bytes]) -> str:
    """One name for exactly these files with exactly this content (SHA-256, hexadecimal)."""
    digest = hashlib.sha256()
    for path in sorted(files):
        for part in (path.encode(), files[path]):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def text_of(files: Mapping[str, bytes], path: str) -> tuple[str, list[Fault]]:
    """A file's text, which must be UTF-8 without control characters; a byte order mark is dropped."""
    raw = files[path]
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        return "", [Fault(path, line, column, f"byte 0x{raw[error.start]:02x} is not UTF-8; save the file as UTF-8")]
    if bad := _CONTROL.search(text):
        line, column = text.count("\n", 0, bad.start()) + 1, bad.start() - text.rfind("\n", 0, bad.start())
        return "", [Fault(path, line, column, f"control character U+{ord(bad[0]):04X}; take it out")]
    return text, []


def document_of(files: Mapping[str, bytes], path: str) -> tuple[Node, list[Fault]]:
    """A YAML file's node tree; empty where it cannot be read, with the faults beside it."""
    root, faults = _document(files[path], path)
    return root, list(faults)


@lru_cache(maxsize=512)
def _document(raw: bytes, path: str) -> tuple[Node, tuple[Fault, ...]]:
    """Read once: several parts of a check look at the same file, and most files are those of the check before."""
    text, faults = text_of({path: raw}, path)
    root, found = (Node(path, 1, 1, None), faults) if faults else read_yaml(text, path)
    return root, tuple(found)


def _read_folder(folder: Path, name: str, inside: Path, faults: list[Fault]) -> Iterator[tuple[str, bytes]]:
    is_inside = Path(os.path.realpath(folder)).is_relative_to(inside)  # and so is what is below it, but for links
    for key, entry in _entries(str(folder), name, faults):
        path = Path(entry.path)
        try:
            if not entry.is_file():
                continue
            if not (path.resolve().is_relative_to(inside) if entry.is_symlink() else is_inside):
                faults.append(Fault(key, 0, 0, "a link to a place outside the project; put the file itself here"))
            elif (size := entry.stat().st_size) > _MAX_FILE:
                faults.append(Fault(key, 0, 0, f"the file is {size} bytes long; the limit is {_MAX_FILE}"))
            else:
                yield key, path.read_bytes()
        except OSError as error:
            faults.append(_unreadable(key, error))


def _entries(folder: str, name: str, faults: list[Fault]) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """What lies below a folder under the name of a file that matters, with its name in the project, in the order of
    their names. A project has hundreds, so that each is looked at as little as can be."""
    try:
        found = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        faults.append(_unreadable(name, error))
        return
    for entry in found:
        key = f"{name}/{entry.name}"
        if entry.name.startswith(".") or key.startswith(_EDITORS):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _entries(entry.path, key, faults)
        elif entry.name.lower().endswith(_SUFFIXES):
            yield key, entry


def _unreadable(key: str, error: OSError) -> Fault:
    hint = "; let the user who runs this read it" if isinstance(error, PermissionError) else ""
    return Fault(key, 0, 0, f"it cannot be read: {(error.strerror or 'the system refused').lower()}{hint}")


def _check_total(files: Mapping[str, bytes], faults: list[Fault]) -> None:
    total = sum(map(len, files.values()))
    if total > _MAX_TOTAL or len(files) > _MAX_FILES:
        limit = f"at most {_MAX_FILES} files of {_MAX_TOTAL} bytes together"
        faults.append(Fault(".", 0, 0, f"{len(files)} files of {total} bytes; a project has {limit}"))
