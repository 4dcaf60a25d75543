"""Those who post documents: each has an id of its own, and is sent again until it is acknowledged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from hub.message import Accepted, Arrival
from hub.simulation.scenario import Feed
from hub.simulation.trace import Violation

if TYPE_CHECKING:
    from hub.simulation.world import World

_AGAIN_SECONDS = 5.0
_PATIENCE_SECONDS = 10.0


@dataclass(slots=True)
class Document:
    """A document of a sender; ``receipt_id`` and ``seq`` are what it was acknowledged with."""

    feed: Feed
    dedupe_id: str
    content: bytes
    receipt_id: str = ""
    seq: int = 0
    floor: int = 0  # the last number that was acknowledged before it was sent for the first time


class Senders:
    """All of them. They outlive the hub's process and remember what was acknowledged."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.documents: dict[str, Document] = {}
        self._highest: dict[str, int] = {}

    def send(self, feed: Feed, number: int, content: bytes) -> None:
        """A document is sent, for the first time or once more."""
        dedupe_id = f"{feed.name}/d{number}"
        known = self.documents.setdefault(dedupe_id, Document(feed, dedupe_id, content))
        known.floor = known.floor or self._highest.get(feed.source, 0)
        self._post(known)

    def _post(self, document: Document) -> None:
        world, door = self._world, self._world.door()
        if door is None:
            world.at(_AGAIN_SECONDS, lambda: self._again(document))
            return
        world.note(f"{document.feed.source} sends {document.dedupe_id}")
        world.at(_PATIENCE_SECONDS, lambda: self._again(document))
        arrival = Arrival(
            world.clock.new_id(), document.feed.source, document.feed.event, document.content, world.clock.epoch(),
            content_type="application/json", dedupe_key=document.dedupe_id,
        )  # fmt: skip
        accept = partial(door.engine.accept_soon, [arrival], partial(self._told, document))
        world.run_in(door, accept)

    def _told(
        self, document: Document, _: object, accepted: Sequence[Accepted] | None, error: Exception | None
    ) -> None:
        self._answered(document, accepted, error)

    def _again(self, document: Document) -> None:
        if not document.receipt_id:
            self._post(document)

    def _answered(self, document: Document, accepted: Sequence[Accepted] | None, error: Exception | None) -> None:
        if accepted is None:
            self._world.note(f"{document.dedupe_id} is not taken in: {error}")
            return
        [answer] = accepted
        self._world.note(f"{document.dedupe_id} is acknowledged" + (" as a repeat" if answer.duplicate else ""))
        self._world.require_stored(document.dedupe_id, document.content)
        if document.receipt_id not in ("", answer.receipt_id):
            raise Violation("received once", f"{document.dedupe_id} was acknowledged with two receipts")
        if not answer.duplicate and answer.seq <= document.floor:
            raise Violation("order of arrival", f"{document.dedupe_id} has a number that was given before it was sent")
        document.receipt_id, document.seq = answer.receipt_id, answer.seq
        self._highest[document.feed.source] = max(self._highest.get(document.feed.source, 0), answer.seq)

    def check_end(self) -> None:
        """Everything was acknowledged in the end, and everything acknowledged is there, once."""
        for document in self.documents.values():
            if not document.receipt_id:
                raise Violation("every document is taken in", f"{document.dedupe_id} is never acknowledged")
            self._world.require_stored(document.dedupe_id, document.content)
