"""The sftp connector on folders of a real OpenSSH server: strange names, several hubs, many and large files."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from sftp_places import BODY, open_source, root, server, taken
from sftp_server import SftpServer, names_below

from connectors.base import Incoming


@pytest.mark.parametrize("name", ["with space.csv", "Größe – ü.csv", "new\nline.csv", "-rf", "a;b|c$(x)'\".csv"])
def test_names_are_what_they_are(root: Path, open_source: Any, name: str) -> None:
    (root / "in" / name).write_bytes(b"strange")
    assert taken(open_source()) == {name: b"strange"}


def test_a_name_that_is_no_text_hides_no_neighbour(root: Path, open_source: Any) -> None:
    Path(os.fsdecode(os.fsencode(root / "in") + b"/\xff\xe4.csv")).write_bytes(b"latin")
    (root / "in" / "z.csv").write_bytes(b"plain")
    assert sorted(taken(open_source()).values()) == [b"latin", b"plain"]


def test_two_files_of_one_name_size_and_second_are_two(root: Path, open_source: Any) -> None:
    """A server's times have seconds: path, size and time do not tell such files apart, their content does."""
    found: list[Incoming] = []

    def accept(incoming: Incoming) -> None:
        list(incoming.chunks)
        found.append(incoming)

    for content in (b"first", b"other"):
        (root / "in" / "a.csv").write_bytes(content)
        os.utime(root / "in" / "a.csv", (1000, 1000))
        open_source().fetch(accept)
    assert found[0].dedupe_id == found[1].dedupe_id
    assert all(incoming.content_tells for incoming in found)
    assert found[0].attributes["sha256"] != found[1].attributes["sha256"]


POLL = """
import json, sys
from connectors import sftp
source = sftp.source(json.loads(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
source.fetch(lambda incoming: print(incoming.name, b"".join(incoming.chunks).decode(), flush=True))
source.close()
"""


def test_two_processes_on_one_folder_share_its_files_without_a_double(server: SftpServer, root: Path) -> None:
    for number in range(200):
        (root / "in" / f"{number:03}.csv").write_text(str(number))
    config = server.config(root=root.name, fetch={"folder": "in", "ready": "rename"})
    command = [sys.executable, "-c", POLL, json.dumps(config)]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for process in processes:
        assert process.stdout and process.stdout.readline() == "ready\n"
    outputs: list[str] = []
    threads = [
        threading.Thread(target=lambda one=process: outputs.append(one.communicate("go\n")[0])) for process in processes
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = sorted(line for output in outputs for line in output.splitlines())
    assert lines == [f"{number:03}.csv {number}" for number in range(200)]
    assert all(outputs)
    assert names_below(root / "in") == []


def test_a_fetch_that_was_killed_while_reading_is_done_again(server: SftpServer, root: Path, open_source: Any) -> None:
    (root / "in" / "a.csv").write_bytes(BODY)
    script = POLL.replace('b"".join(incoming.chunks).decode()', "next(iter(incoming.chunks)) and sys.stdin.read()")
    config = server.config(root=root.name, fetch={"folder": "in", "ready": "rename"})
    command = [sys.executable, "-c", script, json.dumps(config)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin and process.stdout and process.stdout.readline() == "ready\n"
        process.stdin.write("go\n")
        process.stdin.flush()
        deadline = time.monotonic() + 30
        while not list((root / "in").glob(".work/claimed-*")):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.kill()
    assert taken(open_source()) == {}
    at = time.time() + 301
    assert taken(open_source(lambda: at)) == {"a.csv": BODY}


LARGE = """
import hashlib, json, sys
from connectors import sftp

def accept(incoming):
    assert sum(map(len, incoming.chunks)) == incoming.size
    print(incoming.size, incoming.attributes["sha256"])

sftp.source(json.loads(sys.argv[1])).fetch(accept)
print(next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM:")) // 1024)
"""


def test_a_large_file_passes_in_the_memory_of_a_small_one(server: SftpServer, root: Path) -> None:
    block, digest = os.urandom(1_000_000), hashlib.sha256()
    with (root / "in" / "large.bin").open("wb") as large:
        for _ in range(100):
            large.write(block)
            digest.update(block)
    config = server.config(root=root.name, fetch={"folder": "in", "ready": "rename"})
    # Through a shell, since a child's peak begins at the peak of the process that starts it, here that of all tests.
    command = ["/bin/sh", "-c", '"$0" "$@"; exit $?', sys.executable, "-c", LARGE, json.dumps(config)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    size, sha256, megabytes = done.stdout.split()
    assert (size, sha256) == ("100000000", digest.hexdigest())
    assert int(megabytes) < 90


def test_a_folder_of_many_files_is_taken_in_rounds(root: Path, open_source: Any) -> None:
    for number in range(3000):
        (root / "in" / f"{number:05}.csv").touch()
    for name in ("00001.csv", "01500.csv", "02999.csv"):
        (root / "in" / name).write_bytes(name.encode())
    source = open_source(fetch={"max_files": 2, "empty": "wait"})
    assert sorted(taken(source)) == ["00001.csv", "01500.csv"]
    assert sorted(taken(source)) == ["02999.csv"]
