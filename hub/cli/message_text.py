"""One message as lines of text: what it is, where it went, what happened at every attempt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hub.cli.terminal import plain
from hub.states import standing

_FIELDS = (
    "source", "event", "door", "name", "route", "type", "received_at", "place", "replay_of", "resolved_by", "trace_id",
)  # fmt: skip
_WAITING = ("queued", "retrying", "unknown")
_ERROR = ("field_path", "position", "value_excerpt", "expected", "hint")


def waits(found: Mapping[str, Any]) -> bool:
    """Whether a delivery of a message waits to be sent, so that what is switched off may keep it."""
    return any(delivery["state"] in _WAITING for delivery in found["deliveries"])


def message_lines(found: Mapping[str, Any], off: Mapping[tuple[str, str], str] = {}) -> Iterator[str]:
    """Everything a person needs of a message, each line plain; no payload. ``off`` is what is switched off."""
    return map(plain, _lines(found, off))


def _lines(found: Mapping[str, Any], off: Mapping[tuple[str, str], str]) -> Iterator[str]:
    yield f"{found['message_id']}  {standing(found['state'], found.get('resolved_by'), found.get('replay_state'))}"
    for name in _FIELDS:
        if found.get(name):
            yield _line(name, found[name])
    for key in found["keys"]:
        yield _line("key", key)
    yield from _error_lines(found.get("error"), "  ")
    for finding in found.get("findings", ()):
        yield _finding_line(finding)
    for delivery in found["deliveries"]:
        yield from _delivery_lines(delivery, found["attempts"], off)
        yield from _effect_lines(delivery, found.get("effects", ()))
    for part in found["messages"]:
        yield _line("message", f"{part['message_id']}  {part['state']}  {part['place'] or ''}".rstrip())
    for replay in found["replays"]:
        yield _line("replayed by", replay)
    stages = dict.fromkeys(stage["stage"] for stage in found["payloads"])
    yield _line("payloads", ", ".join(stages) or "none is kept any more")
    replay = found["replay"]
    yield _line("replayable", "yes" if replay["replayable"] else f"no: {replay.get('detail') or replay['reason']}")


def _finding_line(finding: Mapping[str, Any]) -> str:
    settled = finding.get("settled_at")
    by = finding.get("settled_by") or "it has come right"
    end = "" if finding["code"] == "repeat" else f" ({by} {settled})" if settled else " (open)"
    return _line("finding", f"{finding['code']}{end}: {finding['detail']}")


def _line(name: str, value: Any) -> str:
    return f"  {name.replace('_', ' '):12} {value}"


def _delivery_lines(
    delivery: Mapping[str, Any], attempts: Sequence[Mapping[str, Any]], off: Mapping[tuple[str, str], str]
) -> Iterator[str]:
    batch = delivery.get("batch") or {}
    due = f", next try {delivery['next_try_at']}" if delivery.get("next_try_at") else ""
    due = f", collected at {batch['due_at']}" if batch.get("due_at") else due
    if delivery["state"] in _WAITING:
        kept = [off[key] for key in (("route", delivery["route"]), ("system", delivery["system"])) if key in off]
        due = f", waits: {', and '.join(kept)}" if kept else due
        due += f", expires {delivery['expires_at']}" if delivery.get("expires_at") else ""
    held = f", {delivery['hold_reason']}" if delivery.get("hold_reason") else ""
    again = f", replay of {delivery['replay_of']}" if delivery.get("replay_of") else ""
    yield f"  to {delivery['target']}: {delivery['state']}{held}{due}{again}  ({delivery['delivery_id']})"
    if batch.get("batch_id"):
        together = f"batch of {batch.get('members')}, collected {batch.get('collected_at')}"
        yield f"    in a {together}  ({batch['batch_id']})"
    for attempt in attempts:
        if attempt["delivery_id"] == delivery["delivery_id"]:
            yield _attempt_line(attempt)
    yield from _error_lines(delivery.get("error"), "    ")


def _attempt_line(attempt: Mapping[str, Any]) -> str:
    said = [str(attempt["status"] or ""), attempt["code"], attempt["detail"]]
    answer = " ".join(part for part in said if part)
    return f"    {attempt['started_at']}  try {attempt['number']}: {attempt['outcome']} {answer}".rstrip()


def _effect_lines(delivery: Mapping[str, Any], effects: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What is known of its effect, where that is not plain: it is in doubt, was looked up, or has a name over there."""
    for effect in effects:
        is_plain = effect["state"] != "unknown" and not effect["look_ups"] and not effect.get("reference")
        if effect["delivery_id"] != delivery["delivery_id"] or is_plain:
            continue
        said = {"True": "found", "False": "not there"}.get(str(effect.get("found")), "could not tell")
        looked = f", looked up {effect['looked_up_at']}: {said}" if effect["look_ups"] else ""
        again = f", looked up next {effect['next_look_up_at']}" if effect.get("next_look_up_at") else ""
        named = f", reference {effect['reference']}" if effect.get("reference") else ""
        sent = f", last sent {effect['last_sent_at']}" if effect.get("last_sent_at") else ""
        state = effect["state"].replace("_", " ")
        yield f"    effect {state}: key {effect['key']}{named}{sent}{looked}{again}"


def _error_lines(error: Mapping[str, Any] | None, indent: str) -> Iterator[str]:
    if not error:
        return
    place = f"{error['file']}:{error.get('line') or 0}:{error.get('column') or 0}: " if error.get("file") else ""
    yield f"{indent}{error.get('class')}/{error.get('code')}: {place}{error.get('detail') or ''}"
    for name in _ERROR:
        if error.get(name):
            yield f"{indent}  {name.replace('_', ' '):13} {error[name]}"
