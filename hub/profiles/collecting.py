"""Takes published schemas and rules out of what a user has downloaded, and pins them in a manifest.

Of an archive or a folder only what profiles name is taken, with what that names in turn. Rules that are published as
Schematron are made into XSLT here, once, by SchXslt, so that none is made while documents wait.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from lxml import etree

from hub.errors import HubError, Unavailable, UsageError
from hub.formats._xml import Element, parse
from hub.profiles.definitions import Definitions
from hub.profiles.library import ENDINGS, FOLDER, MANIFEST, Published, version_in
from hub.profiles.rules import rules_process

MAKER = "pipeline-for-svrl.xsl"  # of SchXslt: Schematron in, XSLT out
_SUFFIXES = (".xsd", ".sch", ".xml", *ENDINGS)
_MOST_BYTES, _MOST_FILES = 256_000_000, 20_000
_LOCATION = re.compile(rb"""schemaLocation\s*=\s*["']([^"']+)["']""")
_SCHEMATRON = "{http://purl.oclc.org/dsdl/schematron}"
_INCLUDES = (f"{_SCHEMATRON}include", "{http://www.w3.org/2001/XInclude}include")
_HEAD = """# The published schemas and rules that may judge documents; written by: o2c schema fetch
# A file that is not as its hash says is refused, one that is not named here is not used.
files:
"""


class _Lacking(HubError):
    """A file of rules names another that is not beside it."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A file that was taken over, or was not and why; paths are below the folder."""

    path: str
    problem: str = ""


def take_over(root: Path, sources: list[Path], definitions: Definitions) -> list[Taken]:
    """Take what profiles name out of each source into a project's folder, and pin it. Raises UsageError for a source
    that is neither a folder nor an archive."""
    taken: list[Taken] = []
    for source in sources:
        files = _contents(source)
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", source.resolve().name.removesuffix(".zip")).strip("-.") or "taken"
        for path, content in sorted(_wanted(files, definitions).items()):
            taken.append(Taken(_put(root, f"{name}/{path}", content)))
        for path in _only_schematron(files, definitions):
            taken.append(_made(root, name, path, files))
    pin(root)
    return taken


def pin(root: Path) -> dict[str, str]:
    """Write the manifest of all files that lie in a project's folder now; path to hash."""
    folder = root / FOLDER
    found = {
        path.relative_to(folder).as_posix(): f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix.lower() in _SUFFIXES
    }
    lines = "".join(f"  {json.dumps(path, ensure_ascii=False)}: {digest}\n" for path, digest in found.items())
    folder.mkdir(parents=True, exist_ok=True)
    (root / MANIFEST).write_text(_HEAD + (lines or "  {}\n"), encoding="utf-8")
    return found


def _contents(source: Path) -> dict[str, bytes]:
    """The files of a folder or an archive that could be wanted, by their paths in it."""
    if source.is_dir():
        paths = [path for path in source.rglob("*") if path.suffix.lower() in _SUFFIXES and path.is_file()]
        _check_extent(source, len(paths), sum(path.stat().st_size for path in paths))
        return {path.relative_to(source).as_posix(): path.read_bytes() for path in paths}
    if source.is_file() and source.suffix.lower() in _SUFFIXES:
        return {source.name: source.read_bytes()}
    if not source.is_file() or not zipfile.is_zipfile(source):
        raise UsageError(f"{source} is no folder, no archive (.zip) and no file of schemas or rules")
    with zipfile.ZipFile(source) as archive:
        entries = [e for e in archive.infolist() if e.filename.lower().endswith(_SUFFIXES) and _is_inside(e.filename)]
        _check_extent(source, len(entries), sum(entry.file_size for entry in entries))
        return {entry.filename: archive.read(entry) for entry in entries}


def _is_inside(path: str) -> bool:
    return not path.startswith("/") and ".." not in path.split("/") and "\\" not in path and ":" not in path


def _check_extent(source: Path, count: int, size: int) -> None:
    if count > _MOST_FILES or size > _MOST_BYTES:
        raise UsageError(f"{source} holds {count} files of {size:,} bytes; at most {_MOST_FILES} of {_MOST_BYTES:,}")


