"""A value with certain names as XML, by a function that is written for just these names: the quick way to write.

What it writes is a list of markup and texts in turns, markup as constants, in the standard's order; texts are looked at
and escaped all at once when the document is done. What is not as it should be raises something, and is looked at more
closely then.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from hub.formats._ubl_definitions import Child
from hub.formats._ubl_elements import Refused, digits, element, indicator_of
from hub.formats._ubl_values import KINDS

Plan = Callable[[Mapping[str, Any], list[str]], None]
_TAG = re.compile(r"[\w.\-:]+")
_CALLS = {"number": "digits({})", "boolean": "indicator({})", "text": "{}", "date": "{}"}


class Site(NamedTuple):
    """One name of a value: what it is, its tag, the blanks before it; of a group what writes its content, the plans
    made for it already, by its names, and the one leaf that it mostly is, where it is so."""

    child: Child
    tag: str
    gap: str = ""
    group: Plan | None = None
    plans: Mapping[tuple[str, ...], Plan] = {}
    alone: Site | None = None


def plan_of(sites: Sequence[Site], end: str) -> Plan:
    """The function that writes a value with these names; ``end``: the blanks behind it, where there is anything."""
    space: dict[str, Any] = {
        "digits": digits, "indicator": indicator_of, "element": element, "listed": _listed, "refuse": _refuse,
    }  # fmt: skip
    code = _Code()
    may_be_nothing = bool(end) and all(site.child.is_list for site in sites)
    if may_be_nothing:
        code.line("start = len(out)")
    for number, site in enumerate(sites):
        if not all(_TAG.fullmatch(one.tag) for one in (site, site.alone) if one is not None):
            raise Refused
        space[f"group{number}"], space[f"plans{number}"] = site.group, site.plans
        _elements(code, site, number)
    if may_be_nothing:
        code.flush()
        code.line("if len(out) > start:")
        code.depth += 1
    code.markup(end)
    code.flush()
    exec(compile(code.text, "<a plan>", "exec"), space)  # noqa: S102 - known names, tags of letters
    plan: Plan = space["write"]
    return plan


class _Code:
    """The lines of a plan; what it writes next is put together, so that there is one step for as much as can be."""

    def __init__(self) -> None:
        self._lines = ["def write(value, out):", " pass"]
        self._pairs: list[str] = []
        self._markup = ""
        self.depth = 1

    @property
    def text(self) -> str:
        return "\n".join(self._lines)

    def line(self, line: str) -> None:
        self._lines.append(" " * self.depth + line)

    def markup(self, text: str) -> None:
        self._markup += text

    def value(self, expression: str) -> None:
        """A text that is looked at and escaped."""
        self._pairs += [repr(self._markup), expression]
        self._markup = ""

    def ready(self, expression: str) -> None:
        """Markup that is made at that time."""
        self._pairs += [f"{self._markup!r} + {expression}", "''"]
        self._markup = ""

    def flush(self) -> None:
        """Let all that is to be written stand in lines, before one that decides something."""
        if self._markup:
            self.value("''")
        if self._pairs:
            self.line(f"out += ({', '.join(self._pairs)})")
        self._pairs = []

    def refuse(self) -> None:
        """Nothing more is written here."""
        self.line("refuse()")
        self._pairs, self._markup = [], ""

    def choose(self, *choices: tuple[str, Callable[[], None]]) -> None:
        """Go on in one of several ways, the first whose condition holds or that has none; each begins with what waits
        to be written."""
        pairs, markup = self._pairs, self._markup
        for number, (condition, write) in enumerate(choices):
            self._pairs, self._markup = list(pairs), markup
            self.line(f"{'elif' if number else 'if'} {condition}:" if condition else "else:")
            self.depth += 1
            write()
            self.flush()
            self.depth -= 1
        self._pairs, self._markup = [], ""


def _elements(code: _Code, site: Site, number: int) -> None:
    """Write the elements of one name of the value."""
    own, one = f"value[{site.child.name!r}]", f"one{number}"
    if not site.child.is_list:
        code.line(f"{one} = {own}")
        _element(code, site, number)
        return
    code.flush()
    code.line(f"for {one} in listed({own}):")
    code.depth += 1
    _element(code, site, number)
    code.flush()
    code.depth -= 1


def _element(code: _Code, site: Site, number: int) -> None:
    """Write the element of the value that the variable of this number holds."""
    one, alone = f"one{number}", site.alone
    if site.child.kind:
        _leaf(code, site, one)
        return

    def content() -> None:
        code.flush()
        code.line(f"(plans{number}.get(tuple({one})) or group{number})({one}, out)")

    def leaf() -> None:
        assert alone is not None
        _leaf(code, alone, f"leaf{number}")
        code.markup(site.gap)

    code.markup(f"{site.gap}<{site.tag}>")
    if alone is None:
        content()
    else:
        only = f"len({one}) == 1 and (leaf{number} := {one}.get({alone.child.name!r})) is not None"
        code.choose((only, leaf), ("", content))
    code.markup(f"</{site.tag}>")


def _leaf(code: _Code, site: Site, one: str) -> None:
    """Write the element of the leaf that a variable holds."""
    tag, kind = site.tag, KINDS[site.child.kind]
    call = _CALLS[kind.scalar]
    code.markup(f"{site.gap}<{tag}")

    def content(main: str) -> None:
        code.markup(">")
        code.value(call.format(main))
        code.markup(f"</{tag}>")

    if not kind.main:
        content(one)
        return
    main = f"{one}[{kind.main!r}]"
    if len(kind.parts) > 1 or kind.forms:
        code.ready(f"element({site.child.kind!r}, {tag!r}, {one}, {{}}, None)[{len(tag) + 1}:]")
        return
    ((name, own),) = kind.parts.items()

    def attribute() -> None:
        code.markup(f' {own}="')
        code.value(f"{one}[{name!r}]")
        code.markup('"')
        content(main)

    if kind.needed:
        code.line(f"if len({one}) != 2: refuse()")
        attribute()
    else:
        bare = f"len({one}) == 1", lambda: content(main)
        code.choose((f"len({one}) == 2", attribute), bare, ("", code.refuse))


def _listed(value: Any) -> list[Any]:
    if type(value) is not list:
        raise Refused
    return value


def _refuse() -> None:
    raise Refused
