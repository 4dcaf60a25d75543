"""From a request to the things it means, each with its verdict, in the order they arrived."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from hub.errors import NotFound
from hub.replay.judge import reasons_against
from hub.replay.request import START, Request
from hub.states import NEEDS_A_PERSON
from hub.store import dead_letters, message_view, search
from hub.store.database import Database
from hub.store.dead_letters import DeadLetter

if TYPE_CHECKING:
    from hub.pipeline.program import Program


class Choice(msgspec.Struct, frozen=True):
    """One thing that a request means. ``against`` is a key of ``judge.REASONS``; '' when it can be replayed."""

    letter: DeadLetter
    against: str


class Selection(msgspec.Struct, frozen=True):
    """What a request means now. ``matched`` counts also those beyond ``max_items``."""

    choices: tuple[Choice, ...]
    matched: int
    set_id: int

    @property
    def replayable(self) -> list[DeadLetter]:
        return [choice.letter for choice in self.choices if not choice.against]

    @property
    def refused(self) -> dict[str, int]:
        """How many cannot be replayed, by reason."""
        return dict(Counter(choice.against for choice in self.choices if choice.against))

    def hash(self, request: Request) -> str:
        """The same while the same things would be done with the same files."""
        what = [(choice.letter.kind, choice.letter.id, choice.against) for choice in self.choices]
        content = msgspec.json.encode([request.as_dict(), self.set_id, self.matched, what])
        return hashlib.sha256(content).hexdigest()


def select(db: Database, request: Request, program: Program) -> Selection:
    """Everything a request means. Raises NotFound for an id that is none."""
    if request.ids:
        letters = list(_by_ids(db, request))
        matched = len(letters)
    elif request.begin == START:
        letters = list(_from_the_start(db, request))
        matched = len(letters)
    else:
        letters, matched = _dead(db, request)
    # A receipt before what came of it, which it takes with it.
    letters.sort(key=lambda letter: (letter.order, letter.kind != "receipt", letter.kind, letter.id))
    chosen = letters[: request.max_items]
    choices = tuple(map(Choice, chosen, reasons_against(db, chosen, request, program)))
    return Selection(choices, matched, program.set_id)


def _dead(db: Database, request: Request) -> tuple[list[DeadLetter], int]:
    """The dead letters of a filter; with destinations, the deliveries to one of these."""
    filters = [replace(request.filter, destination=name) for name in request.destinations] or [request.filter]
    if request.filter.destination and request.destinations and request.filter.destination not in request.destinations:
        return [], 0
    found = {letter.id: letter for wanted in filters for letter in dead_letters.find(db, wanted, request.max_items)}
    return list(found.values()), max(len(found), sum(dead_letters.count(db, wanted) for wanted in filters))


def _from_the_start(db: Database, request: Request) -> Iterator[DeadLetter]:
    """Whole messages and receipts of a filter, whatever became of them; ``max_items`` of the newest."""
    for found in search.newest(db, request.filter, request.max_items + 1):
        # A receipt that never became messages is a line of its own; a single message shares its receipt's id.
        letter = dead_letters.one(db, "message", found.message_id) or dead_letters.one(db, "receipt", found.message_id)
        if letter is not None:
            yield letter


def _by_ids(db: Database, request: Request) -> Iterator[DeadLetter]:
    for id in dict.fromkeys(request.ids):
        place = message_view.locate(db, id)
        if place is None:
            raise NotFound(f"there is no message, receipt or delivery with the id '{id[:80]}'")
        yield from _expanded(db, place[0], id, request)


def _expanded(db: Database, kind: str, id: str, request: Request) -> Iterable[DeadLetter]:
    """What an id means: a delivery itself; a message that is not dead, from its failed step, its deliveries."""
    if request.begin == START:
        return _whole(db, kind, id)
    letter = dead_letters.one(db, kind, id)
    if letter is None:
        return ()
    if kind == "message" and letter.state == "routed":
        return _troubled_deliveries(db, [id], request)
    if kind == "receipt" and letter.state == "split":
        return dead_letters.of_receipt(db, id)
    return (letter,)


def _whole(db: Database, kind: str, id: str) -> Iterable[DeadLetter]:
    """The message of a delivery, or the message or receipt itself."""
    if kind == "delivery":
        delivery = dead_letters.one(db, kind, id)
        kind, id = "message", delivery.message_id if delivery else ""
    letter = dead_letters.one(db, kind, id)
    return () if letter is None else (letter,)


def _troubled_deliveries(db: Database, message_ids: list[str], request: Request) -> list[DeadLetter]:
    """The deliveries of messages that need a person; all of them, to say why not, where none does."""
    lines = search.deliveries_of(db, message_ids[:500]) if message_ids else []
    wanted = [line for line in lines if not request.destinations or _goes_to(line["target"], line["system"], request)]
    troubled = [line for line in wanted if line["state"] in NEEDS_A_PERSON] or wanted
    found = [dead_letters.one(db, "delivery", line["delivery_id"]) for line in troubled]
    return [letter for letter in found if letter is not None]


def _goes_to(target: str, system: str, request: Request) -> bool:
    return target in request.destinations or system in request.destinations
