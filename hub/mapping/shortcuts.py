"""Calls that fast code writes out instead of making them. What they do not do as the function would raises an error
without words: the mapping then runs its safe code, which gives the value or says what is wrong and where."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from hub.mapping.unit import Draft, Value, call, load


def written_out(draft: Draft, name: str, values: Sequence[Value]) -> ast.expr | None:
    """The code of a call of the function; None where it has to be called."""
    write = _WRITTEN.get(name)
    if write is None or not draft.unit.fast or draft.unit.probes is not None or draft.depth:
        return None
    return write(values)


def longer_text(left: ast.expr, right: ast.expr) -> ast.expr:
    """Two values added, of which one surely is text: Python's own operator takes nothing but text beside it."""
    joined = ast.NamedExpr(ast.Name("_a", ast.Store()), ast.BinOp(left, ast.Add(), right))
    is_short = ast.Compare(call("_len", joined), [ast.LtE()], [load("_small")])
    return ast.IfExp(is_short, load("_a"), call("_bounded", load("_a")))


def unless_empty(listed: ast.ListComp) -> ast.expr:
    """The list, made at once where there is nothing to go over: lists of discounts mostly are empty. What is not empty
    is not looked at before the loop reads a field of it, which only objects in a list have."""
    match listed.generators[0].iter:
        case ast.Call(func=ast.Name(id="_each"), args=[values]):
            listed.generators[0].iter = load("_w")
            test = ast.NamedExpr(ast.Name("_w", ast.Store()), values)
            return ast.IfExp(test, listed, ast.BoolOp(ast.Or(), [call("_empty", load("_w")), ast.List([], ast.Load())]))
    return listed


def _money(values: Sequence[Value]) -> ast.expr | None:
    """``money(amount, currency)`` of a decimal; the function sees to zero and to decimals beyond the currency's own."""
    amount, currency = values[0], values[1].code
    rest = [value.code for value in values[2:]]
    if not (amount.shape.is_decimal and isinstance(currency, ast.Name | ast.Constant) and _are_constant(rest)):
        return None
    kept = ast.NamedExpr(ast.Name("_a", ast.Store()), amount.code)
    quantum = ast.Subscript(load("_quanta"), currency, ast.Load())
    taken = load("_a") if amount.shape.nullable else kept
    is_plain: ast.expr = ast.NamedExpr(ast.Name("_r", ast.Store()), call("_quantize", taken, quantum))
    if len(values) > 2:
        is_plain = ast.BoolOp(ast.And(), [is_plain, ast.Compare(load("_r"), [ast.Eq()], [load("_a")])])
    plain = ast.Dict([ast.Constant("amount"), ast.Constant("currency")], [call("_str", load("_r")), currency])
    called = call("f_money", load("_a"), currency, *rest)
    code = ast.IfExp(is_plain, plain, called)
    if not amount.shape.nullable:
        return code
    return ast.IfExp(ast.Compare(kept, [ast.IsNot()], [ast.Constant(None)]), code, ast.Constant(None))


def _text(values: Sequence[Value]) -> ast.expr | None:
    """``text(i)`` of the index of a loop."""
    shape = values[0].shape
    return call("_str", values[0].code) if shape.is_short and shape.kind == "integer" else None


def _first(values: Sequence[Value]) -> ast.expr | None:
    """``first(… for …)`` of a list that may have nothing to go over."""
    match values[0].code:
        case ast.IfExp(body=ast.ListComp() as listed, orelse=ast.BoolOp(values=[empty, ast.List(elts=[])])) as code:
            return ast.IfExp(code.test, call("f_first", listed), empty)
    return None


def _are_constant(codes: Sequence[ast.expr]) -> bool:
    return all(isinstance(code, ast.Constant) for code in codes)


_WRITTEN: dict[str, Callable[[Sequence[Value]], ast.expr | None]] = {"money": _money, "text": _text, "first": _first}
