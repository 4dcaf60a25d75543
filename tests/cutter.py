"""A line to a server that breaks or falls silent where it is told to, for whatever speaks over TCP."""

from __future__ import annotations

import ctypes
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

# Linux: a socket with a filter that lets no byte of a packet through is deaf to the kernel's other end as well.
_ATTACH_FILTER, _DETACH_FILTER = 26, 27
_RETURN_NOTHING = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
_NOTHING_PASSES = struct.pack("HP", 1, ctypes.addressof(_RETURN_NOTHING))


class Cutter:
    """A line to a server. Pieces are what comes at a time, counted from the last order on, over all connections.

    ``cut_in(n)`` ends the connection at the n-th piece that the client sends: ``passing`` it first, with its answer
    lost, or not. ``cut_back(n)`` ends it in the middle of the n-th piece that the server sends, ``cut_after(n)`` when
    n bytes have come back. ``hush(n)`` lets nothing pass any more from the n-th piece of the client on, neither way,
    and ``hush_back(n)`` nothing from the n-th of the server on; the connections stay. ``vanish`` is a host that is
    gone: the kernel drops what is sent to it and confirms nothing, of new connections neither. ``most`` is how many
    were open at a time, ``connections`` how many there were in all.
    """

    def __init__(self, target: int) -> None:
        self._target, self._lock = target, threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._is_shut = False
        self._deaf: set[socket.socket] = set()  # ends that hear nothing any more
        self._ends: list[socket.socket] = []
        self.open = self.most = self.connections = 0
        self._order()
        threading.Thread(target=self._accept, daemon=True).start()

    def _order(self, pieces: int = -1, passing: bool = False, back: int = -1, after: int = -1, hush: int = -1,
               hush_back: int = -1) -> None:  # fmt: skip
        with self._lock:
            self._pieces, self._passing, self._back, self._bytes = pieces, passing, back, after
            self._hush, self._hush_back = hush, hush_back
            self.seen = self.seen_back = 0  # pieces of the client and of the server since this order

    def cut_in(self, pieces: int, passing: bool) -> None:
        self._order(pieces, passing)

    def cut_for_good(self, pieces: int) -> None:
        """As ``cut_in``, the piece passed on; until ``heal`` no new connection leads anywhere."""
        self.cut_in(pieces, passing=True)
        self._is_shut = True

    def cut_back(self, pieces: int) -> None:
        self._order(back=pieces)

    def cut_after(self, count: int) -> None:
        self._order(after=count)

    def hush(self, pieces: int) -> None:
        self._order(hush=pieces)

    def hush_back(self, pieces: int) -> None:
        self._order(hush_back=pieces)

    def vanish(self) -> None:
        with self._lock:
            self._deaf |= set(self._ends)
        for end in (self._listener, *self._ends):
            with suppress(OSError):  # some have ended
                end.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, _NOTHING_PASSES)

    def heal(self) -> None:
        """All passes again; connections that have lost bytes are ended."""
        with suppress(FileNotFoundError):  # there is none
            self._listener.setsockopt(socket.SOL_SOCKET, _DETACH_FILTER, 0)
        if self._hush > 0 or self._hush_back > 0 or self._deaf:
            self.cut()
        self._order()
        self._is_shut = False

    def close(self) -> None:
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                if self._is_shut:
                    near.close()
                    continue
                far = socket.create_connection(("127.0.0.1", self._target))
                for line in (near, far):
                    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._ends += [near, far]
                with self._lock:
                    self.open, self.connections = self.open + 1, self.connections + 1
                    self.most = max(self.most, self.open)
                threading.Thread(target=self._up, args=(near, far), daemon=True).start()
                threading.Thread(target=self._down, args=(far, near), daemon=True).start()

    def _up(self, near: socket.socket, far: socket.socket) -> None:
        with suppress(OSError):
            while data := near.recv(65_536):
                with self._lock:
                    self.seen += 1
                    is_last, is_hushed = self._pieces == self.seen, 0 < self._hush <= self.seen
                    if is_hushed or (is_last and self._passing):
                        self._deaf.add(near)
                if not is_hushed and (not is_last or self._passing):
                    far.sendall(data)
                if is_last:
                    time.sleep(0.1 if self._passing else 0)  # the server does what it was asked for
                    self.cut()
                    break
        with self._lock:
            self.open -= 1
        _shut(near, far)

    def _down(self, far: socket.socket, near: socket.socket) -> None:
        with suppress(OSError):
            while data := far.recv(65_536):
                data, is_cut = self._kept(near, data)
                near.sendall(data)
                if is_cut:
                    self.cut()
                    return
        _shut(near, far)

    def _kept(self, near: socket.socket, data: bytes) -> tuple[bytes, bool]:
        """What of a piece of the server's reaches the client, and whether the connection ends with it."""
        with self._lock:
            self.seen_back += 1
            if near in self._deaf or 0 < self._hush_back <= self.seen_back:
                return b"", False
            if self._back == self.seen_back:
                return data[: len(data) // 2], True
            if self._bytes < 0:
                return data, False
            data, is_cut = data[: self._bytes], len(data) >= self._bytes
            self._bytes = -1 if is_cut else self._bytes - len(data)
            return data, is_cut

    def cut(self) -> None:
        """End every connection there is."""
        ends, self._ends = self._ends, []
        _shut(*ends)


def _shut(*lines: socket.socket) -> None:
    for line in lines:
        with suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)
        line.close()


@contextmanager
def cutter(target: int) -> Iterator[Cutter]:
    """A line that can be cut, for the length of a block."""
    line = Cutter(target)
    try:
        yield line
    finally:
        line.close()
