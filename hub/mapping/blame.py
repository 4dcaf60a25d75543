"""A run-time error in generated code -> a MappingError that names file, line, column, target field and reason.

Nothing is noted while a mapping runs. The position comes from the traceback, the rest from the variables of the frame
in which it happened.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import DivisionByZero, InvalidOperation, Overflow
from itertools import islice
from types import FrameType, TracebackType
from typing import Any, NamedTuple

from hub.errors import MappingError
from hub.functions.refusal import kind_of
from hub.mapping.operators import Absent
from hub.mapping.place import Range, range_of
from hub.mapping.scope import Scope
from hub.mapping.writer import Path, Spot

_KINDS = {
    "NoneType": "nothing", "Decimal": "a number", "decimal.Decimal": "a number", "int": "a number", "str": "text",
    "bool": "true/false", "dict": "an object", "list": "a list", "tuple": "a list", "float": "a binary floating point "
    "number",
}  # fmt: skip
_OPERANDS = re.compile(r"unsupported operand type\(s\) for (\S+): '([\w.]+)' and '([\w.]+)'")
_COMPARED = re.compile(r"'\S+' not supported between instances of '([\w.]+)' and '([\w.]+)'")
_JOINED = re.compile(r'can only concatenate (?:\w+) \(not "([\w.]+)"\) to (\w+)')
_REPEATED = re.compile(r"can't multiply sequence by non-int of type '([\w.]+)'")
_SEARCHED = re.compile(r"argument of type '([\w.]+)' is not")
_SOUGHT = re.compile(r"'in <string>' requires string as left operand, not ([\w.]+)")
_VERBS = {
    "*": "multiply {0} by {1}", "/": "divide {0} by {1}", "-": "subtract {1} from {0}", "+": "add {1} to {0}",
    "+=": "add {1} to {0}",
}  # fmt: skip


def located(error: Exception, marker: str, file: str, spots: Sequence[Spot]) -> MappingError:
    """The error with its place. ``marker`` is the file name that the generated code was compiled with."""
    frame, where = _position(error.__traceback__, marker)
    spot = _spot(spots, where)
    node = _node(spot, where) if spot else None
    if spot is None or frame is None or node is None:
        return _bare(error, file, where)
    local = _locals(error.__traceback__, marker)
    reason = _reason(error, spot, node, local)
    kept = error if isinstance(error, MappingError) else None
    return MappingError(
        reason.detail,
        code=reason.code,
        file=file,
        line=where[0],
        column=where[1] + 1,
        field_path=written_path(spot.path, local),
        value_excerpt=kept.value_excerpt if kept else "",
        expected=kept.expected if kept else "",
        hint=reason.hint,
        cause=reason.cause,
        quoted=(*(kept.quoted if kept else ()), *reason.quoted),
    )


def _bare(error: Exception, file: str, where: Range) -> MappingError:
    kept = error if isinstance(error, MappingError) else MappingError(_generic(error))
    return MappingError(
        kept.detail, file=file, line=where[0] or 1, column=where[1] + 1, quoted=(kept.value_excerpt, *kept.quoted)
    )


def _position(trace: TracebackType | None, marker: str) -> tuple[FrameType | None, Range]:
    """The innermost frame of the generated code and the range of the file its instruction stands for."""
    entry = None
    for entry in _ours(trace, marker):  # noqa: B007  the last one is wanted
        pass
    if entry is None:
        return None, (0, 0, 0, 0)
    # The code of a mapping has thousands of positions: none is made before the one that is wanted.
    found = islice(entry.tb_frame.f_code.co_positions(), entry.tb_lasti // 2, None)
    line, end_line, column, end_column = next(found)
    first = line or entry.tb_lineno
    return entry.tb_frame, (first, column or 0, end_line or first, end_column or 0)


def _ours(trace: TracebackType | None, marker: str) -> Iterator[TracebackType]:
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == marker:
            yield trace
        trace = trace.tb_next


def _locals(trace: TracebackType | None, marker: str) -> dict[str, Any]:
    """The variables of all generated frames, inner ones last."""
    found: dict[str, Any] = {}
    for entry in _ours(trace, marker):
        found.update(entry.tb_frame.f_locals)
    return found


def _spot(spots: Sequence[Spot], where: Range) -> Spot | None:
    """The smallest expression around a range."""
    around = [spot for spot in spots if _holds(spot.where, where)]
    return min(around, key=lambda spot: (spot.where[2] - spot.where[0], spot.where[3] - spot.where[1]), default=None)


def _holds(outer: Range, inner: Range) -> bool:
    return outer[:2] <= inner[:2] and inner[2:] <= outer[2:]


def _node(spot: Spot, where: Range) -> ast.expr | None:
    nodes = [node for node in ast.walk(spot.formula.node) if isinstance(node, ast.expr)]
    exact = [node for node in nodes if range_of(node) == where]
    around = [node for node in nodes if _holds(range_of(node), where)]
    return exact[-1] if exact else around[-1] if around else spot.formula.node


def written_path(path: Path, local: Mapping[str, Any], counts: Mapping[int, int] | None = None) -> str:
    """A target path in words: ``order_lines[3].quantity.value``, indexes from 0."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{counts[part] if counts is not None else _emitted(part, local)}]"
        elif part.startswith("["):
            text += part
        else:
            text += f".{part}" if text else part
    return text


