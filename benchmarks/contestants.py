"""Those that are compared, each asked in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from statistics import median
from typing import Any

from hub.reference import reference_root


def told(module: str, *arguments: object) -> Any:
    """What a contestant says of its work, the JSON of its last line; None where it is not installed, which it tells by
    ending with 3. Raises RuntimeError with its own words where it failed."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(command, cwd=reference_root(), capture_output=True, text=True, check=False)
    if done.returncode == 3:
        return None
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def ratio(one: Sequence[float], other: Sequence[float]) -> float:
    """How many times the other, the median over the rounds."""
    return median(a / b for a, b in zip(one, other, strict=True))
