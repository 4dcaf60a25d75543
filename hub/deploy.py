"""Deploying: all files are checked, stored by content, and switched to at once; a faulty set is refused whole."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec.structs import replace

import hub
from hub.check import check_project
from hub.clock import Clock
from hub.errors import Conflict
from hub.pipeline.program import Program, build_program
from hub.project import content_hash, reference_files
from hub.store import Store, audit, sets
from hub.store.audit import Actor
from hub.store.database import Database, lock


def deploy(
    store: Store, files: Mapping[str, bytes], environment: str | None, clock: Clock, actor: Actor,
    own_connectors: Path | None = None, anew: bool = False, reason: str = "",
) -> Program:  # fmt: skip
    """Check a project's files, store them and put them in force, which is in the audit. Raises ProjectError with every
    fault.

    Deploying what is in force already changes nothing, but that every process reads its secrets again where it is put
    in force ``anew``.
    """
    hash, now = content_hash(files), clock.epoch()
    in_force = sets.active(store.reader())
    if in_force is not None and sets.is_same(store.reader(), in_force, hash, hub.__version__):
        if anew:
            store.write(lambda db: _put_in_force(db, in_force, now, actor, reason))
        return build_program(files, environment, in_force, own_connectors)
    shipped = reference_files()
    own = [path for path, content in files.items() if shipped.get(path) != content]
    check_project(files, environment, own=own, connectors_folder=own_connectors).require_sound()
    built = build_program(files, environment, 0, own_connectors)

    def job(db: Database) -> int:
        set_id = sets.put(db, files, hash, now, actor.name, hub.__version__)
        if anew or sets.active(db) != set_id:
            _put_in_force(db, set_id, now, actor, reason)
        return set_id

    return replace(built, set_id=store.write(job))


def _put_in_force(db: Database, set_id: int, at: float, actor: Actor, reason: str) -> None:
    lock(db, "deploy")
    _note(db, "set.deploy", set_id, at, actor, reason)
    sets.activate(db, set_id, at, actor.name)


def _note(db: Database, action: str, set_id: int, at: float, actor: Actor, reason: str) -> None:
    audit.append(db, at, actor, action, str(set_id), {"before": sets.active(db), "after": set_id}, reason)


def rollback(
    store: Store, environment: str | None, clock: Clock, actor: Actor, own_connectors: Path | None = None,
    reason: str = "",
) -> Program:  # fmt: skip
    """Put the set that was in force before back in force, which is in the audit. Raises Conflict when there is none, or
    when another was put in force meanwhile."""
    now = clock.epoch()
    db = store.reader()
    current, earlier = sets.active(db), sets.before(db)
    if earlier is None:
        raise Conflict("there is no earlier set to go back to")
    program = build_program(sets.files_of(db, earlier), environment, earlier, own_connectors)

    def job(db: Database) -> None:
        lock(db, "deploy")
        if sets.active(db) != current:
            raise Conflict("another set was put in force meanwhile; look at it before you go back")
        _note(db, "set.rollback", earlier, now, actor, reason)
        sets.go_back(db, earlier, now, actor.name)

    store.write(job)
    return program


def is_taken_back(store: Store, files: Mapping[str, bytes]) -> bool:
    """Whether a rollback was the last that was put in force, and these files are what it went back from."""
    return sets.is_taken_back(store.reader(), content_hash(files))


def active_program(store: Store, environment: str | None, own_connectors: Path | None = None) -> Program | None:
    """The program of the set in force; None before the first deploy."""
    db = store.reader()
    set_id = sets.active(db)
    if set_id is None:
        return None
    return build_program(sets.files_of(db, set_id), environment, set_id, own_connectors)
