"""An interchange of 12 MB is read, every element checked and named, in the memory of a few of its messages.

How long 100 MB take is told by `o2c bench edi`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from random import Random

import pytest

from benchmarks.edi_samples import edifact_interchange, edifact_order, x12_interchange, x12_order
from hub.formats import codec
from hub.grammars import Grammars, Interpreter
from hub.project import reference_files
from hub.reference import reference_root
from tests.memory import highest_megabytes

SIZE = 12_000_000
MOST_GROWTH = 16  # MB
_NUMBER = 77_777_777  # stands for that of an order, wherever it has it


def interchange(name: str) -> Iterator[bytes]:
    """One of ``SIZE`` bytes at least, of 200 orders again and again, each with a number of its own."""
    order, whole = {"edifact": (edifact_order, edifact_interchange), "x12": (x12_order, x12_interchange)}[name]
    draw, mark = Random(7), str(_NUMBER)
    texts = [order(_NUMBER, draw).replace("0" + mark, mark) for _ in range(200)]
    header, *_, trailer = whole(1)
    yield header
    size = made = 0
    for number in count(10_000_000):
        if size >= SIZE:
            break
        piece = texts[number % 200].replace(mark, str(number)).encode()
        size, made = size + len(piece), made + 1
        yield piece
    yield trailer.replace(b"UNZ+1+", b"UNZ+%d+" % made).replace(b"GE*1*", b"GE*%d*" % made)


def read(name: str) -> dict[str, int]:
    """How many messages were good, how many were not, how many faults the envelope has, and by how many MB the process
    grew."""
    module, interpret = codec(name), Interpreter(Grammars(reference_files()))
    before, good, bad, size, faults = 0, 0, 0, 0, 0
    for found in module.read(interchange(name), interpret=interpret):  # type: ignore[attr-defined]
        for message in found.messages():
            is_good = message.is_accepted and len(message.tree) > 5
            good, bad, size = good + is_good, bad + (not is_good), size + len(message.raw)
            before = before or highest_megabytes()  # the grammar is made with the first message
        faults += len(found.faults)
    return {"good": good, "bad": bad, "faults": faults, "size": size, "growth": highest_megabytes() - before}


@pytest.mark.parametrize("name", ["edifact", "x12"])
def test_an_interchange_of_12_megabytes_is_read_in_the_memory_of_a_few_messages(name: str) -> None:
    command = [sys.executable, "-m", "tests.integration.test_edi_memory", name]
    done = subprocess.run(command, cwd=Path(reference_root()), capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["size"] >= SIZE and found["good"] > 12_000
    assert (found["bad"], found["faults"]) == (0, 0)
    assert found["growth"] <= MOST_GROWTH


if __name__ == "__main__":
    print(json.dumps(read(sys.argv[1])))
