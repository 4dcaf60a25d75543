"""One pass over a document: a rule per field name, asked about the value and where it stands.

Field names mean the same everywhere in the canonical model, so a rule belongs to a name; an object whose fields mean
something else brings a table of its own. A rule says its question twice: ``check`` words what is wrong, ``test`` only
tells whether anything is, as Python of which ``quick`` makes one function per type.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from hub.codes import CodeList
from hub.errors import DocumentFault
from hub.identifiers import currency_exponent

# A path is linked backwards, because most are never written out: (path above, name or index), None at the top.
Path = tuple[Any, str | int] | None
Check = Callable[["Walk", Any, Path, str | int], None]


class Walk:
    """What one pass over one document finds.

    ``currency`` is the one that all amounts must have, if any, and ``longest`` its decimals and the point.
    """

    __slots__ = ("currency", "faults", "longest")

    def __init__(self, currency: str | None, faults: list[DocumentFault] | None = None) -> None:
        self.currency = currency
        self.longest = (currency_exponent(currency or "") or 0) + 1
        self.faults: list[DocumentFault] = [] if faults is None else faults

    def fault(self, path: Path, code: str, seen: str, expected: str, severity: str = "error", wanted: str = "") -> None:
        """Note a fault. An empty ``seen`` is a value that must not be shown; ``wanted`` is ``expected`` without any."""
        short = seen if len(seen) <= 60 else seen[:59] + "…"
        message = f"seen {short}; expected {expected}" if seen else f"not right (not shown); expected {expected}"
        self.faults.append(DocumentFault(write_path(path), code, message, short, expected, severity, wanted))


class Rule(msgspec.Struct, frozen=True):
    """What must hold for a value. ``check`` notes what is wrong; ``test`` is true where ``check`` would note something.

    In ``test`` stands ``{value}`` for the value, once, and ``{name}`` for each name of ``uses``; ``currency`` is the
    one that all amounts must have and ``whole`` the slice of an amount that holds no point then. ``mixed`` is the test
    for documents that have no such currency, where that is another. ``fields`` are the rules of an object, ``element``
    is that of a list's elements.
    """

    check: Check
    test: str = ""
    mixed: str = ""
    uses: Mapping[str, object] = msgspec.field(default_factory=dict)
    fields: Mapping[str, Rule] | None = None
    element: Rule | None = None


Rules = Mapping[str, Rule]


def write_path(path: Path) -> str:
    """``order_lines[0].price`` for a linked path."""
    parts: list[str] = []
    while path is not None:
        path, name = path
        parts.append(f"[{name}]" if isinstance(name, int) else f".{name}")
    return "".join(reversed(parts)).removeprefix(".")


def visit(walk: Walk, value: Any, here: Path, rules: Rules) -> None:
    """Apply to each field of an object the rule of its name, if there is one."""
    for key, below in value.items():
        rule = rules.get(key)
        if rule is not None:
            rule.check(walk, below, here, key)


def look_into(rules: Rules) -> Rule:
    """A rule for an object: apply ``rules`` to its fields."""

    def check(walk: Walk, value: Any, path: Path, name: str | int) -> None:
        visit(walk, value, (path, name), rules)

    return Rule(check, fields=rules)


def each(inner: Rule) -> Rule:
    """A rule for a list: apply ``inner`` to every element."""

    def check(walk: Walk, value: Any, path: Path, name: str | int) -> None:
        here = (path, name)
        for index, element in enumerate(value):
            inner.check(walk, element, here, index)

    return Rule(check, element=inner)


def listed(codes: CodeList) -> Rule:
    """A rule for a code: it must be in the list; in an open list an unknown one is a warning."""
    names = codes.names

    def check(walk: Walk, value: Any, path: Path, name: str | int) -> None:
        if value not in names:
            unknown_code(walk, value, (path, name), codes)

    return Rule(check, "{value} not in {names}", uses={"names": names})


def unknown_code(walk: Walk, value: str, path: Path, codes: CodeList) -> None:
    """Note a code that its list does not hold."""
    expected = f"a code of {codes.name}" if len(codes.names) > 12 else f"one of {', '.join(codes.names)}"
    severity = "warning" if codes.is_open else "error"
    walk.fault(path, "unknown_code", value, expected, severity)