def _emitted(loop: int, local: Mapping[str, Any]) -> int:
    """How many items a loop has made so far: the length of its list, which its number leads to."""
    name = local.get(f"_n{loop}")
    return len(name) if isinstance(name, list) else 0


class _Reason(NamedTuple):
    """What went wrong, its code, what to write instead, what went wrong without any value, and the values in it."""

    detail: str
    code: str = "mapping"
    hint: str = ""
    cause: str = ""
    quoted: tuple[str, ...] = ()


def _reason(error: Exception, spot: Spot, node: ast.expr, local: Mapping[str, Any]) -> _Reason:
    if isinstance(error, MappingError):
        missing = _missing(node, spot, local) if "nothing" in error.detail else ""
        wanted = _requirement(node)
        cause, values = (ast.unparse(wanted), _values_in(error.detail, wanted)) if wanted else (error.cause, ())
        return _Reason(error.detail + missing, error.code, error.hint, cause, values)
    if isinstance(error, Absent):
        return _absence(spot, local)
    if isinstance(error, DivisionByZero | InvalidOperation | Overflow):
        return _Reason(_arithmetic(error))
    return _Reason(_operands(error, spot, node, local) or _unreadable(error, spot, node, local) or _generic(error))


def _requirement(node: ast.expr) -> ast.expr | None:
    """The message of a ``require`` as it is written in the mapping: f-text without its values."""
    match node:
        case ast.Call(func=ast.Name(id="require"), args=[*_, message]):
            return message
    return None


def _values_in(detail: str, message: ast.expr) -> tuple[str, ...]:
    """What the message of a ``require`` has come to where it says a value; all of it where that cannot be told."""
    if isinstance(message, ast.Constant):
        return ()
    parts = message.values if isinstance(message, ast.JoinedStr) else [message]
    pattern = "".join(re.escape(str(part.value)) if isinstance(part, ast.Constant) else "(.*)" for part in parts)
    found = re.fullmatch(pattern, detail, re.DOTALL)
    return tuple(filter(None, found.groups())) if found else (detail,)


