"""Calls of functions, pipes, look-ups and comprehensions -> code."""

from __future__ import annotations

import ast
from dataclasses import replace

from hub.functions import Function
from hub.mapping import paths
from hub.mapping.scope import Binding, Scope
from hub.mapping.shape import ANY, NUMBERS, TEXTS, Shape, joined, named
from hub.mapping.unit import Draft, Value, load
from hub.mapping.unit import call as call_of
from hub.yamldoc import did_you_mean

_DEEPEST = 3


def call(draft: Draft, node: ast.Call, scope: Scope) -> Value:
    """``f(a, b)``: a registered function, the right number of arguments, each of the right kind."""
    function = _function(draft, node, scope)
    if function is None:
        return Value(ast.Constant(None))
    problem = _unfit(node, function)
    if problem:
        return draft.refuse(node, problem)
    if function.special:
        return _SPECIAL[function.name](draft, node, scope)
    values = [draft.emit(argument, scope) for argument in node.args]
    for position, (argument, value) in enumerate(zip(node.args, values, strict=True)):
        _check_kind(draft, function, function.wants(position), argument, value.shape)
    name = f"f_{function.name}"
    draft.unit.names[name] = function.call
    if function.name == "sum" and _adds_numbers(values[0].shape):
        name = "_sum"
    return Value(call_of(name, *(value.code for value in values)), _returned(function, values))


def _function(draft: Draft, node: ast.Call, scope: Scope) -> Function | None:
    if isinstance(node.func, ast.Attribute):
        name = node.func.attr
        advice = f"; write {name}({draft.words(node.func.value)})" if name in draft.unit.functions else ""
        draft.refuse(node.func, f"an object's methods cannot be called{advice}")
        return None
    if not isinstance(node.func, ast.Name):
        draft.refuse(node.func, "only a function's name may stand before ( )")
        return None
    function = draft.unit.functions.get(node.func.id)
    if function is None:
        draft.refuse(node.func, f"unknown function '{node.func.id}'{did_you_mean(node.func.id, draft.unit.functions)}")
    return function


def _unfit(node: ast.Call, function: Function) -> str:
    if node.keywords:
        return f"arguments have no names; write {function.signature}"
    if any(isinstance(argument, ast.Starred) for argument in node.args):
        return "a star argument is not allowed in an expression"
    if len(node.args) < function.least or (function.most is not None and len(node.args) > function.most):
        most = "more" if function.most is None else function.most
        wanted = str(function.least) if function.least == function.most else f"{function.least} to {most}"
        noun = "argument" if wanted == "1" else "arguments"
        return f"{function.name} takes {wanted} {noun}, got {len(node.args)}; write {function.signature}"
    return ""


def _check_kind(draft: Draft, function: Function, wanted: str, node: ast.expr, shape: Shape) -> None:
    words = draft.words(node)
    got = shape.kind
    if got in ("any", "nothing") or wanted in ("any", "same", "element"):
        return
    if wanted in NUMBERS and got in TEXTS:
        draft.refuse(node, f"{words} is text{_origin(shape)}; {function.name} needs dec({words})")
    elif wanted in TEXTS and got in NUMBERS | {"boolean"}:
        draft.refuse(node, f"{words} is {shape.words}; {function.name} needs text({words})")
    elif wanted == "list" and got != "list":
        draft.refuse(node, f"{function.name} wants a list, {words} is {shape.words}")
    elif wanted != "list" and got == "list":
        draft.refuse(node, f"{words} is a list; loop over it or take [0]")
    elif got == "object" and wanted not in ("object", "money"):
        draft.refuse(node, f"{function.name} wants {_article(wanted)}, {words} is an object")


def _origin(shape: Shape) -> str:
    return " in the source" if shape.is_source else ""


def _article(kind: str) -> str:
    return named(kind).words


def _adds_numbers(shape: Shape) -> bool:
    """Whether Python's own sum is safe: a list this mapping made, of numbers by construction."""
    element = shape.element
    return shape.sure and not shape.nullable and element.sure and element.kind in NUMBERS


def _returned(function: Function, values: list[Value]) -> Shape:
    first = values[0].shape if values else ANY
    match function.returns:
        case "same":
            shape = first
            for value in values[1:2] if function.name in ("default", "coalesce") else []:
                shape = joined(shape, value.shape)
        case "element":
            shape = first.element
        case kind:
            shape = named(kind)
    nullable = {"never": False, "always": True, "first": first.nullable}[function.nothing]
    if function.name == "default":
        nullable = values[1].shape.nullable
    if function.name == "coalesce":
        nullable = all(value.shape.nullable for value in values)
    if function.name == "dec" and first.kind in TEXTS:
        nullable = True  # empty text is nothing too
    return replace(shape, nullable=nullable)


def pipe(draft: Draft, node: ast.BinOp, scope: Scope) -> Value:
    """``a | f(x)`` is ``f(a, x)``."""
    target = node.right
    if not isinstance(target, ast.Call):
        return draft.refuse(target, f"a pipe leads into a function: | {draft.words(target)}(…)")
    piped = ast.Call(target.func, [node.left, *target.args], target.keywords)
    ast.copy_location(piped, node)
    return call(draft, piped, scope)


