"""How much memory a process had at most. What ``resource`` tells of it begins with that of the process it was forked
from; the system's own figure begins anew with each program."""

from __future__ import annotations

from pathlib import Path


def highest_megabytes() -> int:
    """The highest resident memory of this program, MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) // 1024
