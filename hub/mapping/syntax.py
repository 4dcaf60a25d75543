"""The text of an expression -> Python's syntax tree with positions in the file. What is allowed is decided later."""

from __future__ import annotations

import ast
import keyword
import re
import warnings

from hub.errors import Fault
from hub.mapping.place import Place, children

_LONGEST = 4_000
_DEEPEST = 80

_KEYWORD_FIELD = re.compile(rf"\.\s*({'|'.join(keyword.kwlist)})\b")
_ODD_FIELD = re.compile(r"\.\s*([@$][\w.:-]*)")
_FOREIGN = [
    (re.compile(r"&&"), "write 'and' for &&"),
    (re.compile(r"\|\|"), "write 'or' for ||"),
    (re.compile(r"(?<![=!<>])=(?!=)"), "write == to compare"),
    (re.compile(r"\?"), "write 'x if condition else y' for a choice"),
    (re.compile(r"!(?!=)"), "write 'not' for !"),
    (re.compile(r"\bif\b(?!.*\belse\b)"), "an if needs an else: 'x if condition else null'"),
]


def read_expression(place: Place) -> tuple[ast.expr | None, list[Fault]]:
    """The syntax tree of an expression, or None and what is wrong with it."""
    text = place.text.replace("\n", " ")
    lead = len(text) - len(text.lstrip())
    if not text.strip():
        return None, [place.fault(place.whole, "an expression is missing; write null for nothing or '' for empty text")]
    if len(text) > _LONGEST:
        message = f"the expression is {len(text)} characters long; the limit is {_LONGEST}: name its parts under let"
        return None, [place.fault(place.span(0, 1), message)]
    try:
        tree = _parsed(text[lead:])
    except SyntaxError as error:
        return None, [_syntax_fault(error, place, text, lead)]
    except (RecursionError, MemoryError, ValueError):
        return None, [place.fault(place.span(0, 1), "the expression cannot be read: it is nested too deeply")]
    return _placed(tree, place, text, lead)


def _parsed(text: str) -> ast.expr:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python's advice on odd literals is of no use to the author of a mapping
        return ast.parse(text, mode="eval").body


def _placed(tree: ast.expr, place: Place, text: str, lead: int) -> tuple[ast.expr | None, list[Fault]]:
    encoded = [] if text.isascii() else _character_offsets(text[lead:])
    offsets = encoded or range(len(text) + 1)
    tail = text[lead + offsets[tree.end_col_offset or 0] :]
    if "#" in tail:
        start = len(text) - len(tail) + tail.index("#")
        return None, [
            place.fault(place.span(start, len(text)), "a comment inside an expression; put it on its own line")
        ]
    deepest = _relocate(tree, place, offsets, lead)
    if deepest > _DEEPEST:
        message = f"the expression is nested {deepest} deep; the limit is {_DEEPEST}: name its parts under let"
        return None, [place.fault(place.span(0, 1), message)]
    return tree, []


def _character_offsets(text: str) -> list[int]:
    """For each byte of the text in UTF-8 the number of its character: Python counts columns in bytes."""
    offsets = [number for number, sign in enumerate(text) for _ in sign.encode("utf-8", "surrogatepass")]
    return [*offsets, len(text)]


def _relocate(tree: ast.expr, place: Place, offsets: list[int] | range, lead: int) -> int:
    """Give every node its position in the file; returns how deep the tree is."""
    deepest = 0
    waiting: list[tuple[ast.AST, int]] = [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        deepest = max(deepest, depth)
        if isinstance(node, ast.expr):
            # Inside f-text some Pythons count from elsewhere: what does not fit takes the position around it.
            fits = node.lineno == 1 and (node.end_col_offset or 0) < len(offsets)
            start, stop = (node.col_offset, node.end_col_offset or 0) if fits else (0, 0)
            line, column, end_line, end_column = (
                place.span(lead + offsets[start], lead + offsets[stop]) if fits else place.whole
            )
            node.lineno, node.col_offset, node.end_lineno, node.end_col_offset = line, column, end_line, end_column
        waiting.extend((child, depth + 1) for child in children(node))
    return deepest


def _syntax_fault(error: SyntaxError, place: Place, text: str, lead: int) -> Fault:
    offset = lead + max(0, (error.offset or 1) - 1)
    where = place.span(min(offset, len(text) - 1), min(offset, len(text) - 1) + 1)
    return place.fault(where, f"this is not an expression: '{_shown(text)}'{_advice(text, place.plain)}")


def _advice(text: str, plain: bool) -> str:
    if plain and _is_cut(text):
        return "; a comma, ' #' or ': ' ends an unquoted expression: quote it"
    odd = _KEYWORD_FIELD.search(text) or _ODD_FIELD.search(text)
    if odd:
        return f"; write ['{odd[1]}'] instead of .{odd[1]}"
    if "-" in text and re.search(r"\[\s*\w+-\w", text):
        return "; quote the key: ['a-b']"
    bare = re.sub(r"'[^']*'|\"[^\"]*\"", "", text)
    return next(
        (f"; {advice}" for pattern, advice in _FOREIGN if pattern.search(bare)), "; literal text is 'x' in quotes"
    )


def _is_cut(text: str) -> bool:
    bare = re.sub(r"'[^']*'|\"[^\"]*\"", "", text)
    opened = sum(bare.count(sign) for sign in "([{") - sum(bare.count(sign) for sign in ")]}")
    return opened > 0 or bare.count("'") % 2 == 1 or bare.count('"') % 2 == 1


def _shown(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"
