"""What a payer's text says he pays: references with check digits, and numbers of documents, found in free text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from hub import identifiers
from hub.functions.allowance import SMALL, spend
from hub.functions.refusal import kind_of, refusal
from hub.functions.registry import function

_LONGEST = 10_000
_MOST = 1_000
_WORK = 20  # what looking at a character counts for
# Digits without letters check by chance one time in ten: they count only behind the word that says what they are.
_LABELLED = re.compile(
    r"\b(KID|OCR|VIITE(?:NUMERO)?|VIITENRO|REFERENSNUMMER|BETALINGSKENMERK|KENMERK)\b[ :.#-]{0,3}"
    r"([0-9](?:[ -]?[0-9]){1,30}-?)(?![0-9])"
)
_DOCUMENT = re.compile(
    r"\b(INVOICE|INV|RECHNUNG|RECHN|RG|RE|FACTURE|FACT|FACTUUR|FATTURA|FACTURA|FAKTURA|LASKU|BILL"
    r"|CREDIT NOTE|GUTSCHRIFT|AVOIR)(?![A-Z])"
    r"(?:[ .]{0,2}(?:NO|NR|N°|NUM|NUMBER|NUMMER|NUMERO))?[ .:#°-]{0,3}"
    r"((?:[A-Z]{1,5}[-/ ]?)?[0-9][A-Z0-9]{0,19}(?:[-/.][A-Z0-9]{1,12}){0,4})"
)
_CREDIT = ("CREDIT NOTE", "GUTSCHRIFT", "AVOIR")
_CHECKS: dict[str, tuple[str, Callable[[str], bool]]] = {
    "KID": ("kid", identifiers.is_kid),
    "OCR": ("ocr", lambda text: 2 <= len(text) <= 25 and identifiers.is_luhn(text)),
    "REFERENSNUMMER": ("ocr", lambda text: 2 <= len(text) <= 25 and identifiers.is_luhn(text)),
    "VIITE": ("viite", identifiers.is_viite),
    "VIITENUMERO": ("viite", identifiers.is_viite),
    "VIITENRO": ("viite", identifiers.is_viite),
    "KENMERK": ("kenmerk", identifiers.is_kenmerk),
    "BETALINGSKENMERK": ("kenmerk", identifiers.is_kenmerk),
}
Found = tuple[int, str, str]


@function(
    args="any",
    returns="list",
    nothing="never",
    examples=[
        (
            "references_in('Invoice INV-2026-07, rf18 5390 0754 7034 thanks')",
            [{"kind": "invoice", "value": "INV-2026-07"}, {"kind": "rf", "value": "RF18539007547034"}],
        ),
        (
            "references_in(['+++090/9337/55493+++', 'KID: 12345674'])",
            [{"kind": "ogm", "value": "090933755493"}, {"kind": "kid", "value": "12345674"}],
        ),
        (
            "references_in('Gutschrift Nr. 4711 / 21 00000 00003 13947 14300 09017')",
            [{"kind": "credit_note", "value": "4711"}, {"kind": "qr", "value": "210000000003139471430009017"}],
        ),
        ("references_in('order 12345674')", []),
        ("references_in(null)", []),
    ],
)
def references_in(value: Any) -> list[dict[str, str]]:
    """The references in a remittance text or a list of texts, in order, each once: ``{kind, value}``.

    Kinds: ``rf qr ogm`` wherever their check digits hold; ``kid ocr viite kenmerk`` behind the word that says so;
    ``invoice`` and ``credit_note`` behind such a word in English, French, German, Dutch, Italian, Spanish, Swedish or
    Finnish. Texts of a list are joined by blanks."""
    text = _joined(value).upper()
    if len(text) > _LONGEST:
        raise refusal(f"references_in takes texts up to {_LONGEST} characters", code="too_large")
    if len(text) > SMALL:
        spend(_WORK * len(text))
    kept: dict[tuple[str, str], None] = {}
    covered: list[tuple[int, int]] = []
    for start, kind, found, end in sorted(_all(text)):
        if not covered or start >= covered[-1][1]:
            covered.append((start, end))
            kept[kind, found] = None
    return [{"kind": kind, "value": found} for kind, found in list(kept)[:_MOST]]


def _joined(value: object) -> str:
    parts: list[Any] = value if isinstance(value, list) else [value]
    for part in parts:
        if part is not None and not isinstance(part, str):
            raise refusal(f"references_in wants text, got {kind_of(part)}", expected="text or a list of texts")
    return " ".join(part for part in parts if part)


def _all(text: str) -> Iterator[tuple[int, str, str, int]]:
    for match in identifiers.OGM_IN_TEXT.finditer(text):
        if identifiers.is_ogm(digits := "".join(match.groups()[1:])):
            yield match.start(), "ogm", digits, match.end()
    for match in identifiers.QR_IN_TEXT.finditer(text):
        if identifiers.is_qr_reference(digits := match[0].replace(" ", "")):
            yield match.start(), "qr", digits, match.end()
    for match in identifiers.RF_IN_TEXT.finditer(text):
        if found := _creditor_reference(match[0]):
            yield match.start(), "rf", found.replace(" ", ""), match.start() + len(found)
    for match in _LABELLED.finditer(text):
        kind, check = _CHECKS[match[1]]
        digits = "".join(sign for sign in match[2][:-1] if sign.isdigit()) + match[2][-1]
        if check(digits):
            yield match.start(), kind, digits, match.end()
    for match in _DOCUMENT.finditer(text):
        if found := _document(match):
            yield match.start(), "credit_note" if match[1] in _CREDIT else "invoice", found, match.end()


def _creditor_reference(text: str) -> str:
    """The longest beginning of whole groups that checks: what follows a reference may look like a part of it."""
    while len(text) > 4:
        if identifiers.is_creditor_reference(text.replace(" ", "")):
            return text
        text = text.rpartition(" ")[0]
    return ""


def _document(match: re.Match[str]) -> str:
    """The number of a document; ``INV-2026-07`` is all of it, ``Rechnung 4711`` only what stands behind the word."""
    between = match.string[match.end(1) : match.start(2)]
    if match[1] in ("INV", "RG", "RE") and between in ("", "-"):
        return match[0]
    return "" if match[1] == "RE" and ":" not in between else match[2]
