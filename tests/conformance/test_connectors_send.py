"""What every connector that sends keeps to: one verdict for each parcel, which is true, and one whole effect."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from connector_sides import OWN, RIGHT, SIDES, WRONG, Side, closing, line_to, sides, was_cut
from sending import closed_port

import connectors
from connectors.base import (
    ABSENT,
    DELIVERED,
    DOUBT,
    FOUND,
    LATER,
    STOPPED,
    Destination,
    Parcel,
    Recallable,
    Verdict,
)

SENDING = [name for name, kind in SIDES.items() if kind.sends]
LINED = [name for name in SENDING if SIDES[name].has_line]
SETTLING = [(name, mode) for name in SENDING for mode in SIDES[name].modes]
_keys = iter(range(10**9))


def parcels_of(side: Side, count: int = 1) -> list[Parcel]:
    """Parcels that nobody has seen yet."""
    return [side.parcel(f"D{next(_keys)}.1") for _ in range(count)]


class Told:
    """The verdicts on some parcels. One that is told of twice fails the test."""

    def __init__(self, parcels: Sequence[Parcel]) -> None:
        self.verdicts: dict[str, Verdict] = {}
        self.twice: list[str] = []
        self._wanted = {parcel.key for parcel in parcels}
        self._changed = threading.Condition()

    def __call__(self, batch: list[tuple[Parcel, Verdict]]) -> None:
        with self._changed:
            self.twice += [parcel.key for parcel, _ in batch if parcel.key in self.verdicts]
            self.verdicts |= {parcel.key: verdict for parcel, verdict in batch}
            self._changed.notify_all()

    def wait(self, seconds: float = 30.0) -> list[Verdict]:
        with self._changed:
            assert self._changed.wait_for(lambda: self.verdicts.keys() >= self._wanted, seconds), self.verdicts
        assert not self.twice
        assert self.verdicts.keys() == self._wanted
        return list(self.verdicts.values())


def sent(to: Destination, parcels: Sequence[Parcel]) -> list[Verdict]:
    told = Told(parcels)
    to.submit(parcels, told)
    return told.wait()


def check_effect(side: Side, parcel: Parcel, verdict: Verdict) -> None:
    """What a verdict says is so; and nothing is there by halves."""
    bodies = side.taken(parcel.key)
    assert bodies in ([], [parcel.body]), "one whole effect, or none"
    if verdict.kind != DOUBT:
        assert len(bodies) == (verdict.kind in (DELIVERED, FOUND)), verdict


def settle(side: Side, mode: str, parcel: Parcel, verdict: Verdict) -> None:
    """What the hub does until it is delivered: ask where it is in doubt, and send again under the same key."""
    to = side.destination(mode=mode)
    try:
        for _ in range(5):
            if verdict.kind in (DELIVERED, FOUND):
                break
            if verdict.kind == DOUBT and mode == "lookup":
                verdict = to.look_up(parcel)
            else:
                [verdict] = sent(to, [parcel])
        assert verdict.kind in (DELIVERED, FOUND), verdict
    finally:
        to.close()
    assert side.taken(parcel.key) == [parcel.body]


@contextmanager
def unanswered() -> Iterator[int]:
    """A port at which no connection is ever made: its queue is full, and nobody takes from it."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def _until(done: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.skipif("O2C_CONNECTOR_SIDE" in os.environ, reason="one connector alone is tried")
def test_no_connector_is_left_out() -> None:
    for name in connectors.names(OWN):
        module = connectors.connector(name, OWN)
        assert hasattr(module, "destination") == (name in SENDING), f"{name}: see connector_sides.py"
        assert hasattr(module, "source") == (name in SIDES and SIDES[name].fetches), f"{name}: see connector_sides.py"


@pytest.mark.parametrize(("name", "mode"), SETTLING)
def test_what_is_sent_again_has_one_effect(sides: Any, closing: Any, name: str, mode: str) -> None:
    side = sides(name)
    side.deduplicates = mode == "native"
    to, parcels = closing(side.destination(mode=mode)), parcels_of(side, 20)
    assert {verdict.kind for verdict in sent(to, parcels)} == {DELIVERED}
    assert to.check() == []
    for parcel in parcels[:3]:
        if mode == "native":
            assert sent(to, [parcel])[0].kind == DELIVERED
        else:
            assert to.look_up(parcel).kind == FOUND
    assert [side.taken(parcel.key) for parcel in parcels] == [[parcel.body] for parcel in parcels]
    if mode == "lookup":
        assert to.look_up(*parcels_of(side)).kind == ABSENT


@pytest.mark.parametrize("name", SENDING)
def test_nobody_there_is_for_later(sides: Any, closing: Any, name: str) -> None:
    side = sides(name)
    to, parcels = closing(side.destination(port=closed_port(), mode="lookup")), parcels_of(side, 3)
    assert {verdict.kind for verdict in sent(to, parcels)} == {LATER}
    assert to.look_up(parcels[0]).kind == LATER
    assert len(to.check()) == 1
    for parcel in parcels:
        settle(side, "native", parcel, Verdict(LATER))


