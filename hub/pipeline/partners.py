"""Between a partner's settings and its interchanges: whose an interchange is, and the bytes of one to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

from hub.errors import MappingError, without_values
from hub.formats import _edi_outgoing as outgoing
from hub.formats._acks import ACKNOWLEDGEMENTS
from hub.formats._advices import ADVICES
from hub.formats._edi_envelopes import Interchange, Party
from hub.formats._edi_syntax import Agreed
from hub.formats._edi_titles import title_of
from hub.formats._segments import Delimiters, Repeats, Segment
from hub.grammars import Examiner, MessageType, Writer
from hub.message import Body, Stamp
from hub.partners import Identity, Partner

CONTENT_TYPES = {"edifact": "application/edifact", "x12": "application/edi-x12"}
_NOT_AWAITED = ACKNOWLEDGEMENTS | set(ADVICES.values())  # a partner need not acknowledge that it was answered
_SHAPE = "{type: ORDRSP, version: D96A, segments: [[BGM, '231', ...], ...]}"


class Partners(tuple[Partner, ...]):
    """Partners in the order of their file. Whose an interchange is, is looked up, however many they are."""

    @cached_property
    def _by_sides(self) -> dict[tuple[str, ...], tuple[int, Partner]]:
        """Each with its number, by what its interchanges are written in and say of both sides."""
        found: dict[tuple[str, ...], tuple[int, Partner]] = {}
        for number, partner in enumerate(self):
            found.setdefault((partner.syntax, *_said(partner.them), *_said(partner.us)), (number, partner))
        return found

    def whose(self, came: Interchange) -> Partner | None:
        """The partner that an interchange names as its sender, and us as its receiver, of several the one with most
        said about where within the houses, then the first; None: nobody we know."""
        (*them, there), (*us, here) = _said(came.sender), _said(came.receiver)
        for places in (((there, here),), ((there, ""), ("", here)), (("", ""),)):
            sides = ((came.syntax, *them, at_theirs, *us, at_ours) for at_theirs, at_ours in places)
            found = [self._by_sides[each] for each in sides if each in self._by_sides]
            if found:
                return min(found)[1]
        return None


def _said(side: Identity | Party) -> tuple[str, str, str]:
    return side.id, side.qualifier, side.internal


def agreed_with(partners: Partners, came: Interchange) -> Agreed:
    """How an interchange is read that a partner has sent; leniently where nobody knows whose it is."""
    partner = partners.whose(came)
    if partner is None:
        return Agreed()
    is_named = partner.syntax == "x12" and partner.charset != "utf-8"
    return Agreed(partner.strict, partner.charset if is_named else "")


def shown(party: Party) -> str:
    """An identification as a person reads it, with its qualifier."""
    return f"'{party.id}'" + (f" (qualifier '{party.qualifier}')" if party.qualifier else " (no qualifier)")


def header_of(partner: Partner) -> outgoing.Header:
    """What our interchanges to a partner begin with."""
    d = partner.delimiters
    return outgoing.Header(
        partner.syntax, _party(partner.us), _party(partner.them), partner.version, partner.charset,
        Delimiters(d["element"], d["component"], d["terminator"], d["release"], d["repetition"]),
        line_end="\r\n" if d["line_end"] else "", is_test=partner.test, digits=partner.numbers["digits"],
        codes=(partner.us.group or partner.us.id, partner.them.group or partner.them.id),
        agreement=partner.agreement,
        password=partner.us.password_qualifier if partner.us.password else None,
        authorization=partner.us.authorization_qualifier if partner.us.authorization else None,
    )  # fmt: skip


def _party(identity: Identity) -> Party:
    return Party(identity.id, identity.qualifier, identity.internal)


def interchange_for(
    partner: Partner, document: Any, lookups: bytes = b"", grammar: MessageType | None = None,
    overlays: Mapping[str, Examiner] = MappingProxyType({}),
) -> Body:  # fmt: skip
    """The bytes of a message to a partner, its numbers still to be stamped; a named document where there is a grammar.
    What is of a type that the partner has an overlay for is checked by that. Raises MappingError."""
    if isinstance(document, Mapping) and document.get("notes"):
        return sealed(partner, outgoing.interchange(header_of(partner), None, document["notes"]), "TA1", lookups)
    return interchange_of(partner, [document], lookups, grammar, overlays)


def interchange_of(
    partner: Partner, documents: Sequence[Any], lookups: bytes = b"", grammar: MessageType | None = None,
    overlays: Mapping[str, Examiner] = MappingProxyType({}),
) -> Body:  # fmt: skip
    """The same of several messages, which are of one type and release. Raises MappingError also where they are not."""
    first, *others = [_message(partner, document, grammar, overlays) for document in documents]
    for other in others:
        if (other.type, other.release, other.association) != (first.type, first.release, first.association):
            raise MappingError(
                f"{other.type} {other.release}{other.association} cannot stand beside {first.type} "
                f"{first.release}{first.association} in one interchange", code="encode",
            )  # fmt: skip
    within = None if first.type in _NOT_AWAITED else partner.ack.get("within")
    header = header_of(partner)
    header = replace(
        header, asks_for_acknowledgement=within is not None and partner.syntax == "edifact",
        application_reference=partner.application_reference.replace("{type}", first.type),
    )  # fmt: skip
    is_awaited = first.type not in _NOT_AWAITED
    numbers = [title_of(each.segments)[0] if is_awaited else "" for each in (first, *others)]
    content = outgoing.interchange(header, first, others=others)
    return sealed(partner, content, first.type, lookups, within, numbers)


def _message(
    partner: Partner, document: Any, grammar: MessageType | None, overlays: Mapping[str, Examiner]
) -> outgoing.Body:
    if grammar is not None:
        own = overlays.get(grammar.standard.rpartition("/")[2])
        document = _unnamed(document, own.message if own else grammar, partner)
    body = _body(partner, document)
    if grammar is None and (examiner := overlays.get(body.type)):
        _examine(body, examiner)
    return body


def _unnamed(document: Any, grammar: MessageType, partner: Partner) -> dict[str, Any]:
    """A named document as segments. Raises MappingError with its first fault, and how many there are."""
    segments, faults = Writer(grammar).segments(document)
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise MappingError(
            f"{faults[0].message}{more}", code="encode", field_path=faults[0].path, value_excerpt=faults[0].seen,
            expected=faults[0].expected, cause=faults[0].cause,
        )  # fmt: skip
    _, release, type = grammar.standard.split("/")
    version, association = partner.release
    return {
        "type": type, "version": release, "association": association if version == release else "", "segments": segments
    }  # fmt: skip


def _examine(body: outgoing.Body, examiner: Examiner) -> None:
    """Raises MappingError with the first fault of a message's segments, and how many there are."""
    if not (errors := examiner.errors(body.segments)):
        return
    first, more = errors[0], f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    tag = body.segments[first.segment - 1][0] if 0 < first.segment <= len(body.segments) else ""
    place = f"segment {first.segment} {tag}".rstrip() + (f", element {first.element}" if first.element else "")
    raise MappingError(
        f"{place}: {first.message}, by {examiner.message.name}{more}", code="encode", position=place,
        value_excerpt=first.seen, expected=first.expected, cause=f"{tag} {without_values(first.message, first.seen)}",
        hint="correct the mapping, or the partner's overlay in config/partners.yaml",
    )  # fmt: skip


