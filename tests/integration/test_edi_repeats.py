"""A million repeats, of a segment and within an element: told where they begin, in little memory, and the next message
comes. Each case has a process of its own, whose memory is measured."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.formats import codec
from hub.grammars import Grammars, Interpreter
from hub.project import reference_files
from hub.reference import reference_root
from tests.memory import highest_megabytes

MILLION = 1_000_000
HEADS = {
    "edifact": "UNB+UNOC:4+4012345000009:14+5412345000013:14+20261128:1200+4711'UNH+1+ORDERS:D:96A:UN'"
               "BGM+220+A1+9'DTM+137:20261128:102'",
    "x12": "ISA*00*          *00*          *ZZ*BUYER          *01*123456789      *261128*1200*^*00501*000000001*0*P*>~"
           "GS*PO*BUYER*SELLER*20261128*1200*1*X*004010~ST*850*0001~BEG*00*SA*A1**20261128~",
}  # fmt: skip
LINES = {"edifact": "LIN+1++4000862141404:EN'QTY+21:4'", "x12": "PO1*1*4*EA*12.5**VN*W-1~"}
TAILS = {
    "edifact": "UNS+S'UNT+{count}+1'UNH+2+ORDERS:D:96A:UN'BGM+220+A2+9'DTM+137:20261128:102'"
               "LIN+1++4000862141404:EN'UNS+S'UNT+6+2'UNZ+2+4711'",
    "x12": "CTT*1~SE*{count}*0001~ST*850*0002~BEG*00*SA*A2**20261128~PO1*1*4*EA*12.5**VN*W-1~SE*4*0002~"
           "GE*2*1~IEA*1*000000001~",
}  # fmt: skip
CASES = {  # syntax, what stands before, a million times, behind; how often; segments; faults by code, segment, element
    "a segment": ("edifact", "", "FTX+AAI'", "", MILLION, [("18", 1, 0), ("35", 103, 0)]),
    "a group": ("edifact", "", "LIN+1'", "", MILLION, [("18", 1, 0)]),
    "a group, all of it read": ("edifact", "", "LIN+1'", "", 999_000, [("36", 200_004, 0)]),
    "an element": ("edifact", "FTX+AAI", "*AAI", "'", MILLION, [("18", 4, 0)]),
    "an element, all of it read": ("edifact", "FTX+AAI", "*A", "'", 499_000, [("35", 4, 1), ("12", 4, 1)]),
    "a component": ("edifact", "FTX+AAI", ":A", "'", MILLION, [("18", 4, 0)]),
    "a segment of X12": ("x12", "", "DTM*002*20261128~", "", MILLION, [("5", 1, 0), ("5", 13, 0)]),
    "a group of X12": ("x12", "", "PO1*1~", "", MILLION, [("5", 1, 0)]),
    "a group of X12, all of it read": ("x12", "", "PO1*1~", "", 125_000, [("4", 100_003, 0)]),
    "an element of X12": ("x12", "REF*DP*A", "^A", "~", MILLION, [("8", 3, 0)]),
    "an element of X12, all of it read": ("x12", "REF*DP*A", "^A", "~", 499_000, [("3", 3, 2)]),
    "a component of X12": ("x12", "REF*DP*A", ">A", "~", MILLION, [("8", 3, 0)]),
}
AT_MOST = {"a group, all of it read": 1_100, "a group of X12, all of it read": 200}  # MB; of all others:
USUALLY_AT_MOST = 64


def chunks(name: str) -> Iterator[bytes]:
    """The interchange, made while it is read."""
    syntax, before, repeated, behind, times, _ = CASES[name]
    yield (HEADS[syntax] + before).encode()
    for _ in range(times // 1_000):
        yield (repeated * 1_000).encode()
    count = (1 if behind else times) + (7 if syntax == "edifact" else 5)
    yield (behind + LINES[syntax] + TAILS[syntax].format(count=count)).encode()


def read(name: str) -> dict[str, Any]:
    """What is told of each message, and by how much memory grew meanwhile, MB."""
    module, interpret = codec(CASES[name][0]), Interpreter(Grammars(reference_files()))
    before = highest_megabytes()
    told = [
        {"reference": message.reference.lstrip("0"), "number": number_of(message.tree), "faults": [
            {"code": fault.code, "segment": fault.segment, "element": fault.element, "offset": fault.offset}
            for fault in message.faults
        ]}
        for interchange in module.read(chunks(name), interpret=interpret)  # type: ignore[attr-defined]
        for message in interchange.messages()
    ]  # fmt: skip
    return {"messages": told, "growth": highest_megabytes() - before}


def number_of(tree: dict[str, Any]) -> str:
    return str(tree["BGM"]["document"]["number"] if "BGM" in tree else tree["BEG"]["order_number"])


def offsets(name: str) -> dict[int, int]:
    """The byte at which each segment of the first message begins that a case expects a fault in, by its number."""
    syntax, _, repeated, _, _, expected = CASES[name]
    header = HEADS[syntax].index("UNH+" if syntax == "edifact" else "ST*")
    first = 4 if syntax == "edifact" else 3  # the number of the first segment that is repeated
    return {
        segment: header if segment == 1 else len(HEADS[syntax]) + (segment - first) * len(repeated)
        for _, segment, _ in expected
    }


@pytest.mark.parametrize("name", CASES)
def test_a_million_repeats_are_told_where_they_begin_and_the_next_message_comes(name: str) -> None:
    command = [sys.executable, "-m", "tests.integration.test_edi_repeats", name]
    done = subprocess.run(command, cwd=Path(reference_root()), capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    first, second = found["messages"]
    expected, at = CASES[name][-1], offsets(name)
    told = {(fault["code"], fault["segment"], fault["element"]): fault["offset"] for fault in first["faults"]}
    assert list(told) == expected
    for (_, segment, element), offset in told.items():
        assert offset >= at[segment] if element else offset == at[segment]
    assert (second["reference"], second["number"], second["faults"]) == ("2", "A2", [])
    assert found["growth"] <= AT_MOST.get(name, USUALLY_AT_MOST), found["growth"]


if __name__ == "__main__":
    print(json.dumps(read(sys.argv[1])))
