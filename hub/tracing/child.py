"""The process that traces: it reads one ``Ask``, gives one ``Told`` and ends.

Nobody imports it: ``hub.tracing`` starts it.
"""

from __future__ import annotations

import os
import signal
import sys
from multiprocessing.connection import Connection
from pathlib import Path

from hub import logs
from hub.backtest.versions import Unknown
from hub.errors import StoreError
from hub.loggers import structlog
from hub.store import open_store
from hub.tracing.page import page_of
from hub.tracing.stored import Again
from hub.tracing.words import Ask, Told, decode_ask, encode

_log = structlog.get_logger("tracing")
_NICE, _END_SECONDS = 5, 60  # it ends by itself where whoever started it is gone


def main(descriptor: int) -> None:
    """Do what is asked."""
    logs.configure()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to understand
    signal.alarm(_END_SECONDS)
    os.nice(_NICE)
    pipe = Connection(descriptor)
    pipe.send_bytes(encode(_told(decode_ask(pipe.recv_bytes()))))


def _told(ask: Ask) -> Told:
    try:
        store = open_store(ask.store_url, Path(), read_only=True)
        try:
            return Told(page_of(Again(store, ask), ask))
        finally:
            store.close()
    except Unknown as reason:
        return Told(reason=str(reason))
    except StoreError as error:
        return Told(away=str(error))
    except Exception as error:
        # A whole trace is guarded here: a mistake of ours is told in the log, without what stood in the document.
        _log.error("the hub failed on a trace", message_id=ask.message_id, error=type(error).__name__)
        return Told(reason="internal")


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]))
    except BrokenPipeError:
        os._exit(0)  # whoever started this is gone
