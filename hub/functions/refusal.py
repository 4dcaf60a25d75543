"""Words for a value that a function or an operator cannot take. No type name of the machine reaches a user.

What was seen is shown only where it looks like a code, a number or a date: a name or an address stays out of the text
and goes into ``value_excerpt``, which only people with access to the message see.
"""

from __future__ import annotations

from decimal import Decimal

from hub.errors import MappingError

_SHOWN = 40
_EXCERPT = 80
LONGEST = 100  # characters of a text in which a number or a code is looked for


def kind_of(value: object) -> str:
    """The kind of a value in words: ``nothing``, ``text``, ``a number`` …"""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true/false"
        case int() | Decimal():
            return "a number"
        case float():
            return "a binary floating point number"
        case str():
            return "text"
        case dict():
            return "an object"
        case list() | tuple():
            return "a list"
        case _:
            return "a value of an unknown kind"


def seen(value: object) -> str:
    """What came, in words: the value itself where it is short and holds a digit, else only its kind."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _seen_text(value)
    if isinstance(value, int | Decimal):
        written = str(value) if not isinstance(value, int) or abs(value) < 10**_SHOWN else "a very large number"
        return written if len(written) <= _SHOWN else "a number of more than 40 characters"
    return kind_of(value)


def _seen_text(value: str) -> str:
    if not value:
        return "empty text"
    plain = len(value) <= _SHOWN and "@" not in value and value.isprintable()
    if plain and (any(sign.isdigit() for sign in value) or len(value) <= 3):
        return f"'{value}'"
    return f"text of {len(value)} characters"


def refusal(
    detail: str, value: object = None, *, expected: str = "", hint: str = "", code: str = "mapping"
) -> MappingError:
    """The error a function raises; the mapping adds file, line, column and target field."""
    excerpt = "" if value is None else str(value)[:_EXCERPT] if isinstance(value, str | int | Decimal) else ""
    text = detail + (f"; {hint}" if hint else "")
    return MappingError(text, code=code, expected=expected, value_excerpt=excerpt, hint=hint)


def expected(what: str, value: object, *, hint: str = "") -> MappingError:
    """``expected a decimal number, got '12,50'``."""
    return refusal(f"expected {what}, got {seen(value)}", value, expected=what, hint=hint)


def ungrouped(value: object, name: str) -> str:
    """The text without blanks and hyphens, as people write numbers in groups."""
    if value.__class__ is str:
        # No number of these is longer; of a text that somebody made long, the beginning is as wrong as the whole.
        return "".join(value[:LONGEST].split()).replace("-", "")
    raise refusal(f"{name} wants text, got {kind_of(value)}", value, expected="text", hint=f"write {name}(text(…))")
