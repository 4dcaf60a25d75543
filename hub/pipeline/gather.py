"""The bytes of deliveries that were not made with their messages: of each alone, or of several as one. No I/O: the
documents are given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from hub.errors import MessageError
from hub.message import Body, Delivery
from hub.outcome import Failure, failure_of
from hub.pipeline import World
from hub.pipeline.encode import encode_groups, encode_together, mapped, read_canonical, step_of
from hub.pipeline.map import written_down
from hub.pipeline.program import CompiledTarget, Program

_MOST_BYTES = 64_000_000  # of canonical documents in one batch: they and what becomes of them are in memory at a time

Source = Callable[[Delivery], tuple[bytes | None, Mapping[str, Any]]]  # the canonical document and its envelope


class Built(msgspec.Struct, frozen=True, array_like=True):
    """The bytes of a delivery that was not built with its message, or why there are none."""

    delivery_id: str
    body: Body | None = None
    failure: Failure | None = None
    lookups: bytes = b""  # what was read of the cross-references before it failed


class Batch(msgspec.Struct, frozen=True, array_like=True):
    """So many deliveries, one after the other, in one body. ``lookups`` are what was looked up for each, by id."""

    body: Body
    count: int
    lookups: Sequence[tuple[str, bytes]] = ()


class Gathered(msgspec.Struct, frozen=True, array_like=True):
    """Deliveries that wait to be collected, put together, from the first on. Where some could not be made, these alone
    are told and there is no batch."""

    batches: Sequence[Batch] = ()
    failed: Sequence[Built] = ()


def gathered(
    found: Sequence[Delivery], program: Program, world: World, source: Source, progress: Callable[[], None]
) -> Gathered:  # fmt: skip
    """These deliveries of one target, as many in each batch as go together. The last of several batches is left out:
    more may go with it. ``progress`` is called for each delivery and batch."""
    target = program.find(found[0].route, found[0].target)
    documents: list[Any] = []
    failed: list[Built] = []
    lookups: dict[str, bytes] = {}
    size = 0
    for number, delivery in enumerate(found):
        progress()
        raw, envelope = source(delivery)
        size += len(raw or b"")
        if size > _MOST_BYTES and number:
            found = found[:number]
            break
        if target is None or raw is None:
            failed.append(Built(delivery.delivery_id, failure=missing(delivery, target is None)))
            continue
        seen: list[Any] = []
        try:
            company = program.settings.company
            documents.append(mapped(target, read_canonical(raw), company, envelope, world.xref, seen))
        except MessageError as error:
            failed.append(_failed(delivery, error, seen))
        if seen:
            lookups[delivery.delivery_id] = written_down(seen)
    if failed or target is None:
        return Gathered(failed=failed)
    return _encoded(found, target, documents, lookups, progress)


def _encoded(
    found: Sequence[Delivery], target: CompiledTarget, documents: Sequence[Any], lookups: Mapping[str, bytes],
    progress: Callable[[], None],
) -> Gathered:  # fmt: skip
    try:
        return Gathered([_batch(found, encode_together(target, documents), 0, len(documents), lookups)])
    except MessageError:
        alone = [_alone(delivery, target, document) for delivery, document in zip(found, documents, strict=True)]
    if failed := [each for each in alone if each is not None]:
        return Gathered(failed=failed)
    batches: list[Batch] = []
    start = 0
    for body, count in encode_groups(target, documents):
        progress()
        batches.append(_batch(found, body, start, count, lookups))
        start += count
    return Gathered(batches)


def _batch(found: Sequence[Delivery], body: Body, start: int, count: int, lookups: Mapping[str, bytes]) -> Batch:
    ids = [delivery.delivery_id for delivery in found[start : start + count]]
    return Batch(body, count, [(id, lookups[id]) for id in ids if id in lookups])


def _alone(delivery: Delivery, target: CompiledTarget, document: Any) -> Built | None:
    """Why a document cannot be written even by itself; None where it can."""
    try:
        encode_together(target, [document])
    except MessageError as error:
        return _failed(delivery, error, [])
    return None


def _failed(delivery: Delivery, error: MessageError, seen: Sequence[Any]) -> Built:
    failure = failure_of(error, step_of(error)).printed(delivery.route)
    return Built(delivery.delivery_id, failure=failure, lookups=written_down(seen) if seen else b"")


def missing(delivery: Delivery, no_target: bool) -> Failure:
    """Why a delivery cannot be built: the active set has no such target, or its document is gone."""
    if no_target:
        detail = f"the active set has no target '{delivery.target}' in the route '{delivery.route}'"
        hint = "deploy a set that has it and replay, or cancel this delivery"
        return Failure("no_route", "no_target", detail, step="route", hint=hint).printed(delivery.route)
    detail = "the canonical document was pruned before this delivery was built"
    return Failure("expired", "payload_pruned", detail, step="encode").printed(delivery.route)
