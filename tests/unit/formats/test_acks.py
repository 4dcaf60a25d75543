"""Acknowledgements by the table: what was found in which segment and element, and what the sender is told of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from hub.errors import MappingError
from hub.formats import _edi_outgoing as outgoing
from hub.formats import edifact, x12
from hub.formats._acks import Report, acknowledge
from hub.formats._acks_read import Said, said_by
from hub.formats._edi_envelopes import Interchange, Message, Party
from hub.formats._edi_marks import filled
from hub.formats._segments import EDIFACT, X12
from hub.grammars import Grammars, Interpreter
from hub.project import reference_files

ALWAYS = {"contrl": "always", "997": "always"}
ORDERS = (
    b"UNB+UNOC:3+THEM:14+US:14+260305:0930+101'UNH+1+ORDERS:D:96A:UN'BGM+220+A+9'DTM+137:2026:102'UNT+4+1'UNZ+1+101'"
)
ISA = b"ISA*00*          *00*          *ZZ*THEM           *ZZ*US             *260305*0930*%b*%b*000000007*0*P*>~"
SETS = b"ST*850*0001~BEG*00*A~CTT*0~SE*4*0001~GE*1*7~IEA*1*000000007~"


def report_of(raw: bytes, *faults: dict[str, Any]) -> Report:
    """What acknowledging takes, where a grammar has found these faults in every message."""

    def interpret(message: Any) -> tuple[None, list[Any]]:
        return None, [message.fault(f["list"], f["code"], "found", **f["at"]) for f in faults]

    reader = x12 if raw.startswith(b"ISA") else edifact
    interchange = next(reader.read([raw], interpret=interpret))
    report = Report(interchange)
    for message in interchange.messages():
        report.add(message)
    return report


def segments(raw: bytes, *faults: dict[str, Any], **policy: str) -> list[Any]:
    [document] = acknowledge(report_of(raw, *faults), policy or ALWAYS)
    return list(document["segments"])


@cache
def grammars() -> Grammars:
    return Grammars(reference_files())


def fault(code_list: str, code: str, **at: Any) -> dict[str, Any]:
    return {"list": code_list, "code": code, "at": at}


def test_contrl_tells_segments_elements_and_components() -> None:
    found = segments(
        ORDERS,
        fault("0085", "12", segment=3, element=1, component=2),
        fault("0085", "13", segment=3, element=1, component=3),
        fault("0085", "15", segment=2),
    )
    assert found[0][-1] == "7"
    assert found[1:] == [
        ["UCM", "1", ["ORDERS", "D", "96A", "UN"], "4"], ["UCS", "3"], ["UCD", "12", ["2", "2"]],
        ["UCD", "13", ["2", "3"]], ["UCS", "2", "15"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("version", "places"), [(b"3", [["3"], ["3", "1"]]), (b"4", [["3", "", "2"], ["3", "1", "2"]])]
)
def test_contrl_tells_repetitions_where_its_version_has_a_place_for_them(version: bytes, places: list[Any]) -> None:
    report = report_of(
        ORDERS.replace(b"UNOC:3", b"UNOC:" + version).replace(b"+260305:", b"+20260305:"),
        fault("0085", "12", segment=2, element=2, repetition=2),
        fault("0085", "12", segment=2, element=2, component=1, repetition=2),
    )
    report.is_taken = True
    [document] = acknowledge(report, ALWAYS)
    assert [one[2] for one in document["segments"] if one[0] == "UCD"] == places
    detail = said_by(sent_back(document, Interpreter(grammars()))).detail
    assert ("element 2, component 1, repetition 2: 12" in detail) is (version == b"4")


@pytest.mark.parametrize(
    ("kind", "version", "places"),
    [
        ("997", b"004010", ["2", ["2", "1"]]),
        ("997", b"005010", [["2", "", "2"], ["2", "1", "2"]]),
        ("999", b"005010", [["2", "", "2"], ["2", "1", "2"]]),
    ],
)
def test_997_and_999_tell_repetitions_where_their_version_has_a_place_for_them(
    kind: str, version: bytes, places: list[Any]
) -> None:
    raw = ISA % (b"^", b"00501") + b"GS*PO*T*U*20260305*0930*7*X*" + version + b"~" + SETS
    found = segments(
        raw, fault("723", "7", segment=2, element=2, repetition=2),
        fault("723", "7", segment=2, element=2, component=1, repetition=2), **{kind: "always"},
    )  # fmt: skip
    assert [one[1] for one in found if one[0] in ("AK4", "IK4")] == places


def test_a_warning_rejects_nothing() -> None:
    assert segments(ORDERS, fault("0085", "12", segment=3, severity="warning"))[1:] == []


def test_every_rejected_message_is_named_however_many_there_are() -> None:
    head, _, rest = ORDERS.partition(b"UNH")
    message = b"UNH" + rest.partition(b"UNZ")[0]
    many = [message.replace(b"+1+O", b"+%d+O" % n).replace(b"+4+1'", b"+4+%d'" % n) for n in range(1, 1202)]
    raw = head + b"".join(many) + b"UNZ+1201+101'"
    found = segments(raw, fault("0085", "12", segment=3, element=1), fault("0085", "15", segment=2))
    assert found[0] == ["UCI", "101", ["THEM", "14"], ["US", "14"], "7"]
    assert [one[1] for one in found if one[0] == "UCM"] == [str(n) for n in range(1, 1202)]
    assert sum(one[0] in ("UCS", "UCD") for one in found) < 3000


def test_of_very_many_faults_the_first_are_kept_and_one_of_each_message_behind_them() -> None:
    sets = [SETS.partition(b"GE*")[0].replace(b"0001", b"%04d" % n) for n in range(1, 8)]
    raw = ISA % (b"U", b"00401") + b"GS*PO*T*U*20260305*0930*7*X*004010~" + b"".join(sets)
    faults = [fault("723", "7", segment=2, element=2)] * 200 + [fault("723", "7", segment=2, element=1)]
    report = report_of(raw + b"GE*7*7~IEA*1*000000007~", fault("720", "3", segment=1, severity="warning"), *faults)
    assert [len(told.faults) for told in report.messages] == [201, 201, 98, 1, 1, 1, 1]
    [document] = acknowledge(report, ALWAYS)
    assert [one for one in document["segments"] if one[0] == "AK5"] == [["AK5", "R", "5"]] * 7


def test_contrl_tells_what_is_missing_by_the_last_segment_before_its_place() -> None:
    report = report_of(
        ORDERS,
        fault("0085", "13", segment=3, expected="RFF"),
        fault("0085", "13", segment=3, expected="NAD"),
        fault("0085", "12", segment=3, element=1, component=2),
        fault("0085", "13", segment=2, element=1),
    )
    report.is_taken = True
    [document] = acknowledge(report, ALWAYS)
    assert document["segments"][2:] == [
        ["UCS", "2", "13"], ["UCS", "2", "13"], ["UCS", "3"], ["UCD", "12", ["2", "2"]], ["UCS", "2"],
        ["UCD", "13", ["2"]],
    ]  # fmt: skip
    assert said_by(sent_back(document)).detail.startswith("message 1 ORDERS, behind segment 2: 13 (")


def test_997_names_what_is_missing_where_it_should_stand() -> None:
    raw = ISA % (b"U", b"00401") + b"GS*PO*T*U*20260305*0930*7*X*004010~" + SETS
    found = segments(
        raw, fault("720", "3", segment=3, expected="PO1"), fault("723", "1", segment=3, element=1),
        fault("720", "3", segment=9, expected="SE"), fault("720", "1", segment=12),
    )  # fmt: skip
    assert found[2:-2] == [
        ["AK3", "PO1", "3", "", "3"], ["AK3", "CTT", "3", "", "8"], ["AK4", "1", "", "1", ""],
        ["AK3", "SE", "9", "", "3"], ["AK3", "ZZZ", "12", "", "1"],
    ]  # fmt: skip


def test_997_tells_segments_and_elements() -> None:
    raw = ISA % (b"U", b"00401") + b"GS*PO*T*U*20260305*0930*7*X*004010~" + SETS
    found = segments(raw, fault("723", "7", segment=2, element=2, seen="'A'"), fault("720", "2", segment=3))
    assert found == [
        ["AK1", "PO", "7"], ["AK2", "850", "0001"], ["AK3", "BEG", "2", "", "8"], ["AK4", "2", "", "7", "A"],
        ["AK3", "CTT", "3", "", "2"], ["AK5", "R", "5"], ["AK9", "R", "1", "1", "0"],
    ]  # fmt: skip


def test_997_rejects_the_sets_of_a_group_that_is_not_taken_in_and_only_those() -> None:
    group = b"GS*PO*T*U*20260305*0930*%b*X*004010~" + SETS.partition(b"GE*")[0] + b"GE*1*%b~"
    twice = b"".join(group % (number, number) for number in (b"7", b"7", b""))
    report = report_of(ISA % (b"U", b"00401") + twice + b"IEA*3*000000007~")
    report.is_taken = True
    assert [document["segments"][2:] for document in acknowledge(report, ALWAYS)] == [
        [["AK5", "A"], ["AK9", "A", "1", "1", "1"]],
        [["AK5", "R"], ["AK9", "R", "1", "1", "0", "19"]],
        [["AK5", "R"], ["AK9", "R", "1", "1", "0", "6"]],
    ]  # fmt: skip
    assert not report.is_clean


ONE = b"UNH+1+ORDERS:D:96A:UN'BGM+220+A+9'DTM+137:20260305:102'UNT+4+1'"
WRONG = ONE.replace(b"UNT+4", b"UNT+9")
UCM = ["UCM", "1", ["ORDERS", "D", "96A", "UN"], "4", "29", "UNT"]


def group(number: bytes, message: bytes = ONE, count: bytes = b"1", day: bytes = b"260305") -> bytes:
    return b"UNG+ORDERS+A+B:14+%b:0930+%b+UN+D:96A'%bUNE+%b+%b'" % (day, number, message, count, number)


GROUPED = [
    ([group(b"7"), group(b"8")], [], []),
    ([group(b"7"), group(b"8", WRONG)], [], [["UCF", "8", "A", ["B", "14"], "7"], UCM]),
    ([group(b"7", count=b"2"), group(b"8")], [], [["UCF", "7", "A", ["B", "14"], "7", "29", "UNE", ["2"]]]),
    ([group(b"7", WRONG, b"2")], [], [["UCF", "7", "A", ["B", "14"], "7", "29", "UNE", ["2"]], UCM]),
    ([group(b"7"), group(b"7", WRONG)], [], [["UCF", "7", "A", ["B", "14"], "4", "26", "UNG", ["6"]]]),
    ([group(b"", WRONG), group(b"8", WRONG)], ["13", "UNG", ["6"]], [UCM, ["UCF", "8", "A", ["B", "14"], "7"], UCM]),
]


@pytest.mark.parametrize(("groups", "told", "below"), GROUPED)
@pytest.mark.parametrize("version", ["2", "3", "4"])
def test_contrl_tells_of_groups(groups: list[bytes], told: list[Any], below: list[Any], version: str) -> None:
    head = ORDERS.partition(b"UNH")[0]
    raw = head + b"".join(groups) + b"UNZ+%d+101'" % len(groups)
    raw = raw.replace(b"260305:", b"20260305:") if version == "4" else raw
    report = report_of(raw.replace(b"UNOC:3", b"UNOC:" + version.encode()))
    report.is_taken = True
    [document] = acknowledge(report, ALWAYS)
    assert document["segments"][0] == ["UCI", "101", ["THEM", "14"], ["US", "14"], "7", *told]
    assert document["segments"][1:] == below
    said = said_by(sent_back(document, Interpreter(grammars())))
    assert said.verdict == ("rejected" if "4" in [part for one in below for part in one[:5]] else
                            "partial" if below else "accepted")  # fmt: skip


def sent_back(document: dict[str, Any], interpreter: Interpreter | None = None) -> Message:
    """A CONTRL as the partner would read it: nothing is wrong with it."""
    header = outgoing.Header("edifact", Party("US", "14"), Party("THEM", "14"), "3", "UNOC", EDIFACT)
    raw = outgoing.interchange(header, outgoing.Body("CONTRL", document["version"], "", document["segments"]))
    raw = filled(raw, {"interchange": 9, "message": 1}, datetime(2026, 11, 29, 12))
    interchange = next(edifact.read([raw], interpret=interpreter))
    [message] = interchange.messages()
    assert message.faults == interchange.faults == []
    return message


@pytest.mark.parametrize("ids", [b"ABO:A", b"ABO:A*ABO:B"])
def test_contrl_names_a_package_where_version_4_has_a_place_for_it(ids: bytes) -> None:
    package = b"UNO+7+%b+1:1+5'HELLOUNP+6+7'" % ids
    raw = ORDERS.partition(b"UNH")[0].replace(b"UNOC:3", b"UNOC:4").replace(b"260305", b"20260305") + package
    [document] = acknowledge(report_of(raw + b"UNZ+1+101'"), ALWAYS)
    assert document["segments"][1:] == [["UCM", "", "", "4", "29", "UNP", "", "7", ["ABO", "A"]]]
    sent_back(document, Interpreter(grammars()))


@pytest.mark.parametrize(
    ("ucm", "told"),
    [
        ("UCM+1+ORDERS:D:96A:UN+4+29+UNT'", []), ("UCM+++4+29+UNP++7+ABO:A'", []),
        ("UCM+1+ORDERS:D:96A:UN+4+29+UNT++7+ABO:A'", ["7"]), ("UCM+++4'", ["1"]), ("UCM+1++4'", ["2"]),
        ("UCM+1+ORDERS:D:96A:UN+4++UNT'", ["4"]), ("UCM+1+ORDERS:D:96A:UN+4+29++2'", ["5"]),
    ],
)  # fmt: skip
def test_what_goes_together_in_a_contrl_of_version_4_is_held_together(ucm: str, told: list[str]) -> None:
    head = ORDERS.partition(b"UNH")[0].decode()
    raw = f"{head}UNH+1+CONTRL:4:1:UN'UCI+1+A:14+B:14+7'{ucm}UNT+4+1'UNZ+1+101'".encode()
    [message] = next(edifact.read([raw], interpret=Interpreter(grammars()))).messages()
    assert [str(fault.element) for fault in message.faults] == told


def test_contrl_rejects_an_interchange_that_is_not_taken_in_for_a_group() -> None:
    raw = ORDERS.partition(b"UNH")[0] + group(b"7") + group(b"7") + b"UNZ+2+101'"
    assert segments(raw) == [["UCI", "101", ["THEM", "14"], ["US", "14"], "4", "26", "UNG", ["6"]]]


def test_999_is_of_its_own_version_and_names_that_of_the_group() -> None:
    raw = ISA % (b"^", b"00501") + b"GS*PO*T*U*20260305*0930*7*X*005010~" + SETS
    [document] = acknowledge(report_of(raw), {"999": "always"})
    assert (document["type"], document["version"], document["association"]) == ("999", "005010", "X231A1")
    assert document["segments"][0] == ["AK1", "PO", "7", "005010"]
    assert document["segments"][-2:] == [["IK5", "A"], ["AK9", "A", "1", "1", "1"]]


@pytest.mark.parametrize(("syntax", "version"), [("1", "22"), ("2", "22"), ("3", "D3"), ("4", "41"), ("9", "D3")])
def test_contrl_is_of_the_version_that_goes_with_the_syntax(syntax: str, version: str) -> None:
    [document] = acknowledge(report_of(ORDERS.replace(b"UNOC:3", b"UNOC:" + syntax.encode())), ALWAYS)
    assert document["version"] == version
    assert (Path(__file__).parents[3] / f"schemas/edifact/{version}/CONTRL.yaml").is_file()


@pytest.mark.parametrize(
    ("version", "expected"),
    [("003060", "003060"), ("004010VICS", "004010VICS"), ("004?010", "004010"), ("", "004010"),
     ("0059999999999999999", "004010")],
)  # fmt: skip
def test_997_is_of_the_version_of_the_group_if_it_is_one(version: str, expected: str) -> None:
    day = "060305" if version.startswith("003") else "20260305"
    raw = ISA % (b"U", b"00401") + f"GS*PO*T*U*{day}*0930*7*X*{version}~".encode() + SETS
    [document] = acknowledge(report_of(raw), ALWAYS)
    assert document["version"] + document["association"] == expected


def test_997_names_a_segment_without_the_line_end_in_its_tag() -> None:
    raw = ISA % (b"U", b"00401") + b"GS*PO*T*U*20260305*0930*7*X*004010~" + SETS.replace(b"CTT", b"C\n  TT")
    found = segments(raw, fault("720", "2", segment=3))
    assert found[2] == ["AK3", "CTT", "3", "", "2"]


def test_a_written_contrl_reads_back_as_it_was_meant() -> None:
    [document] = acknowledge(report_of(ORDERS, fault("0085", "12", segment=3, element=1)), ALWAYS)
    said = said_by(sent_back(document))
    assert (said.kind, said.number, said.verdict) == ("interchange", 101, "rejected")
    assert said.detail == "message 1 ORDERS, segment 3, element 1: 12 (invalid value)"


@pytest.mark.parametrize(
    ("lines", "verdict", "detail"),
    [
        (["UCF 7 A B 4 26 UNG"], "rejected", "group 7: 26 (duplicate detected)"),
        (["UCF 7 A B 4"], "rejected", ""),
        (["UCF 7 A B 7 29 UNE"], "partial", ""),
        (["UCF 7 A B 7", "UCM 1 ORDRSP 4 12"], "rejected", "message 1 ORDRSP: 12 (invalid value)"),
        (["UCF 7 A B 7"], "accepted", ""),
    ],
)
def test_a_contrl_is_judged_by_its_groups(lines: list[str], verdict: str, detail: str) -> None:
    said = heard("CONTRL", "UCI 101 A B 7", *lines)
    assert (said.number, said.verdict, said.detail) == (101, verdict, detail)


@pytest.mark.parametrize(
    ("action", "verdict"),
    [("1", "accepted"), ("2", "partial"), ("3", "rejected"), ("4", "rejected"), ("5", "accepted"), ("6", "rejected"),
     ("7", "accepted"), ("8", "received"), ("9", "received"), ("", "received")],
)  # fmt: skip
def test_an_action_is_taken_for_what_its_code_says_and_an_unknown_one_for_no_more_than_that_it_came(
    action: str, verdict: str
) -> None:
    assert heard("CONTRL", f"UCI 101 A B {action}").verdict == verdict
    of_one = heard("CONTRL", "UCI 101 A B 7", f"UCM 1 ORDRSP {action}", "UCM 2 ORDRSP 7")
    assert (of_one.verdict, of_one.messages) == (verdict, ((1, verdict), (2, "accepted")))


def heard(kind: str, *lines: str) -> Said:
    """What is read of an acknowledgement with these segments, elements between blanks."""
    message = Message(Interchange("", EDIFACT, [], 0), None, b"", 0, 0, [line.split(" ") for line in lines])
    message.type = kind
    return said_by(message)


@pytest.mark.parametrize(
    ("lines", "verdict"),
    [
        (["AK2 855 0001", "AK5 R 5"], "rejected"),
        (["AK2 855 0001", "AK5 A", "AK2 855 0002", "IK5 M"], "rejected"),
        (["AK2 855 0001", "AK5 R 5", "AK9"], "rejected"),
        (["AK2 855 0001", "AK5 R 5", "AK9 A 1 1 1"], "rejected"),
        (["AK2 855 0001", "AK5 E 5"], "partial"),
        (["AK2 855 0001", "AK5 A"], "accepted"),
        (["AK9 A 1 1 1"], "accepted"),
        (["AK2 855 0001"], "received"),
        (["AK9 Z 1 1 1"], "received"),
        (["AK2 855 0001", "AK5 OK", "AK9 A 1 1 1"], "received"),
        (["AK2 855 0001", "AK5 A", "AK2 855 0002", "AK5 Z", "AK9 P 2 2 1"], "rejected"),
    ],
)
def test_a_997_is_judged_by_its_sets_where_it_does_not_judge_the_group(lines: list[str], verdict: str) -> None:
    assert heard("997", "AK1 PR 7", *lines).verdict == verdict


def test_a_number_of_any_length_is_read() -> None:
    found = heard("CONTRL", "UCI 1 A B 4", "UCM 1 ORDRSP 4", "UCS 3", f"UCD 12 {'9' * 5000}")
    assert (found.verdict, found.detail[:50]) == ("rejected", "message 1 ORDRSP, segment 3, element 9999999999999")


def test_data_that_holds_a_delimiter_is_refused_in_x12() -> None:
    header = outgoing.Header("x12", Party("US", "ZZ"), Party("THEM", "ZZ"), "00401", "ascii", X12)
    with pytest.raises(MappingError, match=r"'A\*B' holds the delimiter '\*'") as error:
        outgoing.interchange(header, outgoing.Body("855", "004010", "", [["BAK", "00", "A*B"]]))
    assert (error.value.value_excerpt, error.value.position) == ("A*B", "segment 2 BAK, element 2")


@pytest.mark.parametrize(("syntax", "version", "delimiters"), [("edifact", "3", EDIFACT), ("x12", "00401", X12)])
def test_data_that_looks_like_a_mark_is_refused(syntax: str, version: str, delimiters: Any) -> None:
    charset = "UNOC" if syntax == "edifact" else "utf-8"
    header = outgoing.Header(syntax, Party("US", "ZZ"), Party("THEM", "ZZ"), version, charset, delimiters)
    for text in ("\x00interchange 0\x00", "a\x00b"):
        with pytest.raises(MappingError, match="the data of a segment FTX holds the control character 00"):
            outgoing.interchange(
                header, outgoing.Body("850", "004010", "", [["BGM", "1"], ["FTX", "AAI", [text, "x"]]])
            )
    with pytest.raises(MappingError, match="control character 00"):
        outgoing.interchange(
            replace(header, syntax="x12", charset="utf-8", delimiters=X12), None, [["TA1", "\x00a\x00"]]
        )


def test_a_character_outside_the_set_is_refused() -> None:
    header = outgoing.Header("edifact", Party("US"), Party("THEM"), "3", "UNOC", EDIFACT)
    with pytest.raises(MappingError, match="'€' is not of the character set UNOC"):
        outgoing.interchange(header, outgoing.Body("ORDRSP", "D96A", "", [["FTX", "AAI", "", "", "5 €"]]))
