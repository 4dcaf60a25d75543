"""Interchanges to partners: what the syntax and the agreed characters can carry, and what they cannot."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hub.errors import MappingError
from hub.formats import edifact
from hub.formats._edi_envelopes import Party
from hub.formats._edi_marks import without
from hub.formats._edi_outgoing import Body, Header, interchange
from hub.formats._segments import EDIFACT, X12, Delimiters, Repeats

TO_ACME = Header("edifact", Party("US", "14"), Party("ACME", "14"), "3", "UNOC", EDIFACT)
TO_NORTHWIND = Header("x12", Party("US", "ZZ"), Party("NORTH", "ZZ"), "00401", "ascii", X12, codes=("US", "NORTH"))


def named(name: Any) -> Body:
    return Body("ORDRSP", "D96A", "", [["NAD", "BY", "", "", name]])


def test_line_ends_stand_behind_segments_and_nowhere_else() -> None:
    raw = interchange(replace(TO_ACME, line_end="\r\n"), named("L'Oreal?"))
    assert raw.count(b"\r\n") == 5
    [message] = next(edifact.read([raw])).messages()
    assert message.segments[1] == ["NAD", "BY", "", "", "L'Oreal?"]
    x12 = interchange(replace(TO_NORTHWIND, line_end="\n"), Body("855", "004010", "", [["BAK", "00", "AC", "1"]]))
    assert [line[:3] for line in x12.split(b"\n")] == [b"ISA", b"GS*", b"ST*", b"BAK", b"SE*", b"GE*", b"IEA", b""]


@pytest.mark.parametrize(
    ("level", "name", "seen"), [("UNOA", "Mueller", "u"), ("UNOA", "A#1", "#"), ("UNOB", "a#1", "#")]
)
def test_a_character_that_the_level_has_not_is_refused(level: str, name: str, seen: str) -> None:
    with pytest.raises(MappingError, match=f"'{seen}' is not of the character set {level}"):
        interchange(replace(TO_ACME, charset=level), named(name))


@pytest.mark.parametrize(
    ("said", "behind"),
    [
        ({}, ""), ({"application_reference": "ORDRSP"}, "++ORDRSP"), ({"agreement": "EANCOM"}, "+++++EANCOM"),
        ({"is_test": True}, "++++++1"), ({"asks_for_acknowledgement": True}, "++++1"),
        ({"application_reference": "A", "agreement": "B", "is_test": True, "asks_for_acknowledgement": True},
         "++A++1+B+1"),
    ],
)  # fmt: skip
def test_unb_ends_with_what_was_agreed(said: dict[str, Any], behind: str) -> None:
    unb = without(interchange(replace(TO_ACME, **said), named("A"))).partition(b"'")[0]
    assert unb.rpartition(b":14+")[2].decode() == f":+{behind}"  # without its time and number


def test_marks_are_no_characters_of_the_data() -> None:
    assert without(interchange(replace(TO_ACME, charset="UNOA"), named("MUELLER 1/2"))).count(b"MUELLER 1/2") == 1


def test_repetitions_go_out_where_something_separates_them_and_are_refused_elsewhere() -> None:
    repeated = named(Repeats(["A", ["B", "C"]]))
    with pytest.raises(MappingError, match=r"the element is repeated, and .* has no separator for that") as caught:
        interchange(TO_ACME, repeated)
    assert caught.value.position == "segment 2 NAD, element 4"
    with pytest.raises(MappingError, match="has no separator for that") as caught:
        interchange(replace(TO_ACME, line_end="\r\n"), repeated)
    assert caught.value.position == "segment 2 NAD, element 4"
    starred = replace(TO_ACME, version="4", delimiters=EDIFACT._replace(repetition="*"))
    assert b"NAD+BY+++A*B:C'" in interchange(starred, repeated)


@pytest.mark.parametrize(
    ("delimiters", "una"),
    [
        (Delimiters("\x1d", "\x1f", "\x1c"), b"UNA\x1f\x1d.  \x1c"),
        (EDIFACT._replace(repetition="*"), b"UNA:+.?*'"),
        (EDIFACT, b""),
    ],
)
def test_a_service_string_stands_where_other_delimiters_hold(delimiters: Delimiters, una: bytes) -> None:
    raw = interchange(replace(TO_ACME, delimiters=delimiters), named("A"))
    assert raw.partition(b"UNB")[0] == una
    assert [message.segments[1][4] for message in next(edifact.read([raw])).messages()] == ["A"]
