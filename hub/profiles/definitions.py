"""Profiles as data: ``schemas/profiles/*.yaml`` say which documents a profile judges, and by which schema and rules.

A file holds a profile or a list of them, or says where the files that they name are published. A name with a ``*``
stands for one profile for each word of ``each:``. A profile of a project has the same form.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

import msgspec
from msgspec.structs import replace

from connectors.base import Field
from hub.errors import Fault, ProjectError
from hub.fields import Scope, read_fields
from hub.project import document_of
from hub.yamldoc import Node, did_you_mean

FOLDER = "schemas/profiles/"
_LEVELS = (
    Field("specification", "text", "Only for documents that say they are of it; a * is anything.", default="*"),
    Field("documents", "texts", "Only for these of its documents; a * is anything.", default=("*",)),
    Field("rules", "map", "Rules, each with its severity.", required=True,
          fields=(Field("", "choice", choices=("fatal", "error", "warning", "information")),)),
)  # fmt: skip

PROFILE_FIELDS = (
    Field("profile", "text", "The profile's name; a * in it is each word of each:, in small letters.", required=True),
    Field("title", "text", "What it is, for people.", default=""),
    Field("namespace", "text", "The namespace of the document's root element."),
    Field("root", "text", "The root element's name."),
    Field("schema", "texts", "The file of its XSD; of several, the first that is there.", default=()),
    Field("rules", "texts", "The files of its rules, without their ending.", default=()),
    Field("each", "texts", "Words that stand for the * in the other keys, a profile for each.", default=()),
    Field("documents", "map", "Instead: the profiles of the documents that it judges, each with the rules that come "
          "after theirs; a * in a name is any.", fields=(Field("", "texts"),)),
    Field("levels", "list", "Severities that rules have here, whatever their own is; of several that are for a "
          "document the first counts.", default=(), fields=_LEVELS),
)  # fmt: skip
SOURCE_FIELDS = (
    Field("source", "text", "A name for what is published together.", required=True),
    Field("title", "text", "What it is.", required=True),
    Field("publisher", "text", "Who publishes it.", required=True),
    Field("address", "url", "Where it is to be had.", required=True),
    Field("files", "texts", "The names of its files; a * is anything.", required=True, default=()),
    Field("without", "texts", "Paths of what is published and not meant; a * is anything.", default=()),
    Field("packages", "texts", "Python packages that carry some of them.", default=()),
    Field("carries", "text", "Which of them the packages have, where that is not all.", default=""),
    Field("extra", "text", "The extra of o2c-hub that brings the first package.", default=""),
)


class DocumentType(msgspec.Struct, frozen=True):
    """A document that a profile judges: its root element, the files of its XSD (the first that is there counts) and of
    its rules, all of which it is held to. ``levels``: patterns of specifications, each with severities of rules."""

    profile: str
    namespace: str
    root: str
    schemas: tuple[str, ...]
    rules: tuple[str, ...] = ()
    levels: tuple[tuple[str, Mapping[str, str]], ...] = ()

    def levels_of(self, specification: str) -> Mapping[str, str]:
        """The rules that have another severity than their own in a document of that specification."""
        return next((rules for pattern, rules in self.levels if fnmatchcase(specification, pattern)), {})

    @property
    def tag(self) -> str:
        return f"{{{self.namespace}}}{self.root}" if self.namespace else self.root


class Profile(msgspec.Struct, frozen=True):
    """What ``o2c validate NAME`` holds a document to."""

    name: str
    title: str
    documents: tuple[DocumentType, ...]


class Source(msgspec.Struct, frozen=True):
    """Where files are published, and what carries them."""

    name: str
    title: str
    publisher: str
    address: str
    files: tuple[str, ...]
    without: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    carries: str = ""
    extra: str = ""

    def has(self, file: str) -> bool:
        return any(fnmatchcase(file, pattern) for pattern in self.files)

    def leaves_out(self, path: str) -> bool:
        """Whether a file that is published there is not the one that is meant."""
        return any(fnmatchcase(f"/{path}", pattern) for pattern in self.without)


class Definitions(msgspec.Struct, frozen=True):
    """All profiles by name, and all sources."""

    profiles: Mapping[str, Profile] = msgspec.field(default_factory=dict)
    sources: Sequence[Source] = ()

    def source_of(self, file: str) -> Source | None:
        """Where a file is published."""
        return next((source for source in self.sources if source.has(file)), None)

    def packages(self) -> tuple[str, ...]:
        """The Python packages that may carry files, each once."""
        return tuple(dict.fromkeys(name for source in self.sources for name in source.packages))


def read_definitions(files: Mapping[str, bytes]) -> Definitions:
    """The profiles among a project's files. Raises ProjectError with every fault."""
    faults: list[Fault] = []
    found = definitions(files, faults)
    if faults:
        raise ProjectError(faults)
    return found


