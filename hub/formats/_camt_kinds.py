"""What the statements of ISO 20022 have of their own: status, codes, balances, periods, charges."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from hub.formats._iso_kinds import Choice, Enum, Instant, Money, Number, Truth
from hub.formats._iso_tables import NEVER, Flat, Group, Item, Read, Text, Within, compiled, fill, table
from hub.formats._iso_values import (
    Into,
    Tell,
    Writer,
    children,
    content,
    is_day,
    is_instant,
    listed,
    local,
    mapped,
    money_of,
    shown,
    text_of,
)
from hub.formats._xml import Element

VERSIONS = tuple(range(2, 15))

DIRECTIONS = frozenset(("CRDT", "DBIT"))

STATUSES = frozenset(("BOOK", "PDNG", "INFO", "FUTR"))

DIRECTION = Enum(DIRECTIONS)


def status_in(element: Element) -> tuple[Element, str]:
    """The element that says a status and what it says, empty for nothing."""
    leaf = next((child for child in element if child.text and child.text.strip()), element)
    return leaf, (leaf.text or "").strip()


class Status(msgspec.Struct, frozen=True):
    """The status of an entry: a code, within ``Cd`` from version 07 on."""

    def reader(self, name: str, namespace: str) -> Read:
        def read(element: Element, into: Into, tell: Tell) -> None:
            leaf, text = status_in(element)
            if text in STATUSES:
                into[name] = text
            elif text.upper() in STATUSES:
                into[name] = text.upper()
                tell(leaf, "code", f"Sts is '{text}'", seen=text, expected=text.upper())
            elif text:
                tell(
                    leaf, "code", f"Sts is '{text[:40]}'; expected BOOK, PDNG, INFO or FUTR", seen=text[:40],
                    expected="BOOK, PDNG, INFO or FUTR", severity="error",
                )  # fmt: skip

        return read

    def write(self, tag: str, value: Any, out: Writer) -> None:
        if not isinstance(value, str) or value not in STATUSES or (value == "FUTR" and out.version < 7):
            raise out.refuse(f"expected BOOK, PDNG or INFO, got {shown(value)}", value, "BOOK, PDNG, INFO")
        out.pieces.append(f"<Sts>{value}</Sts>" if out.version < 7 else f"<Sts><Cd>{value}</Cd></Sts>")


class TransactionCode(msgspec.Struct, frozen=True):
    """The domain, family and sub-family of ISO as one text: ``PMNT/RCDT/ESCT``."""

    def reader(self, name: str, namespace: str) -> Read:
        def read(element: Element, into: Into, tell: Tell) -> None:
            codes = []
            for child in children(element):
                text = child.text
                if text is None or text.isspace():
                    codes += [content(leaf, tell) for leaf in children(child) if leaf.text]
                else:
                    codes.append(content(child, tell))
            if codes:
                into[name] = "/".join(codes)

        return read

    def write(self, tag: str, value: Any, out: Writer) -> None:
        codes = text_of(value, out).split("/")
        if len(codes) != 3 or not all(1 <= len(code) <= 4 for code in codes):
            raise out.refuse(f"expected three codes, got {shown(value)}", value, "such as PMNT/RCDT/ESCT")
        out.open(tag)
        out.leaf("Cd", codes[0])
        out.open("Fmly")
        out.leaf("Cd", codes[1])
        out.leaf("SubFmlyCd", codes[2])
        out.close("Fmly")
        out.close(tag)


class Balance(Group, frozen=True):
    """Balances: their amounts are signed here, and have a direction there."""

    repeats: ClassVar = True

    def reader(self, name: str, namespace: str) -> Read:
        readers = compiled(self.table, namespace)

        def read(element: Element, into: Into, tell: Tell) -> None:
            inner: Into = {}
            fill(readers, children(element), inner, tell)
            direction, money = inner.pop("credit_debit_indicator", None), inner.get("amount")
            if money is None:
                return
            if direction is None and money["amount"]:
                tell(element, "missing", "the balance has no CdtDbtInd; CRDT is taken", expected="CRDT or DBIT")
            if direction == "DBIT" and money["amount"]:
                money["amount"] = -money["amount"]
            into.setdefault(name, []).append(inner)

        return read

    def write(self, tag: str, value: Any, out: Writer) -> None:
        signed = []
        for each in listed(value, out):
            amount, currency = money_of(mapped(each, out).get("amount"), out)
            direction = "DBIT" if amount < 0 else "CRDT"
            money = {"amount": abs(amount), "currency": currency}
            signed.append({**each, "amount": money, "credit_debit_indicator": direction})
        Group(self.table, is_list=True).write(tag, signed, out)


class Period(msgspec.Struct, frozen=True):
    """From and to, as instants; as days where a bank gives those."""

    def reader(self, name: str, namespace: str) -> Read:
        def read(element: Element, into: Into, tell: Tell) -> None:
            period: Into = {}
            for child in element:
                which = "start" if local(child).startswith("Fr") else "end"
                text = content(child, tell)
                if is_instant(text):
                    period[f"{which}_date"], period[f"{which}_at"] = text[:10], text
                else:
                    tell(child, "date", f"{local(child)} is '{text[:40]}', no instant", seen=text[:40])
                    if is_day(text[:10]):
                        period[f"{which}_date"] = text[:10]
            if period:
                into[name] = period

        return read

    def write(self, tag: str, value: Any, out: Writer) -> None:
        value = mapped(value, out)
        out.open(tag)
        for which, leaf, time in (("start", "FrDtTm", "T00:00:00"), ("end", "ToDtTm", "T23:59:59")):
            day = value.get(f"{which}_date") or value.get("end_date") or value.get("start_date")
            Instant().write(leaf, value.get(f"{which}_at") or f"{day}{time}", out)
        out.close(tag)


class First(Group, frozen=True):
    """An object of which the first counts."""

    def reader(self, name: str, namespace: str) -> Read:
        readers = compiled(self.table, namespace)

        def read(element: Element, into: Into, tell: Tell) -> None:
            if name not in into:
                into[name] = {}
                fill(readers, children(element), into[name], tell)

        return read


_CHARGE = (
    Item("Amt", "amount", Money()),
    Item("CdtDbtInd", "credit_debit_indicator", DIRECTION),
    Item("ChrgInclInd", "is_included", Truth(), since=4),
    Item("Tp", "type_code", Choice(), since=NEVER),
    Item("Rate", "rate", Number(11, 10)),
    Item("Br", "bearer_code", Text(4)),
)

_CHARGE_TABLE = table(
    *_CHARGE[:3], Item("Tp", "type_code", Within(("Cd",), Text(4)), since=3), *_CHARGE[3:], skipped="Agt Pty Tax"
)

_CHARGES = table(
    Item("TtlChrgsAndTaxAmt", "charges_amount", Money()), *_CHARGE, Item("Rcrd", "charges", Group(_CHARGE_TABLE, True)),
    skipped="Pty Tax",
)  # fmt: skip


class Charges(Flat, frozen=True):
    """What the bank takes: one element for each in version 02, records in one element from 03 on."""

    repeats: ClassVar = True

    def reader(self, name: str, namespace: str) -> Read:
        readers = compiled(_CHARGES, namespace)

        def read(element: Element, into: Into, tell: Tell) -> None:
            inner: Into = {}
            fill(readers, children(element), inner, tell)
            total, records = inner.pop("charges_amount", None), inner.pop("charges", [])
            if total is not None:
                into["charges_amount"] = total
            if "amount" in inner:
                records = [inner, *records]
            if records:
                into.setdefault("charges", []).extend(records)

        return read

    def names(self, version: int) -> frozenset[str]:
        return frozenset(("charges_amount", "charges"))

    def write(self, tag: str, value: Any, out: Writer) -> None:
        total, records = value.get("charges_amount"), value.get("charges") or ()
        if total is None and not records:
            return
        out.path.append("charges")
        records = [mapped(each, out) for each in listed(records, out)]
        if out.version >= 3:
            out.open(tag)
            if total is not None:
                Money().write("TtlChrgsAndTaxAmt", total, out)
            Group(_CHARGE_TABLE, is_list=True).write("Rcrd", records, out)
            out.close(tag)
        for number, each in enumerate(records or ({"amount": total},) if out.version < 3 else ()):
            out.open(tag)
            if not number and total is not None:
                Money().write("TtlChrgsAndTaxAmt", total, out)
            _CHARGE_TABLE.write(each, out)
            out.close(tag)
        out.path.pop()


class Discount(Within, frozen=True):
    """A discount, within ``Amt`` from version 03 on; of several their sum, where they are in one currency."""

    def reader(self, name: str, namespace: str) -> Read:
        plain, inner = Money().reader(name, namespace), Within(self.steps, Money()).reader(name, namespace)

        def read(element: Element, into: Into, tell: Tell) -> None:
            before = into.get(name)
            (inner if len(element) else plain)(element, into, tell)
            if before and before is not (found := into[name]) and before["currency"] == found["currency"]:
                into[name] = {**found, "amount": before["amount"] + found["amount"]}

        return read
