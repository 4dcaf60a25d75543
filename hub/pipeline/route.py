"""Which targets want a message: one delivery each, in the lane of its key."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hub.keys import bounded
from hub.mapping import Expression
from hub.message import Delivery, lane_seq
from hub.pipeline.program import CompiledRoute, CompiledTarget


def fan_out(
    compiled: CompiledRoute,
    document: Any,
    envelope: Mapping[str, Any],
    main_key: str,
    place: tuple[int, int],
    new_id: Callable[[], str],
    now: float,
    set_id: int,
    received_at: float,
) -> list[tuple[Delivery, CompiledTarget]]:
    """The deliveries of a message, none where every ``when`` says no. ``place`` is (seq, position) in arrival order.

    Raises MappingError when an expression of the route fails.
    """
    wanted = [t for t in compiled.targets if t.when is None or t.when(src=document, envelope=envelope)]
    ids = {t.target.id: new_id() for t in wanted}
    return [
        (
            Delivery(
                delivery_id=ids[t.target.id], message_id=str(envelope["id"]), lane_seq=lane_seq(*place),
                source=compiled.route.system, route=compiled.route.name, target=t.target.id, system=t.system.name,
                lane=_lane(compiled, t, document, envelope, main_key), state="queued", created_at=now, set_id=set_id,
                waits_for=ids.get(t.target.after or "", ""), received_at=received_at,
                due_at=t.collect.schedule.after(now) if t.collect else None, batch_id="" if t.collect else None,
                expires_at=t.target.expires_at(received_at),
            ),
            t,
        )
        for t in wanted
    ]  # fmt: skip


def _lane(
    compiled: CompiledRoute, target: CompiledTarget, document: Any, envelope: Mapping[str, Any], main_key: str
) -> str:
    """The key whose order is kept: the target's own, else the route's, else the type's main key; '' for none."""
    if compiled.route.order == "none":
        return ""
    expression: Expression | None = target.key or compiled.key
    if expression is None:
        return main_key
    value = expression(src=document, envelope=envelope)
    return "" if value is None else bounded(str(value))
