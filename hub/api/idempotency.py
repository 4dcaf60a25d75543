"""Acting requests happen once per Idempotency-Key: a repeat gets the first answer, for 72 hours."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

import msgspec
from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel

from hub.api.auth import Caller
from hub.api.desk import AtDesk, Desk
from hub.api.problems import Problem
from hub.errors import StoreError
from hub.store import answers

_LONGEST = 200
NAME = "Idempotency-Key"
# In the OpenAPI document: the handler itself refuses a request without it, as 400 and with a hint.
DESCRIBED = {
    "required": True,
    "description": "A text of your own, new for each action; a repeat with it acts once.",
    "schema": {"type": "string", "minLength": 1, "maxLength": _LONGEST},
    "example": '"8e03978e-40d5-43e8-bc93-6894a57f9324"',
}


class Once(msgspec.Struct, frozen=True):
    """One acting request: ``run`` does its work, or gives what an earlier one with this key was answered."""

    desk: Desk
    method: str
    path: str
    key: str

    def run(
        self, caller: Caller, body: BaseModel | None, work: Callable[[], BaseModel], status: int = 200,
        unkept: tuple[str, ...] = (),
    ) -> Response:  # fmt: skip
        """``unkept`` fields are in the first answer only (a new key's secret)."""
        scope = f"{caller.key_id} {self.method} {self.path}"
        asked = hashlib.sha256(body.model_dump_json().encode() if body else b"").hexdigest()
        store, now = self.desk.engine.store, self.desk.engine.clock.epoch()
        self._note_doubt(scope)
        earlier: answers.Answer | None = store.write(
            partial(answers.begin, scope=scope, key=self.key, fingerprint=asked, at=now)
        )
        if earlier is not None:
            return _repeated(earlier, asked)
        try:
            answer = work().model_dump(mode="json", by_alias=True, exclude_none=True)
            kept = {name: value for name, value in answer.items() if name not in unkept}
            store.write(partial(answers.finish, scope=scope, key=self.key, status=status, body=_json(kept)))
        except StoreError:
            self.desk.unsure[scope, self.key] = asked
            self._in_the_end(partial(self._note_doubt, scope))  # or by the first repeat
            raise
        except BaseException:
            self._in_the_end(partial(store.write, partial(answers.forget, scope=scope, key=self.key)))
            raise
        return _response(status, _json(answer))

    def _in_the_end(self, note: Callable[[], None]) -> None:
        """Now, or once the store is back: what the request has met is what its caller hears of."""
        try:
            note()
        except StoreError:
            self.desk.engine.later(note)

    def _note_doubt(self, scope: str) -> None:
        """Where the store has failed at it, nobody knows whether it was done, or how much of it."""
        asked = self.desk.unsure.get((scope, self.key))
        if asked is not None:
            now = self.desk.engine.clock.epoch()
            doubt = partial(answers.doubt, scope=scope, key=self.key, fingerprint=asked, at=now)
            self.desk.engine.store.write(doubt)
            self.desk.unsure.pop((scope, self.key), None)


def _json(answer: dict[str, Any]) -> bytes:
    return msgspec.json.encode(answer)


def _response(status: int, body: bytes) -> Response:
    return Response(body, status, media_type="application/json")


def _repeated(earlier: answers.Answer, asked: str) -> Response:
    if earlier.fingerprint != asked:
        detail = "this Idempotency-Key was used before with another body"
        raise Problem(422, "idempotency_key_reused", detail, hint="use a new key for another action")
    if earlier.is_running:
        detail = "the first request with this Idempotency-Key is still being worked on"
        raise Problem(409, "in_progress", detail, hint="ask again in a moment")
    if earlier.is_unknown:
        detail = "the store failed at the first request with this Idempotency-Key: whether it was done is not known"
        raise Problem(409, "outcome_unknown", detail, hint="look whether it was; if it was not, use a new key")
    return _response(earlier.status, earlier.body)


def once(request: Request, desk: AtDesk, idempotency_key: Annotated[str | None, Header(alias=NAME)] = None) -> Once:
    """The dependency of every acting operation. Quotes around the key are allowed, as the draft standard writes it."""
    key = (idempotency_key or "").strip().strip('"')
    if not key:
        hint = "send Idempotency-Key with a text of your own, such as a UUID, new for each action"
        raise Problem(400, "idempotency_key_missing", "acting requests need an Idempotency-Key", hint=hint)
    if len(key) > _LONGEST:
        raise Problem(400, "idempotency_key_too_long", f"an Idempotency-Key has at most {_LONGEST} characters")
    return Once(desk, request.method, request.url.path, key)


ActingOnce = Annotated[Once, Depends(once)]
