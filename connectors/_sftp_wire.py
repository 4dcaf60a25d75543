"""SFTP version 3 over one SSH channel: requests that may be under way together, names as the bytes they are.

paramiko's own client reads names as UTF-8, so that one file with another name hides a whole folder; it reads ahead
without bound, and does not tell which extensions a server has. One thread at a time uses a wire.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Iterable
from typing import NoReturn

import paramiko

from connectors._files import Lost, Passing

OPEN, CLOSE, READ, WRITE, LSTAT, FSTAT = 3, 4, 5, 6, 7, 8
OPENDIR, READDIR, REMOVE, MKDIR, STAT, RENAME, EXTENDED = 11, 12, 13, 14, 17, 18, 200
_INIT, _VERSION, _STATUS = 1, 2, 101
_LONGEST_PACKET = 1_048_576  # a server that announces more speaks something else
_RECEIVE = 131_072


class Wide(int):
    """A number of 64 bits."""


class Raw(bytes):
    """Bytes without their length before them."""


Part = int | bytes


class Answer:
    """The fields of a packet, taken one after the other."""

    def __init__(self, raw: bytes) -> None:
        self._raw, self._at = raw, 0

    def number(self) -> int:
        return int(self._take(">I", 4))

    def wide(self) -> int:
        return int(self._take(">Q", 8))

    def text(self) -> bytes:
        size = self.number()
        if self._at + size > len(self._raw):
            raise Lost(errno.EPROTO, "the server's answer is cut off", "not_sftp")
        self._at += size
        return self._raw[self._at - size : self._at]

    @property
    def is_at_end(self) -> bool:
        return self._at >= len(self._raw)

    def _take(self, form: str, size: int) -> int:
        try:
            (value,) = struct.unpack_from(form, self._raw, self._at)
        except struct.error:
            raise Lost(errno.EPROTO, "the server's answer is cut off", "not_sftp") from None
        self._at += size
        return int(value)


class Wire:
    """Raises Lost when the channel breaks or is silent for longer than its time-out, an OSError for what the server
    refuses, EOFError at the end of a file or folder."""

    def __init__(self, channel: paramiko.Channel) -> None:
        self._channel = channel
        self._buffer = bytearray()
        self._number = 0
        self._open: set[int] = set()  # asked, not answered
        self._came: dict[int, tuple[int, Answer]] = {}
        self._is_broken = False
        self._send(_INIT, struct.pack(">I", 3))
        self.extensions = self._greeting()

    @property
    def is_usable(self) -> bool:
        """Whether another request can be made: nothing is under way and nothing broke."""
        return not self._is_broken and not self._open

    def ask(self, kind: int, *parts: Part) -> int:
        """Send a request; gives its number."""
        self._number = number = (self._number + 1) & 0xFFFFFFFF
        self._send(kind, struct.pack(">I", number) + b"".join(map(_packed, parts)))
        self._open.add(number)
        return number

    def answer(self, number: int) -> Answer:
        """The answer to a request."""
        while number not in self._came:
            self._receive_one()
        kind, answer = self._came.pop(number)
        if kind == _STATUS and (code := answer.number()):
            _refuse(code, answer)
        return answer

    def call(self, kind: int, *parts: Part) -> Answer:
        return self.answer(self.ask(kind, *parts))

    def forget(self, numbers: Iterable[int]) -> None:
        """Take in the answers to requests that nobody wants any more."""
        for number in numbers:
            while not self._is_broken and number not in self._came:
                self._receive_one()
            self._came.pop(number, None)

    def _greeting(self) -> dict[bytes, bytes]:
        kind, raw = self._receive()
        answer = Answer(raw)
        if kind != _VERSION or answer.number() < 3:
            self._break("the server does not speak SFTP version 3", "not_sftp")
        found = {}
        while not answer.is_at_end:
            name = answer.text()
            found[name] = answer.text()
        return found

    def _receive_one(self) -> None:
        kind, raw = self._receive()
        answer = Answer(raw)
        number = answer.number()
        if number not in self._open:
            self._break("the server answers what was not asked", "not_sftp")
        self._open.discard(number)
        self._came[number] = kind, answer

    def _receive(self) -> tuple[int, bytes]:
        size = int.from_bytes(self._bytes(4), "big")
        if not 0 < size <= _LONGEST_PACKET:
            self._break("the server does not speak SFTP", "not_sftp")
        raw = self._bytes(size)
        return raw[0], raw[1:]

    def _bytes(self, size: int) -> bytes:
        while len(self._buffer) < size:
            try:
                more = self._channel.recv(_RECEIVE)
            except TimeoutError:
                self._break("the server did not answer within the read time-out", "read_timeout")
            except (OSError, EOFError, paramiko.SSHException):
                more = b""
            if not more:
                self._break("the connection was closed by the server or on its way", "connection_lost")
            self._buffer += more
        found = bytes(self._buffer[:size])
        del self._buffer[:size]
        return found

    def _send(self, kind: int, raw: bytes) -> None:
        try:
            self._channel.sendall(struct.pack(">IB", len(raw) + 1, kind) + raw)
        except TimeoutError:
            self._break("the server took nothing more within the read time-out", "read_timeout")
        except (OSError, EOFError, paramiko.SSHException):
            self._break("the connection was closed by the server or on its way", "connection_lost")

    def _break(self, text: str, code: str) -> NoReturn:
        self._is_broken = True
        raise Lost(errno.ECONNRESET, text, code)


def _packed(part: Part) -> bytes:
    if isinstance(part, Raw):
        return bytes(part)
    if isinstance(part, bytes):
        return struct.pack(">I", len(part)) + part
    return struct.pack(">Q" if isinstance(part, Wide) else ">I", part)


def _refuse(code: int, answer: Answer) -> NoReturn:
    match code:
        case 1:  # SSH_FX_EOF, and so on; 11, 14 and 15 are of later versions, and some servers say them all the same
            raise EOFError
        case 2:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory")
        case 3:
            raise PermissionError(errno.EACCES, "Permission denied")
        case 8:
            raise OSError(errno.EOPNOTSUPP, "the server does not support it")
        case 11:
            raise FileExistsError(errno.EEXIST, "File exists")
        case 14 | 15:
            raise OSError(errno.ENOSPC, "No space left on device")
    said = "" if answer.is_at_end else answer.text().decode("utf-8", "replace")[:100]
    raise Passing(errno.EIO, f"the server failed: {said or code}")
