"""A hub tells its parent that it lives, from its very start on, and that it runs, once nothing can refuse it. One that
says nothing is ended, and one that ends is started again, later each time. So it is with the workers of a team."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub import beats, supervisor
from hub.beats import BEAT, RUNS
from hub.roles.team import Member, Team
from hub.run import REFUSED

FAILS, KILLED = "exit 1", "kill -9 $$"
LATER_EACH_TIME = [0.6, 1.2, 2.4, 4.8, 9.6, 10.0, 10.0]

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


@pytest.fixture
def silent() -> Iterator[subprocess.Popen[bytes]]:
    """A process that says nothing and does not end."""
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process
        process.kill()


def test_a_hub_that_says_nothing_for_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "_SILENT_SECONDS", 0.01)
    reading, writing = os.pipe()
    child = os.posix_spawnp("sleep", ["sleep", "600"], os.environ)
    with os.fdopen(reading, "rb"), os.fdopen(writing, "wb"):
        assert supervisor._watch(child, reading) == (-signal.SIGKILL, False)


def test_of_a_team_the_worker_that_says_nothing_for_too_long_is_ended(
    tmp_path: Path, silent: subprocess.Popen[bytes]
) -> None:
    team, now = Team(tmp_path, 2), time.monotonic()
    with subprocess.Popen(["sleep", "600"]) as heard:
        team._members = [Member(pid=silent.pid, heard=now - 31), Member(pid=heard.pid, heard=now)]
        team._end_silent()
        assert silent.wait(20) == -signal.SIGKILL
        assert heard.poll() is None
        heard.kill()


def spawned(script: str) -> int:
    return os.posix_spawn("/bin/sh", ["sh", "-c", script], os.environ)


def test_a_hub_that_ends_as_soon_as_it_starts_is_given_more_time_each_time_up_to_an_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    scripts, pauses = [FAILS] * 7 + [KILLED, FAILS], list[float]()

    def rest(seconds: float, stopping: list[int]) -> None:
        pauses.append(seconds)
        if len(pauses) == len(scripts):
            stopping.append(signal.SIGTERM)

    monkeypatch.setattr(supervisor, "_spawn", lambda *_: spawned(scripts[len(pauses)]))
    monkeypatch.setattr(supervisor, "_rest", rest)
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # those of the tests stay
    assert supervisor.run(tmp_path) == 0
    assert pauses == pytest.approx([*LATER_EACH_TIME, 0.3, 0.6])


def test_a_worker_of_a_team_that_ends_as_soon_as_it_starts_is_given_more_time_each_time_up_to_an_end(
    tmp_path: Path,
) -> None:
    team, pauses = Team(tmp_path, 1), list[float]()
    [member] = team._members
    for script in [FAILS] * 7 + [KILLED, FAILS]:
        member.pid, member.started = spawned(script), time.monotonic()
        member.pipe, writing = os.pipe()
        os.close(writing)
        team._listen()
        assert member.pid == 0
        assert member.start_at >= member.started + member.pause
        pauses.append(member.pause)
    assert pauses == pytest.approx([*LATER_EACH_TIME, 0.3, 0.6])


def test_who_does_not_get_on_tells_its_parent_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beats, "_SECONDS", 0.0)
    reading, writing = os.pipe()
    gets_on, others = iter([True, True, False]), threading.enumerate()
    beats.beat(writing, lambda: next(gets_on))
    for thread in set(threading.enumerate()) - set(others):
        thread.join(20)
        assert not thread.is_alive()
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        assert pipe.read() == BEAT * 2
