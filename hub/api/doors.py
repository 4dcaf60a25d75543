"""A system's door: who may bring what, how a repeat is told, and what is answered. Made once per deployed set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.webhook import Verified, Verifier
from hub.formats import codec
from hub.pipeline.program import Program
from hub.secret import resolve_all
from hub.systems import System


@dataclass(frozen=True, slots=True)
class Door:
    """What the ingest route needs to know of one system."""

    system: System
    verify: Callable[[Mapping[str, str], bytes, float], Verified]
    content_types: frozenset[str]
    answer: tuple[int, bytes, bytes] | None
    validates: bool


class Doors:
    """The doors of the active program, opened when first knocked at; a failing secret is a closed door."""

    def __init__(self, secrets: Path) -> None:
        self._secrets = secrets
        self._set_id = -1
        self._open: dict[str, Door | None] = {}

    def find(self, program: Program, name: str) -> Door | None:
        """The door of a system that may send over HTTP; None where there is no such system."""
        if program.set_id != self._set_id:
            self._set_id, self._open = program.set_id, {}
        if name not in self._open:
            system = program.settings.systems.get(name)
            self._open[name] = self._make(program, system) if system is not None and system.receives else None
        return self._open[name]

    def _make(self, program: Program, system: System) -> Door:
        config = {"verify": system.verify, "event": system.event, "dedupe": system.dedupe}
        verifier = Verifier(resolve_all(config, self._secrets))
        routes = program.by_source.get(system.name, ())
        types = {kind for route in routes for kind in route.codec.CONTENT_TYPES}
        types = types or set(codec(system.format).CONTENT_TYPES)
        return Door(
            system=system, verify=verifier.verify,
            content_types=frozenset(types), answer=_answer(system.answer),
            validates=any(route.route.validate == "sync" for route in routes),
        )  # fmt: skip


def _answer(answer: Any) -> tuple[int, bytes, bytes] | None:
    """How a preset words the acknowledgement, for senders that look for a certain text."""
    return (200, b"text/plain; charset=utf-8", str(answer).encode()) if answer else None
