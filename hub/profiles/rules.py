"""Asks the process that runs rules: starts it when it is first needed, again when it has ended, ends it when it hangs.

A process of the hub has one such child at most, whoever in it wants a verdict. Rules can loop, and Saxon can bring its
process down: neither takes anything of the hub with it.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from types import MappingProxyType

import msgspec

from hub.errors import Unfinished
from hub.profiles.frames import Answer, Ask, write_frame
from hub.profiles.library import Published

SECONDS = 30.0  # for a document; what comes first waits for the rules to be compiled too
_COMPILING_SECONDS = 60.0
_TRIES = 2
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Answer).decode


class _Ended(Exception):
    """The process ended before it had answered; its text says how."""


class RulesProcess:
    """One child. Safe to call from several threads: they wait for each other."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._sent: set[str] = set()
        self._lock = threading.Lock()

    @property
    def pid(self) -> int:
        """Of the child; 0 where none runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else 0

    def judge(
        self,
        rules: Published,
        document: bytes,
        most: int,
        waiting: Callable[[], None],
        levels: Mapping[str, str] = MappingProxyType({}),
    ) -> Answer:
        """The verdict on a document, which must be of the safe tree; ``most`` 0: the text that a stylesheet makes.
        ``waiting`` is called about once a second, and at the end. ``levels``: rules that have another severity than
        their own. Raises Unfinished where it takes too long, or the
        process dies twice."""
        ask = Ask(rules.digest, document, most=most, levels=dict(levels))
        with self._lock:
            for number in range(1, _TRIES + 1):
                try:
                    answer = self._ask(rules, ask, waiting)
                    if answer.is_forgotten:
                        self._sent.discard(ask.key)
                        answer = self._ask(rules, ask, waiting)
                    waiting()
                    return answer
                except _Ended as ending:
                    self._end()
                    if number == _TRIES:
                        raise Unfinished(f"the process that runs rules {ending}, {_TRIES} times") from None
        raise AssertionError("a try returns or raises")

    def _ask(self, rules: Published, ask: Ask, waiting: Callable[[], None]) -> Answer:
        process = self._running()
        seconds = self._seconds
        ask.is_sent, ask.rules, ask.file = ask.key in self._sent, b"", ""
        if not ask.is_sent:
            ask.rules, ask.file = (b"", rules.file) if rules.file else (rules.content, "")
            seconds += _COMPILING_SECONDS
        assert process.stdin is not None
        with suppress(OSError):  # reading tells how it ended
            write_frame(process.stdin.fileno(), _encode(ask))
        begun = time.monotonic()
        size = int.from_bytes(self._read(process, 4, begun, seconds, waiting), "big")
        answer = _decode(self._read(process, size, begun, seconds, waiting))
        if not answer.broken:
            self._sent.add(ask.key)
        return answer

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is not None:
            self._end()  # it had nothing to do for a while
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "hub.profiles.saxon"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
            )
            self._sent.clear()
        return self._process

    def _read(
        self, process: subprocess.Popen[bytes], size: int, begun: float, seconds: float, waiting: Callable[[], None]
    ) -> bytes:  # fmt: skip
        assert process.stdout is not None
        watch, pieces = select.poll(), []
        watch.register(process.stdout, select.POLLIN)
        while size:
            if not watch.poll(1000):
                waiting()
                if time.monotonic() > begun + seconds:
                    self._end()
                    raise Unfinished(f"the rules have not come to an end within {seconds:.0f} s")
                continue
            piece = os.read(process.stdout.fileno(), min(size, 1 << 20))
            if not piece:
                raise _Ended(_ending(process))
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def close(self) -> None:
        """End the child; it is started again when it is asked again."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        process.wait()


def _ending(process: subprocess.Popen[bytes]) -> str:
    code = process.wait()
    return f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"


@cache
def rules_process() -> RulesProcess:
    """The one of this process."""
    return RulesProcess()
