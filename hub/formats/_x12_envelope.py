"""The envelope of X12: ISA, TA1, GS, ST, and the codes of its faults."""

from __future__ import annotations

import re

from hub.errors import shown
from hub.formats._edi_charsets import decoder
from hub.formats._edi_envelopes import Group, Interchange, Message, Party
from hub.formats._edi_faults import EdiError, EdiFault
from hub.formats._edi_reading import Door
from hub.formats._edi_stream import Feed, Service
from hub.formats._edi_syntax import ISA_LENGTHS, Settings, Syntax, is_wrapped, part
from hub.formats._edi_times import Stamp
from hub.formats._segments import Delimiters, Segment

SERVICE = Service(
    openers=("ISA",), closer="IEA", group=("GS", "GE"), message=("ST", "SE"), single=("TA1", "TA3", "ISB", "ISE"),
    objects=("BIN", "BDS"),
)  # fmt: skip
CODES = {
    **{("interchange", what): ("I18", code) for what, code in {
        "trailer": "023", "number": "018", "reference": "001", "count": "021", "duplicate": "025", "outside": "024",
        "mixed": "024", "empty": "024", "long": "024", "end": "004", "party": "006", "version": "017",
        "delimiters": "026", "date": "014", "time": "015", "note": "024",
    }.items()},
    **{("group", what): ("716", code) for what, code in {
        "trailer": "3", "number": "6", "reference": "4", "count": "5", "duplicate": "19", "empty": "5", "end": "3",
    }.items()},
    ("group", "date"): ("I18", "024"), ("group", "time"): ("I18", "024"),  # 716 has none for what is wrong in GS
    **{("message", what): ("718", code) for what, code in {
        "trailer": "2", "number": "7", "type": "6", "reference": "3", "count": "4", "duplicate": "23", "long": "5",
        "mixed": "5", "types": "6", "extra": "5",
    }.items()},
    **{("segment", what): ("720", code) for what, code in {
        "character": "8", "charset": "8", "long": "8", "empty": "1", "end": "8",
    }.items()},
}  # fmt: skip
GROUPS = {  # the functional group of each transaction set
    "180": "AN", "204": "SM", "210": "IM", "214": "QM", "810": "IN", "812": "CD", "820": "RA", "824": "AG", "832": "SC",
    "846": "IB", "850": "PO", "852": "PD", "855": "PR", "856": "SH", "860": "PC", "861": "RC", "865": "CA", "940": "OW",
    "943": "AR", "944": "RE", "945": "SW", "947": "AW", "990": "GF", "997": "FA", "999": "FA",
}  # fmt: skip
# The last two characters of ISA, one of them beyond ASCII in UTF-8.
_SEVERAL_BYTES = re.compile(rb"(?:[\x00-\x7f]|[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}){2}(?<![\x00-\x7f]{2})")
_QUALIFIER = re.compile(r"[A-Z0-9]{2}")
_WINDOW = 4096
_FIXED = 106


def open_interchange(feed: Feed, settings: Settings) -> Interchange:
    """Take ISA off the bytes. Raises EdiError where its sixteen elements cannot be told."""
    start = feed.offset
    feed.ensure(_WINDOW)
    window = feed.data[feed.pos : feed.pos + _WINDOW]
    unwrapped = _unwrapped(window[: _FIXED + 8])[:_FIXED]
    if _is_fixed(window[:_FIXED]):
        header, length, is_padded = window[:_FIXED], _FIXED, True
    elif _is_fixed(unwrapped):
        header, is_padded = unwrapped, True
        length = next(end for end in range(_FIXED, _FIXED + 9) if len(_unwrapped(window[:end])) == _FIXED)
    else:
        header = _unpadded(window, start)
        length, is_padded = len(header), _is_fixed(_text(header).encode("latin-1", "replace"))
    if found := _SEVERAL_BYTES.match(window, length - 2):
        seen = shown(found[0].decode())
        text = f"ISA ends with {seen}: a delimiter of several bytes, since the file was converted to UTF-8"
        raise EdiError(
            [
                _fault(
                    "delimiters", text, start + length - 2, 16, "delimiters of one byte, as in Windows-1252", seen=seen
                )
            ]
        )
    segment, delimiters = _read(header)
    if any(char.isalnum() for char in delimiters.component + delimiters.terminator) or delimiters.terminator == " ":
        seen = shown(header[-2:].decode("latin-1"))
        text = f"ISA ends with {seen}, and a letter, a digit or a blank cannot end a segment"
        raise EdiError([_fault("delimiters", text, start + length - 2, 16, "a component separator and a terminator",
                               seen=seen)])  # fmt: skip
    feed.pos += length
    interchange = _interchange(segment, delimiters, start, settings)
    interchange.is_wrapped = length != len(header) or is_wrapped(window, delimiters.terminator.encode("latin-1"))
    following = feed.data[feed.pos : feed.pos + 2].decode("latin-1")
    interchange.line_end = next((end for end in ("\r\n", "\n") if following.startswith(end)), "")
    interchange.faults += _header_faults(interchange, header, is_padded, settings)
    return interchange


