"""Documents to XML text: names and characters that XML has, escaped, in the order of the document."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from hub.errors import MappingError
from hub.formats._decimals import MAX_DIGITS, without_exponent

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_LETTERS = "A-Za-z_\xc0-\xd6\xd8-\xf6\xf8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u3001-\ud7ff"
NAME = re.compile(rf"[{_LETTERS}][{_LETTERS}0-9.\-\xb7]*")
_NONE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_IN_TEXT = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}
_IN_ATTRIBUTE = {**_IN_TEXT, '"': "&quot;", "\n": "&#10;", "\t": "&#9;"}
_TEXT, _ATTRIBUTE = str.maketrans(_IN_TEXT), str.maketrans(_IN_ATTRIBUTE)


def is_name(text: str) -> bool:
    """Whether an element or attribute may be called so, with a prefix or without one."""
    prefix, colon, local = text.rpartition(":")
    return NAME.fullmatch(local) is not None and (not colon or NAME.fullmatch(prefix) is not None)


def in_text(text: str, path: str = "") -> str:
    """A text between tags. Raises MappingError for a character that XML cannot carry."""
    return _checked(text, path).translate(_TEXT)


def in_attribute(text: str, path: str = "") -> str:
    """A text between double quotes. Raises MappingError for a character that XML cannot carry."""
    return _checked(text, path).translate(_ATTRIBUTE)


def plain(value: Any, path: str) -> str:
    """A value as XML Schema writes it: decimals without exponent, ``true`` and ``false``. Raises MappingError."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case Decimal() if value.is_finite():
            try:
                return without_exponent(value)
            except ValueError as error:
                raise fault(path, str(error), f"at most {MAX_DIGITS} digits", hint="round it") from None
        case datetime() | date():
            return value.isoformat()
        case Decimal():
            raise fault(path, "a number that is none", "a finite number")
        case float():
            raise fault(path, "a binary float", "an exact decimal", hint="use dec(…), or a text")
        case Mapping() | list() | tuple():
            raise fault(path, "a list or mapping", "one value")
    raise fault(path, "what XML cannot carry", "text, a number, true or false")


def fault(path: str, seen: str, expected: str, hint: str = "", quoted: Iterable[str] = ()) -> MappingError:
    """What cannot be written, and where in the document it stands."""
    detail = f"{path + ': ' if path else ''}{seen}; expected {expected}"
    return MappingError(detail, code="encode", field_path=path, expected=expected, hint=hint, quoted=quoted)


def _checked(text: str, path: str) -> str:
    if found := _NONE.search(text):
        raise fault(path, f"the character U+{ord(found[0]):04X}, which XML does not have", "text without it")
    return text
