"""Calls of functions, pipes, look-ups and comprehensions -> code."""

from __future__ import annotations

import ast

from msgspec.structs import replace

from hub.functions import Function
from hub.identifiers import currencies
from hub.mapping import paths
from hub.mapping.elsewhere import meant
from hub.mapping.place import range_of
from hub.mapping.returned import adds_numbers, returned
from hub.mapping.scope import Binding, Scope
from hub.mapping.shape import MOST_TEXTS, NUMBERS, TEXTS, Shape, Spoken, joined, named
from hub.mapping.shortcuts import unless_empty, written_out
from hub.mapping.sums import one_call
from hub.mapping.unit import Draft, Value, load
from hub.mapping.unit import call as call_of
from hub.yamldoc import did_you_mean

_DEEPEST = 3
_OF_A_CURRENCY = frozenset(("money", "from_minor", "to_minor"))


def call(draft: Draft, node: ast.Call, scope: Scope) -> Value:
    """``f(a, b)``: a registered function, the right number of arguments, each of the right kind."""
    function = _function(draft, node, scope)
    if function is None:
        return Value(ast.Constant(None))
    problem = _no_currency(draft, node) or _unfit(node, function)
    if problem:
        return draft.refuse(node, problem)
    if function.special:
        return _SPECIAL[function.name](draft, node, scope)
    values = [draft.emit(argument, scope) for argument in node.args]
    for position, (argument, value) in enumerate(zip(node.args, values, strict=True)):
        _check_kind(draft, function, function.wants(position), argument, value.shape)
    name = f"f_{function.name}"
    draft.unit.names[name] = function.call
    codes = [value.code for value in values]
    if function.name == "sum" and adds_numbers(values[0].shape):
        name = "_sum"
        if values[0].shape.element.is_decimal:
            codes.append(load("_zero"))
    if (probes := draft.unit.probes) is not None and name in ("f_default", "f_coalesce"):
        return Value(probes.choice(draft.place, node, load(name), codes), returned(function, values))
    if function.name == "sum" and probes is None and (code := one_call(draft, node, codes[0])):
        return Value(code, returned(function, values))
    if code := written_out(draft, function.name, values):
        return Value(code, returned(function, values))
    return Value(call_of(name, *codes), returned(function, values))


def _function(draft: Draft, node: ast.Call, scope: Scope) -> Function | None:
    if isinstance(node.func, ast.Attribute):
        name, of = node.func.attr, draft.words(node.func.value)
        advice = f"; write {name}({of})" if name in draft.unit.functions else ""
        advice = advice or (f": {known}" if (known := meant(name, [of])) else "")
        draft.refuse(node.func, f"an object's methods cannot be called{advice}")
        return None
    if not isinstance(node.func, ast.Name):
        draft.refuse(node.func, "only a function's name may stand before ( )")
        return None
    function = draft.unit.functions.get(node.func.id)
    if function is None:
        name = node.func.id
        known = meant(name, [draft.words(argument) for argument in node.args])
        draft.refuse(node.func, known or f"unknown function '{name}'{did_you_mean(name, draft.unit.functions)}")
    return function


def _no_currency(draft: Draft, node: ast.Call) -> str:
    """What is wrong with an amount whose currency is missing, nothing, or stands before the number."""
    if not isinstance(node.func, ast.Name) or node.func.id not in _OF_A_CURRENCY or node.keywords:
        return ""
    name, (amount, *rest) = node.func.id, node.args or [ast.Name("…")]
    words = draft.words(amount) if node.args else "…"
    if not rest or (isinstance(rest[0], ast.Name) and rest[0].id == "null"):
        return f"an amount needs its currency; write {name}({words}, 'EUR'), or {name}({words}, src.currency)"
    is_code = isinstance(amount, ast.Constant) and amount.value in currencies()
    return f"the number comes first; write {name}({draft.words(rest[0])}, {words})" if is_code else ""


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


