"""What a broker's server has to do for the hub: hold one bounded queue of small texts, and give them out at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

# What a queue holds at most; the oldest make room. A message carries up to a few hundred ids.
BOUND = 10_000
# A server that does not answer for so long is away.
ANSWER_SECONDS = 2.0


class WireError(Exception):
    """The server is away or refuses; its text says why. The connection is given up, the next call makes a new one."""


@contextmanager
def guarded(server: str, give_up: Callable[[], None]) -> Iterator[None]:
    """Whatever fails in the block comes out as WireError, after the connection was given up. ``server`` is its name."""
    try:
        yield
    except WireError:
        raise
    except Exception as error:  # what the libraries raise has no common root: a handshake that takes too long has none
        give_up()
        raise WireError(f"{server}: {str(error) or type(error).__name__}") from error


class Wire(Protocol):
    """A connection that makes itself when it is used, and anew after a WireError. One thread at a time."""

    def push(self, texts: Sequence[bytes]) -> None:
        """Add to the queue. No answer is waited for where the server gives none."""
        ...

    def pull(self, most: int, seconds: float) -> list[bytes]:
        """Take up to so many from the queue; waits so long for the first one."""
        ...

    def tend(self) -> None:
        """Keep an idle connection alive, and notice when it is not."""
        ...

    def close(self) -> None: ...
