"""Typing mistakes in the expressions of mapping files.

Each operator takes the text of a file and a source of chance and gives the mistyped text, or None where it finds no
place. What it does is in its docstring; which places it takes is left to chance.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import TypeVar

from hub.functions import functions
from tests.mutants.places import Part, pairs, parts
from tests.mutants.typing_slips import mistyped

Chosen = TypeVar("Chosen")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_/-]+")


def one_of(found: Iterable[Chosen], rng: Random) -> Chosen | None:
    listed: Sequence[Chosen] = list(found)
    return rng.choice(listed) if listed else None


def put(text: str, start: int, end: int, new: str) -> str:
    return text[:start] + new + text[end:]


def _of(kind: type[ast.expr] | tuple[type[ast.expr], ...]) -> Callable[[str], list[Part]]:
    return lambda text: [part for part in parts(text) if isinstance(part.node, kind)]


_names, _paths, _calls = _of(ast.Name), _of(ast.Attribute), _of(ast.Call)


def _texts(text: str) -> list[Part]:
    """Quoted texts that are one word: codes, keys, names of tables; not sentences and not separators."""
    return [
        part for part in parts(text)
        if isinstance(part.node, ast.Constant) and isinstance(part.node.value, str) and _CODE.fullmatch(part.node.value)
        and text[part.start] in "'\"" and text[part.start + 1 : part.end - 1] == part.node.value
    ]  # fmt: skip


def _roots(text: str) -> list[Part]:
    """The outermost paths: the whole of src.a.b, not its src.a."""
    return [part for part in _paths(text) if not isinstance(part.parent, ast.Attribute)]


def _is_function(part: Part) -> bool:
    return isinstance(part.parent, ast.Call) and part.parent.func is part.node


def misspell_field(text: str, rng: Random) -> str | None:
    """A field's name in a path is mistyped: src.curency."""
    part = one_of(_paths(text), rng)
    if part is None or not isinstance(part.node, ast.Attribute):
        return None
    return put(text, part.end - len(part.node.attr), part.end, mistyped(part.node.attr, rng))


def misspell_name(text: str, rng: Random) -> str | None:
    """A name that let, as or the language gives is mistyped: scr.currency, gros - tax."""
    part = one_of((part for part in _names(text) if not _is_function(part)), rng)
    return part and put(text, part.start, part.end, mistyped(text[part.start : part.end], rng))


def misspell_function(text: str, rng: Random) -> str | None:
    """A function's name is mistyped: mony(net, cur)."""
    part = one_of((part for part in _names(text) if _is_function(part)), rng)
    return part and put(text, part.start, part.end, mistyped(text[part.start : part.end], rng))


def misspell_code(text: str, rng: Random) -> str | None:
    """A code in quotes is mistyped, whatever it is for: 'goosd', 'C26', 'pais'."""
    part = one_of((part for part in _texts(text) if not _is_table(part)), rng)
    return part and put(text, part.start + 1, part.end - 1, mistyped(text[part.start + 1 : part.end - 1], rng))


def misspell_constant(text: str, rng: Random) -> str | None:
    """A code under const: is mistyped: {const: ecomerce}."""
    pair = one_of((pair for pair in pairs(text) if pair.key == "const" and pair.value), rng)
    if pair is None or pair.value is None:
        return None
    quotes = int(pair.is_quoted)
    return put(text, pair.value_start + quotes, pair.value_end - quotes, mistyped(pair.value, rng))


def _is_table(part: Part) -> bool:
    call = part.parent
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "lookup" and (
        len(call.args) > 1 and call.args[1] is part.node
    )  # fmt: skip


def misspell_table(text: str, rng: Random) -> str | None:
    """The name of a look-up table is mistyped."""
    part = one_of(filter(_is_table, _texts(text)), rng)
    return part and put(text, part.start + 1, part.end - 1, mistyped(text[part.start + 1 : part.end - 1], rng))


def other_table(text: str, rng: Random) -> str | None:
    """Another table of the project is named, in the look-up alone or in the list of tables too."""
    part = one_of(filter(_is_table, _texts(text)), rng)
    if part is None:
        return None
    own = text[part.start + 1 : part.end - 1]
    known = ["units", "payment_means", "parties", "order_status", "line_status"]
    other = rng.choice([name for name in known if name != own])
    changed = put(text, part.start + 1, part.end - 1, other)
    listed = re.search(r"^tables: \[(.*)\]", changed, re.MULTILINE)
    if rng.random() < 0.5 and listed and other not in listed[1]:
        changed = put(changed, listed.start(1), listed.end(1), listed[1].replace(own, other))
    return changed


def drop_argument(text: str, rng: Random) -> str | None:
    """The last argument of a call is forgotten; money without its currency is an operator of its own."""
    part = one_of((part for part in _with_arguments(text, 2) if not _calls_of(part, "money")), rng)
    return part and _without_last_argument(text, part)


