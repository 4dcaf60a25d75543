"""Invoices and credit notes go out as UBL that the rules of EN 16931 and of Peppol find nothing in, and come back.

A thousand are made by chance. The rules of EN 16931 are the official ones; Peppol's, whose file is in no package, are
those of ``mock-einvoice``, which others wrote. What may differ on the way back is listed below, each with its reason.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from typing import Any

import mockeinvoice
import pytest
import there_and_back
from edi_library import cases_of, context, library
from random_invoices import documents
from there_and_back import OF_EN_16931, places

from hub.business_rules import check
from hub.errors import MessageError
from hub.profiles.judge import Judge
from hub.profiles.rules import rules_process
from hub.project import reference_files
from tests.unit.canonical import golden, put

PARTS, OF_EACH = range(10), 100
SAID_OTHERWISE = OF_EN_16931 | {
    "notes[]": "Peppol has one note, of several lines",
    "monetary_total.allowance_total_amount": "a sum of nothing is told where there are allowances of nothing",
    "monetary_total.charge_total_amount": "a sum of nothing is told where there are charges of nothing",
}
NOT_IN_EN_16931 = {
    "party_type", "item_type", "lot_number", "expiry_date", "tax_exchange_rate", "instalments", "return_id",
    "reason_code",
    "delivery_party.party_id", "delivery_party.vat_id", "delivery_party.postal_address",
    "invoice_lines[].order_id", "invoice_lines[].despatch_advice_id", "invoice_lines[].despatch_line_id",
    "invoice_lines[].actual_delivery_date", "invoice_lines[].tax_amount", "credit_note_lines[].order_id",
}  # fmt: skip
OF_ITS_LINES = {"payment_terms.note", "despatch_advice_id", "actual_delivery_date", "preceding_invoices"}
CONTEXT = context({}, "UTC")


@pytest.fixture(scope="module", autouse=True)
def end() -> Iterator[None]:
    yield
    rules_process().close()


@cache
def judge() -> Judge:
    return Judge(reference_files())


def written(kind: str, document: Any) -> bytes:
    return there_and_back.written("ubl", kind, document, CONTEXT)


def read(kind: str, raw: bytes) -> Any:
    return there_and_back.read("ubl", kind, raw, CONTEXT)


def findings(raw: bytes) -> list[str]:
    """All that the rules of EN 16931 and of Peppol find, warnings too."""
    _, report = mockeinvoice.validate(raw)
    found = [str(fault) for fault in judge().verdict("en16931", raw).faults]
    found += [f"{fault.code} {fault.path}: {fault.text}" for fault in report.failures]
    return found + [report.verdict] * (report.verdict != "valid")


@cache
def some(part: int) -> list[tuple[str, Any, bytes]]:
    return [(kind, document, written(kind, document)) for kind, document in documents(part, OF_EACH)]


# -- a thousand of them --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", PARTS)
def test_what_goes_out_is_valid_to_the_last_warning(part: int) -> None:
    for kind, document, raw in some(part):
        assert not library().schemas.faults(f"canonical/{kind}", document)
        assert check(kind, document) == []
        assert (document[f"{kind}_id"], findings(raw)) == (document[f"{kind}_id"], [])


@pytest.mark.parametrize("part", PARTS)
def test_what_goes_out_comes_back(part: int) -> None:
    for kind, document, raw in some(part):
        back = read(kind, raw)
        assert places(document, back) - set(SAID_OTHERWISE) == set()
        assert check(kind, back) == []


def test_the_thousand_have_what_invoices_have() -> None:
    """So that it means something that nothing is found in them."""
    texts = [raw.decode() for part in PARTS for _, _, raw in some(part)]
    assert len(texts) == 1000
    wanted = [f"<cbc:ID>{code}</cbc:ID>" for code in ("S", "Z", "E", "AE", "K", "G", "O")]
    wanted += [f"<cbc:DocumentCurrencyCode>{code}<" for code in ("EUR", "JPY", "KWD", "TND", "ISK")]
    wanted += ["<CreditNote ", "PayableRoundingAmount", "PrepaidAmount", "<cbc:TaxCurrencyCode>", "BaseQuantity"]
    wanted += ["<cbc:MultiplierFactorNumeric>", "<cac:PayeeParty>", "<cac:TaxRepresentativeParty>", "&lt;your&gt;"]
    wanted += ['<cbc:InvoicedQuantity unitCode="C62">-', '<cbc:ID schemeID="SEPA">', ">true</cbc:ChargeIndicator>"]
    assert {each: number for each in wanted if (number := sum(each in text for text in texts)) < 10} == {}


def test_the_thousand_would_not_be_valid_if_more_were_to_be_paid() -> None:
    for kind, document, _ in some(0)[:20]:
        total = document["monetary_total"]["payable_amount"]
        more = f"{Decimal(total['amount']) + 1}"
        wrong = put(copy.deepcopy(document), "monetary_total.payable_amount.amount", more)
        assert [fault.rule for fault in judge().verdict("en16931", written(kind, wrong)).faults] == ["BR-CO-16"]
        assert "BR-CO-16" in {fault.code for fault in check(kind, wrong)}


# -- the examples --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["invoice", "invoice_prepaid_in_full", "credit_note"])
def test_the_examples_go_out_and_come_back(name: str) -> None:
    kind = "credit_note" if name == "credit_note" else "invoice"
    document = golden(name)
    raw = written(kind, document)
    assert judge().verdict("en16931", raw).faults == ()
    left = places(document, read(kind, raw)) - set(SAID_OTHERWISE) - OF_ITS_LINES
    assert [path for path in left if not path.endswith(tuple(NOT_IN_EN_16931))] == []


@pytest.mark.parametrize("name", ["invoice-to-ubl", "credit-note-to-ubl"])
def test_what_the_tests_of_the_mappings_expect_is_valid(name: str) -> None:
    schema = library().mappings[name].target.schema
    cases = [case for case in cases_of(f"ubl/{name}") if "expected" in case]
    files = [library().schemas.codec("ubl", schema).encode_one(case["expected"], {}) for case in cases]
    assert len(files) > 3
    assert [str(fault) for raw in files for fault in judge().verdict("en16931", raw).faults] == []


# -- what the rules have no place for ------------------------------------------------------------------------------


def _of_one_line(currency: str, quantity: str, price: str, net: str, tax: str, total: str) -> Any:
    """An invoice of one line at 19 %."""
    base = documents(4, 1)[0][1]
    kept = {key: base[key] for key in ("invoice_id", "issue_date", "invoice_type_code", "seller", "buyer")}
    category = {"category_code": "S", "percent": "19"}
    amounts = {
        "line_extension_amount": net,
        "tax_exclusive_amount": net,
        "tax_inclusive_amount": total,
        "payable_amount": total,
    }
    return kept | {
        "document_currency_code": currency,
        "due_date": "2026-12-31",
        "buyer_reference": "B",
        "tax_amount": {"amount": tax, "currency": currency},
        "tax_subtotals": [
            {"taxable_amount": {"amount": net, "currency": currency},
             "tax_amount": {"amount": tax, "currency": currency}, "tax_category": category}
        ],
        "monetary_total": {key: {"amount": value, "currency": currency} for key, value in amounts.items()},
        "invoice_lines": [
            {"line_id": "1", "item": {"name": "Work", "tax_category": category},
             "invoiced_quantity": {"value": quantity, "unit_code": "HUR"},
             "line_extension_amount": {"amount": net, "currency": currency},
             "price": {"price_amount": {"amount": price, "currency": currency}}}
        ],
    }  # fmt: skip


def test_a_third_decimal_is_refused_and_not_rounded_away() -> None:
    document = _of_one_line("KWD", "1", "12.345", "12.345", "2.346", "14.691")
    assert check("invoice", document) == []
    with pytest.raises(MessageError, match=r"14\.691 KWD|2\.346 KWD has more decimals than the two of EN 16931"):
        written("invoice", document)


def test_a_line_without_cents_that_was_rounded_is_right_by_en_16931_and_not_by_peppol() -> None:
    """2.5 × 101 JPY = 252.5, of which EN 16931 makes 253, and Peppol says two hundredths are the most."""
    raw = written("invoice", _of_one_line("JPY", "2.5", "101", "253", "48", "301"))
    assert judge().verdict("en16931", raw).is_valid
    assert [fault.code for fault in mockeinvoice.validate(raw)[1].failures] == ["PEPPOL-EN16931-R120"]


def test_a_price_that_misses_its_amount_by_a_cent_is_worked_out_from_it() -> None:
    raw = written("invoice", _of_one_line("EUR", "3", "11.33", "33.99", "6.46", "40.45"))
    changed = raw.replace(b">33.99<", b">34.00<").replace(b">40.45<", b">40.46<")
    back = read("invoice", changed)
    assert back["invoice_lines"][0]["price"]["price_amount"]["amount"] == "11.333333"
    assert back["invoice_lines"][0]["line_extension_amount"]["amount"] == "34.00"
    with pytest.raises(MessageError, match=r"invoice_lines\[0\].line_extension_amount: seen 43\.00; expected 33\.99"):
        read("invoice", raw.replace(b">33.99<", b">43.00<"))


@pytest.mark.parametrize(
    ("seen", "instead", "path"),
    [
        (b">40.45</cbc:PayableAmount", b">44.05</cbc:PayableAmount", "monetary_total.payable_amount"),
        (b">6.46</cbc:TaxAmount", b">6.64</cbc:TaxAmount", "monetary_total.tax_inclusive_amount"),
        (b">33.99</cbc:TaxableAmount", b">39.39</cbc:TaxableAmount", "tax_subtotals[0]"),
    ],
)
def test_an_amount_that_two_digits_of_are_exchanged_in_is_found(seen: bytes, instead: bytes, path: str) -> None:
    raw = written("invoice", _of_one_line("EUR", "3", "11.33", "33.99", "6.46", "40.45"))
    assert seen in raw
    with pytest.raises(MessageError, match=re.escape(path)):
        read("invoice", raw.replace(seen, instead, 1))
