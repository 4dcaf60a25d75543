"""A hub tells its parent that it lives, from its very start on, and that it runs, once nothing can refuse it."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

from hub import supervisor
from hub.beats import BEAT, RUNS
from hub.run import REFUSED

# One that is at work on its store until it is told a line, and is refused then.
_SLOW = """
import sys
from pathlib import Path
from hub import run
from hub.errors import UsageError

class Slow:
    def __init__(self, *_):
        input()
        raise UsageError("not so")

run.Hub = Slow
sys.exit(run.main(Path(sys.argv[1]), int(sys.argv[2]), False))
"""


def test_a_hub_that_is_still_at_work_on_its_store_beats_and_does_not_run(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    command = [sys.executable, "-c", _SLOW, str(tmp_path), str(writing)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=[writing]) as hub:
        os.close(writing)
        ready, _, _ = select.select([reading], [], [], 20)
        hub.communicate(b"\n", 20)
    assert ready
    with os.fdopen(reading, "rb") as pipe:
        assert set(pipe.read()) == set(BEAT)
    assert hub.returncode == REFUSED


@pytest.mark.parametrize(("said", "has_run"), [(BEAT * 3, False), (BEAT + RUNS + BEAT, True), (b"", False)])
def test_a_hub_has_run_when_it_has_said_so(said: bytes, has_run: bool) -> None:
    reading, writing = os.pipe()
    os.write(writing, said)
    os.close(writing)
    child = os.posix_spawn("/bin/sh", ["sh", "-c", f"exit {REFUSED}"], os.environ)
    with os.fdopen(reading, "rb"):
        assert supervisor._watch(child, reading) == (REFUSED, has_run)
