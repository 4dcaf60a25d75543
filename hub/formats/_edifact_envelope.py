"""The envelope of EDIFACT (ISO 9735, syntax versions 1 to 4): UNA, UNB, UNG, UNH, UNO, and the codes of its faults."""

from __future__ import annotations

import re

from hub.errors import shown
from hub.formats._edi_charsets import LEVELS, decoder, unshifted
from hub.formats._edi_envelopes import Group, Interchange, Message, Party
from hub.formats._edi_faults import EdiError, EdiFault
from hub.formats._edi_places import offset_in, segment_end
from hub.formats._edi_reading import Door
from hub.formats._edi_relatives import relative
from hub.formats._edi_stream import Feed, Service
from hub.formats._edi_syntax import Settings, Syntax, is_wrapped, part
from hub.formats._edi_times import Stamp
from hub.formats._segments import EDIFACT, Delimiters, Segment, splitter

SERVICE = Service(
    openers=("UNB", "UNA"), closer="UNZ", group=("UNG", "UNE"), message=("UNH", "UNT"), package=("UNO", "UNP")
)
_CODE = {
    "trailer": "13", "number": "13", "type": "13", "reference": "28", "count": "29", "length": "29", "duplicate": "26",
    "outside": "33", "mixed": "30", "types": "31", "extra": "16", "empty": "32", "long": "18", "end": "13",
    "charset": "46", "character": "21", "party": "13", "version": "2", "delimiters": "22", "date": "12", "time": "12",
}  # fmt: skip
CODES = {
    (level, what): ("0085", code)
    for level in ("interchange", "group", "message", "segment")
    for what, code in _CODE.items()
} | {("segment", "empty"): ("0085", "22")}

# The separators of syntax level B where no UNA says otherwise: IS 1, 3 and 4 of ISO 646.
_LEVEL_B = Delimiters(element="\x1d", component="\x1f", terminator="\x1c")
_UNA = re.compile(rb"UNA(.)(.)(.)(.)(.)?(.)[ \r\n\t]*(?=UNB[^A-Za-z0-9 ])", re.DOTALL)
_GUESS = re.compile(rb"UNB([^A-Za-z0-9 ])[A-Z]{4}([^A-Za-z0-9 ])\d.*?([^A-Za-z0-9 ])[ \r\n\t]*UN[HGO]\1", re.DOTALL)
_MOST = 16_384  # bytes of a UNB segment
_WINDOW = 4096


def open_interchange(feed: Feed, settings: Settings) -> Interchange:
    """Take UNA and UNB off the bytes. Raises EdiError when there is no end to them."""
    start, faults = feed.offset, list[EdiFault]()
    feed.ensure(_WINDOW)
    window = feed.data[feed.pos : feed.pos + _WINDOW]
    delimiters, length = _service_string(window, faults, start, settings.tolerated)
    has_una = length > 0
    if not has_una:
        delimiters = _without_service_string(window, faults, start, settings.tolerated)
    feed.pos += length
    segment, raw, offset = _header(feed, delimiters, start)
    if segment[0] != "UNB":
        text = f"UNB is not followed by the separator {shown(delimiters.element)}: {shown(segment[0])}"
        raise EdiError([_fault("delimiters", text, offset, "UNB", f"UNB{delimiters.element}")])
    if part(segment, 1, 2) == "4" and not has_una and delimiters is EDIFACT:
        delimiters = Delimiters("+", ":", "'", "?", "*")
        segment = splitter(delimiters)(_text(raw))[0]
    if not raw.isascii() or b"\x1b" in raw:
        decode = decoder(settings.charset or charset_of(segment), False, delimiters.all.encode("latin-1"))
        segment = splitter(delimiters)(decode(raw.translate(None, b"\r\n"))[0])[0]
    interchange = _interchange(segment, delimiters, start, has_una, settings)
    interchange.is_wrapped = is_wrapped(window, delimiters.terminator.encode("latin-1"))
    interchange.line_end = line_end(feed)
    interchange.faults += [_named(fault, interchange) for fault in faults]
    interchange.faults += _header_faults(interchange, raw, offset, settings)
    return interchange


def line_end(feed: Feed) -> str:
    """What stands behind the header's terminator: a line end or nothing."""
    following = feed.data[feed.pos : feed.pos + 2].decode("latin-1")
    return next((end for end in ("\r\n", "\n") if following.startswith(end)), "")


