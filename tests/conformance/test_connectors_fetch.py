"""What every connector that fetches keeps to: a thing is taken in once and whole, whatever breaks; none is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from connector_sides import RIGHT, SIDES, WRONG, closing, line_to, sides, was_cut
from polling import Kept
from sending import closed_port

from connectors.base import ConnectorError, Incoming, Reachable, Remembering, Source, StoppedError, TransientError

FETCHING = [name for name, kind in SIDES.items() if kind.fetches]
LINED = [name for name in FETCHING if SIDES[name].has_line]


class Intake:
    """Takes in as the hub does: all bytes first, and what comes again is known by its id."""

    def __init__(self) -> None:
        self.kept, self.things = Kept(), dict[str, tuple[str, bytes]]()

    def __call__(self, incoming: Incoming) -> None:
        body = b"".join(incoming.chunks)
        told = incoming.attributes.get("sha256", "") if incoming.content_tells else ""
        self.things.setdefault(f"{incoming.dedupe_id}:{told}", (incoming.name, body))

    def read(self, source: Source, accept: Callable[[Incoming], None] | None = None) -> int:
        """One round, of a source that is closed then."""
        if isinstance(source, Remembering):
            source.remember(self.kept)
        try:
            return source.fetch(accept or self)
        finally:
            source.close()

    def check(self, offered: dict[str, bytes]) -> None:
        assert sorted(self.things.values()) == sorted(offered.items())


@pytest.mark.parametrize("way", ["cut_in", "cut_back"])
@pytest.mark.parametrize("name", LINED)
def test_a_reading_that_is_cut_anywhere_loses_nothing_and_takes_nothing_half(sides: Any, name: str, way: str) -> None:
    side = sides(name)
    with line_to(side) as line:
        for piece in range(1, 200, side.stride):
            offered, intake = side.offer(side.few), Intake()
            getattr(line, way)(piece, *([False] if way == "cut_in" else []))
            with suppress(TransientError):
                intake.read(side.source(port=line.port))
            is_over = not was_cut(line, way, piece)
            assert set(intake.things.values()) <= set(offered.items())
            if not is_over:
                intake.read(side.source(later=301))
            intake.check(offered)
            if is_over:
                break
    assert is_over
    assert piece > 1


@pytest.mark.parametrize("name", FETCHING)
def test_what_comes_again_after_a_crash_is_the_same_thing(sides: Any, name: str) -> None:
    side, intake = sides(name), Intake()
    offered = side.offer(3)

    class Death(BaseException):
        """Nothing of the source goes on after it."""

    def dies(incoming: Incoming) -> None:
        intake(incoming)
        raise Death

    with pytest.raises(Death):
        intake.read(side.source(), dies)
    assert len(intake.things) == 1
    intake.read(side.source(later=301))
    intake.check(offered)


@pytest.mark.parametrize("name", FETCHING)
def test_what_could_not_be_taken_in_stays_and_its_reason_is_told(sides: Any, name: str) -> None:
    side, intake = sides(name), Intake()
    offered = side.offer(2)

    def refuses(incoming: Incoming) -> None:
        next(iter(incoming.chunks))
        raise LookupError("the store is away")

    with pytest.raises(LookupError, match="the store is away"):
        intake.read(side.source(), refuses)
    intake.read(side.source())
    intake.check(offered)


@pytest.mark.parametrize("name", FETCHING)
def test_a_source_that_lets_nobody_in_says_so_and_loses_nothing(sides: Any, name: str) -> None:
    side, intake = sides(name), Intake()
    offered = side.offer(2)
    with pytest.raises(ConnectorError) as refused:
        intake.read(side.source(word=WRONG))
    assert isinstance(refused.value, StoppedError) or name == "file"
    assert not any(word in str(refused.value) for word in (WRONG, RIGHT))
    assert not intake.things
    intake.read(side.source())
    intake.check(offered)


@pytest.mark.parametrize("name", FETCHING)
def test_a_source_that_is_away_is_for_later(sides: Any, closing: Any, name: str) -> None:
    side, intake = sides(name), Intake()
    with pytest.raises(TransientError):
        intake.read(side.source(port=closed_port()))
    away = closing(side.source(port=closed_port()))
    if isinstance(away, Reachable):
        assert len(away.check()) == 1


@pytest.mark.parametrize("name", LINED)
def test_silence_ends_a_reading_with_its_time_out(sides: Any, name: str) -> None:
    side, intake = sides(name), Intake()
    offered = side.offer(2)
    with line_to(side) as line:
        for pieces in (1, 4):
            line.hush_back(pieces)
            began = time.monotonic()
            with suppress(TransientError):
                intake.read(side.source(port=line.port, patience=0.5))
            assert time.monotonic() - began < 10
            line.heal()
    intake.read(side.source(later=301))
    intake.check(offered)


@pytest.mark.parametrize("name", FETCHING)
def test_closing_ends_a_reading_soon_and_loses_nothing(sides: Any, name: str) -> None:
    side, intake = sides(name), Intake()
    offered, source = side.offer(8), side.source()

    def closes(incoming: Incoming) -> None:
        intake(incoming)
        closing = threading.Thread(target=source.close)
        closing.start()
        closing.join(20)
        assert not closing.is_alive()

    with suppress(TransientError):
        intake.read(source, closes)
    assert 1 <= len(intake.things) <= 2, "the thing in hand, or the page"
    intake.read(side.source(later=301))
    intake.check(offered)
