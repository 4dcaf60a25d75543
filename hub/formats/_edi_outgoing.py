"""One message in an interchange of its own, or several of a type in one: header, group and trailer around them, with
right counts and with marks for control numbers and time (``_edi_marks``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hub.errors import MappingError
from hub.formats import _edi_marks as marks
from hub.formats._acks import ACKNOWLEDGEMENTS
from hub.formats._edi_charsets import LEVELS, X12_SETS, outsider
from hub.formats._edi_envelopes import Party
from hub.formats._edi_writing import Style, Writer
from hub.formats._edifact_envelope import SERVICE as EDIFACT_SERVICE
from hub.formats._segments import EDIFACT, Delimiters, Segment, joiner
from hub.formats._x12_envelope import GROUPS, has_short_dates
from hub.formats._x12_envelope import SERVICE as X12_SERVICE

_HINTS = {
    "edifact": "agree on charset: UNOC, or write upper(…), or another character, in the mapping",
    "x12": "agree on charset: extended, or write transliterate(…, 'X12') in the mapping",
}


@dataclass(frozen=True, slots=True)
class Header:
    """What an interchange to a partner begins with. ``version`` is that of the syntax (``3``, ``00401``), ``charset``
    the level (``UNOC``) or the name of a character set; ``codes`` are GS02 and GS03."""

    syntax: str
    sender: Party
    receiver: Party
    version: str
    charset: str
    delimiters: Delimiters
    line_end: str = ""
    is_test: bool = False
    digits: int = 0
    codes: tuple[str, str] = ("", "")
    application_reference: str = ""  # UNB 0026
    agreement: str = ""  # UNB 0032
    asks_for_acknowledgement: bool = False
    password: str | None = None  # its qualifier, where there is one: UNB 0025, ISA03
    authorization: str | None = None  # the same: ISA01


@dataclass(frozen=True, slots=True)
class Body:
    """What a message is and what it holds, without UNH and UNT or ST and SE. ``release`` is ``D96A`` or ``004010`` with
    what follows it."""

    type: str
    release: str
    association: str
    segments: Sequence[Segment]


def interchange(header: Header, body: Body | None, notes: Sequence[Segment] = (), others: Sequence[Body] = ()) -> bytes:
    """The bytes. ``notes`` are TA1 segments, which stand without a group; ``others`` follow the first message, of
    its type and release. Raises MappingError for what the syntax cannot carry. An acknowledgement repeats references as
    they came, small letters in UNOA too."""
    bodies = [body, *others] if body is not None else []
    raw = _written(header, bodies, notes)
    _refuse_marks(raw, header, bodies)
    data, d = marks.without(raw), header.delimiters
    if body is None or body.type in ACKNOWLEDGEMENTS:
        return raw
    if (at := outsider(data, header.charset, d.all.encode("latin-1"))) >= 0:
        seen = chr(data[at])
        raise MappingError(
            f"'{seen}' is not of the character set {header.charset}", code="encode", value_excerpt=seen,
            expected=f"characters of {header.charset}",
            hint=_HINTS[header.syntax],
        )  # fmt: skip
    return raw


def _written(header: Header, bodies: Sequence[Body], notes: Sequence[Segment] = ()) -> bytes:
    is_edifact, d = header.syntax == "edifact", header.delimiters
    # UNA where the delimiters are not those that hold without it.
    charset = (LEVELS if is_edifact else X12_SETS)[header.charset]
    style = Style(d, charset, header.charset, header.line_end,
                  is_edifact and (d.all != EDIFACT.all or header.version == "4"))  # fmt: skip
    if is_edifact:
        assert bodies, "an EDIFACT interchange holds a message"
        writer = Writer(EDIFACT_SERVICE, style, _unb(header))
        pieces = [writer.open(), *(writer.message(_edifact(header, body, n)) for n, body in enumerate(bodies))]
    else:
        writer = Writer(X12_SERVICE, style, _isa(header))
        pieces = [writer.open(), writer.notes(notes)]
        if bodies:
            pieces.append(writer.open_group(_gs(header, bodies[0])))
            pieces += [writer.message(_x12(body, n)) for n, body in enumerate(bodies)]
    return b"".join([*pieces, writer.close()])


def _refuse_marks(raw: bytes, header: Header, bodies: Sequence[Body]) -> None:
    """What came from outside may hold the character that marks begin with: it would be taken for one."""
    mark = marks.MARK.encode()
    if raw.count(mark) == _written(header, [replace(body, segments=()) for body in bodies]).count(mark):
        return
    join = joiner(header.delimiters)
    held = next((one for body in bodies for one in body.segments if marks.MARK in join([one])), ["TA1"])
    raise MappingError(
        f"the data of a segment {held[0]} holds the control character 00, which no interchange can carry",
        code="encode", expected="data without control characters", hint="remove it in the mapping",
    )  # fmt: skip


def _unb(header: Header) -> Segment:
    date = "%Y%m%d" if header.version == "4" else "%y%m%d"
    unb: Segment = [
        "UNB", [header.charset, header.version], header.sender.element, header.receiver.element,
        [marks.prepared(date), marks.prepared("%H%M")], marks.number("interchange", header.digits),
    ]  # fmt: skip
    proof = marks.proof("password") if header.password is not None else ""
    unb += [[proof, header.password] if header.password else proof, header.application_reference, "",
            "1" if header.asks_for_acknowledgement else "", header.agreement,
            "1" if header.is_test else ""]  # fmt: skip
    while not unb[-1]:
        unb.pop()
    return unb


def _edifact(header: Header, body: Body, index: int) -> list[Segment]:
    kind = [body.type, body.release[:1], body.release[1:], "UN", *([body.association] if body.association else [])]
    return [["UNH", marks.number("message", header.digits, index), kind], *body.segments]


def _isa(header: Header) -> Segment:
    return [
        "ISA", *_proof("authorization", header.authorization), *_proof("password", header.password),
        header.sender.qualifier, header.sender.id, header.receiver.qualifier, header.receiver.id,
        marks.prepared("%y%m%d"), marks.prepared("%H%M"), header.delimiters.repetition or "U",
        header.version, marks.number("interchange", 9), "1" if header.asks_for_acknowledgement else "0",
        "T" if header.is_test else "P", header.delimiters.component,
    ]  # fmt: skip


def _proof(kind: str, qualifier: str | None) -> tuple[str, str]:
    usual = "01" if kind == "password" else "03"
    return ("00", "") if qualifier is None else (qualifier or usual, marks.proof(kind, 10))


def _gs(header: Header, body: Body) -> Segment:
    release = body.release + body.association
    date = marks.prepared("%y%m%d" if has_short_dates(release) else "%Y%m%d")
    return ["GS", GROUPS.get(body.type, "ZZ"), *header.codes, date, marks.prepared("%H%M"), marks.number("group"), "X",
            release]  # fmt: skip


def _x12(body: Body, index: int) -> list[Segment]:
    release = body.release + body.association
    st: Segment = ["ST", body.type, marks.number("message", 4, index)]
    return [[*st, release] if release >= "005010" and body.association else st, *body.segments]