def lookup(draft: Draft, node: ast.Call, scope: Scope) -> Value:
    """``lookup(key, 'table', otherwise)``: the table is known when the mapping is compiled."""
    name = node.args[1].value if isinstance(node.args[1], ast.Constant) else None
    if not isinstance(name, str):
        return draft.refuse(node.args[1], "the table's name must be quoted text: lookup(key, 'units')")
    key = draft.emit(node.args[0], scope)
    _check_kind(draft, draft.unit.functions["lookup"], "text", node.args[0], key.shape)
    table, _, column = name.partition(".")
    problem = _table_problem(draft, table, column)
    if problem:
        return draft.refuse(node.args[1], problem)
    otherwise = [draft.emit(argument, scope) for argument in node.args[2:]]
    shape = joined(replace(named("text"), nullable=True), otherwise[0].shape) if otherwise else named("text")
    shape = replace(shape, nullable=not otherwise or otherwise[0].shape.nullable)
    code = ast.Call(draft.unit.lookup(table, column or "value"), [key.code, *(value.code for value in otherwise)], [])
    return Value(code, shape)


def _table_problem(draft: Draft, name: str, column: str) -> str:
    table = draft.unit.tables.get(name)
    if table is None:
        return f"unknown table '{name}'{did_you_mean(name, draft.unit.tables.names())}"
    if draft.unit.declared is not None and name not in draft.unit.declared:
        return f"the table '{name}' is not listed; add it to tables: […]"
    if column and column not in table.columns:
        return f"the table '{name}' has no column '{column}'{did_you_mean(column, table.columns)}"
    return ""


def xref(draft: Draft, node: ast.Call, scope: Scope) -> Value:
    """``xref(system, kind, id)``: the worker fetches all of a batch in one statement."""
    values = [draft.emit(argument, scope) for argument in node.args]
    for argument, value in zip(node.args, values, strict=True):
        _check_kind(draft, draft.unit.functions["xref"], "text", argument, value.shape)
    draft.unit.uses_xref = True
    return Value(call_of("_xref", *(value.code for value in values)), replace(named("text"), nullable=True))


_SPECIAL = {"has": paths.has, "lookup": lookup, "xref": xref}


def comprehension(draft: Draft, node: ast.ListComp | ast.GeneratorExp, scope: Scope) -> Value:
    """``f(x) for x in list if condition``; always a list, nested at most three deep."""
    outer = scope
    draft.depth += len(node.generators)
    if draft.depth > _DEEPEST:
        draft.refuse(node, f"comprehensions may be nested {_DEEPEST} deep; name the inner list under let")
    generators = []
    for generator in node.generators:
        code, scope = _generator(draft, generator, scope, outer, node.elt)
        generators.append(code)
    element = draft.emit(node.elt, scope)
    draft.depth -= len(node.generators)
    shape = Shape("list", nullable=False, sure=True, items=element.shape)
    return Value(ast.ListComp(element.code, generators), shape)


def _generator(
    draft: Draft, node: ast.comprehension, scope: Scope, outer: Scope, element: ast.expr
) -> tuple[ast.comprehension, Scope]:
    values = draft.emit(node.iter, scope)
    if not isinstance(node.target, ast.Name) or node.is_async:
        draft.refuse(node.target, "a loop binds one name: x for x in list")
        return ast.comprehension(ast.Name("v_", ast.Store()), values.code, [], 0), scope
    name = node.target.id
    code = looped(draft, node.iter, values, scope, reads_field=_reads_field((node.ifs or [element])[0], name))
    problem, severity = name_problem(name, outer)
    if problem:
        draft.refuse(node.target, problem, severity)
    local = scope.local(name)
    shape = replace(values.shape.element, nullable=True)
    inner = scope.inside_loop()
    inner = inner.bind(name, Binding(local, shape, level=inner.level, is_element=True))
    tests = [draft.emit(test, inner).code for test in node.ifs]
    return ast.comprehension(ast.Name(local, ast.Store()), code, tests, 0), inner


def _reads_field(node: ast.expr, name: str) -> bool:
    """Whether computing a node surely reads a field of what ``name`` stands for, before anything else is decided."""
    match node:
        case ast.Attribute(value=ast.Name(id=root)):
            return root == name
        case ast.Attribute(value=inner) | ast.Compare(left=inner) | ast.IfExp(test=inner) | ast.BinOp(left=inner):
            return _reads_field(inner, name)
        case ast.BoolOp(values=[first, *_]) | ast.Call(args=[first, *_]) | ast.Dict(values=[first, *_]):
            return _reads_field(first, name)
    return False


def name_problem(name: str, scope: Scope) -> tuple[str, str]:
    """What is wrong with a name that is to be bound, and how bad that is; empty when nothing is."""
    if name in paths.WORDS or name in ("src", "envelope", "company"):
        return f"the name '{name}' is taken; choose another", "error"
    if name.startswith("_"):
        return f"a name must not start with '_': '{name}'", "error"
    return (f"'{name}' shadows another name; choose another", "warning") if name in scope else ("", "")


def looped(draft: Draft, node: ast.expr, values: Value, scope: Scope, *, reads_field: bool = False) -> ast.expr:
    """The code of what a loop goes over: checked, and counted where it starts over inside another loop.

    Fast code leaves the check out where the loop reads a field of each element: that raises for all but objects.
    """
    shape = values.shape
    if shape.kind not in ("any", "list", "nothing"):
        draft.refuse(node, f"a loop wants a list, {draft.words(node)} is {shape.words}")
    if scope.level > level_of(node, scope):
        draft.unit.uses_budget = True
        return ast.copy_location(call_of("_each_within", values.code, load("_budget")), node)
    if shape.sure and shape.kind == "list" and not shape.nullable:
        return values.code
    if draft.unit.fast and reads_field:
        return ast.BoolOp(ast.Or(), [values.code, ast.Tuple([], ast.Load())])
    return ast.copy_location(call_of("_each", values.code), node)


def level_of(node: ast.expr, scope: Scope) -> int:
    """How many loops the list depends on: that of the innermost name it is made from."""
    bound = [scope.get(part.id) for part in ast.walk(node) if isinstance(part, ast.Name)]
    return max((binding.level for binding in bound if binding), default=0)
