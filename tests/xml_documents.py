"""XML documents for tests of profiles: valid ones of our own, and the same with one fault each."""

from __future__ import annotations

_CBC = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"
_CAC = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
_PEPPOL = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
_XRECHNUNG = "urn:cen.eu:en16931:2017#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0"


def _party(role: str, name: str, scheme: str, number: str, contact: str) -> str:
    return f"""  <cac:{role}>
    <cac:Party>
      <cbc:EndpointID schemeID="{scheme}">{number}</cbc:EndpointID>
      <cac:PostalAddress>
        <cbc:StreetName>Hauptstr. 1</cbc:StreetName>
        <cbc:CityName>Berlin</cbc:CityName>
        <cbc:PostalZone>10115</cbc:PostalZone>
        <cac:Country><cbc:IdentificationCode>DE</cbc:IdentificationCode></cac:Country>
      </cac:PostalAddress>
      <cac:PartyTaxScheme>
        <cbc:CompanyID>{number}</cbc:CompanyID>
        <cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme>
      </cac:PartyTaxScheme>
      <cac:PartyLegalEntity><cbc:RegistrationName>{name}</cbc:RegistrationName></cac:PartyLegalEntity>
{contact}    </cac:Party>
  </cac:{role}>
"""


_CONTACT = """      <cac:Contact>
        <cbc:Name>Rechnungen</cbc:Name>
        <cbc:Telephone>+49 30 1234567</cbc:Telephone>
        <cbc:ElectronicMail>billing@example.com</cbc:ElectronicMail>
      </cac:Contact>
"""
_TAX = "<cbc:ID>S</cbc:ID><cbc:Percent>19</cbc:Percent><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme>"


def _line(element: str, quantity: str, number: int, pieces: int, price: str, amount: str) -> str:
    return f"""  <cac:{element}>
    <cbc:ID>{number}</cbc:ID>
    <cbc:{quantity} unitCode="C62">{pieces}</cbc:{quantity}>
    <cbc:LineExtensionAmount currencyID="EUR">{amount}</cbc:LineExtensionAmount>
    <cac:Item>
      <cbc:Name>Ware {number}</cbc:Name>
      <cac:ClassifiedTaxCategory>{_TAX}</cac:ClassifiedTaxCategory>
    </cac:Item>
    <cac:Price><cbc:PriceAmount currencyID="EUR">{price}</cbc:PriceAmount></cac:Price>
  </cac:{element}>
"""


