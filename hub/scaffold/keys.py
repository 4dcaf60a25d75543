"""The first key of a store: its hash into the store, itself into a file that only its owner can read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from hub.client import LOCAL
from hub.clock import Clock, SystemClock
from hub.project import own_files
from hub.settings import Settings, load_settings
from hub.store import Store, api_keys, audit, open_store
from hub.store.audit import Actor
from hub.store.database import Database


def create_local_key(root: Path, environment: str | None = None) -> str:
    """Create the store of a project with one admin key, for the command line of this machine."""
    settings, _ = load_settings(own_files(root), environment)
    store, token = open_store(str(settings.store), root), api_keys.new_token()
    try:
        admit_first(store, SystemClock(), token)
    finally:
        store.close()
    write_private(root / LOCAL, _text({"url": address_of(settings), "api_key": token}))
    return token


def admit_first(store: Store, clock: Clock, token: str) -> bool:
    """Whether a token is now the admin key of a store in which there never was one."""
    if not token or api_keys.listed(store.reader()):
        return False
    key_id, now, name, role = clock.new_id(), clock.epoch(), "command line", "admin"

    def job(db: Database) -> None:
        audit.append(db, now, Actor("hub"), "key.create", key_id, {"name": name, "role": role})
        api_keys.add(db, key_id, name, role, token, now)

    store.write(job)
    return True


def keep_local(root: Path, settings: Settings, store: Store, clock: Clock) -> None:
    """The command line's file says where the hub is now, and with which key. A store in which there never was one, as
    after the old one is deleted or a project is cloned, takes that of the file, or a new one."""
    path, local = root / LOCAL, read_local(root)
    tls = settings.http.tls
    now = {**local, "url": address_of(settings), "certificate": str(root / tls.certificate) if tls else ""}
    token = now.setdefault("api_key", api_keys.new_token())
    if not (admit_first(store, clock, token) or local):
        return
    if now != {"certificate": "", **local}:
        fresh = path.with_name(f"{path.name}.new")  # a command may be reading the old one
        write_private(fresh, _text(now))
        fresh.replace(path)


def read_local(root: Path) -> dict[str, str]:
    """What the command line's file says; nothing where there is none, or none that can be read."""
    try:
        return msgspec.json.decode((root / LOCAL).read_bytes(), type=dict[str, str])
    except (FileNotFoundError, msgspec.DecodeError):
        return {}


def _text(local: Mapping[str, str]) -> str:
    return msgspec.json.format(msgspec.json.encode(local), indent=2).decode() + "\n"


def address_of(settings: Settings) -> str:
    """Where the hub of these settings is reached from this machine."""
    http = settings.http
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(http.host, http.host)  # noqa: S104 - compared, not bound
    return f"{'https' if http.tls else 'http'}://{f'[{host}]' if ':' in host else host}:{http.port}"


def write_private(path: Path, text: str) -> None:
    """A file that only its owner can read, from its first moment."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
