"""Suspects are tried apart: each in a throw-away child, so that what kills a process kills only that one.

A helper process is started once; it loads the set in force and forks a child for every suspect. The child does the
work and throws the result away: if it lives, the work is safe to do in the hub itself.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from hub.clock import SystemClock, iso
from hub.deploy import active_program
from hub.message import CANONICAL, RAW
from hub.pipeline import World, transform
from hub.pipeline.encode import encode
from hub.pipeline.program import Program
from hub.store import Store, deliveries, messages, payloads, receipts
from hub.store.sqlite import SqliteStore

HANG_SECONDS = 30.0
_POLL_SECONDS = 0.002


class Isolation:
    """The helper process, as long as it is needed."""

    def __init__(self, store_path: Path, environment: str | None) -> None:
        self._command = [sys.executable, "-m", "hub.isolate", str(store_path), environment or ""]
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Isolation:
        self._process = subprocess.Popen(  # noqa: S603  our own module, our own interpreter
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.stdin is not None and self._process.stdout is not None:
            self._process.stdin.close()
            self._process.wait(2 * HANG_SECONDS)
            self._process.stdout.close()

    def try_receipt(self, seq: int) -> str:
        """How the child ended: '' well, else in words (``was ended by signal 9``, ``hung for 30 s``)."""
        return self._ask({"receipt": seq})

    def try_delivery(self, delivery_id: str) -> str:
        return self._ask({"delivery": delivery_id})

    def _ask(self, suspect: dict[str, Any]) -> str:
        assert self._process is not None and self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(suspect) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        return str(json.loads(answer)["ending"]) if answer else "ended the helper process"


def main(store_path: str, environment: str) -> None:
    """The helper: a line in, a forked child, a line out."""
    store = SqliteStore(Path(store_path), read_only=True)
    program = active_program(store, environment or None)
    store.close()
    for line in sys.stdin:
        suspect = json.loads(line)
        ending = "" if program is None else in_a_child(partial(_work, Path(store_path), program, suspect))
        print(json.dumps({"ending": ending}), flush=True)


def in_a_child(work: Callable[[], None]) -> str:
    """Run work in a forked child and say how the child ended; an error it raised is a good end."""
    child = os.fork()
    if child:
        return _watch(child)
    sys.stdout = sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115  the child ends below
    try:
        work()
    finally:
        # An error that is raised kills no process: the hub itself will record it as a dead letter.
        os._exit(0)


def _watch(child: int) -> str:
    deadline = time.monotonic() + HANG_SECONDS
    while time.monotonic() < deadline:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return _in_words(status)
        time.sleep(_POLL_SECONDS)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return f"hung for {HANG_SECONDS:.0f} s"


def _in_words(status: int) -> str:
    if os.WIFSIGNALED(status):
        return f"was ended by signal {os.WTERMSIG(status)}"
    code = os.WEXITSTATUS(status)
    return f"ended with exit code {code}" if code else ""


def _work(store_path: Path, program: Program, suspect: dict[str, Any]) -> None:
    store = SqliteStore(store_path, read_only=True)
    reader, clock = store.reader(), SystemClock()
    world = World(clock.epoch(), clock.new_id, lambda *name: messages.get_xref(reader, *name))
    if "receipt" in suspect:
        [receipt] = receipts.load(reader, [suspect["receipt"]], with_raw=False)
        chunks = payloads.read_chunks(reader, receipt.raw_owner or receipt.receipt_id, RAW, 1)
        transform(receipt, program, world, chunks)
    else:
        _build(store, program, world, suspect["delivery"])


def _build(store: Store, program: Program, world: World, delivery_id: str) -> None:
    [delivery] = deliveries.load(store.reader(), [delivery_id])
    target = program.find(delivery.route, delivery.target)
    raw = payloads.read(store.reader(), delivery.message_id, CANONICAL)
    if target is not None and raw is not None:
        at = delivery.received_at
        envelope = {"id": delivery.message_id, "source": delivery.source, "event": "", "received_at": iso(at)}
        encode(target, msgspec.json.decode(raw), program.settings.company, envelope, world.xref)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