def drop_currency(text: str, rng: Random) -> str | None:
    """money() is given no currency."""
    part = one_of((part for part in _with_arguments(text, 2) if _calls_of(part, "money")), rng)
    return part and _without_last_argument(text, part, keep=1)


def wrong_currency(text: str, rng: Random) -> str | None:
    """The currency of money() is written as people say it, not as ISO 4217 has it."""
    part = one_of((part for part in _with_arguments(text, 2) if _calls_of(part, "money")), rng)
    if part is None or not isinstance(part.node, ast.Call):
        return None
    argument = _argument(text, part, 1)
    return argument and put(text, *argument, rng.choice(["'EURO'", "'eur'", "'€'", "'Euro'", "'ERU'", "EUR"]))


def swap_arguments(text: str, rng: Random) -> str | None:
    """Two arguments of a call stand in the wrong order: money(cur, net)."""
    part = one_of(_with_arguments(text, 2), rng)
    first, second = (_argument(text, part, 0), _argument(text, part, 1)) if part else (None, None)
    if first is None or second is None:
        return None
    return (
        text[: first[0]] + text[slice(*second)] + text[first[1] : second[0]] + text[slice(*first)] + text[second[1] :]
    )


def _with_arguments(text: str, least: int) -> list[Part]:
    return [part for part in _calls(text) if isinstance(part.node, ast.Call) and len(part.node.args) >= least]


def _calls_of(part: Part, name: str) -> bool:
    node = part.node
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name


def _argument(text: str, call: Part, position: int) -> tuple[int, int] | None:
    assert isinstance(call.node, ast.Call)
    wanted = call.node.args[position]
    return next(((part.start, part.end) for part in parts(text) if part.node is wanted), None)


def _without_last_argument(text: str, call: Part, keep: int = 0) -> str | None:
    assert isinstance(call.node, ast.Call)
    kept = _argument(text, call, keep - 1 if keep else len(call.node.args) - 2)
    last = _argument(text, call, len(call.node.args) - 1)
    return kept and last and put(text, kept[1], last[1], "")


def drop_call(text: str, rng: Random) -> str | None:
    """A function of one argument is forgotten: l.price for dec(l.price)."""
    part = one_of((part for part in _with_arguments(text, 1) if len(getattr(part.node, "args", ())) == 1), rng)
    argument = _argument(text, part, 0) if part else None
    return part and argument and put(text, part.start, part.end, text[slice(*argument)])


def wrong_function(text: str, rng: Random) -> str | None:
    """A conversion is taken for another one: text for dec, date for instant, first for count …"""
    groups = (("dec", "text", "date", "int"), ("date", "instant"), ("sum", "count", "first"), ("gln", "gtin"))
    part = one_of((part for part in _names(text) if _is_function(part) and any(_id(part) in g for g in groups)), rng)
    if part is None:
        return None
    group = next(group for group in groups if _id(part) in group)
    return put(text, part.start, part.end, rng.choice([name for name in group if name != _id(part)]))


def _id(part: Part) -> str:
    return part.node.id if isinstance(part.node, ast.Name) else ""


def foreign_function(text: str, rng: Random) -> str | None:
    """A function is called by the name it has in another language."""
    names = {"dec": ["float", "Decimal", "Number", "toNumber"], "text": ["str", "string", "String"],
             "count": ["len", "size", "length"], "lower": ["toLowerCase", "lowercase"], "sum": ["total", "Sum"],
             "default": ["ifnull", "nvl", "coalesc"], "date": ["to_date", "Date"], "lookup": ["vlookup", "map"],
             "money": ["amount_of", "currency"], "first": ["head"]}  # fmt: skip
    part = one_of((part for part in _names(text) if _is_function(part) and _id(part) in names), rng)
    return part and put(text, part.start, part.end, rng.choice(names[_id(part)]))


def wrap_in_list(text: str, rng: Random) -> str | None:
    """A value is put in [ ]."""
    part = one_of((part for part in _roots(text) if part.parent is None), rng)
    return part and put(text, part.start, part.end, f'"[{text[part.start : part.end]}]"')


def forget_index(text: str, rng: Random) -> str | None:
    """A list is taken for its element: payment_means.code for payment_means[0].code."""
    part = one_of((part for part in parts(text) if isinstance(part.node, ast.Subscript)), rng)
    return part and put(text, part.start, part.end, re.sub(r"\[[^\[\]]*\]$", "", text[part.start : part.end]))


