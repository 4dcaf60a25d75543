"""Verdicts about what a connector says nothing of, because it cannot be opened, cannot ask, or has failed itself."""

from __future__ import annotations

from connectors.base import DOUBT, LATER, STOPPED, ConnectorError, Verdict
from hub.errors import HubError
from hub.loggers import structlog
from hub.pipeline.outgoing import Outgoing

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
    detail = outgoing.failure.detail if outgoing.failure else "the bytes that were sent are no longer stored"
    # With its target gone nothing can ever be looked up: a person has to say what became of it.
    return Verdict(LATER if outgoing.target else DOUBT, code="cannot_look_up", detail=detail)
