"""The batch of a delivery that its target collects, as the admin API gives it."""

from __future__ import annotations

from pydantic import BaseModel


class Batch(BaseModel):
    """Deliveries that their target collects and that are sent together: which one, once they were put together."""

    batch_id: str | None = None
    collected_at: str | None = None
    members: int | None = None
    due_at: str | None = None
