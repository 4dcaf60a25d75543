"""What one worker has read waits a moment for what another reads before it, so that it can be sent at once."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from test_circuits import second
from world import World, order

from hub.pipeline import line
from hub.pipeline.engine import Engine
from hub.pipeline.line import Between, Line
from hub.store import receipts


class Others:
    """Looks for what others have to read; before the look of this number they read it."""

    def __init__(self, world: World, worker: str, reads: Sequence[int] = (), at_look: int = 0) -> None:
        self.world, self.worker, self.reads, self.at_look = world, worker, reads, at_look
        self.looks: list[dict[str, tuple[int, int]]] = []

    def __call__(self, between: Between) -> list[str]:
        self.looks.append(dict(between))
        if len(self.looks) == self.at_look:
            self.world.engine.process(self.reads)
            self.world.settle_writes()
        return receipts.unread_between(self.world.store.reader(), between, self.worker)


def taken_in(world: World, engine: Engine, number: int) -> int:
    [accepted] = engine.accept([world.arrival(order(number))])
    world.calls.clear()  # whoever is to begin is called by the test
    return accepted.seq


def process(world: World, engine: Engine, in_line: Line, seq: int) -> None:
    with in_line.place() as place:
        engine.process([seq], place)
    world.settle_writes()


def test_a_batch_goes_at_once_when_an_earlier_one_in_other_hands_is_stored_in_a_moment(world: World) -> None:
    other = second(world)
    first, later = taken_in(world, world.engine, 1), taken_in(world, other, 2)
    others = Others(world, "w2", [first], at_look=3)
    process(world, other, Line(others), later)
    assert [body["ref"] for body in world.target("erp").bodies] == ["1", "2"]
    assert others.looks == [{"shop": (0, later)}] * 3


def test_what_takes_longer_is_waited_for_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "PATIENCE_SECONDS", 0.0)
    other = second(world)
    first, *later = taken_in(world, world.engine, 1), taken_in(world, other, 2), taken_in(world, other, 3)
    others = Others(world, "w2")
    in_line = Line(others)
    for seq in later:
        process(world, other, in_line, seq)
    assert others.looks == [{"shop": (0, later[0])}, {"shop": tuple(later)}]
    assert world.target("erp").sent == []
    world.engine.process([first])
    world.settle_writes()
    world.wait(0)
    assert [body["ref"] for body in world.target("erp").bodies] == ["1", "2", "3"]


def test_what_was_found_read_is_not_looked_through_again(world: World) -> None:
    other = second(world)
    seqs = [taken_in(world, other, number) for number in (1, 2, 3)]
    others = Others(world, "w2")
    in_line = Line(others)
    for seq in seqs:
        process(world, other, in_line, seq)
    assert others.looks == [{"shop": (0, seqs[0])}, {"shop": (seqs[0], seqs[1])}, {"shop": (seqs[1], seqs[2])}]
    assert [body["ref"] for body in world.target("erp").bodies] == ["1", "2", "3"]
