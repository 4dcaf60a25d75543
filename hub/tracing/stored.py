"""A stored message through its mappings once more, traced: its own bytes, the files it was made with, the look-ups as
they were answered. Runs in a process of its own, for foreign data never meets a mapping in the hub's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from hub.attached import Stored, with_file
from hub.backtest.request import RECORDED
from hub.backtest.rerun import Look
from hub.backtest.verdicts import EQUAL, of_bodies
from hub.backtest.versions import Unknown
from hub.clock import iso
from hub.errors import DecodeError, HubError, MappingError, MessageError
from hub.formats import Codec, Places, RecordFault, codec, places_in
from hub.formats._edi_codec import HEADERS, EdiPlaces
from hub.formats._edi_envelopes import Message
from hub.formats._edi_faults import EdiFault
from hub.grammars.codec import places_of
from hub.mapping import Context, TraceEntry
from hub.mapping import Mapping as DocumentMapping
from hub.message import CANONICAL, RAW, SENT, Receipt
from hub.outcome import Failure, failure_of
from hub.pipeline.decode import decode
from hub.pipeline.interchanges import Found, grammar_of, read_interchanges
from hub.pipeline.partners import interchange_for
from hub.pipeline.program import CompiledTarget, Program, build_program, is_acknowledgement
from hub.pipeline.reply import is_reply, reply_mapping
from hub.schemas import SchemaSet, schema_set
from hub.store import Store, effects, message_view, payloads, recorded, sets
from hub.store.database import Database
from hub.store.recorded import Kept
from hub.tracing.words import Ask

Row = dict[str, Any]
_LARGEST = 64_000_000  # bytes of a receipt that are held at once, to find places in them
_encode_json = msgspec.json.Encoder(decimal_format="number").encode


class Run(msgspec.Struct, frozen=True):
    """One mapping run once more. ``mapping`` is '' where the canonical document is sent as it is; ``schema`` says what
    the document is. ``places`` None: nobody can tell where in the raw bytes something stands. ``reproduced``: whether
    the same came out as is stored; None where nothing is. ``findings``: what its bytes were read in spite of."""

    mapping: str
    schema: str
    set_id: int
    entries: Sequence[TraceEntry] = ()
    document: Any = None
    places: Places | None = None
    failure: Failure | None = None
    reproduced: bool | None = None
    findings: Sequence[RecordFault] = ()


class _Record(msgspec.Struct, frozen=True):
    """The document that was mapped, where its values stand, and what was tolerated in its bytes."""

    document: Any
    places: Places | None = None
    findings: Sequence[RecordFault] = ()


class Again:
    """What a message was made of, read and run when it is asked for. Raises Unknown with a key of ``REASONS``."""

    def __init__(self, store: Store, ask: Ask) -> None:
        self._store, self._ask = store, ask
        self._programs: dict[int, Program] = {}
        db = store.reader()
        own = message_view.message(db, ask.message_id)
        came = message_view.receipt_of(db, own["seq"]) if own else None
        if own is None or came is None:
            raise Unknown("gone")
        self.own: Row = own
        self._came: Row = came
        self._kept = recorded.kept(db, ask.message_id, CANONICAL)

    def schemas(self, set_id: int) -> SchemaSet:
        """The schemas of a set."""
        if set_id in self._programs:
            return self._programs[set_id].schemas
        return schema_set(_files(self._store.reader(), set_id))

    def canonical(self) -> Run:
        """Its canonical document, from the raw bytes on."""
        program, route = self._program(self.own["set_id"]), self.own["route"]
        mapping, reader, options = _reading(program, route)
        run = Run(mapping.name, mapping.target.schema or "", self.own["set_id"])
        try:
            record = self._record(program, route, reader, options)
            look = Look(self._store.reader, self._kept, self._came["received_at"], RECORDED)
            context = self._context(program, mapping, look, _zone(program, route))
            document, entries = mapping.trace(record.document, context)
        except MessageError as error:
            step = "map" if isinstance(error, MappingError) else "decode"
            return replace(run, failure=failure_of(error, step).printed(route))
        return replace(
            run, entries=entries, document=document, places=record.places, findings=record.findings,
            reproduced=_is_same(self._kept, lambda: _encode_json(document)),
        )  # fmt: skip

    def sent(self, document: Any) -> tuple[Row, Run]:
        """The delivery, and what its target was sent of a canonical document; of the stored one, where there is one."""
        db = self._store.reader()
        lines = message_view.deliveries(db, self.own["message_id"])
        line = next((line for line in lines if line["delivery_id"] == self._ask.delivery_id), None)
        if line is None:
            raise Unknown("gone")
        if is_acknowledgement(line["route"]):
            raise Unknown("acknowledgement")
        if self._kept.content is not None:
            document = self.stored()
        program = self._program(line["set_id"])
        target = program.find(line["route"], line["target"])
        if target is None:
            raise Unknown("files_unreadable")
        kept = recorded.kept(db, line["delivery_id"], SENT, line["revision"])
        if line["batch_id"]:
            kept = replace(kept, content=None)  # what was sent is that of several
        return line, self._to(target, document, program, line, kept)

    def stored(self) -> Any:
        """The canonical document as it is stored; None where it is not any more."""
        content = self._kept.content
        return None if content is None else codec("json").decode_one(content, {})

    def _to(self, target: CompiledTarget, document: Any, program: Program, line: Row, kept: Kept) -> Run:
        mapping, look = target.mapping, Look(self._store.reader, kept, self._came["received_at"], RECORDED)
        if mapping is None:
            schema = program.routes[line["route"]].type
            return Run("", schema, line["set_id"], document=document,
                       reproduced=_is_sent(kept, target, document, document, look.stored))  # fmt: skip
        run = Run(mapping.name, mapping.target.schema or "", line["set_id"])
        try:
            context = self._context(program, mapping, look, target.time_zone)
            if before := program.telling(line["route"], target):
                came_after = effects.reference_of_target(self._store.reader(), self.own["message_id"], before)
                context = replace(context, envelope={**context.envelope, "after": came_after})
            output, entries = mapping.trace(document, context)
        except MessageError as error:
            return replace(run, failure=failure_of(error, "map").printed(line["route"]))
        reproduced = _is_sent(kept, target, document, output, look.stored)
        return replace(run, entries=entries, document=output, reproduced=reproduced)

    def _context(self, program: Program, mapping: DocumentMapping, look: Look, time_zone: str) -> Context:
        came = self._came
        envelope = {
            "id": self.own["message_id"], "source": came["source"], "event": came["event"],
            "received_at": iso(came["received_at"]), "name": came["name"], "time_zone": time_zone,
        }  # fmt: skip
        return Context(program.settings.company, envelope, look if mapping.xrefs else None)

    def _record(self, program: Program, route: str, reader: Codec, options: Mapping[str, Any]) -> _Record:
        position, is_large = int(self.own["position"]), self._came["size"] > _LARGEST
        if route in program.routes and program.routes[route].route.partner:
            return self._of_partner(program, position, is_large)
        if is_large:
            return _record_at(_There(self._pieces), reader, options, position)
        raw = b"".join(_There(self._pieces))
        record = (
            _Record(reader.decode_one(raw, options))
            if is_reply(route)
            else _record_at([raw], reader, options, position)
        )
        return replace(record, places=places_in(reader, raw, options, position))

    def _of_partner(self, program: Program, position: int, is_large: bool) -> _Record:
        """The same of a message in a partner's interchange."""
        came, pieces = self._came, _There(self._pieces)
        whole = b"".join(pieces) if not is_large else b""
        receipt = Receipt(came["seq"], came["receipt_id"], came["source"], came["event"], came["received_at"], b"")
        partners = program.partners_at(came["source"])
        for found in read_interchanges(partners, receipt, program, [whole] if whole else pieces):
            if found.decoded.position == position and found.compiled is not None:
                if found.decoded.error is not None:
                    raise found.decoded.error
                places = _places_of_partner(program, found, whole) if whole else None
                return _Record(found.decoded.document, places, _tolerated(found.message))
        raise DecodeError(f"the bytes hold no message at {position} any more", code="record")

    def _pieces(self) -> Iterator[bytes]:
        owner = self._came["raw_owner"] or self._came["receipt_id"]
        return payloads.read_chunks(self._store.reader(), owner, RAW, 1)

    def _program(self, set_id: int) -> Program:
        """The files of then, compiled."""
        if set_id not in self._programs:
            files = _files(self._store.reader(), set_id)
            own = Path(self._ask.own_connectors) if self._ask.own_connectors else None
            try:
                self._programs[set_id] = build_program(files, self._ask.environment or None, set_id, own)
            except HubError:
                raise Unknown("files_unreadable") from None
        return self._programs[set_id]


