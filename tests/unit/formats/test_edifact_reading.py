"""EDIFACT interchanges to messages: delimiters, envelopes, characters, and where everything that is wrong is told."""

from __future__ import annotations

import pytest

from hub.formats import edifact
from hub.formats._edi_envelopes import Party
from hub.formats._edi_faults import EdiError
from tests.unit.formats.edi_texts import ORDER, UNB, UNB_4, edifact_of, faults_of, messages_of, orders, x12_of

UNG = "UNG+ORDERS+A:14+B:14+261128:1200+1+UN+D:96A:EAN008'"
UNH = "UNH+1+ORDERS:D:96A:UN'"
BGM = ["BGM", "220", "A1", "9"]


def one(inner: str, unb: str = UNB) -> bytes:
    return edifact_of(f"{UNH}{inner}'UNT+3+1'", unb=unb)


def second_segment(raw: bytes, **settings: object) -> list[object]:
    return list(messages_of(edifact, raw, **settings)[0].segments[1])


def test_an_interchange_names_its_partners_and_what_is_in_it() -> None:
    unb = "UNB+UNOC:3+40:14:AB+54:14+261128:1200+4711++INVOIC++1++1'"
    (found,) = edifact.read([edifact_of(*orders(1, 2), unb=unb)])
    assert (found.sender, found.receiver) == (Party("40", "14", "AB"), Party("54", "14"))
    assert (found.control_number, found.date, found.time, found.level, found.version) == (
        "4711", "261128", "1200", "UNOC", "3",
    )  # fmt: skip
    assert found.is_test and found.application_reference == "INVOIC"


@pytest.mark.parametrize(("indicator", "is_test"), [("", False), ("0", False), ("1", True), ("2", True), ("3", True)])
def test_every_test_indicator_but_none_says_that_it_is_no_real_interchange(indicator: str, is_test: bool) -> None:
    (found,) = edifact.read([edifact_of(*orders(1), unb=UNB_4[:-1] + f"++++++{indicator}'")])
    assert found.is_test is is_test


def test_messages_come_with_type_version_reference_and_their_place_in_the_file() -> None:
    raw = edifact_of(*orders(1, 2))
    first, second = messages_of(edifact, raw)
    assert (first.type, first.version, first.association, first.reference) == ("ORDERS", "D96A", "EAN008", "1")
    assert raw[second.offset :].startswith(b"UNH+2+") and second.raw == ORDER.format(2).encode()
    assert first.segments == [["UNH", "1", ["ORDERS", "D", "96A", "UN", "EAN008"]], BGM, ["UNT", "3", "1"]]
    assert [first.index, second.index] == [0, 1] and first.is_accepted


@pytest.mark.parametrize("version", ["1", "2", "3", "4"])
def test_every_version_of_the_syntax_is_read(version: str) -> None:
    raw = edifact_of(ORDER.format(1), unb=UNB_4 if version == "4" else UNB.replace("UNOC:3", f"UNOA:{version}"))
    found = [(interchange.version, [m.type for m in interchange.messages()]) for interchange in edifact.read([raw])]
    assert found == [(version, ["ORDERS"])]
    assert faults_of(edifact, raw) == []


