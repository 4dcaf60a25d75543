"""Verdicts about what was not sent, because its system cannot be opened or its receiver not be asked."""

from __future__ import annotations

import structlog

from connectors.base import DOUBT, LATER, STOPPED, ConnectorError, Verdict
from hub.errors import HubError
from hub.pipeline.outgoing import Outgoing

_log = structlog.get_logger("dispatch")


def cannot_open(error: Exception) -> Verdict:
    """Nothing goes to a system that cannot be opened, until somebody has seen to it."""
    if not isinstance(error, HubError | ConnectorError):
        _log.error("a connector failed", exc_info=error)
    reason = str(error) if isinstance(error, HubError | ConnectorError) else f"{type(error).__name__}, see the log"
    return Verdict(STOPPED, code="cannot_open", detail=f"the system cannot be opened: {reason}")


def cannot_ask(outgoing: Outgoing) -> Verdict:
    detail = outgoing.failure.detail if outgoing.failure else "the bytes that were sent are no longer stored"
    # With its target gone nothing can ever be looked up: a person has to say what became of it.
    return Verdict(LATER if outgoing.target else DOUBT, code="cannot_look_up", detail=detail)
