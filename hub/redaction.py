"""Personal data out of documents and texts before a person who need not see it does.

A schema says where personal data is (``x-pii``); where no schema speaks, e-mail addresses, card numbers and IBANs are
recognised by their form and their check digits.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from itertools import takewhile
from typing import Any, Protocol

from hub.identifiers import is_iban, is_luhn

REDACTED = "[redacted]"
_SHORT, _HEAD = 3, 20
_PARTS = ("issuer", "value")  # of a key
_EMAIL = re.compile(r"[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}")
_CARD = re.compile(r"(?<![A-Za-z0-9])[0-9](?:[ -]?[0-9]){12,18}(?![A-Za-z0-9])")
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}(?:[ -]?[A-Za-z0-9]){11,30}(?![A-Za-z0-9])")
# Visa, Mastercard, American Express, Diners, Discover, UnionPay: other long numbers are articles, parcels, references.
_CARD_FORM = re.compile(
    r"4[0-9]{15}(?:[0-9]{3})?|5[1-5][0-9]{14}|2(?:22[1-9]|2[3-9][0-9]|[3-6][0-9]{2}|7[01][0-9]|720)[0-9]{12}"
    r"|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|6(?:011|[245][0-9]{2})[0-9]{12}"
)


class Marks(Protocol):
    """Where a schema says that personal data is."""

    def personal(self, name: str) -> Place | None:
        """The places of the schema ``name``; None where there is no such schema."""
        ...


class Place(Protocol):
    """One place of a schema, as far as redaction must know it."""

    def is_personal(self) -> bool: ...

    def is_nested(self) -> bool:
        """Whether an object or a list belongs here."""
        ...

    def child(self, name: str) -> Place | None: ...

    def element(self) -> Place | None: ...


def redact(name: str, document: Any, schemas: Marks) -> Any:
    """A copy of a document without its personal data. The shape stays; only texts and numbers are replaced.

    Every other value is searched by form, so that a forgotten mark does not show a card number.
    """
    return _redact(document, schemas.personal(name))


def redact_at(value: Any, place: Place | None) -> Any:
    """A copy of a part of a document without its personal data, ``place`` being where it stands; None where the schema
    says nothing about it."""
    return _redact(value, place)


def blank(value: Any) -> Any:
    """A copy of a value without any of its texts and numbers."""
    return _blank(value)


def redact_text(text: str) -> str:
    """A text without the e-mail addresses, card numbers and IBANs in it; fit for log lines and excerpts."""
    if len(text) < 6:
        return text
    if "@" in text:
        text = _EMAIL.sub(REDACTED, text)
    text = _IBAN.sub(_redacted_iban, text)
    return _CARD.sub(_redacted_card, text)


def redact_key(text: str, personal: Collection[tuple[str, str]]) -> str:
    """A business key, ``scheme:issuer:value``, without what schemas say is ``personal`` and what is by its form."""
    scheme, *parts = text.split(":", 2)
    if len(parts) == len(_PARTS):
        told = (
            REDACTED if part and (scheme, name) in personal else part for name, part in zip(_PARTS, parts, strict=True)
        )
        text = ":".join((scheme, *told))
    return redact_text(text)


def without_excerpts(failure: Mapping[str, Any]) -> dict[str, Any]:
    """A failure as who may see no value of a document sees it: its detail without what it has of one."""
    detail = str(failure.get("detail", ""))
    excerpts = (str(failure.get("value_excerpt", "")), *map(str, failure.get("quoted", ())))
    places = sorted(place for excerpt in excerpts for place in _places(detail, excerpt))
    pieces, at = [], 0
    for begin, end in places:
        if begin >= at:
            pieces += [detail[at:begin], REDACTED]
        at = max(at, end)
    shown = {name: value for name, value in failure.items() if name not in ("value_excerpt", "quoted")}
    return {**shown, "detail": redact_text("".join((*pieces, detail[at:])))}


def _places(detail: str, excerpt: str) -> Iterator[tuple[int, int]]:
    """Where an excerpt stands, as it is or with its controls told, whole or cut. A few characters count as a word
    alone: they stand within the words that say what is wrong."""
    told = "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in excerpt)
    for text in {excerpt, told, repr(excerpt)[1:-1]} - {""}:
        edge = r"(?<!\w){}(?!\w)" if len(text) <= _SHORT else "{}"
        for found in re.finditer(edge.format(re.escape(text[:_HEAD])), detail):
            rest = zip(detail[found.start() :], text, strict=False)
            yield found.start(), found.start() + sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], rest))


def redact_unknown(value: Any) -> Any:
    """A copy of a document of no known schema, each text searched by form; card numbers in numbers too."""
    if isinstance(value, dict):
        return {redact_text(key): redact_unknown(below) for key, below in value.items()}
    if isinstance(value, list):
        return [redact_unknown(below) for below in value]
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        text = str(value)
        return value if redact_text(text) == text else REDACTED
    return value


def _redact(value: Any, place: Place | None) -> Any:
    if place is None:
        return redact_unknown(value)
    if place.is_personal():
        return _blank(value)
    if isinstance(value, dict):
        return {name: _redact(below, place.child(name)) for name, below in value.items()}
    if isinstance(value, list):
        element = place.element()
        return [_redact(below, element) for below in value]
    return _blank(value) if place.is_nested() else redact_unknown(value)


def _blank(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _blank(below) for name, below in value.items()}
    if isinstance(value, list):
        return [_blank(below) for below in value]
    return value if value is None or isinstance(value, bool) else REDACTED


def _redacted_iban(found: re.Match[str]) -> str:
    """An IBAN may run into the next word when it is written in groups: the longest right beginning counts."""
    text = found[0]
    for end in range(len(text), 14, -1):
        if text[end - 1] not in " -" and is_iban(re.sub(r"[ -]", "", text[:end]).upper()):
            return REDACTED + text[end:]
    return text


def _redacted_card(found: re.Match[str]) -> str:
    digits = re.sub(r"[ -]", "", found[0])
    return REDACTED if _CARD_FORM.fullmatch(digits) and is_luhn(digits) else found[0]
