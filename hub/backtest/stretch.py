"""A stretch of stored receipts run once more, each message and delivery beside what it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

import hub
from hub.backtest import rerun, verdicts
from hub.backtest.again import InterchangesAgain, RecordsAgain
from hub.backtest.differences import ADDED, REMOVED, Difference
from hub.backtest.request import MAPPING, Request, Subject
from hub.backtest.rerun import Look, Made
from hub.backtest.samples import Mask, cause_of, mask_of, sample_of
from hub.backtest.stored import ByPlace, Records, Stored
from hub.backtest.tally import Tally
from hub.backtest.verdicts import RECORD, Verdict
from hub.backtest.versions import Unknown, Version, Versions
from hub.errors import DecodeError, StoreError
from hub.loggers import structlog
from hub.message import Receipt
from hub.outcome import Failure, failure_of
from hub.pipeline.decode import Decoded, decode
from hub.pipeline.fetch_back import is_fetch_back
from hub.pipeline.interchanges import place_of_message, read_interchanges
from hub.pipeline.program import CompiledRoute, CompiledTarget, Program, is_acknowledgement
from hub.pipeline.replayed import messages_replayed
from hub.pipeline.reply import is_reply
from hub.store import Store, sets
from hub.store.recorded import NOTHING, Came, WasMade, WasSent

_log = structlog.get_logger("backtest")
MESSAGE, CANONICAL = "message", "canonical"
Progress = Callable[[], None]


class Stretch:
    """Runs stretches of receipts, one after the other. ``progress`` is called now and then within a long one."""

    def __init__(self, store: Store, request: Request, subject: Subject, progress: Progress = lambda: None) -> None:
        self._store, self._request, self._subject, self._progress = store, request, subject, progress
        self._versions = Versions(store.reader, request)
        self._tally = Tally()

    def run(self, came: Sequence[Came]) -> Tally:
        """What becomes of some receipts now."""
        self._tally = Tally()
        stored = Stored(self._store, came, self._needs_bodies)
        for each in came:
            self._progress()
            receipt = stored.receipt(each)
            if receipt is None or each.is_replayed:
                continue
            try:
                self._receipt(each, receipt, stored)
            except Unknown as reason:
                self._tally.leave_out(str(reason), max(1, each.messages))
            except StoreError:
                raise
            except Exception as error:
                # A whole receipt is guarded here: a mistake of ours is told with it and ends nothing else.
                self._internal(each, error)
        return self._tally

    def _internal(self, came: Came, error: Exception) -> None:
        _log.error("the hub failed on a stored receipt", receipt_id=came.receipt_id, error=type(error).__name__)
        detail = f"the hub itself failed on this document: {type(error).__name__}"
        failure = Failure("internal", "internal_error", detail).printed(came.route)
        self._count(Verdict(verdicts.FAILING, failure=failure.as_dict()), MESSAGE, came.receipt_id, _nothing_to_mask)

    @property
    def _needs_bodies(self) -> bool:
        return bool(self._subject.targets)

    @property
    def _runs_whole(self) -> bool:
        """Whether documents go through from their raw bytes."""
        return self._subject.kind != MAPPING or bool(self._subject.sources)

    def _receipt(self, came: Came, receipt: Receipt, stored: Stored) -> None:
        records = stored.records(came)
        if is_acknowledgement(receipt.route) or is_fetch_back(came.route):
            return  # what the hub itself told a partner, or what only told it to fetch something
        if is_reply(came.route):
            self._answer(receipt, records, stored)
        elif self._runs_whole:
            self._from_raw(came, receipt, records, stored)
        if self._subject.kind == MAPPING and self._needs_bodies and not is_reply(came.route):
            for was in records.all():
                if not was.is_replayed:
                    self._stored_bodies(was, receipt)

    # -- messages ------------------------------------------------------------------------------------------------------

    def _answer(self, receipt: Receipt, records: Records, stored: Stored) -> None:
        was = records.at(0)
        if receipt.route not in self._subject.replies or was is None or was.is_replayed:
            return
        receipt = stored.with_raw(receipt)
        look = self._look(was)

        def again(version: Version) -> Made:
            return rerun.answer_again(receipt, version, look)

        self._judge_message(was, again, again)

    def _from_raw(self, came: Came, receipt: Receipt, records: Records, stored: Stored) -> None:
        first = records.first()
        version = self._versions.edited(first.set_id if first else self._active_set())
        if version.program.partners_at(receipt.source):
            self._interchanges(receipt, records, stored, version.program)
            return
        compiled = version.program.routes.get(receipt.route) or version.program.select(receipt.source, receipt.event)
        chunks = stored.raw(receipt)
        seen, failure = 0, None
        if compiled is None:
            failure = _no_route(receipt)
        elif compiled.route.name not in self._subject.routes and came.route not in self._subject.routes:
            return
        else:
            seen, failure = self._records(came, receipt, compiled, records, stored, chunks)
        self._left(came, receipt, records, seen, failure)

    def _records(
        self, came: Came, receipt: Receipt, compiled: CompiledRoute, records: Records, stored: Stored,
        chunks: Iterable[bytes],
    ) -> tuple[int, Failure | None]:  # fmt: skip
        """Every record of a receipt; gives where they end, and why there."""
        kept = RecordsAgain(stored, receipt, compiled)
        seen = 0

        def again(version: Version, before: CompiledRoute, decoded: Decoded, was: WasMade) -> Decoded:
            return kept.decoded(before, decoded)

        try:
            for decoded in decode(compiled.codec, compiled.codec_options, chunks):
                seen = decoded.position + 1
                if receipt.origin_position not in (-1, decoded.position):
                    continue
                was = records.at(decoded.position)
                if was is None and came.state != "dead":
                    self._whole(receipt.receipt_id, Difference((), ADDED, None, "record", RECORD))
                elif was is not None and not was.is_replayed:
                    self._record(receipt, compiled, decoded, was, again)
                self._progress()
        except DecodeError as error:
            return seen, failure_of(error, "decode").printed(compiled.route.name)
        return seen, None

    def _interchanges(self, receipt: Receipt, records: Records, stored: Stored, program: Program) -> None:
        """Every message that a partner sent, by the route that takes it now; what has become of one is told by its
        place, whatever the messages before it are parted into now. What was kept from going on because it had come
        before is left as it was."""
        pieces, wanted = stored.pieces(receipt), self._subject.routes
        kept, places = InterchangesAgain(receipt, pieces), ByPlace(records)
        failure = None

        def again(version: Version, before: CompiledRoute, decoded: Decoded, was: WasMade) -> Decoded:
            return kept.decoded(version, was)

        try:
            partners = program.partners_at(receipt.source)
            every = read_interchanges(partners, receipt, program, pieces)
            for found in messages_replayed(every, receipt, partners, pieces):
                self._progress()
                message, fault = place_of_message(found.message) if found.message else "", found.fault
                own, now = places.take(found.decoded.place, message), fault.as_dict() if fault else None
                if now is not None and (message or (own is None and found.came is None)):
                    places.refuse(found.decoded.place, now)
                was = own or (places.message(message) if message else None)
                route = found.compiled.route.name if found.compiled else ""
                if was is None or was.is_replayed or _is_repeat(was) or not {route, was.route} & wanted:
                    continue
                if own is None and now is None:
                    self._new_part(was, found.compiled)
                elif own is not None and found.compiled is not None:
                    self._record(replace(receipt, event=found.event), found.compiled, found.decoded, was, again)
                elif own is not None and found.acknowledgement is None:
                    self._ended(was, now)
        except DecodeError as error:
            failure = failure_of(error, "decode").printed(receipt.source).as_dict()
        for was, reason in places.left():
            if was.route in wanted and not was.is_replayed and not _is_repeat(was):
                self._ended(was, reason or failure)

    def _new_part(self, was: WasMade, compiled: CompiledRoute | None) -> None:
        """Another part of a message that there was. Where it is parted as it was, that one had come before."""
        try:
            before = self._versions.then(was.set_id).program.routes.get(was.route)
        except Unknown as reason:
            self._tally.leave_out(str(reason))
            return
        if compiled is not None and (before is None or _parting(before) != _parting(compiled)):
            self._whole(was.message_id, Difference((), ADDED, None, "record", RECORD))

    def _record(
        self, receipt: Receipt, compiled: CompiledRoute, decoded: Decoded, was: WasMade,
        again: Callable[[Version, CompiledRoute, Decoded, WasMade], Decoded],
    ) -> None:  # fmt: skip
        look, route = self._look(was), compiled.route.name

        def now(version: Version) -> Made:
            return rerun.message_again(receipt, version.program.routes[route], decoded, version, was, look)

        def then(version: Version) -> Made:
            before = version.program.routes.get(was.route)
            if before is None:
                raise Unknown("files_unreadable")
            return rerun.message_again(receipt, before, again(version, before, decoded, was), version, was, look)

        made = self._judge_message(was, now, then)
        if self._subject.kind != MAPPING and made is not None and made.canonical is not None:
            for sent in was.deliveries:
                if sent.target in made.targets and self._subject.looks_at(route, sent.target):
                    self._body(sent, receipt, made.canonical, was)
            self._new_bodies(was, receipt, made, route)

    def _judge_message(
        self, was: WasMade, now: Callable[[Version], Made], then: Callable[[Version], Made]
    ) -> Made | None:
        """Count a message; gives what it becomes, None where that cannot be told."""
        self._tally.messages += 1
        stored, of = rerun.was_made(was), self._subject
        targets = frozenset(id for ids in of.targets.values() for id in ids)
        try:
            self._tally.note_version(self._versions.hub(was.set_id))
            made = now(self._versions.edited(was.set_id))
            verdict = verdicts.of_messages(stored, made, of.kind, targets)
            if verdict.is_news and not _is_quarantine(stored.failure):
                self._reproduce(was.set_id, lambda version: verdicts.of_messages(
                    stored, then(version), of.kind, targets))  # fmt: skip
        except Unknown as reason:
            self._tally.leave_out(str(reason))
            return None
        part = CANONICAL if of.kind == MAPPING else MESSAGE
        self._count(verdict, part, was.message_id, lambda: self._mask_of_route(was))
        return made if made.state != "dead" else None

    def _mask_of_route(self, was: WasMade) -> Mask:
        program = self._versions.edited(was.set_id).program
        route, _, target_id = was.route.partition("#")
        target = program.find(route, target_id)
        compiled = program.routes.get(route)
        type_name = target.reply.target.schema if target and target.reply else compiled.type if compiled else ""
        return mask_of(program.schemas, type_name or "")

    # -- what ends a receipt -------------------------------------------------------------------------------------------

    def _left(self, came: Came, receipt: Receipt, records: Records, seen: int, failure: Failure | None) -> None:
        """The messages that there were and that do not come any more; and a receipt that died, or dies now."""
        now = failure.as_dict() if failure else None
        if came.state == "dead":
            verdict = verdicts.of_failures(came.failure, now) or Verdict(verdicts.EQUAL)
            self._count(verdict, MESSAGE, receipt.receipt_id, _nothing_to_mask)
        left = 0
        for was in records.all(seen):
            if not was.is_replayed:
                left += 1
                self._ended(was, now)
        if now and not left and not seen and came.state != "dead":
            self._count(Verdict(verdicts.FAILING, failure=now), MESSAGE, receipt.receipt_id, _nothing_to_mask)

    def _ended(self, was: WasMade, now: Mapping[str, Any] | None) -> None:
        """A message that does not come any more, or that ends before a route has it."""
        self._tally.messages += 1
        verdict = verdicts.of_failures(was.failure, now) or Verdict(
            verdicts.DIFFERENT, [Difference((), REMOVED, "record", None, RECORD)]
        )
        self._count(verdict, MESSAGE, was.message_id, _nothing_to_mask)

    def _whole(self, message_id: str, found: Difference) -> None:
        self._count(Verdict(verdicts.DIFFERENT, [found]), MESSAGE, message_id, _nothing_to_mask)

    # -- deliveries ----------------------------------------------------------------------------------------------------

    def _stored_bodies(self, was: WasMade, receipt: Receipt) -> None:
        """The deliveries of a message, made anew of its stored document."""
        looked_at = [sent for sent in was.deliveries if self._subject.looks_at(sent.route, sent.target)]
        self._tally.messages += bool(looked_at)
        for sent in looked_at:
            if was.canonical.content is None:
                self._tally.leave_out("canonical_pruned")
            else:
                self._body(sent, receipt, was.canonical.content, was)

    def _body(self, sent: WasSent, receipt: Receipt, document: bytes, was: WasMade) -> None:
        failure = rerun.unbuilt(sent)
        look = Look(self._store.reader, sent.body, sent.created_at, self._request.lookups)
        envelope = rerun.envelope_of(receipt, sent.message_id)

        def judged(version: Version, document: bytes) -> tuple[Verdict, CompiledTarget]:
            target = version.program.find(sent.route, sent.target)
            if target is None:
                raise Unknown("files_unreadable")
            body = rerun.body_again(target, sent.route, document, version.program, envelope, look)
            return verdicts.of_bodies(sent.body, body, failure, target), target

        try:
            if sent.is_collected and failure is None:
                raise Unknown("collected")
            if sent.body.content is None and failure is None:
                raise Unknown("body_pruned" if _had_body(sent, was) else "not_built")
            verdict, target = judged(self._versions.edited(sent.set_id), document)
            if verdict.is_news:
                if was.canonical.content is None:
                    raise Unknown("canonical_pruned")
                before = was.canonical.content
                self._reproduce(sent.set_id, lambda version: judged(version, before)[0])
        except Unknown as reason:
            self._tally.leave_out(str(reason))
            return
        program = self._versions.edited(sent.set_id).program
        schema = target.mapping.target.schema if target.mapping else program.routes[sent.route].type
        self._count(verdict, sent.target, sent.message_id, lambda: mask_of(program.schemas, schema or ""))

    def _new_bodies(self, was: WasMade, receipt: Receipt, made: Made, route: str) -> None:
        """Deliveries that there were none of: that they come is told with the message, that they fail here."""
        program = self._versions.edited(was.set_id).program
        new = (made.targets - {sent.target for sent in was.deliveries}) & self._subject.targets.get(route, frozenset())
        for target_id in sorted(new):
            target = program.find(route, target_id)
            look = Look(self._store.reader, NOTHING, was.received_at, self._request.lookups)
            envelope = rerun.envelope_of(receipt, was.message_id)
            try:
                assert target is not None and made.canonical is not None, "it is one of the route's own"
                body = rerun.body_again(target, route, made.canonical, program, envelope, look)
            except Unknown as reason:
                self._tally.leave_out(str(reason))
                continue
            if isinstance(body, Failure):
                verdict = Verdict(verdicts.FAILING, failure=body.as_dict())
                self._count(verdict, target_id, was.message_id, _nothing_to_mask)

    # -- counting ------------------------------------------------------------------------------------------------------

    def _reproduce(self, set_id: int, judge: Callable[[Version], Verdict]) -> None:
        """Raises Unknown where the files of then do not give what was stored: then the edit is not what differs."""
        if judge(self._versions.then(set_id)).is_news:
            made_by = self._versions.hub(set_id)
            raise Unknown(f"hub_version:{made_by}" if made_by != hub.__version__ else "not_reproduced")

    def _count(self, verdict: Verdict, part: str, message_id: str, mask: Callable[[], Mask]) -> None:
        tally, most = self._tally, self._request.samples
        tally.count(verdict.kind)
        if verdict.kind == verdicts.DIFFERENT:
            hide, seen = mask(), set[tuple[str, str]]()
            for found in verdict.differences:
                place = (found.path, found.kind)
                # A field that differs in several lines of a message counts once, with the first of them as sample.
                if place not in seen:
                    seen.add(place)
                    tally.change(part, *place, [sample_of(message_id, found, hide)], most)
        elif verdict.failure is not None and not _is_same_fault(verdict):
            key = (verdict.kind, part, str(verdict.failure.get("fingerprint", "")))
            tally.cause(key, cause_of(verdict.failure, message_id), most)

    def _look(self, was: WasMade) -> Look:
        return Look(self._store.reader, was.canonical, was.received_at, self._request.lookups)

    def _active_set(self) -> int:
        active = sets.active(self._store.reader())
        if active is None:
            raise Unknown("files_unknown")
        return active


def _is_repeat(was: WasMade) -> bool:
    """Whether it stands for what came before, and did not go on for that alone."""
    return was.event == "repeat" or (was.failure is not None and was.failure.get("class") == "duplicate")


def _parting(compiled: CompiledRoute) -> str | None:
    return compiled.codec_options.get("records")


def _nothing_to_mask() -> Mask:
    return lambda value, steps: value


def _no_route(receipt: Receipt) -> Failure:
    event = f" with the event '{receipt.event}'" if receipt.event else ""
    detail = f"no route takes a document of '{receipt.source}'{event}"
    return Failure("no_route", "no_route", detail, step="route").printed("")


def _is_quarantine(failure: Mapping[str, Any] | None) -> bool:
    return failure is not None and failure.get("class") == "quarantine"


def _is_same_fault(verdict: Verdict) -> bool:
    """Whether a message fails as it did; then there is nothing to tell."""
    was, now = verdict.was or {}, verdict.failure or {}
    names = ("fingerprint",), ("class", "code", "field_path", "detail")
    return bool(was and now) and any(all(was.get(name) == now.get(name) for name in some) for some in names)


def _had_body(sent: WasSent, was: WasMade) -> bool:
    return sent.state == "delivered" or was.canonical.content is None
