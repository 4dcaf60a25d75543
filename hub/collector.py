"""Where Python looks for rubbish in a process that serves for long."""

from __future__ import annotations

import gc
import sys


def calm_the_collector() -> None:
    """What is there now stays: it is not looked at again."""
    gc.collect()
    gc.freeze()
    # Threads that wait for the disk or a socket should not wait five milliseconds for the interpreter after it.
    sys.setswitchinterval(0.0005)