def _is_fixed(header: bytes) -> bool:
    """Whether the separators stand where the fixed lengths put them, and nowhere else."""
    if len(header) < _FIXED:
        return False
    at, separator = 3, header[3]
    for length in ISA_LENGTHS:
        if header[at] != separator:
            return False
        at += length + 1
    return header[:_FIXED].count(separator) == 16 and at == _FIXED - 1


def _unwrapped(raw: bytes) -> bytes:
    return raw.translate(None, b"\r\n")


def _unpadded(window: bytes, start: int) -> bytes:
    """ISA whose elements are shorter than the standard says: up to the terminator behind the sixteenth."""
    separator, at = window[3:4], 3
    for _ in range(15):
        at = window.find(separator, at + 1, 512)
        if at < 0:
            break
    last = window[at + 1 : at + 3]
    if at < 0 or len(last) < 2 or last.isalnum() or last[1:].isalnum() or last[:1].isalnum():
        seen = shown(window[:6].decode("latin-1"))  # more may hold what proves the sender
        text = f"ISA has no sixteen elements and a terminator: {seen}"
        raise EdiError([_fault("delimiters", text, start, 0, "106 characters, the last the terminator", seen=seen)])
    return window[: at + 3]


def _text(header: bytes) -> str:
    """UTF-8, else Windows-1252, as the messages are read; a delimiter is one byte."""
    return decoder("utf-8", False, header[3:4] + header[-2:])(header)[0]


def _read(header: bytes) -> tuple[Segment, Delimiters]:
    """The elements, those of fixed length without their padding, and the delimiters that stand in them."""
    text = _text(header)
    element, component, terminator = text[3], text[-2], text[-1]
    segment: Segment = text[:-1].split(element)
    repetition = header.split(header[3:4])[11].decode("latin-1") if segment[12] >= "00402" else ""
    if len(repetition) != 1 or repetition.isalnum() or repetition in (" ", element, component, terminator):
        repetition = ""
    return segment, Delimiters(element, component, terminator, "", repetition)


def _interchange(segment: Segment, delimiters: Delimiters, start: int, settings: Settings) -> Interchange:
    return Interchange(
        "x12", delimiters, segment, start,
        sender=Party(segment[6].strip(), segment[5].strip()), receiver=Party(segment[8].strip(), segment[7].strip()),
        control_number=segment[13].strip(), date=segment[9], time=segment[10], version=segment[12].strip(),
        is_test=segment[15] == "T", charset=settings.charset or charset_of(segment),
    )  # fmt: skip


