"""Check digits and forms of business identifiers, and the decimals of currencies. Pure functions, no data files.

Every ``is_…`` takes the text as it stands (no blanks, no hyphens) and says whether it is well formed.
"""

from __future__ import annotations

import re
from functools import lru_cache

_REMEMBER = 8192  # identifiers of articles and partners come again and again; longer texts are never kept

# ISO 4217: the minor units of each currency that payments are made in.
_NO_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE_DECIMALS = "BHD IQD JOD KWD LYD OMR TND"
_FOUR_DECIMALS = "CLF UYW"
_TWO_DECIMALS = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY
COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HRK HTG HUF IDR ILS
INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD
NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STN SVC SYP
SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG ZWL
"""
_EXPONENTS = {
    code: exponent
    for exponent, codes in ((0, _NO_DECIMALS), (2, _TWO_DECIMALS), (3, _THREE_DECIMALS), (4, _FOUR_DECIMALS))
    for code in codes.split()
}

# Lengths of the IBAN by country, as registered with SWIFT.
_IBAN_LENGTHS = {
    country: int(entry[:2])
    for entry in (
        "15NO", "16BE", "18DKFIFOGLFKNLSD", "19MKSI", "20ATBAEEKZLTLUMNXK", "21CHHRLILV", "22BGBHCRDEGBGEIEMERSVA",
        "23AEGIILIQOMSOTL", "24ADCZESMDPKROSASESKTNVG", "25LYPTST", "26ISTR", "27BIDJFRGRITMCMRSM",
        "28ALAZBYCYDOGTHNHULBNIPLSV", "29BRPSQAUA", "30JOKWMUYE", "31MTSC", "32LC", "33RU",
    )
    for country in (entry[at : at + 2] for at in range(2, len(entry), 2))
} | {"EG": 29}  # fmt: skip

_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_BIC = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?")
_LEI = re.compile(r"[A-Z0-9]{18}[0-9]{2}")
_CREDITOR_REFERENCE = re.compile(r"RF[0-9]{2}[A-Z0-9]{1,21}")

# What looks like a reference of a payment within a text; of RF, words behind it may be taken along.
RF_IN_TEXT = re.compile(r"(?<![A-Z0-9])RF[0-9]{2}(?: ?[A-Z0-9]){1,26}(?![A-Z0-9])")
OGM_IN_TEXT = re.compile(r"(\+{3}|\*{3}) ?([0-9]{3}) ?/ ?([0-9]{4}) ?/ ?([0-9]{5}) ?\1")
QR_IN_TEXT = re.compile(r"(?<![0-9])[0-9](?: ?[0-9]){26}(?! ?[0-9])")

# What follows the country prefix of a VAT number. Countries that are not listed: anything of a sensible length.
_VAT = {
    country: re.compile(pattern)
    for country, pattern in {
        "AT": r"U\d{8}", "BE": r"[01]\d{9}", "BG": r"\d{9,10}", "CY": r"\d{8}[A-Z]", "CZ": r"\d{8,10}", "DE": r"\d{9}",
        "DK": r"\d{8}", "EE": r"\d{9}", "EL": r"\d{9}", "ES": r"[A-Z0-9]\d{7}[A-Z0-9]", "FI": r"\d{8}",
        "FR": r"[A-HJ-NP-Z0-9]{2}\d{9}", "GB": r"(\d{9}|\d{12}|(GD|HA)\d{3})", "GR": r"\d{9}", "HR": r"\d{11}",
        "HU": r"\d{8}", "IE": r"(\d{7}[A-W][A-I]?|\d[A-Z+*]\d{5}[A-W])", "IT": r"\d{11}", "LT": r"(\d{9}|\d{12})",
        "LU": r"\d{8}", "LV": r"\d{11}", "MT": r"\d{8}", "NL": r"[A-Z0-9+*]{10}\d{2}", "PL": r"\d{10}",
        "PT": r"\d{9}", "RO": r"\d{2,10}", "SE": r"\d{12}", "SI": r"\d{8}", "SK": r"\d{10}",
        "XI": r"(\d{9}|\d{12}|(GD|HA)\d{3})",
    }.items()
}  # fmt: skip
_OTHER_VAT = re.compile(r"[A-Z]{2}[A-Z0-9.+*/ -]{2,20}")


def currency_exponent(code: str) -> int | None:
    """How many decimals amounts of a currency have: EUR 2, JPY 0, KWD 3. None where the code is no currency."""
    return _EXPONENTS.get(code)


def currencies() -> frozenset[str]:
    """The currency codes there are."""
    return frozenset(_EXPONENTS)


def is_luhn(text: str) -> bool:
    """Whether the last digit is the Luhn check digit of the others, as on payment cards."""
    if not _is_digits(text) or len(text) < 2:
        return False
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in text[-2::-2])
    return (doubled + sum(map(int, text[-1::-2]))) % 10 == 0


def gs1_check_digit(digits: str) -> str:
    """The check digit that completes a GLN, GTIN or SSCC: ``gs1_check_digit('401234500000') == '9'``."""
    if not _is_digits(digits):
        raise ValueError("a check digit is computed from digits only")
    return str(-(3 * sum(map(int, digits[-1::-2])) + sum(map(int, digits[-2::-2]))) % 10)


def is_gln(text: str) -> bool:
    """A GS1 location number: 13 digits with their check digit."""
    return len(text) == 13 and _ends_in_gs1_digit(text)


def is_gtin(text: str) -> bool:
    """A GS1 article number: 8, 12, 13 or 14 digits with their check digit."""
    return len(text) in (8, 12, 13, 14) and _ends_in_gs1_digit(text)


def is_sscc(text: str) -> bool:
    """A GS1 number of a shipping unit: 18 digits with their check digit."""
    return len(text) == 18 and _ends_in_gs1_digit(text)


def is_iban(text: str) -> bool:
    """An IBAN in its electronic form: known country, its length, ISO 7064 check digits."""
    return len(text) <= 34 and _is_iban(text)


@lru_cache(_REMEMBER)
def _is_iban(text: str) -> bool:
    if not _IBAN.fullmatch(text) or _IBAN_LENGTHS.get(text[:2]) != len(text):
        return False
    return "02" <= text[2:4] <= "98" and _mod97(text[4:] + text[:4]) == 1


def looks_like_iban(text: str) -> bool:
    """Whether a text has the form of an IBAN of a country that uses it, right or wrong."""
    return text[:2] in _IBAN_LENGTHS and _IBAN.fullmatch(text) is not None


def is_creditor_reference(text: str) -> bool:
    """A structured creditor reference, ISO 11649: ``RF`` and two check digits in front of up to 21 characters."""
    return _CREDITOR_REFERENCE.fullmatch(text) is not None and _mod97(text[4:] + text[:4]) == 1


def creditor_reference(reference: str) -> str:
    """The ISO 11649 form of a reference of letters and digits. Raises ValueError for anything else."""
    body = reference.upper()
    if not re.fullmatch(r"[A-Z0-9]{1,21}", body):
        raise ValueError("a creditor reference holds 1 to 21 letters and digits")
    return f"RF{98 - _mod97(body + 'RF00'):02d}{body}"


def is_vat_id(text: str) -> bool:
    """Whether a VAT number has the form of its country: prefix and, for the EU and the UK, what follows it."""
    return len(text) <= 22 and _is_vat_id(text)


@lru_cache(_REMEMBER)
def _is_vat_id(text: str) -> bool:
    rule = _VAT.get(text[:2])
    if rule is not None:
        return text.isascii() and rule.fullmatch(text, 2) is not None
    return _OTHER_VAT.fullmatch(text) is not None


def has_vat_check_digit(text: str) -> bool:
    """Whether the check digits of a well-formed VAT number are right, for the countries whose are known here: Germany
    (ISO 7064, MOD 11,10), Belgium (97) and Italy (Luhn)."""
    country, digits = text[:2], text[2:]
    if country not in _CHECKED_VAT or not _is_digits(digits):
        return True
    return _CHECKED_VAT[country](digits)


def _is_german(digits: str) -> bool:
    product = 10
    for digit in digits[:-1]:
        product = 2 * ((int(digit) + product) % 10 or 10) % 11
    return (11 - product) % 10 == int(digits[-1])


def _is_belgian(digits: str) -> bool:
    return len(digits) == 10 and 97 - int(digits[:8]) % 97 == int(digits[8:])


_CHECKED_VAT = {"DE": _is_german, "BE": _is_belgian, "IT": is_luhn}


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


@lru_cache(_REMEMBER)
def _ends_in_gs1_digit(text: str) -> bool:
    return _is_digits(text) and gs1_check_digit(text[:-1]) == text[-1]


def _mod97(text: str) -> int:
    return int("".join(str(int(letter, 36)) for letter in text)) % 97


def sscc_of(extension: str, prefix: str, serial: str) -> str:
    """The 18 digits of a shipping unit: extension digit, company prefix, serial filled up with zeros, check digit.

    Raises ValueError where they do not make 17 digits before the check digit.
    """
    room = 16 - len(prefix)
    if not (len(extension) == 1 and 4 <= len(prefix) <= 12 and 0 < len(serial) <= room):
        raise ValueError("an SSCC has 1 digit of extension and 16 of company prefix and serial number")
    digits = extension + prefix + serial.zfill(room)
    return digits + gs1_check_digit(digits)


def iban_of(country: str, account: str) -> str:
    """The IBAN of a national account number (BBAN). Raises ValueError where its length is not the country's."""
    if not re.fullmatch(r"[A-Z0-9]{1,30}", account) or _IBAN_LENGTHS.get(country) != len(account) + 4:
        raise ValueError("the account number has not the length of its country")
    return f"{country}{98 - _mod97(account + country + '00'):02d}{account}"


