"""Rows of the store as what the admin API gives: times as text, errors without personal data for who may not see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from hub.api import bodies
from hub.api.batch_body import Batch
from hub.clock import iso
from hub.redaction import redact_key, redact_text, without_excerpts
from hub.schemas import SchemaSet
from hub.store import replay_outcomes, search
from hub.store.database import Database
from hub.store.dead_letters import DeadLetter, Issue
from hub.store.effects import Effect
from hub.store.findings import Found
from hub.store.search import Found as FoundMessage


def iso_or_none(epoch: float | None) -> str | None:
    return None if epoch is None else iso(epoch)


def effects(found: Sequence[Effect], sees_personal_data: bool) -> list[bodies.Effect]:
    """The effect ledger of a message; deliveries that were never sent nor looked up are not in it."""
    return [
        bodies.Effect(
            delivery_id=e.delivery_id, target=e.target, system=e.system, key=e.key, state=e.state,  # type: ignore[arg-type]
            reference=e.reference or None, first_sent_at=iso_or_none(e.first_sent_at),
            last_sent_at=iso_or_none(e.last_sent_at), times_sent=e.times_sent,
            answered=(e.answered if sees_personal_data else redact_text(e.answered)) or None,
            looked_up_at=iso_or_none(e.looked_up_at), look_ups=e.look_ups, found=e.found,
            next_look_up_at=iso_or_none(e.next_look_up_at),
        )
        for e in found
        if e.times_sent or e.look_ups
    ]  # fmt: skip


def failure(fields: Mapping[str, Any] | str | None, sees_personal_data: bool) -> bodies.Failure | None:
    """A failure as it may be shown: a viewer sees no value of a document."""
    stored = msgspec.json.decode(fields) if isinstance(fields, str) else fields
    if not stored:
        return None
    shown = dict(stored) if sees_personal_data else without_excerpts(stored)
    shown.pop("quoted", None)  # stands in the detail
    return bodies.Failure.model_validate(shown)


def finding(found: Found, sees_personal_data: bool) -> bodies.MessageFinding:
    return bodies.MessageFinding(
        message_id=found.message_id, source=found.source, code=found.code,
        detail=found.detail if sees_personal_data else redact_text(found.detail), found_at=iso(found.found_at),
        settled_at=iso_or_none(found.settled_at), settled_by=found.settled_by or None,
    )  # fmt: skip


def delivery(line: Mapping[str, Any], sees_personal_data: bool) -> bodies.DeliveryLine:
    return bodies.DeliveryLine(
        delivery_id=line["delivery_id"], message_id=line["message_id"], route=line["route"], target=line["target"],
        system=line["system"], state=line["state"], attempts=line["attempts"], revision=line["revision"],
        next_try_at=iso_or_none(line["due_at"]), expires_at=iso_or_none(line["expires_at"]),
        updated_at=iso(line["updated_at"]),
        hold_reason=line["hold_reason"] or None, replay_of=line["replay_of"] or None,
        replay_depth=line["replay_depth"], set_id=line["set_id"], batch=batch(line),
        error=failure(line["failure"], sees_personal_data),
    )  # fmt: skip


def batch(line: Mapping[str, Any]) -> Batch | None:
    """Of a delivery that is collected: when, and with how many others; None for one that goes alone."""
    if line["batch_id"] is None:
        return None
    if not line["batch_id"]:
        return Batch(due_at=iso_or_none(line["due_at"]))
    return Batch(batch_id=line["batch_id"], collected_at=iso_or_none(line["collected_at"]), members=line["members"])


def key_text(text: str, schemas: SchemaSet, sees_personal_data: bool) -> str:
    """A key as it may be shown: a viewer sees none of an account."""
    return text if sees_personal_data else redact_key(text, schemas.personal_keys)


def messages(
    db: Database, found: Sequence[FoundMessage], schemas: SchemaSet, sees_personal_data: bool
) -> list[bodies.MessageLine]:
    """Lines of a list, each with its deliveries and with what came of its replay."""
    lines: dict[str, list[dict[str, Any]]] = {}
    for line in search.deliveries_of(db, [each.message_id for each in found]):
        lines.setdefault(line["message_id"], []).append(line)
    replayed = replay_outcomes.outcomes(db, [each.message_id for each in found if each.resolved_by])
    return [
        _message(each, lines.get(each.message_id, []), replayed.get(each.message_id), schemas, sees_personal_data)
        for each in found
    ]


def _message(
    found: FoundMessage, lines: list[dict[str, Any]], replay_state: str | None, schemas: SchemaSet,
    sees_personal_data: bool,
) -> bodies.MessageLine:  # fmt: skip
    return bodies.MessageLine(
        message_id=found.message_id, receipt_id=found.receipt_id, state=found.state, source=found.source,
        event=found.event, route=found.route, type=found.type,
        main_key=key_text(found.main_key, schemas, sees_personal_data),
        received_at=iso(found.received_at), place=found.place or None, resolved_by=found.resolved_by,
        replay_state=replay_state, replay_of=found.replay_of or None, issue=found.fingerprint or None,
        error=failure(found.failure, sees_personal_data),
        deliveries=[delivery(line, sees_personal_data) for line in lines],
    )  # fmt: skip


def attempt(row: Mapping[str, Any], target: str, sees_personal_data: bool) -> bodies.Attempt:
    return bodies.Attempt(
        delivery_id=row["delivery_id"], target=target, number=row["number"], started_at=iso(row["started_at"]),
        ended_at=iso(row["ended_at"]), seconds=round(row["ended_at"] - row["started_at"], 3), worker=row["worker"],
        set_id=row["set_id"], revision=row["revision"], outcome=row["outcome"], status=row["status"],
        code=row["code"], detail=row["detail"] if sees_personal_data else redact_text(row["detail"]),
    )  # fmt: skip


def dead_letter(letter: DeadLetter, schemas: SchemaSet, sees_personal_data: bool) -> bodies.DeadLetterLine:
    return bodies.DeadLetterLine(
        kind=letter.kind, id=letter.id, message_id=letter.message_id, state=letter.state, route=letter.route,  # type: ignore[arg-type]
        source=letter.source, target=letter.target or None, system=letter.system or None,
        main_key=key_text(letter.main_key, schemas, sees_personal_data) or None,
        received_at=iso(letter.received_at), since=iso(letter.since),
        issue=letter.issue, error=failure(letter.failure, sees_personal_data) or bodies.Failure(),
    )  # fmt: skip


def issue(found: Issue, sees_personal_data: bool) -> bodies.IssueLine:
    return bodies.IssueLine(
        issue=found.issue, count=found.count, first_seen=iso(found.first_seen), last_seen=iso(found.last_seen),
        kinds=found.kinds, states=found.states, route=found.route or None, source=found.source or None,
        system=found.system or None, examples=list(found.examples),
        error=failure(found.failure, sees_personal_data) or bodies.Failure(),
        replay=_replay(found), release={"reason": found.release} if found.release else None, command=found.command,
    )  # fmt: skip


def _replay(found: Issue) -> dict[str, Any] | None:
    if found.release:
        return None
    select = {"ids": list(found.instead)} if found.instead else {"filter": {"issue": found.issue}}
    again = {"delivered": "send", "reason": found.delivered} if found.delivered else {}
    again |= {"superseded": "send"} if found.is_superseded else {}
    return {"select": select, **again, "dry_run": True}
