"""The active set of project files, compiled once: routes, mappings, validators and rules ready to run.

A program never changes. A deploy makes another one and the engine switches to it at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from hub.edi_versions import Versions, source_codec, versions_of, written_by
from hub.errors import ProjectError
from hub.fields import Located
from hub.formats import Codec, codec, together
from hub.grammars import Examiner, Interpreter, MessageType
from hub.mapping import Expression, Tables, compile_expression, compile_mapping, load_tables
from hub.mapping import Mapping as DocumentMapping
from hub.partners import Partner
from hub.pipeline.fetch_back import DOCUMENT, is_fetch_back, told_by
from hub.pipeline.partners import Partners
from hub.project import text_of
from hub.route_fields import EXPRESSION_NAMES
from hub.routes import Collect, Route, Target, load_routes, resolved
from hub.schemas import SchemaSet, schema_set
from hub.settings import Settings, load_settings
from hub.systems import System

if TYPE_CHECKING:
    from hub.profiles.judge import Judge

Require = Callable[[bytes | Iterable[bytes]], None]  # raises ValidationError
ACKNOWLEDGEMENT = "acknowledgement"
_ACKNOWLEDGEMENTS = "partner:"  # no route can be called so
_NOBODY = Partners()


class CompiledTarget(msgspec.Struct, frozen=True):
    """A target of a route, ready to map, encode and judge. ``mapping`` None sends the canonical document itself."""

    target: Target
    system: System
    mapping: DocumentMapping | None
    codec: Codec
    codec_options: Mapping[str, Any]
    when: Expression | None
    key: Expression | None
    reply: DocumentMapping | None
    partner: Partner | None = None
    grammar: MessageType | None = None  # of the messages that are written to the partner, as its mapping names them
    overlays: Mapping[str, Examiner] = msgspec.field(
        default_factory=dict
    )  # the partner's own grammars, by message type
    time_zone: str = "UTC"  # of dates that say none: the partner's, else the hub's
    require: Require | None = None  # that its bytes are valid by its profile
    collect: Collect | None = None  # its zone is known

    @property
    def takes_canonical(self) -> bool:
        """Whether its bytes are the canonical document as the store keeps it: JSON, nothing mapped, no options."""
        return self.mapping is None and not self.codec_options and self.codec is codec("json")

    @property
    def is_fixed(self) -> bool:
        """Whether its bytes are made of the canonical document and this set's files alone, so that they come out the
        same each time."""
        return self.mapping is None or not self.mapping.xrefs

    @property
    def mode(self) -> str:
        """What the system offers against double effects: native, lookup or none."""
        return str(self.system.idempotency.get("mode") or "none")


class CompiledRoute(msgspec.Struct, frozen=True):
    """A route, ready to decode, map and fan out."""

    route: Route
    mapping: DocumentMapping
    codec: Codec
    codec_options: Mapping[str, Any]
    key: Expression | None
    targets: tuple[CompiledTarget, ...]
    time_zone: str = "UTC"  # of dates that say none: the partner's, else the hub's
    versions: Versions | None = None  # the grammars of what it reads
    require: Require | None = None  # that what comes is valid by its profile

    @property
    def type(self) -> str:
        """The schema its messages are valid against, such as ``canonical/order``."""
        return self.mapping.target.schema or ""

    def target(self, target_id: str) -> CompiledTarget | None:
        for target in self.targets:  # there are few
            if target.target.id == target_id:
                return target
        return None


class Program(msgspec.Struct, frozen=True):
    """Everything a worker needs to take a receipt to its deliveries, without a file or a socket."""

    set_id: int
    settings: Settings
    schemas: SchemaSet
    routes: Mapping[str, CompiledRoute]
    by_source: Mapping[str, tuple[CompiledRoute, ...]] = msgspec.field(default_factory=dict)
    by_event: Mapping[tuple[str, str | None], CompiledRoute] = msgspec.field(default_factory=dict)  # None: any event
    by_partner: Mapping[tuple[str, str | None], CompiledRoute] = msgspec.field(default_factory=dict)
    interpreter: Interpreter | None = None
    collecting: Mapping[str, tuple[tuple[str, CompiledTarget], ...]] = msgspec.field(
        default_factory=dict
    )  # by system, with routes
    sent_to: frozenset[str] = frozenset()  # the systems that deliveries go to
    carried: Mapping[str, Partners] = msgspec.field(default_factory=dict)  # the partners at each system
    by_kind: frozenset[tuple[str, str]] = frozenset()  # partners with the types of which a route takes one kind alone

    @property
    def route_files(self) -> dict[str, Route]:
        """The routes as their files say them, by name."""
        return {name: compiled.route for name, compiled in self.routes.items()}

    def select(self, source: str, event: str) -> CompiledRoute | None:
        """The one route that takes this event of this system."""
        return self.by_event.get((source, event)) or self.by_event.get((source, None))

    def select_for_partner(self, partner: str, message_type: str, kind: str) -> CompiledRoute | None:
        """The one route that takes messages of this type from a partner: of this kind, else of any."""
        events = (f"{message_type} {kind}", message_type, None)
        return next((self.by_partner[partner, event] for event in events if (partner, event) in self.by_partner), None)

    def tells_kinds(self, partner: str, message_type: str) -> bool:
        """Whether a route takes only some kind of this type from a partner."""
        return (partner, message_type) in self.by_kind

    def partners_at(self, system: str) -> Partners:
        """The partners whose interchanges come from a system."""
        return self.carried.get(system, _NOBODY)

    def find(self, route: str, target: str) -> CompiledTarget | None:
        """A target of a route; None when this set has it no more."""
        if (compiled := self.routes.get(route)) is not None:
            return compiled.target(target)
        if is_acknowledgement(route):
            return self._acknowledgement(partner_name(route))
        return self._fetch_back(told_by(route)[0]) if is_fetch_back(route) else None

    def _fetch_back(self, name: str) -> CompiledTarget | None:
        system = self.settings.systems.get(name)
        if system is None or not system.options.get("fetch_back"):
            return None
        asked = replace(system, idempotency={**system.idempotency, "mode": "native"})  # asking twice harms nobody
        return CompiledTarget(
            target=Target(id=DOCUMENT, system=name), system=asked, mapping=None, codec=codec("json"), codec_options={},
            when=None, key=None, reply=None,
        )  # fmt: skip

    def telling(self, route: str, target: CompiledTarget) -> str:
        """The target that this one comes after, where its system tells what it calls what it has made; else ''."""
        before = self.find(route, target.target.after) if target.target.after else None
        return before.target.id if before is not None and before.system.options.get("reference") else ""

    def _acknowledgement(self, name: str) -> CompiledTarget | None:
        partner = self.settings.partners.get(name)
        system = self.settings.systems.get(partner.system) if partner else None
        if partner is None or system is None:
            return None
        return CompiledTarget(
            target=Target(id=ACKNOWLEDGEMENT, system=system.name, partner=name), system=system, mapping=None,
            codec=codec("json"), codec_options={}, when=None, key=None, reply=None,
            partner=partner,
        )  # fmt: skip


def acknowledgement_route(partner: str) -> str:
    """What a delivery of an acknowledgement says instead of a route."""
    return f"{_ACKNOWLEDGEMENTS}{partner}"


def is_acknowledgement(route: str) -> bool:
    return route.startswith(_ACKNOWLEDGEMENTS)


def partner_name(route: str) -> str:
    """Whose acknowledgement it is, by what stands instead of a route."""
    return route.removeprefix(_ACKNOWLEDGEMENTS)


def build_program(
    files: Mapping[str, bytes], environment: str | None, set_id: int, own_connectors: Path | None = None,
    waiting: Callable[[], None] = lambda: None,
) -> Program:  # fmt: skip
    """Compile a set of files. Raises ProjectError when anything in them is wrong. ``own_connectors`` is the project's
    folder of connectors of its own; ``waiting`` is called while a document is judged by a profile."""
    settings, faults = load_settings(files, environment, own_connectors)
    routes, route_faults = load_routes(files)
    routes = resolved(routes, {name: partner.system for name, partner in settings.partners.items()})
    errors = [fault for fault in (*faults, *route_faults) if fault.severity == "error"]
    if errors:
        raise ProjectError(errors)
    schemas = schema_set(files)
    mapping = _mapping_loader(files, schemas)
    judge = cache(partial(_judge_of, files, waiting))
    compiled = {route.name: _route(route, settings, schemas, mapping, judge) for route in routes}
    by_source: dict[str, tuple[CompiledRoute, ...]] = {}
    by_event: dict[tuple[str, str | None], CompiledRoute] = {}
    by_partner: dict[tuple[str, str | None], CompiledRoute] = {}
    for each in compiled.values():
        by_source[each.route.system] = (*by_source.get(each.route.system, ()), each)
        if each.route.partner:
            by_partner |= {(each.route.partner, event): each for event in each.route.events or (None,)}
        else:
            by_event |= {(each.route.system, event): each for event in each.route.events or (None,)}
    collecting: dict[str, tuple[tuple[str, CompiledTarget], ...]] = {}
    for name, target in ((each.route.name, target) for each in compiled.values() for target in each.targets):
        if target.collect is not None:
            collecting[target.system.name] = (*collecting.get(target.system.name, ()), (name, target))
    interpreter = Interpreter(schemas.grammars) if settings.partners else None
    carried: dict[str, list[Partner]] = {}
    for partner in settings.partners.values():
        carried.setdefault(partner.system, []).append(partner)
    return Program(
        set_id, settings, schemas, compiled, by_source, by_event, by_partner, interpreter, collecting,
        frozenset(_sent_to(settings, compiled)), {system: Partners(those) for system, those in carried.items()},
        frozenset((partner, event.partition(" ")[0]) for partner, event in by_partner if event and " " in event),
    )  # fmt: skip


def _sent_to(settings: Settings, routes: Mapping[str, CompiledRoute]) -> Iterator[str]:
    yield from (target.system.name for route in routes.values() for target in route.targets)
    yield from (partner.system for partner in settings.partners.values())  # acknowledgements
    yield from (name for name, system in settings.systems.items() if system.options.get("fetch_back"))


def _mapping_loader(files: Mapping[str, bytes], schemas: SchemaSet) -> Callable[[str], DocumentMapping]:
    tables: Tables = load_tables(_texts(files, "mappings/tables/", ".csv"))
    paths = {path.rsplit("/", 1)[-1].removesuffix(".yaml"): path for path in _paths(files, "mappings/", ".yaml")}
    done: dict[str, DocumentMapping] = {}

    def load(name: str) -> DocumentMapping:
        if name not in done:
            path = paths[name]
            done[name] = compile_mapping(text_of(files, path)[0], path, tables=tables, schemas=schemas)
        return done[name]

    return load


def _texts(files: Mapping[str, bytes], folder: str, suffix: str) -> dict[str, str]:
    return {path: text_of(files, path)[0] for path in _paths(files, folder, suffix)}


def _paths(files: Mapping[str, bytes], folder: str, suffix: str) -> list[str]:
    wanted = (path for path in files if path.startswith(folder) and path.endswith(suffix))
    return [path for path in wanted if not path.endswith(".test.yaml")]


def _route(
    route: Route, settings: Settings, schemas: SchemaSet, mapping: Callable[[str], DocumentMapping],
    judge: Callable[[], Judge],
) -> CompiledRoute:  # fmt: skip
    own = mapping(route.map)
    format = own.source.format or settings.systems[route.system].format
    versions, partner = versions_of(own, schemas), settings.partners.get(route.partner)
    type = (own.source.schema or "").rpartition("/")[2]
    overlay = partner.overlays.get(type, "") if partner else ""
    return CompiledRoute(
        route=route, mapping=own, codec=source_codec(own, schemas, format, versions, overlay),
        codec_options=dict(own.source.options),
        key=_expression(route.key),
        targets=tuple(
            msgspec.structs.replace(
                _target(t, settings, schemas, mapping), require=_require(t.profile, judge)
            )
            for t in route.targets
        ),
        time_zone=_zone(settings, route.partner), versions=versions, require=_require(route.profile, judge),
    )  # fmt: skip


def _target(
    target: Target,
    settings: Settings,
    schemas: SchemaSet,
    mapping: Callable[[str], DocumentMapping],
) -> CompiledTarget:
    own = mapping(target.map) if target.map else None
    system = settings.systems[target.system]
    format = (own.target.format if own else None) or system.format
    partner = settings.partners.get(target.partner)
    overlays = partner.overlays.items() if partner else ()
    options, zone = dict(own.target.options) if own else {}, _zone(settings, target.partner)
    if target.collect and partner is None:
        options = together(format, options)
    return CompiledTarget(
        target=target, system=system, mapping=own, codec=schemas.codec(format, own.target.schema if own else None),
        codec_options=options, when=_expression(target.when),
        key=_expression(target.key), reply=mapping(target.reply.map) if target.reply else None,
        partner=partner,
        grammar=written_by(own, schemas, partner) if own is not None and partner is not None else None,
        time_zone=zone, collect=_in_zone(target.collect, zone),
        overlays={type: Examiner(schemas.grammars.message(name)) for type, name in overlays},
    )  # fmt: skip


def _judge_of(files: Mapping[str, bytes], waiting: Callable[[], None]) -> Judge:
    from hub.profiles.judge import Judge  # loads lxml: 7 MB in each process, which most projects do without

    return Judge(files, waiting)


def _in_zone(collect: Collect | None, zone: str) -> Collect | None:
    if collect is None or collect.schedule.zone:
        return collect
    return msgspec.structs.replace(collect, schedule=msgspec.structs.replace(collect.schedule, zone=zone))


def _require(profile: str, judge: Callable[[], Judge]) -> Require | None:
    return partial(judge().require, profile) if profile else None


def _zone(settings: Settings, partner: str) -> str:
    known = settings.partners.get(partner)
    return known.time_zone if known else settings.time_zone


def _expression(located: Located | None) -> Expression | None:
    if located is None:
        return None
    return compile_expression(
        located.text, file=located.file, line=located.line, column=located.column, names=EXPRESSION_NAMES
    )
