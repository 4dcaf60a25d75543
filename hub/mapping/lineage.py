"""Which source paths an expression reads: ``src.line_items[1].price``, a loop's number standing for its index."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence

from hub.mapping.paths import WORDS
from hub.mapping.scope import Scope

_ROOTS = ("src", "envelope", "company")
_TREE = "@"  # before a path within the tree of a name: "@lines[].price"
_INDEX = re.compile(r"\[[^\]]*\]")
_NUMBERED = re.compile(r"\[\d+\]")


def path_of(node: ast.expr, scope: Scope) -> str:
    """The source path an expression stands for, if it is nothing but a path; else empty."""
    match node:
        case ast.Name(id=name) if name in _ROOTS:
            return name
        case ast.Name(id=name):
            binding = scope.get(name)
            return binding.path if binding else ""
        case ast.Attribute(value=inner, attr=key):
            base = path_of(inner, scope)
            return f"{base}.{key}" if base else ""
        case ast.Subscript(value=inner, slice=ast.Constant(value=str() as key)):
            base = path_of(inner, scope)
            return f"{base}.{key}" if base else ""
    return ""


def choices_of(node: ast.expr, scope: Scope) -> tuple[str, ...]:
    """The source paths of ``a or b``, where the value is one of them."""
    if not (isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or)):
        return ()
    found = tuple(path_of(part, scope) for part in node.values)
    return found if all(found) else ()


def reads_of(node: ast.expr, scope: Scope) -> tuple[str, ...]:
    """All source paths an expression depends on, through the names it uses, in order."""
    return tuple(dict.fromkeys(_reads(node, scope, {})))


def parts_of(
    made: Iterable[tuple[Sequence[str | int], ast.expr, Scope]], depth: int
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The fields of a tree, each with the source paths that its expression depends on; the field '' is what the tree as
    a whole depends on, such as the list it is made from. ``made`` are their paths in the target, of which the first
    ``depth`` parts lead to the tree, and their expressions."""
    return tuple(
        (
            ".".join(part for part in path[depth:] if isinstance(part, str) and part[0] != "["),
            tuple(_NUMBERED.sub("[]", read) for read in reads_of(node, scope)),
        )
        for path, node, scope in made
    )


def _reads(node: ast.AST, scope: Scope, inner: dict[str, str]) -> Iterator[str]:
    """``inner`` are the names comprehensions bind, with the path of the list they go over."""
    if isinstance(node, ast.ListComp | ast.GeneratorExp):
        inner = dict(inner)
        for generator in node.generators:
            base = _base(generator.iter, scope, inner)
            # Going over a tree's list reads what that is made from, not all that its elements are made of.
            yield from _list_reads(base, scope) if base.startswith(_TREE) else _reads(generator.iter, scope, inner)
            if isinstance(generator.target, ast.Name):
                inner[generator.target.id] = f"{base}[]" if base else ""
        for part in [*(test for generator in node.generators for test in generator.ifs), node.elt]:
            yield from _reads(part, scope, inner)
        return
    if isinstance(node, ast.Attribute | ast.Subscript | ast.Name) and (path := _base(node, scope, inner)):
        yield from _part_reads(path, scope) if path.startswith(_TREE) else (path,)
        return
    if isinstance(node, ast.Attribute | ast.Subscript) and (choices := _choices(node, scope)):
        yield from (_suffixed(node, choice) for choice in choices)
        return
    if isinstance(node, ast.Name) and node.id not in WORDS and (binding := scope.get(node.id)):
        yield from binding.reads
        return
    for child in ast.iter_child_nodes(node):
        yield from _reads(child, scope, inner)


def _part_reads(path: str, scope: Scope) -> Iterator[str]:
    """What the fields at a path within a name's tree depend on; all of it where no field is there."""
    name, _, rest = _INDEX.sub("", path.removeprefix(_TREE)).partition(".")
    binding = scope.get(name)
    if binding is None:
        return
    found = [reads for part, reads in binding.parts if not rest or _is_within(part, rest) or _is_within(rest, part)]
    for reads in found:
        yield from reads
    if not found:
        yield from binding.reads


def _list_reads(path: str, scope: Scope) -> Iterator[str]:
    binding = scope.get(_INDEX.sub("", path.removeprefix(_TREE)).partition(".")[0])
    for part, reads in binding.parts if binding else ():
        if not part:
            yield from reads


def _is_within(path: str, other: str) -> bool:
    return path == other or path.startswith(f"{other}.")


def _choices(node: ast.expr, scope: Scope) -> tuple[str, ...]:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    binding = scope.get(node.id) if isinstance(node, ast.Name) else None
    return binding.choices if binding else ()


def _base(node: ast.expr, scope: Scope, inner: dict[str, str]) -> str:
    root: ast.expr = node
    while isinstance(root, ast.Attribute | ast.Subscript):
        root = root.value
    if isinstance(root, ast.Name) and root.id in inner:
        return _suffixed(node, inner[root.id])
    binding = scope.get(root.id) if isinstance(root, ast.Name) else None
    if binding is not None and binding.parts:
        return _suffixed(node, f"{_TREE}{root.id}")  # type: ignore[attr-defined]
    return path_of(node, scope)


def _suffixed(node: ast.expr, base: str) -> str:
    match node:
        case ast.Attribute(value=value, attr=key):
            return f"{_suffixed(value, base)}.{key}" if base else ""
        case ast.Subscript(value=value, slice=ast.Constant(value=str() as key)):
            return f"{_suffixed(value, base)}.{key}" if base else ""
        case ast.Subscript(value=value):
            return _suffixed(value, base)
    return base
