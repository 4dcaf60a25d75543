"""The records of CODA, 128 signs each: where every field stands, for reading and for writing."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

WIDTH = 128


class Layout(msgspec.Struct, frozen=True):
    """The fields of one record by their names: the column of the first sign, from 1, and how many there are."""

    kind: str
    fields: Mapping[str, tuple[int, int]]

    def read(self, text: str, name: str) -> str:
        """A field, without the blanks behind it."""
        start, size = self.fields[name]
        return text[start - 1 : start - 1 + size].rstrip()

    def column(self, name: str) -> int:
        return self.fields[name][0]

    def write(self, values: Mapping[str, str]) -> str:
        """A record. Each value fits its field; what is not given is blank."""
        text = [" "] * WIDTH
        text[: len(self.kind)] = self.kind
        for name, value in values.items():
            start, size = self.fields[name]
            text[start - 1 : start - 1 + size] = value.ljust(size)[:size]
        return "".join(text)


LAYOUTS = {
    layout.kind: layout
    for layout in (
        Layout("0", {
            "zeros": (2, 4), "created": (6, 6), "bank": (12, 3), "application": (15, 2), "duplicate": (17, 1),
            "file_ref": (25, 10), "addressee": (35, 26), "bic": (61, 11), "company": (72, 11), "separate": (84, 5),
            "reference": (89, 16), "related": (105, 16), "version": (128, 1),
        }),
        Layout("1", {
            "structure": (2, 1), "paper": (3, 3), "account": (6, 37), "sign": (43, 1), "amount": (44, 15),
            "day": (59, 6), "holder": (65, 26), "description": (91, 35), "coded": (126, 3),
        }),
        Layout("21", {
            "number": (3, 4), "detail": (7, 4), "bank_ref": (11, 21), "sign": (32, 1), "amount": (33, 15),
            "value_day": (48, 6), "code": (54, 8), "structured": (62, 1), "text": (63, 53), "day": (116, 6),
            "paper": (122, 3), "globalised": (125, 1), "next": (126, 1), "link": (128, 1),
        }),
        Layout("22", {
            "number": (3, 4), "detail": (7, 4), "text": (11, 53), "customer_ref": (64, 35), "bic": (99, 11),
            "return_type": (113, 1), "reason": (114, 4), "category": (118, 4), "purpose": (122, 4), "next": (126, 1),
            "link": (128, 1),
        }),
        Layout("23", {
            "number": (3, 4), "detail": (7, 4), "account": (11, 37), "name": (48, 35), "text": (83, 43),
            "next": (126, 1), "link": (128, 1),
        }),
        Layout("31", {
            "number": (3, 4), "detail": (7, 4), "bank_ref": (11, 21), "code": (32, 8), "structured": (40, 1),
            "text": (41, 73), "next": (126, 1), "link": (128, 1),
        }),
        Layout("32", {"number": (3, 4), "detail": (7, 4), "text": (11, 105), "next": (126, 1), "link": (128, 1)}),
        Layout("33", {"number": (3, 4), "detail": (7, 4), "text": (11, 90), "next": (126, 1), "link": (128, 1)}),
        Layout("8", {
            "paper": (2, 3), "account": (5, 37), "sign": (42, 1), "amount": (43, 15), "day": (58, 6), "link": (128, 1),
        }),
        Layout("4", {"number": (3, 4), "detail": (7, 4), "text": (33, 80), "link": (128, 1)}),
        Layout("9", {"count": (17, 6), "debits": (23, 15), "credits": (38, 15), "more": (128, 1)}),
    )
}  # fmt: skip
TEXTS = (("21", 53), ("22", 53), ("23", 43))
INFORMATION = (("31", 73), ("32", 105), ("33", 90))
