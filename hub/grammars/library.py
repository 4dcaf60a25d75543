"""All grammars of a project, by name: read when first asked for, once, with every mistake at its place."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import PurePosixPath

import msgspec
from msgspec.structs import replace

from hub.errors import Fault, NotFound, ProjectError
from hub.grammars.directory import KINDS, SCHEMAS, Directory, read_directory
from hub.grammars.draft import Draft, message_nodes, read_structure
from hub.grammars.overlay import apply_overlay
from hub.grammars.types import SEVERITIES, MessageType
from hub.project import document_of
from hub.yamldoc import Node, did_you_mean, unknown_keys

SYNTAXES = ("edifact", "x12")
_STANDALONE = ("title", "directory", "group", "structure", "extra", "unknown_codes", *KINDS)
_OVERLAY = (
    "title", "extends", "group", "remove", "add", "restrict", "relax", "uses", "extra", "unknown_codes", "unused",
    *KINDS,
)  # fmt: skip
_NOT_GRAMMARS = tuple(
    f"{SCHEMAS}{folder}/" for folder in ("cii", "codes", "hub", "idoc", "profiles", "published", "ubl")
)


# Between a standard and an overlay of it: all that the standard has, and as strict with codes as the overlay.
WITH_CODES_OF = " with the codes of "


class _Read(msgspec.Struct, frozen=True):
    """A message file as it was read: what overlays of it begin with."""

    message: MessageType
    drafts: tuple[Draft, ...]
    directory: Directory


class Grammars:
    """The grammars among the files of a project. Nothing is read before it is asked for."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = {path: raw for path, raw in files.items() if is_grammar_file(path)}
        self._messages: dict[str, MessageType] = {}
        self._faults: dict[str, list[Fault]] = {}
        self._directories: dict[str, Directory] = {}

    def names(self) -> list[str]:
        """The names of all messages there are a grammar for, sorted: ``edifact/D96A/ORDERS``."""
        return sorted(name_of(path) for path in self._files if not is_shared(path))

    def has(self, name: str) -> bool:
        if WITH_CODES_OF in name:
            return all(self.has(part) for part in name.split(WITH_CODES_OF))
        path = f"{SCHEMAS}{name}.yaml"
        return path in self._files and not is_shared(path)

    def message(self, name: str) -> MessageType:
        """What a message consists of. Raises NotFound, or ProjectError with every mistake of the grammar."""
        if name not in self._messages and WITH_CODES_OF in name:
            standard, overlay = map(self.message, name.split(WITH_CODES_OF))
            self._messages[name] = replace(standard, name=name, unknown_codes=overlay.unknown_codes)
        if name not in self._messages:
            if not self.has(name):
                raise NotFound(f"no grammar '{name}'{did_you_mean(name, self.names())}")
            faults: list[Fault] = []
            read = self._read(name, faults, ())
            if faults or read is None:
                raise ProjectError(sorted(set(faults), key=lambda fault: (fault.file, fault.line, fault.column)))
            self._messages[name] = read.message
        return self._messages[name]

    def faults(self, paths: Collection[str]) -> list[Fault]:
        """Every mistake of these grammar files; of a shared file also where no message uses what is wrong."""
        wanted = sorted(set(paths) & set(self._files))
        return list(dict.fromkeys(fault for path in wanted for fault in self._faults_in(path)))

    def _faults_in(self, path: str) -> list[Fault]:
        if path not in self._faults:
            faults: list[Fault] = []
            if is_shared(path):
                directory = self._directory(folder_of(path))
                directory.make_all()
                faults += directory.faults
            else:
                self._read(name_of(path), faults, ())
            self._faults[path] = faults
        return self._faults[path]

    def _read(self, name: str, faults: list[Fault], below: tuple[str, ...]) -> _Read | None:
        path = f"{SCHEMAS}{name}.yaml"
        root, unreadable = document_of(self._files, path)
        faults += unreadable
        if unreadable:
            return None
        if not root.is_map:
            faults.append(Fault(path, 1, 1, f"a grammar is {root.kind}; write title: and structure:, or extends:"))
            return None
        base = root.get("extends")
        keys, what = (_OVERLAY, "an overlay") if base else (_STANDALONE, "a grammar")
        faults += unknown_keys(root, keys, what)
        return self._overlay(name, root, base, faults, below) if base else self._standalone(name, root, faults)

    def _standalone(self, name: str, root: Node, faults: list[Fault]) -> _Read | None:
        place = root.get("directory")
        folder = place.text if place else folder_of(f"{SCHEMAS}{name}.yaml")
        syntax = folder.split("/")[0]
        if syntax not in SYNTAXES:
            advice = "write directory: edifact/D96A, or extends: edifact/D96A/ORDERS"
            faults.append((place or root).fault(f"which segments there are is not said here; {advice}"))
            return None
        if root.get("structure") is None:
            faults.append(root.fault("'structure' is missing: the list of the message's nodes; or write extends:"))
        directory = self._shared(name, self._directory(folder)).with_own(root)
        drafts = read_structure(root.get("structure"), faults)
        return _made(name, syntax, root, drafts, directory, faults, None)

    def _directory(self, folder: str) -> Directory:
        """What the messages of a folder share, with all that was made of it for others; anew where something of it is
        wrong, since that is told once, and each message that uses it is to hear of it."""
        if folder not in self._directories or self._directories[folder].faults:
            self._directories[folder] = read_directory(self._files, folder)
        return self._directories[folder]

    def _shared(self, name: str, directory: Directory) -> Directory:
        """The directory and what stands beside the message; beside a standard's stands the directory itself."""
        folder = name.rpartition("/")[0]
        return directory if folder.split("/")[0] in SYNTAXES else directory.with_shared(self._files, folder)

    def _overlay(self, name: str, root: Node, base: Node, faults: list[Fault], below: tuple[str, ...]) -> _Read | None:
        if base.text in (*below, name):
            faults.append(base.fault(f"extends itself: {' > '.join([*below, name, base.text])}"))
            return None
        if not self.has(base.text):
            faults.append(base.fault(f"there is no grammar '{base.text}'{did_you_mean(base.text, self.names())}"))
            return None
        read = self._read(base.text, faults, (*below, name))
        if read is None:
            return None
        directory = self._shared(name, read.directory).with_own(root)
        drafts = list(read.drafts)
        apply_overlay(root, drafts, faults)
        return _made(name, read.message.syntax, root, drafts, directory, faults, read.message)


