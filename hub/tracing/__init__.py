"""Why a value is there: for each field of what a message became, and of what its targets were sent, the expression,
what that read, and where in the raw document it stands.

A trace is made when it is asked for, in a process of its own that has the files and the look-ups of then: ``trace``.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from multiprocessing import Pipe

from hub.errors import Conflict, Gone, HubError, StoreError, Unfinished
from hub.tracing.words import Ask, Told, decode_told, encode

__all__ = ["REASONS", "Ask", "trace"]
SECONDS = 20.0  # for one trace, the start of its process among them
_AT_ONCE, _PATIENCE_SECONDS = 2, 2.0
_slots = threading.BoundedSemaphore(_AT_ONCE)

# Why there is no trace: by what the process that makes it gives.
REASONS: dict[str, tuple[type[HubError], str]] = {
    "gone": (Gone, "it is no longer stored"),
    "raw_pruned": (Gone, "its raw bytes are no longer stored; retention: of the route says how long they are"),
    "lookup_not_recorded": (Gone, "what its mapping looked up is no longer stored and has changed since"),
    "files_unknown": (Gone, "the files that it was made with are not in this store"),
    "files_unreadable": (Conflict, "this version of the hub cannot read the files that it was made with"),
    "not_reproduced": (Conflict, "this version of the hub does not make of its bytes what was made then"),
    "acknowledgement": (Conflict, "the hub itself has written this acknowledgement; no mapping has made it"),
}


def trace(ask: Ask) -> bytes:
    """A page of a trace as JSON. Raises Gone or Conflict where there is none, Unfinished where its process hangs or
    dies, StoreError when the store is away."""
    if not _slots.acquire(timeout=_PATIENCE_SECONDS):
        raise Unfinished(f"{_AT_ONCE} traces are being made already; try again in some seconds")
    try:
        told = _ask(ask)
    finally:
        _slots.release()
    if told.away:
        raise StoreError(told.away)
    if told.reason in REASONS:
        kind, text = REASONS[told.reason]
        raise kind(text)
    if told.reason:
        raise RuntimeError(f"a trace has failed ({told.reason}); its process has logged why")
    return told.page


def _ask(ask: Ask) -> Told:
    ours, theirs = Pipe()
    process = subprocess.Popen(  # noqa: S603  our own module, our own interpreter
        [sys.executable, "-m", "hub.tracing.child", str(theirs.fileno())],
        pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    theirs.close()
    try:
        ours.send_bytes(encode(ask))
        if not ours.poll(SECONDS):
            raise Unfinished(f"tracing it has not ended within {SECONDS:.0f} s and was broken off")
        return decode_told(ours.recv_bytes())
    except (EOFError, OSError):
        raise Unfinished(f"tracing it has ended its process ({_ending(process)})") from None
    finally:
        process.kill()
        process.wait()
        ours.close()


def _ending(process: subprocess.Popen[bytes]) -> str:
    code = process.wait()
    return f"signal {-code}" if code < 0 else f"exit code {code}"
