"""The kinds of leaves of ISO 20022 messages: each reads its field out of an element, and writes it into one."""

from __future__ import annotations

import re
from typing import Any, ClassVar

import msgspec

from hub.formats._iso_tables import Read, Text
from hub.formats._iso_values import (
    _CURRENCY,
    Into,
    Tell,
    Writer,
    children,
    content,
    decimal_of,
    figure,
    is_currency,
    is_day,
    is_instant,
    listed,
    local,
    money_of,
    named,
    number_of,
    shown,
    text_of,
)
from hub.formats._xml import Element

_CODE = re.compile(r"[A-Z0-9]{1,4}")


class Words(msgspec.Struct, frozen=True):
    """Texts, one for each time the element stands."""

    longest: int = 0
    repeats: ClassVar = True

    def reader(self, name: str, namespace: str) -> Read:
        def read(element: Element, into: Into, tell: Tell) -> None:
            if text := content(element, tell):
                into.setdefault(name, []).append(text)

        return read

    def write(self, tag: str, value: Any, out: Writer) -> None:
        for text in listed(value, out):
            Text(self.longest).write(tag, text, out)


class Choice(msgspec.Struct, frozen=True):
    """A code, ``Cd``, or a text of the bank's own, ``Prtry``: one text here. What ``codes`` matches is written as a
    code."""

    codes: re.Pattern[str] = _CODE

    def reader(self, name: str, namespace: str) -> Read:
        def read(element: Element, into: Into, tell: Tell) -> None:
            for child in element:
                leaf: Element | None = child
                if child.text is None or not child.text.strip():  # Prtry/Id, where the bank says whose code it is
                    leaf = next((inner for inner in child if inner.text), None)
                if leaf is not None and (text := content(leaf, tell)):
                    into[name] = text
                    return
            if element.text and (text := element.text.strip()):
                into[name] = text

        return read

    def write(self, tag: str, value: Any, out: Writer) -> None:
        text = text_of(value, out)
        inner = "Cd" if self.codes.fullmatch(text) else "Prtry"
        out.open(tag)
        Text(0 if inner == "Cd" else 35).write(inner, text, out)
        out.close(tag)


class Enum(msgspec.Struct, frozen=True):
    """One of some codes; small letters and spaces around are told and set right."""

    codes: frozenset[str]

    def reader(self, name: str, namespace: str) -> Read:
        codes = self.codes

        def read(element: Element, into: Into, tell: Tell) -> None:
            text = content(element, tell) if len(element) else element.text
            if text not in codes:
                text = (text or "").strip()
                expected = ", ".join(sorted(codes))
                if text.upper() not in codes:
                    message = f"{local(element)} is '{text[:40]}'; expected {expected}"
                    tell(element, "code", message, seen=text[:40], expected=expected, severity="error")
                    return
                tell(element, "code", f"{local(element)} is '{text}'", seen=text, expected=text.upper())
                text = text.upper()
            into[name] = text

        return read

    def write(self, tag: str, value: Any, out: Writer) -> None:
        if not isinstance(value, str) or value not in self.codes:
            raise out.refuse(f"expected one of {', '.join(sorted(self.codes))}, got {shown(value)}", value)
        out.leaf(tag, value)


class Money(msgspec.Struct, frozen=True):
    """An amount with its currency, ``{amount: Decimal, currency}``, not negative."""

    def reader(self, name: str, namespace: str) -> Read:
        def read(element: Element, into: Into, tell: Tell) -> None:
            amount = decimal_of(element, tell)
            if amount is None:
                return
            if amount < 0:
                message = f"{local(element)} is {amount}; an amount has no sign, the direction is in CdtDbtInd"
                tell(element, "negative", message, seen=str(amount), expected=str(-amount), severity="error")
                return
            currency = element.get("Ccy", "")
            if not is_currency(currency):
                currency = _currency(element, currency, tell)
            if currency:
                into[name] = {"amount": amount, "currency": currency}

        return read

    def write(self, tag: str, value: Any, out: Writer) -> None:
        amount, currency = money_of(value, out)
        if amount < 0:
            raise out.refuse(f"{tag} cannot be negative", amount, "an amount without a sign and its direction")
        out.pieces.append(f'<{tag} Ccy="{currency}">{figure(amount)}</{tag}>')


def _currency(element: Element, seen: str, tell: Tell) -> str:
    """The currency of an amount that does not say it rightly; told, as an error where nobody knows it."""
    known = seen.strip().upper()
    if not _CURRENCY.fullmatch(known):
        known = tell.currency
    told = f"its currency is '{seen[:10]}'" if seen else "it has no currency"
    tell(
        element, "currency", f"{local(element)}: {told}; " + (f"{known} is taken" if known else "expected Ccy=\"…\""),
        seen=seen[:10], expected=known or "three capital letters", severity="warning" if known else "error",
    )  # fmt: skip
    return known