def test_messages_are_read_only_when_they_are_asked_for() -> None:
    taken = 0

    def chunks() -> object:
        nonlocal taken
        yield UNB.encode()
        for number in range(1, 10_000):
            taken = number
            yield ORDER.format(number).encode()

    found = next(edifact.read(chunks()))  # type: ignore[arg-type]
    next(found.messages())
    assert taken < 5_000


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (one("FTX+10?+5?'s?:??", UNB), ["FTX", "10+5's:?"]),
        (one("FTX+a?:b:c?+", UNB), ["FTX", ["a:b", "c+"]]),
        (one("FTX+?a", UNB), ["FTX", "a"]),
        (one("FTX+what??", UNB), ["FTX", "what?"]),
        (one("FTX+\x00?+", UNB), ["FTX", "\x00+"]),
        (one("BGM+a*b", UNB), ["BGM", "a*b"]),
        (one("BGM+a*b:c*d?*e+9", UNB_4), ["BGM", ["a", ["b", "c"], "d*e"], "9"]),
        (one("BGM+a^b+9*8", "UNA:+.?^'" + UNB_4), ["BGM", ["a", "b"], "9*8"]),
        (one("BGM+a?b+9", "UNA:+.  '" + UNB), ["BGM", "a?b", "9"]),
        (one("BGM+a+9", "UNA:+,? '\r\n" + UNB), ["BGM", "a", "9"]),
        (one("BGM+a+9", "UNA:+.? '" + UNB).replace(b"'", b"\n"), ["BGM", "a", "9"]),
        (one("BGM+a:b+9", UNB.replace("UNOC:3", "UNOB:1")).translate(bytes.maketrans(b"+:'", b"\x1d\x1f\x1c")),
         ["BGM", ["a", "b"], "9"]),
        (one("LIN:1:2+9"), ["LIN:1:2", "9"]),
        (one("NAD+BY+++UNB+UNT+3+1 UNH+UNZ"), ["NAD", "BY", "", "", "UNB", "UNT", "3", "1 UNH", "UNZ"]),
        (one("BGM+++"), ["BGM", "", "", ""]),
        (one("BGM").replace(b"'", b"'\r\n"), ["BGM"]),
    ],
)  # fmt: skip
def test_segments_are_split_by_the_delimiters_of_their_interchange(raw: bytes, expected: list[object]) -> None:
    assert second_segment(raw) == expected
    assert faults_of(edifact, raw) == []


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (one("FTX+f\xfcr"), "für"),
        (one("FTX+\x805"), "€5"),
        (one("FTX+f\xc3\xbcr"), "für"),
        (one("FTX+f\xc3\xbcr", UNB.replace("UNOC:3", "UNOY:4")), "für"),
        (one("FTX+\xb6ka", UNB.replace("UNOC", "UNOD")), "śka"),
        (one("FTX+\xa4", UNB.replace("UNOC", "UNOL")), "€"),
        (one("FTX+\xc5\xeb", UNB.replace("UNOC", "UNOF")), "Ελ"),
        (one("FTX+\xbf\xe0", UNB.replace("UNOC", "UNOE")), "Пр"),
    ],
)
def test_texts_are_read_in_the_character_set_that_was_really_sent(raw: bytes, expected: str) -> None:
    assert second_segment(raw)[1] == expected


def test_what_the_label_does_not_promise_is_told_and_strictly_the_label_counts() -> None:
    raw = one("FTX+f\xc3\xbcr")
    assert faults_of(edifact, raw) == [
        "warning 0085:46 4711//1 2 FTX @\\xc3\\xbcr'U@ the byte C3 is not of the character set UNOC; read as UTF-8"
    ]
    assert second_segment(raw, strict=True)[1] == "fÃ¼r"
    assert second_segment(raw, charset="latin-1")[1] == "fÃ¼r"
    assert faults_of(edifact, one("FTX+\x80"), strict=True) == [
        "error 0085:46 4711//1 2 FTX @\\x80'UNT@ the byte 80 is not of the character set UNOC; read as ISO 8859-1"
    ]


@pytest.mark.parametrize(("level", "sent"), [("UNOY", "Ž".encode()), ("UNOC", "Ž".encode()), ("UNOD", b"\xae")])
def test_partners_are_read_in_the_character_set_that_was_really_sent(level: str, sent: bytes) -> None:
    raw = edifact_of(*orders(1), unb=UNB.replace("UNOC", level)).replace(b"4012345000009", sent)
    (found,) = edifact.read([raw])
    assert found.sender.id == "Ž" and found.header[2] == ["Ž", "14"]


@pytest.mark.parametrize("width", [15, 70, 80])
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_lines_that_are_wrapped_at_a_width_are_joined(width: int, line_end: bytes) -> None:
    plain = edifact_of(*orders(1, 2, 3))
    raw = line_end.join(plain[at : at + width] for at in range(0, len(plain), width)) + line_end
    found = messages_of(edifact, raw)
    assert [message.segments for message in found] == [message.segments for message in messages_of(edifact, plain)]
    assert faults_of(edifact, raw) == []
    assert all(raw[message.offset :].startswith(b"U") for message in found)


def test_the_width_of_a_wrapped_line_counts_characters() -> None:
    plain = edifact_of(*[ORDER.format(number).replace("+9'", "+Ä" * number + "'") for number in range(1, 9)]).decode(
        "latin-1"
    )
    raw = "\n".join(plain[at : at + 50] for at in range(0, len(plain), 50)).encode()
    assert [message.segments[1][3] for message in messages_of(edifact, raw)] == ["Ä"] * 8