def pipe(draft: Draft, node: ast.BinOp, scope: Scope) -> Value:
    """``a | f(x)`` is ``f(a, x)``."""
    target = node.right
    if not isinstance(target, ast.Call):
        known = meant(target.id, [draft.words(node.left)]) if isinstance(target, ast.Name) else ""
        return draft.refuse(target, known or f"a pipe leads into a function: | {draft.words(target)}(…)")
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
    found = draft.unit.tables.get(table)
    where = range_of(node.args[1])
    cells = found.columns[column or "value"].values() if found else ()
    texts = tuple(Spoken(cell, where, table) for cell in dict.fromkeys(cells) if cell)
    texts = (*texts[:MOST_TEXTS], *shape.texts)
    shape = replace(shape, nullable=not otherwise or otherwise[0].shape.nullable, texts=texts)
    find = draft.unit.lookup(table, column or "value")
    code: ast.expr = ast.Call(find, [key.code, *(value.code for value in otherwise)], [])
    if (probes := draft.unit.probes) is not None and otherwise:
        code = probes.found(draft.place, node, find, key.code, otherwise[0].code)
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
        code, scope = _generator(draft, generator, scope, outer)
        generators.append(code)
    element = draft.emit(node.elt, scope)
    draft.depth -= len(node.generators)
    shape = Shape("list", nullable=False, sure=True, items=element.shape)
    listed = ast.ListComp(element.code, generators)
    is_quick = draft.unit.fast and draft.depth == 0 and draft.unit.probes is None and _reads_field(node)
    return Value(unless_empty(listed) if is_quick else listed, shape)


def _generator(draft: Draft, node: ast.comprehension, scope: Scope, outer: Scope) -> tuple[ast.comprehension, Scope]:
    values = draft.emit(node.iter, scope)
    if not isinstance(node.target, ast.Name) or node.is_async:
        draft.refuse(node.target, "a loop binds one name: x for x in list")
        return ast.comprehension(ast.Name("v_", ast.Store()), values.code, [], 0), scope
    name = node.target.id
    code = looped(draft, node.iter, values, scope)
    problem, severity = name_problem(name, outer)
    if problem:
        draft.refuse(node.target, problem, severity)
    local = scope.local(name)
    shape = replace(values.shape.element, nullable=True)
    inner = scope.inside_loop()
    inner = inner.bind(name, Binding(local, shape, level=inner.level, is_element=True))
    tests = [draft.emit(test, inner).code for test in node.ifs]
    if (probes := draft.unit.probes) is not None:
        code = probes.listed(draft.place, node.iter, code)
        parts = zip(node.ifs, tests, strict=True)
        tests = [probes.truth(draft.place, part, "if holds", "if does not hold", test) for part, test in parts]
    return ast.comprehension(ast.Name(local, ast.Store()), code, tests, 0), inner


def _reads_field(node: ast.ListComp | ast.GeneratorExp) -> bool:
    """Whether a field of every element is surely read: that raises for all but objects."""
    if len(node.generators) > 1:
        return False
    reading, name = (node.generators[0].ifs or [node.elt])[0], node.generators[0].target
    while True:
        match reading:
            case ast.Attribute(value=ast.Name(id=root)):
                return isinstance(name, ast.Name) and root == name.id
            case ast.Attribute(value=inner) | ast.Compare(left=inner) | ast.IfExp(test=inner) | ast.BinOp(left=inner):
                reading = inner
            case ast.UnaryOp(operand=inner):
                reading = inner
            case ast.BoolOp(values=[inner, *_]) | ast.Call(args=[inner, *_]) | ast.Dict(values=[inner, *_]):
                reading = inner
            case _:
                return False


def name_problem(name: str, scope: Scope) -> tuple[str, str]:
    """What is wrong with a name that is to be bound, and how bad that is; empty when nothing is."""
    if name in paths.WORDS or name in ("src", "envelope", "company"):
        return f"the name '{name}' is taken; choose another", "error"
    if name.startswith("_"):
        return f"a name must not start with '_': '{name}'", "error"
    return (f"'{name}' shadows another name; choose another", "warning") if name in scope else ("", "")


def looped(draft: Draft, node: ast.expr, values: Value, scope: Scope) -> ast.expr:
    """The code of what a loop goes over: checked, and counted where it starts over inside another loop."""
    shape = values.shape
    if shape.kind not in ("any", "list", "nothing"):
        draft.refuse(node, f"a loop wants a list, {draft.words(node)} is {shape.words}")
    if scope.level > level_of(node, scope):
        draft.unit.uses_budget = True
        return ast.copy_location(call_of("_each_within", values.code, load("_budget")), node)
    if shape.sure and shape.kind == "list" and not shape.nullable:
        return values.code
    return ast.copy_location(call_of("_each", values.code), node)


def level_of(node: ast.expr, scope: Scope) -> int:
    """How many loops the list depends on: that of the innermost name it is made from."""
    bound = [scope.get(part.id) for part in ast.walk(node) if isinstance(part, ast.Name)]
    return max((binding.level for binding in bound if binding), default=0)
