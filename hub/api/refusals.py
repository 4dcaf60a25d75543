"""What a door answers where it takes nothing in: a problem (RFC 9457) with the fields of HTTP that belong to it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from hub.outcome import Failure
from hub.pipeline.pressure import Full

Headers = Sequence[tuple[bytes, bytes]]
_TITLES = {
    400: "Bad request", 401: "Signature refused", 404: "Unknown system", 405: "Method not allowed",
    413: "Too large", 415: "Wrong content type", 422: "Not valid", 429: "Too many requests", 431: "Head too large",
    500: "Internal error", 503: "Not available",
}  # fmt: skip
_HINTS: dict[int | str, str] = {
    400: "the connection is closed; send it again as HTTP/1.1",
    401: "prove the very bytes that are sent, with the secret and in the way that was agreed",
    "unknown_system": "the path ends in the name of a system that sends",
    405: "see the Allow header",
    413: "send it in parts, or have http.max_body of the hub raised",
    415: "send the Content-Type of what is sent, or none",
    422: "send it again when it is as expected",
    429: "send it again, with the same id, after the seconds of Retry-After",
    431: "the connection is closed; send fewer or shorter header fields, and what the path says in the body",
    500: "send it again, with the same id; the log of the hub says more under the trace id",
    503: "send it again, with the same id, after the seconds of Retry-After",
}
RETRY_SECONDS = {429: 5, 503: 10}
# W3C trace context, 3.2: lower-case hex, no id all zero; a version after 00 may have more behind.
_IDS = "(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
TRACEPARENT = re.compile(f"00-({_IDS})|(?!00|ff)[0-9a-f]{{2}}-({_IDS})(?:-.*)?")


class Refusal(Exception):
    """A body that is not kept: the status, a stable code, and a sentence for the sender. ``challenge`` says with 401
    how it is to be proved; ``size`` is how much of it was read where that is not all."""

    def __init__(
        self, status: int, code: str, detail: str, failure: Failure | None = None, retry_seconds: int = 0,
        challenge: str = "", size: int = 0,
    ) -> None:  # fmt: skip
        super().__init__(detail)
        self.status, self.code, self.detail, self.failure = status, code, detail, failure
        self.retry_seconds = retry_seconds or RETRY_SECONDS.get(status)
        self.challenge, self.size = challenge, size

    def size_of(self, read: int, headers: Mapping[str, str]) -> int:
        """Of the body: what was read of it, else what it was said to have."""
        said = headers.get("content-length", "")
        return self.size or read or (int(said) if said.isdecimal() and len(said) < 19 else 0)


def full_refusal(full: Full) -> Refusal:
    """What is said where no more can be taken in now."""
    return Refusal(full.status, full.code, full.detail, retry_seconds=full.retry_seconds)


def unstored() -> Refusal:
    """What is said while nothing can be stored."""
    return Refusal(503, "store", "the hub cannot store at the moment; send it again")


def mistake(trace_id: str) -> tuple[int, Headers, bytes]:
    """What is answered after a mistake of the hub's own; what it was is in its log alone, under the trace."""
    return problem_of(Refusal(500, "internal", "the hub made a mistake"), trace_id)


def problem_of(refusal: Refusal, trace_id: str = "") -> tuple[int, Headers, bytes]:
    """Status, fields and body; nothing of what was sent and nothing of a secret is in it."""
    status = refusal.status
    problem: dict[str, Any] = {
        "type": f"urn:o2c:problem:{refusal.code}", "title": _TITLES.get(status, "Refused"), "status": status,
        "code": refusal.code, "detail": refusal.detail, "hint": _HINTS.get(refusal.code) or _HINTS.get(status, ""),
        "retryable": status in RETRY_SECONDS or status == 500, "trace_id": trace_id,
    }  # fmt: skip
    if refusal.failure is not None:
        f = refusal.failure
        steps = f.field_path.replace("[", ".").replace("]", "").split(".") if f.field_path else []
        pointer = "".join(f"/{step}" for step in steps)
        problem["errors"] = [{"pointer": pointer, "detail": f.detail, "expected": f.expected}]
    body = msgspec.json.encode({name: value for name, value in problem.items() if value != ""})
    return status, [(b"content-type", b"application/problem+json"), *_fields(refusal, len(body))], body


def _fields(refusal: Refusal, size: int) -> Headers:
    """RFC 9110, 15.5.2 and 15.5.6: how to prove oneself with 401, what may be done with 405."""
    fields = [(b"content-length", b"%d" % size)]
    if refusal.retry_seconds:
        fields.append((b"retry-after", b"%d" % refusal.retry_seconds))
    if refusal.challenge:
        fields.append((b"www-authenticate", refusal.challenge.encode()))
    if refusal.status == 405:
        fields.append((b"allow", b"POST"))
    return fields


def trace_id_of(headers: Mapping[str, str]) -> str:
    """The trace that the sender is in; '' where it says none that is valid."""
    sent = TRACEPARENT.fullmatch(headers.get("traceparent", ""))
    return (sent[1] or sent[2])[:32] if sent else ""


def new_trace_id() -> str:
    """For a mistake that is looked for in the log where the sender is in no trace."""
    return secrets.token_hex(16)
