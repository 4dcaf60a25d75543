"""The leaves of UBL and CII by their kinds: text of the file to value and back, and what is wrong with a text.

Amount is ``{amount, currency}``, Quantity and Measure ``{value, unit_code}``, Identifier ``{value, scheme_id}``,
BinaryObject ``{content, mime_code, filename}`` with Base64; Numeric, Percent and Rate are decimals, Indicator is true
or false, all others are text. A text that is right and that its value would not be written as is kept beside it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec

from hub.errors import shown
from hub.formats._ubl_faults import UblFault
from hub.formats._xml_plain import unescaped

_MOST_KNOWN = 4096
_DIGITS = 40
_PLAIN = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_ZONE = r"(Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)?"
_DATE = re.compile(rf"([0-9]{{4}})-([0-9]{{2}})-([0-9]{{2}}){_ZONE}")
_TIME = re.compile(rf"(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?|24:00:00(?:\.0+)?){_ZONE}")
_SPACE = " \t\n\r"


class Odd(Exception):
    """A text that is not simply its value: ``value`` (None where there is none), the text to keep, a fault or none."""

    def __init__(self, value: Any, text: str, fault: UblFault | None = None) -> None:
        self.value, self.text, self.fault = value, text, fault


class _Known(dict[str, Any]):
    """Values of texts; the first few thousand short ones are kept: they come again and again."""

    def __init__(self, value_of: Callable[[str], Any]) -> None:
        super().__init__()
        self._value_of = value_of

    def __missing__(self, text: str) -> Any:
        value = self._value_of(text)
        if len(self) < _MOST_KNOWN and len(text) < _DIGITS:
            self[text] = value
        return value


def _number(text: str) -> Decimal:
    if len(text) < _DIGITS and _PLAIN.fullmatch(text) and text.strip("-0."):
        return Decimal(text)
    given = unescaped(text)
    bare = given.strip(_SPACE)
    if not _DECIMAL.fullmatch(bare):
        raise Odd(None, given, _wrong("number", f"{shown(given)} is not a number", given, _advice(bare)))
    if sum(map(str.isdigit, bare)) > _DIGITS:
        detail = f"a number of {len(bare):,} characters; at most {_DIGITS} digits are read"
        raise Odd(None, given, _wrong("number", detail, given, "fewer digits"))
    value = Decimal(bare)
    if not value and bare[0] == "-":
        fault = UblFault("negative_zero", f"{shown(given)} is read as zero", "warning", seen=given[:40])
        raise Odd(-value, given, fault)
    if str(value) != given and f"{value:f}" != given:
        raise Odd(value, given)
    return value


def _advice(text: str) -> str:
    if "," in text:
        return "a decimal point and no separators, such as 1234.50"
    return "digits with a decimal point, such as 1234.50"


def _wrong(code: str, message: str, seen: str, expected: str) -> UblFault:
    return UblFault(code, f"{message}; expected {expected}", seen=seen[:40], expected=expected)


def _date(text: str) -> str:
    given = unescaped(text)
    bare = given.strip(_SPACE)
    found = _DATE.fullmatch(bare)
    try:
        date(*(int(part) for part in found.groups()[:3])) if found else None
    except ValueError:
        found = None
    if found is None:
        raise Odd(None, given, _wrong("date", f"{shown(given)} is not a date", given, "YYYY-MM-DD"))
    if found[4]:
        message = f"the zone of {shown(given)} is left out; a date has none"
        raise Odd(bare[:10], given, UblFault("zone", message, "warning", seen=given[:40]))
    if bare != text:
        raise Odd(bare, given)
    return text


def _time(text: str) -> str:
    given = unescaped(text)
    bare = given.strip(_SPACE)
    if not _TIME.fullmatch(bare):
        raise Odd(
            None, given, _wrong("time", f"{shown(given)} is not a time", given, "hh:mm:ss, with or without a zone")
        )
    if bare != text:
        raise Odd(bare, given)
    return text


def _indicator(text: str) -> bool:
    if text == "true" or text == "false":
        return text == "true"
    given = unescaped(text)
    bare = given.strip(_SPACE)
    if bare not in ("true", "false", "1", "0"):
        raise Odd(None, given, _wrong("indicator", f"{shown(given)} is not an indicator", given, "true or false"))
    raise Odd(bare in ("true", "1"), given)


NUMBERS, DATES, TIMES = _Known(_number), _Known(_date), _Known(_time)


class Form(NamedTuple):
    """How a text is read (Odd where it is not right) and a value is written (ValueError where it has no such text), and
    what a value looks like, for messages."""

    read: Callable[[str], Any]
    write: Callable[[str], str]
    expected: str = "text"


def _dated(digits: str, shape: str) -> Form:
    """A date, with or without a time: ``digits`` as the standard writes it, ``shape`` as it is told."""
    marks = re.sub("[YMDhms]", "{}", shape)

    def is_real(digit: str) -> bool:
        try:
            date(int(digit[:4]), int(digit[4:6]), int(digit[6:8]))
        except ValueError:
            return False
        return digit[8:10] < "24" and digit[10:12] < "60" and digit[12:] < "60"

    def read(text: str) -> str:
        given = unescaped(text)
        bare = given.strip(_SPACE)
        if not (len(bare) == len(digits) and bare.isascii() and bare.isdigit() and is_real(bare)):
            raise Odd(None, given, _wrong("date", f"{shown(given)} is not a date", given, digits))
        value = marks.format(*bare)
        if bare != text:
            raise Odd(value, given)
        return value

    def write(value: str) -> str:
        bare = "".join(filter(str.isdigit, value))
        if not (len(bare) == len(digits) and bare.isascii() and marks.format(*bare) == value and is_real(bare)):
            raise ValueError
        return bare

    return Form(read, write, shape)


AS_IT_STANDS = Form(unescaped, str)
_DATED = {
    "102": _dated("CCYYMMDD", "YYYY-MM-DD"),
    "203": _dated("CCYYMMDDHHMM", "YYYY-MM-DDThh:mm"),
    "204": _dated("CCYYMMDDHHMMSS", "YYYY-MM-DDThh:mm:ss"),
}


class Kind(msgspec.Struct, frozen=True):
    """A kind of leaf. ``main``: where its text goes, in a value that is an object; ``parts``: the attribute of each
    other field of it; ``needed``: the field without which the value means nothing, and the fault that says so;
    ``forms``: by its one attribute, how the text is read and written."""

    value_of: Callable[[str], Any]
    main: str = ""
    parts: Mapping[str, str] = msgspec.field(default_factory=lambda: MappingProxyType({}))
    needed: str = ""
    fault: UblFault | None = None
    scalar: str = "text"
    forms: Mapping[str, Form] = msgspec.field(default_factory=lambda: MappingProxyType({}))

    def form(self, given: Mapping[str, str]) -> Form:
        """How the text of one with these attributes is read and written, where that depends on them."""
        return self.forms.get(next(iter(given.values()), ""), AS_IT_STANDS)


_PLAIN_KINDS = {"Code": unescaped, "Name": unescaped, "Text": unescaped}
KINDS: Mapping[str, Kind] = {
    **{name: Kind(value_of) for name, value_of in _PLAIN_KINDS.items()},
    "Xml": Kind(str),
    "Date": Kind(DATES.__getitem__, scalar="date"),
    "Time": Kind(TIMES.__getitem__),
    "Indicator": Kind(_indicator, scalar="boolean"),
    **{name: Kind(NUMBERS.__getitem__, scalar="number") for name in ("Numeric", "Percent", "Rate")},
    "Amount": Kind(
        NUMBERS.__getitem__, "amount", {"currency": "currencyID"}, "currency",
        UblFault("currency_missing", 'an amount without its currency; expected currencyID="EUR"',
                 expected='currencyID="EUR"'), "number",
    ),
    "Quantity": Kind(NUMBERS.__getitem__, "value", {"unit_code": "unitCode"}, scalar="number"),
    "Measure": Kind(
        NUMBERS.__getitem__, "value", {"unit_code": "unitCode"}, "unit_code",
        UblFault("unit_missing", 'a measure without its unit; expected unitCode="KGM"', expected='unitCode="KGM"'),
        "number",
    ),
    "Identifier": Kind(unescaped, "value", {"scheme_id": "schemeID"}),
    # those of CII, where neither currency nor unit has to be said, and dates say how they are written
    "PlainAmount": Kind(NUMBERS.__getitem__, "amount", {"currency": "currencyID"}, scalar="number"),
    "PlainMeasure": Kind(NUMBERS.__getitem__, "value", {"unit_code": "unitCode"}, scalar="number"),
    "Formatted": Kind(unescaped, "value", {"format": "format"}, scalar="date", forms=_DATED),
    "BinaryObject": Kind(unescaped, "content", {"mime_code": "mimeCode", "filename": "filename"}),
}  # fmt: skip


def reader_of(kind: Kind, attributes: dict[str, str]) -> Callable[[str], Any]:
    """Text to value, with the attributes that are part of it; those are taken out of ``attributes``. Raises Odd."""
    if not kind.main:
        return kind.value_of
    given = {name: attributes.pop(own) for name, own in kind.parts.items() if own in attributes}
    main, numbers = kind.main, NUMBERS
    if kind.forms:
        read = kind.form(given).read
        return lambda text: {main: read(text), **given}
    if kind.scalar == "number":
        if not given:
            return lambda text: {main: numbers[text]}
        ((name, part),) = given.items()
        return lambda text: {main: numbers[text], name: part}
    if not given:
        return lambda text: {main: unescaped(text) if "&" in text else text}
    if len(given) == 1:
        ((name, part),) = given.items()
        return lambda text: {main: unescaped(text) if "&" in text else text, name: part}
    return lambda text: {main: unescaped(text), **given}


def odd_value(kind: Kind, value: Any, given: Mapping[str, str]) -> Any:
    """The value of an odd text as its reader would give it; without what has no value."""
    if not kind.main:
        return value
    made = {} if value is None else {kind.main: value}
    return {**made, **{name: given[own] for name, own in kind.parts.items() if own in given}}


def spelled_as(kind: Kind, text: str, given: Mapping[str, str]) -> Any:
    """The value that a text is read as, None where it is none: whether a value is still what it was spelled as."""
    read = kind.form(given).read if kind.forms else kind.value_of
    try:
        return read(text.replace("&", "&amp;"))
    except Odd as odd:
        return odd.value