def list_for_element(text: str, rng: Random) -> str | None:
    """Inside a loop a field is read from the list, not from its element: src.line_items.title for l.title."""
    loops = dict(re.findall(r"^ *each: ([\w.]+)\n *as: (\w+)$", text, re.MULTILINE))
    loops = {name: listed for listed, name in loops.items()}
    found = [part for part in _roots(text) if text[part.start : part.end].partition(".")[0] in loops]
    part = one_of(found, rng)
    if part is None:
        return None
    name, _, rest = text[part.start : part.end].partition(".")
    return put(text, part.start, part.end, f"{loops[name]}.{rest}")


def forget_step(text: str, rng: Random) -> str | None:
    """A step in the middle of a path is forgotten: src.buyer.city_name for src.buyer.postal_address.city_name."""
    part = one_of((part for part in _roots(text) if text[part.start : part.end].count(".") > 1), rng)
    if part is None:
        return None
    steps = text[part.start : part.end].split(".")
    del steps[rng.randrange(1, len(steps) - 1)]
    return put(text, part.start, part.end, ".".join(steps))


def forget_last_step(text: str, rng: Random) -> str | None:
    """The last step of a path is forgotten: an object stands where its field should."""
    part = one_of(_roots(text), rng)
    return part and put(text, part.start, part.end, text[part.start : part.end].rpartition(".")[0])


def quote_path(text: str, rng: Random) -> str | None:
    """A path is put in quotes, as in languages whose paths are texts."""
    part = one_of(_roots(text), rng)
    if part is None:
        return None
    inside = f"'{text[part.start : part.end]}'"
    return put(text, part.start, part.end, f'"{inside}"' if part.parent is None else inside)


def unquote_text(text: str, rng: Random) -> str | None:
    """The quotes of a text are forgotten: pcs for 'pcs'."""
    part = one_of(_texts(text), rng)
    return part and put(text, part.start, part.end, text[part.start + 1 : part.end - 1])


def drop_const(text: str, rng: Random) -> str | None:
    """Literal text stands without const: or quotes: channel: ecommerce."""
    found = re.finditer(r"\{const: ([^}]*)\}", text)
    match = one_of(found, rng)
    return match and put(text, match.start(), match.end(), match[1].strip("'"))


def number_as_text(text: str, rng: Random) -> str | None:
    """A number is put in quotes: rate > '0'."""
    part = one_of((part for part in parts(text) if isinstance(part.node, ast.Constant)
                 and isinstance(part.node.value, int) and not isinstance(part.node.value, bool)), rng)  # fmt: skip
    return part and put(text, part.start, part.end, f"'{text[part.start : part.end]}'")


def text_as_number(text: str, rng: Random) -> str | None:
    """Digits that are a code stand without quotes: {const: 95}, order_type_code == 224."""
    digits = [(part.start, part.end) for part in _texts(text) if text[part.start + 1 : part.end - 1].isdigit()]
    digits += [(pair.value_start, pair.value_end) for pair in pairs(text)
               if pair.key == "const" and pair.is_quoted and (pair.value or "").isdigit()]  # fmt: skip
    place = one_of(digits, rng)
    return place and put(text, *place, text[place[0] + 1 : place[1] - 1])


def or_for_default(text: str, rng: Random) -> str | None:
    """``or`` is taken for default(): the amount 0 becomes another one."""
    numbers = [
        part for part in _calls(text) if _calls_of(part, "dec") or _calls_of(part, "sum") or _calls_of(part, "count")
    ]
    part = one_of(numbers, rng)
    return part and put(text, part.start, part.end, f"({text[part.start : part.end]} or {rng.choice([1, 5, 100])})")


def foreign_operator(text: str, rng: Random) -> str | None:
    """An operator is written as another language writes it: = for ==, && for and, ! for not."""
    foreign = {" == ": " = ", " and ": " && ", " or ": " || ", " not ": " !", " != ": " <> ", " > ": " gt "}
    found = [(part.start + match.start(), match[0]) for part in parts(text) if part.parent is None
             for match in re.finditer("|".join(foreign), text[part.start : part.end])]  # fmt: skip
    place = one_of(found, rng)
    return place and put(text, place[0], place[0] + len(place[1]), foreign[place[1]])


def drop_bracket(text: str, rng: Random) -> str | None:
    """A bracket is not closed, or closed twice."""
    found = [part.start + at for part in parts(text) if part.parent is None
             for at, sign in enumerate(text[part.start : part.end]) if sign in "()[]"]  # fmt: skip
    at = one_of(found, rng)
    return None if at is None else put(text, at, at + 1, rng.choice(["", text[at] * 2]))


def shadowed_function(text: str, rng: Random) -> str | None:
    """A function is written without its arguments: count for count(x)."""
    part = one_of((part for part in _calls(text) if isinstance(part.node, ast.Call)
                 and isinstance(part.node.func, ast.Name) and part.node.func.id in functions()), rng)  # fmt: skip
    return part and put(text, part.start, part.end, text[part.start : part.end].partition("(")[0])
