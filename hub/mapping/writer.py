"""The target tree -> statements of one Python function, each at the place of the YAML it comes from."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TypeVar

from hub.mapping.calls import level_of, looped, name_problem
from hub.mapping.expressions import ALLOWED, REFUSED, emit
from hub.mapping.lineage import choices_of, path_of, reads_of
from hub.mapping.place import Range
from hub.mapping.scope import Binding, Scope
from hub.mapping.shape import ANY, BOOLEAN, INTEGER, NUMBER, NUMBERS, TEXT, TEXTS, Shape
from hub.mapping.trees import Block, Branch, Entry, Formula, Items, Let, Literal, Loop, Tree
from hub.mapping.unit import Draft, Unit, Value, call, load
from hub.yamldoc import Node

Path = tuple[str | int, ...]  # names of fields; a number is a loop, standing for the place of the current element

_MOST_LOOPS = 12
_NUMBERED = re.compile(r"\[\d+\]")

Code = TypeVar("Code", bound=ast.AST)


@dataclass(frozen=True, slots=True)
class Spot:
    """One expression as it was compiled: where it stands, which target field it feeds, what its names were."""

    where: Range
    path: Path
    formula: Formula
    scope: Scope
    is_field: bool


@dataclass(slots=True)
class Writer:
    """Writes the body of one function. With ``traced`` every field also notes its value while it runs."""

    unit: Unit
    traced: bool = False
    body: list[ast.stmt] = field(default_factory=list)
    spots: list[Spot] = field(default_factory=list)
    shapes: dict[int, Shape] = field(default_factory=dict)
    loops: int = 0
    temporaries: int = 0

    def lets(self, lets: tuple[Let, ...], scope: Scope, path: Path, targets: dict[str, Path]) -> Scope:
        """Bind each name in turn; a fault where one is taken, a warning where it shadows another."""
        for let in lets:
            self._check_name(let.name, scope, let.where)
            scope = self._let(let, scope, targets.get(let.name, path))
        return scope

    def _check_name(self, name: str, scope: Scope, where: Node) -> None:
        problem, severity = name_problem(name, scope) if name != "_" else ("", "")
        if problem:
            self.unit.faults.append(where.fault(problem, severity))

    def _let(self, let: Let, scope: Scope, path: Path) -> Scope:
        local = scope.local(let.name)
        if isinstance(let.tree, Formula):
            value = self._formula(let.tree, scope, path, is_field=False)
            node = let.tree.node
            reads, choices = (reads_of(node, scope), choices_of(node, scope)) if self.traced else ((), ())
            level = level_of(node, scope)
            binding = Binding(local, value.shape, path_of(node, scope), reads, level=level, choices=choices)
        else:
            first = len(self.spots)
            value = self.tree(let.tree, scope, path)
            binding = Binding(local, value.shape, reads=self._reads_since(first), level=scope.level)
        self._assign(local, value.code)
        return scope.bind(let.name, binding)

    def _reads_since(self, first: int) -> tuple[str, ...]:
        """The source paths of a tree under a name; only a trace asks for them."""
        spots = self.spots[first:] if self.traced else []
        found = (read for spot in spots for read in reads_of(spot.formula.node, spot.scope))
        return tuple(dict.fromkeys(_NUMBERED.sub("[]", read) for read in found))

    def tree(self, tree: Tree, scope: Scope, path: Path) -> Value:
        """The code of a tree; what it needs before goes into the body."""
        match tree:
            case Formula():
                return self._leaf(tree, scope, path)
            case Literal():
                return self._literal(tree)
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
        self.spots.append(Spot(formula.place.whole, path, formula, scope, is_field))
        self.shapes[id(formula.node)] = value.shape
        return value

    def _leaf(self, formula: Formula, scope: Scope, path: Path) -> Value:
        """A required field: nothing is an error that names it."""
        value = self._noted(self._formula(formula, scope, path, is_field=True), formula.node)
        if not value.shape.nullable:
            return value
        return _present(value, formula.node)

    def _required(self, tree: Tree, scope: Scope, path: Path) -> Value:
        """The tree of a field that must be there: a block whose condition does not hold is an error too."""
        value = self.tree(tree, scope, path)
        if isinstance(tree, Block) and tree.when is not None:
            return _present(value, tree.when.node)
        return value

    def _noted(self, value: Value, node: ast.expr) -> Value:
        if not self.traced:
            return value
        noted = call("_note", ast.Constant(len(self.spots) - 1), value.code)
        return replace(value, code=ast.copy_location(noted, node))

    def _literal(self, tree: Literal) -> Value:
        shape = {bool: BOOLEAN, int: INTEGER, str: TEXT}.get(type(tree.value), ANY)
        if isinstance(tree.value, bool | int | str) or tree.value is None:
            code: ast.expr = ast.Constant(tree.value)
        elif isinstance(tree.value, dict | list):
            # A fresh one for each document: what a mapping gives may be changed by who gets it.
            code = self._fresh(tree.value)
            shape = Shape("object" if isinstance(tree.value, dict) else "list", nullable=False, sure=True)
        else:
            code, shape = self.unit.constant(tree.value), NUMBER
        return Value(_located(code, tree), shape)

    def _fresh(self, value: object) -> ast.expr:
        if isinstance(value, dict):
            return ast.Dict([ast.Constant(key) for key in value], [self._fresh(child) for child in value.values()])
        if isinstance(value, list):
            return ast.List([self._fresh(child) for child in value], ast.Load())
        if isinstance(value, bool | int | str) or value is None:
            return ast.Constant(value)
        return self.unit.constant(value)

    def _branch(self, tree: Branch, scope: Scope, path: Path) -> Value:
        """An object: fields in the order of the file, optional ones added one by one."""
        fields: dict[str, Shape] = {}
        first = [entry for entry in tree.entries if not entry.optional]
        if len(first) == len(tree.entries) and all(_is_simple(entry.tree) for entry in first):
            return self._display(tree, scope, path)
        name = self._temporary("d")
        keys: list[ast.expr | None] = []
        values: list[ast.expr] = []
        self.body.append(_located(ast.Assign([ast.Name(name, ast.Store())], ast.Dict(keys, values)), tree))
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
        return Value(_located(load(name), tree), Shape("object", nullable=False, sure=True, fields=fields))

    def _display(self, tree: Branch, scope: Scope, path: Path) -> Value:
        values = [self._required(entry.tree, scope, (*path, entry.key)) for entry in tree.entries]
        fields = {entry.key: value.shape for entry, value in zip(tree.entries, values, strict=True)}
        code = ast.Dict([ast.Constant(entry.key) for entry in tree.entries], [value.code for value in values])
        return Value(_located(code, tree), Shape("object", nullable=False, sure=True, fields=fields))

    def _optional(self, entry: Entry, scope: Scope, path: Path, name: str) -> Shape:
        """``key?``: set only when the value is something; zero and false are something."""
        if isinstance(entry.tree, Formula):
            spot = len(self.spots)
            value = self._formula(entry.tree, scope, path, is_field=True)
            assert spot == len(self.spots) - 1
            value = self._noted(value, entry.tree.node)
        else:
            value = self.tree(entry.tree, scope, path)
        self._assign("_v", value.code)
        inside = ast.Assign([_item(name, entry.key)], load("_v"))
        self.body.append(_located(ast.If(_is_something(value.shape), [inside], []), entry))
        return replace(value.shape, nullable=True)

    def _set(self, name: str, entry: Entry, code: ast.expr) -> None:
        self.body.append(_located(ast.Assign([_item(name, entry.key)], code), entry))

    def _loop(self, tree: Loop, scope: Scope, path: Path) -> Value:
        output = self._temporary("o")
        self.body.append(_located(ast.Assign([ast.Name(output, ast.Store())], ast.List([], ast.Load())), tree))
        item = self._into(tree, scope, path, output)
        return Value(_located(load(output), tree), Shape("list", nullable=False, sure=True, items=item))

    def _into(self, tree: Loop, scope: Scope, path: Path, output: str) -> Shape:
        """A loop whose items go into a list that is there already; the shape of an item."""
        self.loops += 1
        number = self.loops
        values = self._formula(tree.each, scope, path, is_field=False)
        draft = Draft(self.unit, tree.each.place, ALLOWED, REFUSED)
        listed = looped(draft, tree.each.node, values, scope)
        listed = ast.NamedExpr(ast.Name(f"_s{number}", ast.Store()), _located_at(listed, tree.each.node))
        inner = self._bound(tree, scope, values.shape, number)
        if inner.level > _MOST_LOOPS:
            self.unit.faults.append(tree.where.fault(f"loops may be nested {_MOST_LOOPS} deep"))
        with self._nested() as body:
            item = self._element(tree, inner, (*path, number), output)
        target = ast.Name(inner.names[tree.element].local, ast.Store())
        # The list under a name the loop's number leads to: an error tells by its length which element it was.
        self.body.append(_located(ast.Assign([ast.Name(f"_n{number}", ast.Store())], load(output)), tree))
        if self.traced:
            self.body.append(_located(ast.Expr(call("_begin", ast.Constant(number), load(output))), tree))
        self.body.append(_located_at(ast.For(target, listed, body, []), tree.each.node))
        return item

    def _bound(self, tree: Loop, scope: Scope, listed: Shape, number: int) -> Scope:
        """The scope inside a loop: its element and its index."""
        node = tree.each.node
        inner = scope.inside_loop()
        for name in filter(None, (tree.element, tree.index)):
            self._check_name(name, scope, tree.where)
        path = path_of(node, scope)
        reads = (f"{path}[{number}]",) if path else reads_of(node, scope)
        shape = replace(listed.element, nullable=True)
        element = Binding(
            scope.local(tree.element), shape, f"{path}[{number}]" if path else "", reads, number, inner.level, True
        )
        inner = inner.bind(tree.element, element)
        if tree.index:
            inner = inner.bind(tree.index, Binding(scope.local(tree.index), INTEGER, level=inner.level))
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
            test = self._formula(tree.when, scope, path, is_field=False)
            self.body.append(
                _located_at(ast.If(ast.UnaryOp(ast.Not(), test.code), [ast.Continue()], []), tree.when.node)
            )
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
            body = [_located(ast.If(_is_there(), body, []), tree)]
        self.body.extend(body)

    def _append(self, output: str, code: ast.expr, tree: Tree) -> None:
        # Adding a list of one needs no method: the only attribute in generated code is dict.get.
        added = ast.AugAssign(ast.Name(output, ast.Store()), ast.Add(), ast.List([code], ast.Load()))
        self.body.append(_located(added, tree))

    def _mark(self, name: str, number: int, tree: Tree) -> None:
        if self.traced:
            self.body.append(_located(ast.Expr(call(name, ast.Constant(number))), tree))

    def _block(self, tree: Block, scope: Scope, path: Path) -> Value:
        if tree.when is None:
            return self.tree(tree.item, self.lets(tree.lets, scope, path, {}), path)
        name = self._temporary("b")
        self._assign(name, ast.Constant(None))
        test = self._formula(tree.when, scope, path, is_field=False)
        with self._nested() as body:
            inner = self.lets(tree.lets, scope, path, {})
            value = self.tree(tree.item, inner, path)
            self._assign(name, value.code)
        self.body.append(_located_at(ast.If(test.code, body, []), tree.when.node))
        return Value(_located(load(name), tree), replace(value.shape, nullable=True))

    def _items(self, tree: Items, scope: Scope, path: Path) -> Value:
        name = self._temporary("o")
        self.body.append(_located(ast.Assign([ast.Name(name, ast.Store())], ast.List([], ast.Load())), tree))
        shapes = []
        for position, element in enumerate(tree.elements):
            where = (*path, f"[{position}]")
            if isinstance(element, Loop):
                shapes.append(self._into(element, scope, path, name))
                continue
            value = self.tree(element, scope, where)
            shapes.append(value.shape)
            self._add(name, value, element)
        items = shapes[0] if shapes and all(shape == shapes[0] for shape in shapes) else None
        return Value(_located(load(name), tree), Shape("list", nullable=False, sure=True, items=items))

    def _assign(self, name: str, code: ast.expr) -> None:
        self.body.append(_located_at(ast.Assign([ast.Name(name, ast.Store())], code), code))

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


def _is_simple(tree: Tree) -> bool:
    """Whether a tree is one expression that needs no statements before it."""
    if isinstance(tree, Branch):
        return all(not entry.optional and _is_simple(entry.tree) for entry in tree.entries)
    return isinstance(tree, Formula | Literal)


def _present(value: Value, where: ast.expr) -> Value:
    """The value, or an error at ``where`` if there is none."""
    kept = ast.NamedExpr(ast.Name("_v", ast.Store()), value.code)
    test = ast.Compare(kept, [ast.IsNot()], [ast.Constant(None)])
    code = ast.copy_location(ast.IfExp(test, load("_v"), call("_absent")), where)
    return Value(code, value.shape.present())


def _is_there() -> ast.expr:
    return ast.Compare(load("_v"), [ast.IsNot()], [ast.Constant(None)])


def _is_something(shape: Shape) -> ast.expr:
    if shape.sure and shape.kind in TEXTS | {"object", "list"}:
        return load("_v")
    if shape.sure and shape.kind in NUMBERS | {"boolean"}:
        return _is_there()
    # Zero and false equal 0; nothing, '' , [] and {} do not.
    return ast.BoolOp(ast.Or(), [load("_v"), ast.Compare(load("_v"), [ast.Eq()], [ast.Constant(0)])])


def _item(name: str, key: str) -> ast.expr:
    return ast.Subscript(load(name), ast.Constant(key), ast.Store())


def _located(node: Code, tree: Tree | Entry) -> Code:
    if isinstance(tree, Formula):
        return _located_at(node, tree.node)
    where = tree.where
    node.lineno = node.end_lineno = where.line  # type: ignore[attr-defined]
    node.col_offset, node.end_col_offset = where.column - 1, where.column  # type: ignore[attr-defined]
    return node


def _located_at(node: Code, like: ast.AST) -> Code:
    if "lineno" in like.__dict__:
        return ast.copy_location(node, like)
    return node
