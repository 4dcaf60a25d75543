"""Messages off the wire: their document with its envelope, and their faults at their bytes; grammars for people."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from grammar_files import overlaid, shipped

from hub.formats import edifact, x12
from hub.formats._edi_envelopes import Interchange, Message
from hub.grammars import Grammars, Interpreter, grammar_name
from hub.grammars.describe import describe, differences
from hub.grammars.picture import interchange_line, message_lines
from hub.project import reference_files

GOOD = "UNH+1+ORDERS:D:96A:UN:EAN008'BGM+220+PO1+9'DTM+137:20240131:102'LIN+1++4000862141404:EN'QTY+21:4'UNS+S'UNT+7+1'"
BAD = "UNH+2+ORDERS:D:96A:UN:EAN008'BGM+220+PO2+9'DTM+137:20240231:102'LIN+1'QTY+21:4,5'COM+x:TE'UNS+S'UNT+8+2'"
RAW = f"UNA:+.? 'UNB+UNOC:3+541:14+401:14+240131:1200+REF1++++++1'{GOOD}{BAD}UNZ+2+REF1'".encode()
ISA = "ISA*00*          *00*          *ZZ*US             *ZZ*THEM           *240131*1200*U*00401*000000007*0*P*>~"
PURCHASE = (
    f"{ISA}GS*PO*US*THEM*20240131*1200*7*X*004010~ST*850*0001~BEG*00*NE*PO1**20240131~PO1*1*10*EA*9.25**UP*123~"
    "CTT*1~SE*5*0001~GE*1*7~IEA*1*000000007~"
).encode()


def read(raw: bytes, interpreter: Interpreter | None = None) -> Iterator[Interchange]:
    door = x12 if raw.startswith(b"ISA") else edifact
    found: Iterator[Interchange] = door.read([raw], interpret=interpreter or Interpreter(shipped()))
    return found


def messages(raw: bytes, interpreter: Interpreter | None = None) -> list[Message]:
    return [message for interchange in read(raw, interpreter) for message in interchange.messages()]


def test_a_document_has_its_envelope() -> None:
    message = messages(RAW)[0]

    assert message.faults == []
    assert {key: message.tree[key] for key in ("interchange", "message", "BGM")} == {
        "interchange": {
            "sender": {"id": "541", "qualifier": "14"}, "receiver": {"id": "401", "qualifier": "14"},
            "control_number": "REF1", "date": "240131", "time": "1200", "version": "3", "is_test": True,
        },
        "message": {"type": "ORDERS", "version": "D96A", "association": "EAN008", "reference": "1"},
        "BGM": {"document": {"code": "220", "number": "PO1"}, "function": "9"},
    }  # fmt: skip


def test_a_document_of_x12_has_its_group() -> None:
    [message] = messages(PURCHASE)

    assert message.faults == []
    assert message.tree["group"] == {
        "sender": {"id": "US"}, "receiver": {"id": "THEM"}, "type": "PO", "version": "004010", "reference": "7",
    }  # fmt: skip
    assert message.tree["PO1_loop"] == [
        {"PO1": {"line_number": "1", "quantity": "10", "unit": "EA", "price": "9.25",
                 "items": [{"qualifier": "UP", "id": "123"}]}}
    ]  # fmt: skip


def test_a_message_with_faults_is_read_and_each_fault_stands_at_its_byte() -> None:
    message = messages(RAW)[1]

    found = [(one.segment, one.tag, one.element, one.component, one.code_list, one.code) for one in message.faults]
    assert found == [
        (3, "DTM", 1, 2, "0085", "12"), (5, "QTY", 1, 2, "0085", "19"), (6, "COM", 0, 0, "0085", "15"),
    ]  # fmt: skip
    assert [RAW[one.offset :][:8] for one in message.faults] == [b"20240231", b"4,5'COM+", b"COM+x:TE"]
    assert not message.is_accepted
    assert message.tree["LIN_group"][0]["QTY"] == [{"qualifier": "21", "quantity": "4,5"}]
    assert message.tree["strays"] == [{"number": 6, "tag": "COM", "elements": [["x", "TE"]]}]


def test_a_package_stays_as_it_is_and_is_shown_with_its_length() -> None:
    raw = b"UNB+UNOC:4+541:14+401:14+20240131:1200+7'UNO+P1+ABO:1+1:1+5'HELLOUNP+5+P1'UNZ+1+7'"
    [message] = messages(raw)
    [record] = edifact.CODEC.decode([raw], {}, Interpreter(shipped()))
    assert (message.tree, message.faults, record.value["object"]) == (None, [], {"base64": "SEVMTE8="})
    assert next(message_lines(message, shipped(), "")) == "message P1 UNO: a package of 5 bytes"


def test_a_message_without_a_grammar_is_told_and_keeps_its_segments() -> None:
    message = messages(RAW.replace(b"ORDERS:D:96A", b"ORDERZ:D:96A"))[0]

    [fault] = message.faults
    assert (fault.level, fault.code, fault.segment) == ("message", "14", 0)
    assert fault.message.startswith("the message cannot be read: no grammar 'edifact/D96A/ORDERZ'; did you mean")
    assert message.tree["segments"][1] == {"tag": "BGM", "elements": ["220", "PO1", "9"]}


def test_the_grammar_can_be_chosen_by_partner() -> None:
    own = b"title: Acme\nextends: edifact/D96A/ORDERS\nremove: [SG25.LIN.line_number]\n"
    grammars = Grammars({**reference_files(), "schemas/acme/ORDERS.yaml": own})
    chosen = Interpreter(grammars, lambda message: "acme/ORDERS" if message.interchange.sender.id == "541" else "")

    [fault] = messages(RAW, chosen)[0].faults
    assert (fault.segment, fault.message) == (4, "line_number (1082) is not used here")
    assert grammar_name(messages(RAW)[0]) == "edifact/D96A/ORDERS"


def test_a_picture_names_every_element_and_marks_every_fault() -> None:
    interchange = next(read(RAW))
    _, message = interchange.messages()

    assert interchange_line(interchange) == "interchange REF1 edifact 3 TEST: 541 (14) to 401 (14), 240131 1200"
    assert list(message_lines(message, shipped(), "edifact/D96A/ORDERS")) == [
        "message 2 ORDERS D96A EAN008: edifact/D96A/ORDERS, Purchase order",
        "    1 UNH 2 + ORDERS:D:96A:UN:EAN008",
        "    2 BGM beginning of message: document.code 220 (order), document.number PO2, function 9 (original)",
        "    3 DTM date or time: qualifier 137 (document date), value 20240231, format 102 (YYYYMMDD)",
        "          ^ error: element 1, component 2: '20240231' is not a date of the format 102 [0085:12]",
        "      LIN_group",
        "    4   LIN line item: line_number 1",
        "    5   QTY quantity: qualifier 21 (ordered), quantity 4,5",
        "          ^ error: element 1, component 2: quantity (6060) has ',' as its decimal mark: '4,5'; expected '.' "
        "[0085:19]",
        "    6 COM x:TE",
        "          ^ error: COM cannot stand here; it belongs to CTA_group, which CTA opens [0085:15]",
        "    7 UNS section control: section S (detail and summary)",
        "    8 UNT 8 + 2",
    ]


def test_a_grammar_is_shown_with_its_nodes_and_elements() -> None:
    message = overlaid("remove: [AAA.lines]\nextra: report").message("own/TEST")
    assert "\n".join(describe(message)).splitlines()[:24] == [
        "own/TEST  Own; what is not known: report",
        "",
        "AAA            M 1      first",
        "DDD            C 2      date",
        "BBB_group      C 2      group SG1",
        "  BBB            M 1      second",
        "  CCC            M 2      third",
        "  DDD_group      C 1      group SG2",
        "    DDD            M 1      date",
        "    EEE            C 1      end",
        "EEE            M 1      end",
        "",
        "AAA  first",
        "  01    code                             1001   M  an..3  codes 1 2 3",
        "  02    party                            C002   C  composite",
        "  02-1  party.id                         1002   M  an..5",
        "  02-2  party.agency                     1003   C  an3",
        "  03    lines[0]                         1004   C  an..8  not used",
        "  04    lines[1]                         1004   C  an..8  not used",
        "  05    lines[2]                         1004   C  an..8  not used",
        "",
        "DDD  date",
        "  01    .                                C507   M  composite",
        "  01-1  qualifier                        2005   M  an..3",
    ]


@pytest.mark.parametrize(
    ("overlay", "expected"),
    [
        ("", []),
        ("remove: [DDD]", ["- DDD  C 2"]),
        ("add: {before EEE: [CCC C 5]}", ["+ CCC  C 5"]),
        ("restrict: {DDD: M 1}", ["~ DDD  C 2 -> M 1"]),
        ("codes: {1001: 2 3 4}", ["~ AAA 01 code codes  codes -1 +4", "~ EEE 01 code codes  codes -1 +4"]),
        ("restrict: {AAA.party.id: M an..3}", ["~ AAA 02-1 party.id  1002 M an..5 -> 1002 M an..3"]),
    ],
)
def test_the_difference_of_two_grammars_is_what_the_overlay_says(overlay: str, expected: list[str]) -> None:
    both = overlaid(overlay)
    assert list(differences(both.message("edifact/T1/TEST"), both.message("own/TEST"))) == expected
