"""What every connector is made of. Connectors move bytes and know nothing of the hub.

A connector module declares ``FIELDS`` (what ``config/systems.yaml`` may say about such a system) and offers
``destination(config)`` and, where it can fetch, ``source(config)``. ``config`` is a plain dict in the shape of FIELDS
with defaults filled in, durations as seconds, sizes as bytes, secrets resolved and expressions as callables. It
has ``name`` as well, the system's, and ``secrets``, the values of all secrets in it: nothing that is told may hold one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import msgspec


class Field(msgspec.Struct, frozen=True):
    """One setting of a connector, as data: the lint, the JSON Schema and the reference page are made from it.

    ``kind``: text, secret, url, integer, boolean, duration, size, rate (``20/s``), choice, expression, list, map,
    file (the path of one of the project's files below ``schemas/``; the connector is given all of these under
    ``files``, by their paths), group (``fields`` are its own settings). ``names`` are the names an expression may use;
    ``{name}`` in a template is a variable of the parcel. ``may_be_empty``: of a required text, which '' else is not.
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
    may_be_empty: bool = False

    def __post_init__(self) -> None:
        for name in ("choices", "fields", "names"):
            if not isinstance(value := getattr(self, name), tuple | list):
                seen = f"expected a tuple, got {type(value).__name__}; a tuple of one has a comma: (…,)"
                raise TypeError(f"Field '{self.name}': {name}: {seen}")


# When something happens again and again: the same settings for what is fetched and for what a route collects.
WHEN = (
    Field("at", "texts", "The times of day, in quotes: \"18:00\", or a list of them."),
    Field("zone", "text", "The time zone of times and days, e.g. Europe/Paris; none: the hub's, of what a partner is "
          "sent the partner's."),
    Field("days", "choice", "On which days: all, weekdays (Monday to Friday) or business (those of calendar).",
          default="all", choices=("all", "weekdays", "business")),
    Field("calendar", "text", "days: business: whose business days, e.g. FR, DE-BY or TARGET."),
)  # fmt: skip


class Parcel(msgspec.Struct, frozen=True, gc=False):
    """One delivery as a connector sees it: the bytes, and what identifies them to the receiver.

    ``key`` is the idempotency key; it is the same at every try of the same bytes. ``variables`` fill the templates of
    addresses and file names (``{key}``, ``{order_id}``); ``headers`` travel with the bytes (trace context).
    ``settling`` says that an earlier try may have had its effect; ``fetches_back`` that nothing is sent: its bytes
    tell of a document, which is asked for.
    """

    delivery_id: str
    key: str
    body: bytes
    content_type: str = "application/json"
    variables: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    settling: bool = False
    fetches_back: bool = False


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


class Said(msgspec.Struct, frozen=True):
    """What a system that is not reached is told to have answered; ``fails``: connect or timeout, it did not."""

    status: int = 200
    headers: Mapping[str, str] = {}
    body: bytes = b""
    fails: str = ""


class Request(msgspec.Struct, frozen=True):
    """What a parcel is sent as. ``line`` says what is asked of whom: ``POST /orders``, ``erp/1001.json``."""

    line: str
    headers: Mapping[str, str] = {}
    body: bytes = b""


class Rehearsed(msgspec.Struct, frozen=True):
    """A try without the other side: what would have been sent, None where nothing could be, and its verdict."""

    request: Request | None
    verdict: Verdict


class Rehearsal(Protocol):
    """A system that nothing is sent to, for tests of routes: ``rehearsal(config)`` of a connector's module gives it.
    It makes requests and judges answers with the code that does so when it is sent to."""

    def send(self, parcel: Parcel, said: Said, now_epoch: float) -> Rehearsed: ...

    def look_up(self, parcel: Parcel, said: Said | None, now_epoch: float) -> Rehearsed: ...