def test_a_strange_character_in_wrapped_lines_is_told_at_its_byte() -> None:
    plain = edifact_of(*orders(1), "UNH+2+ORDERS:D:96A:UN'FTX+\x80'UNT+3+2'", *orders(3, 4))
    raw = b"\r\n".join(plain[at : at + 70] for at in range(0, len(plain), 70))
    (told,) = faults_of(edifact, raw)
    assert told.startswith("warning 0085:46 4711//2 2 FTX @\\x80")


@pytest.mark.parametrize("between", ["'\r\n", "\r'", " '", "'\n'\n", "\t\n'"])
def test_blanks_between_two_terminators_are_no_segment(between: str) -> None:
    raw = edifact_of("UNH+1+ORDERS:D:96A:UN'\r\nBGM+220'\r\n" + between + "\r\nUNT+3+1'")
    (message,) = messages_of(edifact, raw)
    assert [segment[0] for segment in message.segments] == ["UNH", "BGM", "UNT"]
    assert {fault.code for fault in message.faults} == {"22"} and message.is_accepted


def test_a_delimiter_need_not_be_of_the_level() -> None:
    raw = edifact_of(*orders(1), unb="UNA:+.? ~" + UNB.replace("UNOC", "UNOA")).replace(b"'", b"~")
    assert faults_of(edifact, raw) == []


def test_several_interchanges_in_one_file_may_have_different_delimiters() -> None:
    other = edifact_of(*orders(3)).replace(b"4711", b"4712").replace(b"+", b"|").replace(b"'", b"~").replace(b":", b"^")
    raw = b"\xef\xbb\xbf" + edifact_of(*orders(1)) + b"\r\nUNA^|.? ~" + other + b"\x1a"
    assert [message.segments[1] for message in messages_of(edifact, raw)] == [BGM, ["BGM", "220", "A3", "9"]]
    assert faults_of(edifact, raw) == []


def test_groups_are_kept_with_their_reference_and_version() -> None:
    raw = edifact_of(UNG, *orders(1, 2), "UNE+2+1'", unz="UNZ+1+4711'")
    first, second = messages_of(edifact, raw)
    assert first.group is second.group
    assert (first.group.reference, first.group.type, first.group.version, first.group.association) == (
        "1", "ORDERS", "D96A", "EAN008",
    )  # fmt: skip
    assert first.group.sender == Party("A", "14") and faults_of(edifact, raw) == []


def test_a_group_of_version_4_without_a_type_holds_messages_of_several_and_packages_stand_in_any() -> None:
    ung, package = "UNG++A:14+B:14++{}'", "UNO+7+1:x+:y+2'ABUNP+2+7'"
    several = (*orders(1), ORDER.format(2).replace("ORDERS", "ORDRSP"), package, "UNE+3+1'")
    of_one = (ung.format(2).replace("UNG+", "UNG+ORDERS"), *orders(3), package, "UNE+2+2'")
    raw = edifact_of(ung.format(1), *several, *of_one, unb=UNB_4, unz="UNZ+2+4711'")
    assert faults_of(edifact, raw) == []
    (told,) = faults_of(edifact, edifact_of(UNG.replace("ORDERS", ""), *orders(1), "UNE+1+1'", unz="UNZ+1+4711'"))
    assert told.endswith("the message 'ORDERS' stands in a group of ''")


