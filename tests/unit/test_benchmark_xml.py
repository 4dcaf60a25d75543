"""The invoices that are measured with are right ones, no two are the same, and each contestant does its work."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from benchmarks.ubl_invoices import files, invoices
from benchmarks.xml_contestant import CONTESTANTS
from hub.formats import ubl
from hub.schemas import SchemaSet


def test_the_invoices_that_are_measured_are_right_and_different() -> None:
    made = list(invoices(60))
    schemas = SchemaSet({})
    for document, raw in zip(made, files(60), strict=True):
        assert schemas.faults("ubl/2.1/Invoice", document) == []
        read = ubl.decode_one(raw, {})
        assert {**read, "indent": None} == {**document, "indent": None} and len(read["InvoiceLine"]) == 20
        total = document["LegalMonetaryTotal"]
        lines = sum((line["LineExtensionAmount"]["amount"] for line in document["InvoiceLine"]), Decimal(0))
        assert lines == total["LineExtensionAmount"]["amount"]
        assert total["PayableAmount"]["amount"] == lines + document["TaxTotal"][0]["TaxAmount"]["amount"]
    assert len({str(document["InvoiceLine"]) for document in made}) == 60


@pytest.mark.parametrize("name", ["hub-reads", "hub-writes", "lxml-writes"])
def test_a_contestant_does_all_of_the_files(name: str, tmp_path: Path) -> None:
    works = CONTESTANTS[name](files(3), tmp_path)
    assert len(works) == 3 and all(work() for work in works)
    assert len({str(work()) for work in works}) == 3
