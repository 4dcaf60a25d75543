"""API keys: ``o2c_…`` texts of which only the SHA-256 is kept. A key is shown once, when it is made."""

from __future__ import annotations

import hashlib
import hmac
import secrets

import msgspec

from hub.store.database import Database

PREFIX = "o2c_"
ROLES = ("viewer", "operator", "admin")


class ApiKey(msgspec.Struct, frozen=True):
    """A key without its secret. ``revoked_at`` None means that it opens the hub."""

    key_id: str
    name: str
    role: str
    created_at: float
    revoked_at: float | None

    def may(self, role: str) -> bool:
        """Whether this key's role includes ``role``: an admin may all, an operator what a viewer may."""
        return ROLES.index(self.role) >= ROLES.index(role)


def new_token() -> str:
    """256 random bits as a text that is easy to tell from other secrets."""
    return PREFIX + secrets.token_urlsafe(32)


def add(db: Database, key_id: str, name: str, role: str, token: str, at: float) -> ApiKey:
    """Store the hash of a key; the token itself is kept nowhere."""
    db.execute("INSERT INTO api_keys VALUES (?, ?, ?, ?, ?, NULL)", (key_id, name, role, _hash(token), at))
    return ApiKey(key_id, name, role, at, None)


def find(db: Database, token: str) -> ApiKey | None:
    """The key that a token is; None when it is none or was revoked."""
    if not token.startswith(PREFIX) or len(token) > 200:
        return None
    hashed = _hash(token)
    row = db.execute(
        "SELECT key_id, name, role, created_at, revoked_at, hash FROM api_keys WHERE hash = ? AND revoked_at IS NULL",
        (hashed,),
    ).fetchone()
    if row is None or not hmac.compare_digest(row[5], hashed):
        return None
    return ApiKey(*row[:5])


def listed(db: Database) -> list[ApiKey]:
    """Every key there ever was, the newest last."""
    rows = db.execute("SELECT key_id, name, role, created_at, revoked_at FROM api_keys ORDER BY created_at, key_id")
    return [ApiKey(*row) for row in rows]


def revoke(db: Database, key_id: str, at: float) -> bool:
    """A key opens nothing from now on; False when there is none that did."""
    db.execute("UPDATE api_keys SET revoked_at = ? WHERE key_id = ? AND revoked_at IS NULL", (at, key_id))
    return db.changes() == 1


def _hash(token: str) -> str:
    # The token is 256 random bits, so a plain digest cannot be guessed back; a slow one would only cost each request.
    return hashlib.sha256(token.encode()).hexdigest()