def sealed(
    partner: Partner, content: bytes, type: str, lookups: bytes = b"", ack_within: float | None = None,
    documents: Sequence[str] = ("",),
) -> Body:  # fmt: skip
    """Written bytes with what stamping them takes; ``documents`` are the numbers of the documents in them."""
    group = partner.numbers["group"] if partner.syntax == "x12" else 0
    message = 0 if type == "TA1" else partner.numbers["message"]
    first = (partner.numbers["interchange"], 0 if type == "TA1" else group, message)
    stamp = Stamp(partner.name, type, first, partner.time_zone, ack_within, documents)
    return Body(content, CONTENT_TYPES[partner.syntax], lookups, stamp)


def _body(partner: Partner, document: Any) -> outgoing.Body:
    if not isinstance(document, Mapping) or not document.get("type") or not isinstance(document.get("segments"), list):
        raise MappingError(
            f"this is no message to partner '{partner.name}'", code="encode", expected=f"a document such as {_SHAPE}"
        )
    version, association = partner.release
    if document.get("version"):
        release = str(document["version"])
        split = 6 if partner.syntax == "x12" else len(release)
        version, association = release[:split], str(document.get("association") or release[split:])
    if not version:
        raise MappingError(
            f"nothing says which release the message to partner '{partner.name}' is of", code="encode",
            expected="version: in the document, or directory: in config/partners.yaml",
        )  # fmt: skip
    segments = _without_envelope([_segment(item, number) for number, item in enumerate(document["segments"])])
    return outgoing.Body(str(document["type"]), version, association, segments)


def _without_envelope(segments: list[Segment]) -> list[Segment]:
    """The segments without header and trailer, which are the hub's to write."""
    first = 1 if segments and segments[0][0] in ("UNH", "ST") else 0
    last = -1 if len(segments) > first and segments[-1][0] in ("UNT", "SE") else None
    return segments[first:last]


def _segment(item: Any, number: int) -> Segment:
    is_list = isinstance(item, Sequence) and not isinstance(item, str | bytes) and len(item) > 0
    if not is_list or not isinstance(item[0], str):
        raise MappingError(
            f"segment {number + 1} is no list that begins with a tag", code="encode", field_path=f"segments[{number}]",
            expected="such as [BGM, '231', '4711']",
        )  # fmt: skip
    elements = [_element(value, f"segments[{number}][{place}]") for place, value in enumerate(item)]
    while len(elements) > 1 and elements[-1] in ("", []):
        elements.pop()
    return elements


def _element(value: Any, path: str) -> Any:
    """A text, the components of one without the empty ones at its end, or repetitions of such."""
    if isinstance(value, Repeats):
        return Repeats(_element(item, path) for item in value)
    if isinstance(value, list | tuple):
        parts = [_text(part, path) for part in value]
        while parts and not parts[-1]:
            parts.pop()
        return parts if len(parts) > 1 else (parts[0] if parts else "")
    return _text(value, path)


def _text(value: Any, path: str) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else format(value, "f") if hasattr(value, "as_tuple") else str(value)
    if isinstance(value, bool | dict | list | tuple | bytes) or "\x00" in text:
        raise MappingError("a part of a segment is text or a number", code="encode", field_path=path)
    return text
