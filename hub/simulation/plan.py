"""What is going to happen in a run, decided beforehand from its seed: what senders send, and every fault.

A plan is a list of events, so a failing run can be tried again with fewer of them. An event happens at a time, or at
the n-th visit of a place (the n-th commit, the n-th request to a system); which of the two is its kind's affair.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random

import msgspec

SEND = "send"
ANSWER, LOOK_UP = "answer", "look_up"
CRASH, POWER_CUT, DISK_FULL = "crash", "power_cut", "disk_full"
BROKER_LOST, BROKER_DOWN, WOKEN_TWICE = "broker_lost", "broker_down", "woken_twice"
CLOCK_STEP, DEPLOY, OUTAGE = "clock_step", "deploy", "outage"
OPERATE = "operate"
# So many working processes on one store, beside one that takes in and two that may sweep; without it one does it all.
SHARED = "working processes"
_PART_SHARED = 0.35  # of the seeds
BEATS_LATE, STANDS_STILL = "beats_late", "stands_still"

# Where a process may die: around a commit, with requests on their way, while it asks a target, between two steps,
# before and after a file is taken away from its folder.
CRASH_PLACES = (
    "before commit",
    "in commit",
    "after commit",
    "sending",
    "between steps",
    "looking up",
    "fetching",
    "fetched",
)

LATE = "time-out, effect later"
# What an operator may do; replays more often than anything else.
ACTIONS = (
    "hold", "release", "resolve", "cancel", "pause", "stop", "start", "open circuit", "probe", "adjust limits",
    "replay", "replay", "replay", "replay", "replay",
)  # fmt: skip
# What a target may do with one request, and whether the request has its effect: None is what comes by itself.
ANSWERS: Mapping[str, bool | None] = {
    "slow": None,
    "429": False,
    "503": False,
    "refused": False,
    "unauthorized": False,
    "unreachable": False,
    "500 before the effect": False,
    "500 after the effect": True,
    "time-out before the effect": False,
    "time-out after the effect": True,
    LATE: True,
    "reset after the effect": True,
}
DIES = "dies"  # one request still has its effect and no answer, then nobody listens
OUTAGES = ("unreachable", "503", "time-out before the effect", DIES)
LOOK_UPS = ("503", "time-out", "unauthorized")


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that is going to happen. ``at`` seconds after the start, or at the ``nth`` visit of its place.

    ``subject`` is the system, feed or place; ``number`` the document; ``key`` which business key it is about, or what
    the rest is drawn from; ``how`` the variant; ``amount`` seconds, or how many commits.
    """

    kind: str
    at: float = 0.0
    nth: int = 0
    subject: str = ""
    number: int = 0
    key: int = 0
    how: str = ""
    amount: float = 0.0

    def __str__(self) -> str:
        when = f"at {self.at:.2f} s" if not self.nth else f"at number {self.nth}"
        told = [self.kind.replace("_", " "), self.subject, f"document {self.number}" if self.number else "", self.how]
        amount = f" ({self.amount:g})" if self.amount else ""
        return f"{' '.join(part for part in told if part)} {when}{amount}"


def make_plan(seed: int, feeds: Mapping[str, bool], systems: Sequence[str], deploys: bool) -> tuple[Event, ...]:
    """The plan of a seed: some documents of few keys, sent in bursts and at leisure, and a handful of faults.

    ``feeds`` says of each whether it is a folder."""
    chance = Random(f"{seed}/plan")  # noqa: S311  a simulation, not a secret
    events = _sends(chance, feeds)
    sent_at, commits = [event.at for event in events], 8 * len(events)
    for _ in range(chance.choice((0, 1, 2, 3, 4, 6, 9, 14))):
        events.append(_fault(chance, systems, _moment(chance, sent_at), commits, deploys))
    events += _operators(Random(f"{seed}/operators"), sent_at)  # noqa: S311  a simulation, not a secret
    events += _shared(seed, sent_at, commits)
    return tuple(sorted(_possible(events), key=lambda event: (event.at, event.nth)))


def _shared(seed: int, sent_at: Sequence[float], commits: int) -> Iterator[Event]:
    """For a third of the seeds: several processes, of which some are taken for dead though they are only slow."""
    chance = Random(f"{seed}/processes")  # noqa: S311  a simulation, not a secret
    if chance.random() > _PART_SHARED:
        return
    yield Event(SHARED, amount=chance.choice((1, 2, 2, 2, 3)))
    for _ in range(chance.choice((0, 1, 2, 4, 6))):
        seconds = chance.choice((2.0, 8.0, 20.0, 20.0))
        if chance.random() < 0.3:
            yield Event(BEATS_LATE, at=_moment(chance, sent_at), amount=seconds)
        else:
            yield Event(STANDS_STILL, nth=chance.randint(1, 3 * commits), amount=seconds)


