"""Invoices in UBL for the benchmarks: as partners send them, indented, no two with the same values."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from hub.formats import ubl

_STREETS = ("Hafenstraße 12", "Main Street 1", "Rue de la Paix 7", "Via Roma 3")


def invoices(count: int, lines: int = 20) -> Iterator[dict[str, Any]]:
    """Documents of a few senders: with the fields that EN 16931 asks for, two taxes, a discount on some lines."""
    for number in range(count):
        yield _invoice(number, lines)


def files(count: int, lines: int = 20) -> list[bytes]:
    """The same as files."""
    return [ubl.encode_one(document, {"indent": 2}) for document in invoices(count, lines)]


def _invoice(number: int, lines: int) -> dict[str, Any]:
    made = [_line(number, line) for line in range(1, lines + 1)]
    net = sum((line["LineExtensionAmount"]["amount"] for line in made), Decimal(0))
    tax = (net * Decimal("0.19")).quantize(Decimal("0.01"))
    subtotal = {"TaxableAmount": _money(net), "TaxAmount": _money(tax), "TaxCategory": _tax()}
    total = {
        "LineExtensionAmount": net,
        "TaxExclusiveAmount": net,
        "TaxInclusiveAmount": net + tax,
        "PayableAmount": net + tax,
    }
    return {
        "type": "Invoice",
        "CustomizationID": _id("urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"),
        "ProfileID": _id("urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"),
        "ID": _id(f"INV-{number:06}"),
        "IssueDate": f"2026-11-{number % 28 + 1:02}",
        "DueDate": f"2026-12-{number % 28 + 1:02}",
        "InvoiceTypeCode": "380",
        "DocumentCurrencyCode": "EUR",
        "BuyerReference": f"cost centre {number}",
        "OrderReference": {"ID": _id(f"PO-{number:06}")},
        "AccountingSupplierParty": {"Party": _party(number % 4, "Müller & Söhne GmbH")},
        "AccountingCustomerParty": {"Party": _party(number % 7, "Example Retail AG")},
        "PaymentMeans": [{
            "PaymentMeansCode": "58", "PaymentID": [_id(f"INV-{number:06}")],
            "PayeeFinancialAccount": {"ID": _id("DE89370400440532013000")},
        }],
        "TaxTotal": [{"TaxAmount": _money(tax), "TaxSubtotal": [subtotal]}],
        "LegalMonetaryTotal": {name: _money(amount) for name, amount in total.items()},
        "InvoiceLine": made,
    }  # fmt: skip


def _line(number: int, line: int) -> dict[str, Any]:
    quantity, price = line % 9 + 1, Decimal(number % 90 + line * 3) + Decimal("0.95")
    return {
        "ID": _id(str(line)),
        "InvoicedQuantity": {"value": Decimal(quantity), "unit_code": "C62"},
        "LineExtensionAmount": _money(quantity * price),
        "OrderLineReference": [{"LineID": _id(str(line))}],
        "Item": {
            "Name": f"Article {number}-{line} in blue, size {line % 5}",
            "SellersItemIdentification": {"ID": _id(f"SKU-{number:04}-{line:02}")},
            "StandardItemIdentification": {"ID": _id(f"40063813{number % 1000:03}{line:02}", "0160")},
            "ClassifiedTaxCategory": [_tax()],
        },
        "Price": {"PriceAmount": _money(price)},
    }


def _party(number: int, name: str) -> dict[str, Any]:
    gln = f"40123450000{number:02}"
    return {
        "EndpointID": _id(gln, "0088"),
        "PartyIdentification": [{"ID": _id(gln, "0088")}],
        "PartyName": [{"Name": f"{name} {number}"}],
        "PostalAddress": {
            "StreetName": _STREETS[number % 4], "CityName": "Hamburg", "PostalZone": f"2045{number}",
            "Country": {"IdentificationCode": "DE"},
        },
        "PartyTaxScheme": [{"CompanyID": _id(f"DE12345678{number}"), "TaxScheme": {"ID": _id("VAT")}}],
        "PartyLegalEntity": [{"RegistrationName": f"{name} {number}", "CompanyID": _id(f"HRB {number}")}],
    }  # fmt: skip


def _id(value: str, scheme: str = "") -> dict[str, str]:
    return {"value": value, "scheme_id": scheme} if scheme else {"value": value}


def _money(amount: Decimal) -> dict[str, Any]:
    return {"amount": amount, "currency": "EUR"}


def _tax() -> dict[str, Any]:
    return {"ID": _id("S"), "Percent": Decimal(19), "TaxScheme": {"ID": _id("VAT")}}
