"""X12 interchanges to transaction sets: ISA as it is sent, groups, binary objects, and every fault at its place."""

from __future__ import annotations

import pytest

from hub.errors import shown
from hub.formats import x12
from hub.formats._edi_envelopes import Party
from hub.formats._edi_faults import EdiError
from tests.unit.formats.edi_texts import GS, ISA, SET, edifact_of, faults_of, messages_of, orders, sets, x12_of

BEG = ["BEG", "00", "SA", "A1", "", "20261128"]
ISA_5 = ISA.replace("*U*00401", "*^*00501")


def one(inner: str, isa: str = ISA) -> bytes:
    return x12_of(f"ST*850*0001~{inner}~SE*3*0001~", isa=isa)


def second_segment(raw: bytes) -> list[object]:
    return list(messages_of(x12, raw)[0].segments[1])


def test_an_interchange_names_its_partners_and_what_is_in_it() -> None:
    (found,) = x12.read([x12_of(*sets(1), isa=ISA.replace("*0*P*", "*1*T*"))])
    assert (found.sender, found.receiver) == (Party("BUYER", "ZZ"), Party("123456789", "01"))
    assert (found.control_number, found.version, found.date, found.time) == ("000000001", "00401", "261128", "1200")
    assert found.is_test


def test_transaction_sets_come_with_type_version_reference_group_and_place() -> None:
    raw = x12_of(*sets(1, 2))
    first, second = messages_of(x12, raw)
    assert (first.type, first.version, first.association, first.reference) == ("850", "004010", "VICS", "0001")
    assert (first.group.type, first.group.reference, first.group.sender) == ("PO", "1", Party("BUYER"))
    assert raw[second.offset :].startswith(b"ST*850*0002~") and second.raw == SET.format(2).encode()
    assert first.segments == [["ST", "850", "0001"], BEG, ["SE", "3", "0001"]]
    assert faults_of(x12, raw) == []


def test_the_version_of_the_transaction_set_goes_before_that_of_the_group() -> None:
    (message,) = messages_of(x12, x12_of("ST*850*0001*005010X231A1~BEG*00~SE*3*0001~"))
    assert (message.version, message.association) == ("005010", "X231A1")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (one("BEG*a>b*c"), ["BEG", ["a", "b"], "c"]),
        (one("BEG*a^b*cUd"), ["BEG", "a^b", "cUd"]),
        (one("BEG*a^b>c*x", ISA_5), ["BEG", ["a", ["b", "c"]], "x"]),
        (one("BEG*aUb^c", ISA.replace("00401", "00501")), ["BEG", "aUb^c"]),
        (one("BEG*a?*b"), ["BEG", "a?", "b"]),
        (one("BEG*a*b").replace(b"~", b"\n"), ["BEG", "a", "b"]),
        (one("BEG*a*b").replace(b"~", b"\r\n"), ["BEG", "a", "b"]),
        (one("BEG*a*b").replace(b"~", b"~\r\n"), ["BEG", "a", "b"]),
        (one("BEG*a*b").replace(b"~", b"\n\n  "), ["BEG", "a", "b"]),
        (one("N1*BY*LOUISA*00*ISA*GS*ST*IEA"), ["N1", "BY", "LOUISA", "00", "ISA", "GS", "ST", "IEA"]),
        (one("BEG*a>b*c").replace(b"~", b"\x85").replace(b">", b"\xa6"), ["BEG", ["a", "b"], "c"]),
        (one("N1*\x80*\xfc").replace(b"~", b"\x85"), ["N1", "€", "ü"]),
        (one("N1*f\xc3\xbcr"), ["N1", "für"]),
        (one("N1*f\xfcr"), ["N1", "für"]),
        (b"\xef\xbb\xbf" + one("N1*x") + b"\r\n\x1a", ["N1", "x"]),
    ],
)
def test_segments_are_split_by_the_delimiters_that_stand_in_isa(raw: bytes, expected: list[object]) -> None:
    assert second_segment(raw) == expected
    assert faults_of(x12, raw) == []


@pytest.mark.parametrize("charset", ["utf-8", "latin-1"])
def test_partners_are_read_in_the_character_set_that_was_really_sent(charset: str) -> None:
    raw = x12_of(*sets(1)).decode().replace("BUYER          ", "BÜYER          ").encode(charset)
    (found,) = x12.read([raw])
    assert found.sender.id == "BÜYER" and found.header[6] == "BÜYER          "
    assert faults_of(x12, raw, strict=True) == []


@pytest.mark.parametrize(("component", "terminator"), [(">", "…"), ("¦", "~"), ("¦", "‖"), ("¦", "\x1c")])
def test_a_delimiter_of_several_bytes_is_refused_by_its_name(component: str, terminator: str) -> None:
    raw = x12_of(*sets(1)).decode().replace(">", component).replace("~", terminator).encode()
    with pytest.raises(EdiError) as caught:
        list(x12.read([raw]))
    ends = shown(component + terminator)
    assert caught.value.detail == (
        f"ISA ends with {ends}: a delimiter of several bytes, since the file was converted to UTF-8"
    )
    assert caught.value.position == "ISA, element 16, byte 104"


