"""The character set of every syntax level: what it has is read and written, what it has not is told at its byte."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.errors import MappingError
from hub.formats import edifact, x12
from hub.formats._edi_charsets import ALLOWED, LEVELS, X12_SETS, writable
from hub.formats._edi_envelopes import Party
from hub.formats._edi_outgoing import Body, Header, interchange
from hub.formats._edi_syntax import Agreed
from hub.formats._segments import EDIFACT, X12
from hub.partner_fields import LEVELS as AGREED
from hub.partner_fields import X12_CHARSETS
from tests.unit.formats.edi_texts import UNB, edifact_of, faults_of, messages_of, x12_of

# Each level of ISO 9735: a text of letters that it has, its bytes, a letter that it has not, bytes that it has not.
ROWS = [
    ("UNOA", "MUELLER", b"MUELLER", "Ü", b"\xdc", "Ü", "Windows-1252"),
    ("UNOB", "Mueller", b"Mueller", "ü", b"\xfc", "ü", "Windows-1252"),
    ("UNOC", "Señor Åß", b"Se\xf1or \xc5\xdf", "Ł", b"\x80", "€", "Windows-1252"),
    ("UNOD", "Łódź", b"\xa3\xf3d\xbc", "ñ", b"\x8a", "\x8a", "ISO 8859-2"),
    ("UNOE", "Жук", b"\xb6\xe3\xda", "Ł", b"\x8a", "\x8a", "ISO 8859-5"),
    ("UNOF", "Ελλάς", b"\xc5\xeb\xeb\xdc\xf2", "Ж", b"\xff", "ÿ", "Windows-1252"),
    ("UNOG", "Ħaż", b"\xa1a\xbf", "Ł", b"\xa5", "¥", "Windows-1252"),
    ("UNOH", "Ķīna", b"\xd3\xefna", "ñ", b"\x9a", "\x9a", "ISO 8859-4"),
    ("UNOI", "شكر", b"\xd4\xe3\xd1", "ש", b"\xff", "ÿ", "Windows-1252"),
    ("UNOJ", "שלום", b"\xf9\xec\xe5\xed", "ش", b"\xbf", "¿", "Windows-1252"),
    ("UNOK", "Ağrı", b"A\xf0r\xfd", "Ł", b"\x80", "€", "Windows-1254"),
    ("UNOL", "5 € Œuvre", b"5 \xa4 \xbcuvre", "Ł", b"\x80", "\x80", "ISO 8859-15"),
    ("UNOW", "日本 ÄŁЖ", "日本 ÄŁЖ".encode(), "", b"\xff", "ÿ", "Windows-1252"),
    ("UNOX", "日本ぇー", b"\x1b$BF|K\\$'!<\x1b(B", "ש", b"\xff", "ÿ", "Windows-1252"),
    ("UNOY", "日本 ÄŁЖ", "日本 ÄŁЖ".encode(), "", b"\xff", "ÿ", "Windows-1252"),
]
TO_ACME = Header("edifact", Party("US", "14"), Party("ACME", "14"), "3", "UNOC", EDIFACT)


def of(level: str, data: bytes) -> bytes:
    raw = edifact_of("UNH+1+ORDERS:D:96A:UN'FTX+@'QTY+21:5'UNT+4+1'", unb=UNB.replace("UNOC", level))
    return raw.replace(b"@", data)


def test_every_level_has_its_row() -> None:
    assert [row[0] for row in ROWS] == [level for level in LEVELS if level.startswith("UNO")] == sorted(AGREED)
    beyond = [row[0] for row in ROWS if row[1].isascii()]
    assert list(X12_SETS) == list(X12_CHARSETS)
    assert beyond == [level for level in ALLOWED if level in LEVELS]  # the levels that have no letter beyond ASCII


@pytest.mark.parametrize(("level", "text", "sent"), [row[:3] for row in ROWS])
def test_the_letters_of_a_level_are_read_and_written(level: str, text: str, sent: bytes) -> None:
    raw = of(level, sent)
    (message,) = messages_of(edifact, raw)
    assert (message.segments[1:3], message.faults) == ([["FTX", text], ["QTY", ["21", "5"]]], [])
    assert faults_of(edifact, raw, strict=True) == []
    (record,) = edifact.decode([raw], {})
    assert edifact.encode([record.value], {}) == raw
    to_partner = interchange(replace(TO_ACME, charset=level), Body("ORDERS", "D96A", "", [["FTX", text]]))
    assert b"'FTX+" + sent + b"'UNT+3+" in to_partner


@pytest.mark.parametrize(("level", "sent", "read", "read_as"), [(row[0], *row[4:]) for row in ROWS])
def test_a_byte_that_a_level_has_not_is_told_at_its_place_and_what_is_beside_it_is_read(
    level: str, sent: bytes, read: str, read_as: str
) -> None:
    text, letters = next((row[1], row[2]) for row in ROWS if row[0] == level)
    if LEVELS[level] in ("utf-8", "iso2022_jp_2"):  # a broken text of several bytes a character is none of its set
        text, letters = "A", b"A"
    raw = of(level, letters + sent)
    (message,) = messages_of(edifact, raw)
    (fault,) = message.faults
    assert (message.segments[1], fault.severity) == (["FTX", text + read], "warning")
    assert (fault.full_code, fault.segment, fault.tag) == ("0085_46", 2, "FTX")
    assert fault.offset == raw.index(letters + sent) + len(letters)
    assert fault.message == f"the byte {sent[0]:02X} is not of the character set {level}; read as {read_as}"
    (strictly,) = messages_of(edifact, raw, strict=True)[0].faults
    assert (strictly.severity, strictly.offset) == ("error", fault.offset)


@pytest.mark.parametrize(("level", "letter"), [(row[0], row[3]) for row in ROWS if row[3]])
def test_a_letter_that_a_level_has_not_is_not_written(level: str, letter: str) -> None:
    said = f"'{letter}' is not of the character set {level}"
    with pytest.raises(MappingError, match=said):
        interchange(replace(TO_ACME, charset=level), Body("ORDERS", "D96A", "", [["FTX", letter]]))
    (record,) = edifact.decode([of(level, b"A")], {})
    record.value["segments"][1][1] = letter
    with pytest.raises(MappingError, match=said) as told:
        edifact.encode([record.value], {})
    assert told.value.position == "segment 2 FTX, element 1"


BASIC, EXTENDED = "AZ 09!\"&'()*+,-./:;?=", "az%@[]_{}\\|<>~#$^`"  # X12.5
CONTROLS = X12._replace(element="\x1d", component="\x1f", terminator="\x1c", repetition="")
TO_NORTHWIND = Header("x12", Party("US", "ZZ"), Party("NORTH", "ZZ"), "00401", "basic", CONTROLS, codes=("US", "NW"))


def told_of(text: str, charset: str, *, strict: bool) -> list[tuple[str, str, int]]:
    """What reading a set of a partner tells with whom a set of characters was agreed: severity, words, where in it."""
    sent = text.encode("latin-1" if charset == "latin-1" else "utf-8")
    plain = x12_of("ST*850*0001~BEG*00~MSG*@~SE*4*0001~").translate(bytes.maketrans(b"*>~", b"\x1d\x1f\x1c"))
    raw = plain.replace(b"@", sent)
    (message,) = messages_of(x12, raw, agreed=lambda found: Agreed(strict, charset))
    assert strict or message.segments[2] == ["MSG", text]  # strictly, UTF-8 is not looked for
    begin = raw.index(b"MSG\x1d") + 4
    return [(fault.severity, fault.message, fault.offset - begin) for fault in message.faults]


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize(
    ("charset", "has", "others"),
    [
        ("basic", BASIC, [*EXTENDED, "\x07", "é", "€"]),
        ("extended", BASIC + EXTENDED, ["\x07", "é", "€"]),
        ("ascii", BASIC + EXTENDED + "\x07", ["é", "€"]),
        ("latin-1", BASIC + EXTENDED + "é", []),
    ],
)
def test_an_agreed_set_of_x12_is_kept_to_both_ways(charset: str, has: str, others: list[str], strict: bool) -> None:
    assert told_of(has, charset, strict=strict) == []
    header, kind = replace(TO_NORTHWIND, charset=charset), "error" if strict else "warning"
    assert b"MSG\x1d" + has.encode("latin-1") in interchange(header, Body("850", "004010", "", [["MSG", has]]))
    for letter in others:
        [(severity, said, at)] = told_of("A" + letter, charset, strict=strict)
        assert (severity, at) == (kind, 1)
        assert said.endswith(f"not of the character set {charset}") or f"not of the character set {charset};" in said
        with pytest.raises(MappingError, match=f"is not of the character set {charset}"):
            interchange(header, Body("850", "004010", "", [["MSG", letter]]))


@pytest.mark.parametrize(
    ("label", "written"),
    [("UNOA", "MUELLER? ? 1-2_".replace("_", " ")), ("UNOC", "Mueller? ü 1-2_"), ("basic", "MUELLER? ? 1-2 "),
     ("extended", "Mueller? ? 1-2_"), ("UNOY", "Mueller€ ü 1-2_")],
)  # fmt: skip
def test_a_text_of_ours_is_brought_into_the_set_of_a_partner(label: str, written: str) -> None:
    assert writable("Mueller€ ü 1-2_", label) == written
    if label.startswith("UNO"):
        interchange(replace(TO_ACME, charset=label), Body("APERAK", "D96A", "", [["FTX", written]]))


def test_bytes_of_japanese_letters_that_look_like_delimiters_are_none() -> None:
    """In ISO 2022 the two bytes of ``ぇ`` are ``$'``."""
    japanese = "ぇびす".encode("iso2022_jp_2")
    assert b"'" in japanese
    plain = of("UNOX", japanese)
    cut = plain[: plain.index(b"UNT+")] + b"''UNT+4+1'UNZ+1+4711"  # odd, so that each segment is looked at
    (message,) = messages_of(edifact, cut)
    assert message.segments == [["UNH", "1", ["ORDERS", "D", "96A", "UN"]], ["FTX", "ぇびす"], ["QTY", ["21", "5"]],
                                ["UNT", "4", "1"]]  # fmt: skip
    assert [(fault.code, fault.severity) for fault in message.faults] == [("22", "warning")]
    assert message.offset_of(3, 1, 2) == plain.index(b"21:5") + 3
    assert message.fault("0085", "12", "", segment=3).position.startswith("interchange 4711, message 1, segment 3 QTY")
    named = plain.replace(b"4012345000009", japanese)
    assert next(edifact.read([named])).sender.id == "ぇびす"
