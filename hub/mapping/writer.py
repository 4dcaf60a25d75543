"""The target tree -> statements of one Python function, each at the place of the YAML it comes from."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import msgspec
from msgspec.structs import replace

from hub.mapping.calls import level_of, looped, name_problem
from hub.mapping.expressions import ALLOWED, REFUSED, emit
from hub.mapping.lineage import choices_of, parts_of, path_of, reads_of
from hub.mapping.literals import literal_value, place_of_literal, spoken_in
from hub.mapping.pieces import (
    is_never_empty,
    is_simple,
    is_something,
    is_there,
    list_of,
    located,
    located_at,
    present,
    slot_of,
)  # fmt: skip
from hub.mapping.place import Range, range_of
from hub.mapping.scope import Binding, Scope
from hub.mapping.shape import INDEX, Shape
from hub.mapping.trees import Block, Branch, Entry, Formula, Items, Let, Literal, Loop, Tree
from hub.mapping.unit import Draft, Unit, Value, call, load
from hub.yamldoc import Node

Path = tuple[str | int, ...]  # names of fields; a number is a loop, standing for the place of the current element

_MOST_LOOPS = 12


class Spot(msgspec.Struct, frozen=True):
    """One expression as it was compiled: where it stands, which target field it feeds, what its names were."""

    where: Range
    path: Path
    formula: Formula
    scope: Scope
    is_field: bool


@dataclass(slots=True)
class Writer:
    """Writes the body of one function. With ``traced`` every field also notes its value while it runs.

    ``tests`` are the expressions of ``when``, ``bound`` the names that the file gives, with their places.
    """

    unit: Unit
    traced: bool = False
    body: list[ast.stmt] = field(default_factory=list)
    spots: list[Spot] = field(default_factory=list)
    shapes: dict[int, Shape] = field(default_factory=dict)
    tests: set[ast.expr] = field(default_factory=set)
    bound: list[tuple[str, Node]] = field(default_factory=list)
    loops: int = 0
    temporaries: int = 0

    def lets(self, lets: tuple[Let, ...], scope: Scope, path: Path, targets: dict[str, Path]) -> Scope:
        """Bind each name in turn; a fault where one is taken, a warning where it shadows another."""
        for let in lets:
            self._check_name(let.name, scope, let.where)
            is_made = isinstance(let.tree, Branch | Loop | Block | Items)
            own = (*path, f"let {let.name}") if is_made else path
            scope = self._let(let, scope, targets.get(let.name, own))
        return scope

    def _check_name(self, name: str, scope: Scope, where: Node) -> None:
        problem, severity = name_problem(name, scope) if name != "_" else ("", "")
        if problem:
            self.unit.faults.append(where.fault(problem, severity))

    def _let(self, let: Let, scope: Scope, path: Path) -> Scope:
        local = scope.local(let.name)
        self.bound.append((let.name, let.where))
        if isinstance(let.tree, Literal):
            value = self._literal(let.tree)
            binding = Binding(local, value.shape, level=scope.level)
        elif isinstance(let.tree, Formula):
            value = self._formula(let.tree, scope, path, is_field=False)
            node = let.tree.node
            reads, choices = (reads_of(node, scope), choices_of(node, scope)) if self.traced else ((), ())
            level = level_of(node, scope)
            binding = Binding(local, value.shape, path_of(node, scope), reads, level=level, choices=choices)
        else:
            first = len(self.spots)
            value = self.tree(let.tree, scope, path)
            spots = [s for s in self.spots[first:] if self.traced and (s.is_field or len(s.path) == len(path))]
            parts = parts_of([(s.path, s.formula.node, s.scope) for s in spots], len(path))
            reads = tuple(dict.fromkeys(read for _, reads in parts for read in reads))
            binding = Binding(local, value.shape, reads=reads, level=scope.level, parts=parts)
        self._assign(local, value.code)
        return scope.bind(let.name, binding)

    def tree(self, tree: Tree, scope: Scope, path: Path) -> Value:
        """The code of a tree; what it needs before goes into the body."""
        match tree:
            case Formula():
                return self._leaf(tree, scope, path)
            case Literal():
                return self._constant(tree, scope, path)
            case Branch():
                return self._branch(tree, scope, path)
            case Loop():
                return self._loop(tree, scope, path)
            case Block():
                return self._block(tree, scope, path)
            case Items():
                return self._items(tree, scope, path)

    def _formula(self, formula: Formula, scope: Scope, path: Path, *, is_field: bool) -> Value:
        value = emit(self.unit, formula.place, formula.node, scope)
        if self.unit.probes is not None:
            value = replace(value, code=self.unit.probes.expression(formula.place, value.code))
        self.spots.append(Spot(formula.place.whole, path, formula, scope, is_field))
        self.shapes[id(formula.node)] = value.shape
        return value

    def _condition(self, formula: Formula, scope: Scope, path: Path) -> ast.expr:
        """The code of a ``when``."""
        code = self._formula(formula, scope, path, is_field=False).code
        if self.unit.probes is None:
            return code
        return self.unit.probes.truth(formula.place, formula.node, "when holds", "when does not hold", code)

    def _leaf(self, formula: Formula, scope: Scope, path: Path) -> Value:
        """A required field: nothing is an error that names it."""
        value = self._noted(self._formula(formula, scope, path, is_field=True), formula.node)
        if not value.shape.nullable:
            return value
        return present(value, formula.node)

    def _required(self, tree: Tree, scope: Scope, path: Path) -> Value:
        """The tree of a field that must be there: a block whose condition does not hold is an error too."""
        value = self.tree(tree, scope, path)
        if isinstance(tree, Block) and tree.when is not None:
            return present(value, tree.when.node)
        return value

    def _noted(self, value: Value, node: ast.expr) -> Value:
        if not self.traced:
            return value
        noted = call("_note", ast.Constant(len(self.spots) - 1), value.code)
        return replace(value, code=ast.copy_location(noted, node))

    def _constant(self, tree: Literal, scope: Scope, path: Path) -> Value:
        """A field that is written out; a trace tells it like any other, as what reads nothing."""
        value = self._literal(tree)
        if not self.traced:
            return value
        node = located(ast.Constant(None), tree)
        self.spots.append(Spot(range_of(node), path, Formula(place_of_literal(tree), node), scope, True))
        return self._noted(value, node)

    def _literal(self, tree: Literal) -> Value:
        value = literal_value(self.unit, tree.value)
        return Value(located(value.code, tree), replace(value.shape, texts=spoken_in(tree)))

    def _branch(self, tree: Branch, scope: Scope, path: Path) -> Value:
        """An object: fields in the order of the file, optional ones added one by one."""
        fields: dict[str, Shape] = {}
        first = [entry for entry in tree.entries if not entry.optional]
        if len(first) == len(tree.entries) and all(is_simple(entry.tree) for entry in first):
            return self._display(tree, scope, path)
        name = self._temporary("d")
        keys: list[ast.expr | None] = []
        values: list[ast.expr] = []
        self.body.append(located(ast.Assign([ast.Name(name, ast.Store())], ast.Dict(keys, values)), tree))
        home, is_open = len(self.body) - 1, True
        for entry in tree.entries:
            where = (*path, entry.key)
            if entry.optional:
                is_open = False
                fields[entry.key] = self._optional(entry, scope, where, name)
                continue
            value = self._required(entry.tree, scope, where)
            fields[entry.key] = value.shape
            if is_open and len(self.body) - 1 == home:
                keys.append(ast.Constant(entry.key))
                values.append(value.code)
            else:
                is_open = False
                self._set(name, entry, value.code)
        return Value(located(load(name), tree), Shape("object", nullable=False, sure=True, fields=fields))

    def _display(self, tree: Branch, scope: Scope, path: Path) -> Value:
        values = [self._required(entry.tree, scope, (*path, entry.key)) for entry in tree.entries]
        fields = {entry.key: value.shape for entry, value in zip(tree.entries, values, strict=True)}
        code = ast.Dict([ast.Constant(entry.key) for entry in tree.entries], [value.code for value in values])
        return Value(located(code, tree), Shape("object", nullable=False, sure=True, fields=fields))

    def _optional(self, entry: Entry, scope: Scope, path: Path, name: str) -> Shape:
        """``key?``: set only when the value is something; zero and false are something."""
        if isinstance(entry.tree, Block) and entry.tree.when is not None:
            return self._optional_block(entry, entry.tree, entry.tree.when, scope, path, name)
        if isinstance(entry.tree, Formula):
            spot = len(self.spots)
            value = self._formula(entry.tree, scope, path, is_field=True)
            assert spot == len(self.spots) - 1
            value = self._noted(value, entry.tree.node)
        else:
            value = self.tree(entry.tree, scope, path)
        self._set_if_something(name, entry, value, entry.tree)
        return replace(value.shape, nullable=True)

    def _optional_block(
        self, entry: Entry, block: Block, when: Formula, scope: Scope, path: Path, name: str
    ) -> Shape:  # fmt: skip
        """``key?`` with a ``when``: set where it holds."""
        test = self._condition(when, scope, path)
        self.tests.add(when.node)
        with self._nested() as body:
            value = self.tree(block.item, self.lets(block.lets, scope, path, {}), path)
            self._set_if_something(name, entry, value, block.item)
        self.body.append(located_at(ast.If(test, body, []), when.node))
        return replace(value.shape, nullable=True)

    def _set_if_something(self, name: str, entry: Entry, value: Value, tree: Tree) -> None:
        if is_never_empty(tree):
            self._set(name, entry, value.code)
            return
        self._assign("_v", value.code)
        inside = ast.Assign([slot_of(name, entry.key)], load("_v"))
        self.body.append(located(ast.If(is_something(value.shape), [inside], []), entry))

    def _set(self, name: str, entry: Entry, code: ast.expr) -> None:
        self.body.append(located(ast.Assign([slot_of(name, entry.key)], code), entry))

    def _loop(self, tree: Loop, scope: Scope, path: Path) -> Value:
        output = self._temporary("o")
        self.body.append(located(ast.Assign([ast.Name(output, ast.Store())], ast.List([], ast.Load())), tree))
        item = self._into(tree, scope, path, output)
        return Value(located(load(output), tree), Shape("list", nullable=False, sure=True, items=item))

    def _into(self, tree: Loop, scope: Scope, path: Path, output: str) -> Shape:
        """A loop whose items go into a list that is there already; the shape of an item."""
        self.loops += 1
        number = self.loops
        values = self._formula(tree.each, scope, path, is_field=False)
        draft = Draft(self.unit, tree.each.place, ALLOWED, REFUSED)
        listed = looped(draft, tree.each.node, values, scope)
        if self.unit.probes is not None:
            listed = self.unit.probes.listed(tree.each.place, tree.each.node, listed)
        listed = ast.NamedExpr(ast.Name(f"_s{number}", ast.Store()), located_at(listed, tree.each.node))
        inner = self._bound(tree, scope, values.shape, number)
        if inner.level > _MOST_LOOPS:
            self.unit.faults.append(tree.where.fault(f"loops may be nested {_MOST_LOOPS} deep"))
        with self._nested() as body:
            item = self._element(tree, inner, (*path, number), output)
        target = ast.Name(inner.names[tree.element].local, ast.Store())
        # The list under a name the loop's number leads to: an error tells by its length which element it was.
        self.body.append(located(ast.Assign([ast.Name(f"_n{number}", ast.Store())], load(output)), tree))
        if self.traced:
            self.body.append(located(ast.Expr(call("_begin", ast.Constant(number), load(output))), tree))
        self.body.append(located_at(ast.For(target, listed, body, []), tree.each.node))
        return item

    def _bound(self, tree: Loop, scope: Scope, listed: Shape, number: int) -> Scope:
        """The scope inside a loop: its element and its index."""
        node = tree.each.node
        inner = scope.inside_loop()
        for key, name in filter(lambda pair: pair[1], (("as", tree.element), ("index", tree.index))):
            self._check_name(name, scope, tree.where)
            self.bound.append((name, tree.where.get(key) or tree.where))
        path = path_of(node, scope)
        reads = (f"{path}[{number}]",) if path else reads_of(node, scope)
        binding = scope.get(node.id) if isinstance(node, ast.Name) else None
        shape = replace(listed.element, nullable=True)
        element = Binding(
            scope.local(tree.element),
            shape,
            f"{path}[{number}]" if path else "",
            reads,
            number,
            inner.level,
            True,
            parts=binding.parts if binding else (),
        )
        inner = inner.bind(tree.element, element)
        if tree.index:
            inner = inner.bind(tree.index, Binding(scope.local(tree.index), INDEX, level=inner.level))
            self._assign(inner.names[tree.index].local, ast.Constant(0))
        return inner

    def _element(self, tree: Loop, scope: Scope, path: Path, output: str) -> Shape:
        """The body of a loop: count, filter, bind, build, append."""
        if tree.index:
            local = scope.names[tree.index].local
            self.body.append(ast.AugAssign(ast.Name(local, ast.Store()), ast.Add(), ast.Constant(1)))
        if self.traced:
            self._mark("_next", int(path[-1]), tree)
        if tree.when is not None:
            test = self._condition(tree.when, scope, path)
            self.tests.add(tree.when.node)
            self.body.append(located_at(ast.If(ast.UnaryOp(ast.Not(), test), [ast.Continue()], []), tree.when.node))
        scope = self.lets(tree.lets, scope, path, {})
        item = self.tree(tree.item, scope, path)
        self._add(output, item, tree.item, int(path[-1]))
        return item.shape

    def _add(self, output: str, value: Value, tree: Tree, number: int = 0) -> None:
        """Put an element into a list; a block whose condition does not hold is none."""
        is_block = isinstance(tree, Block) and tree.when is not None
        with self._nested() as body:
            self._append(output, load("_v") if is_block else value.code, tree)
            if number:
                self._mark("_done", number, tree)
        if is_block:
            self._assign("_v", value.code)
            body = [located(ast.If(is_there(), body, []), tree)]
        self.body.extend(body)

    def _append(self, output: str, code: ast.expr, tree: Tree) -> None:
        self.body.append(located(ast.Expr(call("_append", load(output), code)), tree))

    def _mark(self, name: str, number: int, tree: Tree) -> None:
        if self.traced:
            self.body.append(located(ast.Expr(call(name, ast.Constant(number))), tree))

    def _block(self, tree: Block, scope: Scope, path: Path) -> Value:
        if tree.when is None:
            return self.tree(tree.item, self.lets(tree.lets, scope, path, {}), path)
        name = self._temporary("b")
        self._assign(name, ast.Constant(None))
        test = self._condition(tree.when, scope, path)
        self.tests.add(tree.when.node)
        with self._nested() as body:
            inner = self.lets(tree.lets, scope, path, {})
            value = self.tree(tree.item, inner, path)
            self._assign(name, value.code)
        self.body.append(located_at(ast.If(test, body, []), tree.when.node))
        return Value(located(load(name), tree), replace(value.shape, nullable=True))

    def _items(self, tree: Items, scope: Scope, path: Path) -> Value:
        if is_simple(tree):
            values = [self.tree(one, scope, (*path, f"[{at}]")) for at, one in enumerate(tree.elements)]
            code = ast.List([value.code for value in values], ast.Load())
            return Value(located(code, tree), list_of([value.shape for value in values]))
        name = self._temporary("o")
        self.body.append(located(ast.Assign([ast.Name(name, ast.Store())], ast.List([], ast.Load())), tree))
        shapes = []
        for position, element in enumerate(tree.elements):
            where = (*path, f"[{position}]")
            if isinstance(element, Loop):
                shapes.append(self._into(element, scope, path, name))
                continue
            value = self.tree(element, scope, where)
            shapes.append(value.shape)
            self._add(name, value, element)
        return Value(located(load(name), tree), list_of(shapes))

    def _assign(self, name: str, code: ast.expr) -> None:
        self.body.append(located_at(ast.Assign([ast.Name(name, ast.Store())], code), code))

    def _temporary(self, letter: str) -> str:
        self.temporaries += 1
        return f"_{letter}{self.temporaries}"

    @contextmanager
    def _nested(self) -> Iterator[list[ast.stmt]]:
        """Statements written meanwhile go into a list of their own."""
        outer, self.body = self.body, []
        try:
            yield self.body
        finally:
            self.body = outer