class Number(msgspec.Struct, frozen=True):
    """A Decimal."""

    digits: int = 18
    places: int = 17

    def reader(self, name: str, namespace: str) -> Read:
        def read(element: Element, into: Into, tell: Tell) -> None:
            value = decimal_of(element, tell)
            if value is not None:
                into[name] = value

        return read

    def write(self, tag: str, value: Any, out: Writer) -> None:
        out.leaf(tag, figure(number_of(value, out, self.digits, self.places)))


class Integer(msgspec.Struct, frozen=True):
    """A whole number, not negative."""

    digits: int = 15

    def reader(self, name: str, namespace: str) -> Read:
        def read(element: Element, into: Into, tell: Tell) -> None:
            text = content(element, tell)
            if text.isascii() and text.isdigit() and len(text) <= 18:
                into[name] = int(text)
            else:
                message = f"{local(element)} is '{text[:40]}'; expected a whole number"
                tell(element, "integer", message, seen=text[:40], expected="digits only")

        return read

    def write(self, tag: str, value: Any, out: Writer) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 10**self.digits:
            raise out.refuse(f"expected a whole number, got {shown(value)}", value, "a whole number")
        out.leaf(tag, str(value))


class Truth(msgspec.Struct, frozen=True):
    """True or false, in any of XML's writings and small or large letters."""

    def reader(self, name: str, namespace: str) -> Read:
        def read(element: Element, into: Into, tell: Tell) -> None:
            text = content(element, tell)
            value = {"true": True, "1": True, "false": False, "0": False}.get(text.lower())
            if value is None:
                message = f"{local(element)} is '{text[:40]}'; expected true or false"
                tell(element, "truth", message, seen=text[:40], expected="true or false", severity="error")
            else:
                into[name] = value

        return read

    def write(self, tag: str, value: Any, out: Writer) -> None:
        if not isinstance(value, bool):
            raise out.refuse(f"expected true or false, got {shown(value)}", value, "true or false")
        out.leaf(tag, "true" if value else "false")


class Day(msgspec.Struct, frozen=True):
    """A day. Where the element has ``Dt`` and ``DtTm`` to choose from (``is_choice``), the day of an instant is the
    field, and the instant ``instant`` where that is named."""

    is_choice: bool = False
    instant: str = ""

    def reader(self, name: str, namespace: str) -> Read:
        instant = self.instant
        tags = (named("Dt", namespace), named("DtTm", namespace))

        def read(element: Element, into: Into, tell: Tell) -> None:
            leaf = element
            for child in children(element):
                if child.tag in tags:
                    leaf = child
                    break
            text = content(leaf, tell)
            if len(text) == 10 and is_day(text):
                into[name] = text
                return
            day = text[:10]
            if len(text) > 11 and is_instant(text):
                if leaf is element or local(leaf) == "Dt":
                    tell(leaf, "date", f"{local(leaf)} is '{text[:40]}', with a time", seen=text[:40], expected=day)
                elif instant:
                    into[instant] = text
                into[name] = day
            elif (
                len(text) in (11, 16)
                and text[10:] in ("Z", text[10:11] + text[11:13] + ":" + text[14:])
                and is_day(day)
            ):
                into[name] = day  # a day with an offset, as xs:date allows
            else:
                message = f"{local(element)} is '{text[:40]}', no day of the calendar"
                tell(leaf, "date", message, seen=text[:40], expected="a day such as 2026-03-09")

        return read

    def write(self, tag: str, value: Any, out: Writer) -> None:
        if self.is_choice and isinstance(value, str) and is_instant(value):
            out.pieces.append(f"<{tag}><DtTm>{value}</DtTm></{tag}>")
            return
        if not isinstance(value, str) or not is_day(value):
            raise out.refuse(f"expected a day, got {shown(value)}", value, "a day such as 2026-03-09")
        out.pieces.append(f"<{tag}><Dt>{value}</Dt></{tag}>" if self.is_choice else f"<{tag}>{value}</{tag}>")


class Instant(msgspec.Struct, frozen=True):
    """An instant, as the bank wrote it."""

    def reader(self, name: str, namespace: str) -> Read:
        def read(element: Element, into: Into, tell: Tell) -> None:
            text = content(element, tell)
            if is_instant(text):
                into[name] = text
            else:
                message = f"{local(element)} is '{text[:40]}', no instant"
                tell(element, "date", message, seen=text[:40], expected="2026-03-09T18:00:00+01:00")

        return read

    def write(self, tag: str, value: Any, out: Writer) -> None:
        if not isinstance(value, str) or not is_instant(value):
            raise out.refuse(f"expected an instant, got {shown(value)}", value, "2026-03-09T18:00:00+01:00")
        out.leaf(tag, value)
