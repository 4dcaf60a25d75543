"""Decimals as all formats write them: no exponent, and no more digits than the hub reads itself."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Any

import pytest

from hub.errors import MappingError
from hub.formats import codec
from hub.formats._decimals import without_exponent

THIRD = Decimal("0." + "3" * 50)  # what a division makes
THIRD_WRITTEN = "0." + "3" * 39
TINY, HUGE = Decimal("1E-26"), Decimal("1E+30")
FORMATS: list[tuple[str, dict[str, Any]]] = [("json", {}), ("csv", {"types": {"a": "decimal"}}), ("xml", {})]


def there_and_back(format: str, options: dict[str, Any], value: Decimal) -> tuple[str, Any]:
    """(what is written of it, what is read of that)"""
    document = {"doc": {"a": value}} if format == "xml" else {"a": value}
    raw = codec(format).encode([document], options)
    [record] = list(codec(format).decode([raw], options))
    found = record.value  # type: ignore[union-attr]
    return raw.decode(), found["doc"]["a"] if format == "xml" else found["a"]


@pytest.mark.parametrize(("format", "options"), FORMATS)
@pytest.mark.parametrize(
    ("value", "written"),
    [
        (TINY, "0." + "0" * 25 + "1"), (HUGE, "1" + "0" * 30), (Decimal("1E+2"), "100"),
        (Decimal("-1E-7"), "-0.0000001"), (THIRD, THIRD_WRITTEN),
        (Decimal("9." + "9" * 49), "10." + "0" * 38), (Decimal("0E-60"), "0." + "0" * 39),
        (Decimal("1.50"), "1.50"),
    ],
)  # fmt: skip
def test_every_format_writes_a_decimal_as_it_reads_it(
    format: str, options: dict[str, Any], value: Decimal, written: str
) -> None:
    text, found = there_and_back(format, options, value)
    assert written in text
    assert "E" not in text.replace("UTF-8", "").replace("<?xml version", "")
    assert Decimal(found) == Decimal(written)


@pytest.mark.parametrize(("format", "options"), FORMATS)
@pytest.mark.parametrize("value", [Decimal("1E+52"), Decimal("1E-45"), Decimal("1E+999999")])
def test_a_number_that_nobody_could_read_is_refused(format: str, options: dict[str, Any], value: Decimal) -> None:
    with pytest.raises(MappingError, match=r"a.*a number of [0-9]+ digits; expected at most 40 digits"):
        there_and_back(format, options, value)


def test_an_amount_of_ubl_has_no_more_digits_than_are_read() -> None:
    document: dict[str, Any] = {**codec("ubl").EXAMPLE[1]}
    for value, written in ((THIRD, THIRD_WRITTEN), (TINY, "0." + "0" * 25 + "1")):
        document["LegalMonetaryTotal"] = {"PayableAmount": {"amount": value, "currency": "EUR"}}
        raw = codec("ubl").encode_one(document, {})
        assert f">{written}<" in raw.decode()
        assert codec("ubl").decode_one(raw, {})["LegalMonetaryTotal"]["PayableAmount"]["amount"] == Decimal(written)
    document["LegalMonetaryTotal"] = {"PayableAmount": {"amount": Decimal("1E+52"), "currency": "EUR"}}
    with pytest.raises(MappingError, match=r"PayableAmount\.amount: it is a number of 53 digits"):
        codec("ubl").encode_one(document, {})


def test_texts_and_whole_numbers_stay_what_they_are() -> None:
    document = {"a": "12E-4", "b": [10**30, "4" * 60, True, None], "c": {"d": THIRD}}
    raw = codec("json").encode_one(document, {})
    numbers, text = "1" + "0" * 30, "4" * 60
    assert raw.decode() == f'{{"a":"12E-4","b":[{numbers},"{text}",true,null],"c":{{"d":{THIRD_WRITTEN}}}}}'
    with pytest.raises(MappingError, match=r"b\[1\].*a number of 46 digits"):
        codec("json").encode_one({"b": [1, 10**45]}, {})


def test_what_is_written_is_as_exact_as_can_be() -> None:
    random = Random(7)
    for _ in range(5000):
        value = Decimal(random.randint(-(10**50), 10**50)).scaleb(random.randint(-70, 0))
        try:
            text = without_exponent(value)
        except ValueError:
            continue
        assert len(text.lstrip("-").replace(".", "")) <= 40
        assert abs(Decimal(text) - value) <= abs(value) * Decimal("1E-19")
