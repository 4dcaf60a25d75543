"""How an operation is described: who may call it, and which problems it answers with."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

import hub
from hub.api import idempotency
from hub.api.problems import MEDIA_TYPE, TITLES

_PROBLEM = {
    "type": "object",
    "description": "An error (RFC 9457).",
    "required": ["type", "title", "status", "code", "detail", "trace_id"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable; programs look at this."},
        "detail": {"type": "string", "description": "What happened, for a person."},
        "hint": {"type": "string", "description": "What to do about it."},
        "retryable": {"type": "boolean"},
        "trace_id": {"type": "string", "description": "Find it in the log of the hub."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "/path in the body, ?parameter, or file:line:column"},
                    "detail": {"type": "string"},
                    "seen": {"type": "string"},
                    "expected": {"type": "string"},
                },
            },
        },
    },
    "examples": [
        {
            "type": "urn:o2c:problem:not_found", "title": "Not found", "status": 404, "code": "not_found",
            "detail": "there is no replay with the id 'x'", "retryable": False,
            "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        }
    ],
}  # fmt: skip


def described(permission: str, *problems: int, acting: bool = False) -> dict[str, Any]:
    """Arguments of a route: its permission (``x-permission``) and the statuses of its problems."""
    signed_in = {401, 403} if permission != "none" else set()
    statuses = {*problems, *signed_in, *((400, 409, 413, 422) if acting else ()), 500, 503}
    return {
        "openapi_extra": {"x-permission": permission},
        "responses": {status: _problem_answer(status) for status in sorted(statuses)},
        "response_model_exclude_none": True,
    }


def _problem_answer(status: int) -> dict[str, Any]:
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": TITLES[status], "content": content}


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI 3.1 document: what FastAPI makes of the handlers, with problems, keys and permissions."""
    if app.openapi_schema:
        return app.openapi_schema
    document = get_openapi(
        title="o2c-hub", version=hub.__version__, routes=app.routes, tags=_TAGS,
        summary="Look at messages, and act on those that need a person.",
        description="All times are UTC. Lists are paged with `limit` and `cursor`, newest first.",
    )  # fmt: skip
    components = document.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = _PROBLEM
    for unused in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(unused, None)
    components["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "An API key, o2c_…"},
        "browser": {"type": "http", "scheme": "basic", "description": "The API key as the password."},
    }
    for path in document["paths"].values():
        for operation in path.values():
            if operation["x-permission"] != "none":
                operation["security"] = [{"key": []}, {"browser": []}]
            for parameter in operation.get("parameters", ()):
                if parameter["name"] == idempotency.NAME:
                    parameter |= idempotency.DESCRIBED
    app.openapi_schema = document
    return document


_TAGS = [
    {"name": "messages", "description": "What came in, and what became of it."},
    {"name": "dead letters", "description": "What needs a person, grouped by cause."},
    {"name": "deliveries", "description": "One message to one target."},
    {"name": "replays", "description": "One or many things again: plan, start, follow."},
    {"name": "backtests", "description": "Stored messages through edited files: what would come out otherwise."},
    {"name": "routes", "description": "Routes and their switches."},
    {"name": "systems", "description": "Systems and their switches."},
    {"name": "partners", "description": "Trading partners, and what was sent to them."},
    {"name": "deployments", "description": "Which set of project files is in force."},
    {"name": "keys", "description": "Who may call."},
    {"name": "audit", "description": "Who did what."},
    {"name": "counts", "description": "Whether everything adds up."},
    {"name": "health", "description": "For load balancers and monitoring."},
]
