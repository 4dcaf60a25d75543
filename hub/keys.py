"""Business keys: what a document says it is about, as (scheme, issuer, value). The rules stand in its schema.

``x-keys`` of a schema is a list of ``{scheme, value, issuer?, except?}``. ``value`` is a path (``order_id``,
``lines[].invoice_id``, ``party.identifiers[scheme_id=0088].id``); ``issuer`` is a path or several, the first that
holds something wins; ``except`` names values that mean "none". The first rule gives the main key.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import msgspec

_STEP = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<list>\[(?:(?P<key>[A-Za-z_]+)=(?P<want>[^\]]+))?\])?")


LONGEST = 400  # bytes; every store has several of these in one row of an index
_KEPT = LONGEST - 64 - len("…".encode())


def bounded(text: str) -> str:
    """A text as every store can look it up: the picture of NUL in the place of one, and of more than LONGEST bytes the
    first ones and a digest of all of it, so that different ones stay different."""
    if len(text) * 4 <= LONGEST and "\0" not in text:
        return text
    text = text.replace("\0", "\u2400")
    raw = text.encode(errors="replace")
    if len(raw) <= LONGEST:
        return text
    return f"{raw[:_KEPT].decode(errors='ignore')}…{hashlib.sha256(raw).hexdigest()}"


class Key(NamedTuple):
    """One business key. ``issuer`` is the party or system whose number it is, empty where that is not known.

    A tuple, since every message makes some, and a tuple is made and hashed in a third of the time.
    """

    scheme: str
    issuer: str
    value: str

    @property
    def text(self) -> str:
        """``order:webshop:1001``; a colon or a percent sign within the issuer is written ``%3A`` or ``%25``."""
        return f"{self.scheme}:{_escape(self.issuer)}:{self.value}"

    @classmethod
    def parse(cls, text: str) -> Key:
        """The key that ``text`` writes. Raises ValueError where that is not ``scheme:issuer:value``."""
        scheme, issuer, value = text.split(":", 2)
        if not (scheme and value):
            raise ValueError("a key is written scheme:issuer:value")
        return cls(scheme, issuer.replace("%3A", ":").replace("%25", "%"), value)


_new_key = partial(tuple.__new__, Key)  # as Key(scheme, issuer, value), without the way through Python


class Step(msgspec.Struct, frozen=True):
    """One step of a path. ``is_list`` takes every element; ``key`` and ``want`` only those that hold this value."""

    name: str
    is_list: bool = False
    key: str = ""
    want: str = ""


class Path(msgspec.Struct, frozen=True):
    """A way to values. ``names`` are its steps where it passes no list, which most do, and empty otherwise."""

    steps: tuple[Step, ...]
    names: tuple[str, ...] = ()


class KeyRule(msgspec.Struct, frozen=True):
    """One compiled entry of ``x-keys``. ``paired`` says that issuer and value come from the same list elements."""

    scheme: str
    value: Path
    issuers: tuple[Path, ...] = ()
    unless: frozenset[str] = frozenset()
    paired: bool = False


def compile_path(text: str) -> Path:
    """The steps of a path. Raises ValueError with the part that is not understood."""
    steps = tuple(_step(part) for part in re.split(r"\.(?![^\[]*\])", text))
    return Path(steps, () if any(step.is_list for step in steps) else tuple(step.name for step in steps))


def compile_keys(specs: object) -> tuple[KeyRule, ...]:
    """The rules of ``x-keys``. Raises ValueError, in words, for what is no such list and for paths not understood."""
    if not isinstance(specs, list | tuple):
        raise ValueError("expected a list of rules")
    return tuple(_compile_rule(spec) for spec in specs)


def keys_of(rules: Sequence[KeyRule], document: Mapping[str, Any]) -> list[Key]:
    """Every key a document asserts, each once and ``bounded``, in the order of the rules; rules without a value give
    none."""
    found: dict[Key, None] = {}
    for rule in rules:
        if rule.value.names and not rule.paired:
            value = _single(document, rule.value.names)
            if value and value not in rule.unless:
                issuer = _issuer(document, rule.issuers)
                found[_new_key((rule.scheme, bounded(issuer), bounded(value)))] = None
            continue
        for issuer, value in _pairs(rule, document):
            if value not in rule.unless:
                found[Key(rule.scheme, bounded(issuer), bounded(value))] = None
    return list(found)


def _pairs(rule: KeyRule, document: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Issuer and value of each key of a rule that passes a list."""
    values = _values(document, rule.value)
    if not values:
        return ()
    if not rule.paired:
        return _with_issuer(_issuer(document, rule.issuers), values)
    issuers = _values(document, rule.issuers[0])
    return zip(issuers, values, strict=True) if len(issuers) == len(values) else _with_issuer("", values)


def _step(part: str) -> Step:
    found = _STEP.fullmatch(part)
    if not found:
        raise ValueError(f"'{part}' is not a step of a path; write name, name[] or name[field=value]")
    return Step(found["name"], found["list"] is not None, found["key"] or "", found["want"] or "")


def _compile_rule(spec: object) -> KeyRule:
    if not isinstance(spec, dict):
        raise ValueError("expected a rule such as {scheme: order, value: order_id}")
    scheme, value = (_word(spec, name) for name in ("scheme", "value"))
    issuers = tuple(compile_path(text) for text in _texts(spec, "issuer"))
    paired = len(issuers) == 1 and not issuers[0].names
    return KeyRule(scheme, compile_path(value), issuers, frozenset(_texts(spec, "except")), paired)


def _word(spec: Mapping[str, Any], name: str) -> str:
    word = spec.get(name)
    if not isinstance(word, str) or not word:
        raise ValueError(f"a rule needs {name} as text")
    return word


def _texts(spec: Mapping[str, Any], name: str) -> list[str]:
    texts = spec.get(name, [])
    texts = [texts] if isinstance(texts, str) else texts
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"{name} is a text or a list of texts")
    return texts


def _with_issuer(issuer: str, values: list[str]) -> Iterable[tuple[str, str]]:
    return ((issuer, value) for value in values)


def _issuer(document: Mapping[str, Any], paths: tuple[Path, ...]) -> str:
    for path in paths:
        if path.names:
            text = _single(document, path.names)
            if text:
                return text
        elif values := _values(document, path):
            return values[0]
    return ""


def _single(node: Any, names: tuple[str, ...]) -> str:
    """The text that a path without lists leads to; empty where there is none."""
    for name in names:
        if not isinstance(node, dict):
            return ""
        node = node.get(name)
    return node.strip() if isinstance(node, str) else _text(node)


def _values(document: Any, path: Path) -> list[str]:
    if path.names:
        text = _single(document, path.names)
        return [text] if text else []
    nodes = [document]
    for step in path.steps:
        nodes = _follow(nodes, step)
        if not nodes:
            return nodes
    texts = (_text(node) for node in nodes)
    return [text for text in texts if text]


def _follow(nodes: list[Any], step: Step) -> list[Any]:
    below = [node[step.name] for node in nodes if isinstance(node, dict) and step.name in node]
    if not step.is_list:
        return below
    elements = [element for node in below for element in (node if isinstance(node, list) else [node])]
    if step.key:
        return [element for element in elements if isinstance(element, dict) and element.get(step.key) == step.want]
    return elements


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value.strip()
    return "" if value is None or isinstance(value, bool | dict | list) else str(value)


def _escape(issuer: str) -> str:
    return issuer.replace("%", "%25").replace(":", "%3A")
