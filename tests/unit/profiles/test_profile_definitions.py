"""Profiles as data: what a file of them says, and what is told of one that is wrong."""

from __future__ import annotations

import pytest

from hub.errors import Fault, ProjectError
from hub.profiles.definitions import definitions, read_definitions
from hub.project import reference_files

SHIPPED = read_definitions(reference_files())


@pytest.mark.parametrize(
    ("name", "tags", "schemas", "rules"),
    [
        ("ubl-credit-note", ["{urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2}CreditNote"],
         ["UBL-CreditNote-2.1.xsd"], []),
        ("ubl-order", ["{urn:oasis:names:specification:ubl:schema:xsd:Order-2}Order"], ["UBL-Order-2.1.xsd"], []),
        ("camt.053.001.08", ["{urn:iso:std:iso:20022:tech:xsd:camt.053.001.08}Document"], ["camt.053.001.08.xsd"], []),
        ("peppol-order", ["{urn:oasis:names:specification:ubl:schema:xsd:Order-2}Order"], ["UBL-Order-2.1.xsd"],
         ["PEPPOLBIS-T01"]),
        ("cii-invoice", ["{urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100}CrossIndustryInvoice"],
         ["CrossIndustryInvoice_100pD22B.xsd", "CrossIndustryInvoice_100pD16B.xsd"], []),
        ("peppol-order-response-advanced",
         ["{urn:oasis:names:specification:ubl:schema:xsd:OrderResponse-2}OrderResponse"],
         ["UBL-OrderResponse-2.3.xsd"], ["PEPPOLBIS-T116"]),
    ],
)  # fmt: skip
def test_a_profile_names_its_documents(name: str, tags: list[str], schemas: list[str], rules: list[str]) -> None:
    documents = SHIPPED.profiles[name].documents
    assert [each.tag for each in documents] == tags
    assert [file for each in documents for file in each.schemas] == schemas
    assert [file for each in documents for file in each.rules] == rules


def test_a_message_without_its_version_is_any_of_them() -> None:
    documents = SHIPPED.profiles["camt.053"].documents
    assert [each.profile for each in documents] == [f"camt.053.001.{number:02}" for number in range(1, 15)]


def test_an_invoice_profile_holds_each_syntax_to_the_rules_of_that_syntax() -> None:
    found = {each.root: each.rules for each in SHIPPED.profiles["peppol-bis-3"].documents}
    assert found == {
        "Invoice": ("EN16931-UBL-validation", "PEPPOL-EN16931-UBL"),
        "CreditNote": ("EN16931-UBL-validation", "PEPPOL-EN16931-UBL"),
        "CrossIndustryInvoice": ("EN16931-CII-validation", "PEPPOL-EN16931-CII"),
    }


@pytest.mark.parametrize(
    ("specification", "root", "rule", "level"),
    [
        ("xrechnung_3.0", "Invoice", "UBL-CR-646", "error"),  # sub invoice lines are for the extension alone
        ("xrechnung_3.0", "Invoice", "BR-CO-16", None),
        ("xrechnung_3.0#conformant#urn:xeinkauf.de:kosit:extension:xrechnung_3.0", "Invoice", "BR-CO-16",
         "information"),
        ("xrechnung_3.0#conformant#urn:xeinkauf.de:kosit:extension:xrechnung_3.0", "CrossIndustryInvoice", "BR-CO-16",
         None),
        ("xrechnung_3.0#compliant#urn:xeinkauf.de:kosit:xrechnung:cvd_0.9", "CreditNote", "BR-CL-13", "information"),
    ],
)  # fmt: skip
def test_xrechnung_has_severities_of_its_own_by_what_a_document_says_it_is(
    specification: str, root: str, rule: str, level: str | None
) -> None:
    document = next(each for each in SHIPPED.profiles["xrechnung"].documents if each.root == root)
    said = f"urn:cen.eu:en16931:2017#compliant#urn:xeinkauf.de:kosit:{specification}"
    assert document.levels_of(said).get(rule) == level


@pytest.mark.parametrize("name", ["en16931", "peppol-bis-3", "xrechnung"])
def test_cii_by_en_16931_is_of_d16b(name: str) -> None:
    found = next(each for each in SHIPPED.profiles[name].documents if each.root == "CrossIndustryInvoice")
    assert found.schemas == ("CrossIndustryInvoice_100pD16B.xsd", "CrossIndustryInvoice_100pD22B.xsd")


def test_every_file_that_a_profile_names_is_published_somewhere() -> None:
    names = {
        name
        for profile in SHIPPED.profiles.values()
        for document in profile.documents
        for name in (*document.schemas, *document.rules)
    }
    assert len(names) > 100
    assert [name for name in sorted(names) if SHIPPED.source_of(name) is None] == []


def test_there_are_all_documents_of_ubl() -> None:
    assert sum(name.startswith("ubl-") and name[-4:] != "-2.3" for name in SHIPPED.profiles) == 65


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("profile: x\nroot: X\n", "1:1: error: profile 'x' has no schema:; write it, or documents:"),
        ("profile: x\nschema: x.xsd\n", "1:1: error: profile 'x' has no root:; write it, or documents:"),
        ("profile: x-*\nroot: X\nschema: x.xsd\n", "1:1: error: profile 'x-*': each: and a * in the name go together"),
        ("profile: x\nroot: X\nschema: x.xsd\neach: [a]\n",
         "4:7: error: profile 'x': each: and a * in the name go together"),
        ("profile: x\nrot: X\nschema: x.xsd\n", "2:1: error: unknown key 'rot' in profile 'x'; did you mean 'root'?"),
        ("profile: x\ndocuments: {ubl-invioce: []}\n",
         "2:13: error: unknown profile 'ubl-invioce'; did you mean 'ubl-invoice'?"),
        ("profile: x\ndocuments: {ubl-invoice: [R]}\nlevels: [{rules: {BR-01: warn}}]\n",
         "3:26: error: levels[0].rules.BR-01: expected fatal, error, warning or information, got 'warn'; did you mean "
         "'warning'?"),
        ("source: x\ntitle: X\npublisher: Y\nfiles: x.xsd\n",
         "1:1: error: address is missing in this source: where it is to be had"),
    ],
)  # fmt: skip
def test_a_faulty_file_is_told_with_its_place(text: str, told: str) -> None:
    path = "schemas/profiles/own.yaml"
    faults: list[Fault] = []
    definitions({**reference_files(), path: text.encode()}, faults)
    assert f"{path}:{told}" in [str(fault) for fault in faults]
    with pytest.raises(ProjectError):
        read_definitions({**reference_files(), path: text.encode()})


def test_a_project_adds_a_profile_of_its_own() -> None:
    own = b"profile: our-invoice\ndocuments: {ubl-invoice: [EN16931-UBL-validation, OUR-RULES]}\n"
    found = read_definitions({**reference_files(), "schemas/profiles/own.yaml": own})
    assert found.profiles["our-invoice"].documents[0].rules == ("EN16931-UBL-validation", "OUR-RULES")
