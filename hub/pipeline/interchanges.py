"""What comes from partners: each interchange told to its partner, each message to its route.

The bytes are read twice: whether an interchange as a whole may be taken in is known at its end only, and nothing of it
may have gone on by then.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import replace

from hub.errors import DecodeError
from hub.errors import shown as quoted
from hub.formats import Step
from hub.formats._acks import ACKNOWLEDGEMENTS, KINDS, Report, acknowledge
from hub.formats._acks_read import REJECTED, Said, said_by, said_by_note
from hub.formats._advices import ADVICES, subject_of
from hub.formats._advices_read import Judged, judged_by
from hub.formats._edi_codec import faults_above
from hub.formats._edi_documents import document_of
from hub.formats._edi_envelopes import Interchange, Message
from hub.formats._edi_faults import EdiError, EdiFault
from hub.formats._edi_parts import parts
from hub.formats._edi_proofs import conceal, shown_by
from hub.formats._edi_titles import kind_of
from hub.message import Answered, Came, Receipt, Subject, Taken
from hub.outcome import Failure, failure_of
from hub.partners import Partner
from hub.pipeline.decode import Decoded
from hub.pipeline.partners import Partners
from hub.pipeline.program import CompiledRoute, Program
from hub.pipeline.verdicts import Verdict, examined

_encode_json = msgspec.json.Encoder().encode
_NO_ROUTE = "write a route with from: {{partner: {partner}, event: {type}}}, then replay this from the start"


class Found(msgspec.Struct, frozen=True):
    """One message of an interchange with its route, or a failure: of the message, or of the interchange as a whole.

    An interchange has a position of its own before those of its messages, ``whole``: a replay of that one takes all of
    them, whatever the interchange was refused for. Its TA1 segments have one behind them. ``message`` is what the
    document was read of, ``element`` the path in it where the document is a part of it."""

    decoded: Decoded
    event: str = ""
    compiled: CompiledRoute | None = None
    failure: Failure | None = None
    came: Came | None = None
    whole: int = 0
    partner: Partner | None = None
    acknowledgement: Mapping[str, Any] | None = None
    answered: tuple[Answered, ...] = ()
    subject: Subject | None = None
    taken: Taken | None = None
    message: Message | None = None
    element: Sequence[Step] = ()

    @property
    def fault(self) -> Failure | None:
        """Why it does not go on, as far as its bytes tell."""
        if self.decoded.error is None:
            return self.failure
        return failure_of(self.decoded.error, "decode").printed(self.compiled.route.name if self.compiled else "")


def read_interchanges(
    partners: Partners, receipt: Receipt, program: Program, chunks: Iterable[bytes]
) -> Iterator[Found]:
    """Every message in turn; one that cannot go on, or an interchange nothing is taken in of, with its failure.
    ``chunks`` can be read again from their beginning. Raises DecodeError where there is no interchange in them."""
    position = 0
    for report, verdict in examined(partners, chunks, partial(interpreted, partners, program)):
        interchange, policy = report.interchange, verdict.partner.ack if verdict.partner else {}
        wants_acknowledgement = any(policy.get(kind) in ("always", "on_error") for kind in KINDS)
        wants_advice = verdict.partner is not None and verdict.partner.advises != "never"
        place, whole = place_of(interchange), position
        more = 0  # documents that messages were made of beyond their number
        if verdict.failure is not None or verdict.partner is None:
            came = None
            yield Found(Decoded(position, place), failure=verdict.failure, whole=whole)
            for _ in interchange.messages():  # its trailer stands behind them
                pass
        else:
            came = _came(interchange, verdict, verdict.partner, receipt, position)
            if came.shown:
                conceal(interchange)
            if verdict.envelope is not None:
                yield Found(Decoded(position, place), failure=verdict.envelope, came=came, whole=whole)
            for message in interchange.messages():
                found = _found(message, verdict.partner, program, position + 1 + message.index + more, came, receipt)
                if wants_acknowledgement:
                    report.add(message)
                if wants_advice and found.compiled is not None and found.decoded.error is None:
                    found = replace(found, subject=subject_of(message))
                for number, part in enumerate(_parted(replace(found, message=message, partner=verdict.partner))):
                    which = part.decoded.place.removeprefix(found.decoded.place)
                    yield replace(part, whole=whole, taken=_taken(message, part, which.removeprefix(", ")))
                    more += number > 0
            yield from _notes(interchange, verdict.partner, position + 1 + verdict.count + more, came, receipt)
        position += 2 + verdict.count + more
        documents = _acknowledgements(report, verdict, receipt)
        for number, document in enumerate(documents):
            yield Found(
                Decoded(position + number, f"{place}, acknowledgement"), str(document["type"]), came=came, whole=whole,
                partner=verdict.partner, acknowledgement=document,
            )  # fmt: skip
        position += 1 + 2 * interchange.groups  # a TA1 or CONTRL, a 997 and a 999 of each group, whether wanted or not


def _acknowledgements(report: Report, verdict: Verdict, receipt: Receipt) -> list[dict[str, Any]]:
    """What the interchange deserves; nothing where nobody knows whose it is, or it is replayed."""
    if verdict.partner is None or not report.interchange.header or receipt.replay_of:
        return []
    return acknowledge(report, dict(verdict.partner.ack))


def _notes(
    interchange: Interchange, partner: Partner, position: int, came: Came, receipt: Receipt
) -> Iterator[Found]:  # fmt: skip
    """The TA1 segments of an interchange: a message tells of them, where there are any."""
    notes = [note for note in interchange.notes if note[0] == "TA1"]
    if notes:
        said = [said_by_note(note) for note in notes]
        found = _answers(Decoded(position, f"{place_of(interchange)}, TA1"), "TA1", said, partner, receipt)
        taken = Taken(position, "TA1", hashlib.sha256(repr(notes).encode()).hexdigest())
        yield replace(found, whole=came.position, came=came, taken=taken)


def _answers(decoded: Decoded, kind: str, said: Sequence[Said], partner: Partner, receipt: Receipt) -> Found:
    """An acknowledgement of ours: noted with what it is of; a rejection is a dead letter in the partner's words, and so
    is one that is of nothing."""
    answered = tuple(
        Answered(
            partner.name, s.kind, s.number, s.verdict, receipt.receipt_id, receipt.seq, decoded.position,
            messages=s.messages, rest=s.rest,
        )
        for s in said
        if s.number
    )  # fmt: skip
    nameless = next((each for each in said if not each.number), None)
    rejected = next((each for each in said if each.verdict == REJECTED and each.number), None)
    failure = _acknowledges_nothing(kind, nameless, partner) if nameless is not None else None
    if rejected is not None:
        detail = f"partner '{partner.name}' has rejected our {rejected.kind} {rejected.number}: "
        hint = "correct the mapping or the data, then replay the message that was sent"
        failure = Failure(
            "remote_rejected", "rejected_by_partner", detail + (rejected.detail or "it does not say why"),
            step="deliver", hint=hint, value_excerpt=str(rejected.number),
        ).printed(partner.name)  # fmt: skip
    return Found(decoded, kind, failure=failure, answered=answered, partner=partner)


def _acknowledges_nothing(kind: str, said: Said, partner: Partner) -> Failure:
    detail = (
        f"partner '{partner.name}' sends a {kind} that names no {said.kind} of ours: {said.tag}, element "
        f"{said.element} is {quoted(said.seen) if said.seen else 'empty'}, and our control numbers are 1 or more"
    )
    if said.verdict == REJECTED:
        detail += f"; it rejects something: {said.detail or 'it does not say why'}"
    return Failure(
        "lookup_missing", "acknowledges_nothing", detail, step="decode", value_excerpt=said.seen,
        expected=f"the control number of our {said.kind}",
        hint=f"ask the partner which of ours it means, o2c partners {partner.name} shows them; then `o2c resolve` this",
    ).printed(partner.name)  # fmt: skip


def _judged(decoded: Decoded, kind: str, judged: Sequence[Judged], partner: Partner, receipt: Receipt) -> Found:
    """What the partner says of documents of ours: noted with what carried them; a rejection is a dead letter."""
    answered = tuple(
        Answered(
            partner.name, "document", j.group, j.verdict, receipt.receipt_id, receipt.seq, decoded.position,
            tuple(dict.fromkeys(j.documents)), j.message,
        )
        for j in judged
    )  # fmt: skip
    rejected = [each for each in judged if each.verdict == REJECTED]
    failure = None
    if rejected:
        told = "; ".join(
            f"our document {j.documents[0] if j.documents else '(it does not say which)'}: "
            f"{j.detail or 'it does not say why'}"
            for j in rejected
        )
        failure = Failure(
            "remote_rejected", "rejected_by_partner", f"partner '{partner.name}' has rejected {told}", step="deliver",
            hint="correct the data, then replay the message that was sent",
            value_excerpt=next(iter(rejected[0].documents), ""),
        ).printed(partner.name)  # fmt: skip
    return Found(decoded, kind, failure=failure, answered=answered, partner=partner)


def place_of(interchange: Interchange) -> str:
    """What an interchange is called in a receipt: ``interchange 101``."""
    return f"interchange {interchange.control_number}".strip()


def place_of_message(message: Message) -> str:
    """What a message is called in a receipt: ``interchange 101, group 7, message 2``."""
    group = f", group {message.group.reference}" if message.group else ""
    return f"{place_of(message.interchange)}{group}, message {message.reference}"


def grammar_of(partner: Partner, compiled: CompiledRoute, message: Message, program: Program) -> str:
    """The name of the grammar that reads a message: the partner's own, or the one that the route's mapping reads, in
    the version that the message declares; '' where there is none and a message is as it is."""
    read = compiled.versions.grammar(message.version, message.association) if compiled.versions else ""
    name = partner.overlays.get(message.type) or read
    return name if program.schemas.grammars.has(name) else ""


def _route_of(partner: Partner, type: str, message: Message, program: Program) -> CompiledRoute | None:
    return program.select_for_partner(partner.name, type, kind_of(type, message.segments))


def interpreted(partners: Partners, program: Program, message: Message) -> tuple[Any, Sequence[EdiFault]]:
    """A message as its partner's route reads it, by its grammar; nothing where there is none."""
    partner = partners.whose(message.interchange)
    compiled = _route_of(partner, message.type, message, program) if partner else None
    if partner is None or compiled is None or program.interpreter is None:
        return None, ()
    if not (name := grammar_of(partner, compiled, message, program)):
        return None, ()
    document, faults = program.interpreter.by(name, message)
    # An overlay checks also what a mapping takes segment by segment.
    return (document if compiled.versions else None), faults


