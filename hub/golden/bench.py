"""A project compiled for its tests: mappings and routes with probes, and what a test may read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from hub.check import CheckResult, check_project
from hub.grammars import MessageType
from hub.mapping import BRANCH, Expression, Probe, Probes
from hub.mapping import Mapping as DocumentMapping
from hub.pipeline.program import CompiledRoute, CompiledTarget, Program, build_program
from hub.schemas import SchemaSet
from hub.simulation.store import prepared
from hub.yamldoc import Node


@dataclass(slots=True)
class Bench:
    """A sound project. ``covered`` are its mappings with probes, ``program`` its routes made of them; ``probes`` are
    kept by file. ``empty_store`` is a store without anything in it."""

    files: Mapping[str, bytes]
    root: Path
    connectors_folder: Path | None
    check: CheckResult
    program: Program
    covered: Mapping[str, DocumentMapping]
    probes: Mapping[str, Probes]
    empty_store: bytes = field(repr=False)

    @property
    def schemas(self) -> SchemaSet:
        return self.program.schemas

    def read_file(self, path: str) -> bytes | None:
        """The bytes of a file of the project, also of one that is no part of what is deployed."""
        found = self.root / path
        inside = found.resolve().is_relative_to(self.root.resolve())
        return found.read_bytes() if inside and found.is_file() else None

    def mapping_of(self, file: str) -> DocumentMapping | None:
        return next((mapping for mapping in self.check.mappings.values() if mapping.file == file), None)

    def source_format(self, mapping: DocumentMapping) -> str:
        """The format of what a mapping reads: its own, else that of a system that a route takes it from."""
        used = (c.route.system for c in self.program.routes.values() if c.mapping.name == mapping.name)
        systems = self.program.settings.systems
        return mapping.source.format or next((systems[name].format for name in used), "json")

    def target_format(self, mapping: DocumentMapping) -> str:
        targets = (t for c in self.program.routes.values() for t in c.targets)
        used = (t.system.format for t in targets if t.mapping is not None and t.mapping.name == mapping.name)
        return mapping.target.format or next(used, "json")

    def grammar(self, schema: str | None) -> MessageType | None:
        """The grammar that a mapping names as the schema of a side; None where that is another schema, or none."""
        grammars = self.schemas.grammars
        return grammars.message(schema) if schema and grammars.has(schema) else None

    @classmethod
    def of(
        cls, files: Mapping[str, bytes], root: Path, environment: str | None, folder: Path | None, own: Any
    ) -> Bench:
        """Compile a project. Raises ProjectError where it is not sound."""
        result = check_project(files, environment, own=own, connectors_folder=folder).require_sound()
        program = build_program(files, environment, 1, folder)
        probes: dict[str, Probes] = {}
        covered = {
            name: mapping.covered(probes.setdefault(mapping.file, Probes()))
            for name, mapping in result.mappings.items()
        }
        return cls(
            files, root, folder, result, covered_program(program, covered, probes), covered, probes,
            prepared(lambda store: None)[1],
        )  # fmt: skip


def covered_program(program: Program, covered: Mapping[str, DocumentMapping], probes: dict[str, Probes]) -> Program:
    """The same program with probes in its mappings and in the expressions of its routes."""
    routes = {name: _route(each, covered, probes) for name, each in program.routes.items()}
    by_source = {
        source: tuple(routes[each.route.name] for each in found) for source, found in program.by_source.items()
    }
    by_event = {event: routes[each.route.name] for event, each in program.by_event.items()}
    return replace(program, routes=routes, by_source=by_source, by_event=by_event)


def _route(each: CompiledRoute, covered: Mapping[str, DocumentMapping], probes: dict[str, Probes]) -> CompiledRoute:
    own = probes.setdefault(each.route.file, Probes())
    for target in each.targets:
        for probe in target_probes(target):
            own.declare(probe)
    return replace(
        each, mapping=covered[each.mapping.name], key=_expression(each.key, own),
        targets=tuple(_target(target, covered, own) for target in each.targets),
    )  # fmt: skip


def _target(target: CompiledTarget, covered: Mapping[str, DocumentMapping], probes: Probes) -> CompiledTarget:
    return replace(
        target, mapping=covered[target.mapping.name] if target.mapping else None,
        reply=covered[target.reply.name] if target.reply else None,
        when=_expression(target.when, probes, is_condition=True), key=_expression(target.key, probes),
    )  # fmt: skip


def _expression(expression: Expression | None, probes: Probes, is_condition: bool = False) -> Expression | None:
    return expression.covered(probes, is_condition) if expression is not None else None


def target_probes(target: CompiledTarget) -> list[Probe]:
    """What may happen with a target: it is sent to, it waits for another in vain, its answer becomes a message."""
    node = target.target.node
    if node is None:
        return []
    found = [_probe(node.get("id") or node.get("system") or node, "it is sent to", target.target.id)]
    if target.reply is not None:
        found.append(_probe(node.key("reply"), "its answer becomes a message", target.target.id))
    return found


def _probe(node: Node, way: str, text: str) -> Probe:
    width = len(node.text) + (0 if node.plain else 2)
    return Probe(node.file, node.line, node.column, node.line, node.column + width, BRANCH, way, text)