def _possible(events: Sequence[Event]) -> Iterator[Event]:
    """Without late effects where the clock is put forward: the time to settle is measured by it, and cut short."""
    is_put_forward = any(event.kind == CLOCK_STEP and event.amount > 0 for event in events)
    for event in events:
        if is_put_forward and event.how == LATE:
            yield msgspec.structs.replace(event, how="time-out after the effect")
        else:
            yield event


def _sends(chance: Random, feeds: Mapping[str, bool]) -> list[Event]:
    events: list[Event] = []
    keys, at = chance.randint(1, 4), 0.0
    for number in range(1, chance.randint(2, 9) + 1):
        at += chance.choice((0.0, 0.0, 0.0, 0.002, 0.05, 3.0, 25.0))
        feed = chance.choice(tuple(feeds))
        how = "half" if feeds[feed] and chance.random() < 0.2 else ""
        event = Event(SEND, at=at, subject=feed, number=number, key=chance.randint(1, keys), how=how)
        events.append(event)
        if chance.random() < 0.25:
            later = at + chance.choice((0.0, 0.001, 0.5, 40.0))
            events.append(msgspec.structs.replace(event, at=later, how="again"))
    return events


def _operators(chance: Random, sent_at: Sequence[float]) -> list[Event]:
    """In half of the runs people do something, at once or while the hub sees to what went wrong."""
    events = []
    for number in range(chance.choice((0, 0, 0, 1, 2, 4, 8))):
        at = _moment(chance, sent_at) + chance.choice((0.0, 0.0, 1.0, 30.0, 700.0))
        drawn = 1000 * chance.randrange(1000) + number
        events.append(Event(OPERATE, at=at, how=chance.choice(ACTIONS), key=drawn))
    return events


def _moment(chance: Random, sent_at: Sequence[float]) -> float:
    """When something is going on, most of the time."""
    return chance.choice(sent_at) + (chance.uniform(0.0, 0.4) if chance.random() < 0.7 else chance.uniform(0.0, 100.0))


def _fault(chance: Random, systems: Sequence[str], at: float, commits: int, deploys: bool) -> Event:
    makers: list[Callable[[], Event]] = [
        lambda: _answer(chance, systems), lambda: _answer(chance, systems), lambda: _answer(chance, systems),
        lambda: _outage(chance, systems, at),
        lambda: _crash(chance, CRASH, commits), lambda: _crash(chance, CRASH, commits),
        lambda: _crash(chance, POWER_CUT, commits),
        lambda: Event(DISK_FULL, nth=chance.randint(1, commits), amount=chance.randint(1, 12)),
        lambda: Event(BROKER_LOST, at=at),
        lambda: Event(BROKER_DOWN, at=at, amount=chance.choice((0.5, 5.0, 60.0))),
        lambda: Event(WOKEN_TWICE, nth=chance.randint(1, 2 * commits)),
        lambda: Event(CLOCK_STEP, at=at, amount=chance.choice((-3600.0, -30.0, 30.0, 3600.0))),
        lambda: Event(LOOK_UP, nth=chance.randint(1, 3), subject=chance.choice(systems), how=chance.choice(LOOK_UPS)),
    ]  # fmt: skip
    if deploys:
        makers.append(lambda: Event(DEPLOY, at=at))
    return chance.choice(makers)()


def _answer(chance: Random, systems: Sequence[str]) -> Event:
    how = chance.choice(tuple(ANSWERS))
    return Event(ANSWER, nth=chance.choice((1, 1, 2, 2, 3, 4, 6, 9)), subject=chance.choice(systems), how=how,
                 amount=chance.choice((1.0, 20.0, 90.0)) if how in ("429", "503", "slow") else 0.0)  # fmt: skip


def _outage(chance: Random, systems: Sequence[str], at: float) -> Event:
    return Event(OUTAGE, at=at, subject=chance.choice(systems), how=chance.choice(OUTAGES),
                 amount=chance.choice((1.0, 30.0, 600.0, 600.0)))  # fmt: skip


def _crash(chance: Random, kind: str, commits: int) -> Event:
    place = chance.choice(CRASH_PLACES)
    most = {"sending": 8, "looking up": 2, "fetching": 4, "fetched": 4, "between steps": 3 * commits}.get(
        place, commits
    )
    return Event(kind, nth=chance.randint(1, most), subject=place)
