"""What a process tells its parent through a pipe: once that it runs, and again and again that there is progress.

Without a parent there is nobody to start it again, and it ends.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable

RUNS, BEAT = b"R", b"."
_SECONDS = 1.0


def tell(pipe: int, what: bytes = BEAT) -> None:
    try:
        os.write(pipe, what)
    except BrokenPipeError:
        os.kill(os.getpid(), signal.SIGTERM)


def beat(pipe: int, gets_on: Callable[[], bool]) -> None:
    """From now on, from a thread of its own, as long as it gets on."""

    def beats() -> None:
        while gets_on():
            tell(pipe)
            time.sleep(_SECONDS)

    threading.Thread(target=beats, daemon=True).start()
