"""What is known of a partner's interchange once it was read to its end: whose it is, and whether it is taken in."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Any

from msgspec.structs import replace

from hub.formats import edifact, x12
from hub.formats._acks import Report, of_used_number
from hub.formats._edi_codec import HEADERS
from hub.formats._edi_envelopes import Interchange, Interpret
from hub.formats._edi_faults import EdiError
from hub.outcome import Failure, failure_of
from hub.partners import Partner
from hub.pipeline.partners import Partners, agreed_with, shown
from hub.spelling import nearest

_ALIKE = 0.85  # of an identification: two digits of a GLN that are exchanged, or one that is wrong


@dataclass(slots=True)
class Verdict:
    """What is known of an interchange once it was read to its end. ``failure``: why nothing of it is taken in;
    ``envelope``: what is wrong with its envelope where its good messages are. ``kinds`` are the types of its messages,
    ``refusal`` what its sender is told where its control number came before, with other content."""

    partner: Partner | None
    digest: str
    count: int
    failure: Failure | None = None
    code: tuple[str, str] | None = None
    envelope: Failure | None = None
    kinds: set[str] = field(default_factory=set)
    refusal: list[dict[str, Any]] = field(default_factory=list)


def examined(partners: Partners, chunks: Iterable[bytes], interpret: Interpret) -> Iterator[tuple[Report, Verdict]]:
    """Each interchange as it is read for good, with what is known of its end; its messages are the caller's to read,
    and to add to the report. ``chunks`` can be read again from their beginning."""
    verdicts = [_verdict(partners, interchange) for interchange in read(partners, chunks)]
    for interchange, verdict in zip(read(partners, chunks, interpret), verdicts, strict=True):
        report = Report(interchange, refused=verdict.code, is_taken=verdict.failure is None, kinds=verdict.kinds)
        yield report, verdict


def read(partners: Partners, chunks: Iterable[bytes], interpret: Interpret | None = None) -> Iterator[Interchange]:
    """The interchanges in a receipt, in either syntax, each read as it was agreed with its partner."""
    pieces = iter(chunks)
    first = next(pieces, b"")
    begins = first.lstrip(b"\xef\xbb\xbf \t\r\n")[:3]
    reader = x12 if begins == b"ISA" else edifact
    found: Iterator[Interchange] = reader.read(
        chain((first,), pieces), interpret=interpret, agreed=partial(agreed_with, partners)
    )  # fmt: skip
    return found


def _verdict(partners: Partners, interchange: Interchange) -> Verdict:
    digest = hashlib.sha256(repr(interchange.header).encode())
    kinds = set[str]()
    for message in interchange.messages():
        digest.update(message.raw.translate(None, b"\r\n"))
        kinds.add(message.type)
    for note in interchange.notes:
        digest.update(repr(note).encode())
    partner = partners.whose(interchange)
    verdict = Verdict(partner, digest.hexdigest(), interchange.count, kinds=kinds)
    verdict.failure = _refusal(partners, partner, interchange)
    if partner is not None and verdict.failure is None and not interchange.is_accepted:
        verdict.envelope = _noted(interchange, partner)
    if partner is not None and verdict.failure is None:
        verdict.refusal = of_used_number(interchange, kinds, dict(partner.ack))
    if verdict.failure is not None and verdict.failure.code == "test_flag":
        verdict.code = ("0085", "25") if interchange.syntax == "edifact" else ("I18", "020")
    return verdict


def _refusal(partners: Partners, partner: Partner | None, interchange: Interchange) -> Failure | None:
    if not interchange.header:
        return failure_of(EdiError(interchange.faults), "decode").printed("")
    if partner is None:
        return _unknown(partners, interchange)
    if interchange.is_test != partner.test and partner.wrong_test_flag == "refuse":
        return _wrong_test_flag(partner, interchange)
    is_bad_header = any(fault.is_error and fault.tag in HEADERS for fault in interchange.faults)
    if is_bad_header or (not interchange.is_accepted and partner.bad_envelope == "refuse"):
        return failure_of(EdiError(interchange.faults), "decode").printed(partner.name)
    return None


def _noted(interchange: Interchange, partner: Partner) -> Failure:
    """What is wrong with the envelope of an interchange whose good messages are taken in."""
    found = failure_of(EdiError(interchange.faults), "decode")
    hint = (
        "ask the partner to send it again, complete and with the same control number: what was taken in is not done "
        "twice, what is missing is taken in; then `o2c resolve` this"
    )
    return replace(found, detail=f"{found.detail}; its good messages are taken in", hint=hint).printed(partner.name)


def _unknown(partners: Partners, interchange: Interchange) -> Failure:
    sender, receiver = interchange.sender, interchange.receiver
    detail = (
        f"interchange {interchange.control_number} is from {shown(sender)} to {shown(receiver)}: no partner of system "
        f"'{partners[0].system}' has these identifications"
    )
    # Others are not named: whoever sees to this partner need not know with whom else we trade.
    alike = {p.them.id: p for p in reversed(partners) if p.syntax == interchange.syntax}
    near = alike.get(sender.id) or alike.get(nearest(sender.id, alike, _ALIKE))
    if near is not None:
        detail += f"; partner '{near.name}' is {near.them} and we are {near.us} to it"
    sides = ", ".join(
        f'{side}: {{id: "{party.id}"' + (f', qualifier: "{party.qualifier}"' if party.qualifier else "") + "}"
        for side, party in (("us", receiver), ("them", sender))
    )
    entry = f"{{system: {partners[0].system}, syntax: {interchange.syntax}, {sides}}}"
    return Failure(
        "no_route", "unknown_partner", detail, step="decode", position=f"interchange {interchange.control_number}",
        value_excerpt=f"{sender.id}:{sender.qualifier}",
        expected=f"the identifications of one of {len(partners):,} partners",
        hint=f"write to config/partners.yaml: NAME: {entry}; then replay this from the start",
    ).printed("")  # fmt: skip


def _wrong_test_flag(partner: Partner, interchange: Interchange) -> Failure:
    seen, wanted = ("a test", "real ones") if interchange.is_test else ("a real one", "tests")
    detail = f"interchange {interchange.control_number} is {seen}, and partner '{partner.name}' sends us {wanted}"
    hint = "ask the partner; wrong_test_flag: accept in config/partners.yaml takes such in, after which replay this"
    return Failure("business_rule", "test_flag", detail, step="decode", hint=hint).printed(partner.name)
