"""Switches: routes an operator has paused, systems the engine or an operator has stopped. Claims obey them."""

from __future__ import annotations

from typing import Any

from hub.store.database import Database


def throw(db: Database, kind: str, name: str, state: str, reason: str, at: float, actor: str) -> bool:
    """Pause a route or stop a system; doing it twice keeps the first reason. False when it was off already."""
    db.execute(
        "INSERT INTO switches VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", (kind, name, state, reason, at, actor)
    )
    return db.changes() == 1


def release(db: Database, kind: str, name: str) -> bool:
    """Resume a route or start a system; False when it was not off."""
    db.execute("DELETE FROM switches WHERE kind = ? AND name = ?", (kind, name))
    return db.changes() == 1


def is_off(db: Database, kind: str, name: str) -> bool:
    """Asked before rows are looked at: however many wait for a stopped system, none of them is walked over."""
    return db.execute("SELECT 1 FROM switches WHERE kind = ? AND name = ?", (kind, name)).get is not None


def systems_off(db: Database) -> frozenset[str]:
    """The systems that are stopped."""
    return frozenset(str(name) for (name,) in db.execute("SELECT name FROM switches WHERE kind = 'system'"))


def listed(db: Database) -> list[dict[str, Any]]:
    """Every switch that is off: kind, name, state, reason, since, actor."""
    columns = ("kind", "name", "state", "reason", "since", "actor")
    rows = db.execute("SELECT kind, name, state, reason, since, actor FROM switches ORDER BY kind, name")
    return [dict(zip(columns, row, strict=True)) for row in rows]
