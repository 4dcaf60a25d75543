"""What is done to a hub under load. A fault is a function that begins, lasts and ends; when it returns it is over.

All it leaves to chance it takes from its own generator, so that one seed does the same again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from random import Random

from broker_servers import BrokerServer
from cable import BROKEN, CUT, OPEN, SILENT, SLOW
from laboratory import Laboratory

REDIS, RABBIT, ALONE = "PostgreSQL and Redis", "PostgreSQL and RabbitMQ", "one process on SQLite"
CLOCKS, ALONE_CLOCKS = f"{REDIS}, own clocks", f"{ALONE}, own clock"
APART = (REDIS, RABBIT)

Act = Callable[[Laboratory, Random], None]


@dataclass(frozen=True, slots=True)
class Fault:
    """``hubs`` are those it is done to; ``delays`` is how many seconds it may hold deliveries up once it is over."""

    name: str
    hubs: tuple[str, ...]
    act: Act
    delays: float | None = None


# -- processes ---------------------------------------------------------------------------------------------------------


def _kill_role(lab: Laboratory, chance: Random, names: tuple[str, ...]) -> None:
    lab.kill(lab.roles[chance.choice(names)].pid)


def _kill_below(lab: Laboratory, chance: Random, command: bytes) -> None:
    for _ in range(3):
        number, seconds = chance.random(), chance.uniform(0.3, 1.2)
        if found := lab.below(command):
            lab.kill(found[int(number * len(found))])
        time.sleep(seconds)


def _kill_everything(lab: Laboratory, chance: Random) -> None:
    for pid in [*(process.pid for process in lab.roles.values()), *lab.below(b"hub.")]:
        lab.kill(pid)


# -- servers -----------------------------------------------------------------------------------------------------------


def _broker(lab: Laboratory) -> BrokerServer:
    assert lab.broker is not None
    return lab.broker


def _empty_broker(lab: Laboratory, chance: Random) -> None:
    """A broker that another fault has taken away at this moment is emptied when it is back."""
    until = time.monotonic() + 90
    while True:
        try:
            return _broker(lab).flush()
        except ConnectionError:
            if time.monotonic() > until:
                raise
            time.sleep(0.5)


def _broker_away(lab: Laboratory, chance: Random, least: float, most: float) -> None:
    _broker(lab).stop()
    time.sleep(chance.uniform(least, most))
    _broker(lab).start()


def _broker_stands_still(lab: Laboratory, chance: Random) -> None:
    _broker(lab).pause()
    time.sleep(chance.uniform(3, 8))
    _broker(lab).go_on()


def _postgres_away(lab: Laboratory, chance: Random, least: float, most: float) -> None:
    lab.postgres.stop("immediate")
    time.sleep(chance.uniform(least, most))
    lab.postgres.start()


# -- network -----------------------------------------------------------------------------------------------------------

_CABLES = {"store": ("store",), "broker": ("broker",), "target": ("keyed", "asked")}
_LASTS = {CUT: (1, 4), SILENT: (2, 9), SLOW: (2, 4), BROKEN: (2, 5)}


def _cable(lab: Laboratory, chance: Random, part: str, state: str) -> None:
    lab.put_cables(state, *_CABLES[part])
    time.sleep(chance.uniform(*_LASTS[state]))
    lab.put_cables(OPEN, *_CABLES[part])


def _pull(lab: Laboratory, chance: Random, part: str) -> None:
    """Every packet is lost; where no network of its own may be made, no byte is passed on."""
    if lab.island is None:
        _cable(lab, chance, part, SILENT)
        return
    lab.island.pull(part)
    time.sleep(chance.uniform(2, 9))
    lab.island.plug(part)


# -- clocks ------------------------------------------------------------------------------------------------------------

HOUR = 3600


def _put_clock(lab: Laboratory, chance: Random, names: tuple[str, ...], seconds: int) -> None:
    """Put it while the targets are away, so that what waits has its time by that clock, and put it right again."""
    assert lab.clocks is not None
    for name in names:
        lab.clocks.put(name, seconds)
    time.sleep(chance.uniform(1.5, 2.5))
    lab.put_cables(CUT, "keyed", "asked")
    time.sleep(chance.uniform(1, 3))
    lab.put_cables(OPEN, "keyed", "asked")
    time.sleep(chance.uniform(0, 1))
    for name in names:
        lab.clocks.put(name, 0)
    time.sleep(1)  # until it is in force


# -- all of them -------------------------------------------------------------------------------------------------------

_SAYS = {CUT: "reset", SILENT: "silent", SLOW: "slow", BROKEN: "broken in the middle of bytes"}
_BROKER_DELAYS = 5.0


def _kills() -> list[Fault]:
    killed = {
        "a serving process": (APART, partial(_kill_role, names=("serve", "second serve"))),
        "a sweeper": (APART, partial(_kill_role, names=("sweep", "second sweep"))),
        "the parent of the workers": (APART, partial(_kill_role, names=("work",))),
        "workers, three times": (APART, partial(_kill_below, command=b"hub.roles.work")),
        "the hub, three times": ((ALONE,), partial(_kill_below, command=b"hub.run")),
        "the parent of the hub": ((ALONE,), partial(_kill_role, names=("run",))),
        "transformers, three times": ((*APART, ALONE), partial(_kill_below, command=b"hub.transformer")),
        "every process": ((*APART, ALONE, ALONE_CLOCKS), _kill_everything),
    }
    return [Fault(f"killed: {name}", hubs, act) for name, (hubs, act) in killed.items()]


def _servers() -> list[Fault]:
    return [
        Fault("broker: emptied", APART, _empty_broker, _BROKER_DELAYS),
        Fault("broker: restarted", APART, partial(_broker_away, least=0, most=0), _BROKER_DELAYS),
        Fault("broker: away for seconds", APART, partial(_broker_away, least=3, most=9), _BROKER_DELAYS),
        Fault("broker: away for a minute", APART, partial(_broker_away, least=60, most=60), _BROKER_DELAYS),
        Fault("broker: stands still", APART, _broker_stands_still, _BROKER_DELAYS),
        Fault("PostgreSQL: dies and is started", APART, partial(_postgres_away, least=0, most=0)),
        Fault("PostgreSQL: dies and is away", APART, partial(_postgres_away, least=3, most=9)),
    ]


def _cut_cables() -> list[Fault]:
    found = []
    for part in _CABLES:
        hubs, delays = (*APART, ALONE) if part == "target" else APART, _BROKER_DELAYS if part == "broker" else None
        for state, says in _SAYS.items():
            found.append(Fault(f"hub–{part}: {says}", hubs, partial(_cable, part=part, state=state), delays))
        found.append(Fault(f"hub–{part}: every packet lost", APART, partial(_pull, part=part), delays))
    return found


def _clocks() -> list[Fault]:
    roles = {"serve": ("serve",), "work": ("work",), "sweep": ("sweep",), "all roles": ("serve", "work", "sweep")}
    found = []
    for way, seconds in (("forward", HOUR), ("back", -HOUR)):
        for role, names in roles.items():
            act = partial(_put_clock, names=names, seconds=seconds)
            found.append(Fault(f"clock of {role}: an hour {way} and right again", (CLOCKS,), act))
        act = partial(_put_clock, names=("run",), seconds=seconds)
        found.append(Fault(f"clock: an hour {way} and right again", (ALONE_CLOCKS,), act))
    return found


def _several(lab: Laboratory, chance: Random, of: tuple[Fault, ...]) -> None:
    """Three faults that overlap."""
    acts = [(fault.act, Random(chance.random())) for fault in chance.sample(of, 3)]
    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(act, lab, own) for act, own in acts]:
            done.result()


def _all() -> list[Fault]:
    single = [*_kills(), *_servers(), *_cut_cables()]
    mixed = tuple(f for f in single if set(APART) <= set(f.hubs) and "minute" not in f.name)
    return [*single, Fault("three at once", APART, partial(_several, of=mixed)), *_clocks()]


FAULTS = _all()


def faults_of(hub: str) -> list[Fault]:
    return [fault for fault in FAULTS if hub in fault.hubs]
