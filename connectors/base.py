"""What every connector is made of. Connectors move bytes and know nothing of the hub.

A connector module declares ``FIELDS`` (what ``config/systems.yaml`` may say about such a system) and offers
``destination(config)`` and, where it can fetch, ``source(config)``. ``config`` is a plain dict in the shape of FIELDS
with defaults filled in, durations as seconds, sizes as bytes, secrets resolved and expressions as callables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import msgspec


@dataclass(frozen=True, slots=True)
class Field:
    """One setting of a connector, as data: the lint, the JSON Schema and the reference page are made from it.

    ``kind``: text, secret, url, integer, boolean, duration, size, rate (``20/s``), choice, expression, list, map,
    group (``fields`` are its own settings). ``names`` are the names an expression may use; ``{name}`` in a
    template is a variable of the parcel.
    """

    name: str
    kind: str = "text"
    description: str = ""
    required: bool = False
    default: Any = None
    choices: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()
    names: tuple[str, ...] = ()
    is_template: bool = False


class Parcel(msgspec.Struct, frozen=True, gc=False):
    """One delivery as a connector sees it: the bytes, and what identifies them to the receiver.

    ``key`` is the idempotency key; it is the same at every try of the same bytes. ``variables`` fill the templates of
    addresses and file names (``{key}``, ``{order_id}``); ``headers`` travel with the bytes (trace context).
    ``settling`` says that an earlier try may have had its effect.
    """

    delivery_id: str
    key: str
    body: bytes
    content_type: str = "application/json"
    variables: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    settling: bool = False


DELIVERED = "delivered"  # it had its effect
REFUSED = "refused"  # the receiver said no; the same bytes will be refused again
LATER = "later"  # it had no effect; try again (``retry_after_seconds`` if the receiver said when)
DOUBT = "doubt"  # it may have had its effect
STOPPED = "stopped"  # nothing can be sent to this system: bad credentials, bad certificate; not this message's fault
FOUND, ABSENT = "found", "absent"  # answers of a look-up


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """What became of one try. ``kind`` is one of the constants above.

    ``code`` is a short stable name (``http_503``, ``connect_refused``, ``read_timeout``), ``detail`` a sentence for an
    operator without secrets or payload, ``status`` the protocol's own number (0: none). ``response`` is the answer's
    body, cut at the limit of the system; ``seconds`` how long the try took; ``reference`` what the receiver calls
    what the try has made. ``slow_down`` asks for a pause of the whole system: it had too much (429, 503), or says that
    nothing is left of its limit.
    """

    kind: str
    code: str = ""
    detail: str = ""
    status: int = 0
    response: bytes = b""
    response_type: str = ""
    headers: Mapping[str, str] = {}
    retry_after_seconds: float | None = None
    slow_down: bool = False
    seconds: float = 0.0
    reference: str = ""


Finished = Callable[[list[tuple[Parcel, Verdict]]], None]


class Destination(Protocol):
    """Somewhere bytes go. ``submit`` returns at once; ``finished`` is called from another thread, in batches, with
    exactly one verdict per parcel, whatever happens. Sending never raises for a parcel: it becomes a verdict."""

    def submit(self, parcels: Sequence[Parcel], finished: Finished) -> None: ...

    def look_up(self, parcel: Parcel) -> Verdict:
        """Whether the receiver already has this key: FOUND, ABSENT, LATER when it cannot tell now, or DOUBT when it
        cannot be asked at all, so that a person has to look."""
        ...

    def check(self) -> list[str]:
        """What is wrong with reaching this system now, in sentences; empty when nothing is. For ``o2c doctor``."""
        ...

    def close(self) -> None:
        """Finish what is under way (bounded by the time-outs), then free every connection."""
        ...


@runtime_checkable
class Adjustable(Protocol):
    """A destination whose limits change while it runs."""

    def adjust(self, per_second: float, concurrency: int) -> None:
        """Bear so many requests a second (0: any) and so many at a time from now on; what is under way goes on."""
        ...

    def recall(self, verdict: Verdict) -> None:
        """Give back, with this verdict, what is queued and has not started."""
        ...


@dataclass(frozen=True, slots=True)
class Incoming:
    """One thing a source found: its bytes in chunks, and what identifies it.

    ``reference`` lets the source find it again for ``settle``; ``dedupe_id`` is the same when the same thing is seen
    twice; ``size`` is in bytes, -1 unknown. ``attributes`` may hold a ``sha256`` once all chunks were taken, and
    ``same_content`` what is wanted where another thing with that hash came before: ``skip``, ``process`` or ``alert``.
    """

    name: str
    chunks: Iterable[bytes]
    reference: str
    dedupe_id: str
    event: str = ""
    content_type: str = ""
    size: int = -1
    same_content: str = "process"
    attributes: Mapping[str, str] = field(default_factory=dict)


class Source(Protocol):
    """Somewhere bytes are fetched from. ``accept`` stores durably before it returns; then a thing is taken away."""

    def fetch(self, accept: Callable[[Incoming], None]) -> int:
        """Take what is ready, one ``accept`` each; gives how many. An ``accept`` that raises leaves the thing there."""
        ...

    def settle(self, reference: str, failed: bool) -> None:
        """All messages of a thing have ended: file it away by its outcome. Doing it twice is harmless."""
        ...

    def close(self) -> None: ...


class ConnectorError(Exception):
    """Anything a connector raises on purpose; its text is fit for a user and holds no secret."""


class TransientError(ConnectorError):
    """Try again later: the other side is away or busy."""


class PermanentError(ConnectorError):
    """Trying again will not help."""
