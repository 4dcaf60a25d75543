"""sample_name: sends each document over a TCP connection of its own, and reads a line back: OK, or NO and why.

The first line that is sent is the idempotency key, by which the receiver knows what comes again; then the document, and
the end of what is sent.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any

from connectors.base import DELIVERED, DOUBT, LATER, REFUSED, Field, Parcel, Verdict
from connectors.blocking import BlockingDestination

# What config/systems.yaml may say of such a system. The lint, `o2c schema` and `o2c new system` go by it.
FIELDS = (
    Field("host", "text", "The receiver's name or address.", required=True),
    Field("port", "integer", "Its port.", default=9100),
    Field("timeout", "duration", "How long to wait for the connection, and then for the answer.", default=10.0),
    Field("idempotency", "group", "What the receiver offers against double effects.", fields=(
        Field("mode", "choice", "native: it knows the key, so that what is in doubt is sent again; none: a person "
              "decides.", default="native", choices=("native", "none")),
    )),
)  # fmt: skip


def destination(config: Mapping[str, Any]) -> Lines:
    """The receiver that ``config``, in the shape of FIELDS, describes."""
    return Lines(str(config["host"]), int(config["port"]), float(config["timeout"]))


class Lines(BlockingDestination):
    """One receiver."""

    def __init__(self, host: str, port: int, seconds: float) -> None:
        super().__init__(threads=2)
        self._address, self._seconds = (host, port), seconds

    def send(self, parcel: Parcel) -> Verdict:
        """One try. What went wrong before anything went out is tried again later; after that it is in doubt."""
        try:
            line = self._connected()
        except OSError as error:
            return Verdict(LATER, "connect_failed", self._not_there(error))
        with line, line.makefile("rb") as answers:
            try:
                line.sendall(parcel.key.encode() + b"\n" + parcel.body)
                line.shutdown(socket.SHUT_WR)
                answer = answers.readline(1000)
            except OSError:
                return Verdict(DOUBT, "no_answer", "it was sent, and there was no answer")
        return judged(answer)

    def tries(self) -> str:
        """What `check` tries, for a person."""
        return "a connection to {}:{}".format(*self._address)

    def check(self) -> list[str]:
        """What is wrong with reaching it now; for `o2c doctor`."""
        try:
            self._connected().close()
        except OSError as error:
            return [self._not_there(error)]
        return []

    def _connected(self) -> socket.socket:
        return socket.create_connection(self._address, self._seconds)

    def _not_there(self, error: OSError) -> str:
        return "no connection to {}:{}: {}".format(*self._address, error.strerror or "no answer")


def judged(answer: bytes) -> Verdict:
    """What an answer means."""
    word, _, why = answer.decode("utf-8", "replace").strip().partition(" ")
    match word:
        case "OK":
            return Verdict(DELIVERED, response=answer)
        case "NO":
            return Verdict(REFUSED, "refused", f"the receiver refused it: {why}", response=answer)
    return Verdict(DOUBT, "no_answer", f"expected OK or NO, got '{word[:40]}'", response=answer)
