"""The mappings of goods movements: out as a message, in again, and what the two sides cannot both hold."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from edi_library import context, example, mapped, read, text_of, there_and_back

from hub.golden.compare import differences

CONTEXT = context(
    {"party_id": "self", "name": "Example GmbH", "postal_address": {"country_code": "DE"}}, "Europe/Berlin",
    "2026-03-09T13:30:00Z",
)  # fmt: skip
# What stands at a place that is not the same after the way out and back, and why.
ITEM = {
    "item_type": "a message about goods is about goods",
    "tax_category": "goods movements are not taxed",
}
DESPATCHED = {f"despatch_lines[{i}].item.{name}": why for i in (0, 1) for name, why in ITEM.items()}
HOUR = {"actual_despatch_time": "the same instant, in UTC"}
ARRIVED = {"actual_delivery_time": "the same instant, in UTC"}
ENDPOINT = {"despatch_party.endpoint": "an electronic address has no place beside a party"}
REASON = {"despatch_lines[0].outstanding_reason": "why is told in no segment of X12's line"}
REGISTER = {"despatch_party.legal_registration_id": "the register's number has no qualifier of its own"}
WAREHOUSE = "the sets of warehouses have no references of parties, and a number that is no GLN says nothing of them"
STORED = dict.fromkeys(
    ("classification_codes", "additional_item_properties"),
    "the lines of warehouses have no place for what an article is like",
)


@dataclass(frozen=True)
class Pair:
    """A mapping out and its counterpart in; ``differs`` says why what stands at a path does not come back as it was."""

    out: str
    back: str
    example: str
    differs: dict[str, str]


def of_lines(name: str, count: int = 1, **more: str) -> dict[str, str]:
    return {f"{name}[{i}].item.{field}": why for i in range(count) for field, why in {**ITEM, **more}.items()}


def party(name: str, *fields: str) -> dict[str, str]:
    return {f"{name}.{field}": WAREHOUSE for field in fields}


PAIRS = [
    Pair("despatch-advice-to-edifact", "edifact-despatch-advice", "despatch_advice", HOUR | ENDPOINT | DESPATCHED),
    Pair("despatch-advice-to-x12", "x12-despatch-advice", "despatch_advice",
         HOUR | ENDPOINT | DESPATCHED | REASON | REGISTER),
    Pair("despatch-advice-to-x12-945", "x12-945-despatch-advice", "despatch_advice",
         HOUR | ENDPOINT | REASON | of_lines("despatch_lines", 2, **STORED)
         | party("despatch_party", "party_id", "vat_id", "tax_registration_id", "legal_registration_id")
         | party("delivery_party", "party_type", "vat_id")),
    Pair("receipt-advice-to-edifact", "edifact-receipt-advice", "receipt_advice", ARRIVED | of_lines("receipt_lines")),
    Pair("receipt-advice-to-x12", "x12-receipt-advice", "receipt_advice", ARRIVED | of_lines("receipt_lines")),
    Pair("receipt-advice-to-x12-944", "x12-944-receipt-advice", "receipt_advice",
         ARRIVED | of_lines("receipt_lines", **STORED)
         | party("delivery_party", "party_type", "vat_id")),
    Pair("fulfilment-request-to-edifact", "edifact-fulfilment-request", "fulfilment_request", of_lines("lines")),
    Pair("fulfilment-request-to-x12", "x12-fulfilment-request", "fulfilment_request",
         of_lines("lines", **STORED) | party("delivery_party", "party_type", "vat_id")),
    Pair("fulfilment-request-to-x12-943", "x12-943-fulfilment-request", "fulfilment_request",
         of_lines("lines", **STORED) | party("delivery_party", "party_type", "vat_id")),
]  # fmt: skip


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.out)
def test_a_document_comes_back_but_for_what_the_message_cannot_hold(pair: Pair) -> None:
    before = example(pair.example)
    after = there_and_back(pair.out, pair.back, before, CONTEXT)
    assert {difference.path for difference in differences(before, after)} == set(pair.differs)


@pytest.mark.parametrize(("pair", "kind"), [(PAIRS[0], {"kind": "CT"}), (PAIRS[1], {})], ids=["edifact", "x12"])
def test_a_carton_stays_on_its_pallet(pair: Pair, kind: dict[str, str]) -> None:
    carton, pallet = "340123450000000017", "340123450000000031"
    before = example("despatch_advice")
    before["extensions"] = {"edi": {"packages": [{"sscc": carton, "within": pallet, **kind}]}}
    after = there_and_back(pair.out, pair.back, before, CONTEXT)
    assert after["extensions"] == before["extensions"]
    assert [line["package_sscc"] for line in after["despatch_lines"]] == [carton, "340123450000000024"]


EANCOM = """UNH+1+DESADV:D:96A:UN:EAN005'
BGM+351+DA-7+9'
DTM+137:20260309:102'
RFF+ON:PO-77'
NAD+SU+4012345000009::9'
NAD+DP+4012345000023::9'
CPS+1'
PAC+1++202'
CPS+2+1'
PAC+1++201'
PCI+33E'
GIN+BJ+340123450000000017'
LIN+1++4012345000016:SRV'
QTY+12:4'
RFF+LI:1'
CNT+2:1'
UNT+17+1'
"""


def test_a_message_with_the_codes_of_gs1_is_read_by_the_grammar_of_eancom() -> None:
    document = mapped("edifact-despatch-advice", read("eancom/1997/DESADV", EANCOM), CONTEXT)
    [line] = document["despatch_lines"]
    assert line["package_sscc"] == "340123450000000017"
    assert line["item"]["standard_item_id"] == {"id": "04012345000016", "scheme_id": "0160"}


def test_a_notice_of_ten_thousand_items_keeps_each_with_its_carton() -> None:
    cartons = "".join(
        f"HL*{3 + 2 * i}*2*P~MAN*CP*C{i}~HL*{4 + 2 * i}*{3 + 2 * i}*I~LIN*{i + 1}*VN*S-{i}~SN1**{i + 1}*EA~"
        for i in range(10_000)
    )
    text = f"BSN*00*SN-1*20260309*1430*0001~HL*1**S~N1*SU*Hydro~N1*ST*Store~HL*2*1*O~PRF*PO-77~{cartons}CTT*20002~"
    document = mapped("x12-despatch-advice", read("x12/004010/856", text), CONTEXT)
    assert [line["delivered_quantity"]["value"] for line in document["despatch_lines"]] == [
        str(i + 1) for i in range(10_000)
    ]
    assert document["tracking_ids"] == [f"C{i}" for i in range(10_000)]


@pytest.mark.parametrize(
    ("out", "back"),
    [
        ("despatch-advice-to-edifact", "edifact-despatch-advice"),
        ("despatch-advice-to-x12", "x12-despatch-advice"),
        ("despatch-advice-to-x12-945", "x12-945-despatch-advice"),
    ],
)
def test_every_tracking_number_comes_back(out: str, back: str) -> None:
    before = example("despatch_advice")
    before["tracking_ids"] = [f"1Z{number:08}" for number in range(25)]
    for line in before["despatch_lines"]:
        line["package_sscc"] = before["despatch_lines"][0]["package_sscc"]
    assert there_and_back(out, back, before, CONTEXT)["tracking_ids"] == before["tracking_ids"]


@pytest.mark.parametrize(
    ("writer", "whole"), [("despatch-advice-to-x12", "SN1*"), ("despatch-advice-to-x12-945", "W12*CC*")]
)
def test_a_line_of_which_nothing_is_outstanding_is_told_as_whole(writer: str, whole: str) -> None:
    document = example("despatch_advice")
    for line in document["despatch_lines"]:
        line["outstanding_quantity"] = {"value": "0", "unit_code": "KGM"}
    text = text_of(writer, document, CONTEXT)
    assert whole in text and "*BP" not in text
