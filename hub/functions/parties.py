"""Who: bank accounts, banks, tax numbers, numbers of companies."""

from __future__ import annotations

from typing import Any

from hub import identifiers
from hub.functions.listed_codes import column
from hub.functions.national_numbers import REGISTERS, company_rule, holds, vat_rule
from hub.functions.refusal import LONGEST, expected, kind_of, refusal
from hub.functions.registry import function


def _compact(value: object, name: str, also: str = "") -> str:
    if value.__class__ is not str:
        raise refusal(f"{name} wants text, got {kind_of(value)}", value, expected="text", hint=f"write {name}(text(…))")
    # No number of these is longer; of a text that somebody made long, the beginning is as wrong as the whole.
    kept = "".join(value[:LONGEST].split()).upper()
    return "".join(sign for sign in kept if sign not in also)


@function(
    args="text",
    returns="text",
    nothing="empty",
    examples=[("iban('de89 3704 0044 0532 0130 00')", "DE89370400440532013000"), ("iban(null)", None)],
)
def iban(value: Any) -> str | None:
    """An account number in its electronic form; wrong length or check digits are an error."""
    if value is None or value == "":
        return None
    account = _compact(value, "iban")
    if not identifiers.is_iban(account):
        # An account number is personal: the text does not show it.
        raise refusal("expected an IBAN with right length and check digits", value, expected="an IBAN")
    return account


@function(args="text", returns="boolean", nothing="never", examples=[("is_iban('DE89370400440532013001')", False)])
def is_iban(value: Any) -> bool:
    """Whether a text is an IBAN of the right length with the right check digits."""
    return value is not None and identifiers.is_iban(_compact(value, "is_iban"))


@function(
    args="text",
    returns="text",
    nothing="empty",
    examples=[("vat_id('de 123.456.788')", "DE123456788"), ("vat_id('')", None)],
)
def vat_id(value: Any) -> str | None:
    """A VAT number with its country in front, without blanks, points and hyphens; a wrong form is an error."""
    if value is None or value == "":
        return None
    number = _compact(value, "vat_id", ".-")
    if not identifiers.is_vat_id(number):
        raise expected("a VAT number with its country, such as DE123456788", value)
    return number


@function(args="text", returns="boolean", nothing="never", examples=[("is_vat_id('DE123')", False)])
def is_vat_id(value: Any) -> bool:
    """Whether a text has the form of a VAT number of its country."""
    return value is not None and identifiers.is_vat_id(_compact(value, "is_vat_id", ".-"))


@function(
    args="text, text",
    returns="text",
    examples=[("build_iban('DE', '370400440532013000')", "DE89370400440532013000"), ("build_iban('DE', null)", None)],
    nothing="always",
)
def build_iban(country: Any, account: Any) -> str | None:
    """The IBAN of a national account number (bank, branch and account with their zeros) and its country."""
    if country is None or account is None or country == "" or account == "":
        return None
    code, number = _compact(country, "build_iban"), _compact(account, "build_iban", "-./")
    try:
        return identifiers.iban_of(code, number)
    except ValueError:
        raise refusal("expected an account number of the length of its country", account, expected="a BBAN") from None


@function(
    args="text",
    returns="text",
    nothing="empty",
    examples=[("printed_iban('DE89370400440532013000')", "DE89 3704 0044 0532 0130 00")],
)
def printed_iban(value: Any) -> str | None:
    """An IBAN in groups of four, as it is printed on paper."""
    account = iban(value)
    return None if account is None else " ".join(account[at : at + 4] for at in range(0, len(account), 4))


@function(
    args="text",
    returns="boolean",
    nothing="never",
    examples=[("is_qr_iban('CH44 3199 9123 0008 8901 2')", True), ("is_qr_iban('DE89370400440532013000')", False)],
)
def is_qr_iban(value: Any) -> bool:
    """Whether a text is an IBAN of Switzerland or Liechtenstein that takes QR references only."""
    return value is not None and identifiers.is_qr_iban(_compact(value, "is_qr_iban"))


