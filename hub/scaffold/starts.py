"""What ``o2c new`` writes: a few files that fit into the project as it is, or nothing at all."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from hub.check import CheckResult, check_project
from hub.errors import Fault, UsageError
from hub.systems import NAME_FORM, is_name
from hub.yamldoc import NO_TEXTS

MAPPINGS = "mappings/"
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_/.-]*( [A-Za-z0-9_/.-]+)*", re.ASCII)


@dataclass(frozen=True)
class Ground:
    """The project that something new is for: where it is, its files, which of them are its own, how it was checked."""

    root: Path
    files: Mapping[str, bytes]
    own: frozenset[str]
    environment: str | None
    connectors_folder: Path | None

    @cached_property
    def checked(self) -> CheckResult:
        """As it is."""
        return self.checked_with({})

    def with_start(self, start: Start) -> CheckResult:
        """As it would be. What is no file of the project's set (a connector) changes nothing."""
        more = {path: raw for path, raw in _contents(self, start).items() if not path.endswith(".py")}
        return self.checked_with(more) if more else self.checked

    def checked_with(self, more: Mapping[str, bytes]) -> CheckResult:
        """As it would be with more files."""
        return check_project(
            {**self.files, **more}, self.environment, own=self.own | set(more), connectors_folder=self.connectors_folder
        )


class Start(msgspec.Struct, frozen=True):
    """What is written. ``appended`` is added to the end of files that may be there; ``folders`` are made; ``notes``
    say what was chosen, ``then`` what to do next: (command, what for)."""

    files: Mapping[str, str] = msgspec.field(default_factory=dict)
    appended: Mapping[str, str] = msgspec.field(default_factory=dict)
    folders: Sequence[str] = ()
    notes: Sequence[str] = ()
    then: Sequence[tuple[str, str]] = ()


def add(ground: Ground, start: Start) -> list[str]:
    """Write it; gives the paths of all that was written. Raises UsageError, and writes nothing, where a file is there
    already or the project would not be sound with it."""
    for path in start.files:
        if (ground.root / path).exists():
            raise UsageError(f"{path} is there already; take another name, or remove it first")
    if faults := misfits(ground, start):
        raise UsageError(f"nothing was written, since o2c check would find:\n{_told(faults)}")
    for path, text in _contents(ground, start).items():
        target = ground.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text)
    for folder in start.folders:
        (ground.root / folder).mkdir(parents=True, exist_ok=True)
    return [*start.files, *start.appended]


def misfits(ground: Ground, start: Start) -> list[Fault]:
    """The errors that the project has with it where it had none: what is written is new, or at the end."""
    before = {(fault.file, fault.line, fault.column) for fault in ground.checked.errors}
    return [fault for fault in ground.with_start(start).errors if (fault.file, fault.line, fault.column) not in before]


def _contents(ground: Ground, start: Start) -> dict[str, bytes]:
    made = {path: text.encode() for path, text in start.files.items()}
    for path, text in start.appended.items():
        before = ground.files.get(path, b"").rstrip()
        made[path] = before + (b"\n\n" if before else b"") + text.encode()
    return made


def _told(faults: Sequence[Fault], most: int = 5) -> str:
    more = [f"  and {len(faults) - most} more"] if len(faults) > most else []
    return "\n".join([*(f"  {fault}" for fault in faults[:most]), *more])


def mapping_files(ground: Ground) -> dict[str, str]:
    """The file of every mapping there is, also of those that travel with the hub, by its name."""
    paths = (path for path in ground.files if path.startswith(MAPPINGS) and path.endswith(".yaml"))
    return {PurePosixPath(path).stem: path for path in paths if not path.endswith(".test.yaml")}


def fit_name(name: str, what: str) -> str:
    """The name itself. Raises UsageError for one that cannot be one."""
    if not is_name(name):
        raise UsageError(f"'{name}' cannot name a {what}; use {NAME_FORM}")
    return name


def yaml_lines(value: Any, indent: int = 0) -> list[str]:
    """A tree of mappings, lists and plain values as block YAML, texts in quotes where they would be read as another
    thing."""
    space = " " * indent
    if isinstance(value, Mapping) and value:
        return [line for key, below in value.items() for line in _entry(f"{space}{scalar(key)}:", below, indent)]
    if isinstance(value, list) and value:
        return [line for below in value for line in _element(space, below, indent)]
    return [space + scalar(value)]


def _entry(head: str, below: Any, indent: int) -> list[str]:
    if isinstance(below, Mapping | list) and below:
        return [head, *yaml_lines(below, indent + 2)]
    return [f"{head} {scalar(below)}"]


def _element(space: str, below: Any, indent: int) -> list[str]:
    first, *rest = yaml_lines(below, indent + 2)
    return [f"{space}- {first.lstrip()}", *rest]


def scalar(value: Any) -> str:
    """One value of YAML."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if not isinstance(value, str):
        return json.dumps(value)
    is_plain = _PLAIN.fullmatch(value) and value.lower() not in NO_TEXTS
    return value if is_plain else json.dumps(value, ensure_ascii=False)
