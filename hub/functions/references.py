"""Payment references with check digits: ISO 11649 and those of Belgium, Finland, the Netherlands, Norway, Sweden and
Switzerland. ``…_reference`` makes one from a number of one's own, ``is_…_reference`` checks one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hub import identifiers
from hub.functions.refusal import expected, ungrouped
from hub.functions.registry import function


def _digits(value: object, name: str, least: int, most: int) -> str:
    digits = ungrouped(value, name)
    if digits.isascii() and digits.isdigit() and least <= len(digits) <= most:
        return digits
    wanted = f"{most}" if least == most else f"{least} to {most}"
    raise expected(f"{wanted} digits", value)


def _holds(value: object, name: str, check: Callable[[str], bool]) -> bool:
    return value is not None and check(ungrouped(value, name))


@function(
    args="text",
    returns="text",
    nothing="empty",
    examples=[("rf_reference('539007547034')", "RF18539007547034"), ("rf_reference(null)", None)],
)
def rf_reference(value: Any) -> str | None:
    """The structured creditor reference (ISO 11649) made from a reference of up to 21 letters and digits."""
    if value is None or value == "":
        return None
    try:
        return identifiers.creditor_reference(ungrouped(value, "rf_reference"))
    except ValueError:
        raise expected("1 to 21 letters and digits", value) from None


@function(args="text", returns="boolean", nothing="never", examples=[("is_rf_reference('RF18 5390 0754 7034')", True)])
def is_rf_reference(value: Any) -> bool:
    """Whether a text is a structured creditor reference (ISO 11649) with the right check digits."""
    return value is not None and identifiers.is_creditor_reference(ungrouped(value, "is_rf_reference").upper())


@function(
    args="text, text?",
    returns="text",
    nothing="empty",
    examples=[
        ("kid_reference('1234567')", "12345674"),
        ("kid_reference('1000', 'MOD11')", "10006"),
        ("kid_reference(null)", None),
    ],
)
def kid_reference(value: Any, method: Any = "MOD10") -> str | None:
    """A Norwegian KID from 1 to 24 digits, completed by modulus 10 or, with ``'MOD11'``, by modulus 11."""
    if value is None or value == "":
        return None
    digits = _digits(value, "kid_reference", 1, 24)
    if method == "MOD10":
        return digits + identifiers.luhn_digit(digits)
    if method == "MOD11":
        return digits + identifiers.kid_digit(digits)
    raise expected("'MOD10' or 'MOD11'", method)


@function(
    args="text",
    returns="boolean",
    nothing="never",
    examples=[("is_kid_reference('12345674')", True), ("is_kid_reference('12345670')", False)],
)
def is_kid_reference(value: Any) -> bool:
    """Whether a text is a Norwegian KID: its last sign checks by modulus 10 or 11."""
    if value is None:
        return False
    text = value if value.__class__ is str else ungrouped(value, "is_kid_reference")
    return identifiers.is_kid("".join(text.split()))  # a hyphen at its end is a check sign


@function(
    args="text",
    returns="text",
    nothing="empty",
    examples=[
        ("qr_reference('21000000000313947143000901')", "210000000003139471430009017"),
        ("qr_reference('42')", "000000000000000000000000420"),
        ("qr_reference(null)", None),
    ],
)
def qr_reference(value: Any) -> str | None:
    """A Swiss QR reference (also ESR) from up to 26 digits: zeros in front, a check digit behind."""
    if value is None or value == "":
        return None
    digits = _digits(value, "qr_reference", 1, 26).zfill(26)
    return digits + identifiers.qr_digit(digits)


@function(
    args="text",
    returns="boolean",
    nothing="never",
    examples=[("is_qr_reference('21 00000 00003 13947 14300 09017')", True), ("is_qr_reference('21')", False)],
)
def is_qr_reference(value: Any) -> bool:
    """Whether a text is a Swiss QR reference (also ESR): 27 digits, the last of which checks."""
    return _holds(value, "is_qr_reference", identifiers.is_qr_reference)


@function(
    args="text",
    returns="text",
    nothing="empty",
    examples=[("viite_reference('123456')", "1234561"), ("viite_reference(null)", None)],
)
def viite_reference(value: Any) -> str | None:
    """A Finnish viitenumero from 3 to 19 digits, completed by its check digit."""
    if value is None or value == "":
        return None
    digits = _digits(value, "viite_reference", 3, 19)
    return digits + identifiers.viite_digit(digits)


@function(args="text", returns="boolean", nothing="never", examples=[("is_viite_reference('1234 561')", True)])
def is_viite_reference(value: Any) -> bool:
    """Whether a text is a Finnish viitenumero: 4 to 20 digits, the last of which checks."""
    return _holds(value, "is_viite_reference", identifiers.is_viite)


@function(
    args="text",
    returns="text",
    nothing="empty",
    examples=[
        ("ogm_reference('0909337554')", "+++090/9337/55493+++"),
        ("ogm_reference('1')", "+++000/0000/00101+++"),
        ("ogm_reference(null)", None),
    ],
)
def ogm_reference(value: Any) -> str | None:
    """A Belgian structured communication (OGM, VCS) from up to 10 digits, as it is printed."""
    if value is None or value == "":
        return None
    digits = _digits(value, "ogm_reference", 1, 10).zfill(10)
    whole = digits + identifiers.ogm_digits(digits)
    return f"+++{whole[:3]}/{whole[3:7]}/{whole[7:]}+++"


@function(
    args="text",
    returns="boolean",
    nothing="never",
    examples=[("is_ogm_reference('+++090/9337/55493+++')", True), ("is_ogm_reference('090933755494')", False)],
)
def is_ogm_reference(value: Any) -> bool:
    """Whether a text is a Belgian structured communication, as it is printed or as 12 digits."""
    if value is None:
        return False
    plain = ungrouped(value, "is_ogm_reference").strip("+*").replace("/", "")
    return identifiers.is_ogm(plain)


@function(
    args="text",
    returns="text",
    nothing="empty",
    examples=[("kenmerk_reference('56789012345')", "5000056789012345"), ("kenmerk_reference(null)", None)],
)
def kenmerk_reference(value: Any) -> str | None:
    """A Dutch betalingskenmerk of 16 digits from up to 15: zeros, and its check digit in front of them."""
    if value is None or value == "":
        return None
    digits = _digits(value, "kenmerk_reference", 1, 15).zfill(15)
    return identifiers.kenmerk_digit(digits) + digits


@function(
    args="text", returns="boolean", nothing="never", examples=[("is_kenmerk_reference('5000 0567 8901 2345')", True)]
)
def is_kenmerk_reference(value: Any) -> bool:
    """Whether a text is a Dutch betalingskenmerk in its form of 16 digits; the shorter forms have no check digit."""
    return _holds(value, "is_kenmerk_reference", identifiers.is_kenmerk)


@function(
    args="text, boolean?",
    returns="text",
    nothing="empty",
    examples=[
        ("ocr_reference('1234567')", "12345674"),
        ("ocr_reference('1234567', true)", "123456790"),
        ("ocr_reference(null)", None),
    ],
)
def ocr_reference(value: Any, with_length: Any = False) -> str | None:
    """A Swedish OCR number from 1 to 23 digits and a check digit; with ``true`` a digit for its length before that."""
    if value is None or value == "":
        return None
    digits = _digits(value, "ocr_reference", 1, 23)
    if with_length not in (True, False):
        raise expected("true or false", with_length)
    if with_length:
        digits += str((len(digits) + 2) % 10)
    return digits + identifiers.luhn_digit(digits)


@function(
    args="text",
    returns="boolean",
    nothing="never",
    examples=[("is_ocr_reference('12345674')", True), ("is_ocr_reference('12345675')", False)],
)
def is_ocr_reference(value: Any) -> bool:
    """Whether a text is a Swedish OCR number: 2 to 25 digits, the last of which checks."""
    return _holds(value, "is_ocr_reference", lambda text: 2 <= len(text) <= 25 and identifiers.is_luhn(text))
