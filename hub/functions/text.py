"""Text: cutting, joining, changing case. Nothing stays nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from hashlib import sha256
from typing import Any

from hub.functions.allowance import ELEMENT, SMALL, spend
from hub.functions.numbers import plain_text
from hub.functions.refusal import expected, kind_of, refusal
from hub.functions.registry import function

_LONG, _LEAST = 10**18, -(10**18)
_SHORT = 20
LONGEST = 100_000  # characters of a text that a mapping makes; texts that only pass through are not counted


def _text(value: object, name: str) -> str:
    if value.__class__ is str:
        return value
    hint = f"write {name}(text(…))" if isinstance(value, int | Decimal) else ""
    raise refusal(f"{name} wants text, got {kind_of(value)}", value, expected="text", hint=hint)


def bounded(value: str) -> str:
    """The same text, refused when it is longer than a mapping may make one."""
    if len(value) > SMALL:
        if len(value) > LONGEST:
            raise refusal(f"the text would be {len(value)} characters long; the limit is {LONGEST}", code="too_large")
        spend(len(value))
    return value


def counted_text(value: str) -> str:
    """The same text, counted."""
    if len(value) > SMALL:
        spend(len(value))
    return value


def counted(values: list[str], length: int) -> list[str]:
    """The same list, counted with the characters that its texts have together."""
    if length > SMALL or len(values) > SMALL:
        spend(length + ELEMENT * len(values))
    return values


@function(
    args="any",
    returns="text",
    examples=[("text(4)", "4"), ("text(0.50)", "0.50"), ("text(true)", "true"), ("text(null)", None)],
)
def text(value: Any) -> str | None:
    """A number or true/false as text; text is left as it is. A number keeps its decimals: 0.50 is ``0.50``."""
    kind = value.__class__
    if kind is str or value is None:
        return value  # type: ignore[no-any-return]
    if kind is int:
        return str(value) if _LEAST < value < _LONG else plain_text(value)
    if kind is Decimal:
        written = str(value)
        return written if len(written) < _SHORT and "E" not in written and value.is_finite() else plain_text(value)
    if kind is bool:
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
    return None if value is None else counted_text(_text(value, "strip").strip(_signs(signs)))


@function(args="text, text?", returns="text", examples=[("lstrip('#1001', '#')", "1001"), ("lstrip('007', '0')", "7")])
def lstrip(value: Any, signs: Any = None) -> str | None:
    """The text without blanks, or without any of the given signs, at its start."""
    return None if value is None else counted_text(_text(value, "lstrip").lstrip(_signs(signs)))


@function(args="text, text?", returns="text", examples=[("rstrip('10.50', '0')", "10.5")])
def rstrip(value: Any, signs: Any = None) -> str | None:
    """The text without blanks, or without any of the given signs, at its end."""
    return None if value is None else counted_text(_text(value, "rstrip").rstrip(_signs(signs)))


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
    return counted_text(subject.replace(what, by))


@function(args="text, text", returns="list", examples=[("split('a;b', ';')", ["a", "b"]), ("split(null, ';')", [])])
def split(value: Any, separator: Any) -> list[str]:
    """The parts of a text between separators; an empty list for nothing or empty text."""
    if value is None or value == "":
        return []
    mark = _text(separator, "split")
    if not mark:
        raise refusal("split wants a separator, got empty text")
    subject = _text(value, "split")
    return counted(subject.split(mark), len(subject))


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
    return bounded(mark.join(parts))


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
    if value.__class__ is str and length.__class__ is int and len(value) <= length <= LONGEST:
        return value
    return None if value is None else counted_text(_text(value, "left")[: _length(length, "left")])


@function(args="text, integer", returns="text", examples=[("right('DE89370400440532013000', 4)", "3000")])
def right(value: Any, length: Any) -> str | None:
    """The last characters of a text."""
    if value is None:
        return None
    subject = _text(value, "right")
    return counted_text(subject[max(0, len(subject) - _length(length, "right")) :])


@function(
    args="text, integer?",
    returns="text",
    examples=[("digest('DE89370400440532013000', 8)", "faf7e1c0"), ("digest(null)", None)],
)
def digest(value: Any, length: Any = 64) -> str | None:
    """The first characters, at most 64, of the SHA-256 of a text: what tells it from others in few letters and digits.
    It hides nothing of a text that can be guessed."""
    if value is None:
        return None
    subject = counted_text(_text(value, "digest")).encode("utf-8", "surrogatepass")
    return sha256(subject).hexdigest()[: _length(length, "digest")]


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
    return counted_text(_text(value, "substring")[first - 1 : first - 1 + _length(length, "substring")])


@function(args="text, integer, text?", returns="text", examples=[("pad_left('42', 6, '0')", "000042")])
def pad_left(value: Any, length: Any, sign: Any = " ") -> str | None:
    """The text filled at its start up to a length; a longer text is left as it is."""
    return (
        None
        if value is None
        else counted_text(_text(value, "pad_left").rjust(_length(length, "pad_left"), _sign(sign)))
    )


@function(args="text, integer, text?", returns="text", examples=[("pad_right('EUR', 5, '.')", "EUR..")])
def pad_right(value: Any, length: Any, sign: Any = " ") -> str | None:
    """The text filled at its end up to a length; a longer text is left as it is."""
    return (
        None
        if value is None
        else counted_text(_text(value, "pad_right").ljust(_length(length, "pad_right"), _sign(sign)))
    )


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
    args="text, integer, text?",
    returns="text",
    examples=[
        ("truncate('Hydraulic hose', 9)", "Hydraulic"),
        ("truncate('Hydraulic hose DN12', 14, '...')", "Hydraulic h..."),
        ("truncate('hose', 9)", "hose"),
        ("truncate(null, 9)", None),
    ],
)
def truncate(value: Any, length: Any, ending: Any = "") -> str | None:
    """The text cut to a length, without blanks at the cut; an ending such as ``...`` counts. A shorter text is left."""
    if value is None:
        return None
    subject, most, mark = _text(value, "truncate"), _length(length, "truncate"), _text(ending, "truncate")
    if len(subject) <= most:
        return subject
    if len(mark) > most:
        raise refusal(f"an ending of {len(mark)} characters does not fit into {most}")
    return subject[: most - len(mark)].rstrip() + mark


@function(
    args="text, integer",
    returns="list",
    nothing="never",
    examples=[("chunks('ABCDEFG', 3)", ["ABC", "DEF", "G"]), ("chunks(null, 35)", [])],
)
def chunks(value: Any, length: Any) -> list[str]:
    """The text in pieces of a length, the last one shorter: what an element of an EDI message can take."""
    if value.__class__ is str and length.__class__ is int and 0 < len(value) <= length <= LONGEST:
        return [value]
    size = _length(length, "chunks")
    if not size:
        raise refusal("chunks wants a length of 1 or more, got 0")
    subject = "" if value is None else _text(value, "chunks")
    return counted([subject[at : at + size] for at in range(0, len(subject), size)], len(subject))


@function(
    args="text, integer",
    returns="list",
    nothing="never",
    examples=[
        ("wrapped('Please ring twice at the gate', 12)", ["Please ring", "twice at the", "gate"]),
        ("wrapped(null, 9)", []),
    ],
)
def wrapped(value: Any, length: Any) -> list[str]:
    """The words of a text in lines of at most a length; a longer word is cut."""
    size = _length(length, "wrapped")
    if not size:
        raise refusal("wrapped wants a length of 1 or more, got 0")
    lines: list[str] = []
    for word in ("" if value is None else _text(value, "wrapped")).split():
        for piece in (word[at : at + size] for at in range(0, len(word), size)):
            if lines and len(lines[-1]) + 1 + len(piece) <= size:
                lines[-1] += f" {piece}"
            else:
                lines.append(piece)
    return counted(lines, sum(map(len, lines)))


@function(
    args="text", returns="text", examples=[("title('gartenweg  3, LYON')", "Gartenweg  3, Lyon"), ("title(null)", None)]
)
def title(value: Any) -> str | None:
    """The text with a capital letter at the start of each word and small letters behind."""
    if value is None:
        return None
    return bounded("".join(map(_capitalised, re.split(r"(\s+)", _text(value, "title")))))


def _capitalised(word: str) -> str:
    return word[:1].upper() + word[1:].lower()


@function(
    args="text",
    returns="text",
    examples=[("tidy('  Erika \\t Muster ')", "Erika Muster"), ("tidy('   ')", ""), ("tidy(null)", None)],
)
def tidy(value: Any) -> str | None:
    """The text on one line: control characters and every run of blanks become one blank, none stays at the ends."""
    if value is None:
        return None
    subject = counted_text(_text(value, "tidy"))
    return " ".join("".join(sign if sign.isprintable() else " " for sign in subject).split())


@function(args="text", returns="text", examples=[("digits('+33 (0)1-23')", "330123"), ("digits(null)", None)])
def digits(value: Any) -> str | None:
    """The digits 0 to 9 of a text, without anything else."""
    if value is None:
        return None
    return "".join(sign for sign in counted_text(_text(value, "digits")) if "0" <= sign <= "9")


@function(
    args="text, text",
    returns="text",
    examples=[("before('DE-BY', '-')", "DE"), ("before('DE', '-')", "DE"), ("before(null, '-')", None)],
)
def before(value: Any, separator: Any) -> str | None:
    """What stands before the first separator; the whole text where there is none."""
    return None if value is None else _text(value, "before").partition(_separator(separator, "before"))[0]


@function(
    args="text, text",
    returns="text",
    nothing="always",
    examples=[("after('DE-BY', '-')", "BY"), ("after('DE', '-')", None), ("after(null, '-')", None)],
)
def after(value: Any, separator: Any) -> str | None:
    """What stands behind the first separator; nothing where there is none."""
    if value is None:
        return None
    _, found, rest = _text(value, "after").partition(_separator(separator, "after"))
    return rest if found else None


def _separator(value: object, name: str) -> str:
    mark = _text(value, name)
    if not mark:
        raise refusal(f"{name} wants a separator, got empty text")
    return mark
