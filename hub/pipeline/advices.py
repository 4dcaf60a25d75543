"""What partners are told of their messages once their syntax was in order: an APERAK or 824 for each that ended by a
fault of its content, or of every one. Each is a receipt of the hub's own, so that it is sent like anything else."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from hub.formats._advices import ADVICES, Objection, advice
from hub.formats._edi_charsets import writable
from hub.message import CANONICAL, RAW, Accepted, Arrival, Subject
from hub.partners import Partner
from hub.pipeline.program import Program, acknowledgement_route
from hub.pipeline.transformed import Transformed
from hub.store import advices, payloads, receipts
from hub.store.advices import Fate, Waiting
from hub.store.database import Database

if TYPE_CHECKING:
    from hub.pipeline.engine import Engine

_BATCH = 200
_VERDICTS = ("", "rejected", "accepted")  # each may follow those before it, once
_WANTED = {"on_error": ("rejected",), "always": ("rejected", "accepted")}
_GATHER_SECONDS = 60.0  # so long the documents of one message wait for each other, to be told of together
_MOST_TOLD = 100
_SOON_SECONDS, _LATE_SECONDS = 2.0, 3600.0  # until the next look: an eighth of its age, within these
_CODES = {"schema": "SCHEMA", "business_rule": "RULE", "lookup_missing": "UNKNOWN", "remote_rejected": "REFUSED"}
_OF_MESSAGES = frozenset({"schema", "business_rule", "lookup_missing"})
_OVER = frozenset({"delivered", "skipped", "resolved", "cancelled"})
_QUOTED = re.compile(r"'[^']*'")
_TOKEN = re.compile(r"[\w.:/+-]*\d[\w.:/+-]*")  # whatever holds a digit may be a number of ours: an account, an id
_NUMBER = re.compile(r"-?\d{1,9}(\.\d{1,9})?")  # but a sum, or a count
_INTERNAL = re.compile(
    r"secret://\S+|\b[a-z][a-z0-9+.-]*://\S+|(?:[\w.~-]*/)+[\w.-]+\.(?:yaml|yml|csv|json|py|db)\b[:\d]*"
)
_PLACE_OF_LINE = re.compile(r"(\w+)\[(\d+)\]")
_SEPARATORS = ("element", "component", "terminator", "repetition")
_JSON = "application/json"


def tell_partners(engine: Engine) -> int:
    """Tell what is known by now of messages whose partners want to hear it; gives how many were told."""
    db, told, seen = engine.store.reader(), 0, set[int]()
    for waiting in advices.due(db, engine.clock.epoch(), _BATCH):
        if waiting.place not in seen:
            group = advices.siblings(db, waiting)
            seen.update(each.place for each in group)
            told += _look_at(engine, group)
    return told


class _Known(msgspec.Struct, frozen=True):
    """What is known of one document of a message: its fate, the verdict about it, and why that is a rejection."""

    waiting: Waiting
    fate: Fate
    verdict: str
    failure: Mapping[str, Any]

    @property
    def is_on_its_way(self) -> bool:
        ended = _OVER | {"dead", "expired"}
        return not self.verdict and any(state not in ended for _, _, state, _ in self.fate.deliveries)

    def is_news(self, verdict: str) -> bool:
        """It has this verdict, which was not told."""
        return self.verdict == verdict and _VERDICTS.index(verdict) > _VERDICTS.index(self.waiting.told)


def _look_at(engine: Engine, group: Sequence[Waiting]) -> bool:
    """Tell of one message, and of all documents that it became, what is to be told by now."""
    db, now = engine.store.reader(), engine.clock.epoch()
    partner = engine.program.settings.partners.get(group[0].partner)
    policy = partner.advises if partner else "never"
    fates = [(each, advices.fate(db, each.message_id)) for each in group]
    known = [_Known(each, fate, *_verdict(engine.program, fate)) for each, fate in fates if fate is not None]
    if partner is None or not known or policy == "never":
        engine.store.write(lambda db: advices.look_again(db, [(each, None) for each in group]))
        return False
    wanted, verdicts = _WANTED[policy], {each.verdict for each in known}
    verdict = "rejected" if "rejected" in verdicts else "accepted" if verdicts == {"accepted"} else ""
    waits = len(known) > 1 and now - group[0].came_at < _GATHER_SECONDS and any(each.is_on_its_way for each in known)
    news = [each for each in known if each.is_news(verdict)] if verdict in wanted and not waits else []
    looks: list[tuple[Waiting, float | None]] = [(each, None) for each, fate in fates if fate is None]
    for each in known:
        is_over = each.verdict == "accepted" or (wanted[-1] in (each.waiting.told, verdict if each in news else ""))
        looks.append((each.waiting, None if is_over else _next_look(each.waiting, now)))
    if not news:
        engine.store.write(lambda db: advices.look_again(db, looks), durable=False)
        return False
    objections = _objections(db, news, len(group) > 1) if verdict == "rejected" else []
    return _tell(engine, partner, [each.waiting for each in news], verdict, objections, looks)


def _objections(db: Database, news: Sequence[_Known], is_parted: bool) -> list[Objection]:
    """Why documents are rejected, the first of very many; where a message became several, with the part it is about."""
    found = []
    for each in news[:_MOST_TOLD]:
        objection = _objection(db, each.waiting, each.fate, each.failure)
        which = each.fate.place.rpartition(", ")[2]
        found.append(replace(objection, text=f"{which}: {objection.text}") if is_parted else objection)
    if more := len(news) - len(found):
        found.append(Objection(found[-1].code, f"{more} more are rejected"))
    return found


def _next_look(waiting: Waiting, now: float) -> float:
    return now + min(max((now - waiting.came_at) / 8, _SOON_SECONDS), _LATE_SECONDS)


def _verdict(program: Program, fate: Fate) -> tuple[str, Mapping[str, Any]]:
    """('rejected', by what), ('accepted', {}), or ('', {}) while nothing is settled, or where it is ours to settle."""
    if fate.state == "dead":
        return ("rejected", fate.failure) if fate.failure.get("class") in _OF_MESSAGES else ("", {})
    for route, target_id, state, failure in fate.deliveries:
        target = program.find(route, target_id)
        if state == "dead" and failure.get("class") in _CODES and (target is None or target.partner is None):
            return "rejected", failure
    states = {state for _, _, state, _ in fate.deliveries}
    is_through = states <= _OVER and (not states or bool(states & {"delivered", "skipped"}))
    return ("accepted", {}) if is_through else ("", {})


def _tell(
    engine: Engine, partner: Partner, news: Sequence[Waiting], verdict: str, objections: Sequence[Objection],
    looks: Sequence[tuple[Waiting, float | None]],
) -> bool:  # fmt: skip
    """The advice, unless it was told meanwhile; ``looks`` say when there may be more to tell."""
    now, first = engine.clock.epoch(), news[0]
    at = datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(partner.time_zone)).strftime("%Y%m%d%H%M")
    number = f"{verdict[0].upper()}{first.place}"
    subject = msgspec.convert([_writable(partner, text) for text in msgspec.structs.astuple(first.subject)], Subject)
    written = [replace(o, text=_writable(partner, o.text), line=_writable(partner, o.line)) for o in objections]
    content = msgspec.json.encode(advice(partner.syntax, subject, written, number, at))
    kind = ADVICES[partner.syntax]
    arrival = arrival_to(
        partner, kind, content, f"message {first.subject.reference}", first.message_id, now, engine.clock.new_id()
    )
    rows = payloads.packed_rows([(arrival.receipt_id, RAW, 1, _JSON, content)], now)

    def job(db: Database) -> list[Accepted]:
        if not advices.tell(db, first, verdict):
            return []
        for each in news[1:]:
            advices.tell(db, each, verdict)
        advices.look_again(db, looks)
        return receipts.accept(db, [arrival], rows, engine.intake.worker)

    accepted: list[Accepted] = engine.store.write(job)
    if accepted:
        engine.intake.received([(arrival, accepted[0])])
    return bool(accepted)


def arrival_to(
    partner: Partner, kind: str, content: bytes, about: str, message_id: str, now: float, new_id: str
) -> Arrival:
    """A document of the hub's own that goes to a partner, caused by a message."""
    return Arrival(
        receipt_id=new_id, source=partner.system, event=kind, raw=content, received_at=now, door="hub",
        content_type=_JSON, name=f"{kind} about {about}", causation_id=message_id,
        route=acknowledgement_route(partner.name),
    )  # fmt: skip


