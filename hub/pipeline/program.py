"""The active set of project files, compiled once: routes, mappings, validators and rules ready to run.

A program never changes. A deploy makes another one and the engine switches to it at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hub.errors import ProjectError
from hub.fields import Located
from hub.formats import Codec, codec
from hub.mapping import Expression, Tables, compile_expression, compile_mapping, load_tables
from hub.mapping import Mapping as DocumentMapping
from hub.project import text_of
from hub.route_fields import EXPRESSION_NAMES
from hub.routes import Route, Target, load_routes
from hub.schemas import SchemaSet
from hub.settings import Settings, load_settings
from hub.systems import System


@dataclass(frozen=True, slots=True)
class CompiledTarget:
    """A target of a route, ready to map, encode and judge. ``mapping`` None sends the canonical document itself."""

    target: Target
    system: System
    mapping: DocumentMapping | None
    codec: Codec
    codec_options: Mapping[str, Any]
    when: Expression | None
    key: Expression | None
    reply: DocumentMapping | None
    has_children: bool

    @property
    def takes_canonical(self) -> bool:
        """Whether its bytes are the canonical document as the store keeps it: JSON, nothing mapped, no options."""
        return self.mapping is None and not self.codec_options and self.codec is codec("json")

    @property
    def mode(self) -> str:
        """What the system offers against double effects: native, lookup or none."""
        return str(self.system.idempotency.get("mode") or "none")


@dataclass(frozen=True, slots=True)
class CompiledRoute:
    """A route, ready to decode, map and fan out."""

    route: Route
    mapping: DocumentMapping
    codec: Codec
    codec_options: Mapping[str, Any]
    key: Expression | None
    targets: tuple[CompiledTarget, ...]

    @property
    def type(self) -> str:
        """The schema its messages are valid against, such as ``canonical/order``."""
        return self.mapping.target.schema or ""

    def target(self, target_id: str) -> CompiledTarget | None:
        return next((t for t in self.targets if t.target.id == target_id), None)


@dataclass(frozen=True, slots=True)
class Program:
    """Everything a worker needs to take a receipt to its deliveries, without a file or a socket."""

    set_id: int
    settings: Settings
    schemas: SchemaSet
    routes: Mapping[str, CompiledRoute]
    by_source: Mapping[str, tuple[CompiledRoute, ...]] = field(default_factory=dict)

    @property
    def route_files(self) -> dict[str, Route]:
        """The routes as their files say them, by name."""
        return {name: compiled.route for name, compiled in self.routes.items()}

    def select(self, source: str, event: str) -> CompiledRoute | None:
        """The one route that takes this event of this system."""
        for compiled in self.by_source.get(source, ()):
            if compiled.route.takes(event):
                return compiled
        return None

    def find(self, route: str, target: str) -> CompiledTarget | None:
        """A target of a route; None when this set has it no more."""
        compiled = self.routes.get(route)
        return compiled.target(target) if compiled else None


def build_program(
    files: Mapping[str, bytes], environment: str | None, set_id: int, own_connectors: Path | None = None
) -> Program:
    """Compile a set of files. Raises ProjectError when anything in them is wrong. ``own_connectors`` is the project's
    folder of connectors of its own."""
    settings, faults = load_settings(files, environment, own_connectors)
    routes, route_faults = load_routes(files)
    errors = [fault for fault in (*faults, *route_faults) if fault.severity == "error"]
    if errors:
        raise ProjectError(errors)
    schemas = SchemaSet(files)
    mapping = _mapping_loader(files, schemas)
    compiled = {route.name: _route(route, settings, mapping) for route in routes}
    by_source: dict[str, tuple[CompiledRoute, ...]] = {}
    for each in compiled.values():
        by_source[each.route.system] = (*by_source.get(each.route.system, ()), each)
    return Program(set_id, settings, schemas, compiled, by_source)


def _mapping_loader(files: Mapping[str, bytes], schemas: SchemaSet) -> Callable[[str], DocumentMapping]:
    tables: Tables = load_tables(_texts(files, "mappings/tables/", ".csv"))
    paths = {path.rsplit("/", 1)[-1].removesuffix(".yaml"): path for path in _texts(files, "mappings/", ".yaml")}
    done: dict[str, DocumentMapping] = {}

    def load(name: str) -> DocumentMapping:
        if name not in done:
            path = paths[name]
            done[name] = compile_mapping(text_of(files, path)[0], path, tables=tables, schemas=schemas)
        return done[name]

    return load


def _texts(files: Mapping[str, bytes], folder: str, suffix: str) -> dict[str, str]:
    wanted = [path for path in files if path.startswith(folder) and path.endswith(suffix)]
    return {path: text_of(files, path)[0] for path in wanted if not path.endswith(".test.yaml")}


def _route(route: Route, settings: Settings, mapping: Callable[[str], DocumentMapping]) -> CompiledRoute:
    own = mapping(route.map)
    format = own.source.format or settings.systems[route.system].format
    followed = {target.after for target in route.targets if target.after}
    return CompiledRoute(
        route=route, mapping=own, codec=codec(format), codec_options=dict(own.source.options),
        key=_expression(route.key),
        targets=tuple(_target(t, settings, mapping, t.id in followed) for t in route.targets),
    )  # fmt: skip


def _target(
    target: Target, settings: Settings, mapping: Callable[[str], DocumentMapping], has_children: bool
) -> CompiledTarget:
    own = mapping(target.map) if target.map else None
    system = settings.systems[target.system]
    format = (own.target.format if own else None) or system.format
    return CompiledTarget(
        target=target, system=system, mapping=own, codec=codec(format),
        codec_options=dict(own.target.options) if own else {}, when=_expression(target.when),
        key=_expression(target.key), reply=mapping(target.reply.map) if target.reply else None,
        has_children=has_children,
    )  # fmt: skip


def _expression(located: Located | None) -> Expression | None:
    if located is None:
        return None
    return compile_expression(
        located.text, file=located.file, line=located.line, column=located.column, names=EXPRESSION_NAMES
    )
