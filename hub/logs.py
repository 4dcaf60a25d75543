"""Logs: one JSON line an event on standard error, a readable line on a terminal, no secrets and no personal data.

What libraries log goes the same way. ``O2C_LOG_LEVEL`` is debug, info (the default), warning or error;
``O2C_LOG_FORMAT=json`` writes JSON to a terminal too.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import MutableMapping
from typing import IO, Any

from connectors.base import ConnectorError
from hub.errors import HubError
from hub.loggers import structlog
from hub.redaction import redact_text

FORMAT = "O2C_LOG_FORMAT"
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
# What these say about single requests and tasks is in the hub's own rows.
_QUIET = ("uvicorn.access", "dramatiq", "asyncio", "httpcore")
_OWN_WORDS = frozenset({"event", "level", "timestamp", "logger"})

Event = MutableMapping[str, Any]


def configure(stream: IO[str] | None = None) -> None:
    """Send everything that is logged in this process to ``stream`` (standard error)."""
    target = stream or sys.stderr
    level = _LEVELS.get(os.environ.get("O2C_LOG_LEVEL", "info").lower(), logging.INFO)
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.ExceptionRenderer(_traceback),
        _without_personal_data,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=_written(target)))
    root = logging.getLogger()
    root.handlers, root.level = [handler], level
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _written(target: IO[str]) -> list[structlog.typing.Processor]:
    finish = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    if target.isatty() and os.environ.get(FORMAT) != "json":
        return [finish, structlog.dev.ConsoleRenderer(colors=True)]
    return [finish, structlog.processors.JSONRenderer(ensure_ascii=False)]


def _traceback(exc_info: Any) -> str:
    """Where an error happened and of what kind it is. What it says only if it is one of ours: that of a library may
    quote a document."""
    lines: list[str] = []
    error: BaseException | None = exc_info[1]
    while error is not None:
        own = isinstance(error, HubError | ConnectorError | OSError)
        said = f"{type(error).__module__}.{type(error).__qualname__}" + (f": {error}" if own else "")
        lines[:0] = ["Traceback (most recent call last):\n", *traceback.format_tb(error.__traceback__), f"{said}\n"]
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "".join(lines)


def _without_personal_data(_: Any, __: str, event: Event) -> Event:
    """Addresses, card numbers and accounts in any text of the event are blotted out."""
    for key, value in event.items():
        if isinstance(value, str) and key not in _OWN_WORDS - {"event"}:
            event[key] = redact_text(value)
    return event
