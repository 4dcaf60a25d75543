"""Parcels that wait for threads: each is told of once, and none is tried in vain."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from connectors._queue import Ended, Queue
from connectors.base import DELIVERED, LATER, STOPPED, Parcel, Verdict

GOOD, AWAY, LOCKED = Verdict(DELIVERED), Verdict(LATER, "away"), Verdict(STOPPED, "login_refused", "it lets nobody in")
PARCELS = [Parcel(f"d{number}", f"d{number}.0", b"") for number in range(100)]
Make = Callable[..., Queue]


class Told:
    """What was told, in its groups."""

    def __init__(self, count: int = 100) -> None:
        self.groups: list[Ended] = []
        self._count, self._all = count, threading.Event()

    def __call__(self, group: Ended) -> None:
        self.groups.append(group)
        if sum(map(len, self.groups)) >= self._count:
            self._all.set()

    def wait(self) -> list[Verdict]:
        assert self._all.wait(20)
        told = [(parcel.key, verdict) for group in self.groups for parcel, verdict in group]
        assert len(dict(told)) == len(told) == self._count
        return [verdict for _, verdict in told]


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[Queue] = []

    def build(send: Callable[[Parcel], Verdict], threads: int = 2, group: int = 8) -> Queue:
        made.append(Queue(threads, "test", send, group))
        return made[-1]

    yield build
    for each in made:
        each.close()


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("verdict", [GOOD, AWAY])
def test_each_parcel_is_tried_and_told_of_once(make: Make, threads: int, verdict: Verdict) -> None:
    told = Told()
    make(lambda parcel: verdict, threads).submit(PARCELS, told)
    assert told.wait() == [verdict] * 100
    assert max(map(len, told.groups)) == (8 if verdict == GOOD else 1), "what did not get through is told at once"


def test_where_nobody_is_let_in_what_waits_is_given_back_untried(make: Make) -> None:
    tried: list[Parcel] = []
    told = Told()
    make(lambda parcel: tried.append(parcel) or LOCKED, 1).submit(PARCELS, told)
    verdicts = told.wait()
    assert len(tried) == 1
    assert {(verdict.kind, verdict.code) for verdict in verdicts} == {(STOPPED, "login_refused")}
    assert verdicts[-1].detail == "not sent: it lets nobody in"


@pytest.mark.parametrize("way", ["recall", "close"])
def test_what_has_not_started_is_given_back(make: Make, way: str) -> None:
    begun, goes_on, told, late = threading.Event(), threading.Event(), Told(), Told()

    def send(parcel: Parcel) -> Verdict:
        begun.set()
        assert goes_on.wait(20)
        return GOOD

    queue = make(send, 1)
    queue.submit(PARCELS, told)
    assert begun.wait(20)
    if way == "recall":
        queue.recall(AWAY)
        goes_on.set()
    else:
        closing = threading.Thread(target=queue.close)
        closing.start()
        while not told.groups:
            assert closing.is_alive(), "it waits for what is under way"
        goes_on.set()
        closing.join(20)
        queue.submit(PARCELS, late)
        assert {verdict.code for verdict in late.wait()} == {"closing"}
    verdicts = told.wait()
    assert verdicts.count(GOOD) == 1
    assert {verdict.code for verdict in verdicts if verdict != GOOD} == {"away" if way == "recall" else "closing"}


def test_a_receiver_that_fails_keeps_no_other_from_hearing(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    told = Told(50)

    def fails(group: Ended) -> None:
        raise LookupError("the store is away")

    queue = make(lambda parcel: GOOD, 1)
    queue.submit(PARCELS[:50], fails)
    queue.submit(PARCELS[50:], told)
    assert told.wait() == [GOOD] * 50
    assert "a receiver of results failed; 8 verdicts were handed to it" in caplog.text
