"""Golden documents with something in them changed at random, the same ones in every run."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from functools import cache
from random import Random
from typing import Any

from tests.unit.canonical import golden, golden_names, type_of

# What a text may become, by what it looks like: right and wrong values of every kind that a rule or a schema looks at.
_KINDS = {
    r"-?\d+(\.\d+)?": (
        "0 1 5 10 100.00 5.00 -5.00 0.5 12.345 1000.0005 1.2.34 1e3 NaN 12345678901234.123456 380 9999 0088 0160 9930 "
        "4012345000009 4012345000008 04012345000016 340123450000000017 340123450000000018 123456788"
    ),
    r"\d{4}-.*": (
        "2026-03-05 2019-12-31 2031-01-01 2026-02-30 20260305 2026-03-05T10:00:00Z 2026-02-30T10:00:00Z "
        "2026-03-05T10:00:00"
    ),
    r"[A-Z0-9]{2,3}": "EUR USD JPY KWD XQQ eur DE QQ de C62 HUR QQQ FC 95 ZZZ VAT S Z O",
    r"[A-Z].*": (
        "Germany CRDT DBIT BOOK PDNG DE123456788 NL-123 DE02120300000000202051 DE02120300000000202052 "
        "RF18539007547034 RF19539007547034 RFID"
    ),
    r".*": "payment payout discount damaged statement ecommerce x",
}
_TEXTS = {pattern: [*texts.split(), "", " "] for pattern, texts in _KINDS.items()}
_ANY = [text for texts in _TEXTS.values() for text in texts]
_OTHERS: list[Any] = [None, True, False, 0, 1, 2.5, [], {}, [None], [{}], {"amount": "1.00", "currency": "EUR"}, ["x"]]


def mutations(name: str, count: int) -> Iterator[Any]:
    """So many changed copies of a golden document; each differs from it in one to three places."""
    random = Random(name)
    for _ in range(count):
        document = golden(name)
        for _ in range(random.choice((1, 1, 1, 2, 3))):
            _mutate(random, document)
        yield document


def _mutate(random: Random, document: Any) -> None:
    """Change one place, which may be any: in most cases to what may stand there."""
    places = list(_places(document))
    if not places:
        return
    node, key = random.choice(places)
    what = random.choice(("text", "text", "text", "same", "same", "same", "digit", "drop", "twice", "other", "move"))
    if what == "drop":
        del node[key]
    elif what == "twice" and isinstance(node, list):
        node.append(node[key])
    elif what == "digit" and isinstance(node[key], str) and node[key][-1:].isdigit():
        node[key] = node[key][:-1] + random.choice("0123456789")
    elif what == "same":
        node[key] = copy.deepcopy(random.choice(_values_by_name().get(key, [node[key]])))
    elif what == "move" and isinstance(node, dict):
        name = random.choice(list(_values_by_name()))
        node[name] = copy.deepcopy(random.choice(_values_by_name()[name]))
    else:
        node[key] = copy.deepcopy(random.choice(_OTHERS if what == "other" else _alike(node[key])))


def _alike(value: Any) -> list[str]:
    """Texts that may stand instead of a value."""
    if not isinstance(value, str):
        return _ANY
    return next(texts for pattern, texts in _TEXTS.items() if re.fullmatch(pattern, value, re.DOTALL))


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    below = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in below:
        yield node, key
        yield from _places(value)


@cache
def _values_by_name() -> dict[str, list[Any]]:
    """What stands under each name in all golden documents."""
    found: dict[str, list[Any]] = {}
    for name in golden_names():
        for node, key in _places(golden(name)):
            if isinstance(key, str):
                found.setdefault(key, []).append(node[key])
    return found


def all_mutations(count: int) -> Iterator[tuple[str, Any]]:
    """So many changed copies of each golden document, with the document's type."""
    for name in golden_names():
        for document in mutations(name, count):
            yield type_of(name), document
