"""The clock of one process and its children alone, put forward and back while it runs: libfaketime between it and libc.

The monotonic clock, which measures how long something takes, goes on as it does when a machine's clock is put.
"""

from __future__ import annotations

from pathlib import Path

_PLACES = ("/usr/lib/*/faketime", "/usr/lib/faketime", "/usr/local/lib/faketime")
# libfaketime 0.9.10 takes every absolute time to sleep until for one of the clock it fakes, and refuses it.
_SLEEP = """
import threading
import time


def sleep(seconds):
    threading.Event().wait(seconds)


time.sleep = sleep
"""


def library() -> str:
    """Raises where there is none: a test without it proves nothing."""
    for place in _PLACES:
        for found in Path("/").glob(f"{place[1:]}/libfaketimeMT.so.1"):
            return str(found)
    raise FileNotFoundError("libfaketime is not installed; on Debian: apt-get install faketime")


class Clocks:
    """A clock for each name, right until it is put."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(_SLEEP)

    def environment(self, name: str) -> dict[str, str]:
        """What makes a process go by the clock of that name."""
        self.put(name, 0)
        return {
            "LD_PRELOAD": library(), "FAKETIME_TIMESTAMP_FILE": str(self._folder / name),
            "FAKETIME_CACHE_DURATION": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1",
            # Else a thread that waits for the interpreter's lock comes back at once and asks again: that takes a core.
            "FAKETIME_FORCE_MONOTONIC_FIX": "0", "NO_FAKE_STAT": "1", "PYTHONPATH": str(self._folder),
        }  # fmt: skip

    def put(self, name: str, seconds: int) -> None:
        """So many seconds ahead of the machine's clock, or behind it; in force within a second."""
        new = self._folder / f"{name}.new"
        new.write_text(f"{seconds:+d}\n")
        new.replace(self._folder / name)
