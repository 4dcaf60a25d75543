"""``o2c map --watch``: the output and its faults, again at every change of a file."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from program import new_project, o2c

MAPPING = "mappings/orders/shopify-order.yaml"
SECONDS = 30


class Watched:
    """A watching command and all that it has printed so far, to a pipe or to a terminal."""

    def __init__(self, project: Path, terminal: bool) -> None:
        self.text = ""
        self._reading, writing = pty.openpty() if terminal else os.pipe()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hub.cli", "map", "shopify-order", "sample-order.json", "--watch"],
            cwd=project, stdout=writing, stderr=writing,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
            env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "120", "LINES": "400"},
        )  # fmt: skip
        os.close(writing)

    def wait_for(self, text: str) -> None:
        """Read on until a text has come since the last call."""
        self.text, until = "", time.monotonic() + SECONDS
        os.set_blocking(self._reading, False)
        while text not in self.text:
            assert time.monotonic() < until, self.text[-2000:]
            try:
                self.text += os.read(self._reading, 65536).decode(errors="replace")
            except BlockingIOError:
                time.sleep(0.05)

    def end(self) -> int:
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(SECONDS)
        os.close(self._reading)
        return code


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return new_project(tmp_path, "shop")


@pytest.fixture(params=[False, True], ids=["pipe", "terminal"])
def watched(project: Path, request: pytest.FixtureRequest) -> Iterator[Watched]:
    found = Watched(project, request.param)
    yield found
    found.process.kill()
    found.process.wait()


def change(project: Path, path: str, old: str, new: str) -> None:
    text = (project / path).read_text()
    assert old in text
    (project / path).write_text(text.replace(old, new, 1))


def test_every_edit_shows_what_comes_of_it(project: Path, watched: Watched) -> None:
    watched.wait_for('"order_id": "1001"')
    change(project, MAPPING, "order_id: lstrip(", "order_id: lstrp(")
    watched.wait_for("unknown function 'lstrp'; did you mean 'lstrip'?")
    change(project, MAPPING, "order_id: lstrp(", "order_id: lstrip(")
    watched.wait_for('"order_id": "1001"')
    change(project, "sample-order.json", "#1001", "#1002")
    watched.wait_for('"order_id": "1002"')
    change(project, "sample-order.json", "{", "{{")
    watched.wait_for("line 1, column 2")
    assert watched.end() == 0
    assert "Traceback" not in watched.text


def test_a_terminal_shows_in_colour_what_changed(project: Path) -> None:
    watched = Watched(project, terminal=True)
    watched.wait_for('"order_id": "1001"')
    change(project, "sample-order.json", "#1001", "#1002")
    watched.wait_for('\x1b[32m  "order_id": "1002"')
    assert '\x1b[9;31m  "order_id": "1001"' in watched.text
    assert watched.end() == 0


def test_standard_input_cannot_be_watched(project: Path) -> None:
    ended = o2c(project, "map", "shopify-order", "-", "--watch", stdin=b"{}")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "name a file instead of -" in ended.stderr