@function(
    args="text", returns="text", nothing="empty", examples=[("bic('deut deff')", "DEUTDEFF"), ("bic(null)", None)]
)
def bic(value: Any) -> str | None:
    """A bank's code (BIC, ISO 9362) in capitals, 8 or 11 signs; another form is an error."""
    if value is None or value == "":
        return None
    if not is_bic(value):
        raise expected("a BIC such as DEUTDEFF", value)
    return _compact(value, "bic")


@function(
    args="text",
    returns="boolean",
    nothing="never",
    examples=[("is_bic('DEUTDEFF500')", True), ("is_bic('DEUTXX')", False), ("is_bic(null)", False)],
)
def is_bic(value: Any) -> bool:
    """Whether a text has the form of a BIC of a country there is."""
    code = "" if value is None else _compact(value, "is_bic")
    return identifiers.is_bic(code) and (code[4:6] in column("codes/iso3166-1", "code", "name"))


@function(
    args="text",
    returns="boolean",
    nothing="never",
    examples=[
        ("is_valid_vat_id('DE136695976')", True),
        ("is_valid_vat_id('DE123456780')", False),
        ("is_valid_vat_id('CHE-107.787.577 IVA')", True),
        ("is_valid_vat_id(null)", False),
    ],
)
def is_valid_vat_id(value: Any) -> bool:
    """Whether a VAT number has the form *and* the check digits of its country. Whether it is in use, only the
    authority knows; for a country whose rule is not known the form counts."""
    if value is None:
        return False
    number = _compact(value, "is_valid_vat_id", ".-")
    module = vat_rule(number[:2])
    if module is None:
        return identifiers.is_vat_id(number)
    return holds(module, number) or holds(module, number[2:])


@function(
    args="text, text",
    returns="text",
    nothing="empty",
    examples=[
        ("company_number('732 829 320', 'FR')", "732829320"),
        ("company_number('974760673', 'NO')", "974760673"),
        ("company_number(null, 'FR')", None),
    ],
)
def company_number(value: Any, country: Any) -> str | None:
    """A company's number in the register of its country (SIREN, KBO, CVR, organisasjonsnummer, UID …) in its short
    form; wrong check digits are an error."""
    if value is None or value == "":
        return None
    module = _register(country)
    number = _compact(value, "company_number")
    if not holds(module, number):
        raise expected(f"a company number of {country} with its check digits", value)
    return str(module.compact(number))


@function(
    args="text, text",
    returns="boolean",
    nothing="never",
    examples=[("is_company_number('732829320', 'FR')", True), ("is_company_number('732829321', 'FR')", False)],
)
def is_company_number(value: Any, country: Any) -> bool:
    """Whether a text is a company's number of its country with the right check digits."""
    module = _register(country)
    return value is not None and holds(module, _compact(value, "is_company_number"))


def _register(country: object) -> Any:
    module = company_rule(country) if isinstance(country, str) else None
    if module is None:
        raise refusal(f"company numbers are known of {', '.join(REGISTERS)}", expected="one of these countries")
    return module


@function(
    args="text", returns="text", nothing="empty", examples=[("duns('15-048-3782')", "150483782"), ("duns(null)", None)]
)
def duns(value: Any) -> str | None:
    """A D-U-N-S number as nine digits, without hyphens and blanks; it has no check digit."""
    if value is None or value == "":
        return None
    number = _compact(value, "duns", "-")
    if not (len(number) == 9 and number.isascii() and number.isdigit()):
        raise expected("the nine digits of a D-U-N-S number", value)
    return number


@function(
    args="text",
    returns="boolean",
    nothing="never",
    examples=[("is_lei('529900T8BM49AURSDO55')", True), ("is_lei('529900T8BM49AURSDO56')", False)],
)
def is_lei(value: Any) -> bool:
    """Whether a text is a legal entity identifier (ISO 17442) with the right check digits."""
    return value is not None and identifiers.is_lei(_compact(value, "is_lei"))