def _header_faults(interchange: Interchange, raw: bytes, is_padded: bool, settings: Settings) -> list[EdiFault]:
    found, segment, start = list[EdiFault](), interchange.header, interchange.offset
    number = interchange.control_number
    if not is_padded:
        text = f"ISA is {len(raw)} characters long, its elements are not padded to their fixed lengths"
        found.append(_fault("party", text, start, 0, "106 characters", settings.tolerated, code="022"))
    if not (number.isdigit() and number.isascii()):
        text = f"the interchange control number {shown(number)} is not numeric"
        found.append(_fault("number", text, start, 13, "nine digits", seen=shown(number)))
    if not (interchange.version.isdigit() and interchange.version >= "00200"):
        text = f"the interchange version {shown(interchange.version)} is unknown"
        found.append(_fault("version", text, start, 12, "such as 00401 or 00501", seen=shown(interchange.version)))
    for element, code, value, what in (
        (6, "006", interchange.sender.id, "sender"), (8, "008", interchange.receiver.id, "receiver"),
    ):  # fmt: skip
        if not value:
            found.append(_fault("party", f"the {what}'s identification is missing", start, element, "one", code=code))
    for element, code in ((1, "010"), (3, "012"), (5, "005"), (7, "007")):
        if not _QUALIFIER.fullmatch(segment[element]):
            text = f"the qualifier {shown(segment[element])} is none"
            seen, form = shown(segment[element]), "two capital letters or digits"
            found.append(_fault("party", text, start, element, form, settings.tolerated, seen, code))
    if segment[14] not in ("0", "1"):
        text = f"the request for an acknowledgement {shown(segment[14])} is neither 0 nor 1"
        found.append(_fault("party", text, start, 14, "0 or 1", settings.tolerated, shown(segment[14]), "019"))
    if segment[15] not in ("P", "T", "I"):
        text = f"the usage indicator {shown(segment[15])} is none of P, T and I"
        found.append(_fault("party", text, start, 15, "P, T or I", settings.tolerated, code="020"))
    for stamp in stamps_of(segment, interchange):
        if not stamp.is_right:
            text = f"the {stamp.what} {shown(stamp.text)} is none"
            found.append(
                _fault(stamp.what, text, start, stamp.element, stamp.form, settings.tolerated, shown(stamp.text))
            )
    return [fault.of_interchange(number).moved(start + _place(raw, fault.element)) for fault in found]


def stamps_of(segment: Segment, interchange: Interchange) -> list[Stamp]:
    """When ISA or GS says that it was made, or TA1 that what it is of was."""
    if at := {"ISA": 9, "TA1": 2}.get(str(segment[0])):
        day, time = part(segment, at), part(segment, at + 1)
        return [Stamp("date", at, 0, day, "YYMMDD"), Stamp("time", at + 1, 0, time, "HHMM")]
    day = "YYMMDD" if has_short_dates(part(segment, 8)) else "CCYYMMDD"
    return [Stamp("date", 4, 0, part(segment, 4), day), Stamp("time", 5, 0, part(segment, 5), "HHMM to HHMMSSDD")]


def has_short_dates(version: str) -> bool:
    """Whether a version writes the date of a group without its century: those before 004010."""
    return "001" <= version[:3] <= "003"


def _place(raw: bytes, element: int) -> int:
    return sum(len(piece) + 1 for piece in raw.split(raw[3:4])[:element]) if element else 0


def _fault(
    what: str, text: str, offset: int, element: int, expected: str, severity: str = "error", seen: str = "",
    code: str = "",
) -> EdiFault:  # fmt: skip
    code_list, usual = CODES["interchange", what]
    return EdiFault("interchange", code_list, code or usual, text, severity, tag="ISA", element=element, offset=offset,
                    seen=seen, expected=expected)  # fmt: skip


def charset_of(segment: Segment) -> str:
    """X12 names none: UTF-8, of which ASCII is a part."""
    return "utf-8"


def describe(message: Message) -> None:
    """Transaction set, control number and version out of ST, the latter else out of the group."""
    header, group = message.segments[0], message.group
    message.type, message.reference = part(header, 1), part(header, 2)
    if len(header) > 3 and (version := part(header, 3)):
        message.version, message.association = version[:6], version[6:]
    elif group is not None:
        message.version, message.association = group.version, group.association


def group_of(segment: Segment, offset: int) -> Group:
    """What GS says."""
    version = part(segment, 8)
    return Group(
        part(segment, 6), part(segment, 1), version[:6], version[6:], Party(part(segment, 2)), Party(part(segment, 3)),
        segment, offset,
    )  # fmt: skip


SYNTAX = Syntax(
    "x12", "X12", "ISA", SERVICE, CODES, number_element=13, group_element=6, reference_element=2, type_element=1,
    needs_groups=True, describe=describe, group_of=group_of,
    charset_of=charset_of, group_type=lambda type: GROUPS.get(type, ""), stamps_of=stamps_of,
)  # fmt: skip
_HEAD = rb"ISA([^A-Za-z0-9\s])(?:(?!\1)[ -~]){0,10}\1(?:(?!\1)[ -~]){0,10}\1"
DOOR = Door(
    SYNTAX,
    here=re.compile(rb"ISA[^A-Za-z0-9\s]"),
    anywhere=re.compile(_HEAD, re.DOTALL),
    open=open_interchange,
)