def test_a_package_holds_an_object_that_is_not_text() -> None:
    package = "UNO+7+1:x+:y+14:x'AB'UNT+1+1'\x00\x01'UNP+14+7'"
    raw = edifact_of(*orders(1), package, *orders(3), unz="UNZ+3+4711'")
    _, second, third = messages_of(edifact, raw)
    assert (second.kind, second.reference, second.object) == ("package", "7", b"AB'UNT+1+1'\x00\x01'")
    assert third.segments[1] == ["BGM", "220", "A3", "9"] and faults_of(edifact, raw) == []
    wrong = raw.replace(b":y+14", b":y+99").replace(b"UNP+14+7", b"UNP+14+8")
    assert faults_of(edifact, wrong) == [
        "error 0085:29 4711//7 1 UNO/4 @99:x'@ UNO tells an object of 99 bytes; there are 14",
        "error 0085:28 4711//7 2 UNP/2 @8'UNH@ UNP has the reference '8', its header '7'",
    ]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (edifact_of(UNH + "BGM'UNT+4+1'"),
         ["error 0085:29 4711//1 3 UNT/1 @4+1'U@ UNT counts '4' segments; there are 3"]),
        (edifact_of(UNH + "BGM'UNT+3+2'"),
         ["error 0085:28 4711//1 3 UNT/2 @2'UNZ@ UNT has the reference '2', its header '1'"]),
        (edifact_of(UNH + "BGM'", *orders(2)),
         ["error 0085:13 4711//1 2 BGM @BGM'U@ UNT is missing: the next service segment follows"]),
        (edifact_of(*orders(1), unz="UNZ+2+4711'"),
         ["error 0085:29 4711 UNZ/1 @2+471@ UNZ counts '2' messages; there are 1"]),
        (edifact_of(*orders(1), unz="UNZ+1+4712'"),
         ["error 0085:28 4711 UNZ/2 @4712'@ UNZ has the number '4712', its header '4711'"]),
        (edifact_of(*orders(1), unz=" "), ["error 0085:13 4711 UNZ @@ UNZ is missing: the bytes end"]),
        (edifact_of(*orders(1, 1)),
         ["error 0085:26 4711//1 1 UNH/1 @1+ORD@ the reference '1' stood before in the same interchange"]),
        (edifact_of(*orders(1), "FOO+1'BAR'", *orders(2), unz="UNZ+2+4711'"),
         ["error 0085:33 4711 FOO @FOO+1@ 10 bytes between messages that belong to none: 'FOO+1'BAR''"]),
        (edifact_of(), ["error 0085:32 4711 UNZ @UNZ+0@ the interchange holds no message"]),
        (edifact_of(UNG, *orders(1), "UNE+3+2'", *orders(5), unz="UNZ+2+4712'"),
         ["error 0085:30 4711//5 1 UNH @UNH+5@ UNH stands outside a group",
          "error 0085:29 4711/1 UNE/1 @3+2'U@ UNE counts '3' messages; there are 1",
          "error 0085:28 4711/1 UNE/2 @2'UNH@ UNE has the number '2', its header '1'",
          "error 0085:29 4711 UNZ/1 @2+471@ UNZ counts '2' groups; there are 1",
          "error 0085:28 4711 UNZ/2 @4712'@ UNZ has the number '4712', its header '4711'"]),
        (edifact_of(UNG.replace("ORDERS", "INVOIC"), *orders(1), unz="UNZ+1+4711'"),
         ["error 0085:31 4711/1/1 1 UNH/2 @ORDER@ the message 'ORDERS' stands in a group of 'INVOIC'",
          "error 0085:13 4711/1 UNE @UNZ+1@ UNE is missing: UNZ follows"]),
        (edifact_of("UNH++ORDERS:D:96A:UN'LIN+9'UNT+3'"),
         ["error 0085:13 4711 1 UNH/1 @+ORDE@ the reference is missing"]),
        (edifact_of("UNH+1'LIN+9'UNT+3+1'"), ["error 0085:13 4711//1 1 UNH/2 @1'LIN@ the message type is missing"]),
        (edifact_of(*orders(1), unb="UNB+UNOC:9+:14+54:14+261128:1200+'", unz="UNZ+1'"),
         ["error 0085:2 UNB/1 @9+:14@ the syntax version '9' is unknown",
          "error 0085:13 UNB/2 @:14+5@ the sender is missing",
          "error 0085:13 UNB/5 @'UNH+@ the control reference is missing"]),
    ],
)  # fmt: skip
def test_every_fault_of_the_envelope_is_told_with_its_place_and_code(raw: bytes, expected: list[str]) -> None:
    assert faults_of(edifact, raw) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b" \r\n" + edifact_of(*orders(1)),
         "0085:33 4711 @ \\r\\nUN@ blanks or line ends before the interchange; expected UNA or UNB as the first bytes"),
        (edifact_of(*orders(1), unb="UNA:+.?'" + UNB),
         "0085:22 4711 UNA @UNA:+@ UNA has five characters; the blank for the repetition separator is missing"),
        (one("FTX'"), "0085:22 4711//1 2 FTX @'UNT+@ an empty segment"),
        (one("FTX+a\nb").replace(b"'", b"'\n"),
         "0085:21 4711//1 2 FTX @\\nb'\\nU@ a line ends within a segment; it is kept in the data"),
        (one("FTX+a?'\nb"),
         "0085:21 4711//1 2 FTX @\\nb'UN@ a line ends within a segment; it is kept in the data"),
        (one("BGM+Abc", UNB.replace("UNOC", "UNOA")),
         "0085:21 4711//1 2 BGM @bc'UN@ the character 'b' is not of the level UNOA"),
        (edifact_of(*orders(1))[:-1], "0085:13 4711 UNZ @UNZ+1@ the last segment has no terminator after UNZ"),
        (edifact_of(*orders(1), unb=UNB.replace("UNOC", "IATA")),
         "0085:46 4711 UNB/1 @IATA:@ the syntax level 'IATA' is none of ISO 9735; read as Latin-1 or UTF-8"),
        (edifact_of(*orders(1)).replace(b"'", b"\r\n"),
         "0085:22 4711 UNB @UNB+U@ no UNA names the delimiters ':+\\x0d'; they are told by their places"),
        (edifact_of(*orders(1)).replace(b"+", b"|").replace(b"'", b"~"),
         "0085:22 4711 UNB @UNB|U@ no UNA names the delimiters ':|~'; they are told by their places"),
    ],
)  # fmt: skip
def test_what_is_tolerated_is_a_warning_and_strictly_an_error(raw: bytes, expected: str) -> None:
    assert faults_of(edifact, raw) == [f"warning {expected}"]
    assert all(message.is_accepted for message in messages_of(edifact, raw))
    assert faults_of(edifact, raw, strict=True) == [f"error {expected}"]


