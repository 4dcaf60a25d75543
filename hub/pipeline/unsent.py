"""Verdicts where a connector gives none that can be kept: it cannot be opened, cannot ask, has failed itself, or says
what no verdict says."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from connectors.base import (
    ABSENT,
    DELIVERED,
    DOUBT,
    FOUND,
    LATER,
    REFUSED,
    STOPPED,
    ConnectorError,
    Destination,
    Parcel,
    StoppedError,
    TransientError,
    Verdict,
    verdict_of,
)
from hub.errors import HubError
from hub.loggers import structlog
from hub.pipeline.outgoing import Outgoing
from hub.redaction import without_excerpts

_KINDS = frozenset({DELIVERED, REFUSED, LATER, DOUBT, STOPPED, FOUND})
_ASKED = _KINDS - {REFUSED} | {ABSENT}  # a question that is refused says nothing of what was sent before
_HIGHEST = 2**31  # of statuses, as PostgreSQL stores them, and of seconds

_log = structlog.get_logger("dispatch")


def cannot_open(error: Exception) -> Verdict:
    """Nothing goes to a system that cannot be opened, until somebody has seen to it."""
    if not isinstance(error, HubError | ConnectorError):
        _log.error("a connector failed", exc_info=error)
    reason = str(error) if isinstance(error, HubError | ConnectorError) else f"{type(error).__name__}, see the log"
    return Verdict(STOPPED, code="cannot_open", detail=f"the system cannot be opened: {reason}")


def broke_off(error: Exception) -> Verdict:
    """A connector that fails while it is handed something; what that says may hold a document or a secret."""
    _log.error("a connector failed", exc_info=error)
    return Verdict(DOUBT, "connector_failed", f"the connector failed: {type(error).__name__}, see the log")


def cannot_ask(outgoing: Outgoing) -> Verdict:
    detail = "the bytes that were sent are no longer stored"
    if outgoing.failure:
        detail = str(without_excerpts(outgoing.failure.as_dict())["detail"])  # a verdict's words are no document's
    # With its target gone nothing can ever be looked up: a person has to say what became of it.
    return Verdict(LATER if outgoing.target else DOUBT, code="cannot_look_up", detail=detail)


def looked_up(destination: Destination, parcel: Parcel) -> Verdict:
    """What a look-up has found. Whatever else fails in it leaves the doubt that it should have ended."""
    try:
        return destination.look_up(parcel)
    except (TransientError, StoppedError) as error:
        return verdict_of(error)
    except Exception as error:
        return broke_off(error)


def sound(verdict: Verdict, looking: bool) -> Verdict:
    """The verdict where it is one that can be stored, else what of it can: one that the store refuses, of a project's
    own connector, would be tried for ever, with all that were told beside it. Of an unknown kind, or of one that says
    nothing of this try, it is doubt."""
    kinds = _ASKED if looking else _KINDS
    try:
        (verdict.code + verdict.detail + verdict.response_type + verdict.reference).encode()
        if (
            verdict.kind in kinds
            and type(verdict.status) is int
            and 0 <= verdict.status < _HIGHEST
            and type(verdict.response) is bytes
            and _is_wait(verdict.retry_after_seconds)
        ):
            return verdict
    except (AttributeError, TypeError, UnicodeEncodeError):
        pass
    return _mended(verdict, kinds)


def _is_wait(seconds: Any) -> bool:
    return seconds is None or (isinstance(seconds, int | float) and abs(seconds) < _HIGHEST)


def _mended(verdict: Any, kinds: Collection[str]) -> Verdict:
    _log.error("a connector has given a verdict that is none, or cannot be stored", kind=type(verdict).__name__)
    said = {name: getattr(verdict, name, None) for name in Verdict.__struct_fields__}
    kind, status, response, wait = said["kind"], said["status"], said["response"], said["retry_after_seconds"]
    return Verdict(
        kind=kind if isinstance(kind, str) and kind in kinds else DOUBT,
        code=_text(said["code"]) or "connector_failed",
        detail=_text(said["detail"]) or "the connector's verdict is none, or says what cannot be stored; see the log",
        status=status if type(status) is int and 0 <= status < _HIGHEST else 0,
        response=response if isinstance(response, bytes) else b"", response_type=_text(said["response_type"]),
        retry_after_seconds=wait if _is_wait(wait) else None, slow_down=said["slow_down"] is True,
        reference=_text(said["reference"]),
    )  # fmt: skip


def _text(value: Any) -> str:
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""