@pytest.mark.parametrize("width", [70, 80, 128])
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_lines_that_are_wrapped_at_a_width_are_joined(width: int, line_end: bytes) -> None:
    plain = x12_of(*sets(1, 2, 3, 4))
    raw = line_end.join(plain[at : at + width] for at in range(0, len(plain), width))
    found = messages_of(x12, raw)
    assert [message.segments for message in found] == [message.segments for message in messages_of(x12, plain)]
    assert faults_of(x12, raw) == [] and all(raw[message.offset :].startswith(b"S") for message in found)


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ("BIN*18*A~SE*3*0001~GE*1*1", ["BIN", "18", b"A~SE*3*0001~GE*1*1"]),
        ("BDS*ASC*6*A~SE*~", ["BDS", "ASC", "6", b"A~SE*~"]),
        ("BIN*2*\x00\xff", ["BIN", "2", b"\x00\xff"]),
    ],
)
def test_a_binary_object_may_hold_terminators_and_tags(inner: str, expected: list[object]) -> None:
    raw = x12_of(f"ST*841*0001~{inner}~SE*3*0001~", *sets(2))
    assert messages_of(x12, raw)[0].segments[1] == expected
    assert messages_of(x12, raw)[1].segments[1][3] == "A2" and faults_of(x12, raw) == []


def test_a_binary_object_that_is_shorter_than_told_is_kept_and_told() -> None:
    raw = x12_of("ST*841*0001~BIN*9999*A~SE*3*0001~")
    assert messages_of(x12, raw)[0].segments[1] == ["BIN", "9999", b"A~SE*3*0001~GE*1*1~IEA*1*000000001~"]
    assert [line.split("@")[0] for line in faults_of(x12, raw)] == [
        "error 718:2 000000001/1/0001 2 BIN ", "error 720:8 000000001/1/0001 2 BIN ", "error 716:3 000000001/1 GE ",
        "error I18:023 000000001 IEA ",
    ]  # fmt: skip


def test_a_binary_object_that_is_longer_than_told_is_kept_and_told() -> None:
    raw = x12_of("ST*841*0001~BIN*3*A>B*C~SE*3*0001~", *sets(2))
    assert messages_of(x12, raw)[0].segments[1:] == [["BIN", "3", b"A>B*C"], ["SE", "3", "0001"]]
    assert faults_of(x12, raw) == [
        "error 720:8 000000001/1/0001 2 BIN @*C~SE@ the object is 2 bytes longer than its length tells"
    ]


@pytest.mark.parametrize("end", [">", "> ", "1~", ">9"])
def test_a_letter_a_digit_or_a_blank_is_no_delimiter(end: str) -> None:
    raw = x12_of(*sets(1)).replace(b">~", end.encode(), 1)
    with pytest.raises(EdiError, match="cannot end a segment"):
        list(x12.read([raw]))


def test_several_interchanges_in_one_file_may_have_different_delimiters() -> None:
    second = x12_of(*sets(2)).replace(b"*", b"|").replace(b"~", b"\n").replace(b"000000001", b"000000002")
    raw = x12_of(*sets(1)) + b"\r\n" + second
    assert [message.segments[1][3] for message in messages_of(x12, raw)] == ["A1", "A2"]
    assert faults_of(x12, raw) == []


