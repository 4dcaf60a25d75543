"""Frames on a pipe between two processes: a length (4 bytes, big-endian) and that many bytes."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from typing import IO

_PIPE_BYTES = 1 << 20


def widen(*pipes: IO[bytes] | None) -> None:
    """Let a pipe hold a whole batch where the system can: else both sides wake each other at every 64 KB of it."""
    for pipe in pipes:
        if pipe is not None and hasattr(fcntl, "F_SETPIPE_SZ"):
            with suppress(OSError):  # more than this user may have: it works all the same
                fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def write_all(pipe: IO[bytes], frame: bytes) -> None:
    """To an unbuffered pipe, which may take less than all at once."""
    view = memoryview(len(frame).to_bytes(4, "big") + frame)
    while view:
        view = view[os.write(pipe.fileno(), view) :]


def write(pipe: IO[bytes], frame: bytes) -> None:
    pipe.write(len(frame).to_bytes(4, "big"))
    pipe.write(frame)
    pipe.flush()


def read_frame(pipe: IO[bytes]) -> bytes | None:
    """The next frame; None when the other side is gone."""
    head = pipe.read(4)
    if len(head) < 4:
        return None
    size = int.from_bytes(head, "big")
    frame = pipe.read(size)
    return frame if len(frame) == size else None


def close(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except OSError:
        # What was still to be written has nobody to read it.
        return
