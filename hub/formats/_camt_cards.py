"""What camt tells of a card: which one, at which terminal, and what the shop and its acquirer call the payment, since
version 03. Of the card's number its last four digits are read, and nothing of its magnetic stripe and security code."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from hub.formats._iso_kinds import Enum, Instant
from hub.formats._iso_tables import NEVER, Flat, Group, Item, Read, Table, Text, Within, table
from hub.formats._iso_values import Into, Tell, Writer, content
from hub.formats._xml import Element

SINCE = 3
ends_with_digits = re.compile(r".*[0-9]{4}", re.DOTALL).fullmatch
LAST = slice(-4, None)
_SERVICE = Enum(frozenset(["AGGR", "DCCV", "GRTT", "INSP", "LOYT", "NRES", "PUCO", "RECP", "SOAF", "UNAF", "VCAU"]))


class LastDigits(msgspec.Struct, frozen=True):
    """The end of a card's number, which many banks give masked; it is not written, for it is no number."""

    def reader(self, name: str, namespace: str) -> Read:
        def read(element: Element, into: Into, tell: Tell) -> None:
            if ends_with_digits(text := content(element, tell)):
                into[name] = text[LAST]

        return read

    def write(self, tag: str, value: Any, out: Writer) -> None:
        raise out.refuse("the number of a card is not written", expected="nothing")


class Payment(Flat, frozen=True):
    """One payment, or several as one (``aggregated``): one of them stands there."""

    def write(self, tag: str, value: Any, out: Writer) -> None:
        own = _ONE.names(out.version)
        if value.get("aggregated") is not None and any(value.get(name) is not None for name in own):
            seen = ", ".join(sorted(name for name in own if value.get(name) is not None))
            raise out.refuse(f"one payment ({seen}) and several as one; expected these or aggregated, not both")
        Flat(self.table).write(tag, value, out)


_CARD = table(
    Item("PlainCardData", "last_digits", Within(("PAN",), LastDigits()), since=NEVER),
    Item("CardBrnd", "brand", Within(("Id",), Text(35))),
    Item("AddtlCardData", "card_information", Text(70)),
    skipped="CardCtryCd",
)
_TERMINAL = table(
    Item("Id", "", Flat(table(
        Item("Id", "terminal_id", Text(35), required=True), Item("ShrtNm", "terminal_name", Text(35)),
        skipped="Tp Issr",
    ))),
    skipped="SysNm GrpId Cpblties Cmpnt",
)  # fmt: skip
_KIND = (
    Item("AddtlSvc", "service_code", _SERVICE),
    Item("TxCtgy", "category_code", Text(4)),
    Item("SaleRcncltnId", "reconciliation_id", Text(35)),
)
_SEVERAL = table(
    *_KIND,
    Item("SeqNbRg", "", Flat(table(
        Item("FrstTx", "first_transaction", Text(35)), Item("LastTx", "last_transaction", Text(35))
    ))),
    skipped="TxDtRg",
)  # fmt: skip
_ONE = table(
    *_KIND,
    Item("SaleRefNb", "sale_ref", Text(35)),
    Item("RePresntmntRsn", "representment_reason_code", Text(4), since=5),
    Item("SeqNb", "sequence_number", Text(35)),
    Item("TxId", "", Flat(table(
        Item("TxDtTm", "paid_at", Instant(), required=True), Item("TxRef", "payment_ref", Text(35), required=True)
    ))),
    skipped="ICCRltdData PmtCntxt Pdct VldtnDt VldtnSeqNb",
)  # fmt: skip


def _card(*more: Item) -> Table:
    common = (Item("Card", "", Flat(_CARD)), Item("POI", "", Flat(_TERMINAL)))
    return table(*common, *more, skipped="PrePdAcct", derived="last_digits")


OF_TRANSACTION = Item("CardTx", "card", Group(_card(
    Item("Tx", "", Payment(table(Item("Aggtd", "aggregated", Group(_SEVERAL)), Item("Indv", "", Flat(_ONE))))),
)), since=SINCE)  # fmt: skip
OF_ENTRY = Item("CardTx", "card", Group(_card(Item("AggtdNtry", "aggregated", Group(_SEVERAL)))), since=SINCE)
