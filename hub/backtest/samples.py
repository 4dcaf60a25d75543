"""Values and failures as a report shows them: short, and beside that without personal data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from hub.backtest.differences import ADDED, REMOVED, Difference
from hub.backtest.tally import Cause, Sample
from hub.backtest.verdicts import BYTES
from hub.redaction import Place, blank, redact_at, without_excerpts
from hub.schemas import SchemaSet

_LONGEST = 200
_encode = msgspec.json.Encoder(decimal_format="number").encode
Mask = Callable[[Any, Sequence[str | None]], Any]


def mask_of(schemas: SchemaSet, name: str) -> Mask:
    """Takes personal data out of what stands at a place of a document of that schema. Only canonical documents tell
    where personal data is, as they do to who reads payloads; of others, all may be."""
    if not name.startswith("canonical/") or not schemas.has(name):
        return lambda value, steps: blank(value)
    root = schemas.personal(name)

    def mask(value: Any, steps: Sequence[str | None]) -> Any:
        place: Place | None = root
        for step in steps:
            if place is None or place.is_personal():
                break
            place = place.element() if step is None else place.child(step)
        return redact_at(value, place)

    return mask


def sample_of(message_id: str, found: Difference, mask: Mask) -> Sample:
    """``mask`` is not asked about states and the like, which are the hub's own."""
    is_open = bool(found.name) and found.name != BYTES
    before, after = None, None
    masked_before, masked_after = None, None
    if found.kind != ADDED:
        before = _text(found.before)
        masked_before = before if is_open else _text(mask(found.before, found.steps))
    if found.kind != REMOVED:
        after = _text(found.after)
        masked_after = after if is_open else _text(mask(found.after, found.steps))
    return Sample(message_id, before, after, masked_before, masked_after)


def _text(value: Any) -> str:
    """JSON, cut where it is long."""
    text = _encode(value).decode()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def cause_of(failure: Mapping[str, Any], message_id: str) -> Cause:
    """A failure of one message, with its values and without."""
    said = {name: value for name, value in failure.items() if name not in ("fingerprint", "status", "retryable")}
    shown = {name: value for name, value in said.items() if name != "quoted"}
    return Cause(1, shown, without_excerpts(said), [message_id])
