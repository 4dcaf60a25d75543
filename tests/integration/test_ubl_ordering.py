"""Orders and what follows them through UBL and back: what both sides can hold stays the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from random import Random
from typing import Any

import pytest
from edi_library import cases_of, context, library, mapped
from test_edi_orders import plain

from hub.errors import ValidationError
from hub.golden.compare import differences
from hub.pipeline.validate import validate

COMPANY = {"party_id": "hub", "name": "Another party", "postal_address": {"country_code": "DE"}}
ZONE = "Europe/Berlin"
PLAIN_UBL = {"ubl": {"customization_id": ""}}
_TRIES = 150

# What may differ in plain UBL, by path, and why. [] stands for every element.
ALWAYS = {
    "channel": "what comes as UBL came by EDI",
    "extensions.ubl.customization_id": "an empty one says plain UBL, and is none there",
    "extensions": "an empty one says plain UBL, and is none there",
    "extensions.ubl": "an empty one says plain UBL, and is none there",
    "issue_time": "a time of another day than the document's has no place",
    "actual_delivery_time": "a time of another day than that of the delivery has no place",
    "order_lines[].item.description": "what has no name is called by its description",
}
PARTY = {
    "party_id": "who has no number is known by an identifier or the electronic address",
    "identifiers": "an identifier without a scheme is the number of who has none",
}
CASES: list[tuple[str, str, dict[str, str]]] = [
    ("order-to-ubl", "ubl-order", {
        "payment_terms": "an empty one is none",
        "payment_terms.settlement_discount_days": "days of a discount have no place without its percentage",
        "order_lines[].item.tax_category.tax_scheme_id": "VAT is what is not said",
        "order_lines[].tax_amount": "the sum of the taxes of the line is what is told of them",
    }),
    ("order-response-to-ubl", "ubl-order-response", {}),
    ("order-change-to-ubl", "ubl-order-change", {
        "order_lines[].item.tax_category.tax_scheme_id": "VAT is what is not said",
        "order_lines[].tax_amount": "the sum of the taxes of the line is what is told of them",
    }),
    ("order-cancellation-to-ubl", "ubl-order-cancellation", {
        "sequence_number": "a cancellation is numbered by its date and time",
    }),
    ("despatch-advice-to-ubl", "ubl-despatch-advice", {
        "order_id": "where all lines are of one order it is told",
    }),
    ("receipt-advice-to-ubl", "ubl-receipt-advice", {
        "delivery_party": "who received nothing by name is the own company",
    }),
    ("remittance-advice-to-ubl", "ubl-remittance-advice", {
        "payer.party_type": "that a party is an organisation is what UBL takes it for",
        "payee.party_type": "that a party is an organisation is what UBL takes it for",
    }),
]  # fmt: skip


def inputs(writer: str) -> list[Any]:
    """The canonical documents that the cases of a mapping begin with."""
    return [case["input"] for case in cases_of(f"ubl/{writer}") if "error" not in case]


def out_and_back(writer: str, reader: str, document: Any) -> Any:
    """A document as UBL, in bytes, and what these are read as."""
    schemas = library().schemas
    given = context(COMPANY, ZONE)
    name = library().mappings[writer].target.schema or ""
    made = mapped(writer, document, given)
    assert [str(fault) for fault in schemas.faults(name, made)] == []
    codec = schemas.codec("ubl", name)
    return mapped(reader, codec.decode_one(codec.encode_one(made, {}), {}), given)


def lessened(document: Any, chance: Random) -> Any:
    """The same without some of its fields and elements."""
    if isinstance(document, dict):
        kept = {key: lessened(value, chance) for key, value in document.items() if chance.random() > 0.07}
        return {key: value for key, value in kept.items() if value not in ([], {})}
    if isinstance(document, list):
        kept_ones = [lessened(value, chance) for value in document if chance.random() > 0.1]
        return [value for value in kept_ones if value not in ([], {})]
    return document


def is_valid(schema: str, document: Any) -> bool:
    """Whether the hub would map it."""
    try:
        validate(library().schemas, schema, document)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize(("writer", "reader", "allowed"), CASES)
def test_what_both_sides_hold_comes_back(writer: str, reader: str, allowed: Mapping[str, str]) -> None:
    chance, tried, full = Random(7), 0, inputs(writer)
    schema = library().mappings[writer].source.schema or ""
    for number in range(_TRIES):
        document = deepcopy(full[number % len(full)])
        if number >= len(full):
            document = lessened(document, chance)
        document["extensions"] = PLAIN_UBL
        if not is_valid(schema, document) or (writer == "order-change-to-ubl" and "order_lines" not in document):
            continue  # a change of no line has no place in UBL
        tried += 1
        found = differences(plain(document), plain(out_and_back(writer, reader, document)))
        told = {re.sub(r"\[\d+\]", "[]", each.path): (each.expected, each.seen) for each in found}
        unlisted = {
            path: told[path]
            for path in told
            if path not in ALWAYS and path not in allowed and path.rpartition(".")[2].partition("[")[0] not in PARTY
        }
        assert unlisted == {}
    assert tried >= _TRIES / 10


@pytest.mark.parametrize(("writer", "reader", "_"), CASES)
def test_a_document_that_came_as_ubl_goes_out_and_comes_back_the_same(
    writer: str, reader: str, _: Mapping[str, str]
) -> None:
    for document in inputs(writer):
        if document.get("extensions", {}).get("ubl", {}).get("customization_id") == "":
            continue  # it is plain UBL once, and then of Peppol
        once = out_and_back(writer, reader, document)
        assert plain(out_and_back(writer, reader, once)) == plain(once)
