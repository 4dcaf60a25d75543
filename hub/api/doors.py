"""A system's door: who may bring what, how a repeat is told, and what is answered. Made once per deploy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from connectors.base import ConnectorError
from connectors.webhook import Ping, Verified, Verifier
from hub.errors import HubError
from hub.formats import codec
from hub.loggers import structlog
from hub.pipeline.fetch_back import FORM
from hub.pipeline.program import Program
from hub.secret import resolve_all
from hub.systems import System

_log = structlog.get_logger("doors")


class Door(msgspec.Struct, frozen=True):
    """What the ingest route needs to know of one system."""

    system: System
    verify: Callable[[Mapping[str, str], bytes, float], Verified]
    content_types: frozenset[str]
    answer: tuple[int, bytes, bytes] | None
    validates: bool
    challenge: str  # how a sender proves itself, as HTTP says it with 401
    ping: Ping | None


class DoorClosed(Exception):
    """A system that is there, but not set up as it has to be."""


class Doors:
    """The doors of the active program, opened when first knocked at. Every deploy makes another program, also of the
    same files, so that secrets are read again."""

    def __init__(self, secrets: Path) -> None:
        self._secrets = secrets
        self._program: Program | None = None
        self._open: dict[str, Door] = {}
        self._closed: dict[str, str] = {}  # why it could not be opened last time

    def find(self, program: Program, name: str) -> Door | None:
        """The door of a system that may send over HTTP; None where there is no such system.

        Raises DoorClosed where it cannot be opened, for want of its secret mostly; the reason is logged once.
        """
        if program is not self._program:
            self._program, self._open, self._closed = program, {}, {}
        door = self._open.get(name)
        if door is None:
            system = program.settings.systems.get(name)
            if system is None or not system.receives or system.door != "in":
                return None  # and not remembered: names are anybody's to invent
            door = self._open[name] = self._opened(program, system)
        return door

    def _opened(self, program: Program, system: System) -> Door:
        try:
            return self._make(program, system)
        except (HubError, ConnectorError) as error:
            if self._closed.get(system.name) != str(error):
                _log.error("a source cannot be taken from", system=system.name, reason=str(error))
            self._closed[system.name] = str(error)
            raise DoorClosed(system.name) from error

    def _make(self, program: Program, system: System) -> Door:
        partners = program.partners_at(system.name)
        dedupe = {**system.dedupe, "id": "sha256"} if partners and not system.dedupe.get("id") else system.dedupe
        config = {"verify": system.verify, "event": system.event, "dedupe": dedupe}
        verifier = Verifier(resolve_all(config, self._secrets))
        routes = program.by_source.get(system.name, ())
        codecs = [codec("edifact"), codec("x12")] if partners else [route.codec for route in routes]
        types = {kind for one in codecs or [codec(system.format)] for kind in one.CONTENT_TYPES}
        types = {"application/json", FORM} if system.options.get("fetch_back") else types
        return Door(
            system=system, verify=verifier.verify,
            content_types=frozenset(types), answer=_answer(system.answer),
            validates=any(route.route.validate == "sync" for route in routes),
            challenge=_challenge(system.verify or {}), ping=Ping.of(system.ping),
        )  # fmt: skip


def _answer(answer: Any) -> tuple[int, bytes, bytes] | None:
    """How a preset words the acknowledgement, for senders that look for a certain text."""
    return (200, b"text/plain; charset=utf-8", str(answer).encode()) if answer else None


def _challenge(verify: Mapping[str, Any]) -> str:
    """For a signature and a token in a header of its own there is no scheme with a registered name."""
    if any((verify.get("basic") or {}).values()) or verify.get("method") == "basic":
        return 'Basic realm="hub", charset="UTF-8"'
    is_bearer = str(verify.get("prefix", "")).strip().lower() == "bearer"
    return f'{"Bearer" if is_bearer else str(verify.get("method") or "signature").title()} realm="hub"'
