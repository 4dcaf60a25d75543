"""What a mapping function cannot take it refuses in words a user knows, with what to write instead."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

import pytest

from hub.errors import MappingError
from hub.functions import functions

AN_INSTANT = "2026-03-05T10:00:00Z"
REFUSED: list[tuple[str, tuple[Any, ...], str]] = [
    ("dec", ("12,50",), "expected a decimal number, got '12,50'; write dec(replace(…, ',', '.'))"),
    (
        "dec",
        ("1.234,50",),
        "expected a decimal number, got '1.234,50'; "
        "write dec(replace(replace(…, '.', ''), ',', '.')) where the point separates thousands",
    ),
    ("dec", (" 12",), "expected a decimal number, got ' 12'; write dec(strip(…))"),
    ("dec", ("NaN",), "expected a decimal number, got 'NaN'"),
    ("dec", ("Infinity",), "expected a decimal number, got text of 8 characters"),
    ("dec", ("1_000",), "expected a decimal number, got '1_000'"),
    ("dec", ("١٢",), "expected a decimal number, got '١٢'"),
    ("dec", ("1e3000000",), "a number may have 40 digits and an exponent up to 20, got more"),
    ("dec", (Decimal("1e3000000"),), "a number may have 40 digits and an exponent up to 20, got more"),
    ("dec", (Decimal("NaN"),), "expected a number, got one that is infinite or undefined"),
    ("dec", (10**41,), "a number may have 40 digits, got more"),
    ("dec", ("1" * 60,), "expected a decimal number, got text of 60 characters"),
    ("dec", (0.1,), "expected a decimal number, got a binary floating point number"),
    ("dec", (True,), "expected a decimal number, got true"),
    ("dec", ({},), "expected a decimal number, got an object"),
    ("dec", ("Erika Muster",), "expected a decimal number, got text of 12 characters"),
    ("int", ("1.5",), "expected a whole number, got '1.5'; write int(round(…))"),
    ("int", (Decimal("1e3000000"),), "a number may have 40 digits and an exponent up to 20, got more"),
    ("text", ({"a": 1},), "cannot make text of an object"),
    ("text", (1.5,), "cannot make text of a binary floating point number"),
    ("text", (Decimal("1e-3000000"),), "a number may have 40 digits and an exponent up to 20, got more"),
    ("upper", (5,), "upper wants text, got a number; write upper(text(…))"),
    ("pad_left", ("a", 10**9), "expected a whole number from 0 to 100000 for pad_left, got 1000000000"),
    ("pad_left", ("a", 5, "ab"), "expected one character to fill with, got 'ab'"),
    ("replace", ("a" * 60_000, "a", "bb"), "the text would be longer than 100000 characters"),
    ("replace", ("abc", "", "x"), "replace wants a text to look for, got empty text"),
    ("join", (["a" * 60_000, "b" * 60_000], ","), "the text would be longer than 100000 characters"),
    ("split", ("a,b", ""), "split wants a separator, got empty text"),
    ("substring", ("abc", 0), "substring counts from 1, got 0; write 1 for the first character"),
    ("matches", ("a", "*" * 300), "matches takes patterns up to 200 and texts up to 10000 characters"),
    ("sum", ([1, None],), "sum: element 2 is nothing"),
    ("sum", (["1"],), "sum: element 1 is text; write sum(dec(x) for x in …)"),
    ("sum", ({"a": 1},), "sum wants a list, got an object; write listed(…) for one object that stands without a list"),
    ("count", ("abc",), "count wants a list, got text"),
    ("max", (1, "a"), "max wants values of one kind, got a number and text"),
    ("sort", ([1, None],), "sort cannot place nothing"),
    ("sort", ([1, "a"],), "sort wants values of one kind, got text and numbers"),
    ("group", ([1], "a"), "group by a field wants objects, got a number"),
    ("money", (Decimal("1"), "eur"), "expected a currency of ISO 4217, got 'eur'; write 'EUR', in capitals"),
    ("money", (Decimal("1"), "ZZZ"), "expected a currency of ISO 4217, got 'ZZZ'"),
    ("money", (Decimal("1"), None), "money needs a currency, got nothing"),
    ("money", ("1.00", "EUR"), "money wants a number, got text; write money(dec(…))"),
    ("money", (True, "EUR"), "money wants a number, got true/false"),
    ("money", (Decimal("1E+60"), "EUR"), "an amount may have 40 digits, got more"),
    ("money", (Decimal("1.005"), "EUR", 1), "expected from 2 to 10 decimals for this currency, got 1"),
    (
        "from_minor",
        ("12.5", "EUR"),
        "expected a whole number of minor units, got '12.5'; write dec(…) if it is a decimal amount",
    ),
    ("to_minor", (Decimal("1.005"), "EUR"), "the amount has more decimals than EUR has; write round(…) first"),
    ("date", ("20260305",), "expected a date such as 2026-03-05, got '20260305'; write parse_date(…, 'YYYYMMDD')"),
    (
        "date",
        ("05.03.2026",),
        "expected a date such as 2026-03-05, got '05.03.2026'; write parse_date(…, 'DD.MM.YYYY'), or MM first",
    ),
    ("date", ("2026-02-30",), "expected a date such as 2026-03-05, got '2026-02-30'"),
    ("date", ("2026-W10-4",), "expected a date such as 2026-03-05, got '2026-W10-4'"),
    ("date", ("2026-03-05+15:00",), "expected a date such as 2026-03-05, got '2026-03-05+15:00'"),
    ("date", ("2026-03-05x10:00",), "expected a date such as 2026-03-05, got '2026-03-05x10:00'"),
    ("format_date", ("2026-03-05Z10", "YYYY"), "expected a date such as 2026-03-05, got '2026-03-05Z10'"),
    *(
        (
            name,
            (f"2026-03-05{rest}", "Europe/Paris"),
            f"expected an instant such as {AN_INSTANT}, got '2026-03-05{rest}'",
        )
        for name, rest in itertools.product(("instant", "local_time"), ("+01:00", "-05:00", "x10:00", "+01:00+01:00"))
    ),
    ("date", ("yesterday",), "expected a date such as 2026-03-05, got text of 9 characters"),
    ("date", (1772705331,), "expected a date such as 2026-03-05, got 1772705331"),
    (
        "instant",
        ("2026-03-05T10:00:00",),
        "the time has no offset, so it is no instant; write instant(…, 'Europe/Paris') with the zone the sender means",
    ),
    ("instant", ("2026-03-05",), "expected an instant such as 2026-03-05T10:00:00Z, got '2026-03-05'"),
    (
        "instant",
        ("2026-03-05T25:00:00Z",),
        "expected an instant such as 2026-03-05T10:00:00Z, got '2026-03-05T25:00:00Z'",
    ),
    (
        "instant",
        ("0001-01-01T00:00:00+14:00",),
        "expected an instant such as 2026-03-05T10:00:00Z, got '0001-01-01T00:00:00+14:00'",
    ),
    (
        "instant",
        ("2026-03-05T10:00:00", "Mars/Base"),
        "expected a time zone such as 'Europe/Paris', got a name that is none",
    ),
    (
        "instant",
        ("2026-03-05T10:00:00", "../../etc/passwd"),
        "expected a time zone such as 'Europe/Paris', got a name that is none",
    ),
    ("parse_date", ("5.3.2026", "DD.MM.YYYY"), "expected a date as DD.MM.YYYY, got '5.3.2026'"),
    ("parse_date", ("20260305", "%c"), "the pattern holds '%'; it may hold YYYY YY MM DD hh mm ss and punctuation"),
    ("format_date", ("2026-03-05", "Q"), "the pattern holds 'Q'; it may hold YYYY YY MM DD hh mm ss and punctuation"),
    ("add_days", ("2026-03-05", 10**12), "expected a number of days that leads to a date, got 1000000000000"),
    ("add_days", ("2026-03-05", "3"), "expected a whole number of days, got '3'; write int(…)"),
    ("from_epoch", (10**15,), "expected an instant before the year 10000, got 1000000000000000"),
    ("iban", ("DE89370400440532013001",), "expected an IBAN with right length and check digits"),
    ("vat_id", ("DE12",), "expected a VAT number with its country, such as DE123456788, got 'DE12'"),
    ("gtin", ("4012345000008",), "expected a GTIN with its check digit, got '4012345000008'"),
    (
        "country_code",
        ("Germany",),
        "expected a country code of two letters; write lookup(…, 'countries') with a table of your own",
    ),
    ("rf_reference", ("A" * 22,), "expected 1 to 21 letters and digits, got text of 22 characters"),
    ("check_digit", ("12a",), "expected up to 30 digits, got '12a'"),
    ("truncate", ("Hydraulic hose", 2, "..."), "an ending of 3 characters does not fit into 2"),
    ("chunks", ("abc", 0), "chunks wants a length of 1 or more, got 0"),
    ("find", ("abc", "a*"), "find wants a pattern without '*' that is not empty"),
    (
        "transliterate",
        ("ä", "UTF-8"),
        "expected one of UNOA, UNOB, UNOC, ASCII, LATIN1, SEPA, X12, got 'UTF-8'",
    ),
    (
        "transliterate",
        ("ä", "SEPA", "#"),
        "expected at most one character of SEPA for what has no counterpart, got '#'",
    ),
    ("parse_number", ("1,234.50", ","), "expected a number with ',' before its decimals, got '1,234.50'"),
    ("parse_number", ("12.50", ";"), "expected '.' or ',' as the sign before the decimals, got ';'"),
    ("round_to", (Decimal(1), 0), "expected a step above 0, got 0"),
    ("implied_decimals", ("12.5", 2), "expected digits without a point, got '12.5'"),
    ("allocate", (Decimal("0.005"), [1], "EUR"), "the amount has more decimals than EUR has; write round(…) first"),
    ("allocate", (1, [], "EUR"), "expected a list of 1 to 10000 shares, got a list"),
    ("allocate", (1, [0, 0], "EUR"), "allocate wants shares of 0 or more, one of them above 0"),
    (
        "total_money",
        ([{"amount": "1", "currency": "EUR"}, {"amount": "1", "currency": "USD"}],),
        "total_money cannot add amounts of different currencies",
    ),
    ("tax_on_net", (1, -1, "EUR"), "expected a rate from 0 to 1000 per cent, got -1"),
    ("convert_unit", (1, "KGM", "MTR"), "KGM measures mass, MTR measures length: one is not the other"),
    (
        "convert_unit",
        (1, "XBX", "C62"),
        "no fixed factor is known for the unit 'XBX'; "
        "multiply by a factor of your own: pieces in a box are another number for each article",
    ),
    ("country_code3", ("XX",), "expected a country of ISO 3166, got 'XX'"),
    ("currency_code", ("000",), "expected a currency of ISO 4217, got '000'"),
    ("incoterm", ("FREE",), "expected a term of delivery such as DAP, got text of 4 characters"),
    ("bic", ("DEUTXXFF1",), "expected a BIC such as DEUTDEFF, got 'DEUTXXFF1'"),
    ("company_number", ("732829321", "FR"), "expected a company number of FR with its check digits, got '732829321'"),
    ("duns", ("12",), "expected the nine digits of a D-U-N-S number, got '12'"),
    ("build_iban", ("DE", "37040044"), "expected an account number of the length of its country"),
    (
        "build_sscc",
        ("33", "4012345", "1"),
        "an SSCC has 1 digit of extension and 16 of company prefix and serial number",
    ),
    ("qr_reference", ("1" * 27,), "expected 1 to 26 digits, got '111111111111111111111111111'"),
    ("kid_reference", ("12", "MOD9"), "expected 'MOD10' or 'MOD11', got 'MOD9'"),
    (
        "instant",
        ("2026-10-25T02:30:00", "Europe/Paris", "refuse"),
        "this time comes twice where clocks are put",
    ),
    ("instant", ("2026-03-29T02:30:00", "Europe/Paris", "refuse"), "this time is skipped where clocks are put"),
    ("edifact_date", ("20260305", "999"), "the format '999' of list 2379 is not a date that is known"),
    ("edifact_date", ("20261305", "102"), "expected a date as YYYYMMDD, got '20261305'"),
    (
        "edifact_instant",
        ("202603051030", "203"),
        "the time has no offset, so it is no instant; give the zone as the third argument",
    ),
    ("x12_instant", ("20260305", "10", "ET"), "expected a date of 8 digits and a time of 4, 6 or 8, got '20260305 10'"),
    (
        "next_business_day",
        ("2026-03-05", "France"),
        "expected a calendar such as 'FR', 'DE-BY' or 'TARGET', got text of 6 characters",
    ),
    (
        "next_business_day",
        ("2026-03-05", "DE-ZZ"),
        "expected a calendar such as 'FR', 'DE-BY' or 'TARGET', got text of 5 characters",
    ),
    *(
        (
            "next_business_day",
            ("2026-03-05", name),
            f"expected a calendar such as 'FR', 'DE-BY' or 'TARGET', got text of {len(name)} characters",
        )
        for name in (
            "BANK",
            "ARMENIAN",
            "DE-BY-",
            "TARGET-X",
            "WORKDAY",
        )  # names that the package knows as something else
    ),
    ("add_business_days", ("2026-03-05", 10**9, "FR"), "expected a whole number of days up to 3660, got 1000000000"),
    ("is_business_day", ("9999-03-05", "FR"), "expected a date from 1970 to 2100, got '9999-03-05'"),
    ("day_of_week", ("2026-W60",), "expected a week such as 2026-W10, got '2026-W60'"),
    ("sum_by", ([{"a": "x"}], "b", "a"), "expected a decimal number, got 'x'"),
    ("index_by", ([{"a": 1}], "a"), "index_by wants text in the field, got a number"),
    ("running_total", (["1"],), "running_total: element 1 is text; write [dec(x) for x in …]"),
    ("references_in", ("1" * 10_001,), "references_in takes texts up to 10000 characters"),
]


@pytest.mark.parametrize(("name", "arguments", "message"), REFUSED, ids=lambda value: str(value)[:40])
def test_a_refusal_says_what_came_and_what_to_write(name: str, arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(MappingError) as raised:
        functions()[name].call(*arguments)
    assert str(raised.value) == message


VALUES: list[Any] = [
    None,
    True,
    0,
    -1,
    10**60,
    Decimal("1.5"),
    Decimal("NaN"),
    Decimal("-Infinity"),
    Decimal("1E+3000000"),
    0.5,
    "",
    " ",
    "x",
    "é" * 50,
    "2026-03-05",
    "2026-03-05T10:00:00Z",
    "EUR",
    "\x00",
    "\ud800",
    [],
    [None],
    [1, "a"],
    {},
    {"a": {}},
]


@pytest.mark.parametrize("function", functions().values(), ids=lambda function: function.name)
def test_whatever_comes_a_function_answers_or_refuses_in_words(function: Any) -> None:
    for count in range(function.least, min(function.most or 3, 3) + 1):
        for first in VALUES:
            for other in VALUES:
                try:
                    found = function.call(*[first, other, other][:count])
                except MappingError as error:
                    assert not any(word in str(error) for word in ("NoneType", "'dict'", "Decimal("))
                else:
                    assert not isinstance(found, float) or isinstance(first, float) or isinstance(other, float)


def test_a_pattern_with_many_stars_takes_no_time() -> None:
    assert functions()["matches"].call("a" * 5000 + "b", "*a*a*a*a*a*a*a*a*c") is False
