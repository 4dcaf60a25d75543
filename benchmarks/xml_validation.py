"""Documents held to schemas and rules: what ``o2c bench xml`` says of validation.

    python -m benchmarks.xml_validation [--json] [--quick]

The invoice has 20 lines. A schema is timed apart from reading the document and with it; rules by the clock, through the
process that runs them, as a route waits for them.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from statistics import median

from lxml import etree

from benchmarks.report import Claim, as_json, as_table, exit_code
from hub.errors import NotFound, Unavailable
from hub.formats._xml import parse
from hub.profiles import xsd
from hub.profiles.definitions import read_definitions
from hub.profiles.judge import Judge
from hub.profiles.library import Library
from hub.profiles.rules import rules_process
from hub.project import reference_files

_NONE = float("nan")
_CBC = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"
_CAC = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"


def claims(quick: bool = False) -> Iterator[Claim]:
    """The figures; not measured (NaN) where a package is not installed."""
    rounds = 200 if quick else 2000
    files = reference_files()
    judge, library = Judge(files), Library(files, read_definitions(files).packages())
    invoice = ubl_invoice(20)
    file = library.find("UBL-Invoice-2.1.xsd")
    schema = xsd.load_schema(library, file) if file else None
    root = parse(invoice)
    alone = _milliseconds(lambda: xsd.faults_of(schema, root, 100, len(invoice), ""), rounds) if schema else _NONE
    yield Claim("an invoice of 20 lines by its schema", alone, "ms", at_most=0.5)
    yield Claim("the same, read first", _asked(judge, "ubl-invoice", invoice, rounds), "ms")
    yield Claim("by schema and rules of EN 16931", _asked(judge, "en16931", invoice, max(20, rounds // 20)), "ms")
    storm = _storm(10_000)
    began = time.process_time()
    found = xsd.faults_of(_entries(), parse(storm), 100, len(storm), "")
    took = time.process_time() - began
    assert found[1] == 20_000, "each entry has two faults"
    yield Claim("10,000 entries with two faults each: the first 100, and their number", took, "s", at_most=2)
    rules_process().close()


def _asked(judge: Judge, profile: str, raw: bytes, rounds: int) -> float:
    try:
        verdict = judge.verdict(profile, raw)
    except (NotFound, Unavailable):
        return _NONE
    assert verdict.is_valid, verdict.faults
    return _milliseconds(lambda: judge.verdict(profile, raw), rounds)


def _milliseconds(work: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(rounds):
            work()
        times.append((time.perf_counter() - began) / rounds * 1000)
    return median(times)


def ubl_invoice(lines: int) -> bytes:
    """A valid invoice of so many lines of 12.00 at 19 %."""
    tax = "<cbc:ID>S</cbc:ID><cbc:Percent>19</cbc:Percent><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme>"
    net, vat = 12 * lines, 12 * lines * 19
    vat_text, gross = f"{vat // 100}.{vat % 100:02}", f"{(net * 100 + vat) // 100}.{(net * 100 + vat) % 100:02}"
    party = (
        "<cac:{0}><cac:Party><cac:PostalAddress><cbc:CityName>Berlin</cbc:CityName><cac:Country>"
        "<cbc:IdentificationCode>DE</cbc:IdentificationCode></cac:Country></cac:PostalAddress><cac:PartyTaxScheme>"
        "<cbc:CompanyID>{1}</cbc:CompanyID><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme>"
        "<cac:PartyLegalEntity><cbc:RegistrationName>{0} GmbH</cbc:RegistrationName></cac:PartyLegalEntity>"
        "</cac:Party></cac:{0}>"
    )
    line = (
        "<cac:InvoiceLine><cbc:ID>{0}</cbc:ID><cbc:InvoicedQuantity unitCode='C62'>1</cbc:InvoicedQuantity>"
        "<cbc:LineExtensionAmount currencyID='EUR'>12.00</cbc:LineExtensionAmount>"
        "<cac:Item><cbc:Name>Item {0}</cbc:Name>"
        f"<cac:ClassifiedTaxCategory>{tax}</cac:ClassifiedTaxCategory></cac:Item><cac:Price>"
        "<cbc:PriceAmount currencyID='EUR'>12.00</cbc:PriceAmount></cac:Price></cac:InvoiceLine>\n"
    )
    totals = {"LineExtensionAmount": f"{net}.00", "TaxExclusiveAmount": f"{net}.00", "TaxInclusiveAmount": gross,
              "PayableAmount": gross}  # fmt: skip
    amounts = "".join(f"<cbc:{name} currencyID='EUR'>{text}</cbc:{name}>" for name, text in totals.items())
    return (
        "<Invoice xmlns='urn:oasis:names:specification:ubl:schema:xsd:Invoice-2' "
        f"xmlns:cac='{_CAC}' xmlns:cbc='{_CBC}'>"
        "<cbc:CustomizationID>urn:cen.eu:en16931:2017</cbc:CustomizationID><cbc:ID>R-1</cbc:ID>"
        "<cbc:IssueDate>2026-03-05</cbc:IssueDate><cbc:DueDate>2026-04-04</cbc:DueDate>"
        "<cbc:InvoiceTypeCode>380</cbc:InvoiceTypeCode><cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>\n"
        f"{party.format('AccountingSupplierParty', 'DE123456788')}"
        f"{party.format('AccountingCustomerParty', 'DE136695976')}"
        f"<cac:TaxTotal><cbc:TaxAmount currencyID='EUR'>{vat_text}</cbc:TaxAmount><cac:TaxSubtotal>"
        f"<cbc:TaxableAmount currencyID='EUR'>{net}.00</cbc:TaxableAmount><cbc:TaxAmount currencyID='EUR'>{vat_text}"
        f"</cbc:TaxAmount><cac:TaxCategory>{tax}</cac:TaxCategory></cac:TaxSubtotal></cac:TaxTotal>"
        f"<cac:LegalMonetaryTotal>{amounts}</cac:LegalMonetaryTotal>\n"
        f"{''.join(map(line.format, range(1, lines + 1)))}</Invoice>"
    ).encode()


def _entries() -> etree.XMLSchema:
    return etree.XMLSchema(etree.fromstring(
        b"<xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'><xs:element name='D'><xs:complexType><xs:sequence>"
        b"<xs:element name='E' maxOccurs='unbounded'><xs:complexType><xs:sequence>"
        b"<xs:element name='A' type='xs:decimal'/>"
        b"<xs:element name='B' type='xs:date'/></xs:sequence></xs:complexType></xs:element></xs:sequence>"
        b"</xs:complexType></xs:element></xs:schema>"
    ))  # fmt: skip


def _storm(entries: int) -> bytes:
    return b"<D>" + b"<E><A>1,0</A><B>5 March</B></E>\n" * entries + b"</D>"


def main() -> int:
    parser = argparse.ArgumentParser(description="Documents held to schemas and rules")
    parser.add_argument("--json", action="store_true", help="print the claims as JSON")
    parser.add_argument("--quick", action="store_true", help="few rounds, for trying it out")
    options = parser.parse_args()
    found = list(claims(options.quick))
    if any(claim.value != claim.value for claim in found):
        print("Not measured: install what carries the files: pip install 'o2c-hub[einvoice]'", file=sys.stderr)
    print(as_json(found) if options.json else as_table(found))
    return exit_code(found)


if __name__ == "__main__":
    sys.exit(main())
