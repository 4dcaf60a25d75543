"""Which grammar reads, or writes, a message of another version than the grammar that its mapping names.

Grammars name the parts of a message alike in every version, so that one mapping reads many. What a message declares
counts where its mapping would be right for that version too; else, and where there is no grammar of it, the mapping's.
"""

from __future__ import annotations

from collections import abc
from collections.abc import Iterator, Sequence

from hub.errors import Fault
from hub.formats import Codec
from hub.formats._edi_envelopes import Message
from hub.grammars import Grammars, MessageType, NamedCodec, grammar_name
from hub.grammars.library import WITH_CODES_OF
from hub.mapping import Mapping, Side
from hub.partners import Partner
from hub.routes import Route
from hub.schemas import SchemaSet
from hub.settings import Settings

# What an association code (UNH, S009 0057) begins with, and the folder of the overlays that it stands for.
_FOLDERS = {"EAN": "eancom"}
_MOST_KEPT = 1000


class Versions:
    """The grammars of one side of a mapping, by what messages declare. Safe to use from many threads at once."""

    def __init__(self, mapping: Mapping, schemas: SchemaSet, side: Side | None = None) -> None:
        """``side`` is the mapping's source, or its target; its schema is a grammar of ``schemas``."""
        self._mapping, self._schemas = mapping, schemas
        self._own = schemas.grammars.message((side or mapping.source).schema or "")
        self._chosen: dict[tuple[str, str], str] = {}
        self._found: dict[str, tuple[Fault, ...]] = {}

    @property
    def own(self) -> str:
        """The grammar that the mapping names."""
        return self._own.name

    def grammar(self, version: str, association: str = "") -> str:
        """The name of the grammar for a version (``D01B``, ``005010``) and an association code (``EAN010``)."""
        key = (version, association)
        if key not in self._chosen:
            if len(self._chosen) == _MOST_KEPT:  # what messages declare is anybody's
                self._chosen.clear()
            self._chosen[key] = self._choose(version, association)
        return self._chosen[key]

    def declared(self, version: str) -> str:
        """The standard grammar of a version, whether or not there is one."""
        syntax, _, type = self._own.standard.split("/")
        return f"{syntax}/{version}/{type}"

    def misfits(self, name: str) -> tuple[Fault, ...]:
        """What of the mapping would be wrong if it read, or wrote, by this grammar."""
        if name == self._own.name:
            return ()
        if name not in self._found:
            self._found[name] = self._mapping.misfits(self._schemas.as_if(self._own.name, name))
        return self._found[name]

    def _choose(self, version: str, association: str) -> str:
        if self._own.name != self._own.standard:
            return self._own.name  # an overlay is what was agreed
        return next((name for name in self._candidates(version, association) if not self.misfits(name)), self._own.name)

    def _candidates(self, version: str, association: str) -> Iterator[str]:
        """From the nearest on. A mapping that reads more than the association's overlay has, or another version, gets
        that with the codes of the association."""
        declared = self.declared(version)
        overlays = list(_overlays(self._schemas.grammars, declared, association))
        yield from overlays
        if self._schemas.grammars.has(declared):
            yield from (f"{declared}{WITH_CODES_OF}{overlay}" for overlay in overlays)
            yield declared
        yield from (f"{self._own.name}{WITH_CODES_OF}{overlay}" for overlay in overlays)


def grammar_declared(grammars: Grammars, message: Message) -> str:
    """The grammar of the version that a message declares, as its association has it; '' where there is none."""
    declared = grammar_name(message)
    found = next(_overlays(grammars, declared, message.association), declared)
    return found if grammars.has(found) else ""


def _overlays(grammars: Grammars, declared: str, association: str) -> Iterator[str]:
    """The overlays of a standard grammar that an association code stands for."""
    type = declared.rpartition("/")[2]
    folders = [folder for start, folder in _FOLDERS.items() if association.startswith(start)]
    for name in grammars.names() if folders else ():
        is_named = name.split("/")[0] in folders and name.endswith(f"/{type}")
        if is_named and grammars.message(name).standard == declared:
            yield name


def versions_of(mapping: Mapping, schemas: SchemaSet, side: Side | None = None) -> Versions | None:
    """The versions of a mapping's source, or of the side that is given; None for one that is no grammar."""
    side = side or mapping.source
    return Versions(mapping, schemas, side) if schemas.grammars.has(side.schema or "") else None


def written_by(mapping: Mapping, schemas: SchemaSet, partner: Partner) -> MessageType | None:
    """The grammar of what a mapping writes to a partner: of the version that it trades in, where the mapping is right
    for it; None for what is no message by a grammar."""
    versions = versions_of(mapping, schemas, mapping.target)
    if versions is None:
        return None
    return schemas.grammars.message(versions.grammar(*partner.release) if partner.directory else versions.own)


def source_codec(
    mapping: Mapping, schemas: SchemaSet, format: str, versions: Versions | None = None, overlay: str = ""
) -> Codec:
    """The codec of what a mapping reads: messages of every version, or by the overlay that was agreed."""
    versions = versions or versions_of(mapping, schemas)
    if versions is None or format not in ("edifact", "x12"):
        return schemas.codec(format, mapping.source.schema)
    return NamedCodec(
        format, overlay or mapping.source.schema or "", schemas.grammars, None if overlay else versions.grammar
    )


def version_faults(
    settings: Settings, routes: Sequence[Route], mappings: abc.Mapping[str, Mapping], schemas: SchemaSet
) -> Iterator[Fault]:
    """Where a partner trades in a version (``directory:``) that the mapping of what it sends or gets is wrong for."""
    for route in routes:
        mapping = mappings.get(route.map)
        if route.partner in settings.partners and mapping is not None:
            yield from _misfit(settings.partners[route.partner], mapping, mapping.source, schemas, "read")
        for target in route.targets:
            mapping = mappings.get(target.map or "")
            if target.partner in settings.partners and mapping is not None:
                yield from _misfit(settings.partners[target.partner], mapping, mapping.target, schemas, "written")


def _misfit(partner: Partner, mapping: Mapping, side: Side, schemas: SchemaSet, done: str) -> Iterator[Fault]:
    versions, version = versions_of(mapping, schemas, side), partner.release[0]
    place = partner.node.get("directory") if partner.node is not None else None
    if versions is None or place is None or not schemas.grammars.has(name := versions.declared(version)):
        return
    type, own = name.rpartition("/")[2], schemas.grammars.message(versions.own)
    if own.standard == name or type in partner.overlays or not versions.misfits(name):
        return
    first, *more = versions.misfits(name)
    others = f" (and {len(more)} more)" if more else ""
    yield place.fault(
        f"partner '{partner.name}' trades in {version}, and the mapping {mapping.name} is of {own.name}, which is "
        f"built otherwise: {first.file}:{first.line}:{first.column}: {first.message}{others}; its messages are {done} "
        f"by {own.name}. Write a mapping of {name}",
        "warning",
    )
