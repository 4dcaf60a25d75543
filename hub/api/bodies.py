"""What the admin API gives, as models: the OpenAPI document is made from them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from hub.api.batch_body import Batch
from hub.store.findings import Code


class Given(BaseModel):
    """An answer."""

    model_config = ConfigDict(populate_by_name=True)


class Failure(Given):
    """Why something could not go on."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)
    class_: str = Field(default="", alias="class")
    code: str = ""
    detail: str = ""
    step: str | None = None
    file: str | None = None
    line: int | None = None
    column: int | None = None
    field_path: str | None = None
    position: str | None = None
    value_excerpt: str | None = Field(default=None, description="Not shown to viewers.")
    expected: str | None = None
    hint: str | None = None
    retryable: bool | None = None
    status: int | None = None
    fingerprint: str | None = Field(default=None, description="The issue it belongs to.")
    delivery_id: str | None = Field(default=None, description="What is to be replayed, where that is not it itself.")
    partner: str | None = Field(default=None, description="The trading partner that sent what no route takes.")


class DeliveryLine(Given):
    """A message on its way to one target."""

    delivery_id: str
    message_id: str
    route: str
    target: str
    system: str
    state: str
    attempts: int
    revision: int
    next_try_at: str | None = None
    expires_at: str | None = Field(default=None, description="Until when it may be sent; missing where at any time.")
    updated_at: str
    hold_reason: str | None = None
    replay_of: str | None = None
    replay_depth: int
    set_id: int
    batch: Batch | None = None
    error: Failure | None = None


class MessageLine(Given):
    """A message in a list; one without ``route`` may be a receipt that is not split yet, or never could be."""

    message_id: str
    receipt_id: str
    state: str
    source: str
    event: str
    route: str
    type: str
    main_key: str
    received_at: str
    place: str | None = None
    resolved_by: str | None = None
    replay_state: str | None = Field(
        default=None, description="What came of its replay: the state of what needs a person most, or is least far on."
    )
    replay_of: str | None = None
    issue: str | None = None
    error: Failure | None = None
    deliveries: list[DeliveryLine]


class MessagePage(Given):
    """``next_cursor`` is there while there may be more, even when a page has fewer items than asked for."""

    items: list[MessageLine]
    next_cursor: str | None = None


class Stage(Given):
    """A stored payload: read it at ``/messages/{id}/payloads/{stage}``."""

    stage: str
    revision: int
    size: int
    content_type: str


class Replayable(Given):
    """Whether a replay from the failed step would do something."""

    replayable: bool
    reason: str | None = None
    detail: str | None = None


class Attempt(Given):
    """One try of a delivery."""

    delivery_id: str
    target: str
    number: int
    started_at: str
    ended_at: str
    seconds: float
    worker: str
    set_id: int
    revision: int
    outcome: str
    status: int
    code: str
    detail: str


class MessageFinding(Given):
    """Something found about a message that goes on all the same. It is open until it has come right (`settled_at`) or
    somebody has seen to it (`settled_by`)."""

    message_id: str
    source: str
    code: Code
    detail: str
    found_at: str
    settled_at: str | None = None
    settled_by: str | None = None


class FindingList(Given):
    items: list[MessageFinding]


class MessageDetail(MessageLine):
    """A message whole. For a receipt of several messages, ``messages`` names them."""

    seq: int
    position: int
    door: str
    content_type: str
    size: int
    name: str | None = None
    correlation_id: str | None = None
    causation_id: str | None = None
    trace_id: str | None = None
    set_id: int | None = None
    keys: list[str]
    attempts: list[Attempt]
    findings: list[MessageFinding]
    effects: list[Effect]
    payloads: list[Stage]
    replays: list[str]
    messages: list[dict[str, Any]]
    message_count: int
    replay: Replayable


class Effect(Given):
    """What is known of what a delivery has caused at its receiver. ``key`` is what the receiver was given,
    ``reference`` what it calls the thing itself."""

    delivery_id: str
    target: str
    system: str
    key: str
    state: Literal["happened", "none", "unknown", "settled_by_hand"]
    reference: str | None = None
    first_sent_at: str | None = None
    last_sent_at: str | None = None
    times_sent: int
    answered: str | None = Field(default=None, description="The answer to the last sending, or why there was none.")
    looked_up_at: str | None = None
    look_ups: int
    found: bool | None = Field(default=None, description="What the last look-up said; missing: it could not tell.")
    next_look_up_at: str | None = None


class EffectList(Given):
    items: list[Effect]


class AttemptList(Given):
    items: list[Attempt]


class DeadLetterLine(Given):
    """Something that somebody has to look at."""

    kind: Literal["receipt", "message", "delivery"]
    id: str
    message_id: str
    state: str
    route: str
    source: str
    target: str | None = None
    system: str | None = None
    main_key: str | None = None
    received_at: str
    since: str
    issue: str
    error: Failure


class IssueLine(Given):
    """Dead letters of one cause, with the body of a replay or, where none takes them, of the release of each."""

    issue: str
    count: int
    first_seen: str
    last_seen: str
    kinds: dict[str, int]
    states: dict[str, int]
    route: str | None = None
    source: str | None = None
    system: str | None = None
    error: Failure
    examples: list[str]
    replay: dict[str, Any] | None = None
    release: dict[str, Any] | None = None
    command: str


class DeadLetters(Given):
    """Grouped: ``issues``. Not grouped: ``items``, the oldest first."""

    total: int
    issues: list[IssueLine] | None = None
    items: list[DeadLetterLine] | None = None


class DeliveryState(Given):
    delivery_id: str
    state: str


class Resolved(Given):
    message_id: str
    resolved_by: str


class ReplayView(Given):
    """A replay: its plan, and where it stands."""

    replay_id: str
    state: Literal["planned", "running", "done", "cancelled"]
    created_at: str
    started_at: str | None = None
    ended_at: str | None = None
    actor: str
    reason: str
    request: dict[str, Any]
    plan: dict[str, Any]
    plan_hash: str
    items: dict[str, int]
    outcomes: dict[str, int]
    waits: dict[str, int] = Field(description="What of it waits for a `route NAME`, or a `system NAME`, that is off.")


class ReplayList(Given):
    items: list[ReplayView]


class ReplayItem(Given):
    ordinal: int
    kind: str
    item_id: str
    state: str
    note: str | None = None
    detail: str | None = None
    new_id: str | None = None


class ReplayItems(Given):
    items: list[ReplayItem]
    next_cursor: str | None = None


class Switch(Given):
    """Why something is off."""

    state: str
    reason: str
    since: str
    actor: str


class RouteView(Given):
    name: str
    description: str
    source: str
    events: list[str]
    map: str
    order: str
    targets: list[str]
    file: str
    line: int
    off: Switch | None = None


class RouteList(Given):
    items: list[RouteView]


class SwitchState(Given):
    name: str
    state: Literal["on", "paused", "stopped"]


class Deployment(Given):
    set_id: int
    hash: str
    activated_at: str
    actor: str
    hub_version: str


class DeploymentList(Given):
    active: int
    items: list[Deployment]


class Deployed(Given):
    set_id: int


class Finding(Given):
    what: str
    count: int
    example: str | None = None


class Beside(Given):
    name: str
    label: str
    count: int
    bytes: int
    last_at: str


class Counts(Given):
    """Counts by state since the store began. ``findings`` is there when the proof was asked for."""

    receipts: dict[str, int]
    messages: dict[str, int]
    deliveries: dict[str, int]
    dead_letters: int
    refused: list[Beside]
    duplicates: list[Beside]
    adds_up: bool | None = None
    findings: list[Finding] | None = None
