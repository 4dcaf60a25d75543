"""What the admin API is asked and gives about back-tests."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime, ConfigDict, Field

from hub.api.asked import Asked
from hub.api.bodies import Failure, Given

_EXAMPLE: dict[str, Any] = {
    "name": "shopify-order", "files": {"mappings/orders/shopify-order.yaml": "mapping: shopify-order\n…"},
    "since": "7d", "limit": 10000, "reason": "before the release of Friday",
}  # fmt: skip


class BacktestBody(Asked):
    """Which mapping or route, with which files: those of ``set_id`` (without it, of the set in force) and ``files`` in
    place of theirs. ``edited`` are those of them whose tables count too; without it, all."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})
    name: str = Field(min_length=1, max_length=200, description="A mapping or a route; mapping:NAME, route:NAME.")
    set_id: int | None = Field(default=None, ge=1, lt=2**63, description="A set that was deployed; see /deployments.")
    files: dict[str, str] = Field(
        default_factory=dict,
        description="By path: mappings/…, routes/… or schemas/…, but schemas/profiles/ and schemas/published/.",
    )
    edited: list[str] | None = Field(default=None, max_length=500)
    since: str = Field(default="7d", max_length=80, description="A time, or so long before the newest message (7d).")
    until: AwareDatetime | None = None
    limit: int | None = Field(default=None, ge=1, description="So many messages, the newest; without it, all.")
    system: str = Field(default="", max_length=200, description="Only what came from it, or went to it.")
    lookups: Literal["recorded", "current"] = "recorded"
    samples: int = Field(default=3, ge=0, le=100)
    reason: str = Field(default="", max_length=500)


class BacktestView(Given):
    """A back-test, and where it stands: ``done`` of ``total`` receipts."""

    backtest_id: str
    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    created_at: str
    started_at: str | None = None
    ended_at: str | None = None
    actor: str
    reason: str
    request: dict[str, Any]
    done: int
    total: int | None = None
    error: str | None = None


class BacktestList(Given):
    items: list[BacktestView]


class BacktestSubject(Given):
    kind: Literal["mapping", "route"]
    name: str
    file: str


class BacktestCandidate(Given):
    file: str
    sha256: str


class BacktestWindow(Given):
    since: str
    until: str
    limit: int | None
    system: str | None


class BacktestSample(Given):
    """``before`` and ``after`` are JSON, cut after 200 characters; null where there was nothing."""

    message_id: str
    before: str | None
    after: str | None


class BacktestChange(Given):
    """A field that differs. ``part`` is ``canonical``, ``message`` or a target; a ``path`` in brackets is no field."""

    part: str
    path: str
    kind: Literal["changed", "added", "removed", "retyped"]
    count: int
    samples: list[BacktestSample]


class BacktestFault(Given):
    part: str
    count: int
    error: Failure
    message_ids: list[str]


class BacktestLeftOut(Given):
    reason: str
    count: int
    detail: str
    made_by: str | None = None


class BacktestReport(Given):
    """What came out otherwise. The same store, files and request give the same report."""

    subject: BacktestSubject
    hub_version: str
    candidates: list[BacktestCandidate]
    window: BacktestWindow
    lookups: str
    masked: bool
    messages: int
    compared: int
    counts: dict[str, int]
    made_by: dict[str, int] = Field(description="How many messages were made by which version of the hub.")
    changes: list[BacktestChange]
    newly_failing: list[BacktestFault]
    newly_fixed: list[BacktestFault]
    failing_otherwise: list[BacktestFault]
    not_comparable: list[BacktestLeftOut]
