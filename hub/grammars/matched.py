"""What became of the segments of one message."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.grammars.findings import Finding
from hub.grammars.table import Place
from hub.grammars.types import MessageType

Tree = dict[str, Any]
Segments = Sequence[Sequence[Any]]


@dataclass(slots=True)
class Match:
    """``places`` has the node of each segment of the body (None for a stray one), ``first`` is the number of the first
    of them in the message, ``strays`` are pairs of number and segment."""

    message: MessageType
    body: Segments
    first: int
    tree: Tree = field(default_factory=dict)
    places: list[Place | None] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    strays: list[tuple[int, Sequence[Any]]] = field(default_factory=list)
