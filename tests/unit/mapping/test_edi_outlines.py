"""Mappings from and to EDI messages: the lint knows their names, lists and codes from the grammar."""

from __future__ import annotations

import textwrap
from functools import cache

from hub.errors import ProjectError
from hub.mapping import Context, compile_mapping
from hub.project import reference_files
from hub.schemas import SchemaSet
from tests.unit.mapping.build import FILE, TABLES

FROM_ORDERS = """
mapping: sample
version: 1
source: {format: edifact, schema: edifact/D96A/ORDERS}
target: {format: json}
output:
"""
TO_INVOICE = """
mapping: sample
version: 1
source: {format: json}
target: {format: x12, schema: x12/004010/810}
output:
"""
TO_ORDER = TO_INVOICE.replace("x12, schema: x12/004010/810", "edifact, schema: edifact/D96A/ORDERS")


@cache
def schemas() -> SchemaSet:
    return SchemaSet({path: raw for path, raw in reference_files().items() if path.startswith("schemas/")})


def lint(head: str, output: str) -> list[str]:
    text = head.lstrip() + textwrap.indent(textwrap.dedent(output).strip("\n"), "  ") + "\n"
    try:
        return [fault.message for fault in compile_mapping(text, FILE, tables=TABLES, schemas=schemas()).warnings]
    except ProjectError as error:
        return [fault.message for fault in error.faults]


def test_the_names_of_an_order_are_known() -> None:
    right = """
        number: src.BGM.document.number
        sender: src.interchange.sender.id
        is_test: src.interchange.is_test
        date: first(d.value for d in src.DTM if d.qualifier == '137')
        buyer: first(g.NAD.party.id for g in src.NAD_group if g.NAD.qualifier == 'BY')
        lines:
          each: src.LIN_group
          as: l
          item: {id: l.LIN.item.id, quantity: "first(q.quantity for q in l.QTY if q.qualifier == '21')"}
    """
    assert lint(FROM_ORDERS, right) == []


def test_what_an_order_has_not_is_told() -> None:
    assert lint(FROM_ORDERS, "number: src.BGM.document.numbr") == [
        "the source has no field 'BGM.document.numbr'; did you mean 'number'?"
    ]
    assert lint(FROM_ORDERS, "date: src.DTM.value") == ["src.DTM is a list; loop over it or take [0]"]
    assert lint(FROM_ORDERS, "lines: src.LIN_grup") == ["the source has no field 'LIN_grup'; did you mean 'LIN_group'?"]


def test_what_an_invoice_must_have_and_has_not_is_told() -> None:
    told = lint(TO_INVOICE, "BIG: {date: src.date}\nTDSS: {amount: src.total}\n")
    assert "required target field 'BIG.invoice_number' is never set" in told
    assert any(one.startswith("the target has no field 'TDSS'; did you mean 'TDS'?") for one in told)


def test_a_document_for_an_invoice_is_held_against_its_grammar() -> None:
    document = {"BIG": {"date": "20240131", "invoice_number": "1" * 30}, "TDS": {"amount": "10.50"}}
    assert not schemas().is_valid("x12/004010/810", document)
    [fault] = schemas().faults("x12/004010/810", document)
    assert (fault.path, fault.code) == ("BIG.invoice_number", "too_long")
    assert schemas().is_valid("x12/004010/810", {**document, "BIG": {"date": "20240131", "invoice_number": "1"}})


def test_a_mapping_reads_the_document_of_an_order() -> None:
    text = (
        FROM_ORDERS.lstrip()
        + "  number: src.BGM.document.number\n  total: text(dec(src.LIN_group[0].QTY[0].quantity) * 2)\n"
    )
    mapping = compile_mapping(text, FILE, tables=TABLES, schemas=schemas())
    document = {"BGM": {"document": {"number": "PO1"}}, "LIN_group": [{"LIN": {}, "QTY": [{"quantity": "1.50"}]}]}
    assert mapping.apply(document, Context()) == {"number": "PO1", "total": "3.00"}


def test_a_composite_that_may_be_left_out_is_not_asked_for_by_what_it_must_hold() -> None:
    right = """
        BGM: {function: {const: '9'}}
        DTM: [{qualifier: {const: '137'}}]
        NAD_group: [{NAD: {qualifier: {const: BY}, city: src.city}}]
        LIN_group: [{LIN: {line_number: src.number}}]
        UNS: {section: {const: S}}
    """
    assert lint(TO_ORDER, right) == []
    [told] = lint(TO_ORDER, right.replace("city: src.city", "party: {agency: {const: '9'}}"))
    assert told == "required target field 'NAD_group[].NAD.party.id' is never set"


def test_a_list_of_the_un_is_the_same_under_the_number_of_its_element() -> None:
    subtotals = """
        tax_subtotals:
          - taxable_amount: money(1, 'EUR')
            tax_amount: money(1, 'EUR')
            tax_category: {category_code: {const: S}, tax_scheme_id?: CODE}
    """
    head = FROM_ORDERS.replace("{format: json}", "{schema: canonical/order}")
    wrong = "the expression gives the codes of element 1225, the target wants those of UNCL5153; look up the code"
    for code, told in (("src.TAX_group[0].TAX.type.code", []), ("src.BGM.function", [wrong])):
        found = [message for message in lint(head, subtotals.replace("CODE", code)) if "tax_scheme_id" in message]
        assert found == [f"tax_subtotals[].tax_category.tax_scheme_id: {each}" for each in told]
