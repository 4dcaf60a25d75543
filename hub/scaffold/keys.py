"""The first key of a new project: its hash into the store, itself into a file that only its owner can read."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from hub.client import LOCAL
from hub.clock import SystemClock
from hub.project import own_files
from hub.settings import Settings, load_settings
from hub.store import api_keys, open_store


def create_local_key(root: Path, environment: str | None = None) -> str:
    """Create the store of a project with one admin key, for the command line of this machine."""
    settings, _ = load_settings(own_files(root), environment)
    store, clock, token = open_store(str(settings.store), root), SystemClock(), api_keys.new_token()
    try:
        store.write(lambda db: api_keys.add(db, clock.new_id(), "command line", "admin", token, clock.epoch()))
    finally:
        store.close()
    local = {"url": address_of(settings), "api_key": token}
    write_private(root / LOCAL, msgspec.json.format(msgspec.json.encode(local), indent=2).decode() + "\n")
    return token


def keep_local(root: Path, settings: Settings) -> None:
    """The command line's file says where the hub is now; nothing where the project has no such file."""
    path = root / LOCAL
    try:
        local = msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    except (FileNotFoundError, msgspec.DecodeError):
        return
    tls = settings.http.tls
    now = {**local, "url": address_of(settings), "certificate": str(root / tls.certificate) if tls else ""}
    if now != {"certificate": "", **local}:
        fresh = path.with_name(f"{path.name}.new")  # a command may be reading the old one
        write_private(fresh, msgspec.json.format(msgspec.json.encode(now), indent=2).decode() + "\n")
        fresh.replace(path)


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
