"""The presets there are, as a person chooses among them: what for, by which connector, how proved, what they carry."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import msgspec

from hub.project import document_of
from hub.systems import PRESETS, RECEIVER, preset_names
from hub.yamldoc import Node

_CANONICAL = "canonical/"


class Carried(msgspec.Struct, frozen=True):
    """A mapping that goes with a preset: ``gives`` a canonical message of what comes in, or ``takes`` one and makes of
    it what goes out."""

    mapping: str
    gives: str = ""
    takes: str = ""


class Preset(msgspec.Struct, frozen=True):
    """One preset. ``origin`` is hub or project; ``proved`` is what it was tried against: real, double, documented.
    ``carried`` are the mappings that go with it; what comes in may be an answer to what was sent."""

    name: str
    kind: str
    connector: str
    proved: str
    description: str
    origin: str
    receives: bool
    events: tuple[str, ...]
    carried: tuple[Carried, ...]

    @property
    def takes_in(self) -> list[str]:
        """The canonical messages that come from it, for which there is a mapping."""
        return sorted({each.gives for each in self.carried if each.gives})

    @property
    def sends_out(self) -> list[str]:
        """The canonical messages that go to it, for which there is a mapping."""
        return sorted({each.takes for each in self.carried if each.takes})


def presets(files: Mapping[str, bytes], own: Collection[str] = ()) -> list[Preset]:
    """All presets among ``files``, by name; those that cannot be read have empty fields, as ``o2c check`` tells."""
    return [_preset(name, files, own) for name in preset_names(files)]


def _preset(name: str, files: Mapping[str, bytes], own: Collection[str]) -> Preset:
    path = f"{PRESETS}{name}.yaml"
    root, _ = document_of(files, path)
    connector = _text(root, "connector")
    owners = [name, name.partition("-")[0]] if root.get("mappings") is None else _texts(root, "mappings")
    carried = [each for each in _carried(owners, files) if each.gives or connector != RECEIVER]
    return Preset(
        name, _text(root, "kind"), connector, _text(root, "proved"), _text(root, "description"),
        "project" if path in own else "hub", root.get("verify") is not None, tuple(_texts(root, "events")),
        tuple(carried),
    )  # fmt: skip


def _text(node: Node, key: str) -> str:
    child = node.get(key)
    return child.text if child is not None and child.is_scalar else ""


def _texts(root: Node, key: str) -> list[str]:
    child = root.get(key)
    if child is None:
        return []
    return [child.text] if child.is_scalar else [element.text for element in child.elements()]


def _carried(owners: Sequence[str], files: Mapping[str, bytes]) -> Iterator[Carried]:
    """The mappings in the folders of its name and of its first word, or of what it says, and those whose schema is in
    such a folder: ``mappings/shopify/`` is of ``shopify`` and ``shopify-admin``."""
    folders = tuple(f"mappings/{owner}/" for owner in owners)
    for path, content in sorted(files.items()):
        if not path.startswith("mappings/") or not path.endswith(".yaml") or path.endswith(".test.yaml"):
            continue
        if path.startswith(folders) or any(f"{owner}/".encode() in content for owner in owners):
            root, _ = document_of(files, path)
            comes, goes = _schema(root, "source"), _schema(root, "target")
            if path.startswith(folders) or {comes.partition("/")[0], goes.partition("/")[0]} & {*owners}:
                yield Carried(_text(root, "mapping"), _message(goes) if not _message(comes) else "", _message(comes))


def _schema(root: Node, side: str) -> str:
    node = root.get(side)
    return _text(node, "schema") if node is not None and node.is_map else ""


def _message(schema: str) -> str:
    return schema.rpartition("/")[2] if schema.startswith(_CANONICAL) else ""
