"""Keys and the audit: who may call, and who has done what."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Response

from hub.api import access_bodies, asked
from hub.api.admin_messages import Cursor, Limit
from hub.api.auth import Admin
from hub.api.cursors import row_number
from hub.api.desk import AtDesk
from hub.api.gate import Gated
from hub.api.idempotency import ActingOnce
from hub.api.operations import described
from hub.api.views import iso_or_none
from hub.clock import iso
from hub.errors import NotFound
from hub.store import api_keys, audit
from hub.store.api_keys import ApiKey
from hub.store.database import Database

keys = APIRouter(tags=["keys"], route_class=Gated)
trail = APIRouter(tags=["audit"])
KeyId = Annotated[str, Path(max_length=100)]


@keys.get("/keys", operation_id="list_keys", **described("admin"))
def list_keys(desk: AtDesk, caller: Admin) -> access_bodies.KeyList:
    """Every key there ever was; no key's secret is stored."""
    return access_bodies.KeyList(items=[_view(key) for key in api_keys.listed(desk.engine.store.reader())])


@keys.post(
    "/keys", operation_id="create_key", status_code=201,
    **described("admin", acting=True) | {"response_model": access_bodies.KeyView},
)  # fmt: skip
def create_key(desk: AtDesk, caller: Admin, once: ActingOnce, body: asked.KeyBody) -> Response:
    """Make a key. Its secret, `token`, is in this answer and never again, not even when the request is repeated."""
    engine, token = desk.engine, api_keys.new_token()
    key_id, now = engine.clock.new_id(), engine.clock.epoch()

    def job(db: Database) -> ApiKey:
        audit.append(db, now, caller.actor, "key.create", key_id, {"name": body.name, "role": body.role})
        return api_keys.add(db, key_id, body.name, body.role, token, now)

    def work() -> access_bodies.KeyView:
        return _view(engine.store.write(job)).model_copy(update={"token": token})

    return once.run(caller, body, work, status=201, unkept=("token",))


@keys.delete(
    "/keys/{key_id}", operation_id="revoke_key",
    **described("admin", 404, acting=True) | {"response_model": access_bodies.KeyView},
)  # fmt: skip
def revoke_key(desk: AtDesk, caller: Admin, once: ActingOnce, key_id: KeyId) -> Response:
    """Take a key's power away, at once and for good."""
    engine, now = desk.engine, desk.engine.clock.epoch()

    def job(db: Database) -> ApiKey:
        if not api_keys.revoke(db, key_id, now):
            raise NotFound(f"there is no key in use with the id '{key_id[:80]}'")
        audit.append(db, now, caller.actor, "key.revoke", key_id)
        return next(key for key in api_keys.listed(db) if key.key_id == key_id)

    return once.run(caller, None, lambda: _view(engine.store.write(job)))


def _view(key: ApiKey) -> access_bodies.KeyView:
    return access_bodies.KeyView(
        key_id=key.key_id, name=key.name, role=key.role, created_at=iso(key.created_at),
        revoked_at=iso_or_none(key.revoked_at),
    )  # fmt: skip


@trail.get("/audit", operation_id="list_audit", **described("admin", 422))
def list_audit(desk: AtDesk, caller: Admin, limit: Limit = 100, cursor: Cursor = None) -> access_bodies.AuditPage:
    """Who did what, the newest first."""
    rows = audit.listed(desk.engine.store.reader(), limit, row_number(cursor))
    items = [access_bodies.AuditLine(**{**row, "at": iso(row["at"])}) for row in rows]
    return access_bodies.AuditPage(items=items, next_cursor=str(rows[-1]["audit_id"]) if len(rows) == limit else None)


@trail.get("/audit/check", operation_id="check_audit", **described("admin"))
def check_audit(desk: AtDesk, caller: Admin) -> access_bodies.AuditCheck:
    """Whether every row is still what was written. Keep `head` elsewhere to see also whether rows were cut off."""
    with desk.engine.store.snapshot() as db:
        broken, head = audit.verify(db), audit.head(db)
    return access_bodies.AuditCheck(holds=broken is None, broken_at=broken, head=head)
