"""A teletype exchange: each request is a line, with what belongs to it behind. A connector of a project's own."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO

from connectors._queue import Queue
from connectors.base import (
    ABSENT,
    DELIVERED,
    DOUBT,
    FOUND,
    LATER,
    REFUSED,
    STOPPED,
    Field,
    Finished,
    Incoming,
    Parcel,
    StoppedError,
    TransientError,
    Verdict,
)

FIELDS = (
    Field("port", "integer", "Where the exchange listens.", required=True),
    Field("password", "secret", "What lets us in.", required=True),
    Field("patience", "duration", "How long an answer may take.", default=5.0),
    Field("lines", "integer", "How many parcels are sent at a time.", default=1),
    Field("fetch", "group", "What the exchange keeps for us.", fields=(
        Field("every", "duration", "How often it is asked.", default=10.0),
    )),
    Field("idempotency", "group", "What it offers against double effects.", fields=(
        Field("mode", "choice", "It knows the key, or can be asked.", default="native", choices=("native", "lookup")),
        Field("settle", "duration", "lookup: how long to wait before asking.", default=60.0),
    )),
)  # fmt: skip


class Call:
    """One call, let in."""

    def __init__(self, line: socket.socket, answers: BinaryIO) -> None:
        self._line, self._read = line, answers

    def ask(self, words: str, body: bytes = b"") -> str:
        """Raises OSError where no whole answer comes."""
        self._line.sendall(f"{words}\n".encode() + body)
        said = self._read.readline()
        if not said.endswith(b"\n"):
            raise ConnectionResetError("the exchange hung up")
        return said.decode().strip()

    def chunks(self, size: int) -> Iterator[bytes]:
        while size:
            if not (chunk := self._read.read(min(size, 65_536))):
                raise TransientError("the exchange hung up in the middle")
            size -= len(chunk)
            yield chunk


@contextmanager
def calling(config: Mapping[str, Any]) -> Iterator[Call]:
    """A call for the length of a block. Raises TransientError, StoppedError."""
    try:
        line = socket.create_connection(("127.0.0.1", config["port"]), config["patience"])
    except OSError:
        raise TransientError("the exchange does not answer") from None
    with line, line.makefile("rb") as answers:
        try:
            call = Call(line, answers)
            answer = call.ask(f"HELLO {config['password']}")
        except OSError:
            raise TransientError("the exchange does not answer") from None
        if answer != "OK":
            raise StoppedError("the exchange does not let us in", "login_refused")
        yield call


class TelexDestination:
    """Sends one parcel a call."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = config
        self._queue = Queue(config["lines"], "telex", self._send)

    def submit(self, parcels: list[Parcel], finished: Finished) -> None:
        self._queue.submit(parcels, finished)

    def recall(self, verdict: Verdict) -> None:
        self._queue.recall(verdict)

    def close(self) -> None:
        self._queue.close()

    def check(self) -> list[str]:
        verdict = self._asked("LIST")
        return [] if verdict.kind == ABSENT else [verdict.detail]

    def look_up(self, parcel: Parcel) -> Verdict:
        return self._asked(f"ASK {parcel.key}")

    def _asked(self, words: str) -> Verdict:
        try:
            with calling(self._config) as call:
                return Verdict(FOUND if call.ask(words) == "YES" else ABSENT)
        except StoppedError as error:
            return Verdict(STOPPED, error.code, str(error))
        except (OSError, TransientError):
            return Verdict(LATER, "away", "the exchange does not answer")

    def _send(self, parcel: Parcel) -> Verdict:
        try:
            with calling(self._config) as call:
                answer = call.ask(f"PUT {parcel.key} {len(parcel.body)}", parcel.body)
        except StoppedError as error:
            return Verdict(STOPPED, error.code, str(error))
        except TransientError as error:
            return Verdict(LATER, "away", str(error))
        except OSError:
            return Verdict(DOUBT, "no_answer", "the exchange did not answer")
        return Verdict(DELIVERED) if answer == "OK" else Verdict(REFUSED, "refused", "the exchange refused it")


class TelexSource:
    """Takes what the exchange keeps, one after the other."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config, self._is_closed = config, False

    def fetch(self, accept: Callable[[Incoming], None]) -> int:
        taken = 0
        try:
            with calling(self._config) as call:
                for name in call.ask("LIST").split():
                    if self._is_closed:
                        break
                    size = int(call.ask(f"GET {name}"))
                    accept(Incoming(name, call.chunks(size), "", f"telex:{name}", size=size))
                    call.ask(f"TAKEN {name}")
                    taken += 1
        except (OSError, ValueError):
            raise TransientError("the exchange hung up") from None
        return taken

    def settle(self, reference: str, failed: bool) -> None:
        """Nothing is filed away."""

    def check(self) -> list[str]:
        return TelexDestination(self._config).check()

    def close(self) -> None:
        self._is_closed = True


def destination(config: Mapping[str, Any]) -> TelexDestination:
    """Where texts go."""
    return TelexDestination(config)


def source(config: Mapping[str, Any]) -> TelexSource:
    """Where texts come from."""
    return TelexSource(config)