def _made(
    name: str, syntax: str, root: Node, drafts: list[Draft], directory: Directory, faults: list[Fault],
    base: MessageType | None,
) -> _Read:  # fmt: skip
    """``faults`` are told those of the directory too."""
    group, title = root.get("group"), root.get("title")
    if title is None:
        faults.append(root.fault("'title' is missing: what the message is, in your words"))
    message = MessageType(
        name,
        base.standard if base else name,
        syntax,
        title.text if title else name,
        message_nodes(drafts, directory, faults),
        group.text if group else base.functional_group if base else "",
        _policy(root, "extra", faults) or (base.extra if base else "reject"),
        _policy(root, "unknown_codes", faults) or (base.unknown_codes if base else "reject"),
        _policy(root, "unused", faults) or (base.unused if base else "report"),
    )
    faults += directory.faults
    return _Read(message, tuple(drafts), directory)


def _policy(root: Node, key: str, faults: list[Fault]) -> str:
    node = root.get(key)
    if node is not None and node.text not in SEVERITIES:
        faults.append(node.fault(f"'{key}' is one of {', '.join(SEVERITIES)}{did_you_mean(node.text, SEVERITIES)}"))
        return ""
    return node.text if node is not None else ""


def is_grammar_file(path: str) -> bool:
    """Whether a file of a project is part of a grammar: any YAML under ``schemas/`` but lists of
    codes, profiles, UBL, CII, IDocs, and what is published by others."""
    return path.startswith(SCHEMAS) and path.endswith(".yaml") and not path.startswith(_NOT_GRAMMARS)


def is_shared(path: str) -> bool:
    return PurePosixPath(path).stem in KINDS


def name_of(path: str) -> str:
    return path.removeprefix(SCHEMAS).removesuffix(".yaml")


def folder_of(path: str) -> str:
    return str(PurePosixPath(path).parent).removeprefix(SCHEMAS)
