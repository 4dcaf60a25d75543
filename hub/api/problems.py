"""Every error as a problem document (RFC 9457): what happened, what was seen, what to write instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from hub import errors
from hub.api import refusals
from hub.loggers import structlog
from hub.yamldoc import did_you_mean

_log = structlog.get_logger("api")
MEDIA_TYPE = "application/problem+json"
TITLES = {
    400: "Bad request", 401: "Not signed in", 403: "Not allowed", 404: "Not found", 405: "Method not allowed",
    409: "Conflict", 410: "Gone", 413: "Too large", 415: "Wrong content type", 422: "Not valid",
    500: "Internal error", 503: "Store not available", 504: "Not done in time",
}  # fmt: skip
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_CODES = {401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "method_not_allowed"}
# The first that fits an error; each with its status and code.
_HUB_ERRORS: tuple[tuple[type[errors.HubError], int, str], ...] = (
    (errors.NotFound, 404, "not_found"),
    (errors.PlanStale, 409, "plan_stale"),
    (errors.Conflict, 409, "conflict"),
    (errors.Gone, 410, "gone"),
    (errors.Unfinished, 504, "unfinished"),
    (errors.ProjectError, 422, "project_faults"),
    (errors.UsageError, 422, "not_valid"),
    (errors.StoreError, 503, "store"),
)


class Problem(Exception):
    """An error that is answered as it is."""

    def __init__(
        self, status: int, code: str, detail: str, *, hint: str = "", faults: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(detail)
        self.status, self.code, self.detail, self.hint = status, code, detail, hint
        self.faults, self.headers = faults, headers or {}


def install(app: FastAPI) -> None:
    """Answer every error of an application as a problem."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(errors.HubError, _hub_error)
    app.add_exception_handler(RequestValidationError, _not_valid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


def trace_id_of(request: Request) -> str:
    """The trace the caller is in, or a new one."""
    return refusals.trace_id_of(request.headers) or refusals.new_trace_id()


def _answer(request: Request, problem: Problem, trace_id: str = "") -> Response:
    content: dict[str, Any] = {
        "type": f"urn:o2c:problem:{problem.code}",
        "title": TITLES.get(problem.status, "Refused"),
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail,
        "hint": problem.hint,
        "retryable": problem.status == 503,
        "trace_id": trace_id or trace_id_of(request),
        "errors": list(problem.faults),
    }
    shown = {key: value for key, value in content.items() if value not in ("", [])}
    headers = dict(problem.headers) | ({"Retry-After": "10"} if problem.status == 503 else {})
    return Response(msgspec.json.encode(shown), problem.status, headers, MEDIA_TYPE)


def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return _answer(request, error)


def _hub_error(request: Request, error: Exception) -> Response:
    for kind, status, code in _HUB_ERRORS:
        if isinstance(error, kind):
            return _answer(request, _of_hub(error, status, code))
    return _unexpected(request, error)


def _of_hub(error: Exception, status: int, code: str) -> Problem:
    if isinstance(error, errors.ProjectError):
        faults = [{"pointer": f"{f.file}:{f.line}:{f.column}", "detail": f.message} for f in error.faults]
        hint = "correct the files; the set that is in force stays in force"
        return Problem(status, code, f"the project has {len(faults)} faults", hint=hint, faults=faults)
    text, _, hint = str(error).partition("; ")
    return Problem(status, code, text, hint=hint)


def _http(request: Request, error: Exception) -> Response:
    """What the web framework itself refuses: no such path, no such method."""
    assert isinstance(error, HTTPException)
    status = error.status_code
    details = {
        400: ("the body cannot be read", "send JSON in UTF-8, not nested very deep"),
        404: (f"there is nothing at {request.url.path[:200]}", "see the reference of the API"),
        405: (f"{request.method[:20]} does not work on {request.url.path[:200]}", "see the Allow header"),
    }
    detail, hint = details.get(status, (str(error.detail), ""))
    headers = {"Allow": ", ".join(_allowed(request))} if status == 405 else error.headers
    return _answer(request, Problem(status, _CODES.get(status, "refused"), detail, hint=hint, headers=headers))


def _allowed(request: Request) -> list[str]:
    """What works on a path, which may be served by several routes (RFC 9110, 10.2.1)."""
    scopes = {method: {**request.scope, "method": method} for method in _METHODS}
    routes = request.app.router.routes
    return [name for name, scope in scopes.items() if any(route.matches(scope)[0] is Match.FULL for route in routes)]


def _unexpected(request: Request, error: Exception) -> Response:
    """A mistake of the hub's own: the log has all of it under the trace id, the answer nothing."""
    trace_id = trace_id_of(request)
    _log.error("a request failed", path=request.url.path, trace_id=trace_id, exc_info=error)
    detail = "the hub made a mistake; its log says more under this trace id"
    return _answer(request, Problem(500, "internal", detail, hint="look in the log of the hub"), trace_id)


# -- requests that are not well formed -----------------------------------------------------------------------------

_WORDS = {
    "missing": "is missing",
    "model_attributes_type": "expected an object",
    "dict_type": "expected an object",
    "list_type": "expected a list",
    "string_type": "expected a text",
    "int_type": "expected a whole number",
    "int_parsing": "expected a whole number",
    "int_from_float": "expected a whole number",
    "float_type": "expected a number",
    "float_parsing": "expected a number",
    "bool_type": "expected true or false",
    "bool_parsing": "expected true or false",
    "json_invalid": "this is not JSON",
    "timezone_aware": "the time has no zone; write 2026-03-05T10:00:00Z",
}


def _not_valid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = [_fault(fault) for fault in error.errors()]
    where = f"{faults[0]['pointer']}: " if faults and faults[0]["pointer"] else ""
    detail = where + (str(faults[0]["detail"]) if faults else "the request is not well formed")
    return _answer(request, Problem(422, "not_valid", detail, faults=faults))


def _fault(fault: Mapping[str, Any]) -> dict[str, Any]:
    """One fault: ``/body/path`` or ``?parameter``, what is wrong, what was seen (only a single value)."""
    place, *path = fault["loc"]
    steps = [] if fault["type"] == "json_invalid" else path
    pointer = "".join(f"/{step}" for step in steps) if place == "body" else f"?{path[0]}" if path else ""
    found = {"pointer": pointer, "detail": _detail(fault, str(path[-1]) if path else "")}
    seen = fault.get("input")
    if isinstance(seen, str | int | float) and fault["type"] not in ("missing", "json_invalid"):
        found["seen"] = str(seen)[:80].encode(errors="replace").decode()
    return found


def _detail(fault: Mapping[str, Any], name: str) -> str:
    if fault["type"] == "extra_forbidden":
        known = (fault.get("ctx") or {}).get("known", ())
        return f"unknown field '{name[:80]}'{did_you_mean(name, known)}"
    if fault["type"] == "missing" and not name:
        return "the body is missing; send a JSON object, {} where nothing is to be said"
    if fault["type"].startswith("datetime"):
        return "expected a time such as 2026-03-05T10:00:00Z"
    text = _WORDS.get(fault["type"])
    return text or str(fault["msg"]).replace("Input should be", "expected").replace("Value error, ", "")
