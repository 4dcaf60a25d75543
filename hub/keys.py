"""Business keys: what a document says it is about, as (scheme, issuer, value). The rules stand in its schema.

``x-keys`` of a schema is a list of ``{scheme, value, issuer?, except?}``. ``value`` is a path (``order_id``,
``lines[].invoice_id``, ``party.identifiers[scheme_id=0088].id``); ``issuer`` is a path or several, the first that
holds something wins; ``except`` names values that mean "none". The first rule gives the main key.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_STEP = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<list>\[(?:(?P<key>[A-Za-z_]+)=(?P<want>[^\]]+))?\])?")


@dataclass(frozen=True, slots=True)
class Key:
    """One business key. ``issuer`` is the party or system whose number it is, empty where that is not known."""

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


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a path. ``is_list`` takes every element; ``key`` and ``want`` only those that hold this value."""

    name: str
    is_list: bool = False
    key: str = ""
    want: str = ""


Path = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class KeyRule:
    """One compiled entry of ``x-keys``. ``paired`` says that issuer and value come from the same list elements."""

    scheme: str
    value: Path
    issuers: tuple[Path, ...] = ()
    unless: frozenset[str] = frozenset()
    paired: bool = False


def compile_path(text: str) -> Path:
    """The steps of a path. Raises ValueError with the part that is not understood."""
    steps = []
    for part in re.split(r"\.(?![^\[]*\])", text):
        found = _STEP.fullmatch(part)
        if not found:
            raise ValueError(f"'{part}' is not a step of a path; write name, name[] or name[field=value]")
        steps.append(Step(found["name"], found["list"] is not None, found["key"] or "", found["want"] or ""))
    return tuple(steps)


def compile_keys(specs: object) -> tuple[KeyRule, ...]:
    """The rules of ``x-keys``. Raises ValueError, in words, for what is no such list and for paths not understood."""
    if not isinstance(specs, list | tuple):
        raise ValueError("expected a list of rules")
    return tuple(_compile_rule(spec) for spec in specs)


def keys_of(rules: Sequence[KeyRule], document: Mapping[str, Any]) -> list[Key]:
    """Every key a document asserts, each once, in the order of the rules; rules without a value give none."""
    found: dict[Key, None] = {}
    for rule in rules:
        values = _values(document, rule.value)
        if not values:
            continue
        if rule.paired:
            issuers = _values(document, rule.issuers[0])
            pairs = zip(issuers, values, strict=True) if len(issuers) == len(values) else _with_issuer("", values)
        else:
            pairs = _with_issuer(_issuer(document, rule.issuers), values)
        for issuer, value in pairs:
            if value not in rule.unless:
                found[Key(rule.scheme, issuer, value)] = None
    return list(found)


def _compile_rule(spec: object) -> KeyRule:
    if not isinstance(spec, dict):
        raise ValueError("expected a rule such as {scheme: order, value: order_id}")
    scheme, value = (_word(spec, name) for name in ("scheme", "value"))
    issuers = tuple(compile_path(text) for text in _texts(spec, "issuer"))
    paired = len(issuers) == 1 and any(step.is_list for step in issuers[0])
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
        values = _values(document, path)
        if values:
            return values[0]
    return ""


def _values(document: Any, path: Path) -> list[str]:
    if not any(step.is_list for step in path):
        text = _text(_one(document, path))
        return [text] if text else []
    nodes = [document]
    for step in path:
        nodes = _follow(nodes, step)
        if not nodes:
            return nodes
    texts = (_text(node) for node in nodes)
    return [text for text in texts if text]


def _one(node: Any, path: Path) -> Any:
    for step in path:
        node = node.get(step.name) if isinstance(node, dict) else None
    return node


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