def _came(interchange: Interchange, verdict: Verdict, partner: Partner, receipt: Receipt, position: int) -> Came:
    """The number to remember, of what is replayed too. Of an interchange that is replayed as a whole some messages may
    have been taken in; a message comes again on purpose."""
    policy, origin = partner.same_number, 0
    if receipt.replay_of:
        own = receipt.origin_place
        is_whole = own == place_of(interchange) if own else position == receipt.origin_position
        policy = "again" if is_whole else "anew"
        origin = receipt.origin_seq if not own and receipt.origin_position < 0 else 0
    is_partial = verdict.envelope is not None
    refusal = _encode_json(verdict.refusal[0]) if verdict.refusal and not receipt.replay_of else b""
    is_proved = partner.them.password or partner.them.authorization
    shown = tuple((kind, *said) for kind, said in shown_by(interchange).items()) if is_proved else ()
    return Came(
        partner.name, interchange.control_number, receipt.seq, position, verdict.digest, policy, is_partial, refusal,
        shown, origin,
    )  # fmt: skip


def _taken(message: Message, found: Found, part: str) -> Taken | None:
    """What tells a message, or a part of it, again that comes once more; None for one that is not taken in."""
    if not message.is_accepted or found.decoded.error is not None:
        return None
    digest = hashlib.sha256(message.raw.translate(None, b"\r\n")).hexdigest()
    reference = f"{message.group.reference}/{message.reference}" if message.group else message.reference
    return Taken(found.decoded.position, reference, digest, part)


