"""A part of a trace as JSON, bounded: so many fields, so many bytes; without personal data for who may not see it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from hub.backtest.samples import Mask, cause_of, mask_of
from hub.backtest.versions import Unknown
from hub.formats import RecordFault
from hub.mapping import TraceEntry
from hub.redaction import blank
from hub.schemas import SchemaSet
from hub.tracing.fields import Origins, entry_fields, is_part, placed_fields, steps_of
from hub.tracing.stored import Again, Run
from hub.tracing.words import Ask

_MOST_FINDINGS = 100
MOST_ORIGINS = 20  # canonical fields that are told of one field of a target
_BYTES = 1_000_000  # of a page, before its last field
_LONGEST, _LONGEST_ORIGIN = 2000, 200  # characters of a value
_encode = msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode
_Tell = Callable[[TraceEntry], dict[str, Any]]


def page_of(again: Again, ask: Ask) -> bytes:
    """The page that is asked for. Raises Unknown where that cannot be traced any more."""
    schemas = None if ask.masked_by is None else again.schemas(ask.masked_by)
    if not ask.delivery_id:
        run = again.canonical()
        return _page(ask, run, _head(again, run, ask), _placed(run, schemas, _LONGEST))
    back, document = _way_back(again)
    line, run = again.sent(document)
    head = {
        "delivery_id": line["delivery_id"],
        "target": line["target"],
        **_head(again, run, ask),
        "reaches": "canonical",
    }
    if back is not None:
        head |= {"reaches": "raw", "positions": back.places is not None}
        head |= {"reproduced": False} if back.reproduced is False else {}
    if back is not None and not run.mapping:
        # What is sent is the canonical document: its fields are the target's own.
        return _page(ask, replace(run, entries=back.entries), head, _placed(back, schemas, _LONGEST))
    return _page(ask, run, head, _traced_back(run, back, schemas))


def _way_back(again: Again) -> tuple[Run | None, Any]:
    """The run that leads to the raw bytes, None where there is no such way any more; and the canonical document."""
    stored = again.stored()
    try:
        back = again.canonical()
    except Unknown:
        if stored is None:
            raise
        return None, stored
    if back.failure is None:
        return back, back.document
    if stored is None:
        raise Unknown("not_reproduced")
    return None, stored


def _head(again: Again, run: Run, ask: Ask) -> dict[str, Any]:
    return {
        "message_id": again.own["message_id"], "route": again.own["route"], "mapping": run.mapping or None,
        "schema": run.schema or None, "set_id": run.set_id, "reaches": "raw", "positions": run.places is not None,
        "reproduced": run.reproduced,
        "findings": [_finding(fault, is_masked=ask.masked_by is not None) for fault in run.findings[:_MOST_FINDINGS]],
    }  # fmt: skip


def _finding(fault: RecordFault, *, is_masked: bool) -> dict[str, Any]:
    """What was tolerated; its words may hold data of the message."""
    return {"position": fault.position, "code": fault.full_code, "detail": None if is_masked else fault.message}


def _page(ask: Ask, run: Run, head: dict[str, Any], tell: _Tell) -> bytes:
    wanted = run.entries
    if ask.field:
        wanted = [entry for entry in run.entries if is_part(entry.path, ask.field)]
    fields, size, after = list[msgspec.Raw](), 0, ask.first
    for entry in wanted[ask.first : ask.first + ask.limit]:
        if size >= _BYTES:
            break
        written = _encode(tell(entry))
        size += len(written)
        after += 1
        fields.append(msgspec.Raw(written))
    error = None
    if run.failure is not None:
        cause = cause_of(run.failure.as_dict(), "")
        error = cause.failure if ask.masked_by is None else cause.masked
    return _encode(
        {**head, "masked": ask.masked_by is not None, "error": error, "total": len(wanted), "fields": fields,
         "next_cursor": str(after) if after < len(wanted) else None}
    )  # fmt: skip


def _placed(run: Run, schemas: SchemaSet | None, longest: int) -> _Tell:
    """Tells of fields that were made of the raw document."""
    mask, places = _mask(run, schemas), run.places or (lambda steps: None)
    return lambda entry: _shown(placed_fields(entry, places), mask, longest)


def _traced_back(run: Run, back: Run | None, schemas: SchemaSet | None) -> _Tell:
    """Tells of fields that were made of the canonical document, each with the fields there that it was made of."""
    mask, entries = _mask(run, schemas), back.entries if back is not None else ()
    origins = Origins(entries)
    tell_origin = _placed(back or run, schemas, _LONGEST_ORIGIN)

    def tell(entry: TraceEntry) -> dict[str, Any]:
        made_of: Sequence[TraceEntry] = origins.of(entry)
        return {
            **_shown(entry_fields(entry), mask, _LONGEST),
            "from": [tell_origin(each) for each in made_of[:MOST_ORIGINS]], "from_total": len(made_of),
        }  # fmt: skip

    return tell


def _mask(run: Run, schemas: SchemaSet | None) -> Mask:
    if schemas is None:
        return lambda value, steps: value
    mask = mask_of(schemas, run.schema)
    # No schema says what is personal below a name of let: all may be.
    return lambda value, steps: blank(value) if any(map(_is_let, steps)) else mask(value, steps)


def _is_let(step: str | None) -> bool:
    return step is not None and step.startswith("let ")


def _shown(fields: dict[str, Any], mask: Mask, longest: int) -> dict[str, Any]:
    """With a value that is the beginning of its JSON where it is long."""
    value = mask(fields["value"], steps_of(fields["path"]))
    written = _encode(value)
    is_cut = len(written) > longest
    return {**fields, "value": written[:longest].decode(errors="ignore") if is_cut else value, "is_cut": is_cut}
