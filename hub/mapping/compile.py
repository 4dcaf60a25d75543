"""A mapping file -> a Mapping. Every mistake in the file is found here, with its line and column, all at once."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Any

from hub import formats
from hub.errors import Fault, ProjectError
from hub.mapping.conform import Conformity
from hub.mapping.context import EMPTY
from hub.mapping.coverage import Probes
from hub.mapping.generated import function_of
from hub.mapping.header import HEADER_KEYS, Header, read_header
from hub.mapping.mapping import Mapping, Program, find_xref
from hub.mapping.scope import Binding, Scope
from hub.mapping.shape import ANY, ENVELOPE, shape_of
from hub.mapping.sides import side_faults
from hub.mapping.suspect import Suspicion
from hub.mapping.tables import Table, Tables
from hub.mapping.trees import Branch, Formula, Let, Reader, Tree
from hub.mapping.unit import Unit
from hub.mapping.writer import Path, Writer
from hub.outline import Outline
from hub.schemas import SchemaSet
from hub.schemas.ubl import without_type
from hub.yamldoc import Node, did_you_mean, read_yaml, unknown_keys

_ARGUMENTS = ("v_src", "v_envelope", "v_company", "_xref")
CUSTOMER = "canonical/customer"
_CALLBACKS = ("_note", "_begin", "_next", "_done")


def compile_mapping(
    text: str, file: str, *, tables: Tables, schemas: SchemaSet | None = None, carried: str = ""
) -> Mapping:
    """Compile one mapping file. Raises ProjectError with all faults; warnings are kept with the mapping.

    ``schemas`` turns on the lint of source paths and target fields. ``carried`` is the schema of the documents it is
    given, for a mapping that does not say it.
    """
    root, faults = read_yaml(text, file)
    if not root.is_map:
        raise ProjectError(
            faults or [root.fault(f"a mapping file holds keys such as mapping and output, got {root.kind}")]
        )
    source = _Source(root, text.splitlines(), tables, schemas, carried)
    source.faults.extend(faults)
    built = source.compiled()
    if any(fault.severity == "error" for fault in source.faults):
        raise ProjectError(sorted(set(source.faults), key=lambda fault: (fault.line, fault.column, fault.message)))
    assert built is not None
    return built


class _Source:
    """One file on its way: what was read, what is known, what is wrong."""

    def __init__(
        self, root: Node, lines: list[str], tables: Tables, schemas: SchemaSet | None, carried: str
    ) -> None:  # fmt: skip
        self.root, self.lines, self.tables, self.schemas, self.carried = root, lines, tables, schemas, carried
        self.faults: list[Fault] = list(unknown_keys(root, HEADER_KEYS, "a mapping file"))
        self.header: Header = read_header(root, tables, self.faults)
        reader = Reader(lines)
        self.lets: tuple[Let, ...] = reader.lets(root.get("let"))
        output = root.get("output")
        if output is None:
            self.faults.append(root.fault("output is missing: the tree of the target document"))
        self.output: Tree | None = reader.tree(output) if output is not None else None
        self.faults.extend(reader.faults)

    def compiled(self) -> Mapping | None:
        """The mapping, or None where there is nothing to compile."""
        if self.output is None:
            return None
        unit, writer = self._written(fast=True)
        self.faults.extend(unit.faults)
        self.faults.extend(self._unused(unit))
        if self.schemas is not None:
            self.faults.extend(self._sides())
            self.faults.extend(self._conformity(writer))
            self.faults.extend(suspicions(unit, writer))
        if any(fault.severity == "error" for fault in self.faults):
            return None
        program = self._program(unit, writer, ())
        return self._mapping(unit, program) if program else None

    def _written(
        self, *, traced: bool = False, fast: bool = False, probes: Probes | None = None
    ) -> tuple[Unit, Writer]:
        assert self.output is not None
        unit = Unit(self.tables, frozenset(self.header.tables), fast, probes)
        writer = Writer(unit, traced)
        scope = writer.lets(self.lets, self._scope(), (), dict(_targets(self.output, ())))
        value = writer.tree(self.output, scope, ())
        node = value.code
        writer.body.append(ast.copy_location(ast.Return(node), node))
        return unit, writer

    def _scope(self) -> Scope:
        return Scope(
            {
                "src": Binding("v_src", shape_of(self._source(), is_source=True), "src", ("src",)),
                "envelope": Binding("v_envelope", ENVELOPE, "envelope", ("envelope",)),
                "company": Binding("v_company", shape_of(self._company()), "company", ("company",)),
            }
        )

    def _source(self) -> Outline | None:
        """What is known of the source: its schema, else what its format's options say, else what its route carries."""
        side = self.header.source
        if side.schema is not None:
            return self._schema(side.schema, "source")
        if side.format is not None:
            return formats.outline_of(side.format, side.options) if side.format in formats.names() else None
        return self._schema(self.carried or None, "source")

    def _company(self) -> Outline | None:
        """The own party is a customer's party: the canonical one."""
        is_known = self.schemas is not None and self.schemas.has(CUSTOMER)
        return self.schemas.outline(CUSTOMER).field("party") if self.schemas is not None and is_known else None

    def _schema(self, name: str | None, side: str) -> Outline | None:
        """What a schema file describes; a fault where there is none of that name."""
        if name is None or self.schemas is None:
            return None
        if not self.schemas.has(name):
            node = (self.root.get(side) or self.root).get("schema") or self.root
            advice = without_type(name) or did_you_mean(name, self.schemas.names())
            self.faults.append(node.fault(f"unknown schema '{name}'{advice}"))
            return None
        return self.schemas.outline(name)

    def _sides(self) -> Iterator[Fault]:
        for name, side in (("source", self.header.source), ("target", self.header.target)):
            node = self.root.get(name)
            is_known = side.schema and side.format and self.schemas is not None and self.schemas.has(side.schema)
            if node is not None and is_known:
                yield from side_faults(node, side, self._schema(side.schema, name))

    def _conformity(self, writer: Writer) -> Iterator[Fault]:
        wanted = shape_of(self._schema(self.header.target.schema, "target"))
        output = self.root.get("output")
        if wanted is ANY or self.output is None or output is None:
            return
        trees = {let.name: let.tree for let in self.lets if not isinstance(let.tree, Formula)}
        yield from Conformity(writer.shapes, trees).faults(self.output, wanted, "", self.root.key("output"))

    def _unused(self, unit: Unit) -> Iterator[Fault]:
        listed = self.root.get("tables")
        for node in listed.elements() if listed else []:
            if node.text in self.header.tables and node.text not in unit.used_tables:
                yield node.fault(f"the table '{node.text}' is never used; take it out of tables, or use it", "warning")

    def _program(self, unit: Unit, writer: Writer, extra: tuple[str, ...]) -> Program | None:
        parameters = [*_ARGUMENTS, *unit.lookups.values(), *extra]
        run = function_of(unit, self.root.file, parameters, writer.body)
        if isinstance(run, Fault):
            self.faults.append(run)
            return None
        return Program(run, writer.spots)

    def _again(self, traced: bool, fast: bool, probes: Probes | None = None) -> Program:
        """The same mapping once more: with notes of every field, without the short cuts of fast code, with probes."""
        unit, writer = self._written(traced=traced, fast=fast, probes=probes)
        program = self._program(unit, writer, _CALLBACKS if traced else ())
        if program is None:
            raise ProjectError(self.faults)
        return program

    def _mapping(self, unit: Unit, program: Program) -> Mapping:
        header = self.header
        found = [(self._table(name), column) for name, column in unit.lookups]
        finders: list[Callable[..., Any]] = [partial(find_xref, EMPTY)]
        finders += [table.finder(column) for table, column in found]
        safe, traced, safely_traced = (
            _Once(partial(self._again, *how)) for how in ((False, False), (True, True), (True, False))
        )
        return Mapping(
            header.name, header.version, header.description, self.root.file, header.source, header.target,
            header.tables, unit.uses_xref, tuple(self.faults), program, safe, traced, safely_traced, tuple(found),
            tuple(finders), partial(self._again, False), self._misfits,
        )  # fmt: skip

    def _misfits(self, schemas: SchemaSet) -> tuple[Fault, ...]:
        other = _Source(self.root, self.lines, self.tables, schemas, self.carried)
        other.compiled()
        return tuple(fault for fault in other.faults if fault.severity == "error")

    def _table(self, name: str) -> Table:
        table = self.tables.get(name)
        assert table is not None
        return table


