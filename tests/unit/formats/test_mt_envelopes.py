"""The envelopes that MT940 messages come in: blocks, bare fields, headers of banks, line ends, code pages."""

from __future__ import annotations

import pytest

from hub.formats import BadRecord, Record, mt940

FIELDS = (
    ":20:A\n:25:DE02120300000000202051\n:28C:1\n:60F:C260306EUR1,00\n:61:2603090309C1,00NMSCNONREF\n"
    ":86:Gebühr für März\n:62F:C260309EUR2,00"
)  # fmt: skip
BLOCKS = "{1:F01BANKDEFFAXX" + "X0000000000}{2:I940KUNDDEFFXXXXN}{3:{108:1}}{4:"
OUTPUT = "{1:F01KUNDDEFFAXX" + "X0000000000}{2:O9401200260309BANKDEFFA12300000000002603091200N}{4:"


@pytest.mark.parametrize(
    ("text", "count", "bic"),
    [
        (FIELDS, 1, None),
        (FIELDS + "\n-\n" + FIELDS + "\n-\n", 2, None),
        (FIELDS + "\n" + FIELDS, 2, None),
        (FIELDS + "\n-" + "X" * 3 + "\n", 1, None),
        (BLOCKS + "\n" + FIELDS + "\n-}", 1, "BANKDEFF"),
        (BLOCKS + FIELDS + "-}{5:{CHK:123456789ABC}}" + BLOCKS + FIELDS + "\n-}{5:}", 2, "BANKDEFF"),
        (OUTPUT + "\n" + FIELDS + "\n-}{5:{MAC:1}{CHK:2}}{S:{SPD:}}\n", 1, "BANKDEFF123"),
        ("\x01" + BLOCKS + "\n" + FIELDS + "\n-}\x03" + "\x00" * 20, 1, "BANKDEFF"),
        ("ABNANL2A\n940\nABNANL2A\n" + FIELDS + "\n-", 1, None),
        ("0000 01INGBNL2AXXXX00001\n0000 01INGBNL2AXXXX00001\n940 00\n" + FIELDS, 1, None),
        (":940:\n" + FIELDS, 1, None),
        ("\ufeff\n\n" + FIELDS + "\n\n-\n\n\x1a", 1, None),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\r\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "windows-1252"])
def test_every_envelope_gives_the_same_statement(
    text: str, count: int, bic: str | None, end: str, encoding: str
) -> None:  # fmt: skip
    raw = text.replace("\n", end).encode(encoding, "ignore")
    found = list(mt940.decode([raw], {}))
    assert len(found) == count
    for record in found:
        assert isinstance(record, Record) and {fault.full_code for fault in record.faults} <= {"statement_twice"}
        assert record.value["account"].get("bic") == bic
        (entry,) = record.value["entries"]
        assert entry["transactions"][0]["remittance_unstructured"] == ["Gebühr für März"]


def test_an_old_german_form_has_two_signs_for_a_line_end() -> None:
    (found,) = mt940.decode([FIELDS.replace("\n", "@@").encode()], {})
    assert isinstance(found, Record) and len(found.value["entries"]) == 1


def test_what_is_no_message_is_told() -> None:
    (found,) = mt940.decode([b"Von: bank@example.org\n" + FIELDS.encode()], {})
    assert isinstance(found, Record)
    assert [(fault.position, fault.message) for fault in found.faults] == [
        ("line 1, column 1", "outside of any message: 'Von: bank@example.org'")
    ]


def test_a_byte_that_the_encoding_does_not_have_is_told_with_its_place() -> None:
    (bad,) = mt940.decode([FIELDS.encode("latin-1")], {"encoding": "utf-8"})
    assert not isinstance(bad, Record)
    assert str(bad.error) == "the byte 0xFC is not of the encoding (line 6, column 8, :86:)"


def test_a_byte_that_windows_1252_leaves_open_is_told_with_its_place() -> None:
    raw = FIELDS.encode("cp850")
    (found,) = mt940.decode([raw], {})
    assert isinstance(found, Record)
    assert [(fault.position, fault.message) for fault in found.faults] == [
        ("line 6, column 8, :86:", "the byte 0x81 is none of Windows-1252")
    ]
    (same,) = mt940.decode([raw], {"encoding": "cp850"})
    assert isinstance(same, Record) and not same.faults


def test_a_reference_upon_a_reference_begins_no_statement() -> None:
    (bad,) = mt940.decode([b":20:\n" * 5000], {})
    assert isinstance(bad, BadRecord)
    (found,) = mt940.decode([b":20:X\n" + FIELDS.encode()], {})
    assert isinstance(found, Record)
    assert [fault.message for fault in found.faults] == ["a second reference; that before it is 'X'"]


def test_messages_within_messages_on_one_line_end_somewhere() -> None:
    first, *others = mt940.decode([FIELDS.encode() + b"-}:62F:" * 9000], {})
    assert isinstance(first, Record)
    assert others
    assert {str(each.error)[:15] for each in others if isinstance(each, BadRecord)} == {"not a balance: "}
