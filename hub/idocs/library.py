"""The grammars of IDocs among a project's files, by name: read when first asked for, with every mistake at its place.

``schemas/idoc/ORDERS05.yaml`` is ``idoc/ORDERS05``; ``segments.yaml`` beside it, and in every folder above, has the
segments that types share.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import PurePosixPath

from hub.errors import Fault, NotFound, ProjectError
from hub.grammars.types import SEVERITIES
from hub.idocs.drafts import Draft, add_nodes, bound_nodes, definition_of, read_nodes
from hub.idocs.types import IdocType, Node, SegmentType
from hub.project import document_of
from hub.yamldoc import Node as YamlNode
from hub.yamldoc import did_you_mean, unknown_keys

FOLDER, SHARED = "schemas/idoc/", "segments"
_OWN = ("title", "type", "structure", "extra", "segments")
_OVERLAY = ("title", "type", "extends", "remove", "add", "restrict", "relax", "extra", "segments")
_Segments = dict[str, SegmentType]


class IdocTypes:
    """The grammars of IDocs among the files of a project. Nothing is read before it is asked for."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = {path: raw for path, raw in files.items() if is_idoc_file(path)}
        self._read_so_far: dict[str, tuple[IdocType | None, list[Fault]]] = {}
        self._shared: dict[str, tuple[_Segments, list[Fault]]] = {}

    def names(self) -> list[str]:
        """The names of all types there are a grammar for, sorted: ``idoc/ORDERS05``."""
        return sorted(_name_of(path) for path in self._files if not _is_shared(path))

    def has(self, name: str) -> bool:
        path = _path_of(name)
        return path in self._files and not _is_shared(path)

    def type(self, name: str) -> IdocType:
        """What an IDoc of this type consists of. Raises NotFound, or ProjectError with every mistake of the grammar."""
        if name not in self._read_so_far and not self.has(name):
            raise NotFound(f"no grammar '{name}'{did_you_mean(name, self.names())}")
        made, faults = self._read(name)
        if faults or made is None:
            raise ProjectError(sorted(set(faults), key=lambda fault: (fault.file, fault.line, fault.column)))
        return made

    def of_idoc(self, control: Mapping[str, str]) -> str:
        """The name of the grammar of an IDoc, by its control record: that of its extension, else of its type; empty
        where there is none."""
        for own in (control.get("CIMTYP"), control.get("IDOCTYP")):
            if own and self.has(f"idoc/{own}"):
                return f"idoc/{own}"
        return ""

    def faults(self, paths: Collection[str]) -> list[Fault]:
        """Every mistake of these grammar files."""
        found: list[Fault] = []
        for path in sorted(set(paths) & set(self._files)):
            folder = str(PurePosixPath(path).parent)
            found += self._segments(folder)[1] if _is_shared(path) else self._read(_name_of(path))[1]
        return list(dict.fromkeys(found))

    def _read(self, name: str) -> tuple[IdocType | None, list[Fault]]:
        """What a grammar says and its mistakes; read once, however often a project is checked."""
        if name not in self._read_so_far:
            self._read_so_far[name] = self._read_anew(name)
        return self._read_so_far[name]

    def _read_anew(self, name: str) -> tuple[IdocType | None, list[Fault]]:
        faults: list[Fault] = []
        chain = list(self._chain(name, faults))
        if faults:
            return None, faults
        segments: _Segments = {}
        drafts: list[Draft] = []
        title, type, extra = name, "", "reject"
        for path, root in reversed(chain):
            shared, wrong = self._segments(str(PurePosixPath(path).parent))
            faults += wrong
            segments |= shared
            segments |= _defined(root.get("segments"), faults)
            _change(root, drafts, faults)
            title = found.text if (found := root.get("title")) else title
            type = found.text if (found := root.get("type")) else type or PurePosixPath(path).stem
            extra = _policy(root, faults) or extra
        nodes = tuple(_nodes(drafts, segments, faults))
        return IdocType(name, type, title, nodes, extra), faults

    def _chain(self, name: str, faults: list[Fault]) -> Iterator[tuple[str, YamlNode]]:
        """The file of a grammar and those that it extends, with their roots."""
        known: list[str] = []
        while True:
            path = _path_of(name)
            root, unreadable = document_of(self._files, path)
            faults += unreadable
            if unreadable or not root.is_map:
                if not unreadable:
                    text = f"a grammar is {root.kind}; write title: and structure:, or extends:"
                    faults.append(Fault(path, 1, 1, text))
                return
            base = root.get("extends")
            faults += unknown_keys(root, _OVERLAY if base else _OWN, "an overlay" if base else "a grammar of an IDoc")
            yield path, root
            if base is None:
                if root.get("structure") is None:
                    faults.append(root.fault("'structure' is missing: the list of the segments; or write extends:"))
                return
            known.append(name)
            if base.text in known:
                faults.append(base.fault(f"extends itself: {' > '.join([*known, base.text])}"))
                return
            if not self.has(base.text):
                faults.append(base.fault(f"there is no grammar '{base.text}'{did_you_mean(base.text, self.names())}"))
                return
            name = base.text

    def _segments(self, folder: str) -> tuple[_Segments, list[Fault]]:
        """The segments that the types of a folder share, with those of the folders above."""
        if folder not in self._shared:
            above = str(PurePosixPath(folder).parent)
            is_inner = f"{folder}/" != FOLDER and f"{above}/".startswith(FOLDER)
            segments, faults = self._segments(above) if is_inner else ({}, [])
            segments, faults = dict(segments), list(faults)
            if (path := f"{folder}/{SHARED}.yaml") in self._files:
                root, unreadable = document_of(self._files, path)
                faults += unreadable or unknown_keys(root, ("title", "segments"), "a file of segments")
                segments |= _defined(root.get("segments"), faults)
            self._shared[folder] = segments, faults
        return self._shared[folder]


