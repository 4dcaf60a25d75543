"""Sets of characters that partners and banks take, and text brought into them."""

from __future__ import annotations

import string
import unicodedata
from functools import lru_cache
from typing import Any

from hub.functions.refusal import expected, kind_of, refusal, seen
from hub.functions.registry import function
from hub.functions.text import LONGEST, bounded, counted_text

_A = set(string.ascii_uppercase + string.digits + " .,-()/=+:?!\"%&*;<>'")
_B = _A | set(string.ascii_lowercase)
_ASCII = {chr(code) for code in range(32, 127)}
_SETS = {
    "UNOA": frozenset(_A),  # ISO 9735, level A: capitals, digits, some punctuation
    "UNOB": frozenset(_B),
    "UNOC": frozenset(_ASCII | {chr(code) for code in range(160, 256)}),  # ISO 8859-1
    "ASCII": frozenset(_ASCII),
    "LATIN1": frozenset(_ASCII | {chr(code) for code in range(160, 256)}),
    "SEPA": frozenset(string.ascii_letters + string.digits + "/-?:().,'+ "),
    "X12": frozenset(string.ascii_uppercase + string.digits + "!\"&'()*+,-./:;?= "),  # the basic set of X12.5
}
# Letters that Unicode does not take apart; Greek and Cyrillic as the European Payments Council writes them.
_OTHERS = {
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "þ": "th", "ħ": "h", "ı": "i", "ŋ": "n",
    "ŧ": "t", "–": "-", "—": "-", "‐": "-", "‑": "-", "−": "-", "‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"',
    "„": '"', "«": '"', "»": '"', "…": "...", "€": "EUR", "£": "GBP", "¥": "JPY", "×": "x", "•": "-", "·": ".",
    "α": "a", "β": "v", "γ": "g", "δ": "d", "ε": "e", "ζ": "z", "η": "i", "θ": "th", "ι": "i", "κ": "k", "λ": "l",
    "μ": "m", "ν": "n", "ξ": "x", "ο": "o", "π": "p", "ρ": "r", "σ": "s", "ς": "s", "τ": "t", "υ": "y", "φ": "f",
    "χ": "ch", "ψ": "ps", "ω": "o",
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ж": "zh", "з": "z", "и": "i", "к": "k", "л": "l",
    "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f", "х": "h", "ц": "ts",
    "ч": "ch", "ш": "sh", "щ": "sht", "ъ": "a", "ы": "y", "ь": "y", "э": "e", "ю": "yu", "я": "ya", "є": "ye",
    "і": "i", "ґ": "g",
    "_": "-", "{": "(", "}": ")", "[": "(", "]": ")", "`": "'", "&": "+", "@": "(at)", "#": ".", "$": "USD", "|": "/",
    "\\": "/", "~": "-", "<": "(", ">": ")", ";": ",", "=": "-", "!": ".", '"': "'", "*": ".", "%": "pct", "^": ".",
}  # fmt: skip


def _set(charset: object) -> tuple[str, frozenset[str]]:
    if not isinstance(charset, str) or charset not in _SETS:
        raise refusal(f"expected one of {', '.join(_SETS)}, got {seen(charset)}", charset, expected="a character set")
    return charset, _SETS[charset]


def _subject(value: object, name: str) -> str:
    if value.__class__ is not str:
        raise refusal(f"{name} wants text, got {kind_of(value)}", value, expected="text", hint=f"write {name}(text(…))")
    return counted_text(str(value))


@function(
    args="text, text, text?",
    returns="text",
    examples=[
        ("transliterate('Łódź, Straße 3 – 2€', 'ASCII')", "Lodz, Strasse 3 - 2EUR"),
        ("transliterate('Müller & Søn', 'UNOA')", "MULLER & SON"),
        ("transliterate('Αθήνα', 'SEPA')", "Athina"),
        ("transliterate('Ж/日本', 'UNOC', '')", "Zh/"),
        ("transliterate('日本', 'SEPA')", ".."),
        ("transliterate(null, 'SEPA')", None),
    ],
)
def transliterate(value: Any, charset: Any, otherwise: Any = ".") -> str | None:
    """The text in a set of characters: ``UNOA UNOB UNOC ASCII LATIN1 SEPA X12``. Letters lose their accents, others are
    written in Latin, and for what has no counterpart stands the third argument, a point without one."""
    if value is None:
        return None
    name, allowed = _set(charset)
    subject, instead = _subject(value, "transliterate"), _subject(otherwise, "transliterate")
    if len(instead) > 1 or not allowed.issuperset(instead):
        raise expected(f"at most one character of {name} for what has no counterpart", otherwise)
    if len(subject) > LONGEST:
        raise refusal(f"the text is {len(subject)} characters long; the limit is {LONGEST}", code="too_large")
    subject = unicodedata.normalize("NFC", subject)
    if allowed.issuperset(subject):
        return subject
    return bounded("".join(sign if sign in allowed else _written(sign, name, instead) for sign in subject))


@lru_cache(4096)
def _written(sign: str, name: str, instead: str) -> str:
    """One sign that the set has not, in signs that it has."""
    if sign.isspace():
        return " "
    if unicodedata.combining(sign):  # an accent of the sign before it
        return ""
    allowed = _SETS[name]
    forms = _forms(sign)
    fitting = (form for form in [*forms, *map(str.upper, forms)] if form and allowed.issuperset(form))
    return next(fitting, instead)


def _forms(sign: str) -> list[str]:
    """Ways to write a sign: without its accents, then by the table, in its own case."""
    bare = "".join(part for part in unicodedata.normalize("NFKD", sign) if not unicodedata.combining(part))
    found = [sign, bare]
    for form in (sign, bare):
        other = _OTHERS.get(form.lower())
        if other:
            found.append(other if form == form.lower() else other[:1].upper() + other[1:])
    return found


@function(
    args="text, text",
    returns="boolean",
    nothing="never",
    examples=[
        ("fits_charset('MULLER', 'UNOA')", True),
        ("fits_charset('Müller', 'SEPA')", False),
        ("fits_charset(null, 'SEPA')", True),
    ],
)
def fits_charset(value: Any, charset: Any) -> bool:
    """Whether every character of a text is in a set: ``UNOA UNOB UNOC ASCII LATIN1 SEPA X12``."""
    _, allowed = _set(charset)
    return value is None or allowed.issuperset(_subject(value, "fits_charset"))
