"""Mappings from and to UBL: their names are checked, the type is, and a value has its place in the file."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hub.errors import DecodeError, MappingError, ProjectError
from hub.formats import ubl
from hub.mapping import Context, compile_mapping
from hub.reference import reference_root
from hub.schemas import SchemaSet
from hub.schemas.ubl import NAMES
from tests.unit.mapping.build import FILE, TABLES

FROM = "mapping: sample\nversion: 1\nsource: {format: ubl, schema: ubl/2.1/Invoice}\ntarget: {format: json}\noutput:\n"
TO = "mapping: sample\nversion: 1\nsource: {format: json}\ntarget: {format: ubl, schema: ubl/2.1/Order}\noutput:\n"
SCHEMAS = SchemaSet({})
RAW = (Path(reference_root()) / "tests/golden/ubl/invoice.in").read_bytes()


def faults(text: str) -> list[str]:
    try:
        return [fault.message for fault in compile_mapping(text, FILE, tables=TABLES, schemas=SCHEMAS).warnings]
    except ProjectError as error:
        return [fault.message for fault in error.faults]


@pytest.mark.parametrize(("expression", "message"), [
    ("src.IsueDate", "did you mean 'IssueDate'"),
    ("src.AccountingSupplierParty.Party.PartyNames[0].Name", "did you mean 'PartyName'"),
    ("src.LegalMonetaryTotal.PayableAmount.ammount", "did you mean 'amount'"),
    ("src.AccountingSupplierParty.Party.PartyName.Name", "list"),
    ("src.attributes.InvoiceTypCode.listID", "did you mean 'InvoiceTypeCode'"),
])  # fmt: skip
def test_a_name_that_ubl_does_not_have_is_told_with_what_it_may_mean(expression: str, message: str) -> None:
    (fault,) = faults(f"{FROM}  a: {expression}\n")
    assert message in fault


@pytest.mark.parametrize("expression", [
    "src.IssueDate", "src.AccountingSupplierParty.Party.PartyName[0].Name",
    "src.LegalMonetaryTotal.PayableAmount.amount",
    "src.attributes.InvoiceTypeCode.listID", "src.attributes.Note[0].languageID", "src.other[0]", "src.type",
    "src.UBLExtensions.UBLExtension[0].ExtensionContent",
])  # fmt: skip
def test_names_of_ubl_are_right(expression: str) -> None:
    assert faults(f"{FROM}  a: {expression}\n") == []


def test_what_a_mapping_writes_is_held_against_the_standard() -> None:
    found = faults(f"{TO}  ID: {{valu: \"'1'\"}}\n  IssueDates: src.a\n")
    assert any("did you mean 'value'" in fault for fault in found)
    assert any("did you mean 'IssueDate'" in fault for fault in found)


def test_a_document_that_lacks_what_the_standard_requires_is_no_valid_target() -> None:
    found = {fault.path: fault.message for fault in SCHEMAS.faults("ubl/2.1/Order", {"ID": {"value": "1"}})}
    assert list(found) == ["IssueDate", "BuyerCustomerParty", "SellerSupplierParty", "OrderLine"]
    assert not SCHEMAS.is_valid("ubl/2.1/Order", {"ID": {"value": "1"}})
    bad_date = {**ubl.decode_one(RAW, {}), "DueDate": "28.12.2026"}
    assert [(fault.path, fault.code) for fault in SCHEMAS.faults("ubl/2.1/Invoice", bad_date)] == [("DueDate", "date")]
    assert SCHEMAS.is_valid("ubl/2.1/Invoice", ubl.decode_one(RAW, {}))


def test_the_names_of_the_documents_are_schemas() -> None:
    assert len(NAMES) == 17 and set(NAMES) <= set(SCHEMAS.names())
    for name in NAMES:
        outline = SCHEMAS.outline(name)
        assert SCHEMAS.has(name) and {"ID", "ExchangedDocument"} & {*(outline.names or ())}
        walk(outline, 3)


def walk(outline: Any, depth: int) -> None:
    """Every place below has a kind, and the names that are required are there."""
    assert outline.kind in ("text", "date", "number", "boolean", "object", "list")
    if outline.kind == "list":
        walk(outline.element, depth)
    for name in outline.names or ():
        assert set(outline.required) <= set(outline.names)
        if depth:
            walk(outline.field(name), depth - 1)


def test_the_schema_of_a_side_says_the_type() -> None:
    codec = SCHEMAS.codec("ubl", "ubl/2.1/Order")
    with pytest.raises(DecodeError, match="of type Invoice, and the mapping's schema is ubl/2"):
        codec.decode_one(RAW, {})
    assert codec.encode_one({"ID": {"value": "1"}}, {}).count(b"<Order ") == 1
    with pytest.raises(MappingError, match="of type Invoice"):
        codec.encode_one({"type": "Invoice"}, {})
    with pytest.raises(MappingError, match="is an object"):
        codec.encode_one(["no"], {})


def test_an_invoice_is_mapped_and_traced_to_its_place() -> None:
    mapping = compile_mapping(
        f"{FROM}  total: src.LegalMonetaryTotal.PayableAmount.amount\n",
        FILE, tables=TABLES, schemas=SCHEMAS,
    )  # fmt: skip
    document = SCHEMAS.codec("ubl", "ubl/2.1/Invoice").decode_one(RAW, {})
    output, entries = mapping.trace(document, Context(company={}, envelope={}))
    assert output["total"] == Decimal("107.10") and entries