def suspicions(unit: Unit, writer: Writer) -> Iterator[Fault]:
    """What of a mapping could run and would not do what is meant. Names that nothing uses are told where all else is
    right, since a misspelt use leaves one."""
    found = [
        fault
        for spot in writer.spots
        for fault in Suspicion(spot.formula.place, spot.scope, unit.shapes).faults(
            spot.formula.node, is_test=spot.formula.node in writer.tests
        )
    ]
    yield from found
    if any(fault.severity == "error" for fault in (*found, *unit.faults)):
        return
    used = {part.id for spot in writer.spots for part in ast.walk(spot.formula.node) if isinstance(part, ast.Name)}
    for name, where in writer.bound:
        if name not in used and name != "_":
            yield where.fault(f"the name '{name}' is never used; take it out, or use it", "warning")


@dataclass(slots=True)
class _Once:
    """Makes a value when it is first asked for; a mapping that is never traced is not compiled for it."""

    make: Callable[[], Program]
    made: Program | None = None
    lock: Any = None

    def __post_init__(self) -> None:
        self.lock = Lock()

    def __call__(self) -> Program:
        with self.lock:
            if self.made is None:
                self.made = self.make()
            return self.made


def _targets(tree: Tree, path: Path) -> Iterator[tuple[str, Path]]:
    """The names that stand alone at a target field, with the field: errors inside them name that field."""
    if isinstance(tree, Branch):
        for entry in tree.entries:
            yield from _targets(entry.tree, (*path, entry.key))
    elif isinstance(tree, Formula) and isinstance(tree.node, ast.Name):
        yield tree.node.id, path
