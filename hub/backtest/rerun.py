"""Running what was stored once more: nothing is sent, nothing is written, look-ups are answered as they were."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

import msgspec

from hub.backtest.request import RECORDED
from hub.backtest.versions import Unknown, Version
from hub.clock import iso
from hub.errors import MessageError
from hub.message import CANONICAL, Body, Message, Receipt
from hub.outcome import Failure, failure_of
from hub.pipeline import World, transform, transform_record
from hub.pipeline.decode import Decoded
from hub.pipeline.encode import encode, read_canonical, step_of
from hub.pipeline.map import Xref
from hub.pipeline.program import CompiledRoute, CompiledTarget, Program
from hub.pipeline.transformed import Transformed
from hub.store import receipts, recorded
from hub.store.database import Database
from hub.store.recorded import Kept, WasMade, WasSent


class Made(msgspec.Struct, frozen=True):
    """What a message became: its state, its canonical document, its targets, or why it died."""

    state: str
    canonical: bytes | None = None
    targets: frozenset[str] = frozenset()
    failure: Mapping[str, Any] | None = None


class Look:
    """Answers look-ups in the cross-references as they were answered when something was made. What was not asked then
    is answered as the store knows it, if that has not changed since; else raises Unknown."""

    def __init__(self, db: Callable[[], Database], kept: Kept, at: float, lookups: str) -> None:
        self._db, self._at, self._lookups = db, kept.at or at, lookups
        self._known = {tuple(asked): value for kind, asked, value in kept.lookups if kind == "xref"}

    def __call__(self, system: str, kind: str, id: str) -> str | None:
        asked = (system, kind, id)
        if self._lookups == RECORDED and asked in self._known:
            known: str | None = self._known[asked]
            return known
        found = recorded.xref_at(self._db(), system, kind, id)
        if found is None:
            return None
        if self._lookups == RECORDED and found[1] > self._at:
            raise Unknown("lookup_not_recorded")
        return found[0]

    def stored(self, receipt_id: str) -> bytes | None:
        """The bytes of a receipt, which do not change."""
        return receipts.raw_of(self._db(), receipt_id)


def message_again(
    receipt: Receipt, compiled: CompiledRoute, decoded: Decoded, version: Version, was: WasMade | None, xref: Xref
) -> Made:
    """What a record becomes by a route of the version. Raises Unknown where a look-up cannot be answered."""
    result = Transformed(receipt.seq, compiled.route.name)
    bare = version.bare.routes[compiled.route.name]
    world = _world(receipt, xref, {was.position: was.message_id} if was else {})
    transform_record(result, receipt, bare, decoded, version.bare, world)
    return _made(result)


def answer_again(receipt: Receipt, version: Version, xref: Xref) -> Made:
    """What a target's answer becomes."""
    [result] = transform(receipt, version.bare, _world(receipt, xref, {}))
    if result.failure is not None:
        return Made("dead", failure=result.failure.as_dict())
    return _made(result)


def _world(receipt: Receipt, xref: Xref, ids: Mapping[int, str]) -> World:
    numbers = count(1)
    return World(receipt.received_at, lambda: f"backtest-{next(numbers)}", xref, ids)


def _made(result: Transformed) -> Made:
    message: Message = result.messages[0]
    canonical = next((content for _, stage, content in result.documents if stage == CANONICAL), None)
    targets = frozenset(delivery.target for delivery in result.deliveries)
    return Made(message.state, canonical, targets, message.failure)


def body_again(
    target: CompiledTarget, route: str, document: bytes, program: Program, envelope: Mapping[str, Any], look: Look
) -> Body | Failure:
    """The bytes for one target of a canonical document, or why there are none."""
    seen: list[Any] = []
    try:
        decoded = read_canonical(document)
        return encode(target, decoded, program.settings.company, envelope, look, seen, look.stored, document)
    except MessageError as error:
        return failure_of(error, step_of(error)).printed(route)


def envelope_of(receipt: Receipt, message_id: str) -> dict[str, Any]:
    """What a target's mapping knows of a message."""
    return {
        "id": message_id, "source": receipt.source, "event": receipt.event, "received_at": iso(receipt.received_at),
        "name": receipt.name,
    }  # fmt: skip


def was_made(was: WasMade) -> Made:
    """What a stored message became then."""
    targets = frozenset(sent.target for sent in was.deliveries)
    return Made(was.state, was.canonical.content, targets, was.failure)


def unbuilt(was: WasSent) -> Mapping[str, Any] | None:
    """Why a delivery had no bytes; None where it had some, or where nobody has tried to make them."""
    failure = was.failure
    return failure if failure and was.body.content is None and failure.get("step") in ("map", "encode") else None
