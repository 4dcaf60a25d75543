"""APERAK and 824 as they are written, and read back: each case by the grammar of its own release too."""

from __future__ import annotations

from datetime import datetime

import pytest

from hub.formats import _edi_outgoing as outgoing
from hub.formats import edifact, x12
from hub.formats._advices import Objection, advice, subject_of
from hub.formats._advices_read import judged_by
from hub.formats._edi_envelopes import Interchange, Message, Party
from hub.formats._edi_marks import filled
from hub.formats._edi_titles import kind_of, title_of
from hub.formats._segments import EDIFACT, Delimiters
from hub.grammars import Grammars, Interpreter
from hub.message import Subject
from hub.project import reference_files

INTERPRETER = Interpreter(Grammars(reference_files()))
X12 = Delimiters("*", ">", "~", "", "")
LONG = "the quantity of an item is missing, and so is its price; " * 12
CASES = [
    ("edifact", Subject("ORDERS", "D96A", "EAN008", "1", "101", "", "4711", "20260305")),
    ("edifact", Subject("INVOIC", "D01B", "", "2", "102", "", "", "")),
    ("x12", Subject("850", "004010", "VICS", "0001", "000000007", "7", "PO-1", "20260305", "NW", "EX")),
    ("x12", Subject("810", "005010", "X222A1", "0001", "000000007", "7", "", "", "NW", "EX")),
]


def written(syntax: str, subject: Subject, *objections: Objection) -> Message:
    """The advice as the other side reads it."""
    document = advice(syntax, subject, objections, "R1", "202603050930")
    delimiters, version, charset = (EDIFACT, "3", "UNOC") if syntax == "edifact" else (X12, "00401", "utf-8")
    header = outgoing.Header(syntax, Party("1", "14"), Party("2", "14"), version, charset, delimiters, codes=("A", "B"))
    segments = [[str(value) if type(value) is not list else value for value in one] for one in document["segments"]]
    body = outgoing.Body(document["type"], document["version"], document.get("association", ""), segments)
    raw = filled(
        outgoing.interchange(header, body), {"interchange": 1, "group": 1, "message": 1}, datetime(2026, 3, 5, 9, 30)
    )
    interchange = next((edifact if syntax == "edifact" else x12).read([raw], interpret=INTERPRETER))
    [message] = interchange.messages()
    assert [str(fault) for fault in message.faults] == []
    return message


@pytest.mark.parametrize(("syntax", "subject"), CASES)
def test_a_rejection_is_read_as_one_with_its_text_and_line(syntax: str, subject: Subject) -> None:
    [judged] = judged_by(written(syntax, subject, Objection("RULE", LONG, "10")))
    assert judged.verdict == "rejected"
    assert LONG[:200].strip() in judged.detail
    assert "line 10" in judged.detail
    assert judged.documents[0] == (subject.number or subject.reference or subject.interchange)
    assert judged.group == (7 if syntax == "x12" else 0)


@pytest.mark.parametrize(("syntax", "subject"), CASES)
def test_many_objections_stand_in_one_advice(syntax: str, subject: Subject) -> None:
    [judged] = judged_by(written(syntax, subject, *(Objection("RULE", f"no {n}", str(n)) for n in range(100))))
    assert judged.verdict == "rejected"
    assert sum(f"no {n}" in told for n in range(100) for told in judged.told) >= 100
    assert len({told for told in judged.told if "no " in told}) == 100


@pytest.mark.parametrize(("syntax", "subject"), CASES)
def test_an_acceptance_is_read_as_one(syntax: str, subject: Subject) -> None:
    [judged] = judged_by(written(syntax, subject))
    assert (judged.verdict, judged.detail) == ("accepted", "")


@pytest.mark.parametrize(
    ("code", "verdict", "detail"),
    [
        ("TA", "accepted", ""), ("IC", "accepted", ""), ("GE", "accepted", ""), ("TR", "rejected", ""),
        ("TP", "rejected", ""), ("", "rejected", "OTI01 is '', which accepts nothing"),
        ("ok", "rejected", "OTI01 is 'ok', which accepts nothing"),
    ],
)  # fmt: skip
def test_only_what_accepts_is_taken_for_an_acceptance(code: str, verdict: str, detail: str) -> None:
    message = Message(Interchange("x12", X12, [], 0), None, b"", 0, 0, [["OTI", code, "PO", "PO-1"]])
    [judged] = judged_by(message)
    assert (judged.documents, judged.verdict, judged.detail) == (["PO-1"], verdict, detail)


def test_an_advice_tells_of_the_message_it_was_made_for() -> None:
    raw = edifact.EXAMPLE[0].replace(b"UNT+3", b"DTM+137:20260305:102'UNT+4")
    [message] = next(edifact.read([raw])).messages()
    assert subject_of(message) == Subject("ORDERS", "D96A", "EAN008", "1", "4711", "", "4711", "20260305")


@pytest.mark.parametrize(
    ("segments", "title"),
    [
        ([["UNH", "1"], ["BGM", "380", ["4711", "2"]], ["DTM", ["3", "20260301"]], ["DTM", ["137", "20260302", "102"]]],
         ("4711", "20260302")),
        ([["ST", "810", "1"], ["BIG", "20260305", "INV-1"]], ("INV-1", "20260305")),
        ([["ST", "850", "1"], ["BEG", "00", "SA", "PO-1", "", "20260305"]], ("PO-1", "20260305")),
        ([["ST", "820", "1"], ["BPR", "I"], ["TRN", "1", "T-1"]], ("T-1", "")),
        ([["UNH", "1"], ["UCI", "4711"]], ("", "")),
        ([], ("", "")),
    ],
)  # fmt: skip
def test_a_document_has_the_number_and_date_of_its_standard(segments: list[list[object]], title: object) -> None:
    assert title_of(segments) == title  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("type", "segments", "kind"),
    [
        ("INVOIC", [["UNH", "1"], ["BGM", ["381", "", "9"], "4711"]], "381"),
        ("INVOIC", [["UNH", "1"], ["BGM", "380"]], "380"),
        ("810", [["ST", "810", "1"], ["BIG", "20260305", "INV-1", "", "", "", "", "CR"]], "CR"),
        ("810", [["ST", "810", "1"], ["BIG", "20260305", "INV-1"]], ""),
        ("856", [["ST", "856", "1"], ["BSN", "00", "1"]], ""),
        ("", [], ""),
    ],
)
def test_a_document_says_of_which_kind_it_is(type: str, segments: list[list[object]], kind: str) -> None:
    assert kind_of(type, segments) == kind  # type: ignore[arg-type]
