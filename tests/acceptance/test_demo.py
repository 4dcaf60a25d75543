"""The demo as a newcomer sees it: it ends by itself, its numbers add up; or it stays until it is told to go."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from program import o2c


def test_a_day_ends_by_itself_with_numbers_that_add_up(tmp_path: Path) -> None:
    with another_hub() as named:
        ended = o2c(tmp_path, "demo", "--orders", "40", "--seconds", "4", "--json", TMPDIR=str(tmp_path), **named)
    assert ended.returncode == 0, ended.stderr
    lines = {line["what"]: line for line in json.loads(ended.stdout)}
    assert all(line["holds"] and line["total"] == sum(line["parts"].values()) for line in lines.values())
    assert set(lines["documents taken in"]["parts"]) == {"in the ERP", "filtered", "dead", "in flight"}
    assert lines["documents taken in"]["parts"]["in the ERP"] > 30
    assert lines["receipts in the hub"]["parts"]["replayed"] > 0
    assert lines["double effects in the systems"]["total"] == 0
    for words in ("the ERP goes away", "the ERP is back", "o2c replay", "lookup_missing", "http_422"):
        assert words in ended.stderr
    assert list(tmp_path.iterdir()) == []


@contextmanager
def another_hub() -> Iterator[dict[str, str]]:
    """An environment that names a hub, which nobody may speak to until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        yield {"O2C_URL": url, "O2C_API_KEY": "o2c_of_another", "O2C_ENV": "production"}
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_it_stays_until_it_is_told_to_go(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hub.cli", "demo", "--stay", "--orders", "5", "--seconds", "1"]
    with (
        another_hub() as named,
        subprocess.Popen(
            command, cwd=tmp_path, stdout=subprocess.PIPE, text=True, env={**os.environ, **named}
        ) as process,
    ):
        assert process.stdout is not None
        said = ""
        while "until Ctrl-C" not in said:
            line = process.stdout.readline()
            assert line, said
            said += line
        assert "try: O2C_URL= o2c dead --project" in said
        found = re.search(r"status page: (http://[^ ]+)", said)
        assert found is not None
        with urllib.request.urlopen(found[1], timeout=5) as answer:
            assert b"o2c" in answer.read()
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(60) == 0
        finally:
            process.kill()
