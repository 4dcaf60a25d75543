"""A value with certain names as XML, by a function that is written for just these names: the quick way to write.

Each line of it makes one element, tags and blanks as constants, in the standard's order. What is not as it should be
raises something, and is looked at more closely then.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from hub.formats._ubl_definitions import Child
from hub.formats._ubl_elements import Known, Refused, digits, element, indicator_of, quoted, text_of
from hub.formats._ubl_values import KINDS

Plan = Callable[[Mapping[str, Any], list[str], int], str]
_TAG = re.compile(r"[\w.\-:]+")
_TEXTS, _QUOTED = Known(text_of), Known(quoted)
_CALLS = {"number": "digits({})", "boolean": "indicator({})", "text": "texts[{}]", "date": "texts[{}]"}


class Site(NamedTuple):
    """One name of a value: what it is, its tag; of a group what writes its content, and the plans that are made for it
    already, by its names, and the one leaf that it mostly is, where it is so."""

    child: Child
    tag: str
    group: Plan | None
    plans: Mapping[tuple[str, ...], Plan]
    alone: Site | None


def plan_of(sites: Sequence[Site]) -> Plan:
    """The function that writes a value with these names, given the blanks of each depth and its own depth."""
    space: dict[str, Any] = {
        "texts": _TEXTS, "quoted": _QUOTED, "digits": digits, "indicator": indicator_of, "element": element,
        "listed": _listed,
    }  # fmt: skip
    lines, made = ["def write(value, indents, depth):"], []
    if sites:
        lines += [" gap, inner = indents[depth], depth + 1"]
    for number, site in enumerate(sites):
        if not all(_TAG.fullmatch(one.tag) for one in (site, site.alone) if one is not None):
            raise Refused
        space[f"group{number}"], space[f"plans{number}"] = site.group, site.plans
        name = site.child.name
        expression = _expression(site, number)
        if site.child.is_list:
            lines.append(f" e{number} = ''.join([{expression} for one in listed(value[{name!r}])])")
        else:
            lines += [f" one = value[{name!r}]", f" e{number} = {expression}"]
        made.append(f"{{e{number}}}")
    if any(not site.child.is_list for site in sites):
        lines.append(f" return f'{''.join(made)}{{indents[depth - 1]}}'")
    elif sites:
        lines += [f" text = f'{''.join(made)}'", " return f'{text}{indents[depth - 1]}' if text else ''"]
    else:
        lines.append(" return ''")
    exec(compile("\n".join(lines), "<a plan>", "exec"), space)  # noqa: S102 - known names, tags of letters
    plan: Plan = space["write"]
    return plan


def _expression(site: Site, number: int) -> str:
    """The element of ``one``."""
    tag = site.tag
    if site.child.kind:
        return _leaf(site, "one", "gap")
    content = f"(plans{number}.get(tuple(one)) or group{number})(one, indents, inner)"
    if site.alone is None:
        return f"f'{{gap}}<{tag}>{{{content}}}</{tag}>'"
    only = f"len(one) == 1 and (leaf := one.get({site.alone.child.name!r})) is not None"
    quick = f"{_leaf(site.alone, 'leaf', 'indents[inner]')} + gap if {only} else {content}"
    return f"f'{{gap}}<{tag}>' + ({quick}) + '</{tag}>'"


def _leaf(site: Site, one: str, gap: str) -> str:
    """The element of a leaf that the variable ``one`` holds."""
    tag, kind = site.tag, KINDS[site.child.kind]
    call = _CALLS[kind.scalar]
    if not kind.main:
        return f"f'{{{gap}}}<{tag}>{{{call.format(one)}}}</{tag}>'"
    if len(kind.parts) > 1 or kind.forms:
        return f"{gap} + element({site.child.kind!r}, {tag!r}, {one}, {{}}, None)"
    ((name, own),) = kind.parts.items()
    main = call.format(f'{one}["{kind.main}"]')
    whole = f"""f'{{{gap}}}<{tag} {own}={{quoted[{one}["{name}"]]}}>{{{main}}}</{tag}>'"""
    bare = "listed(None)" if kind.needed else f"f'{{{gap}}}<{tag}>{{{main}}}</{tag}>'"
    return f"({whole} if len({one}) == 2 else {bare} if len({one}) == 1 else listed(None))"


def _listed(value: Any) -> list[Any]:
    if type(value) is not list:
        raise Refused
    return value
