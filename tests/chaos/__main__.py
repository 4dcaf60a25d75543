"""Chaos on real servers, the long form: `make chaos`, or ``python tests/chaos [--seed S] [--rounds N] [WORD…]``.

Every round does every fault to every kind of hub; with words only faults or hubs whose names hold one of them.
"""

from __future__ import annotations

import argparse
import secrets
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

_HERE = Path(__file__).parent
sys.path[:0] = [str(_HERE), str(_HERE.parent / "acceptance"), str(_HERE.parent)]

from broker_servers import RabbitServer, RedisServer, running  # noqa: E402
from faults import ALONE, ALONE_CLOCKS, CLOCKS, RABBIT, REDIS, faults_of  # noqa: E402
from rounds import Result, run_round  # noqa: E402
from servers import postgres_server  # noqa: E402

SLACK = 5.0  # seconds beyond what a fault may delay: this machine does much else at that moment


def main() -> int:
    asked = _asked()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended before it was done"))  # and so does what it has started
    print(f"SEED={asked.seed} ROUNDS={asked.rounds}", flush=True)
    results: list[Result] = []
    with ExitStack() as stack:
        postgres = stack.enter_context(postgres_server())
        redis, rabbit = (stack.enter_context(running(kind)) for kind in (RedisServer, RabbitServer))
        brokers = {REDIS: redis, RABBIT: rabbit, CLOCKS: redis, ALONE: None, ALONE_CLOCKS: None}
        for number in range(asked.rounds):
            for hub, broker in brokers.items():
                chosen = [f for f in faults_of(hub) if _is_meant(asked.words, hub, f.name)]
                if chosen:
                    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="o2c-chaos-")))
                    seed = f"{asked.seed}" if number == 0 else f"{asked.seed}+{number}"
                    results += run_round(hub, chosen, folder, postgres, broker, seed, _say)
    print(f"\n{time.strftime('%Y-%m-%d')}, SEED={asked.seed} ROUNDS={asked.rounds}\n\n{table(results)}")
    slow = [r for r in results if r.fault.delays is not None and r.recovery.flows > r.fault.delays + SLACK]
    for result in slow:
        print(f"too slow: {result.hub}, {result.fault.name}: {result.recovery}")
    return 1 if slow else 0


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests/chaos", description=__doc__)
    parser.add_argument("--seed", default=str(secrets.randbelow(1_000_000)), help="what decides about everything")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("words", nargs="*")
    return parser.parse_args()


def _is_meant(words: list[str], hub: str, fault: str) -> bool:
    return not words or any(word in f"{hub}: {fault}" for word in words)


def _say(line: str) -> None:
    print(line, flush=True)


def table(results: list[Result]) -> str:
    """The results as a table for a page: the worst of each fault and hub."""
    lines = ["| hub | fault | times | lasted | flows after | all arrived after |", "|---|---|---|---|---|---|"]
    for hub, name in dict.fromkeys((result.hub, result.fault.name) for result in results):
        of = [result for result in results if (result.hub, result.fault.name) == (hub, name)]
        worst = (max(r.lasted for r in of), max(r.recovery.flows for r in of), max(r.recovery.arrived for r in of))
        lines.append(f"| {hub} | {name} | {len(of)} | " + " | ".join(f"{seconds:.1f} s" for seconds in worst) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
