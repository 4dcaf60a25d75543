"""The mappings of the reference project on documents with fields changed to what nobody should send.

    python -m tests.conformance.mapping_payloads FIRST COUNT

As `mapping_grammar`: bounded memory, one line for each thing that may not happen. The short cuts of fast code may
change nothing: neither a digit of what comes out nor a word of what is refused.
"""

from __future__ import annotations

import copy
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from random import Random
from typing import Any

from hub.errors import MappingError
from tests.conformance.mapping_grammar import MEMORY, alarm, guarded
from tests.memory import highest_megabytes
from tests.unit.mapping.reference import cases_of, context_of, mapping, mapping_files

SHOWN = "__class__"  # a document's own text may be shown
_DEEP: Any = "x"
for _ in range(99):
    _DEEP = [{"a": _DEEP}]
HOSTILE: list[Any] = [
    None, True, False, 0, -1, 10**39, -(10**39), Decimal("1E+20"), Decimal("1E-20"), Decimal("0E+20"), "", " ", "\x00",
    "\ud800", "\u202e", "x" * 99_000, "9" * 40, "9" * 41, "1e999999", "NaN", "Infinity", "-0", "1,5", "٣", "2026-02-30",
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "__class__", "{0.__class__}", "%n%n",
    [], [[]], {}, {"a": {}}, [None] * 50, ["x"] * 5000, [{"price": "1"}] * 500, _DEEP, {"price": {"price": {}}},
]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every field and element below a value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in items:
        yield (*path, key)
        yield from places(child, (*path, key))


def changed(document: Any, draw: Random) -> Any:
    """The document with one to three of its fields replaced, dropped or doubled."""
    found = copy.deepcopy(document)
    for _ in range(draw.randint(1, 3)):
        paths = list(places(found))
        if not paths:
            return draw.choice(HOSTILE)
        *above, last = draw.choice(paths)
        holder = found
        for key in above:
            holder = holder[key]
        if draw.random() < 0.15:
            del holder[last]
        elif draw.random() < 0.15 and isinstance(holder, list):
            holder.extend(holder[:1] * 200)
        else:
            holder[last] = copy.deepcopy(draw.choice(HOSTILE))
    return found


def differing(file: str, document: Any) -> str:
    """What the code that a mapping runs first gives otherwise than its safe code; empty where it is the same."""
    one, context = mapping(file), context_of(file)
    arguments = document, context.envelope, context.company, *one._given(context)
    fast = outcome(lambda: one.apply(document, context))
    safe = outcome(lambda: one._run(one._safe(), arguments, is_last=True))
    return "" if fast == safe else f"fast code gives {fast}, safe code {safe}"


def outcome(work: Callable[[], Any]) -> str:
    try:
        return ascii(work())
    except MappingError as error:
        return ascii((str(error), error.field_path, error.value_excerpt, error.code, error.hint, error.expected))


def main(first: int, count: int) -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGPROF, alarm)
    known = [(file, case) for file in mapping_files() for case in cases_of(file)]
    wrong = 0
    for seed in range(first, first + count):
        draw = Random(seed)
        file, case = draw.choice(known)
        document = changed(case["input"], draw) if draw.random() < 0.97 else draw.choice(HOSTILE)
        fault = guarded(lambda file=file, document=document: mapping(file).apply(document, context_of(file)), SHOWN)
        traced = guarded(lambda file=file, document=document: mapping(file).trace(document, context_of(file))[0], SHOWN)
        for words in filter(None, (fault, traced, differing(file, document))):
            wrong += 1
            print(f"{seed}: {file}, {case['name']}: {words}"[:2000], flush=True)
    print(f"{count} documents, {highest_megabytes()} MB", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
