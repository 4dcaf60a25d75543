"""What an interchange proves its sender with: the reference or password of EDIFACT (UNB S005), authorization and
security information of X12 (ISA01 to ISA04)."""

from __future__ import annotations

from dataclasses import dataclass

from hub.formats._edi_envelopes import Interchange
from hub.formats._edi_faults import EdiFault
from hub.formats._edi_syntax import part


@dataclass(frozen=True, slots=True)
class Place:
    """Where a proof and its qualifier stand, (element, component) each, how long it may be, and the codes of the
    standard for one that is not there, not right, not of its kind."""

    proof: tuple[int, int]
    qualifier: tuple[int, int]
    most: int
    codes: tuple[str, str, str]
    name: str


PLACES = {
    "edifact": {"password": Place((6, 1), (6, 2), 14, ("13", "12", "12"), "UNB 0022")},
    "x12": {
        "authorization": Place((2, 1), (1, 1), 10, ("011", "011", "010"), "ISA02"),
        "password": Place((4, 1), (3, 1), 10, ("013", "013", "012"), "ISA04"),
    },
}


def shown_by(interchange: Interchange) -> dict[str, tuple[str, str]]:
    """What stands in the header, by kind: a proof and its qualifier."""
    header = interchange.header
    return {
        kind: (part(header, *place.proof).rstrip(" "), part(header, *place.qualifier))
        for kind, place in PLACES[interchange.syntax].items()
    }


def conceal(interchange: Interchange) -> None:
    """Take it out of the header, so that no document and no trace of one has it."""
    for place in PLACES[interchange.syntax].values():
        element, _ = place.proof
        if element < len(interchange.header) and interchange.header[element]:
            interchange.header[element] = " " * place.most if interchange.syntax == "x12" else ""


def fault_of(syntax: str, kind: str, number: int) -> EdiFault:
    """What is wrong with a proof, as an acknowledgement tells it: 0 it is not there, 1 not right, 2 not of its kind."""
    place = PLACES[syntax][kind]
    element, component = place.qualifier if number == 2 else place.proof
    is_edifact = syntax == "edifact"
    return EdiFault(
        "interchange", "0085" if is_edifact else "I18", place.codes[number], "", tag="UNB" if is_edifact else "ISA",
        element=element, component=component if is_edifact else 0,
    )  # fmt: skip
