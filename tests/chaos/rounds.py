"""One hub, one fault after another in an order of the seed's; after each it is measured and looked at."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from broker_servers import BrokerServer
from faults import ALONE_CLOCKS, CLOCKS, Fault
from laboratory import Laboratory, Recovery
from servers import PostgresServer


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one fault."""

    hub: str
    fault: Fault
    lasted: float
    recovery: Recovery


def run_round(
    hub: str, faults: Sequence[Fault], folder: Path, postgres: PostgresServer, broker: BrokerServer | None, seed: str,
    say: Callable[[str], None] = print,
) -> list[Result]:  # fmt: skip
    """Do all of these to one hub. Raises AssertionError, which names the seed, when a promise is broken."""
    chance, began = Random(f"{seed} {hub}"), time.monotonic()
    lab = Laboratory(folder, postgres, broker, chance.randrange(1 << 32), clocks=hub in (CLOCKS, ALONE_CLOCKS))

    def tell(what: str) -> None:
        say(f"{time.monotonic() - began:7.1f} s  {what}")

    found = []
    try:
        tell(f"{hub}, seed {seed}")
        lab.start()
        time.sleep(1)
        for fault in chance.sample(list(faults), len(faults)):
            found.append(_do(lab, hub, fault, Random(chance.random()), tell))
        tell(f"{lab.finish()} orders were acknowledged and are where they belong, once and in order")
    except BaseException as error:
        error.add_note(f"{hub}: done again with SEED={seed}")
        raise
    finally:
        lab.close()
    return found


def _do(lab: Laboratory, hub: str, fault: Fault, chance: Random, tell: Callable[[str], None]) -> Result:
    time.sleep(chance.uniform(0.3, 1.5))
    tell(fault.name)
    started = time.monotonic()
    fault.act(lab, chance)
    lasted = time.monotonic() - started
    tell(f"    over after {lasted:.1f} s")
    recovery = lab.recovery()
    tell(
        f"    deliveries flow after {recovery.flows:.2f} s; {recovery.waiting} that waited have arrived after "
        f"{recovery.arrived:.2f} s"
    )
    return Result(hub, fault, lasted, recovery)
