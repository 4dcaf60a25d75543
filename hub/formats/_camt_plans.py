"""Entries of a shape that was seen before, read by a plan: the same document as by the tables, in half of the time.

The shape of an entry is its tags and attributes without its texts. For a shape the tables say where each text goes and
what it has to be; with that, an entry is read by cutting it at its brackets. A plan reads only what is right: a shape
with anything to tell has none, and a text that is not what it has to be sends its entry the way of the tables.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from operator import itemgetter
from typing import Any

from lxml import etree

from hub.formats._camt_cards import LAST, LastDigits, Payment, ends_with_digits
from hub.formats._camt_kinds import STATUSES, Status, TransactionCode
from hub.formats._camt_planned import Converted, Joined, Make, PlannedMoney, Texts, all_hold, made
from hub.formats._camt_tables import ENTRY, Details
from hub.formats._iso_kinds import Choice, Day, Enum, Instant, Integer, Money, Number, Truth, Words
from hub.formats._iso_parties import AGENT, EITHER, AccountNumber, FirstId, NamedAgent, NamedParty, Party
from hub.formats._iso_tables import NOT_PROVIDED, Flat, Group, Item, Table, Text, Within
from hub.formats._iso_values import is_currency, is_day, is_instant
from hub.formats._xml import Element

Check = Callable[[str], Any]

_MOST_KNOWN = 100
_LONGEST = 6_000  # characters of a shape; an entry with many transactions is like no other
_TAG = re.compile(r"(?:([\w.-]+):)?([\w.-]+)(?: Ccy=\"([^\"]*)\")?")
_is_amount = re.compile(r"[0-9]{1,18}(?:\.[0-9]{0,17})?").fullmatch
_is_whole = re.compile(r"[0-9]{1,18}").fullmatch
_is_iban = re.compile(r"[A-Z0-9]+").fullmatch
_TRUTHS = frozenset(("true", "false"))
_ESCAPES = (("&lt;", "<"), ("&gt;", ">"), ("&#13;", "\r"), ("&amp;", "&"))


class _Unplanned(Exception):
    """A shape that the tables have to read."""


@dataclass(slots=True)
class _Node:
    """An element of a shape; ``place`` is that of its text among the pieces of the entry."""

    tag: str
    currency: str
    place: int
    children: list[_Node] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """How entries of a shape are read. ``pick`` takes their texts out of the pieces; ``words`` are those of them that
    are plain texts, ``varied`` looks at amounts and accounts, ``few`` are all else, of which a file has few: ``known``
    remembers those that hold. ``currency`` is empty where an entry has to be looked at as a document; of others
    ``money`` and ``directions`` are the places of their amounts and directions, that of the entry first."""

    pick: Callable[[Sequence[str]], tuple[str, ...]]
    words: Callable[[Texts], tuple[str, ...]]
    varied: Make
    few: Callable[[Texts], Any]
    checks: tuple[tuple[int, Check], ...]
    make: Make
    currency: str
    money: tuple[int, ...]
    directions: tuple[int, ...]
    status: int
    reversal: int
    known: set[Any] = field(default_factory=set)

    def holds(self, texts: Texts) -> bool:
        """Whether every text is what it has to be."""
        if not NOT_PROVIDED.isdisjoint(self.words(texts)):
            return False
        if not self.varied(texts):
            return False
        if (seen := self.few(texts)) in self.known:
            return True
        if not all(check(texts[place]) for place, check in self.checks):
            return False
        if len(self.known) < _MOST_KNOWN:
            self.known.add(seen)
        return True

    def even(self, texts: Texts) -> tuple[Decimal, str, bool] | None:
        """The amount, direction and whether it is booked of a plain entry, whose one transaction says the same; None
        for others, and for reversals."""
        if not self.currency:
            return None
        amount, direction = texts[self.money[0]], texts[self.directions[0]]
        if texts[self.reversal] == "true":
            return None
        for place in self.money[1:]:
            if texts[place] != amount:
                return None
        for place in self.directions[1:]:
            if texts[place] != direction:
                return None
        return Decimal(amount), direction, texts[self.status] == "BOOK"


def planned(element: Element) -> tuple[Plan, list[str], str] | None:
    """The plan of an entry, its texts, with room for its number before them, and its shape as it stands in a statement;
    None where the tables read it."""
    text = etree.tostring(element, encoding="unicode", with_tail=False)
    pieces = _pieces(text)
    shape = _shape(pieces)
    if len(shape) > _LONGEST or (plan := _plan(shape)) is None or (texts := _texts(plan, pieces, text)) is None:
        return None
    return plan, texts, pieces[1].split(maxsplit=1)[0] + shape[len(pieces[1]) :]


def planned_again(text: str, known: Mapping[str, Plan]) -> tuple[Plan, list[str]] | None:
    """The same of an entry as it stands in a statement, by the plans of shapes that stood there before. References are
    those to ``&``, ``<`` and ``>`` alone."""
    pieces = _pieces(text)
    if (plan := known.get(_shape(pieces))) is None or (texts := _texts(plan, pieces, text)) is None:
        return None
    return plan, texts


def _pieces(text: str) -> list[str]:
    return text.replace(">", "<").split("<")


def _shape(pieces: list[str]) -> str:
    return "<".join(pieces[1::2])


def _texts(plan: Plan, pieces: list[str], text: str) -> list[str] | None:
    picked: Iterable[str] = plan.pick(pieces)
    if "&" in text:
        picked = map(_unescaped, picked)
    texts = list(map(str.strip, picked))
    return texts if plan.holds(texts) else None


def _unescaped(text: str) -> str:
    for escape, character in _ESCAPES:
        text = text.replace(escape, character)
    return text


@lru_cache(200)
def _plan(shape: str) -> Plan | None:
    try:
        return _Planner().plan(_tree(shape))
    except _Unplanned:
        return None


def _tree(shape: str) -> _Node:
    """The elements of a shape. The first says the namespaces; no other may."""
    pieces = shape.split("<")
    prefix = (pieces[0].split(maxsplit=1)[0].rpartition(":")[0]) or None
    root = _Node("Ntry", "", 2)
    open_nodes = [root]
    for number, piece in enumerate(pieces[1:], 1):
        if piece[0] == "/":
            open_nodes.pop()
            continue
        found = _TAG.fullmatch(piece)
        if found is None or found[1] != prefix:
            raise _Unplanned
        node = _Node(found[2], found[3] or "", 2 * number + 2)
        open_nodes[-1].children.append(node)
        open_nodes.append(node)
    return root


@lru_cache(200)
def _items(table: Table) -> Mapping[str, tuple[int, Item]]:
    return {item.tag: (number, item) for number, item in enumerate(table.items)}


class _Planner:
    """Makes the plan of one shape. A document is planned as its fields, each a place among the texts, a ``Make``, a
    list of them, or fields again."""

    def __init__(self) -> None:
        self._places: list[int] = [0]  # nothing stands there; the number of the entry will
        self._words: list[int] = []
        self._checks: list[tuple[int, Check]] = []
        self._money: dict[int, str] = {}

    def plan(self, root: _Node) -> Plan:
        fields: dict[str, Any] = {"number": Converted(0, int)}
        self.fill(ENTRY, root, fields)
        currency, money, directions = self._evenness(fields)
        if len(self._words) < 2:
            raise _Unplanned  # itemgetter gives no tuple of one
        varied, checks = (
            tuple(each for each in self._checks if (each[1] in (_is_amount, _is_iban)) is kind)
            for kind in (True, False)
        )
        return Plan(
            _picked(self._places), _picked(self._words), all_hold(varied),
            _picked([0, *(place for place, _ in checks)]), checks, made(fields), currency, money,
            directions, fields.get("status", 0), _place_of(fields, "reversal_indicator"),
        )  # fmt: skip

    def _evenness(self, fields: Mapping[str, Any]) -> tuple[str, tuple[int, ...], tuple[int, ...]]:
        """What ``Plan`` says of entries that are plain."""
        parts = fields.get("transactions", [])
        if (
            len(parts) > 1
            or "batches" in fields
            or not fields.keys() >= _PLAIN
            or not all("amount" in p for p in parts)
        ):
            return "", (), ()
        amounts = [each["amount"].place for each in (fields, *parts)]
        if len({self._money[place] for place in amounts}) > 1:
            return "", (), ()
        directions = [each["credit_debit_indicator"] for each in (fields, *parts) if "credit_debit_indicator" in each]
        return self._money[amounts[0]], tuple(amounts), tuple(directions)

    def fill(self, table: Table, node: _Node, into: dict[str, Any]) -> None:
        """Plan the children of an element."""
        if not node.children:
            raise _Unplanned
        items, last = _items(table), -1
        for child in node.children:
            if child.tag not in items:
                if child.tag in table.skipped:
                    continue
                raise _Unplanned
            number, item = items[child.tag]
            planner = _PLANNERS.get(type(item.kind))
            if number < last or (number == last and not item.may_repeat) or planner is None:
                raise _Unplanned
            last = number
            planner(self, item.kind, item.name, child, into)

    def leaf(self, node: _Node, check: Check | None = None) -> int:
        """Pick the text of an element, which is a plain one where nothing checks it."""
        if node.children:
            raise _Unplanned
        self._places.append(node.place)
        place = len(self._places) - 1
        if check is None:
            self._words.append(place)
        else:
            self._checks.append((place, check))
        return place

    def text(self, kind: Any, name: str, node: _Node, into: dict[str, Any]) -> None:
        _put(into, name, self.leaf(node))

    def words(self, kind: Any, name: str, node: _Node, into: dict[str, Any]) -> None:
        into.setdefault(name, []).append(self.leaf(node))

    def choice(self, kind: Any, name: str, node: _Node, into: dict[str, Any]) -> None:
        _put(into, name, self.leaf(node.children[0] if node.children else node))

    def enum(self, kind: Enum, name: str, node: _Node, into: dict[str, Any]) -> None:
        _put(into, name, self.leaf(node, kind.codes.__contains__))

    def status(self, kind: Any, name: str, node: _Node, into: dict[str, Any]) -> None:
        _put(into, name, self.leaf(node.children[0] if node.children else node, STATUSES.__contains__))

    def money(self, kind: Any, name: str, node: _Node, into: dict[str, Any]) -> None:
        if not is_currency(node.currency):
            raise _Unplanned
        place = self.leaf(node, _is_amount)
        self._money[place] = node.currency
        _put(into, name, PlannedMoney(place, node.currency))

    def number(self, kind: Any, name: str, node: _Node, into: dict[str, Any]) -> None:
        _put(into, name, Converted(self.leaf(node, _is_amount), Decimal))

    def integer(self, kind: Any, name: str, node: _Node, into: dict[str, Any]) -> None:
        _put(into, name, Converted(self.leaf(node, _is_whole), int))

    def truth(self, kind: Any, name: str, node: _Node, into: dict[str, Any]) -> None:
        _put(into, name, Converted(self.leaf(node, _TRUTHS.__contains__), "true".__eq__))

    def instant(self, kind: Any, name: str, node: _Node, into: dict[str, Any]) -> None:
        _put(into, name, self.leaf(node, is_instant))

    def last_digits(self, kind: Any, name: str, node: _Node, into: dict[str, Any]) -> None:
        _put(into, name, Converted(self.leaf(node, ends_with_digits), itemgetter(LAST)))

    def day(self, kind: Day, name: str, node: _Node, into: dict[str, Any]) -> None:
        leaf = next((child for child in node.children if child.tag in ("Dt", "DtTm")), node)
        if leaf.tag != "DtTm":
            _put(into, name, self.leaf(leaf, is_day))
            return
        place = self.leaf(leaf, is_instant)
        if kind.instant:
            _put(into, kind.instant, place)
        _put(into, name, Converted(place, itemgetter(slice(10))))

    def code(self, kind: Any, name: str, node: _Node, into: dict[str, Any]) -> None:
        if not node.children:
            raise _Unplanned
        leaves = []
        for child in node.children:
            leaves += child.children or [child]
            if child.children:
                self._places.append(child.place)
                self._checks.append((len(self._places) - 1, "".__eq__))  # no text beside them
        _put(into, name, Joined(tuple(self.leaf(leaf) for leaf in leaves)))

    def flat(self, kind: Flat, name: str, node: _Node, into: dict[str, Any]) -> None:
        self.fill(kind.table, node, into)

    def group(self, kind: Group, name: str, node: _Node, into: dict[str, Any]) -> None:
        inner: dict[str, Any] = {}
        self.fill(kind.table, node, inner)
        if kind.is_list:
            into.setdefault(name, []).append(inner)
        elif inner:
            _put(into, name, inner)

    def within(self, kind: Within, name: str, node: _Node, into: dict[str, Any]) -> None:
        for step in kind.steps:
            found = next((child for child in node.children if child.tag == step), None)
            if found is None:
                return
            node = found
        planner = _PLANNERS.get(type(kind.kind))
        if planner is None:
            raise _Unplanned
        planner(self, kind.kind, name, node, into)

    def party(self, kind: Any, name: str, node: _Node, into: dict[str, Any]) -> None:
        self.group(Group(EITHER), name, node, into)

    def named_party(self, kind: NamedParty, name: str, node: _Node, into: dict[str, Any]) -> None:
        self._named(EITHER, "name", f"{kind.role}_name", kind.role, node, into)

    def named_agent(self, kind: NamedAgent, name: str, node: _Node, into: dict[str, Any]) -> None:
        self._named(AGENT, "bic", f"{kind.role}_bic", f"{kind.role}_agent", node, into)

    def _named(self, table: Table, inside: str, apart: str, rest: str, node: _Node, into: dict[str, Any]) -> None:
        inner: dict[str, Any] = {}
        self.fill(table, node, inner)
        if inside in inner:
            _put(into, apart, inner.pop(inside))
        if inner:
            _put(into, rest, inner)

    def account(self, kind: Any, name: str, node: _Node, into: dict[str, Any]) -> None:
        if len(node.children) != 1:
            raise _Unplanned
        child = node.children[0]
        if child.tag == "IBAN":
            _put(into, name, self.leaf(child, _is_iban))
            return
        leaf = next((inner for inner in child.children if inner.tag == "Id"), None)
        if leaf is None:
            raise _Unplanned
        _put(into, name, self.leaf(leaf))


_PLAIN = frozenset(("amount", "credit_debit_indicator", "status", "booking_date"))
_PLANNERS: Mapping[type, Callable[[_Planner, Any, str, _Node, dict[str, Any]], None]] = {
    Text: _Planner.text, Words: _Planner.words, Choice: _Planner.choice, Enum: _Planner.enum, Status: _Planner.status,
    Money: _Planner.money, Number: _Planner.number, Integer: _Planner.integer, Truth: _Planner.truth,
    Instant: _Planner.instant, Day: _Planner.day, TransactionCode: _Planner.code, Flat: _Planner.flat,
    Details: _Planner.flat, Payment: _Planner.flat, LastDigits: _Planner.last_digits, Group: _Planner.group,
    FirstId: _Planner.flat, Within: _Planner.within, Party: _Planner.party, NamedParty: _Planner.named_party,
    NamedAgent: _Planner.named_agent, AccountNumber: _Planner.account,
}  # fmt: skip


def _place_of(fields: Mapping[str, Any], name: str) -> int:
    """The place of a converted text; that of the number of the entry where there is none."""
    found = fields.get(name)
    return found.place if isinstance(found, Converted) else 0


def _picked(places: Sequence[int]) -> Callable[[Sequence[str]], Any]:
    return itemgetter(*places)


def _put(into: dict[str, Any], name: str, value: Any) -> None:
    if name in into:
        raise _Unplanned  # it stands twice, and the tables say what becomes of that
    into[name] = value
