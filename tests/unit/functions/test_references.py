"""References, numbers and calendars against published examples and against another implementation of the same rule."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from stdnum import iso11649, luhn
from stdnum.ch import esr

from hub import identifiers
from hub.functions import functions


def call(name: str, *arguments: Any) -> Any:
    return functions()[name].call(*arguments)


@pytest.mark.parametrize(
    ("name", "number", "reference"),
    [
        ("rf_reference", "539007547034", "RF18539007547034"),  # ISO 11649's own example
        ("kid_reference", "234567", "2345676"),  # Norwegian banks' description of modulus 10
        ("qr_reference", "21000000000313947143000901", "210000000003139471430009017"),  # the QR-bill's style guide
        ("viite_reference", "123456", "1234561"),  # Finance Finland
        ("ogm_reference", "0909337554", "+++090/9337/55493+++"),  # Febelfin
        ("kenmerk_reference", "000056789012345", "5000056789012345"),  # Betaalvereniging
    ],
)
def test_a_published_reference_is_what_comes_out(name: str, number: str, reference: str) -> None:
    assert call(name, number) == reference
    assert call(f"is_{name}", reference) is True


REFERENCES = [
    ("rf_reference", 1, 21), ("kid_reference", 1, 24), ("qr_reference", 1, 26), ("viite_reference", 3, 19),
    ("ogm_reference", 1, 10), ("kenmerk_reference", 1, 15), ("ocr_reference", 1, 23),
]  # fmt: skip


@pytest.mark.parametrize(("name", "least", "most"), REFERENCES)
def test_a_changed_digit_breaks_every_reference(name: str, least: int, most: int) -> None:
    draw = random.Random(name)
    for _ in range(200):
        number = str(draw.randrange(1, 10)) + "".join(draw.choices("0123456789", k=draw.randint(least, most) - 1))
        reference = call(name, number)
        assert call(f"is_{name}", reference) is True
        places = [place for place, sign in enumerate(reference) if sign.isdigit()]
        place = draw.choice(places)
        other = draw.choice([digit for digit in "0123456789" if digit != reference[place]])
        changed = reference[:place] + other + reference[place + 1 :]
        if name == "kid_reference":  # changed, it may still check by modulus 11
            assert changed[-1] != identifiers.luhn_digit(changed[:-1])
        elif (
            name != "kenmerk_reference" or reference[0] != "1"
        ):  # where modulus 11 gives one or ten, both are written 1
            assert call(f"is_{name}", changed) is False


def test_our_rules_are_those_of_another_implementation() -> None:
    draw = random.Random(4)
    for _ in range(500):
        digits = "".join(draw.choices("0123456789", k=draw.randint(2, 26)))
        assert identifiers.luhn_digit(digits) == luhn.calc_check_digit(digits)
        assert identifiers.qr_digit(digits.zfill(26)) == esr.calc_check_digit(digits.zfill(26))
        assert iso11649.is_valid(identifiers.creditor_reference(digits[:21]))


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ("INV 4711 AND INV 4712", [("invoice", "4711"), ("invoice", "4712")]),
        ("Rechnung Nr. 2026-0815 vom 05.03.2026", [("invoice", "2026-0815")]),
        ("facture n° F2026-17", [("invoice", "F2026-17")]),
        (["Rechnung 47", "11 RF18 5390 0754 7034"], [("invoice", "47"), ("rf", "RF18539007547034")]),
        ("RF18539007547034 RF18539007547034", [("rf", "RF18539007547034")]),
        ("RF18 5390 0754 7035", []),
        ("***090/9337/55493***", [("ogm", "090933755493")]),
        ("OCR 12345674", [("ocr", "12345674")]),
        ("VIITENUMERO 1234561", [("viite", "1234561")]),
        ("betalingskenmerk 5000 0567 8901 2345", [("kenmerk", "5000056789012345")]),
        ("phone +33 1 23456789, order 12345674", []),
        ("REWE 12345 PRESENT 4", []),
        ("re 5 items of RE-2026-07", [("invoice", "RE-2026-07")]),
    ],
)
def test_references_are_found_in_what_payers_write(texts: Any, expected: list[tuple[str, str]]) -> None:
    assert [(found["kind"], found["value"]) for found in call("references_in", texts)] == expected


@pytest.mark.parametrize("sign", ["RF18 ", "1 ", "+++", "INV-", "KID 1-", "A1/", "RE 1.", "0"])
def test_a_text_made_to_be_slow_is_not(sign: str) -> None:
    assert isinstance(call("references_in", (sign * 10_000)[:10_000]), list)


def test_parts_of_an_amount_always_add_up_to_it() -> None:
    draw = random.Random(1)
    for _ in range(500):
        cents = draw.randint(-100_000, 100_000)
        shares = [Decimal(draw.randint(0, 1000)) / 10 for _ in range(draw.randint(1, 9))]
        if any(shares):
            parts = call("allocate", Decimal(cents) / 100, shares, "EUR")
            assert sum(parts) == Decimal(cents) / 100
            exact = [Decimal(cents) / 100 * share / sum(shares) for share in shares]
            assert all(abs(part - wanted) < Decimal("0.01") for part, wanted in zip(parts, exact, strict=True))


def easter(year: int) -> date:
    """Easter Sunday by Gauss, as written in every almanac."""
    a, b, c = year % 19, year // 100, year % 100
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    k = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    m = (a + 11 * h + 22 * k) // 451
    month, day = divmod(h + k - 7 * m + 114, 31)
    return date(year, month, day + 1)


@pytest.mark.parametrize("year", range(2002, 2041))
def test_target_is_closed_when_the_central_bank_says(year: int) -> None:
    sunday = easter(year)
    closed = {date(year, 1, 1), sunday - timedelta(2), sunday + timedelta(1), date(year, 5, 1)}
    closed |= {date(year, 12, 25), date(year, 12, 26)}
    day = date(year, 1, 1)
    while day.year == year:
        is_open = day.weekday() < 5 and day not in closed
        assert call("is_business_day", day.isoformat(), "TARGET") is is_open, day
        day += timedelta(1)


@pytest.mark.parametrize(
    ("day", "calendar", "is_open"),
    [
        ("2026-06-04", "DE-BY", False),  # Corpus Christi in Bavaria
        ("2026-06-04", "DE-BE", True),  # not in Berlin
        ("2026-07-03", "US", False),  # Independence Day, a Saturday, is kept on Friday
        ("2026-03-06", "SA", False),  # Friday is free in Saudi Arabia
        ("2026-03-08", "SA", True),  # and Sunday is not
        ("2026-05-04", "GB", False),  # Early May bank holiday
    ],
)
def test_calendars_are_those_of_the_country(day: str, calendar: str, is_open: bool) -> None:
    assert call("is_business_day", day, calendar) is is_open


VAT = [
    "ATU13585627", "BE0428759497", "DE136695976", "FR40303265045", "NL004495445B01", "IT00743110157", "ESB58378431",
    "PL8567346215", "GB980780684", "FI20774740", "CZ25123891", "EL094259216", "IE6433435F", "NO995525828MVA",
    "PT501964843", "LU15027442",
]  # fmt: skip


@pytest.mark.parametrize("number", VAT)
def test_a_vat_number_in_use_is_valid_and_one_digit_off_is_not(number: str) -> None:
    assert call("is_valid_vat_id", number) is True
    place = next(place for place, sign in enumerate(number) if place > 4 and sign.isdigit())
    assert call("is_valid_vat_id", f"{number[:place]}{(int(number[place]) + 1) % 10}{number[place + 1 :]}") is False
