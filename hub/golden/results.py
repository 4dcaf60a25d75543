"""What became of a case: it passed, or what is not as expected, and what it would take to be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from hub.golden.compare import Difference
from hub.mapping import Probe

CASE, PROPERTIES = "case", "properties"


class Result(msgspec.Struct, frozen=True):
    """One case of a test file, or the properties of a mapping tried with the input of one.

    ``problem`` is a sentence where the case could not be compared at all (an error came instead of a document);
    ``update`` is what an update would write: the case's keys with their values; ``files`` are contents of files that it
    names. Where it must not write, ``why_not`` says why.
    """

    file: str
    line: int
    name: str
    kind: str = CASE
    differences: Sequence[Difference] = ()
    problem: str = ""
    seconds: float = 0.0
    hits: Sequence[Probe] = ()
    update: Mapping[str, Any] = msgspec.field(default_factory=dict)
    files: Mapping[str, bytes] = msgspec.field(default_factory=dict)
    why_not: str = ""
    notes: Sequence[str] = msgspec.field(default_factory=tuple)

    @property
    def passed(self) -> bool:
        return not self.differences and not self.problem

    @property
    def title(self) -> str:
        return f"{self.name} (properties)" if self.kind == PROPERTIES else self.name
