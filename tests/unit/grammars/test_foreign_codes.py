"""EDIFACT: a code beside which its own list (1131) or another agency (3055) stands is no code of the directory."""

from __future__ import annotations

import pytest

from hub.grammars import Checker, Grammars, Matcher

DIRECTORY = "schemas/edifact/D96A/"
FILES = {
    f"{DIRECTORY}ORDERS.yaml": b"title: order\nstructure: [TOD M 1]\n",
    f"{DIRECTORY}segments.yaml": b"segments: {TOD terms: [C100 C terms, 4055 C function]}\n",
    f"{DIRECTORY}composites.yaml": (
        b"composites: {C100 terms: [4053 C code, 1131 C code_list, 3055 C agency, 4052 C text]}\n"
    ),
    f"{DIRECTORY}elements.yaml": (
        b"elements: {4053: code an..3, 1131: code_list an..3, 3055: agency an..3, 4052: text an..70, "
        b"4055: function an..3}\n"
    ),
    f"{DIRECTORY}codes.yaml": b"codes: {4053: 1 2, 1131: 106, 3055: 6 9, 4055: 1 2}\n",
}
ORDERS = Grammars(FILES).message("edifact/D96A/ORDERS")


@pytest.mark.parametrize(
    ("terms", "refused"),
    [
        (["CIF"], ["terms.code"]),
        (["CIF", "", "6"], ["terms.code"]),
        (["CIF", "", "9"], []),
        (["CIF", "106", ""], []),
        (["CIF", "2E", "9"], []),
        (["CIF", "2E", ""], ["terms.code_list"]),
        (["CIF", "", "77"], ["terms.agency"]),
        (["1", "", "6", "whatever"], []),
    ],
)
def test_a_code_of_another_list_is_not_looked_for_in_the_directory(terms: list[str], refused: list[str]) -> None:
    match = Matcher(ORDERS).match([["UNH", "1"], ["TOD", terms, "1"], ["UNT", "3", "1"]])

    findings = Checker(ORDERS).check(match)

    assert match.findings == []
    assert [finding.message.split(" (")[0] for finding in findings] == refused