def test_a_file_that_ends_in_the_middle_gives_what_was_whole() -> None:
    raw = edifact_of(*orders(1, 2))[:-26]
    first, second = messages_of(edifact, raw)
    assert first.is_accepted and not second.is_accepted
    assert faults_of(edifact, raw) == [
        "error 0085:13 4711//2 2 BGM @BGM+2@ UNT is missing: the bytes end",
        "error 0085:13 4711 UNZ @@ UNZ is missing: the bytes end",
    ]


def test_an_interchange_behind_one_without_a_trailer_and_behind_other_bytes_is_found() -> None:
    second = edifact_of(*orders(2)).replace(b"4711", b"4712")
    raw = (UNB + ORDER.format(1)).encode() + second + b"kept by UNBROKEN+SEALS" + second.replace(b"4712", b"4713")
    assert [message.interchange.control_number for message in messages_of(edifact, raw)] == ["4711", "4712", "4713"]
    assert faults_of(edifact, raw) == [
        "error 0085:13 4711 UNZ @UNB+U@ UNZ is missing: the next interchange begins",
        "error 0085:33 @kept @ 22 bytes that are no interchange: 'kept by UNBROKEN+SEALSUNB+UNOC:3+4012345'; "
        "expected UNA or UNB",
    ]


@pytest.mark.parametrize("between", ["", "\n", "\r\n"])
@pytest.mark.parametrize("lost", ["UNT+3+1'UNZ+1+4711'", "UNZ+1+4711'"])
def test_a_message_without_its_trailer_takes_in_nothing_of_the_next_interchange(between: str, lost: str) -> None:
    """Which begins with UNA, a segment like no other."""
    first, second = edifact_of(*orders(1)).decode(), edifact_of(*orders(1)).decode().replace("4711", "4712")
    assert lost in first
    raw = (first.replace(lost, "") + "UNA:+.? '" + second).replace("'", f"'{between}")
    found = [(each.interchange.control_number, each.tags) for each in messages_of(edifact, raw.encode())]
    whole = ("UNH", "BGM", "UNT")
    assert found == [("4711", ("UNH", "BGM") if "UNT" in lost else whole), ("4712", whole)]


def test_a_una_within_a_message_ends_it_whatever_follows() -> None:
    raw = edifact_of(*orders(1)).replace(b"UNT+", b"UNA:+.? 'DTM+137:20261128:102'UNT+")
    assert [message.tags for message in messages_of(edifact, raw)] == [("UNH", "BGM")]
    assert any("UNA is not followed by UNB" in fault for fault in faults_of(edifact, raw))


