"""Deployed sets of project files, content-addressed, and which one is in force."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import msgspec

from hub.store.compression import packed, unpacked
from hub.store.database import Database, lock

_CONTENTS = "SELECT f.sha256, f.content FROM json_each(?) j JOIN files f ON f.sha256 = j.value ->> 0"

_GONE_BACK = " (rollback)"  # behind the name of who did it


def put(db: Database, files: Mapping[str, bytes], hash: str, at: float, actor: str, hub_version: str) -> int:
    """Store a set once; gives its number, the old one where exactly these files were deployed before."""
    lock(db, "deploy")
    known = db.execute("SELECT set_id FROM sets WHERE hash = ?", (hash,)).get
    if known is not None:
        return int(known)
    manifest = {path: sha256(content).hexdigest() for path, content in sorted(files.items())}
    db.executemany(
        "INSERT INTO files VALUES (?, ?) ON CONFLICT DO NOTHING",
        [(manifest[path], packed(content)) for path, content in files.items()],
    )
    made = db.execute(
        "INSERT INTO sets (hash, manifest, created_at, actor, hub_version) VALUES (?, ?, ?, ?, ?) RETURNING set_id",
        (hash, msgspec.json.encode(manifest).decode(), at, actor, hub_version),
    )
    return int(made.get)


def activate(db: Database, set_id: int, at: float, actor: str) -> None:
    """Put a set in force: one row, at once."""
    _activate(db, set_id, at, actor.removesuffix(_GONE_BACK))


def go_back(db: Database, set_id: int, at: float, actor: str) -> None:
    """Put an earlier set in force again."""
    _activate(db, set_id, at, actor + _GONE_BACK)


def _activate(db: Database, set_id: int, at: float, actor: str) -> None:
    db.execute("INSERT INTO activations (set_id, activated_at, actor) VALUES (?, ?, ?)", (set_id, at, actor))


def before(db: Database) -> int | None:
    """The set that was in force before the one that is, but for those that were gone back from: what a rollback goes
    to."""
    kept, _ = _history(db)
    return kept[-2] if len(kept) > 1 else None


def is_taken_back(db: Database, hash: str) -> bool:
    """Whether the last act was to go back, from the set with this content whether in one step or in several."""
    _, left = _history(db)
    return db.execute("SELECT set_id FROM sets WHERE hash = ?", (hash,)).get in left


def _history(db: Database) -> tuple[list[int], set[int]]:
    """The sets that were in force one after the other, without those that were gone back from; and of these the ones
    that the last acts left, where nothing was deployed since."""
    kept: list[int] = []
    left = set[int]()
    for set_id, actor in db.execute("SELECT set_id, actor FROM activations ORDER BY activation_id"):
        if not actor.endswith(_GONE_BACK):
            left.clear()
        elif kept:
            left.add(kept.pop())
            # Earlier versions went to the next lower number, past several or to one that had been left.
            while kept and kept[-1] != set_id and set_id in kept:
                left.add(kept.pop())
            left.discard(set_id)
        if kept[-1:] != [set_id]:
            kept.append(set_id)
    return kept, left


def active(db: Database) -> int | None:
    return db.execute("SELECT set_id FROM activations ORDER BY activation_id DESC LIMIT 1").get  # type: ignore[no-any-return]


def last_activation(db: Database) -> tuple[int, int] | None:
    """The row that put a set in force last, and that set. A deploy makes one, also of the set that was in force."""
    row = db.execute("SELECT activation_id, set_id FROM activations ORDER BY activation_id DESC LIMIT 1").fetchone()
    return None if row is None else (int(row[0]), int(row[1]))


def is_same(db: Database, set_id: int, hash: str, hub_version: str) -> bool:
    """Whether a set is exactly these files, checked by this very version of the hub."""
    row = db.execute("SELECT hash, hub_version FROM sets WHERE set_id = ?", (set_id,)).fetchone()
    return bool(row == (hash, hub_version))


def version_of(db: Database, set_id: int) -> str | None:
    """The version of the hub that a set was first put in force by; None when there is no such set."""
    return db.execute("SELECT hub_version FROM sets WHERE set_id = ?", (set_id,)).get  # type: ignore[no-any-return]


def files_of(db: Database, set_id: int) -> dict[str, bytes]:
    """A set's files by path."""
    manifest = msgspec.json.decode(db.execute("SELECT manifest FROM sets WHERE set_id = ?", (set_id,)).get)
    wanted = msgspec.json.encode([[digest] for digest in set(manifest.values())]).decode()
    rows = db.execute(_CONTENTS, (wanted,))  # at once: on a server each statement is a way there and back
    contents = {digest: unpacked(content) for digest, content in rows}
    return {path: contents[digest] for path, digest in manifest.items()}


def listed(db: Database, limit: int = 50) -> list[dict[str, Any]]:
    """Activations, newest first."""
    columns = ("set_id", "hash", "activated_at", "actor", "hub_version")
    rows = db.execute(
        """SELECT a.set_id, s.hash, a.activated_at, a.actor, s.hub_version FROM activations a
           JOIN sets s ON s.set_id = a.set_id ORDER BY a.activation_id DESC LIMIT ?""",
        (limit,),
    )
    return [dict(zip(columns, row, strict=True)) for row in rows]