def _service_string(window: bytes, faults: list[EdiFault], start: int, tolerated: str) -> tuple[Delimiters, int]:
    """The delimiters of UNA and its length with the blanks behind it; 0 when there is none."""
    if not window.startswith(b"UNA"):
        return EDIFACT, 0
    found = _UNA.match(window)
    if found is None:
        follower = relative(window[9:].lstrip(), "edifact")
        text = f"UNA is not followed by UNB{f', but by {follower}' * bool(follower)}: "
        text += shown(window[:20].decode("latin-1"))
        raise EdiError([_fault("delimiters", text, start, "UNA", "six characters and UNB")])
    component, element, mark, release, repetition, terminator = (
        (found[group] or b"").decode("latin-1") for group in range(1, 7)
    )
    repetition = "" if repetition.isspace() else repetition
    if mark not in ".,":
        text = f"UNA names {shown(mark)} as the decimal mark; read as '.'"
        faults.append(_fault("delimiters", text, start, "UNA", "'.' or ','", tolerated))
        mark = "."
    delimiters = Delimiters(element, component, terminator, release.strip(), repetition, mark)
    every = [*delimiters.all]
    if len(set(every)) < len(every) or any(char.isalnum() for char in every):
        text = f"UNA names a delimiter twice, or a letter: {shown(found[0].decode('latin-1')[:9])}"
        raise EdiError([_fault("delimiters", text, start, "UNA", "different characters, none a letter or digit")])
    if found[5] is None:
        text = "UNA has five characters; the blank for the repetition separator is missing"
        faults.append(_fault("delimiters", text, start, "UNA", "six characters", tolerated))
    return delimiters, found.end()


def _without_service_string(window: bytes, faults: list[EdiFault], start: int, tolerated: str) -> Delimiters:
    """The delimiters of the level; where UNB uses others, those that can be told from what stands there."""
    if window[3:4] == b"\x1d":
        return _LEVEL_B
    found = _GUESS.match(window)
    if window[3:4] == b"+" and (found is None or found[3] == b"'"):
        return EDIFACT
    if found is None or len({found[1], found[2], found[3]}) < 3:
        text = f"UNB is followed by {shown(window[3:4].decode('latin-1'))}, and no UNA names the delimiters"
        raise EdiError([_fault("delimiters", text, start, "UNB", "'+' or a UNA before it")])
    element, component, terminator = (found[group].decode("latin-1") for group in (1, 2, 3))
    text = f"no UNA names the delimiters {shown(component + element + terminator)}; they are told by their places"
    faults.append(_fault("delimiters", text, start, "UNB", "a UNA before UNB", tolerated))
    return Delimiters(element, component, terminator, "" if "?" in (element, component, terminator) else "?")


def _header(feed: Feed, delimiters: Delimiters, start: int) -> tuple[Segment, bytes, int]:
    offset, end = feed.offset, -1
    charset = LEVELS["UNOX"] if b"UNOX" in feed.data[feed.pos : feed.pos + 8] else ""
    while end < 0:
        end = segment_end(unshifted(feed.data, charset), delimiters, feed.pos)
        if end - feed.pos > _MOST or (end < 0 and (feed.left > _MOST or not feed.more())):
            seen = feed.take(_MOST)
            text = f"UNB has no end: {shown(seen[:20].decode('latin-1'))}"  # more may hold what proves the sender
            raise EdiError([_fault("end", text, start, "UNB", f"{shown(delimiters.terminator)} at its end")])
    raw = feed.take(end + 1 - feed.pos)
    return splitter(delimiters)(_text(raw))[0], raw, offset


def _text(raw: bytes) -> str:
    return raw.translate(None, b"\r\n").decode("latin-1")


def _interchange(
    segment: Segment, delimiters: Delimiters, start: int, has_una: bool, settings: Settings
) -> Interchange:
    level = part(segment, 1).upper()
    return Interchange(
        "edifact", delimiters, segment, start,
        sender=Party(part(segment, 2), part(segment, 2, 2), part(segment, 2, 3)),
        receiver=Party(part(segment, 3), part(segment, 3, 2), part(segment, 3, 3)),
        control_number=part(segment, 5), date=part(segment, 4), time=part(segment, 4, 2),
        version=part(segment, 1, 2), level=level, application_reference=part(segment, 7),
        is_test=part(segment, 11) not in ("", "0"), charset=settings.charset or charset_of(segment),
        has_service_string=has_una,
    )  # fmt: skip