def test_ta1_stands_outside_groups_and_is_kept() -> None:
    found = next(x12.read([(ISA + "TA1*000000905*261127*1200*A*000~IEA*0*000000001~").encode()]))
    assert list(found.messages()) == [] and found.is_accepted
    assert found.notes == [["TA1", "000000905", "261127", "1200", "A", "000"]]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (x12_of("ST*850*0001~BEG~SE*4*0001~"),
         ["718:4 000000001/1/0001 3 SE/1 @4*000@ SE counts '4' segments; there are 3"]),
        (x12_of("ST*850*0001~BEG~SE*3*0002~"),
         ["718:3 000000001/1/0001 3 SE/2 @0002~@ SE has the reference '0002', its header '0001'"]),
        (x12_of("ST*850*0001~BEG~", *sets(2)),
         ["718:2 000000001/1/0001 2 BEG @BEG~S@ SE is missing: the next service segment follows"]),
        (x12_of(*sets(1, 1)),
         ["718:23 000000001/1/0001 1 ST/2 @0001~@ the reference '0001' stood before in the same group"]),
        (x12_of("ST*850~BEG~SE*3~"), ["718:7 000000001/1 1 ST/2 @850~B@ the reference is missing"]),
        (x12_of("ST**0001~BEG~SE*3*0001~"), ["718:6 000000001/1/0001 1 ST/1 @*0001@ the message type is missing"]),
        (x12_of(*sets(1), ge="GE*2*1~"), ["716:5 000000001/1 GE/1 @2*1~I@ GE counts '2' messages; there are 1"]),
        (x12_of(*sets(1), ge="GE*1*2~"), ["716:4 000000001/1 GE/2 @2~IEA@ GE has the number '2', its header '1'"]),
        (x12_of(*sets(1), ge=" "), ["716:3 000000001/1 GE @IEA*1@ GE is missing: IEA follows"]),
        (x12_of(*sets(1), ge=f"GE*1*1~{GS}{SET.format(1)}GE*1*1~", iea="IEA*2*000000001~"),
         ["716:19 000000001/1 GS/6 @1*X*0@ the group's reference '1' stood before in the same interchange"]),
        (x12_of(*sets(1), iea="IEA*2*000000001~"),
         ["I18:021 000000001 IEA/1 @2*000@ IEA counts '2' groups; there are 1"]),
        (x12_of(*sets(1), iea="IEA*1*000000002~"),
         ["I18:001 000000001 IEA/2 @00000@ IEA has the number '000000002', its header '000000001'"]),
        (x12_of(*sets(1), iea=" "), ["I18:023 000000001 IEA @@ IEA is missing: the bytes end"]),
        (x12_of(*sets(1), gs="", ge=" ", iea="IEA*0*000000001~"),
         ["718:5 000000001//0001 1 ST @ST*85@ ST stands outside a group"]),
        (x12_of(), ["716:5 000000001/1 GE @GE*0*@ the group holds no message"]),
        (x12_of(*sets(1), ge="GE*1*1~NTE*x~"),
         ["I18:024 000000001 NTE @NTE*x@ 6 bytes between messages that belong to none: 'NTE*x~'"]),
        (x12_of(*sets(1)) * 2,
         ["I18:025 000000001 ISA/13 @ISA*0@ the control number 000000001 stood in an earlier interchange of these "
          "partners"]),
        (x12_of(*sets(1), isa=ISA.replace("000000001", "0000A0001"), iea="IEA*1*0000A0001~"),
         ["I18:018 0000A0001 ISA/13 @0000A@ the interchange control number '0000A0001' is not numeric"]),
        (x12_of(*sets(1), isa=ISA.replace("BUYER", "     ")),
         ["I18:006 000000001 ISA/6 @     @ the sender's identification is missing"]),
        (x12_of(*sets(1), isa=ISA.replace("00401", "ABCDE")),
         ["I18:017 000000001 ISA/12 @ABCDE@ the interchange version 'ABCDE' is unknown"]),
    ],
)  # fmt: skip
def test_every_fault_of_the_envelope_is_told_with_its_place_and_code(raw: bytes, expected: list[str]) -> None:
    assert faults_of(x12, raw) == [f"error {line}" for line in expected]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (x12_of(*sets(1), isa=ISA.replace("  ", "")),
         "I18:022 000000001 ISA @ISA*0@ ISA is 70 characters long, its elements are not padded to their fixed lengths"),
        (x12_of(*sets(1), isa=ISA.replace("*P*", "*X*")),
         "I18:020 000000001 ISA/15 @X*>~G@ the usage indicator 'X' is none of P, T and I"),
        (x12_of(*sets(1), isa=ISA.replace("ISA*00", "ISA*0 ")),
         "I18:010 000000001 ISA/1 @0 *  @ the qualifier '0 ' is none"),
        (x12_of(*sets(1), isa=ISA.replace("*ZZ*BUYER", "*z1*BUYER")),
         "I18:005 000000001 ISA/5 @z1*BU@ the qualifier 'z1' is none"),
        (x12_of(*sets(1), isa=ISA.replace("*0*P*", "*N*P*")),
         "I18:019 000000001 ISA/14 @N*P*>@ the request for an acknowledgement 'N' is neither 0 nor 1"),
        (x12_of(*sets(1), iea="IEA*1*1~"),
         "I18:001 000000001 IEA/2 @1~@ IEA has the number '1', its header '000000001'"),
        (one("BEG~"), "720:1 000000001/1/0001 2 BEG @~SE*3@ an empty segment"),
        (one("BEG*a\nb"),
         "720:8 000000001/1/0001 2 BEG @\\nb~SE@ a line ends within a segment; it is kept in the data"),
    ],
)  # fmt: skip
def test_what_is_tolerated_is_a_warning_and_strictly_an_error(raw: bytes, expected: str) -> None:
    assert faults_of(x12, raw) == [f"warning {expected}"]
    assert all(message.is_accepted for message in messages_of(x12, raw))
    assert faults_of(x12, raw, strict=True) == [f"error {expected}"]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", "nothing in it; expected ISA"),
        (b"MSH|^~\\&|A", "this is HL7; it is not X12; expected ISA"),
        (edifact_of(*orders(1)), "this is EDIFACT (o2c decode edifact); it is not X12; expected ISA"),
        (b"GS*PO*A*B", "this is a group without an interchange (GS before any ISA); it is not X12; expected ISA"),
        (b"\xc9\xe2\xc1\x5c\xf0", "this is in EBCDIC; convert it to ASCII; it is not X12; expected ISA"),
        (b"ISA hello", "9 bytes that are no interchange: 'ISA hello'; expected ISA"),
        (b"ISA*00*x~", "ISA has no sixteen elements and a terminator: 'ISA*00'"),
    ],
)
def test_what_is_no_x12_is_refused_by_its_name(raw: bytes, expected: str) -> None:
    with pytest.raises(EdiError) as caught:
        list(x12.read([raw]))
    assert caught.value.detail == expected