def _change(root: YamlNode, drafts: list[Draft], faults: list[Fault]) -> None:
    """What a file says of the nodes: all of them, or what it has otherwise than the one that it extends."""
    if (structure := root.get("structure")) is not None:
        drafts[:] = read_nodes(structure, faults)
    removed, added = root.get("remove"), root.get("add")
    for one in (removed.elements() or [removed]) if removed else ():
        add_nodes("remove", one, one, drafts, faults)
    for key, one in added.items() if added else ():
        add_nodes(key, (added or one).key(key), one, drafts, faults)
    for section in ("restrict", "relax"):
        bound_nodes(root.get(section), section == "restrict", drafts, faults)


def _nodes(drafts: list[Draft], segments: _Segments, faults: list[Fault]) -> Iterator[Node]:
    for draft in drafts:
        if draft.kind not in segments:
            advice = did_you_mean(draft.kind, segments)
            faults.append(draft.place.fault(f"the segment {draft.kind} is not described under segments:{advice}"))
            continue
        below = tuple(_nodes(draft.nodes, segments, faults))
        yield Node(segments[draft.kind], draft.is_mandatory, draft.repeats, draft.is_list, below)


def _defined(root: YamlNode | None, faults: list[Fault]) -> _Segments:
    found: _Segments = {}
    if root is not None and not root.is_map:
        faults.append(root.fault(f"'segments' is {root.kind}; write one segment a line: E1EDK03 Dates: [E2EDK03, …]"))
        return found
    for key, entry in root.items() if root else ():
        if (made := definition_of(key, (root or entry).key(key), entry, faults)) is not None:
            found[made.kind] = made
    return found


def _policy(root: YamlNode, faults: list[Fault]) -> str:
    node = root.get("extra")
    if node is not None and node.text not in SEVERITIES:
        faults.append(node.fault(f"'extra' is one of {', '.join(SEVERITIES)}{did_you_mean(node.text, SEVERITIES)}"))
        return ""
    return node.text if node is not None else ""


def is_idoc_file(path: str) -> bool:
    """Whether a file of a project is part of a grammar of an IDoc."""
    return path.startswith(FOLDER) and path.endswith(".yaml")


def _is_shared(path: str) -> bool:
    return PurePosixPath(path).stem == SHARED


def _path_of(name: str) -> str:
    return f"schemas/{name}.yaml"


def _name_of(path: str) -> str:
    return path.removeprefix("schemas/").removesuffix(".yaml")