def _absence(spot: Spot, local: Mapping[str, Any]) -> _Reason:
    """A required field that would be nothing: a key that a table does not know, or fields that are missing."""
    name = written_path(spot.path, local) or "output"
    for call in _lookups(spot.formula.node):
        unknown, key = _unknown_key(call, spot, local)
        if unknown:
            file = str(getattr(call.args[1], "value", "")).partition(".")[0]
            hint = (
                f"add the key to mappings/tables/{file}.csv, or give lookup a third argument for keys it does not know"
            )
            table = getattr(call.args[1], "value", "")
            cause = f"no such key in the table {table}"
            return _Reason(f"required target field '{name}': {unknown}", "lookup_missing", hint, cause, (key,))
    hint = f"write '{_last(spot.path)}?' to leave it out, or default(…, …)" if _last(spot.path) else ""
    missing = _missing(spot.formula.node, spot, local)
    return _Reason(f"required target field '{name}' would be nothing{missing}", "mapping", hint)


def _lookups(node: ast.AST) -> Iterator[ast.Call]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "lookup":
        yield node
    for child in [node.body, node.orelse] if isinstance(node, ast.IfExp) else ast.iter_child_nodes(node):
        yield from _lookups(child)


def _unknown_key(call: ast.Call, spot: Spot, local: Mapping[str, Any]) -> tuple[str, str]:
    """``the table 'units' has no key 'pallet'``, and the key; empty where there was no key to look for."""
    key, table = call.args[:2]
    if _missing(key, spot, local):
        return "", ""
    value, is_known = _read(key, spot.scope, local)
    looks_like_a_code = (
        isinstance(value, str) and len(value) <= 40 and value.isprintable() and not set(value) & set(" @")
    )
    is_named = is_known and looks_like_a_code
    named = f"no key '{value}'" if is_named else "no such key"
    return f"the table '{getattr(table, 'value', '')}' has {named}", str(value) if is_named else ""


def _last(path: Path) -> str:
    return path[-1] if path and isinstance(path[-1], str) and not path[-1].startswith(("[", "let ")) else ""


def _arithmetic(error: Exception) -> str:
    if isinstance(error, DivisionByZero) or "DivisionUndefined" in str(error):
        return "cannot divide by zero"
    return "the result of this arithmetic is too large"


def _operands(error: Exception, spot: Spot, node: ast.expr, local: Mapping[str, Any]) -> str:
    """``cannot multiply a number by nothing: quantity of line 4 is missing``."""
    text = str(error)
    if found := _OPERANDS.search(text):
        sign, one, other = found.groups()
        verb = _VERBS.get(sign, "combine {0} with {1}").format(_kind(one), _kind(other))
    elif found := _COMPARED.search(text):
        one, other = found.groups()
        verb = f"compare {_kind(one)} with {_kind(other)}"
    elif found := _JOINED.search(text):
        other, one = found.groups()
        verb = f"add {_kind(other)} to {_kind(one)}"
    elif found := _REPEATED.search(text):
        return _repeated(found[1], spot, node, local)
    elif found := _SEARCHED.search(text):
        return f"'in' looks into a list or into text, not into {_kind(found[1])}"
    elif found := _SOUGHT.search(text):
        missing = _missing(node, spot, local) if found[1] == "NoneType" else ""
        return f"'in' cannot look for {_kind(found[1])} in text{missing}{_wants_text(found[1])}"
    else:
        return ""
    missing = _missing(node, spot, local) if "NoneType" in (one, other) else ""
    return f"cannot {verb}{missing}{_advice(one, other)}"


def _repeated(number: str, spot: Spot, node: ast.expr, local: Mapping[str, Any]) -> str:
    """A number times text or a list, of which the error itself names but the number."""
    for path in _paths(node):
        value, is_known = _read(path, spot.scope, local)
        if is_known and isinstance(value, str | list):
            kind = type(value).__name__
            named = _named(path, spot.scope, local)
            return f"cannot multiply {_kind(number)} by {_kind(kind)}: {named} is {_kind(kind)}{_advice(number, kind)}"
    return f"cannot multiply {_kind(number)} by text or a list"


def _kind(name: str) -> str:
    return _KINDS.get(name, "a value of an unknown kind")


def _advice(one: str, other: str) -> str:
    kinds = {_kind(one), _kind(other)}
    return "; write dec(…) for the text" if kinds == {"text", "a number"} else ""


