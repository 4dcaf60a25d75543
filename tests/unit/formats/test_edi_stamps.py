"""What the headers of an envelope say of when they were made, and X12 of what stands in a group, is looked at."""

from __future__ import annotations

from typing import Any

import pytest

from hub.formats import edifact, x12
from tests.unit.formats.edi_texts import GS, ISA, UNB, UNB_4, edifact_of, faults_of, orders, sets, x12_of

UNG = "UNG+ORDERS+S+R+261128:1200+1+UN+D:96A'"
UNE = "UNE+1+1'"


@pytest.mark.parametrize(
    ("module", "raw", "expected"),
    [
        (edifact, edifact_of(*orders(1), unb=UNB.replace("261128:1200", "269999:9999")), [
            "0085:12 4711 UNB/4 @26999@ the date '269999' is none",
            "0085:12 4711 UNB/4 @9999+@ the time '9999' is none",
        ]),
        (edifact, edifact_of(*orders(1), unb=UNB.replace("261128:1200", "20261128")), [
            "0085:12 4711 UNB/4 @20261@ the date '20261128' is none",
            "0085:12 4711 UNB/4 @20261@ the time '' is none",
        ]),
        (edifact, edifact_of(UNG.replace("261128:1200", "261131:2460") + orders(1)[0] + UNE), [
            "0085:12 4711/1 UNG/4 @26113@ the group's date '261131' is none",
            "0085:12 4711/1 UNG/4 @2460+@ the group's time '2460' is none",
        ]),
        (x12, x12_of(*sets(1), isa=ISA.replace("261128*1200", "269999*2400")), [
            "I18:014 000000001 ISA/9 @26999@ the date '269999' is none",
            "I18:015 000000001 ISA/10 @2400*@ the time '2400' is none",
        ]),
        (x12, x12_of(*sets(1), gs=GS.replace("20261128*1200", "20269999*12")), [
            "I18:024 000000001/1 GS/4 @20269@ the group's date '20269999' is none",
            "I18:024 000000001/1 GS/5 @12*1*@ the group's time '12' is none",
        ]),
        (x12, f"{ISA}TA1*000000905*269999*12*Q*000~IEA*0*000000001~".encode(), [
            "I18:024 000000001 TA1/4 @Q*000@ the TA1's acknowledgement code 'Q' is none of A, E and R",
            "I18:014 000000001 TA1/2 @26999@ the TA1's date '269999' is none",
            "I18:015 000000001 TA1/3 @12*Q*@ the TA1's time '12' is none",
        ]),
        (x12, f"{ISA}TA1*000000905*261128*1200*R*099~IEA*0*000000001~".encode(), [
            "I18:024 000000001 TA1/5 @099~I@ the TA1's note code '099' is none",
        ]),
        (x12, x12_of(*sets(1), gs=GS.replace("20261128", "261128")), [
            "I18:024 000000001/1 GS/4 @26112@ the group's date '261128' is none",
        ]),
    ],
)  # fmt: skip
def test_a_date_time_or_code_that_is_none_is_told_at_its_place(module: Any, raw: bytes, expected: list[str]) -> None:
    assert faults_of(module, raw) == [f"warning {line}" for line in expected]
    assert faults_of(module, raw, strict=True) == [f"error {line}" for line in expected]


@pytest.mark.parametrize(
    ("module", "raw"),
    [
        (edifact, edifact_of(UNG + orders(1)[0] + UNE)),
        (edifact, edifact_of(UNG.replace("+261128:1200", "+") + orders(1)[0] + UNE,
                             unb="UNA:+.? '" + UNB_4)),
        (x12, x12_of(*sets(1), isa=ISA.replace("261128*1200", "280229*2359"),
                     gs=GS.replace("20261128*1200", "20280229*23595999"))),
        (x12, x12_of(*sets(1), gs=GS.replace("20261128", "261128").replace("004010VICS", "003050"))),
    ],
)  # fmt: skip
def test_what_the_version_of_the_envelope_asks_for_is_right(module: Any, raw: bytes) -> None:
    assert faults_of(module, raw, strict=True) == []


@pytest.mark.parametrize("strict", [False, True])
def test_a_transaction_set_in_a_group_of_others_is_told(strict: bool) -> None:
    assert faults_of(x12, x12_of(*sets(1), gs=GS.replace("GS*PO", "GS*IN")), strict=strict) == [
        f"{'error' if strict else 'warning'} 718:6 000000001/1/0001 1 ST/1 @850*0@ the message '850' stands in a group "
        "of 'IN'"
    ]
    own = [text.replace("ST*850", "ST*837") for text in sets(1)]
    assert faults_of(x12, x12_of(*own, gs=GS.replace("GS*PO", "GS*HC"))) == []