def _wanted(files: Mapping[str, bytes], definitions: Definitions) -> dict[str, bytes]:
    """The schemas and XSLT that profiles name, one of each name, with what schemas import."""
    first: dict[str, str] = {}
    for path in sorted(files, key=lambda path: (path.count("/"), path)):
        name = PurePosixPath(path)
        file = name.name if name.suffix == ".xsd" else name.stem if name.suffix in ENDINGS else ""
        source = definitions.source_of(file) if file else None
        if source is not None and not source.leaves_out(path):
            first.setdefault(name.name, path)
    found: dict[str, bytes] = {}
    for path in first.values():
        if PurePosixPath(path).name == MAKER:
            below = f"{posixpath.dirname(path)}/".lstrip("/")
            beside = [other for other in files if other.startswith(below) and other.endswith(ENDINGS)]
            found |= {other: files[other] for other in beside}
        else:
            _with_imports(path, files, found)
    return found


def _with_imports(path: str, files: Mapping[str, bytes], found: dict[str, bytes]) -> None:
    if path in found or path not in files:
        return
    found[path] = files[path]
    for location in _LOCATION.findall(files[path]) if path.endswith(".xsd") else ():
        beside = posixpath.normpath(posixpath.join(posixpath.dirname(path), location.decode("utf-8", "replace")))
        _with_imports(beside, files, found)


def _put(root: Path, path: str, content: bytes) -> str:
    file = root / FOLDER / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return path


# -- Schematron ----------------------------------------------------------------------------------------------------


def _only_schematron(files: Mapping[str, bytes], definitions: Definitions) -> Iterator[str]:
    """The rules that are there as Schematron and not as XSLT."""
    runnable = {PurePosixPath(path).stem for path in files if path.endswith(ENDINGS)}
    seen: set[str] = set()
    for path in sorted(files, key=lambda path: (path.count("/"), path)):
        stem = PurePosixPath(path).stem
        if path.endswith(".sch") and stem not in runnable | seen and definitions.source_of(stem):
            seen.add(stem)
            yield path


def _made(root: Path, name: str, path: str, files: Mapping[str, bytes]) -> Taken:
    """The XSLT of one file of rules, written beside where it would stand."""
    target = f"{name}/{path.removesuffix('.sch')}.xslt"
    maker = next(iter(sorted((root / FOLDER).rglob(MAKER))), None)
    if maker is None:
        return Taken(target, "it is published as Schematron, and SchXslt is not here to make XSLT of it: name its "
                             "archive too, before this one")  # fmt: skip
    try:
        whole = _whole(path, files, 0)
        made = xslt_of(etree.tostring(whole, encoding="utf-8"), maker)
    except HubError as error:
        return Taken(target, str(error))
    version = version_in(files[path])
    digest = hashlib.sha256(files[path]).hexdigest()
    said = f", version {version}" if version else ""
    note = f"<!-- made from {PurePosixPath(path).name}{said}, sha256:{digest} -->\n"
    end = made.index(b"?>") + 2 if made.startswith(b"<?xml") else 0
    return Taken(_put(root, target, made[:end] + note.encode() + made[end:]))


def xslt_of(schematron: bytes, maker: Path) -> bytes:
    """The XSLT that SchXslt makes of rules. Raises Unavailable where they are none, or Saxon is not there."""
    script = Published(maker.name, FOLDER, maker.read_bytes(), str(maker))
    answer = rules_process().judge(script, schematron, 0, lambda: None)
    if answer.broken or answer.failed:
        raise Unavailable(f"no XSLT can be made of it: {answer.broken or answer.failed}")
    tried = rules_process().judge(Published("made.xslt", FOLDER, answer.text), b"<a/>", 1, lambda: None)
    if tried.broken:
        raise Unavailable(f"the XSLT that is made of it cannot be run: {tried.broken}")
    return answer.text


def _whole(path: str, files: Mapping[str, bytes], depth: int) -> Element:
    """Rules with those that they include in the places of the inclusions."""
    if path not in files:
        raise _Lacking(f"it includes {path}, which is not there; take the file as it is published, in one piece")
    if depth > 10:
        raise _Lacking(f"{path} is included more than ten deep")
    root = parse(files[path])
    for include in list(root.iter(*_INCLUDES)):
        location = (include.get("href") or "").partition("#")[0]
        beside = posixpath.normpath(posixpath.join(posixpath.dirname(path), location))
        parent = include.getparent()
        if parent is not None:
            parent.replace(include, _whole(beside, files, depth + 1))
    return root
