"""Names that other languages have for what a mapping writes otherwise: what is told whoever writes them."""

from __future__ import annotations

from collections.abc import Sequence

_BINARY = frozenset((
    "float", "double", "decimal", "number", "numeric", "real", "bigdecimal", "parsefloat", "tonumber", "to_number",
    "tofloat", "to_float", "todecimal", "to_decimal", "tofixed", "to_fixed",
))  # fmt: skip
_OTHERS = {
    "str": "text", "string": "text", "tostring": "text", "to_string": "text", "len": "count", "size": "count",
    "parseint": "int", "integer": "int", "uppercase": "upper", "lowercase": "lower", "touppercase": "upper",
    "tolowercase": "lower", "ifnull": "default", "nvl": "default",
}  # fmt: skip


def meant(name: str, arguments: Sequence[str]) -> str:
    """What to write for a function of another language; empty where that is not known. ``arguments`` are its arguments
    as they are written."""
    given = arguments[0] if arguments else "…"
    if name.lower() in _BINARY:
        exact = given if given.startswith("dec(") else f"dec({given})"
        return f"'{name}' would lose cents; write {exact}, which is exact, or money({exact}, currency) for an amount"
    found = _OTHERS.get(name.lower())
    return f"there is no function '{name}'; write {found}({', '.join(arguments) or '…'})" if found else ""
