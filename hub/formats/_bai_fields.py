"""Records of BAI2 as fields: a comma between them, a slash at the end, texts that run to the end of a line."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from hub.formats._bank_references import reference_in
from hub.formats._bank_values import ValueFault, day_of

Document = dict[str, Any]


@dataclass(slots=True)
class BaiRecord:
    """One logical record: its fields, and the line it begins in. ``lines`` counts its continuations too."""

    code: str
    fields: list[str]
    line: int
    lines: int = 1
    text: list[str] = field(default_factory=list)


def split(rest: str) -> list[str]:
    """The fields of a line; a slash ends them."""
    return rest.removesuffix("/").split(",")


def padded(fields: list[str], size: int) -> list[str]:
    return [*(text.strip() for text in fields), *[""] * (size - len(fields))]


def more_of(funds: str, following: list[str]) -> int:
    """How many fields an availability takes behind it: S has three amounts, V a day and a time, D its own number."""
    if funds == "S":
        return 3
    if funds == "V":
        return 2
    if funds == "D" and following and (count := count_of(following[0].strip())) is not None:
        return 1 + 2 * min(count, 100)
    return 0


def count_of(text: str) -> int | None:
    """A number of things; None for what is none."""
    return int(text) if re.fullmatch("[0-9]{1,18}", text) else None


def stated_in(record: BaiRecord) -> int:
    stated = padded(record.fields, 1)[0]
    return int(stated) if re.fullmatch(r"[+-]?\d{1,18}", stated) else 0


def instant_of(day: str, time: str) -> str:
    try:
        clock = time.zfill(4) if count_of(time) is not None and len(time) <= 4 else "0000"
        hour, minute = int(clock[:2]), int(clock[2:])
        if hour > 23 or minute > 59:
            hour, minute = 23, 59  # 2400 and 9999 are the end of a day
        return f"{day_of(day)}T{hour:02d}:{minute:02d}:00"
    except ValueFault:
        return ""


def text_of(record: BaiRecord, at: int) -> list[str]:
    """The text behind the fields of a transaction: it may hold commas and slashes, and goes on in records 88."""
    first = record.text[0].split(",", at)
    if len(first) <= at:  # its fields go on in the next line
        rest = ",".join(text.removesuffix("/") for text in record.text).split(",", at)[at:]
        return [text.strip() for text in rest if text.strip()]
    begun = [first[at]] if len(first) > at else []
    return [text for line in (*begun, *record.text[1:]) if (text := line.strip().removesuffix("/").strip())]


def detail_of(entry: Document, customer: str, texts: list[str]) -> Document:
    transaction: Document = {"amount": entry["amount"]}
    if customer:
        transaction["account_owner_ref"] = customer
    if texts:
        transaction["remittance_unstructured"] = texts
        reference, kind = next((found for text in texts if (found := reference_in(text))[0]), ("", ""))
        if reference:
            transaction["creditor_reference"], transaction["creditor_reference_type"] = reference, kind
    return {"transactions": [transaction]} if len(transaction) > 1 else {}
