"""A process that runs stretches of receipts: foreign data and edited mappings never run in the hub or in the command.

Nobody imports it: ``hub.backtest.children`` starts it.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path

from hub import logs
from hub.backtest.stretch import Progress, Stretch
from hub.backtest.words import Answer, decode_job, decode_stretch, encode
from hub.errors import StoreError
from hub.store import open_store

_TELL_SECONDS = 1.0


def main(descriptor: int) -> None:
    """Answer until the pipe ends, which it does when whoever started this is gone."""
    logs.configure()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to understand
    pipe = Connection(descriptor)
    job = decode_job(pipe.recv_bytes())
    os.nice(job.niceness)
    try:
        store = open_store(job.store_url, Path(), read_only=True)
    except StoreError as error:
        pipe.send_bytes(encode(Answer(away=str(error))))
        return
    stretch = Stretch(store, job.request, job.subject, _telling(pipe))
    pipe.send_bytes(encode(Answer()))
    gc.freeze()
    while True:
        try:
            came = decode_stretch(pipe.recv_bytes())
        except EOFError:
            return
        try:
            pipe.send_bytes(encode(Answer(stretch.run(came))))
        except StoreError as error:
            pipe.send_bytes(encode(Answer(away=str(error))))


def _telling(pipe: Connection) -> Progress:
    told = time.monotonic()

    def tell() -> None:
        nonlocal told
        now = time.monotonic()
        if now - told >= _TELL_SECONDS:
            told = now
            pipe.send_bytes(encode(Answer()))

    return tell


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]))
    except BrokenPipeError:
        os._exit(0)  # whoever started this is gone