def told_of_refusals(
    parts: Sequence[Transformed], program: Program, now: float, new_id: Callable[[], str]
) -> list[Arrival]:
    """What goes to partners whose interchanges are refused for what only the store, or the hub's secrets, can tell."""
    partners, found = program.settings.partners, list[Arrival]()
    for came, message_id, content in (each for part in parts for each in part.refused):
        if partner := partners.get(came.partner):
            kind = "CONTRL" if partner.syntax == "edifact" else "TA1"
            about = f"interchange {came.number}"
            found.append(arrival_to(partner, kind, content, about, message_id, now, new_id()))
    return found


def _writable(partner: Partner, text: str) -> str:
    """The text with nothing in it that an interchange to the partner cannot carry."""
    text = writable(text, partner.charset)
    if partner.syntax == "x12":
        d = partner.delimiters
        text = text.translate({ord(mark): " " for name in _SEPARATORS for mark in d[name]})
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _objection(db: Database, waiting: Waiting, fate: Fate, failure: Mapping[str, Any]) -> Objection:
    code = str(failure.get("class"))
    if code == "remote_rejected":  # what the application says may hold anything; only that it refuses is told
        return Objection(_CODES[code], f"the application that it was given to refuses it ({failure.get('code')})")
    path = str(failure.get("field_path") or "")
    raw = payloads.read_small(db, [fate.receipt_id], RAW).get(fate.receipt_id, b"")
    line = _line(payloads.read_small(db, [waiting.message_id], CANONICAL).get(waiting.message_id, b""), path)
    return Objection(_CODES[code], _without_ours(failure, raw, path), line)


def _without_ours(failure: Mapping[str, Any], raw: bytes, path: str) -> str:
    """What was found, without what the message itself did not hold: values of ours, files, addresses."""

    def is_theirs(value: str) -> bool:
        return value in path or any(value.encode(charset, "replace") in raw for charset in ("utf-8", "latin-1"))

    def shown(found: re.Match[str]) -> str:
        return found[0] if is_theirs(found[0].strip("'")) or _NUMBER.fullmatch(found[0]) else "..."

    text = _INTERNAL.sub("...", str(failure.get("detail") or ""))
    seen = str(failure.get("value_excerpt") or "")
    if seen and not is_theirs(seen):
        text = text.replace(seen, "...")
    return _TOKEN.sub(shown, _QUOTED.sub(shown, text))


def _line(canonical: bytes, path: str) -> str:
    """The document's own number of the line that a path leads into, where the document got that far."""
    found = _PLACE_OF_LINE.match(path)
    if not found or not canonical:
        return ""
    try:
        line = msgspec.json.decode(canonical)[found[1]][int(found[2])]
    except (msgspec.DecodeError, KeyError, IndexError, TypeError):
        return ""
    number = line.get("line_id") if isinstance(line, dict) else None
    return number if isinstance(number, str) else ""
