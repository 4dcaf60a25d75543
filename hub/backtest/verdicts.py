"""What came out then beside what comes out now: equal, changed, newly failing, newly fixed or still failing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from hub.backtest.differences import ADDED, CHANGED, REMOVED, Difference, differences
from hub.backtest.request import MAPPING
from hub.backtest.rerun import Made
from hub.backtest.versions import Unknown
from hub.errors import DecodeError, UsageError
from hub.formats import BadRecord, codec
from hub.formats._edi_marks import KINDS, filled
from hub.grammars import ENVELOPE
from hub.message import Body
from hub.outcome import Failure
from hub.pipeline.program import CompiledTarget
from hub.store.recorded import Kept

EQUAL, DIFFERENT, FAILING, FIXED, STILL = "equal", "changed", "newly_failing", "newly_fixed", "still_failing"
STATE, RECORD, BYTES, CONTENT_TYPE = "(state)", "(record)", "(bytes)", "(content type)"
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


class Verdict(msgspec.Struct, frozen=True):
    """``failure`` is that of now, or for what is fixed that of then; ``was`` that of then where it still fails."""

    kind: str
    differences: Sequence[Difference] = ()
    failure: Mapping[str, Any] | None = None
    was: Mapping[str, Any] | None = None

    @property
    def is_news(self) -> bool:
        """Whether the edit has done something, if what was stored can be had again without it."""
        return self.kind not in (EQUAL, STILL)


def of_failures(then: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> Verdict | None:
    """The verdict where either has failed; None where both have come through."""
    if then and now:
        return Verdict(STILL, failure=now, was=then)
    if now:
        return Verdict(FAILING, failure=now)
    return Verdict(FIXED, failure=then) if then else None


def of_messages(then: Made, now: Made, kind: str, targets: frozenset[str]) -> Verdict:
    """For a mapping by state and canonical document, for a route by state and by which of ``targets`` get it. Raises
    Unknown where the document of then is not stored any more."""
    failed = of_failures(then.failure, now.failure)
    if failed is not None:
        return failed
    found = [Difference((), CHANGED, then.state, now.state, STATE)] if then.state != now.state else []
    if kind == MAPPING:
        found += _of_documents(then.canonical, now.canonical)
    else:
        found += [
            Difference((), REMOVED, then.state, None, f"({id})")
            for id in sorted((then.targets - now.targets) & targets)
        ]
        found += [
            Difference((), ADDED, None, now.state, f"({id})") for id in sorted((now.targets - then.targets) & targets)
        ]
    return Verdict(DIFFERENT, found) if found else Verdict(EQUAL)


def _of_documents(then: bytes | None, now: bytes | None) -> Iterator[Difference]:
    if then is None or now is None:
        raise Unknown("canonical_pruned")
    if then != now:
        yield from differences(_decode(then), _decode(now))


def of_bodies(then: Kept, now: Body | Failure, was: Mapping[str, Any] | None, target: CompiledTarget) -> Verdict:
    """For a delivery, by its bytes: field by field where the target's format can be read."""
    failed = of_failures(was, now.as_dict() if isinstance(now, Failure) else None)
    if failed is not None:
        return failed
    assert isinstance(now, Body) and then.content is not None, "neither has failed"
    if (then.content, then.content_type) == (now.content, now.content_type):
        return Verdict(EQUAL)
    found = []
    if then.content_type != now.content_type:
        found.append(Difference((), CHANGED, then.content_type, now.content_type, CONTENT_TYPE))
    if target.partner is not None:
        found += _of_interchanges(then.content, now.content, target)
    elif then.content != now.content:
        found += _of_bytes(then.content, now.content, target)
    return Verdict(DIFFERENT, found) if found else Verdict(EQUAL)


def _of_bytes(then: bytes, now: bytes, target: CompiledTarget) -> Sequence[Difference]:
    documents = _read(then, target), _read(now, target)
    if None not in documents:
        found = list(differences(*documents))
        if found:
            return found
    return [Difference((), CHANGED, then.decode(errors="replace"), now.decode(errors="replace"), BYTES)]


def _of_interchanges(then: bytes, now: bytes, target: CompiledTarget) -> Sequence[Difference]:
    """What differs in the messages; numbers and times around them are given when an interchange goes out."""
    numbered = filled(now, dict.fromkeys(KINDS, 0), datetime(2000, 1, 1, tzinfo=UTC))
    return list(differences(*(_inner(content, target) for content in (then, numbered))))


def _inner(content: bytes, target: CompiledTarget) -> Any:
    """The messages of an interchange by the names of their grammar, else their segments; without what is around."""
    assert target.partner is not None, "it is a partner that is written to"
    named = _read(content, target)
    if isinstance(named, dict) and "segments" not in named:
        return {name: value for name, value in named.items() if name not in ENVELOPE}
    plain = codec(target.partner.syntax)
    records = [each for each in plain.decode((content,), {"faulty": "pass"}) if not isinstance(each, BadRecord)]
    return [{"type": r.value["type"], "segments": r.value["segments"][1:-1]} for r in records]


def _read(content: bytes, target: CompiledTarget) -> Any:
    """The document of bytes, or the list of several; None where they cannot be read."""
    try:
        records = list(target.codec.decode((content,), target.codec_options))
    except (DecodeError, UsageError):
        return None
    if any(isinstance(record, BadRecord) for record in records):
        return None
    values = [record.value for record in records if not isinstance(record, BadRecord)]
    return values[0] if len(values) == 1 else values