def _found(message: Message, partner: Partner, program: Program, position: int, came: Came, receipt: Receipt) -> Found:
    place = place_of_message(message)
    decoded, kind = Decoded(position, place), message.type or message.kind
    compiled = _route_of(partner, kind, message, program)
    above = faults_above(message)
    if kind in ACKNOWLEDGEMENTS and message.is_accepted and compiled is None:
        return replace(_answers(decoded, kind, [said_by(message)], partner, receipt), came=came)
    if kind == ADVICES[partner.syntax] and message.is_accepted and compiled is None:
        return replace(_judged(decoded, kind, judged_by(message), partner, receipt), came=came)
    if above or not message.is_accepted:
        error: DecodeError = EdiError([*above, *message.faults])
        if compiled is None:
            return Found(decoded, kind, failure=failure_of(error, "decode").printed(partner.name), came=came)
        return Found(Decoded(position, place, error=error), kind, compiled, came=came)
    if compiled is None:
        which = f"'{kind}'"
        if program.tells_kinds(partner.name, kind):
            which += f" and the kind '{kind_of(kind, message.segments)}'"
        detail = f"no route takes a message of the type {which} from partner '{partner.name}'"
        hint = _NO_ROUTE.format(partner=partner.name, type=kind)
        failure = Failure("no_route", "no_route", detail, step="route", hint=hint, partner=partner.name)
        return Found(decoded, kind, failure=failure.printed(partner.name), came=came)
    return Found(Decoded(position, place, _document(message, partner)), kind, compiled, came=came)


def _parted(found: Found) -> Iterator[Found]:
    """A message once for each element that its route's mapping wants as a document of its own (``records:``)."""
    decoded, path = found.decoded, found.compiled.codec_options.get("records") if found.compiled else None
    if not path or decoded.document is None:
        yield found
        return
    for number, part in enumerate(parts(decoded.document, path)):
        place = f"{decoded.place}, {part.where}" if part.where else decoded.place
        yield replace(
            found, decoded=Decoded(decoded.position + number, place, part.document), element=part.element
        )  # fmt: skip


def _document(message: Message, partner: Partner) -> dict[str, Any]:
    """A message as a mapping sees it: what ``o2c decode`` shows of it, and whose it is. By a grammar its
    elements have names."""
    document = message.tree if message.tree is not None else document_of(message)
    return {**document, "partner": partner.name, "test": message.interchange.is_test}