def definitions(files: Mapping[str, bytes], faults: list[Fault]) -> Definitions:
    """The same, with the faults added to a list."""
    own = ((path, files[path]) for path in files if path.startswith(FOLDER) and path.endswith((".yaml", ".yml")))
    found, own_faults = _definitions(tuple(sorted(own)))
    faults += own_faults
    return found


@lru_cache(maxsize=8)
def _definitions(files: tuple[tuple[str, bytes], ...]) -> tuple[Definitions, tuple[Fault, ...]]:
    """Read once: those that travel with the hub are the same at every check."""
    faults: list[Fault] = []
    simple: dict[str, Profile] = {}
    composed: list[tuple[Node, dict[str, Any]]] = []
    sources: dict[str, Source] = {}
    for node in _entries(dict(files), faults):
        if node.get("source"):
            values = read_fields(node, SOURCE_FIELDS, Scope("this source", faults))
            sources[values["source"]] = _source(values)
            continue
        named = node.get("profile")
        what = f"profile '{named.text}'" if named else "this profile"
        values = read_fields(node, PROFILE_FIELDS, Scope(what, faults))
        if values["documents"] is not None:
            composed.append((node, values))
        elif values["profile"]:
            _check_simple(node, values, faults)
            simple |= {profile.name: profile for profile in _each(values)}
    profiles = dict(simple)
    for node, values in composed:
        profiles[values["profile"]] = _composed(node, values, simple, faults)
    return Definitions(dict(sorted(profiles.items())), tuple(sources.values())), tuple(faults)


def _entries(files: Mapping[str, bytes], faults: list[Fault]) -> Iterator[Node]:
    for path in files:
        root, found = document_of(files, path)
        faults += found
        yield from root.elements() if root.is_list else [root] if root.is_map else []


def _source(values: dict[str, Any]) -> Source:
    rest = {name: values[name] for name in ("title", "publisher", "address", "carries", "extra")}
    files, without, packages = (tuple(values[name] or ()) for name in ("files", "without", "packages"))
    return Source(values["source"], files=files, without=without, packages=packages, **rest)


def _check_simple(node: Node, values: dict[str, Any], faults: list[Fault]) -> None:
    name = values["profile"]
    for key in ("root", "schema"):
        if not values[key]:
            faults.append(node.key("profile").fault(f"profile '{name}' has no {key}:; write it, or documents:"))
    if ("*" in name) != bool(values["each"]):
        place = node.get("each") or node.key("profile")
        faults.append(place.fault(f"profile '{name}': each: and a * in the name go together"))


def _each(values: dict[str, Any]) -> Iterator[Profile]:
    for word in values["each"] or ("",):
        name = values["profile"].replace("*", _in_small_letters(word))
        title = values["title"].replace("*", _in_words(word)) or name
        document = DocumentType(
            name, (values["namespace"] or "").replace("*", word), (values["root"] or "").replace("*", word),
            tuple(file.replace("*", word) for file in values["schema"]), tuple(values["rules"]), _levels(values, name),
        )  # fmt: skip
        yield Profile(name, title, (document,))


def _composed(node: Node, values: dict[str, Any], known: Mapping[str, Profile], faults: list[Fault]) -> Profile:
    documents: list[DocumentType] = []
    place = node.get("documents") or node
    for pattern, rules in values["documents"].items():
        names = [name for name in known if fnmatchcase(name, pattern)]
        if not names:
            faults.append(place.key(pattern).fault(f"unknown profile '{pattern}'{did_you_mean(pattern, known)}"))
        for base in (document for name in names for document in known[name].documents):
            levels = (*_levels(values, base.profile), *base.levels)
            documents.append(replace(base, rules=(*base.rules, *(rules or ())), levels=levels))
    return Profile(values["profile"], values["title"] or values["profile"], tuple(documents))


def _levels(values: dict[str, Any], document: str) -> tuple[tuple[str, Mapping[str, str]], ...]:
    found = (level for level in values["levels"] if any(fnmatchcase(document, name) for name in level["documents"]))
    return tuple((level["specification"], level["rules"] or {}) for level in found)


def _in_small_letters(word: str) -> str:
    """``credit-note`` for ``CreditNote``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", word).lower()


def _in_words(word: str) -> str:
    """``Credit Note`` for ``CreditNote``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", word)