def _wants_text(kind: str) -> str:
    return "; write text(…) for the number" if _kind(kind) == "a number" else ""


def _missing(node: ast.expr, spot: Spot, local: Mapping[str, Any]) -> str:
    """``: quantity of line 4 is missing``: the paths below a node that lead to nothing."""
    names = []
    for path in _paths(node):
        value, is_known = _read(path, spot.scope, local)
        if is_known and value is None:
            names.append(_named(path, spot.scope, local))
    if not names:
        return ""
    unique = list(dict.fromkeys(names))
    listed = unique[0] if len(unique) == 1 else f"{', '.join(unique[:-1])} and {unique[-1]}"
    return f": {listed} {'is' if len(unique) == 1 else 'are'} missing"


def _paths(node: ast.AST) -> Iterator[ast.expr]:
    """The outermost names and paths below a node; conditions of a choice say nothing about the value."""
    if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
        yield node
        return
    children = [node.body, node.orelse] if isinstance(node, ast.IfExp) else list(ast.iter_child_nodes(node))
    for child in children:
        if not (isinstance(node, ast.Call) and child is node.func):
            yield from _paths(child)


def _read(node: ast.expr, scope: Scope, local: Mapping[str, Any]) -> tuple[Any, bool]:
    """What a path holds in the frame, and whether that can be told."""
    match node:
        case ast.Name(id=name):
            binding = scope.get(name)
            variable = binding.local if binding else f"v_{name}"
            return local.get(variable), variable in local
        case ast.Attribute(value=inner, attr=key) | ast.Subscript(value=inner, slice=ast.Constant(value=str() as key)):
            value, is_known = _read(inner, scope, local)
            return value.get(key) if isinstance(value, dict) else None, is_known
        case ast.Subscript(value=inner, slice=ast.Constant(value=int() as position)):
            value, is_known = _read(inner, scope, local)
            inside = isinstance(value, list) and position < len(value)
            return value[position] if inside else None, is_known
    return None, False


def _named(node: ast.expr, scope: Scope, local: Mapping[str, Any]) -> str:
    """``quantity of line 4`` for a field of a loop's element, else the path as it is written."""
    root: ast.expr = node
    keys: list[str] = []
    while isinstance(root, ast.Attribute | ast.Subscript):
        keys.insert(0, root.attr if isinstance(root, ast.Attribute) else str(getattr(root.slice, "value", "…")))
        root = root.value
    name = root.id if isinstance(root, ast.Name) else "…"
    binding = scope.get(name)
    if binding is None or not binding.loop:
        return ".".join([name, *keys])
    element = _element(binding.path or name, binding.loop, binding.local, local)
    return f"{'.'.join(keys)} of {element}" if keys else element


def _element(path: str, loop: int, variable: str, local: Mapping[str, Any]) -> str:
    """``line 4``: an element of ``lines``, counted from 1."""
    elements, element = local.get(f"_s{loop}"), local.get(variable)
    found = (place for place, one in enumerate(elements or (), 1) if one is element)
    listed = re.sub(r"\[\d+\]$", "", path).rpartition(".")[2].replace("_", " ")
    noun = f"{listed[:-3]}y" if listed.endswith("ies") else listed.removesuffix("s")
    return f"{noun} {next(found, '…')}"


def _unreadable(error: Exception, spot: Spot, node: ast.expr, local: Mapping[str, Any]) -> str:
    """A field was read from what is no object: the only attribute in generated code is ``get``."""
    if not isinstance(error, AttributeError):
        return ""
    inner = node.value if isinstance(node, ast.Attribute | ast.Subscript) else node
    advice = "; loop over it or take [0]" if isinstance(error.obj, list) else ""
    return f"{_named(inner, spot.scope, local)} is {kind_of(error.obj)}, not an object{advice}"


def _generic(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "the document is nested too deeply"
    if isinstance(error, MemoryError):
        return "the document needs too much memory"
    return "this cannot be computed for this document"
