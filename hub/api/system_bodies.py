"""What the admin API gives about systems: how they are, what they bear, what keeps deliveries to them back."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from hub.api.bodies import Given, Switch


class CircuitView(Given):
    """``open``: nothing is sent or fetched; ``half_open``: one delivery, or look, finds out how the system is."""

    state: Literal["closed", "open", "half_open"]
    since: str | None = None
    reason: str | None = None
    actor: str | None = Field(default=None, description="`hub`, or the person who opened it.")
    next_probe_at: str | None = Field(default=None, description="Missing while open: not before it is closed by hand.")
    failed_probes: int | None = None


class Bearing(Given):
    """``rate`` is requests a second; missing: any number."""

    rate: float | None = None
    concurrency: int
    retry_budget: float = Field(description="The part of what is sent that may be retries.")


class Adjusted(Given):
    """Who changed the limits, when and why."""

    reason: str
    since: str
    actor: str


class LimitsView(Bearing):
    """What is in force for all workers together, beside what is configured."""

    configured: Bearing
    adjusted: Adjusted | None = None


class SourceView(Given):
    """What is fetched: when it was last read to its end, and why it cannot be read now."""

    tried_at: str | None = Field(default=None, description="Missing: it was not read yet.")
    read_at: str | None = Field(default=None, description="The last time that it could be read to its end.")
    took_at: str | None = Field(default=None, description="The last time that there was something new.")
    taken: int = Field(description="How much that was new was ever taken.")
    failing_since: str | None = None
    reason: str | None = Field(default=None, description="Why it cannot be read.")


class SystemView(Given):
    """A system. ``circuit`` is there for those that are sent to or fetched from, ``limits`` for the former."""

    name: str
    description: str
    connector: str
    preset: str | None = None
    sends: bool
    receives: bool
    fetches: bool
    waiting: int
    off: Switch | None = None
    circuit: CircuitView | None = None
    paused_until: str | None = Field(default=None, description="It asked to be left alone until then (429, 503).")
    limits: LimitsView | None = None
    source: SourceView | None = Field(default=None, description="Of systems that are fetched from.")


class SystemList(Given):
    items: list[SystemView]


class Room(Given):
    """How much is stored, and how much may be: bytes of payloads as they are stored, or messages."""

    used: int
    limit: int


class QuotaView(Given):
    """How full a quota is: of the whole hub, of one source, or of one route."""

    kind: Literal["hub", "source", "route"]
    name: str
    size: Room | None = None
    messages: Room | None = None
    full_since: str | None = Field(default=None, description="Documents are answered 503 since then.")
    pruned_at: str | None = Field(default=None, description="When something was last removed before its time.")
    pruned_to: str | None = Field(default=None, description="When the youngest of what was removed had come in.")


class QuotaList(Given):
    items: list[QuotaView]
