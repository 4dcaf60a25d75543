"""How one HTTP exchange ended: with an answer, or with a failure that knows whether the request had gone out."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec


@dataclass(slots=True)
class Answer:
    """What the other side said. ``headers`` by lower-case name, repeated ones joined by commas (RFC 9110, 5.3);
    ``cut`` names why ``body`` is not the whole body, empty when it is."""

    status: int
    headers: dict[str, str]
    body: bytes
    cut: str = ""


class Failure(msgspec.Struct, frozen=True):
    """No usable answer. ``sent`` says that bytes of the request may have reached the other side, ``stale`` that it
    died unanswered on a connection used before, ``stopped`` that no request to this system can succeed."""

    code: str
    detail: str
    sent: bool = False
    stale: bool = False
    stopped: bool = False


Ending = Answer | Failure
