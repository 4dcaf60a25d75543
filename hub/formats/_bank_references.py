"""Structured references of payments within a text, found by their check digits: those of a creditor, never a guess."""

from __future__ import annotations

import re

from hub import identifiers

# Digits without letters check by chance one time in ten: they count only behind the word that says what they are.
_KID = re.compile(r"(?<![A-Z0-9])KID[ :.#]{1,2}([0-9]{2,24}[0-9-])(?![A-Z0-9])")


def reference_in(text: str) -> tuple[str, str]:
    """The first reference that stands in a text, and its type as ISO 20022 and its users name it (SCOR, QRR, OGM,
    KID); twice empty where there is none."""
    upper = text.upper()
    if "RF" in upper:
        for match in identifiers.RF_IN_TEXT.finditer(upper):
            if found := _longest_rf(match.group()):
                return found, "SCOR"
    if "+++" in text or "***" in text:
        for match in identifiers.OGM_IN_TEXT.finditer(text):
            if identifiers.is_ogm(digits := match[2] + match[3] + match[4]):
                return digits, "OGM"
    if "KID" in upper and (kid := _KID.search(upper)) and identifiers.is_kid(kid[1]):
        return kid[1], "KID"
    for match in identifiers.QR_IN_TEXT.finditer(text):
        if identifiers.is_qr_reference(digits := match.group().replace(" ", "")):
            return digits, "QRR"
    return "", ""


def type_of(reference: str) -> str:
    """The type of what a bank itself calls a structured reference; empty where its check digits do not hold."""
    plain = re.sub(r"[\s+*/]", "", reference).upper()
    if identifiers.is_creditor_reference(plain):
        return "SCOR"
    if identifiers.is_qr_reference(plain):
        return "QRR"
    if identifiers.is_ogm(plain):
        return "OGM"
    return "CUR" if identifiers.is_kenmerk(plain) else ""


def in_words(reference: str, kind: str) -> str:
    """A reference as it is written in a text, so that it is found there again."""
    if kind == "OGM" or (not kind and identifiers.is_ogm(reference)):
        return f"+++{reference[:3]}/{reference[3:7]}/{reference[7:]}+++"
    return f"KID {reference}" if kind == "KID" else reference


def _longest_rf(text: str) -> str:
    """The reference that a text begins with; words behind it may have been taken along."""
    words = text.split(" ")
    for count in range(len(words), 0, -1):
        plain = "".join(words[:count])
        if len(plain) <= 25 and identifiers.is_creditor_reference(plain):
            return plain
    return ""
