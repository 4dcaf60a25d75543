"""The target tree: loops, optional fields, blocks, names, literals, and the strict leaf."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.unit.mapping.build import compiled, lines

D = Decimal

TREES: list[tuple[str, str, Any, Any]] = [
    ("a field", "output: {a: src.x}", {"x": 1}, {"a": 1}),
    ("a nested object", "output: {a: {b: {c: src.x}}}", {"x": 1}, {"a": {"b": {"c": 1}}}),
    (
        "true, false, null and numbers as they are",
        "output: {a: true, b: false, c: null, d: 5, e: 1.50}",
        {},
        {"a": True, "b": False, "c": None, "d": 5, "e": D("1.50")},
    ),
    ("words of YAML 1.1 are names, not values", "let: {off: src.x}\noutput: {a: off}", {"x": 7}, {"a": 7}),
    ("quoted text is an expression too", "output: {a: \"'x'\", b: '''y'''}", {}, {"a": "x", "b": "y"}),
    (
        "const is literal text",
        "output: {a: {const: src.x}, b: {const: 95}, c: {const: '95'}}",
        {},
        {"a": "src.x", "b": 95, "c": "95"},
    ),
    ("const is any data", "output: {a: {const: {x: [1, off, 1.5]}}}", {}, {"a": {"x": [1, "off", D("1.5")]}}),
    ("an optional field is left out when nothing", "output: {a?: src.x, b: 1}", {}, {"b": 1}),
    (
        "an optional field is left out when empty",
        "output: {a?: src.x, b?: src.y, c?: src.z}",
        {"x": "", "y": [], "z": {}},
        {},
    ),
    (
        "zero and false are something",
        "output: {a?: src.x, b?: src.y, c?: src.z}",
        {"x": 0, "y": False, "z": D("0.00")},
        {"a": 0, "b": False, "c": D("0.00")},
    ),
    ("the order of the file is kept", "output: {c: 1, b?: 2, a: 3}", {}, {"c": 1, "b": 2, "a": 3}),
    ("an optional object is left out when it is empty", "output: {a?: {b?: src.x}, c: {d?: src.x}}", {}, {"c": {}}),
    (
        "a loop makes a list",
        "output: {a: {each: src.l, as: x, item: {n: x.n}}}",
        {"l": lines(2)},
        {"a": [{"n": 1}, {"n": 2}]},
    ),
    ("one line stays a list", "output: {a: {each: src.l, as: x, item: {n: x.n}}}", {"l": lines(1)}, {"a": [{"n": 1}]}),
    ("no lines are an empty list", "output: {a: {each: src.l, as: x, item: {n: x.n}}}", {}, {"a": []}),
    (
        "an optional loop without elements is left out",
        "output: {a?: {each: src.l, as: x, item: {n: x.n}}}",
        {"l": []},
        {},
    ),
    ("index counts from 1", "output: {a: {each: src.l, as: x, index: i, item: i}}", {"l": ["a", "b"]}, {"a": [1, 2]}),
    (
        "when filters, index counts on",
        "output: {a: {each: src.l, as: x, index: i, when: x.n != 2, item: i}}",
        {"l": lines(3)},
        {"a": [1, 3]},
    ),
    (
        "when may use the index",
        "output: {a: {each: src.l, as: x, index: i, when: i > 1, item: x}}",
        {"l": [7, 8, 9]},
        {"a": [8, 9]},
    ),
    (
        "a loop has names of its own",
        "output: {a: {each: src.l, as: x, let: {y: x.n * 2, z: y + 1}, item: {y: y, z: z}}}",
        {"l": lines(1)},
        {"a": [{"y": 2, "z": 3}]},
    ),
    (
        "loops inside loops",
        "output: {a: {each: src.l, as: x, item: {b: {each: x.m, as: y, item: x.n + y}}}}",
        {"l": [{"n": 1, "m": [1, 2]}, {"n": 5, "m": [1]}]},
        {"a": [{"b": [2, 3]}, {"b": [6]}]},
    ),
    (
        "a node is a loop only if it has each",
        "output: {item: src.x, as: src.x, b: 1}",
        {"x": 1},
        {"item": 1, "as": 1, "b": 1},
    ),
    ("an item alone is a field", "output: {line: {item: src.x}}", {"x": 1}, {"line": {"item": 1}}),
    (
        "when beside other fields is a field",
        "output: {line: {item: 1, when: src.x, b: 2}}",
        {"x": 1},
        {"line": {"item": 1, "when": 1, "b": 2}},
    ),
    (
        "an item that is a block may be missing",
        "output: {a: {each: src.l, as: x, item: {when: x, item: {n: x}}}}",
        {"l": [1, 0, 2]},
        {"a": [{"n": 1}, {"n": 2}]},
    ),
    ("an optional block that holds", "output: {a?: {when: src.x, item: {b: src.x}}}", {"x": 1}, {"a": {"b": 1}}),
    ("an optional block that does not hold", "output: {a?: {when: src.x, item: {b: src.x}}}", {}, {}),
    ("a block has names of its own", "output: {a: {let: {y: src.x + 1}, item: {b: y}}}", {"x": 1}, {"a": {"b": 2}}),
    ("a list written out", "output: {a: [src.x, 2, {b: src.x}]}", {"x": 1}, {"a": [1, 2, {"b": 1}]}),
    (
        "a loop among a list's elements adds its own",
        "output: {a: [1, {each: src.l, as: x, item: x}, 9]}",
        {"l": [3, 4]},
        {"a": [1, 3, 4, 9]},
    ),
    (
        "an optional element of a list",
        "output: {a: [1, {when: src.x, item: 2}, {when: src.y, item: 3}]}",
        {"x": 1},
        {"a": [1, 2]},
    ),
    ("let is null-safe", "let: {c: src.customer}\noutput: {a?: c.name}", {}, {}),
    (
        "let may hold a tree",
        "let: {l: {each: src.l, as: x, item: {n: x.n}}}\noutput: {l: l, s: sum(x.n for x in l)}",
        {"l": lines(3)},
        {"l": lines(3), "s": 6},
    ),
    (
        "a null element of a list is null-safe",
        "output: {a: {each: src.l, as: x, item: {n?: x.n}}}",
        {"l": [None, {"n": 2}]},
        {"a": [{}, {"n": 2}]},
    ),
    (
        "a null element of a comprehension is null-safe",
        "output: {a: count(x for x in src.l if x.n)}",
        {"l": [None, {"n": 2}]},
        {"a": 1},
    ),
    ("the output may be a list", "output: {each: src.l, as: x, item: x.n}", {"l": lines(2)}, [1, 2]),
    ("the output may be an expression", "output: src.a", {"a": {"b": 1}}, {"b": 1}),
    ("the source may be a list", "output: {a: {each: src, as: x, item: x.n}}", lines(2), {"a": [1, 2]}),
    (
        "keys may be anything",
        "output:\n  '@id': src['@id']\n  a b: 1\n  ä: 2",
        {"@id": 3},
        {"@id": 3, "a b": 1, "ä": 2},
    ),
    (
        "folded and literal text",
        "output:\n  a: >-\n    src.x\n    + 1\n  b: |\n    src.x\n      + 2\n",
        {"x": 1},
        {"a": 2, "b": 3},
    ),
    (
        "a name bound again after a loop",
        "let: {a: {each: src.l, as: x, let: {n: x.n}, item: n}, n: 7}\noutput: {a: a, n: n}",
        {"l": lines(2)},
        {"a": [1, 2], "n": 7},
    ),
    (
        "a shadowed name is itself again after the loop",
        "let: {n: 7, a: {each: src.l, as: x, let: {n: x.n}, item: n}}\noutput: {a: a, n: n}",
        {"l": lines(2)},
        {"a": [1, 2], "n": 7},
    ),
    (
        "a shadowed element is itself again",
        "output: {each: src.l, as: x, item: {inner: {each: x.m, as: x, item: x}, after: x.n}}",
        {"l": [{"n": 1, "m": [8, 9]}]},
        [{"inner": [8, 9], "after": 1}],
    ),
    (
        "a comprehension does not leak its name",
        "let: {x: 1, y: '[x for x in src.l]'}\noutput: {x: x, y: y}",
        {"l": [5]},
        {"x": 1, "y": [5]},
    ),
]


@pytest.mark.parametrize(("what", "body", "src", "expected"), TREES, ids=[tree[0] for tree in TREES])
def test_a_tree_gives(what: str, body: str, src: Any, expected: Any) -> None:
    mapping = compiled(body)
    found = mapping.apply(src)
    assert found == expected
    if isinstance(found, dict):
        assert list(found) == list(expected)
    assert mapping.trace(src)[0] == expected


def test_const_data_is_fresh_for_each_document() -> None:
    mapping = compiled("output: {a: {const: [1]}}")
    mapping.apply({})["a"].append(2)
    assert mapping.apply({}) == {"a": [1]}
