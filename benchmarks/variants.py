"""The hub with one thing of it taken away, to measure what that thing is worth.

    python -m benchmarks.variants unbatched|uncommitted PROJECT

``unbatched``: one receipt a commit, one id a wake-up, one verdict a commit. ``uncommitted``: orders are taken in,
verified and answered, but nothing is stored and no work begins.

It reaches into the hub on purpose, so that the product needs no switch for it; a name that is no longer there is an
error, never a variant that measures the hub as it is.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

import hub.run
from connectors.base import Parcel, Verdict
from hub.message import Accepted, Arrival
from hub.pipeline import dispatch, receive
from hub.store import commit


def unbatched() -> None:
    """Groups of one everywhere."""
    _replace(receive, "GROUP_ROWS", 1)
    _replace(commit, "_GROUP", 1)
    _replace(commit, "_PATIENCE_SECONDS", 0.0)
    record = dispatch.Dispatcher._finished

    def one_by_one(self: dispatch.Dispatcher, verdicts: list[tuple[Parcel, Verdict]]) -> None:
        for verdict in verdicts:
            record(self, [verdict])

    _replace(dispatch.Dispatcher, "_finished", one_by_one)


def uncommitted() -> None:
    """The door alone: what is accepted is acknowledged and forgotten."""
    numbers = count(1)

    def accept_soon(self: Any, arrivals: Sequence[Arrival], answered: receive.Answered) -> None:
        answered(arrivals, [Accepted(arrival.receipt_id, next(numbers)) for arrival in arrivals], None)

    _replace(receive.Intake, "accept_soon", accept_soon)


def _replace(owner: Any, name: str, value: Any) -> None:
    if not hasattr(owner, name):
        raise AttributeError(f"{owner} has no {name} any more; benchmarks/variants.py must follow")
    setattr(owner, name, value)


def main() -> int:
    parser = argparse.ArgumentParser(description="The hub with one thing taken away")
    parser.add_argument("variant", choices=("unbatched", "uncommitted"))
    parser.add_argument("project", type=Path)
    options = parser.parse_args()
    {"unbatched": unbatched, "uncommitted": uncommitted}[options.variant]()
    _, beat = os.pipe()  # nobody watches: the parent that would is left out
    return hub.run.main(options.project, beat, False)


if __name__ == "__main__":
    sys.exit(main())