def is_qr_iban(text: str) -> bool:
    """An IBAN of Switzerland or Liechtenstein that takes QR references: its bank number is 30000 to 31999."""
    return text[:2] in ("CH", "LI") and is_iban(text) and "30000" <= text[4:9] <= "31999"


def is_bic(text: str) -> bool:
    """A business identifier code, ISO 9362: 8 or 11 signs, letters of a country in places 5 and 6."""
    return _BIC.fullmatch(text) is not None


def is_lei(text: str) -> bool:
    """A legal entity identifier, ISO 17442: 18 letters and digits and two check digits."""
    return _LEI.fullmatch(text) is not None and _mod97(text) == 1


def luhn_digit(digits: str) -> str:
    """The check digit (modulus 10, Luhn) that completes a number of cards, OCR or KID."""
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in digits[::-2])
    return str(-(doubled + sum(map(int, digits[-2::-2]))) % 10)


def kid_digit(digits: str) -> str:
    """The check sign of a Norwegian KID by modulus 11: a digit, or a hyphen for ten."""
    rest = 11 - sum(int(digit) * (2 + place % 6) for place, digit in enumerate(reversed(digits))) % 11
    return "-" if rest == 10 else str(rest % 11)


def is_kid(text: str) -> bool:
    """A Norwegian customer identification: 2 to 25 signs, the last of which checks by modulus 10 or 11."""
    body = text[:-1]
    return 2 <= len(text) <= 25 and _is_digits(body) and text[-1] in (luhn_digit(body), kid_digit(body))


