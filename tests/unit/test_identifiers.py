"""Check digits against numbers published as examples, and the decimals of currencies against the code list."""

import csv

import pytest

from hub.identifiers import (
    creditor_reference,
    currencies,
    currency_exponent,
    gs1_check_digit,
    has_vat_check_digit,
    is_creditor_reference,
    is_gln,
    is_gtin,
    is_iban,
    is_luhn,
    is_sscc,
    is_vat_id,
    looks_like_iban,
)
from tests.unit.canonical import ROOT


@pytest.mark.parametrize(
    ("check", "right", "wrong"),
    [
        (
            is_gln,
            ["4012345000009", "5412345000013"],
            ["4012345000008", "401234500000", "04012345000009", "", "401234500000９"],
        ),
        (
            is_gtin,
            ["96385074", "036000291452", "4006381333931", "04012345000016"],
            ["4006381333932", "1234567", "12345678901"],
        ),
        (
            is_sscc,
            ["340123450000000017", "340123450000000024"],
            ["340123450000000018", "40123450000000017", "34012345000000001X"],
        ),
        (
            is_iban,
            ["DE02120300000000202051", "GB82WEST12345698765432", "NO9386011117947", "MT84MALT011000012345MTLCAST001S"],
            [
                "DE02120300000000202052",
                "DE0212030000000020205",
                "DE02 1203 0000 0000 2020 51",
                "de02120300000000202051",
                "XX02120300000000202051",
                "DE00120300000000202051",
                "",
                "GB82WEST1234569876543²",
            ],
        ),
        (
            is_creditor_reference,
            ["RF18539007547034", "RF471234567890"],
            ["RF19539007547034", "RF18", "18539007547034", "RF18 5390"],
        ),
        (is_luhn, ["4242424242424242", "79927398713", "378282246310005"], ["4242424242424241", "0", "", "42 42", "٤٢"]),
        (
            is_vat_id,
            [
                "DE123456788",
                "ATU12345678",
                "FRXX999999999",
                "IE1234567WA",
                "NL123456789B01",
                "EL123456789",
                "XI123456789",
                "ESX1234567R",
                "CHE-123.456.789 MWST",
                "NO999999999MVA",
            ],
            [
                "123456788",
                "DE12345678",
                "DE1234567890",
                "de123456788",
                "AT12345678",
                "D",
                "",
                "DE12345678٨",
                "DE123456788 ",
            ],
        ),
    ],
)
def test_numbers_are_told_right_from_wrong(check, right, wrong):
    assert [number for number in right if not check(number)] == []
    assert [number for number in wrong if check(number)] == []


def test_a_check_digit_completes_its_number():
    assert gs1_check_digit("401234500000") == "9"
    assert gs1_check_digit("34012345000000001") == "7"
    with pytest.raises(ValueError, match="digits only"):
        gs1_check_digit("40-12")


@pytest.mark.parametrize("reference", ["539007547034", "2026-1001".replace("-", ""), "A", "x" * 21])
def test_a_creditor_reference_that_we_make_is_right(reference):
    assert is_creditor_reference(creditor_reference(reference))


@pytest.mark.parametrize("reference", ["", "2026-1001", "Ä", "x" * 22])
def test_what_cannot_be_a_creditor_reference_is_refused(reference):
    with pytest.raises(ValueError, match="1 to 21 letters and digits"):
        creditor_reference(reference)


def test_account_numbers_that_are_no_iban_are_told_apart_from_wrong_ones():
    assert looks_like_iban("DE02120300000000202052")
    assert not looks_like_iban("0001234567")
    assert not looks_like_iban("AB12345678901234567")


@pytest.mark.parametrize(
    ("code", "exponent"), [("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("ZZZ", None), ("eur", None)]
)
def test_a_currency_has_its_decimals(code, exponent):
    assert currency_exponent(code) == exponent


def test_the_currencies_are_those_of_the_code_list():
    with (ROOT / "schemas/codes/iso4217.csv").open(encoding="utf-8", newline="") as file:
        listed = {row["code"]: int(row["exponent"]) for row in csv.DictReader(file)}
    assert listed == {code: currency_exponent(code) for code in currencies()}


@pytest.mark.parametrize(
    ("vat_id", "is_right"),
    [
        ("DE136695976", True), ("DE136695967", False), ("DE123456788", True), ("BE0428759497", True),
        ("BE0428759479", False), ("IT00743110157", True), ("IT00743110175", False), ("FR40303265045", True),
        ("DEX", True), ("", True),
    ],
)  # fmt: skip
def test_the_check_digits_of_a_vat_number_are_those_of_its_country(vat_id: str, is_right: bool) -> None:
    assert has_vat_check_digit(vat_id) is is_right