class Destination(Protocol):
    """Somewhere bytes go. ``submit`` returns at once; ``finished`` is called from another thread, in batches, with
    exactly one verdict per parcel, whatever happens. Sending never raises for a parcel: it becomes a verdict. After
    ``close`` parcels get LATER with the code ``closing``."""

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
class Reachable(Protocol):
    """A destination, or a source that can tell as well whether it can be reached."""

    def check(self) -> list[str]:
        """What is wrong with reaching this system now, in sentences; empty when nothing is."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class Telling(Protocol):
    """A destination or source that says what its ``check`` tries."""

    def tries(self) -> str:
        """``a connection to erp.example:443, then GET /me``; no secret in it."""
        ...


@runtime_checkable
class Adjustable(Protocol):
    """A destination, or a source, whose limits change while it runs."""

    def adjust(self, per_second: float, concurrency: int) -> None:
        """Bear so many requests a second (0: any) and so many at a time from now on; what is under way goes on."""
        ...


@runtime_checkable
class Recallable(Protocol):
    """A destination that has a queue."""

    def recall(self, verdict: Verdict) -> None:
        """Give back, with this verdict, what is queued and has not started."""
        ...


class Incoming(msgspec.Struct, frozen=True):
    """One thing a source found: its bytes in chunks, and what identifies it.

    ``reference`` lets the source find it again for ``settle``; ``dedupe_id`` is the same when the same thing is seen
    twice; ``size`` is in bytes, -1 unknown. Once all chunks were taken ``attributes`` may hold a ``reference``, which
    takes the other's place, and a ``sha256``, and ``same_content`` is what is wanted where another thing with that hash
    came before: ``skip``, ``process`` or ``alert``.
    ``content_tells``: the sha256 belongs to the id, since two things may have the same one (files of one name and size
    whose time was kept when they were copied). ``item`` is what the source gives again and again: it is known where its
    ``dedupe_id`` is one of the last ``round`` in which it came, however long ago that was; with the same round it is
    known whenever it came. ``other_id`` is another ``dedupe_id`` that an ``item`` may have come under, and is known by
    then. ``part`` of ``parts``: what comes one after the other under one reference, each with an id of its own; it is
    settled once, when all have come and all have ended.
    """

    name: str
    chunks: Iterable[bytes]
    reference: str
    dedupe_id: str
    event: str = ""
    content_type: str = ""
    size: int = -1
    same_content: str = "process"
    content_tells: bool = False
    item: str = ""
    round: int = 0
    other_id: str = ""
    part: int = 1
    parts: int = 1
    attributes: Mapping[str, str] = msgspec.field(default_factory=dict)


class Watched(msgspec.Struct, frozen=True):
    """Where a source takes things away, so that no other one may take the same: ``watched(config)`` of a connector's
    module gives it, without any I/O. Two are of one folder where their ``place`` is the same; ``pattern`` is about
    names. ``stays``: nothing is taken away, and another that does not either gets all things too."""

    place: tuple[str, ...]
    pattern: str
    stays: bool


class Source(Protocol):
    """Somewhere bytes are fetched from. ``accept`` stores durably before it returns; then a thing is taken away."""

    def fetch(self, accept: Callable[[Incoming], None]) -> int:
        """Take what is ready, one ``accept`` each; gives how many. An ``accept`` that raises leaves the thing there."""
        ...

    def settle(self, reference: str, failed: bool) -> None:
        """All messages of a thing have ended: file it away by its outcome. Doing it twice is harmless."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class Unhurried(Protocol):
    """A source that may have seen more than it has taken."""

    @property
    def is_over(self) -> bool:
        """Whether the last round took all that it could; else what is left may be taken at the next look, which should
        not wait for the next time of the day."""
        ...


@runtime_checkable
class Unsure(Protocol):
    """A source that may give what was not meant to be given yet."""

    def doubt(self) -> str:
        """Why, and what to write instead, in a sentence; empty where it is sure."""
        ...


class Memory(Protocol):
    """What a source keeps between its fetches, over restarts and crashes: a few bytes, without a secret in them."""

    def load(self) -> bytes:
        """What was saved last; empty when nothing was."""
        ...

    def save(self, content: bytes) -> None:
        """Durable on return."""
        ...


@runtime_checkable
class Remembering(Protocol):
    """A source that has to know at the next fetch how far the last one came."""

    def remember(self, memory: Memory) -> None:
        """Called once, before the first fetch."""
        ...


class Leases(Protocol):
    """Which things of a source are in hand, and which are done with. Durable on return; of all who ask for one thing
    at a time one gets it."""

    def ended(self, references: Sequence[str]) -> Mapping[str, str]:
        """Those of these things, all that lie there, that are done with; each with why it could not be taken, if so."""
        ...

    def take(self, reference: str, name: str, seconds: float) -> bool:
        """Have it in hand for so long; False where somebody has it, or it is done with."""
        ...

    def renew(self, reference: str, seconds: float) -> bool:
        """Have it in hand for so long from now on; False where somebody else has it by now."""
        ...

    def let_go(self, reference: str) -> None:
        """It is anybody's again, at once."""
        ...

    def end(self, reference: str, reason: str) -> None:
        """It is done with: stored, or not to be taken for this reason."""
        ...


@runtime_checkable
class Leasing(Protocol):
    """A source that may not be able to mark where it lies what it has in hand."""

    def lease_by(self, leases: Leases) -> None:
        """Called once, before the first fetch."""
        ...


class ConnectorError(Exception):
    """Anything a connector raises on purpose; its text is fit for a user and holds no secret."""


class TransientError(ConnectorError):
    """Try again later: the other side is away or busy. ``retry_after_seconds`` is what it asked for, if it did.
    ``code`` and ``status`` are those of a verdict; without them it counts as not reached."""

    def __init__(
        self, text: str, retry_after_seconds: float | None = None, code: str = "later", status: int = 0
    ) -> None:
        super().__init__(text)
        self.retry_after_seconds, self.code, self.status = retry_after_seconds, code, status


class PermanentError(ConnectorError):
    """Trying again will not help."""


class MachineError(PermanentError):
    """Something is missing on this machine, which another one that the same settings are for may have."""


class StoppedError(PermanentError):
    """Nothing can be had from this system before a person has seen to it: its credentials, certificates or keys.
    ``code`` is that of a verdict."""

    def __init__(self, text: str, code: str = "stopped") -> None:
        super().__init__(text)
        self.code = code


def verdict_of(error: ConnectorError) -> Verdict:
    """What an error says of the try that it ended."""
    match error:
        case TransientError():
            return Verdict(LATER, error.code, str(error), error.status, retry_after_seconds=error.retry_after_seconds)
        case StoppedError():
            return Verdict(STOPPED, error.code, str(error))
    return Verdict(REFUSED, "refused", str(error))


class FileFault(msgspec.Struct, frozen=True):
    """What is wrong with one of the project's files; ``line`` counts from 1, 0 means the whole file."""

    file: str
    line: int
    message: str


class FilesError(PermanentError):
    """Files that the settings name, or that such files name in turn, are wrong. ``faults`` says what and where."""

    def __init__(self, setting: str, faults: Sequence[FileFault]) -> None:
        self.faults = tuple(faults)
        first = faults[0]
        place = f"{first.file}:{first.line}" if first.line else first.file
        super().__init__(f"{setting}: {place}: {first.message}")