def _ubl(kind: str, dates: str, type_code: str, line: str, quantity: str, specification: str) -> str:
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<{kind} xmlns="urn:oasis:names:specification:ubl:schema:xsd:{kind}-2" xmlns:cac="{_CAC}" xmlns:cbc="{_CBC}">
  <cbc:CustomizationID>{specification}</cbc:CustomizationID>
  <cbc:ProfileID>urn:fdc:peppol.eu:2017:poacc:billing:01:1.0</cbc:ProfileID>
  <cbc:ID>R-1001</cbc:ID>
  <cbc:IssueDate>2026-03-05</cbc:IssueDate>
{dates}  {type_code}
  <cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>
  <cbc:BuyerReference>04011000-12345-34</cbc:BuyerReference>
{_party("AccountingSupplierParty", "Verkauf GmbH", "9930", "DE123456788", _CONTACT)}\
{_party("AccountingCustomerParty", "Einkauf GmbH", "9930", "DE136695976", "")}\
  <cac:Delivery><cbc:ActualDeliveryDate>2026-03-04</cbc:ActualDeliveryDate></cac:Delivery>
  <cac:PaymentMeans>
    <cbc:PaymentMeansCode>58</cbc:PaymentMeansCode>
    <cac:PayeeFinancialAccount><cbc:ID>DE02120300000000202051</cbc:ID></cac:PayeeFinancialAccount>
  </cac:PaymentMeans>
  <cac:PaymentTerms><cbc:Note>30 Tage netto</cbc:Note></cac:PaymentTerms>
  <cac:TaxTotal>
    <cbc:TaxAmount currencyID="EUR">38.00</cbc:TaxAmount>
    <cac:TaxSubtotal>
      <cbc:TaxableAmount currencyID="EUR">200.00</cbc:TaxableAmount>
      <cbc:TaxAmount currencyID="EUR">38.00</cbc:TaxAmount>
      <cac:TaxCategory>{_TAX}</cac:TaxCategory>
    </cac:TaxSubtotal>
  </cac:TaxTotal>
  <cac:LegalMonetaryTotal>
    <cbc:LineExtensionAmount currencyID="EUR">200.00</cbc:LineExtensionAmount>
    <cbc:TaxExclusiveAmount currencyID="EUR">200.00</cbc:TaxExclusiveAmount>
    <cbc:TaxInclusiveAmount currencyID="EUR">238.00</cbc:TaxInclusiveAmount>
    <cbc:PayableAmount currencyID="EUR">238.00</cbc:PayableAmount>
  </cac:LegalMonetaryTotal>
{_line(line, quantity, 1, 10, "12.00", "120.00")}{_line(line, quantity, 2, 4, "20.00", "80.00")}</{kind}>
"""


_DUE = "  <cbc:DueDate>2026-04-04</cbc:DueDate>\n"
_INVOICE_TYPE = "<cbc:InvoiceTypeCode>380</cbc:InvoiceTypeCode>"
_CREDIT_TYPE = "<cbc:CreditNoteTypeCode>381</cbc:CreditNoteTypeCode>"
INVOICE = _ubl("Invoice", _DUE, _INVOICE_TYPE, "InvoiceLine", "InvoicedQuantity", _PEPPOL).encode()
CREDIT_NOTE = _ubl("CreditNote", "", _CREDIT_TYPE, "CreditNoteLine", "CreditedQuantity", _PEPPOL).encode()
XRECHNUNG = INVOICE.replace(_PEPPOL.encode(), _XRECHNUNG.encode())


def without_lines(invoice: bytes) -> bytes:
    """An invoice with no line at all."""
    return invoice[: invoice.index(b"  <cac:InvoiceLine>")] + b"</Invoice>\n"


def _changed(old: str, new: str, count: int = 1) -> bytes:
    assert old.encode() in INVOICE, old
    return INVOICE.replace(old.encode(), new.encode(), count)


# By the rule that is broken; the others that break with it are published so.
FAULTY: dict[str, bytes] = {
    "BR-CO-10": _changed('"EUR">200.00</cbc:LineExtensionAmount>', '"EUR">200.01</cbc:LineExtensionAmount>'),
    "BR-CO-13": _changed('"EUR">200.00</cbc:TaxExclusiveAmount>', '"EUR">199.99</cbc:TaxExclusiveAmount>'),
    "BR-CO-14": _changed('"EUR">38.00</cbc:TaxAmount>', '"EUR">38.01</cbc:TaxAmount>'),
    "BR-CO-15": _changed('"EUR">238.00</cbc:TaxInclusiveAmount>', '"EUR">238.01</cbc:TaxInclusiveAmount>'),
    "BR-CO-16": _changed('"EUR">238.00</cbc:PayableAmount>', '"EUR">237.99</cbc:PayableAmount>'),
    "BR-S-08": _changed('"EUR">200.00</cbc:TaxableAmount>', '"EUR">150.00</cbc:TaxableAmount>'),
    "BR-02": _changed("<cbc:ID>R-1001</cbc:ID>", "<cbc:ID></cbc:ID>"),
    "BR-CL-04": _changed("<cbc:DocumentCurrencyCode>EUR", "<cbc:DocumentCurrencyCode>EUX"),
    "BR-CL-23": _changed('unitCode="C62"', 'unitCode="PIECES"'),
    "BR-08": _changed(
        "      <cac:PostalAddress>\n        <cbc:StreetName>Hauptstr. 1</cbc:StreetName>\n        "
        "<cbc:CityName>Berlin</cbc:CityName>\n        <cbc:PostalZone>10115</cbc:PostalZone>\n        <cac:Country>"
        "<cbc:IdentificationCode>DE</cbc:IdentificationCode></cac:Country>\n      </cac:PostalAddress>\n", ""
    ),
}  # fmt: skip