class _There(msgspec.Struct, frozen=True):
    """Raw bytes in pieces, read anew each time. Raises Unknown where they are not stored any more."""

    pieces: Callable[[], Iterator[bytes]]

    def __iter__(self) -> Iterator[bytes]:
        is_there = False
        for piece in self.pieces():
            is_there = True
            yield piece
        if not is_there:
            raise Unknown("raw_pruned")


def _places_of_partner(program: Program, found: Found, raw: bytes) -> Places | None:
    """Where a message's values stand: by the names of its grammar, or segment by segment."""
    message, compiled, partner = found.message, found.compiled, found.partner
    if message is None or compiled is None or partner is None:
        return None
    name = grammar_of(partner, compiled, message, program)
    if not name or compiled.versions is None:
        return EdiPlaces(raw, message)
    return places_of(raw, message, found.element, program.schemas.grammars.message(name))


def _tolerated(message: Message | None) -> list[EdiFault]:
    """What a message, and the header that it stands under, were read in spite of."""
    if message is None:
        return []
    above = [fault for fault in message.interchange.faults if fault.tag in (*HEADERS, "")]
    return [fault for fault in (*above, *message.faults) if not fault.is_error]


def _files(db: Database, set_id: int) -> Mapping[str, bytes]:
    if recorded.hub_version(db, set_id) is None:
        raise Unknown("files_unknown")
    try:
        return sets.files_of(db, set_id)
    except (TypeError, KeyError, IndexError):  # the row of a file is not there
        raise Unknown("files_unknown") from None


