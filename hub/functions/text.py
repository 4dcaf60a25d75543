"""Text: cutting, joining, changing case, comparing with a pattern. Nothing stays nothing."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from hub.functions.numbers import plain_text
from hub.functions.refusal import expected, kind_of, refusal
from hub.functions.registry import function

_LONG = 10**18
_SHORT = 20
LONGEST = 100_000  # characters of a text that a mapping makes; texts that only pass through are not counted


def _text(value: object, name: str) -> str:
    if value.__class__ is str:
        return value
    hint = f"write {name}(text(…))" if isinstance(value, int | Decimal) else ""
    raise refusal(f"{name} wants text, got {kind_of(value)}", value, expected="text", hint=hint)


def bounded(value: str) -> str:
    """The same text, refused when it is longer than a mapping may make one."""
    if len(value) > LONGEST:
        raise refusal(f"the text would be {len(value)} characters long; the limit is {LONGEST}", code="too_large")
    return value


@function(
    args="any",
    returns="text",
    examples=[("text(4)", "4"), ("text(0.50)", "0.50"), ("text(true)", "true"), ("text(null)", None)],
)
def text(value: Any) -> str | None:
    """A number or true/false as text; text is left as it is. A number keeps its decimals: 0.50 is ``0.50``."""
    if value.__class__ is str:
        return value
    if value is None:
        return None
    if value.__class__ is int and -_LONG < value < _LONG:
        return str(value)
    if value.__class__ is Decimal:
        written = str(value)
        return written if len(written) < _SHORT and "E" not in written and value.is_finite() else plain_text(value)
    if value.__class__ is int:
        return plain_text(value)
    if value.__class__ is bool:
        return "true" if value else "false"
    raise refusal(f"cannot make text of {kind_of(value)}", expected="text, a number or true/false")


@function(args="text", returns="text", examples=[("upper('de')", "DE"), ("upper(null)", None)])
def upper(value: Any) -> str | None:
    """The text in capital letters."""
    return None if value is None else bounded(_text(value, "upper").upper())


@function(args="text", returns="text", examples=[("lower('EUR')", "eur")])
def lower(value: Any) -> str | None:
    """The text in small letters."""
    return None if value is None else bounded(_text(value, "lower").lower())


def _signs(signs: object) -> str | None:
    if signs is None or isinstance(signs, str):
        return signs
    raise expected("the signs to take away as text", signs)


@function(args="text, text?", returns="text", examples=[("strip('  a b ')", "a b"), ("strip('--7-', '-')", "7")])
def strip(value: Any, signs: Any = None) -> str | None:
    """The text without blanks, or without any of the given signs, at both ends."""
    return None if value is None else _text(value, "strip").strip(_signs(signs))


@function(args="text, text?", returns="text", examples=[("lstrip('#1001', '#')", "1001"), ("lstrip('007', '0')", "7")])
def lstrip(value: Any, signs: Any = None) -> str | None:
    """The text without blanks, or without any of the given signs, at its start."""
    return None if value is None else _text(value, "lstrip").lstrip(_signs(signs))


@function(args="text, text?", returns="text", examples=[("rstrip('10.50', '0')", "10.5")])
def rstrip(value: Any, signs: Any = None) -> str | None:
    """The text without blanks, or without any of the given signs, at its end."""
    return None if value is None else _text(value, "rstrip").rstrip(_signs(signs))


@function(args="text, text, text", returns="text", examples=[("replace('12,50', ',', '.')", "12.50")])
def replace(value: Any, old: Any, new: Any) -> str | None:
    """The text with every ``old`` replaced by ``new``."""
    if value is None:
        return None
    subject, what, by = _text(value, "replace"), _text(old, "replace"), _text(new, "replace")
    if not what:
        raise refusal("replace wants a text to look for, got empty text")
    if len(by) > len(what) and len(subject) + subject.count(what) * (len(by) - len(what)) > LONGEST:
        raise refusal(f"the text would be longer than {LONGEST} characters", code="too_large")
    return subject.replace(what, by)


@function(args="text, text", returns="list", examples=[("split('a;b', ';')", ["a", "b"]), ("split(null, ';')", [])])
def split(value: Any, separator: Any) -> list[str]:
    """The parts of a text between separators; an empty list for nothing or empty text."""
    if value is None or value == "":
        return []
    mark = _text(separator, "split")
    if not mark:
        raise refusal("split wants a separator, got empty text")
    return _text(value, "split").split(mark)


@function(
    args="list, text",
    returns="text",
    nothing="never",
    examples=[("join(['a', 'b'], ', ')", "a, b"), ("join(['a', null, ''], '/')", "a"), ("join([], ',')", "")],
)
def join(values: Any, separator: Any) -> str:
    """The texts of a list with a separator between them; nothing and empty text are left out."""
    mark = _text(separator, "join")
    parts = [_text(part, "join") for part in _list(values, "join") if part is not None and part != ""]
    if sum(map(len, parts)) + len(mark) * len(parts) > LONGEST:
        raise refusal(f"the text would be longer than {LONGEST} characters", code="too_large")
    return mark.join(parts)


def _list(values: object, name: str) -> Sequence[Any]:
    if values is None:
        return ()
    if isinstance(values, list):
        return values
    raise refusal(f"{name} wants a list, got {kind_of(values)}", expected="a list")


def _length(value: object, name: str) -> int:
    if value.__class__ is int and 0 <= value <= LONGEST:
        return value
    raise expected(f"a whole number from 0 to {LONGEST} for {name}", value)


@function(args="text, integer", returns="text", examples=[("left('20260305', 4)", "2026"), ("left('ab', 9)", "ab")])
def left(value: Any, length: Any) -> str | None:
    """The first characters of a text."""
    return None if value is None else _text(value, "left")[: _length(length, "left")]


@function(args="text, integer", returns="text", examples=[("right('DE89370400440532013000', 4)", "3000")])
def right(value: Any, length: Any) -> str | None:
    """The last characters of a text."""
    if value is None:
        return None
    subject = _text(value, "right")
    return subject[max(0, len(subject) - _length(length, "right")) :]


@function(
    args="text, integer, integer?",
    returns="text",
    examples=[("substring('20260305', 5, 2)", "03"), ("substring('INV-77', 5)", "77")],
)
def substring(value: Any, start: Any, length: Any = LONGEST) -> str | None:
    """Characters of a text from ``start``, which counts from 1; to the end without a length."""
    if value is None:
        return None
    first = _length(start, "substring")
    if first == 0:
        raise refusal("substring counts from 1, got 0", hint="write 1 for the first character")
    return _text(value, "substring")[first - 1 : first - 1 + _length(length, "substring")]


@function(args="text, integer, text?", returns="text", examples=[("pad_left('42', 6, '0')", "000042")])
def pad_left(value: Any, length: Any, sign: Any = " ") -> str | None:
    """The text filled at its start up to a length; a longer text is left as it is."""
    return None if value is None else _text(value, "pad_left").rjust(_length(length, "pad_left"), _sign(sign))


@function(args="text, integer, text?", returns="text", examples=[("pad_right('EUR', 5, '.')", "EUR..")])
def pad_right(value: Any, length: Any, sign: Any = " ") -> str | None:
    """The text filled at its end up to a length; a longer text is left as it is."""
    return None if value is None else _text(value, "pad_right").ljust(_length(length, "pad_right"), _sign(sign))


def _sign(value: object) -> str:
    if isinstance(value, str) and len(value) == 1:
        return value
    raise expected("one character to fill with", value)


@function(
    args="text, text",
    returns="boolean",
    nothing="never",
    examples=[("starts_with('RF18', 'RF')", True), ("starts_with(null, 'x')", False)],
)
def starts_with(value: Any, beginning: Any) -> bool:
    """Whether a text begins with another; nothing begins with nothing."""
    return value is not None and _text(value, "starts_with").startswith(_text(beginning, "starts_with"))


@function(args="text, text", returns="boolean", nothing="never", examples=[("ends_with('a.xml', '.xml')", True)])
def ends_with(value: Any, end: Any) -> bool:
    """Whether a text ends with another."""
    return value is not None and _text(value, "ends_with").endswith(_text(end, "ends_with"))


@function(
    args="text",
    returns="integer",
    nothing="never",
    examples=[("length('abc')", 3), ("length(null)", 0)],
)
def length(value: Any) -> int:
    """How many characters a text has; 0 for nothing. The elements of a list are counted by ``count``."""
    return 0 if value is None else len(_text(value, "length"))


@function(
    args="text, text",
    returns="boolean",
    nothing="never",
    examples=[
        ("matches('INV-2026-7', 'INV-####-*')", True),
        ("matches('4012345000009', '#############')", True),
        ("matches('AB12', '@@##')", True),
        ("matches(null, '*')", False),
    ],
)
def matches(value: Any, pattern: Any) -> bool:
    """Whether the whole text fits a pattern: ``#`` a digit, ``@`` a letter, ``?`` any sign, ``*`` any signs."""
    if value is None:
        return False
    return _fits(_text(value, "matches"), _text(pattern, "matches"))


def _fits(subject: str, pattern: str) -> bool:
    """Two pointers and one fallback to the last star: at most len(subject) * len(pattern) steps, no recursion."""
    if len(pattern) > 200 or len(subject) > 10_000:
        raise refusal("matches takes patterns up to 200 and texts up to 10000 characters", code="too_large")
    at = want = 0
    star, resume = -1, 0
    while at < len(subject):
        if want < len(pattern) and pattern[want] == "*":
            star, resume = want, at
            want += 1
        elif want < len(pattern) and _sign_fits(subject[at], pattern[want]):
            at, want = at + 1, want + 1
        elif star >= 0:
            resume += 1
            at, want = resume, star + 1
        else:
            return False
    return not pattern[want:].strip("*")


def _sign_fits(sign: str, pattern: str) -> bool:
    match pattern:
        case "?":
            return True
        case "#":
            return "0" <= sign <= "9"
        case "@":
            return sign.isalpha()
        case _:
            return sign == pattern