def _header_faults(interchange: Interchange, raw: bytes, offset: int, settings: Settings) -> list[EdiFault]:
    def tell(what: str, element: int, component: int, text: str, expected: str, severity: str = "error") -> EdiFault:
        at = offset + offset_in(raw, interchange.delimiters, 0, element, component)
        fault = _fault(what, text, at, "UNB", expected, severity, element, component)
        return _named(fault, interchange)

    found = []
    if interchange.level not in LEVELS:
        text = f"the syntax level {shown(interchange.level)} is none of ISO 9735; read as Latin-1 or UTF-8"
        found.append(tell("charset", 1, 1, text, "UNOA to UNOL, UNOW, UNOX or UNOY", settings.tolerated))
    if interchange.version not in ("1", "2", "3", "4"):
        text = f"the syntax version {shown(interchange.version)} is unknown"
        found.append(tell("version", 1, 2, text, "1, 2, 3 or 4"))
    for element, value, what in (
        (2, interchange.sender.id, "the sender"), (3, interchange.receiver.id, "the recipient"),
        (4, interchange.date, "the date"), (5, interchange.control_number, "the control reference"),
    ):  # fmt: skip
        if not value:
            found.append(tell("party", element, 0, f"{what} is missing", what))
    for stamp in stamps_of(interchange.header, interchange):
        if not stamp.is_right and (stamp.what == "time" or stamp.text):
            text = f"the {stamp.what} {shown(stamp.text)} is none"
            found.append(tell(stamp.what, stamp.element, stamp.component, text, stamp.form, settings.tolerated))
    return found


def stamps_of(segment: Segment, interchange: Interchange) -> list[Stamp]:
    """When UNB or UNG says that it was made; with syntax version 4 a group need not say it."""
    is_newest = interchange.version == "4"
    if segment[0] == "UNG" and is_newest and not part(segment, 4):
        return []
    day = "CCYYMMDD" if is_newest else "YYMMDD"
    return [Stamp("date", 4, 1, part(segment, 4), day), Stamp("time", 4, 2, part(segment, 4, 2), "HHMM")]


def _fault(
    what: str, text: str, offset: int, tag: str, expected: str, severity: str = "error", element: int = 0,
    component: int = 0,
) -> EdiFault:  # fmt: skip
    code_list, code = CODES["interchange", what]
    return EdiFault("interchange", code_list, code, text, severity, tag=tag, element=element, component=component,
                    offset=offset, expected=expected)  # fmt: skip


def _named(fault: EdiFault, interchange: Interchange) -> EdiFault:
    return fault.of_interchange(interchange.control_number)


def charset_of(segment: Segment) -> str:
    """What the syntax level in UNB stands for; Latin-1 where it is unknown."""
    return LEVELS.get(part(segment, 1).upper(), "latin-1")


def describe(message: Message) -> None:
    """Reference, type and version out of UNH; of a package out of UNO."""
    header = message.segments[0]
    message.reference = part(header, 1)
    if header[0] == "UNO":
        message.kind, message.type = "package", "UNO"
        return
    kind = header[2] if len(header) > 2 else ""
    if type(kind) is list and len(kind) > 4:
        message.type, message.version, message.association = kind[0], kind[1] + kind[2], kind[4]
        return
    message.type = part(header, 2)
    message.version = part(header, 2, 2) + part(header, 2, 3)
    message.association = part(header, 2, 5)


def group_of(segment: Segment, offset: int) -> Group:
    """What UNG says."""
    return Group(
        part(segment, 5), part(segment, 1), part(segment, 7) + part(segment, 7, 2), part(segment, 7, 3),
        Party(part(segment, 2), part(segment, 2, 2)), Party(part(segment, 3), part(segment, 3, 2)), segment, offset,
    )  # fmt: skip


SYNTAX = Syntax(
    "edifact", "EDIFACT", "UNA or UNB", SERVICE, CODES, number_element=5, group_element=5, reference_element=1,
    type_element=2, needs_groups=False, describe=describe, group_of=group_of,
    charset_of=charset_of, group_type=lambda type: type, stamps_of=stamps_of,
)  # fmt: skip
DOOR = Door(
    SYNTAX,
    here=re.compile(rb"UNA[^A-Za-z0-9]|UNB[^A-Za-z0-9 ]"),
    anywhere=re.compile(
        rb"UNA[^A-Za-z0-9].{4,5}[ \r\n\t]*UNB[^A-Za-z0-9 ]|UNB[^A-Za-z0-9 ][A-Z]{4}[^A-Za-z0-9 ]\d", re.DOTALL
    ),
    open=open_interchange,
)