def _reading(program: Program, route: str) -> tuple[DocumentMapping, Codec, Mapping[str, Any]]:
    """The mapping that made the message, and how its bytes are read."""
    if is_reply(route):
        mapping, reader, options = reply_mapping(program, route)
        if mapping is None:
            raise Unknown("files_unreadable")
        return mapping, reader, options
    if is_acknowledgement(route):
        raise Unknown("acknowledgement")
    compiled = program.routes.get(route)
    if compiled is None:
        raise Unknown("files_unreadable")
    return compiled.mapping, compiled.codec, compiled.codec_options


def _zone(program: Program, route: str) -> str:
    compiled = program.routes.get(route)
    return compiled.time_zone if compiled else program.settings.time_zone


def _record_at(pieces: Iterable[bytes], reader: Codec, options: Mapping[str, Any], position: int) -> _Record:
    """One record of a body, without its places. Raises DecodeError where it, or what is before it, cannot be read."""
    for decoded in decode(reader, options, pieces):
        if decoded.position == position:
            if decoded.error is not None:
                raise decoded.error
            return _Record(decoded.document, findings=decoded.findings)
    raise DecodeError(f"the bytes hold no record {position} any more", code="record")


def _is_sent(kept: Kept, target: CompiledTarget, canonical: Any, document: Any, stored: Stored) -> bool | None:
    """Whether a target was sent what it would be sent now; a partner, without the numbers and times around it."""
    partner = target.partner
    if partner is None or kept.content is None:
        return _is_same(kept, lambda: _bytes(target, canonical, document, stored))
    try:
        made = interchange_for(partner, document, grammar=target.grammar, overlays=target.overlays)
        return of_bodies(kept, made, None, target).kind == EQUAL
    except MessageError:
        return False


def _bytes(target: CompiledTarget, canonical: Any, document: Any, stored: Stored) -> bytes:
    if target.takes_canonical:
        return _encode_json(document)
    whole = with_file(target.codec, target.codec_options, canonical, document, stored)
    return target.codec.encode_one(whole, target.codec_options)


def _is_same(kept: Kept, made: Callable[[], bytes]) -> bool | None:
    """Whether what is made now is what was stored then."""
    if kept.content is None:
        return None
    try:
        return made() == kept.content
    except MessageError:
        return False
