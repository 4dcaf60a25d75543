"""What comes before the body of a request to the admin API: who calls, and how much of it is read."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute

from hub.api.auth import Needs
from hub.api.desk import Desk, desk_of
from hub.api.ingest import read_body
from hub.api.problems import Problem
from hub.api.refusals import Refusal

LEAST_BODY = 10_000_000  # bytes: edited files of a project and ten thousand ids fit, however small documents are
_Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class Gated(APIRoute):
    """An operation with a body: nothing of that is read before the caller is known to be allowed to act, and no more
    than ``http.max_body`` or ``LEAST_BODY`` bytes, whichever is more."""

    def get_route_handler(self) -> _Handler:
        handler = super().get_route_handler()
        if self.body_field is None:
            return handler
        needs = [one.call for one in self.dependant.dependencies if isinstance(one.call, Needs)]

        async def handled(request: Request) -> Response:
            desk = desk_of(request)
            for need in needs:
                await run_in_threadpool(need, request, desk)
            body = await _body(request, desk)
            if body is None:
                return Response(status_code=400)  # nobody is there to read it
            return await handler(_with(request, body))

        return handled


async def _body(request: Request, desk: Desk) -> bytes | None:
    """The whole of it; None when the caller went away. Raises Problem where it is too large."""
    limit = max(LEAST_BODY, desk.engine.program.settings.http.max_body)
    try:
        return await read_body(request.receive, request.headers, limit)
    except Refusal as refusal:
        hint = "send less at once; the limit is 10 MB, or http.max_body of config/hub.yaml where that is more"
        raise Problem(refusal.status, refusal.code, refusal.detail, hint=hint) from None


def _with(request: Request, body: bytes) -> Request:
    """The request with a body that has been read."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request(request.scope, receive)
