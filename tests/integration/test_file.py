"""The file connector against what a machine does: processes killed at any line, a full disk, a million rows."""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from connectors import file
from connectors.base import DELIVERED, Incoming, Parcel, Verdict

BODY = b"0123456789" * 100_000

# A process that stops dead where it is told to, so that it can be killed exactly there.
HALT = """
import os, sys, threading
from connectors import file
from connectors.base import Parcel

def halting(call, before):
    def halted(*arguments, **named):
        result = None if before else call(*arguments, **named)
        print("here", flush=True)
        sys.stdin.read()
        return call(*arguments, **named) if before else result
    return halted

root, place = sys.argv[1:]
when, _, name = place.partition(" ")
if when in ("before", "after"):
    setattr(os, name, halting(getattr(os, name), when == "before"))
"""
SEND = (
    HALT
    + """
body = b"0123456789" * 100_000
destination = file.destination({"root": root, "send": {"folder": "out", "marker": "{name}.done"}})
told = threading.Event()
destination.submit([Parcel("d1", "d1.0", body)], lambda verdicts: told.set())
told.wait()
destination.close()
"""
)
FETCH = (
    HALT
    + """
def accept(incoming):
    chunks = iter(incoming.chunks)
    next(chunks)
    if when == "reading":
        print("here", flush=True)
        sys.stdin.read()
    list(chunks)
file.source({"root": root, "fetch": {"folder": "in", "ready": "rename"}}).fetch(accept)
"""
)
FULL = """
import json, resource, sys, threading
from connectors import file
from connectors.base import Parcel

resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, 65_536))
destination = file.destination({"root": sys.argv[1], "send": {"folder": "out"}})
found, told = [], threading.Semaphore(0)
def finished(verdicts):
    found.extend(verdicts)
    told.release(len(verdicts))
destination.submit([Parcel("d1", "d1.0", b"x" * 500_000), Parcel("d2", "d2.0", b"small")], finished)
told.acquire()
told.acquire()
destination.close()
by_id = sorted(found, key=lambda each: each[0].delivery_id)  # several are written at a time
print(json.dumps([[verdict.kind, verdict.code] for _, verdict in by_id]))
"""
MILLION = """
import sys
from connectors import file
from hub.formats import codec

def accept(incoming):
    csv = codec("csv")
    print(sum(1 for record in csv.decode(incoming.chunks, {"types": {"qty": "integer"}}) if record.value["qty"] == 7))

file.source({"root": sys.argv[1], "fetch": {"folder": "in", "ready": "rename"}}).fetch(accept)
print(next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM:")) // 1024)
"""


def killed_at(script: str, root: Path, place: str) -> None:
    """Run a script until it says that it is there, then kill it as hard as one can."""
    with subprocess.Popen(
        [sys.executable, "-c", script, str(root), place], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "here\n"
        process.kill()


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    "place", ["before fsync", "after fsync", "before link", "after link", "before unlink", "after unlink"]
)
def test_a_write_that_was_killed_is_completed_by_its_retry_and_never_seen_half_done(tmp_path: Path, place: str) -> None:
    out = tmp_path / "out"
    out.mkdir()
    killed_at(SEND, tmp_path, place)
    for name in files(out):
        assert name.endswith(".tmp") or (out / name).read_bytes() == BODY
    found: queue.SimpleQueue[list[tuple[Parcel, Verdict]]] = queue.SimpleQueue()
    destination = file.destination({"root": str(tmp_path), "send": {"folder": "out", "marker": "{name}.done"}})
    destination.submit([Parcel("d1", "d1.0", BODY)], found.put)
    assert [verdict.kind for _, verdict in found.get(timeout=30)] == [DELIVERED]
    destination.close()
    complete = [name for name in files(out) if not name.endswith(".tmp")]
    assert complete == ["d1.0.json", "d1.0.json.done"]
    assert (out / "d1.0.json").read_bytes() == BODY


@pytest.mark.parametrize("place", ["reading", "before link", "after link", "before unlink", "after unlink"])
def test_a_fetch_that_was_killed_loses_no_file_and_gives_it_the_same_id(tmp_path: Path, place: str) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.csv", "b.csv"):
        (folder / name).write_bytes(BODY)
    ids = {incoming.name: incoming.dedupe_id for incoming in seen_by_a_twin(tmp_path)}
    killed_at(FETCH, tmp_path, place)
    stored: list[Incoming] = []
    bodies: list[bytes] = []

    def accept(incoming: Incoming) -> None:
        bodies.append(b"".join(incoming.chunks))
        stored.append(incoming)

    later = (folder / "a.csv").stat().st_mtime if (folder / "a.csv").exists() else (folder / "b.csv").stat().st_mtime
    source = file.source({"root": str(tmp_path), "fetch": {"folder": "in", "ready": "rename"}}, lambda: later + 3600)
    source.fetch(accept)
    taken = {incoming.name: incoming.dedupe_id for incoming in stored}
    assert "b.csv" in taken
    assert ("a.csv" in taken) or place == "after unlink"
    assert taken.items() <= ids.items()
    assert set(bodies) == {BODY}
    assert files(folder) == []
    archived = [Path(name).name for name in files(tmp_path / "archive")]
    assert {"a.csv", "b.csv"} <= set(archived)


def seen_by_a_twin(root: Path) -> list[Incoming]:
    """What a source would take, from a look that leaves everything where it is."""
    seen: list[Incoming] = []

    def look(incoming: Incoming) -> None:
        seen.append(incoming)
        raise LookupError

    for name in ("a.csv", "b.csv"):
        settings = {"folder": "in", "ready": "rename", "pattern": name}
        with pytest.raises(LookupError):
            file.source({"root": str(root), "fetch": settings}).fetch(look)
    return seen


def test_a_full_disk_is_for_later_and_leaves_no_half_file(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    command = [sys.executable, "-c", FULL, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == '[["later", "disk_full"], ["delivered", "written"]]\n'
    assert files(tmp_path) == ["out/d2.0.json"]


def test_a_million_rows_pass_in_the_memory_of_a_few(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    with (folder / "big.csv").open("wb") as big:
        big.write(b"order_id;sku;qty;note\r\n")
        for block in range(100):
            rows = (b'%d;SKU-%d;%d;"two\r\nlines"\r\n' % (block, row, row % 10) for row in range(10_000))
            big.write(b"".join(rows))
    # Through a shell, since a child's peak begins at the peak of the process that starts it, here that of all tests.
    command = ["/bin/sh", "-c", '"$0" "$@"; exit $?', sys.executable, "-c", MILLION, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    count, megabytes = done.stdout.split()
    assert count == "100000"
    assert int(megabytes) < 80


def test_two_processes_on_one_folder_share_its_files_without_a_double(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(400):
        (folder / f"{number:03}.csv").write_text(str(number))
    script = """
import sys
from connectors import file
source = file.source({"root": sys.argv[1], "fetch": {"folder": "in", "ready": "rename"}})
print("ready", flush=True)
sys.stdin.readline()
source.fetch(lambda incoming: print(incoming.name, b"".join(incoming.chunks).decode()))
"""
    command = [sys.executable, "-c", script, str(tmp_path)]
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
    assert lines == [f"{number:03}.csv {number}" for number in range(400)]
