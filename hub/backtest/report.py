"""A tally as a report: the same for the same tally, to the byte; times in it come from the store alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import hub
from hub.backtest.request import Request, Subject
from hub.backtest.tally import COMPARED, Cause, Change, Key, Sample, Tally
from hub.clock import iso

REASONS = {
    "raw_pruned": "its raw bytes are no longer stored (retention or a quota)",
    "canonical_pruned": "its canonical document is no longer stored (retention or a quota)",
    "body_pruned": "what was sent is no longer stored (retention or a quota)",
    "not_built": "it has not been sent yet",
    "collected": "it goes with others in one file or interchange; o2c test and o2c map show what an edit makes of it",
    "files_unknown": "the set of files that it was made with is not in this store",
    "files_unreadable": "the files that it was made with cannot be read, or have no such route any more",
    "lookup_not_recorded": "it asks for a cross-reference that was not asked for then and has changed since",
    "not_reproduced": "the files of then give something else here than what is stored: another environment?",
    "hub_version": "the files of then give something else with this version of the hub",
}


def report(request: Request, subject: Subject, tally: Tally, masked: bool) -> dict[str, Any]:
    """What a back-test has found. ``masked``: samples are shown without personal data."""
    compared = {name: tally.counts.get(name, 0) for name in COMPARED}
    return {
        "subject": {"kind": subject.kind, "name": subject.name, "file": subject.file},
        "hub_version": hub.__version__,
        "candidates": [
            {"file": path, "sha256": sha256(request.files[path]).hexdigest()} for path in sorted(request.edited)
        ],
        "window": {
            "since": iso(request.since), "until": iso(request.until), "limit": request.limit,
            "system": request.system or None,
        },
        "lookups": request.lookups,
        "masked": masked,
        "messages": tally.messages,
        "compared": sum(compared.values()),
        "counts": {**compared, "not_comparable": sum(tally.incomparable.values())},
        "made_by": dict(sorted(tally.hub_versions.items())),
        "changes": [_change(key, change, masked) for key, change in _sorted(tally.changes)],
        "newly_failing": _causes(tally, "newly_failing", masked),
        "newly_fixed": _causes(tally, "newly_fixed", masked),
        "failing_otherwise": _causes(tally, "still_failing", masked),
        "not_comparable": [_reason(reason, count) for reason, count in sorted(tally.incomparable.items())],
    }  # fmt: skip


def _sorted(found: Mapping[Key, Any]) -> Sequence[tuple[Key, Any]]:
    return sorted(found.items(), key=lambda item: (-item[1].count, item[0]))


def _change(key: Key, change: Change, masked: bool) -> dict[str, Any]:
    part, path, kind = key
    samples = [_sample(sample, masked) for sample in change.samples]
    return {"part": part, "path": path, "kind": kind, "count": change.count, "samples": samples}


def _sample(sample: Sample, masked: bool) -> dict[str, Any]:
    before, after = (sample.masked_before, sample.masked_after) if masked else (sample.before, sample.after)
    return {"message_id": sample.message_id, "before": before, "after": after}


def _causes(tally: Tally, verdict: str, masked: bool) -> list[dict[str, Any]]:
    found: Mapping[Key, Cause] = {key: cause for key, cause in tally.causes.items() if key[0] == verdict}
    return [
        {
            "part": part, "count": cause.count, "message_ids": cause.message_ids,
            "error": dict(sorted((cause.masked if masked else cause.failure).items())),
        }
        for (_, part, _), cause in _sorted(found)
    ]  # fmt: skip


def _reason(reason: str, count: int) -> dict[str, Any]:
    kind, _, named = reason.partition(":")
    detail = f"{REASONS[kind]}: made by {named}, this is {hub.__version__}" if named else REASONS[kind]
    return {"reason": kind, "count": count, "detail": detail, **({"made_by": named} if named else {})}
