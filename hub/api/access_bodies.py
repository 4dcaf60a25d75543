"""What the admin API gives about who may do what, and who did what: keys and the audit."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from hub.api.bodies import Given


class KeyView(Given):
    key_id: str
    name: str
    role: str
    created_at: str
    revoked_at: str | None = None
    token: str | None = Field(default=None, description="The key itself: only in the answer that made it.")


class KeyList(Given):
    items: list[KeyView]


class AuditLine(Given):
    audit_id: int
    at: str
    actor: str
    role: str
    origin: str
    action: str
    subject: str
    detail: dict[str, Any]
    reason: str
    hash: str


class AuditPage(Given):
    items: list[AuditLine]
    next_cursor: str | None = None


class AuditCheck(Given):
    """``broken_at`` is the first row that is not what was written."""

    holds: bool
    broken_at: int | None = None
    head: str
