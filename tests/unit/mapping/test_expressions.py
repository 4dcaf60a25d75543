"""Expressions: what each form gives, and that money stays exact."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hub.errors import MappingError, ProjectError
from hub.mapping import compile_expression
from tests.unit.mapping.build import evaluated

D = Decimal
SRC: dict[str, Any] = {
    "a": {"b": {"c": 5}}, "text": "abc", "n": 3, "d": D("1.10"), "none": None, "list": [1, 2, 3], "empty": [],
    "rows": [{"p": "1.10", "q": 2, "t": ["x", "y"]}, {"p": "2.20", "q": 1, "t": []}], "odd-key": 1, "from": 2, "_x": 3,
    "@id": 4, "yes": True, "zero": 0, "blank": "",
}  # fmt: skip

GIVES: list[tuple[str, Any]] = [
    ("src.a.b.c", 5),
    ("src.a.x.c", None),
    ("src.none.x.y", None),
    ("src['odd-key']", 1),
    ("src['from']", 2),
    ("src['_x']", 3),
    ("src['@id']", 4),
    ("src.list[0]", 1),
    ("src.list[-1]", 3),
    ("src.list[9]", None),
    ("src.list[-9]", None),
    ("src.none[0]", None),
    ("src.rows[0].p", "1.10"),
    ("src.rows[5].p", None),
    ("true", True),
    ("false", False),
    ("null", None),
    ("'x'", "x"),
    ('"x"', "x"),
    ("0.19", D("0.19")),
    ("1.10", D("1.10")),
    ("1e2", D("1e2")),
    ("0.1 + 0.2", D("0.3")),
    ("1 / 4", D("0.25")),
    ("7 / 2", D("3.5")),
    ("2 * 3", 6),
    ("2 * 0.5", D("1.0")),
    ("src.n - 1", 2),
    ("-src.n", -3),
    ("-1.5", D("-1.5")),
    ("src.d * src.n", D("3.30")),
    ("src.text + 'd'", "abcd"),
    ("src.list + [4]", [1, 2, 3, 4]),
    ("src.n == 3", True),
    ("src.n != 3", False),
    ("1 < src.n <= 3", True),
    ("src.text == null", False),
    ("src.none == null", True),
    ("'a' in src.text", True),
    ("2 in src.list", True),
    ("9 not in src.list", True),
    ("1 in src.none", False),
    ("1 in src.empty", False),
    ("src.none in [200, 201]", False),
    ("src.none or src.blank or 'x'", "x"),
    ("src.text and src.n", 3),
    ("not src.none", True),
    ("1 if src.yes else 2", 1),
    ("1 if src.none else 2", 2),
    ("[src.n, 'x']", [3, "x"]),
    ("{'id': src.n, 'inner': {'t': src.text}}", {"id": 3, "inner": {"t": "abc"}}),
    ("[r.q for r in src.rows]", [2, 1]),
    ("[r.q for r in src.rows if r.q > 1]", [2]),
    ("[t for r in src.rows for t in r.t]", ["x", "y"]),
    ("sum(dec(r.p) * r.q for r in src.rows)", D("4.40")),
    ("count(r for r in src.rows)", 2),
    ("first(r.p for r in src.rows if r.q == 1)", "2.20"),
    ("[r for r in src.none]", []),
    ("f'{src.text}-{src.n}'", "abc-3"),
    ("f'{{{src.n}}}'", "{3}"),
    ("f'{src.d}'", "1.10"),
    ("f'{1 + 1.5}'", "2.5"),
    ("src.text | upper()", "ABC"),
    ("src.text | left(2) | upper()", "AB"),
    ("src.n * 2 | text()", "6"),
    ("'ä' + src.text", "äabc"),
    ("src.text + 'ä' + f'{src.n}'", "abcä3"),
    ("has(src.none)", True),
    ("has(src.nothing)", False),
    ("has(src.a.b)", True),
    ("has(src.x.y)", False),
    ("has(src['odd-key'])", True),
    ("has(src.blank.x)", False),
    ("has(src.rows[0].p)", True),
    ("[has(r.none) for r in src.rows]", [False, False]),
    ("lookup('pcs', 'units')", "C62"),
    ("lookup('nix', 'units')", None),
    ("lookup('nix', 'units', 'C62')", "C62"),
    ("lookup('empty', 'units', 'C62')", "C62"),
    ("lookup(src.none, 'units')", None),
    ("lookup('17', 'parties.vat_id')", "DE123456788"),
    ("  src.n  ", 3),
]


@pytest.mark.parametrize(("text", "expected"), GIVES, ids=lambda value: str(value)[:50])
def test_an_expression_gives(text: str, expected: Any) -> None:
    found = evaluated(text, src=SRC)
    assert found == expected
    assert type(found) is type(expected)
    assert str(found) == str(expected)


REFUSED: list[tuple[str, str]] = [
    # names
    ("scr.a", "1:1: error: unknown name 'scr'; did you mean 'src'?"),
    ("src.a-b.c", "1:7: error: unknown name 'b'; write ['a-b'] for a field with a hyphen"),
    ("_x", "1:1: error: a name must not start with '_': '_x'; write a['_x'] for a field of that name"),
    ("src._x", "1:1: error: a field must not start with '_'; write ['_x']"),
    ("src.__class__", "1:1: error: a field must not start with '_'; write ['__class__']"),
    ("None", "1:1: error: write null, not None"),
    ("src.a == True", "1:10: error: write true, not True"),
    ("upper", "1:1: error: 'upper' is a function; write upper(…)"),
    # functions
    ("uper(src.a)", "1:1: error: unknown function 'uper'; did you mean 'upper'?"),
    ("eval('1')", "1:1: error: unknown function 'eval'"),
    ("src.a.upper()", "1:1: error: an object's methods cannot be called; write upper(src.a)"),
    ("src.a.get('x')", "1:1: error: an object's methods cannot be called"),
    ("'{0.__class__}'.format(src)", "1:1: error: an object's methods cannot be called"),
    ("upper()", "1:1: error: upper takes 1 argument, got 0; write upper(text)"),
    ("money(1)", "1:1: error: an amount needs its currency; write money(1, 'EUR'), or money(1, src.currency)"),
    ("min()", "1:1: error: min takes 1 to more arguments, got 0; write min(any, any …)"),
    ("money(1, currency='EUR')", "1:1: error: arguments have no names; write money(number, text, [integer])"),
    ("upper(*src.list)", "1:1: error: a star argument is not allowed in an expression"),
    ("upper(**src)", "1:1: error: arguments have no names; write upper(text)"),
    ("src.f(1)(2)", "1:1: error: only a function's name may stand before ( )"),
    ("upper(1)", "1:7: error: 1 is a whole number; upper needs text(1)"),
    ("money('1.00', 'EUR')", "1:7: error: '1.00' is text; money needs dec('1.00')"),
    ("count('abc')", "1:7: error: count wants a list, 'abc' is text"),
    ("src.a | upper", "1:9: error: a pipe leads into a function: | upper(…)"),
    # forms
    ("lambda: 1", "1:1: error: lambda is not allowed in an expression"),
    ("(x := 5)", "1:2: error: ':=' is not allowed in an expression"),
    ("src.list[0:2]", "1:1: error: a slice is not allowed in an expression; write left(), right() or substring()"),
    (
        "src.list[src.n]",
        "1:1: error: only a whole number or a quoted key may stand in [ ]; write lookup(…) to find by a value",
    ),
    ("2 ** 9", "1:1: error: '**' is not allowed in an expression; multiply"),
    ("7 % 2", "1:1: error: '%' is not allowed in an expression"),
    ("'%s' % src", "1:1: error: '%' is not allowed in an expression"),
    ("7 // 2", "1:1: error: '//' is not allowed in an expression; write floor(a / b)"),
    ("1 << 99", "1:1: error: this operator is not allowed in an expression"),
    ("~1", "1:1: error: this operator is not allowed in an expression"),
    ("+src.n", "1:1: error: this operator is not allowed in an expression"),
    ("(1, 2)", "1:1: error: a tuple is not allowed in an expression"),
    ("{1, 2}", "1:1: error: a set is not allowed in an expression"),
    ("{x for x in src.list}", "1:1: error: a set is not allowed in an expression"),
    ("{'a': x for x in src.list}", "1:1: error: an object comprehension is not allowed in an expression"),
    ("{**src}", "1:1: error: the keys of an object must be quoted text: {'id': …}"),
    ("{src.a: 1}", "1:1: error: the keys of an object must be quoted text: {'id': …}"),
    ("[*src.list]", "1:2: error: a star argument is not allowed in an expression"),
    ("src.a is null", "1:1: error: 'is' is not allowed in an expression; write == or has(…)"),
    ("[x for x, y in src.list]", "1:8: error: a loop binds one name: x for x in list"),
    ("[x async for x in src.list]", "1:14: error: a loop binds one name: x for x in list"),
    ("[src for src in src.list]", "1:10: error: the name 'src' is taken; choose another"),
    ("[null for null in src.list]", "1:11: error: the name 'null' is taken; choose another"),
    ("await src", "1:1: error: await is not allowed in an expression"),
    ("(yield src)", "1:2: error: yield is not allowed in an expression"),
    ("b'abc'", "1:1: error: only text and decimal numbers may be literals"),
    ("1j", "1:1: error: only text and decimal numbers may be literals"),
    ("...", "1:1: error: only text and decimal numbers may be literals"),
    (
        "f'{src.d:>99999999}'",
        "1:1: error: f-text takes no format after ':' or '!'; write round(x, 2), money(x, currency).amount",
    ),
    (
        "f'{src!r}'",
        "1:1: error: f-text takes no format after ':' or '!'; write round(x, 2), money(x, currency).amount",
    ),
    (
        "f'{src.d:{src.n}}'",
        "1:1: error: f-text takes no format after ':' or '!'; write round(x, 2), money(x, currency).amount",
    ),
    ("9" * 41, "1:1: error: a number may have 40 digits"),
    ("1e999", "1:1: error: a number may have 40 digits and an exponent up to 20"),
    (
        "[d for a in src.a for b in a for c in b for d in c]",
        "1:1: error: comprehensions may be nested 3 deep; name the inner list under let",
    ),
    # kinds
    ("'a' * 3", "1:1: error: 'a' is text; arithmetic needs dec('a')"),
    ("3 * 'a'", "1:1: error: 'a' is text; arithmetic needs dec('a')"),
    ("'a' + 3", "1:1: error: 'a' is text; arithmetic needs dec('a'); text needs text(3)"),
    ("-'a'", "1:1: error: 'a' is text; arithmetic needs dec('a')"),
    ("(src.a == 1) + 1", "1:1: error: src.a == 1 is true/false; arithmetic needs numbers"),
    ("'5' == 5", "1:1: error: '5' is text and is compared with a number; write dec('5') or quote the number"),
    ("1 in 5", "1:6: error: 'in' wants a list or text, 5 is a whole number"),
    ("[x for x in 'abc']", "1:13: error: a loop wants a list, 'abc' is text"),
    ("'abc'.x", "1:1: error: 'abc' is text and has no fields"),
    ("[1].x", "1:1: error: [1] is a list; loop over it or take [0]"),
    ("{'id': 1}.di", "1:1: error: {'id': 1} has no field 'di'; known: id"),
    ("money(1, 'EUR').amout", "1:1: error: money(1, 'EUR') has no field 'amout'; did you mean 'amount'?"),
    # look-ups
    ("lookup('a', 'unit')", "1:13: error: unknown table 'unit'; did you mean 'units'?"),
    ("lookup('a', src.n)", "1:13: error: the table's name must be quoted text: lookup(key, 'units')"),
    ("lookup(1, 'units')", "1:8: error: 1 is a whole number; lookup needs text(1)"),
    ("lookup('a', 'parties.vat')", "1:13: error: the table 'parties' has no column 'vat'; did you mean 'vat_id'?"),
    ("has(src)", "1:1: error: has wants one path such as src.note or src['note']"),
    ("has(src.list[0])", "1:1: error: has wants one path such as src.note or src['note']"),
    # text that is no expression
    ("src.a +", "error: this is not an expression: 'src.a +'; literal text is 'x' in quotes"),
    ("src.from", "1:5: error: this is not an expression: 'src.from'; write ['from'] instead of .from"),
    ("src.@id", "1:5: error: this is not an expression: 'src.@id'; write ['@id'] instead of .@id"),
    ("src.a && src.b", "error: this is not an expression: 'src.a && src.b'; write 'and' for &&"),
    ("src.a = 1", "error: this is not an expression: 'src.a = 1'; write == to compare"),
    ("src.a ? 1 : 2", "error: this is not an expression: 'src.a ? 1 : 2'; write 'x if condition else y' for a choice"),
    ("1 if src.a", "error: this is not an expression: '1 if src.a'; an if needs an else: 'x if condition else null'"),
    (
        "upper(src.a",
        "error: this is not an expression: 'upper(src.a'; a comma, ' #' or ': ' ends an unquoted expression: quote it",
    ),
    ("", "1:1: error: an expression is missing; write null for nothing or '' for empty text"),
    ("src.a # note", "1:7: error: a comment inside an expression; put it on its own line"),
    ("import os", "error: this is not an expression: 'import os'"),
    ("src.a; src.b", "error: this is not an expression: 'src.a; src.b'"),
    ("(" * 300 + ")" * 300, "this is not an expression"),
    ("-" * 3000 + "1", "nested"),
    ("1 + " * 900 + "1", "nested"),
    ("src" + ".a" * 500, "nested"),
    ("'" + "x" * 4000 + "'", "the expression is 4002 characters long; the limit is 4000"),
]


@pytest.mark.parametrize(("text", "message"), REFUSED, ids=lambda value: str(value)[:50])
def test_what_is_not_allowed_is_a_located_fault(text: str, message: str) -> None:
    with pytest.raises(ProjectError) as raised:
        evaluated(text, src=SRC)
    shown = str(raised.value)
    assert message in shown
    assert shown.startswith("x.yaml:1:")
    assert not any(word in shown for word in ("Traceback", "NoneType", "SyntaxError", "ast."))


TIMES_TEXT = "x.yaml:1:1: cannot multiply a number by text: src.text is text; write dec(…) for the text"
FAILS: list[tuple[str, str]] = [
    ("src.d * src.none", "x.yaml:1:1: cannot multiply a number by nothing: src.none is missing"),
    ("src.n + src.none", "x.yaml:1:1: cannot add nothing to a number: src.none is missing"),
    ("src.none - src.n", "x.yaml:1:1: cannot subtract a number from nothing: src.none is missing"),
    ("src.text * src.n", "x.yaml:1:1: cannot multiply text by a number; write dec(…) for the text"),
    ("src.n * src.text", "x.yaml:1:1: cannot multiply a number by text; write dec(…) for the text"),
    ("dec(src.d) * src.text", TIMES_TEXT),
    ("src.text * dec(src.d)", TIMES_TEXT),
    ("dec(src.d) * src.list", "x.yaml:1:1: cannot multiply a number by a list: src.list is a list"),
    ("src.list * src.n", "x.yaml:1:1: cannot multiply a list by a number"),
    *(
        (f"{left} {sign} {right}", f"x.yaml:1:1: cannot {verb}")
        for left, right, number, other in (
            ("dec(src.d)", "src.yes", "a number", "true/false"),
            ("src.yes", "dec(src.d)", "true/false", "a number"),
            ("2", "src.yes", "a number", "true/false"),
        )
        for sign, verb in (
            ("*", f"multiply {number} by {other}"),
            ("/", f"divide {number} by {other}"),
            ("+", f"add {other} to {number}"),
            ("-", f"subtract {other} from {number}"),
        )
    ),
    ("sum(dec(r.p) * r.yes for r in [{'p': '1', 'yes': src.yes}])", "x.yaml:1:5: cannot multiply a number by true/f"),
    ("src.yes + src.n", "x.yaml:1:1: cannot add a number to true/false"),
    ("1 / src.zero", "x.yaml:1:1: cannot divide by zero"),
    ("src.zero / src.zero", "x.yaml:1:1: cannot divide by zero"),
    ("src.none > 1", "x.yaml:1:1: cannot compare nothing with a number: src.none is missing"),
    ("src.text < 1", "x.yaml:1:1: cannot compare text with a number; write dec(…) for the text"),
    ("src.text.x", "x.yaml:1:1: src.text is text, not an object"),
    ("src.list.x", "x.yaml:1:1: src.list is a list, not an object; loop over it or take [0]"),
    ("src.a.b.c.d", "x.yaml:1:1: src.a.b.c is a number, not an object"),
    ("has(src.text.b)", "x.yaml:1:5: src.text is text, not an object"),
    ("has(src['text']['abc'])", "x.yaml:1:5: src.text is text, not an object"),
    ("has(src.list.x)", "x.yaml:1:5: src.list is a list, not an object; loop over it or take [0]"),
    ("has(src.n.x)", "x.yaml:1:5: src.n is a number, not an object"),
    ("[r for r in src.list if has(r.x)]", "x.yaml:1:29: r is a number, not an object"),
    ("src.a[0]", "x.yaml:1:1: [0] wants a list, got an object"),
    ("[x for x in src.text]", "x.yaml:1:13: a loop wants a list, got text"),
    (
        "[x for x in src.a]",
        "a loop wants a list, got an object; write listed(…) for one object that stands without a list",
    ),
    ("sum(dec(x) for x in [src.none])", "cannot add nothing to a number"),
    ("f'{src.none}'", "nothing cannot stand in f-text; write default(…, ''): src.none is missing"),
    ("f'{src.a}'", "cannot make text of an object"),
    ("1 in src.n", "x.yaml:1:1: 'in' looks into a list or into text, not into a number"),
    ("src.n in src.text", "x.yaml:1:1: 'in' cannot look for a number in text; write text(…) for the number"),
    ("src.none in src.text", "x.yaml:1:1: 'in' cannot look for nothing in text: src.none is missing"),
    ("dec(src.text)", "x.yaml:1:1: expected a decimal number, got 'abc'"),
    ("1 + dec('a' + src.text)", "x.yaml:1:5: expected a decimal number, got text of 4 characters"),
    ("lookup(src.n, 'units')", "lookup wants text as its key, got a number; write lookup(text(…), 'units')"),
    ("require(src.n, src.n > 5, 'too few')", "x.yaml:1:1: too few"),
    ("src.big * src.big * src.big", "the result of this arithmetic is too large"),
]


@pytest.mark.parametrize(("text", "message"), FAILS, ids=lambda value: str(value)[:50])
def test_an_error_at_run_time_says_where_and_what_is_missing(text: str, message: str) -> None:
    with pytest.raises(MappingError) as raised:
        evaluated(text, src={**SRC, "big": D("9e39")})
    shown = str(raised.value)
    assert message in shown
    assert not any(word in shown for word in ("NoneType", "'dict'", "'str'", "Decimal", "operand", "object has no"))


def test_a_name_that_is_not_given_is_nothing() -> None:
    expression = compile_expression(
        "has(body.field) or status == 500", file="s.yaml", line=3, column=9, names=["status", "body"]
    )
    assert expression(status=500) is True
    assert expression(body={"field": 1}) is True
    assert expression(status=200) is False
    assert expression.text == "has(body.field) or status == 500"


def test_nested_loops_over_the_same_list_are_bounded() -> None:
    text = "count(1 for a in src for b in src for c in src)"
    with pytest.raises(MappingError, match="the loops inside loops visit more than 1000000 elements"):
        evaluated(text, src=[1] * 1000)


def test_a_product_of_two_large_amounts_is_exact() -> None:
    one, other = 123456789012345123456, 987654321098765654321
    found = evaluated("a * b", a=D(one).scaleb(-6), b=D(other).scaleb(-6))
    assert found == D(f"{one * other}e-12")