def qr_digit(digits: str) -> str:
    """The check digit of a Swiss QR or ESR reference: modulus 10, recursive."""
    carry = 0
    for digit in digits:
        carry = (0, 9, 4, 6, 8, 2, 7, 1, 3, 5)[(carry + int(digit)) % 10]
    return str((10 - carry) % 10)


def is_qr_reference(text: str) -> bool:
    """A Swiss QR reference: 27 digits, not all zero, the last of which checks."""
    return len(text) == 27 and _is_digits(text) and text.strip("0") != "" and qr_digit(text[:-1]) == text[-1]


def viite_digit(digits: str) -> str:
    """The check digit of a Finnish viitenumero: weights 7, 3, 1 from the right."""
    return str(-sum(int(digit) * (7, 3, 1)[place % 3] for place, digit in enumerate(reversed(digits))) % 10)


def is_viite(text: str) -> bool:
    """A Finnish viitenumero: 4 to 20 digits, the last of which checks."""
    return 4 <= len(text) <= 20 and _is_digits(text) and viite_digit(text[:-1]) == text[-1]


def ogm_digits(digits: str) -> str:
    """The two check digits of a Belgian structured communication: the rest by 97, and 97 for none."""
    return f"{int(digits) % 97 or 97:02d}"


def is_ogm(text: str) -> bool:
    """The 12 digits of a Belgian structured communication."""
    return len(text) == 12 and _is_digits(text) and ogm_digits(text[:10]) == text[10:]


def kenmerk_digit(digits: str) -> str:
    """The check digit in front of the 15 digits of a Dutch betalingskenmerk: modulus 11."""
    weights = (2, 4, 8, 5, 10, 9, 7, 3, 6, 1)
    rest = sum(int(digit) * weights[place % 10] for place, digit in enumerate(reversed(digits))) % 11
    return {0: "0", 1: "1"}.get(rest, str(11 - rest))


def is_kenmerk(text: str) -> bool:
    """A Dutch betalingskenmerk in its form of 16 digits, the first of which checks."""
    return len(text) == 16 and _is_digits(text) and kenmerk_digit(text[1:]) == text[0]