@pytest.mark.parametrize("name", LINED)
def test_a_connection_that_is_never_made_is_for_later(sides: Any, closing: Any, name: str) -> None:
    side = sides(name)
    with unanswered() as port:
        [verdict] = sent(closing(side.destination(port=port, patience=0.3)), parcels_of(side))
    assert verdict.kind == LATER


@pytest.mark.parametrize("way", ["cut_in", "cut_back"])
@pytest.mark.parametrize("name", LINED)
def test_a_line_that_is_cut_anywhere_leaves_one_whole_effect(sides: Any, name: str, way: str) -> None:
    """At each piece of the request, which is not passed on, and in the middle of each of the answer."""
    side, modes = sides(name), SIDES[name].modes
    with line_to(side) as line:
        for piece in range(1, 100, side.stride):
            mode = modes[piece % len(modes)]
            side.deduplicates = mode == "native"
            to, [parcel] = side.destination(port=line.port, mode=mode), parcels_of(side)
            getattr(line, way)(piece, *([False] if way == "cut_in" else []))
            [verdict] = sent(to, [parcel])
            is_over = not was_cut(line, way, piece)
            to.close()
            assert verdict.kind in (LATER, DOUBT, DELIVERED), verdict
            check_effect(side, parcel, verdict)
            settle(side, mode, parcel, verdict)
            if is_over:
                break
    assert (verdict.kind, is_over) == (DELIVERED, True)
    assert piece > 1


@pytest.mark.parametrize("name", LINED)
def test_silence_ends_with_the_time_out_and_in_doubt_where_it_may_have_arrived(
    sides: Any, closing: Any, name: str
) -> None:
    side = sides(name)
    side.deduplicates = True
    with line_to(side) as line:
        sent(closing(side.destination(port=line.port)), parcels_of(side))
        last = line.seen_back
        for way, piece in [(line.hush, 1), *((line.hush_back, piece) for piece in {max(1, last - 2), last})]:
            way(piece)
            to, [parcel] = closing(side.destination(port=line.port, patience=0.5)), parcels_of(side)
            began = time.monotonic()
            [verdict] = sent(to, [parcel])
            assert time.monotonic() - began < 10
            assert verdict.kind in (LATER, DOUBT) or line.seen_back < piece, verdict
            check_effect(side, parcel, verdict)
            line.heal()
            settle(side, "native", parcel, verdict)


@pytest.mark.parametrize("name", SENDING)
def test_who_is_not_let_in_stops_the_system_and_does_not_try_with_each_parcel(
    sides: Any, closing: Any, name: str
) -> None:
    side = sides(name)
    with ExitStack() as stack:
        line = stack.enter_context(line_to(side)) if name in LINED else None
        to = closing(side.destination(word=WRONG, mode="lookup", **({"port": line.port} if line else {})))
        parcels = parcels_of(side, 40)
        verdicts = sent(to, parcels)
        assert {verdict.kind for verdict in verdicts} == {STOPPED}
        assert all(verdict.code and verdict.detail for verdict in verdicts)
        assert not any(word in f"{verdict}" for verdict in verdicts for word in (WRONG, RIGHT))
        if line is not None:
            assert line.connections <= 8, "two at a time have asked, and nobody after them"
            assert to.look_up(parcels[0]).kind == STOPPED
    assert not any(side.taken(parcel.key) for parcel in parcels)


@pytest.mark.parametrize("name", LINED)
@pytest.mark.parametrize("way", ["recall", "close"])
def test_no_more_is_under_way_than_may_be_and_what_has_not_started_is_given_back_at_once(
    sides: Any, closing: Any, name: str, way: str
) -> None:
    side, back = sides(name), Verdict(LATER, "circuit_open", "not sent")
    side.deduplicates = True
    with line_to(side) as line:
        to, parcels = side.destination(port=line.port, patience=0.5), parcels_of(side, 40)
        told = Told(parcels)
        line.hush(1)
        to.submit(parcels, told)
        _until(lambda: line.open == 2)
        began = time.monotonic()
        if way == "recall":
            assert isinstance(to, Recallable)
            to.recall(back)
        else:
            to.close()
        verdicts = told.wait()
        assert time.monotonic() - began < 5, "not the time-outs of all of them, one after the other"
        code = "circuit_open" if way == "recall" else "closing"
        assert sum((verdict.kind, verdict.code) == (LATER, code) for verdict in verdicts) >= 30
        to.close()
        assert line.most == 2
        line.heal()
        for parcel in parcels:
            check_effect(side, parcel, told.verdicts[parcel.key])


@pytest.mark.parametrize("name", SENDING)
def test_what_comes_after_it_is_closed_is_for_later(sides: Any, name: str) -> None:
    side = sides(name)
    to, parcels = side.destination(mode="lookup"), parcels_of(side, 3)
    to.close()
    assert {(verdict.kind, verdict.code) for verdict in sent(to, parcels)} == {(LATER, "closing")}
    assert to.look_up(parcels[0]).kind in (LATER, ABSENT)
    to.close()
    assert not any(side.taken(parcel.key) for parcel in parcels)
