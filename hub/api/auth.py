"""Who may call: API keys with a role, and, for looking only, whoever sits at the machine itself."""

from __future__ import annotations

import base64
from typing import Annotated

import msgspec
from fastapi import Depends, Request

from hub.api.alive import is_local, origin
from hub.api.desk import Desk, desk_of
from hub.api.problems import Problem
from hub.store import api_keys
from hub.store.audit import Actor


class Caller(msgspec.Struct, frozen=True):
    """Who a request comes from. ``key_id`` is '' for somebody at the machine without a key."""

    key_id: str
    name: str
    role: str
    origin: str

    @property
    def actor(self) -> Actor:
        return Actor(self.name, self.role, self.origin)

    def may(self, role: str) -> bool:
        return api_keys.ROLES.index(self.role) >= api_keys.ROLES.index(role)

    @property
    def sees_personal_data(self) -> bool:
        return self.may("operator")


class Needs(msgspec.Struct, frozen=True):
    """A dependency: the caller, if their key has at least this role. ``at_home`` lets local callers look without."""

    role: str
    at_home: bool = False

    def __call__(self, request: Request, desk: Annotated[Desk, Depends(desk_of)]) -> Caller:
        token = _token(request.headers.get("authorization", ""))
        if not token and self.at_home and is_local(request, desk.engine):
            return Caller("", "local", "viewer", origin(request))
        key = api_keys.find(desk.engine.store.reader(), token) if token else None
        if key is None:
            raise _unauthorized(bool(token), self.at_home)
        caller = Caller(key.key_id, key.name, key.role, origin(request))
        if not caller.may(self.role):
            detail = f"the key '{key.name}' is a {key.role}'s; this needs {self.role}"
            raise Problem(403, "forbidden", detail, hint=f"ask an admin for a key with the role {self.role}")
        return caller


Viewer = Annotated[Caller, Depends(Needs("viewer"))]
LocalViewer = Annotated[Caller, Depends(Needs("viewer", at_home=True))]
Operator = Annotated[Caller, Depends(Needs("operator"))]
Admin = Annotated[Caller, Depends(Needs("admin"))]


def _unauthorized(had_token: bool, browser: bool) -> Problem:
    detail = "this key is not known, or was revoked" if had_token else "there is no API key with this request"
    scheme = 'Basic realm="o2c", charset="UTF-8"' if browser else "Bearer"
    hint = "send Authorization: Bearer o2c_…; an admin makes keys with POST /api/v1/keys"
    return Problem(401, "unauthorized", detail, hint=hint, headers={"WWW-Authenticate": scheme})


def _token(header: str) -> str:
    """The key in ``Bearer KEY``, or in ``Basic`` as its password (what a browser can do)."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[2]
        except ValueError:  # no Base64, no UTF-8, or not even ASCII
            return ""
    return ""
