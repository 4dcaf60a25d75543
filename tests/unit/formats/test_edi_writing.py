"""Documents to interchanges: what was read comes back to the byte, trailers are right, the rest is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.errors import MappingError
from hub.formats import BadRecord, Record, codec, edifact, x12
from hub.formats._edi_faults import EdiError
from hub.formats._segments import EDIFACT, X12, Delimiters, Repeats, joiner, splitter
from tests.unit.formats.edi_texts import GS, ISA, UNB, edifact_of, orders, sets, x12_of

UNG = "UNG+ORDERS+A:14+B:14+261128:1200+{0}+UN+D:96A:EAN008'"
PACKAGE = "UNO+7+1:x+:y+14:x'AB'UNT+1+1'\x00\x01'UNP+14+7'"


def documents(name: str, raw: bytes, **options: Any) -> list[Any]:
    found = list(codec(name).decode([raw], options))
    assert all(isinstance(record, Record) for record in found), found
    return json.loads(json.dumps([record.value for record in found if isinstance(record, Record)]))


@pytest.mark.parametrize(
    "raw",
    [
        edifact_of(*orders(1, 2, 3)),
        edifact_of(*orders(1), unb="UNA:+.? '\r\n" + UNB).replace(b"'", b"'\r\n").replace(b"\r\n\r\n", b"\r\n"),
        edifact_of(*orders(1), unb="UNA:+,? '" + UNB).replace(b"'", b"\n"),
        edifact_of(*orders(1), unb="UNA:+,? '" + UNB).replace(b"'", b"\r\n"),
        edifact_of("UNH+1+ORDERS:D:96A:UN'LIN:1:2+1'UNT+3+1'"),
        edifact_of(UNG.format(1), *orders(1, 2), "UNE+2+1'", UNG.format(2), *orders(1), "UNE+1+2'", unz="UNZ+2+4711'"),
        edifact_of("UNH+1+ORDERS:D:96A:UN'FTX+a?+b?:c?'d??+e:f?++f\xfcr'BGM+++'UNT+0004+1'"),
        edifact_of("UNH+1+ORDERS:D:96A:UN'BGM+a*b:c*d?*e+9'UNT+3+1'", unb=UNB.replace("UNOC:3", "UNOC:4")),
        edifact_of(*orders(1), PACKAGE, unz="UNZ+2+4711'"),
        edifact_of(*orders(1)) + edifact_of(*orders(2)).replace(b"4711", b"4712"),
        edifact_of(*orders(1)).translate(bytes.maketrans(b"+:'", b"\x1d\x1f\x1c")),
        edifact_of("UNH+1+ORDERS:D:96A:UN'FTX+\xb6\xb1'UNT+3+1'", unb=UNB.replace("UNOC", "UNOD")),
        edifact_of(*orders(1), unb=UNB.replace("UNOC:3+4012345000009", "UNOY:4+\xc3\x9c?+")),
        edifact_of(
            "UNH+1+ORDERS:D:96A:UN'FTX+\xa6?'?\x85\xc5\xeb'UNT+3+1'", unb="UNA:+.? '" + UNB.replace("UNOC", "UNOF")
        ).replace(b"'", b"\x85"),
    ],
)
def test_edifact_comes_back_to_the_byte(raw: bytes) -> None:
    assert edifact.encode(documents("edifact", raw), {}) == raw


@pytest.mark.parametrize("line_end", ["", "\n", "\r\n"])
@pytest.mark.parametrize("text", ["it's\nok", "a'\r\nb", "a' b\nc", "a?'\n", "Rock 'n' Roll"])
def test_line_ends_and_blanks_behind_a_released_apostrophe_are_kept(text: str, line_end: str) -> None:
    (document,) = documents("edifact", edifact_of(*orders(1)).replace(b"'", b"'" + line_end.encode()))
    document["segments"][1] = ["FTX", "AAI", "", "", text]
    (read,) = documents("edifact", edifact.encode_one(document, {}))
    assert read["segments"] == document["segments"]


@pytest.mark.parametrize(
    "raw",
    [
        x12_of(*sets(1, 2)),
        x12_of(*sets(1)).replace(b"~", b"~\n"),
        x12_of(*sets(1)).replace(b"~", b"\n"),
        x12_of(*sets(1)).replace(b"~", b"\r\n"),
        x12_of(*sets(1)).replace(b"~", b"\r"),
        x12_of(*sets(1), ge=f"GE*1*1~{GS.replace('*1*X', '*2*X')}{sets(1)[0]}GE*1*2~", iea="IEA*2*000000001~"),
        x12_of("ST*850*0001~BEG*a^b>c*x**~SE*3*0001~", isa=ISA.replace("*U*00401", "*^*00501")),
        x12_of("ST*841*0001~BIN*6*A~SE*~~SE*3*0001~"),
        x12_of("ST*850*0001~BEG*\xc3\xbc>x~SE*3*0001~").replace(b">", b"\xa6").replace(b"~", b"\x85"),
        x12_of(*sets(1)).replace(b"BUYER          ", b"B\xc3\x9cYER          "),
        x12_of(*sets(1))
        + x12_of(*sets(2)).replace(b"*", b"|").replace(b"~", b"\n").replace(b"000000001", b"000000002"),
    ],
)
def test_x12_comes_back_to_the_byte(raw: bytes) -> None:
    assert x12.encode(documents("x12", raw), {}) == raw


def test_a_binary_object_is_a_document_of_base64() -> None:
    (document,) = documents("x12", x12_of("ST*841*0001~BIN*3*\x00~\xff~SE*3*0001~"))
    assert document["segments"][1] == ["BIN", "3", {"base64": "AH7/"}]


def test_counts_and_references_of_trailers_are_made_right() -> None:
    (document,) = documents("edifact", edifact_of(*orders(1)))
    document["segments"][1:1] = [["DTM", ["137", "20261128", "102"]], ["FTX", "AAI"]]
    del document["segments"][-1]
    assert edifact.encode([document, document], {}).endswith(
        b"UNH+1+ORDERS:D:96A:UN:EAN008'DTM+137:20261128:102'FTX+AAI'BGM+220+A1+9'UNT+5+1'UNZ+2+4711'"
    )
    document = documents("x12", x12_of(*sets(1)))[0]
    document["segments"][-1] = ["SE", "99", "wrong"]
    assert x12.encode_one(document, {}) == x12_of(*sets(1))


def test_an_isa_is_padded_to_its_fixed_lengths() -> None:
    (document,) = documents("x12", x12_of(*sets(1), isa=ISA.replace("  ", "")))
    assert x12.encode_one(document, {}).startswith(ISA.replace("*U*", "*U*").encode()[:84])


@pytest.mark.parametrize(
    ("name", "change", "detail", "position"),
    [
        ("x12", {"segments": [["ST", "850", "1"], ["N1", "BY", "A*B"], ["SE", "3", "1"]]},
         "'A*B' holds the delimiter '*'; X12 has no way to release one", "segment 2 N1, element 2"),
        ("x12", {"segments": [["ST", "850", "1"], ["N1", ["BY", "A>B"]], ["SE", "3", "1"]]},
         "'A>B' holds the delimiter '>'; X12 has no way to release one", "segment 2 N1, element 1, component 2"),
        ("edifact", {"segments": [["UNH", "1", "X"], ["FTX", "AAI", {"repeat": ["A", ["B", "C"]]}]]},
         "the element is repeated, and this interchange has no separator for that", "segment 2 FTX, element 2"),
        ("edifact", {"segments": [["UNH", "1", "X"], ["FTX", "5 €"]]},
         "the character '€' is not of the character set UNOC", "segment 2 FTX, element 1"),
        ("edifact", {"segments": [["UNH", "1", "X"], ["FTX", 5]]},
         "expected a text, a list of texts, or an object with repeat or base64, found a number", "segments[1][1]"),
        ("edifact", {"segments": [["UNH", "1", "X"], []]}, "expected a list that begins with a tag, found a list",
         "segments[1]"),
        ("edifact", {"segments": []}, "expected a list with something in it, found a list", "segments"),
        ("edifact", {"segment": []}, "an unknown field", "segment"),
        ("edifact", {"delimiters": {"element": "++"}}, "expected one character, found '++'", "delimiters.element"),
        ("edifact", {"syntax": "x12"}, "expected edifact, found 'x12'", "syntax"),
        ("edifact", {"object": {"base64": "?"}}, "expected base64, found '?'", "object"),
        ("x12", {"interchange": ["ISA", "00"]}, "expected ISA with sixteen elements, found a number", "interchange"),
        ("edifact", {"segments": [["UNH", {"repeat": [["a"], 1]}]]},
         "expected a text, a list of texts, or an object with repeat or base64, found a number",
         "segments[0][1].repeat[1]"),
    ],
)  # fmt: skip
def test_what_cannot_be_written_is_refused_with_its_place(
    name: str, change: dict[str, Any], detail: str, position: str
) -> None:
    document = {**codec(name).EXAMPLE[1], **change}
    with pytest.raises(MappingError) as caught:
        codec(name).encode_one(document, {})
    assert (caught.value.detail, caught.value.position, caught.value.code) == (detail, position, "encode")


@pytest.mark.parametrize(
    "delimiters", [EDIFACT, Delimiters("+", ":", "'", "?", "*"), Delimiters("\x1d", "\x1f", "\x1c", "?")]
)
def test_every_text_survives_joining_and_splitting(delimiters: Delimiters) -> None:
    texts = ["", "?", "??'", "a+b:c*d'e", "?+", "\x00+", "\x000", "'", "a?", "\ud7ff é"]
    repeats = [Repeats([one, ["x", other]]) for one in texts for other in texts[:4]] if delimiters.repetition else []
    segments = [["TAG", text, [text, other], *repeats] for text in texts for other in texts]
    assert splitter(delimiters)(joiner(delimiters)(segments)) == segments


def test_a_delimiter_in_a_tag_or_text_of_x12_is_never_written() -> None:
    with pytest.raises(Exception, match=r"segment 1, element 1: '~' is a delimiter"):
        joiner(X12)([["N1", "a~b"]])


def test_good_messages_pass_and_bad_ones_are_held_with_all_their_faults() -> None:
    bad = "UNH+2+ORDERS:D:96A:UN'BGM'UNT+7+3'"
    first, second, third, trailer = edifact.decode([edifact_of(*orders(1), bad, *orders(4), unz="UNZ+9+4711'")], {})
    assert isinstance(first, Record) and isinstance(third, Record) and third.value["reference"] == "4"
    assert isinstance(second, BadRecord) and second.raw == bad.encode() and isinstance(second.error, EdiError)
    assert [fault.code for fault in second.error.faults] == ["28", "29"]
    assert second.error.interchange.sender.id == "4012345000009"
    assert str(second.error) == (
        "UNT has the reference '3', its header '2' (and 1 more) "
        "(interchange 4711, message 2, segment 3 UNT, element 2, byte 144)"
    )
    assert isinstance(trailer, BadRecord) and trailer.index == 3
    assert trailer.error.detail == "UNZ counts '9' messages; there are 3" and trailer.error.code == "0085_29"


def test_faulty_messages_pass_with_their_faults_where_the_option_says_so() -> None:
    raw = edifact_of("UNH+2+ORDERS:D:96A:UN'BGM'UNT+7+2'")
    (found,) = edifact.decode([raw], {"faulty": "pass"})
    assert isinstance(found, Record)
    assert found.value["faults"] == [
        {"position": "interchange 4711, message 2, segment 3 UNT, element 1, byte 92", "severity": "error",
         "code": "0085:29", "message": "UNT counts '7' segments; there are 3"}
    ]  # fmt: skip
    assert edifact.encode_one(found.value, {}).endswith(b"UNT+3+2'UNZ+1+4711'")


def test_what_was_tolerated_comes_with_the_record() -> None:
    raw = b" " + x12_of(*sets(1), "ST*850*0002~BEG~~SE*3*0002~", isa=ISA.replace("  ", ""))
    first, second = x12.decode([raw], {})
    assert isinstance(first, Record) and isinstance(second, Record)
    assert [fault.full_code for fault in first.faults] == ["I18_022", "I18_024"]
    assert [fault.full_code for fault in second.faults] == ["720_1"]
    assert not any(isinstance(record, Record) for record in x12.decode([raw], {"strict": True}))


def test_messages_under_a_header_with_an_error_are_held() -> None:
    raw = x12_of(*sets(1)) * 2
    first, second, trailer = x12.decode([raw], {})
    assert isinstance(first, Record) and isinstance(second, BadRecord) and second.error.code == "I18_025"
    assert isinstance(trailer, BadRecord)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (("segments", 1, 2), b"A2+9'"), (("segments", 0, 2, 1), b"D:96A"), (("segments", 1), b"BGM+"),
        (("interchange", 1), b"UNB+"), (("type",), b"UNH+2"), (("segments", 1, 9), b"9'\n"),
    ],
)  # fmt: skip
def test_values_of_a_document_are_traced_to_their_bytes(steps: tuple[Any, ...], expected: bytes) -> None:
    raw = edifact_of(*orders(1, 2)).replace(b"'", b"'\n")
    place = edifact.places(raw, {}, 1)(steps)
    assert place is not None and raw[place.offset :].startswith(expected)
    assert raw.split(b"\n")[place.line - 1][place.column - 1 :].startswith(expected[:2])
    assert edifact.places(raw, {}, 7)(steps) is None


def test_a_repetition_is_traced_too() -> None:
    raw = edifact_of("UNH+1+ORDERS:D:96A:UN'BGM+a*b:c*d'UNT+3+1'", unb=UNB.replace("UNOC:3", "UNOC:4"))
    place = edifact.places(raw, {}, 0)(("segments", 1, 1, "repeat", 1, 1))
    assert place is not None and raw[place.offset :].startswith(b"c*d")