def test_a_control_number_that_stands_twice_in_one_file_is_told() -> None:
    raw = edifact_of(*orders(1)) * 2
    assert faults_of(edifact, raw) == [
        "error 0085:26 4711 UNB/5 @UNB+U@ the control number 4711 stood in an earlier interchange of these partners"
    ]
    assert faults_of(edifact, raw.replace(b"+4711", b"+4712", 2)) == []


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", "nothing in it; expected UNA or UNB"),
        (b"STX=ANA:1+5000'MHD=1+ORDHDR:9'", "this is TRADACOMS; it is not EDIFACT; expected UNA or UNB"),
        (x12_of(), "this is X12 (o2c decode x12); it is not EDIFACT; expected UNA or UNB"),
        (b"STX\x1dANA:1",
         "this is a TDI or GTDI interchange, the forerunner of EDIFACT; it is not EDIFACT; expected UNA or UNB"),
        (b"ICS*00*          *00*",
         "this is X12 with an ICS envelope, before ISA; it is not EDIFACT; expected UNA or UNB"),
        (b"BG*THEM*US", "this is UCS or WINS with a BG envelope; it is not EDIFACT; expected UNA or UNB"),
        (b"EDI_DC40  1000000001", "this is an SAP IDoc; it is not EDIFACT; expected UNA or UNB"),
        (b"<?xml version='1.0'?>\n<ORDERS05><IDOC BEGIN='1'>",
         "this is an SAP IDoc; it is not EDIFACT; expected UNA or UNB"),
        (b"<?xml version='1.0'?><Order/>", "this is XML; it is not EDIFACT; expected UNA or UNB"),
        (b"UIB+UNOA:1'", "this is interactive EDIFACT (UIB); it is not EDIFACT; expected UNA or UNB"),
        (UNH.encode(),
         "this is a message without an interchange (UNH before any UNB); it is not EDIFACT; expected UNA or UNB"),
        (b"UNB+UNOC:3+" + b"x" * 100_000, "UNB has no end: 'UNB+UNOC:3+xxxxxxxxx'"),
        (b"UNA:+.? '\nUIB+UNOA:0'",
         "UNA is not followed by UNB, but by interactive EDIFACT (UIB): 'UNA:+.? '\\x0aUIB+UNOA:0'"),
        (b"UNA:+.? '\nUNH+1+ORDERS",
         "UNA is not followed by UNB, but by a message without an interchange (UNH before any UNB): "
         "'UNA:+.? '\\x0aUNH+1+ORDE'"),
        (b"UNA:+.? 'UNB:UNOC:3'", "UNB is not followed by the separator '+': 'UNB:UNOC:3'"),
        (b"UNA:+.? '\r\nUNB\r\nBGM+1'UNH+1'", "UNB is not followed by the separator '+': 'UNBBGM'"),
        (b"UNA:+.: 'UNX", "UNA is not followed by UNB: 'UNA:+.: 'UNX'"),
        ("UNA:+.? '".encode("utf-16"),
         "this is in UTF-16; convert it to UTF-8; it is not EDIFACT; expected UNA or UNB"),
    ],
)  # fmt: skip
def test_what_is_no_edifact_is_refused_by_its_name(raw: bytes, expected: str) -> None:
    with pytest.raises(EdiError) as caught:
        list(edifact.read([raw]))
    assert caught.value.detail == expected


def test_the_grammar_is_asked_once_and_its_faults_join_those_of_the_reader() -> None:
    asked = []

    def interpret(message):  # type: ignore[no-untyped-def]
        asked.append(message.reference)
        found = message.fault("0085", "12", "no such code", segment=2, element=1, seen="'220'", expected="a code")
        return {"BGM": message.segments[1]}, [found]

    (message,) = messages_of(edifact, edifact_of(UNH + "BGM+220'UNT+9+1'"), interpret=interpret)
    assert message.tree == {"BGM": ["BGM", "220"]} and asked == ["1"]
    assert [(fault.code, fault.segment, fault.tag, fault.element, fault.offset) for fault in message.faults] == [
        ("29", 3, "UNT", 1, 96), ("12", 2, "BGM", 1, 88),
    ]  # fmt: skip
    assert message.faults[1].position == "interchange 4711, message 1, segment 2 BGM, element 1, byte 88"
