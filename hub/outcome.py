"""Four outcomes steer everything: Done, Retry, Hold, Dead. Doubt is Hold with the reason ``unknown``."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import msgspec
from msgspec.structs import replace

from hub.errors import DecodeError, MappingError, MessageError, ValidationError, without_values

CLASSES = (
    "parse", "schema", "mapping", "lookup_missing", "business_rule", "signature", "auth", "connection", "timeout",
    "rate_limited", "remote_rejected", "remote_error", "too_large", "duplicate", "stale", "expired", "no_route",
    "quarantine", "internal",
)  # fmt: skip
_INDEX = re.compile(r"(?<![^.\[/])\d+(?![^.\]/])")


class Failure(msgspec.Struct, frozen=True):
    """Why a message or a delivery could not go on, in the words an operator reads and in fields that group.

    ``error_class`` is one of CLASSES; ``code`` a stable short name within it; ``step`` the step of the flow;
    ``file, line, column`` a place in a file the user edits; ``field_path`` a place in the document;
    ``delivery_id`` what is to be replayed, where that is not the dead letter itself; ``partner`` who sent what no route
    takes. ``cause`` is the detail without any value of the document, as an error told it; it is not stored. ``quoted``
    is what the detail has of the document besides ``value_excerpt``.
    """

    error_class: str
    code: str
    detail: str
    step: str = ""
    title: str = ""
    file: str = ""
    line: int = 0
    column: int = 0
    field_path: str = ""
    position: str = ""
    value_excerpt: str = ""
    expected: str = ""
    hint: str = ""
    retryable: bool = False
    status: int = 0
    fingerprint: str = ""
    delivery_id: str = ""
    partner: str = ""
    cause: str = ""
    quoted: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """What is stored and shown: the fields that say something, with ``class`` instead of ``error_class``. The
        picture of NUL stands for one: no JSON that holds it can be looked into where the store is on PostgreSQL."""
        fields = {
            key: value.replace("\0", "\u2400") if isinstance(value, str) else value
            for key, value in msgspec.structs.asdict(self).items()
            if value not in ("", 0, False, ())
        }
        if self.quoted:
            fields["quoted"] = [text.replace("\0", "\u2400") for text in self.quoted]
        fields["class"] = fields.pop("error_class")
        fields.pop("cause", None)
        return fields

    def printed(self, route: str) -> Failure:
        """The same failure with its fingerprint: what is the same fault in another message has the same one."""
        cause = self.cause or without_values(self.detail, self.value_excerpt)
        parts = (route, self.step, self.error_class, self.code, _INDEX.sub("#", self.field_path), cause)
        return replace(self, fingerprint=hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16])


class Done(msgspec.Struct, frozen=True):
    """The work is done."""


class Retry(msgspec.Struct, frozen=True):
    """Try again. ``after_seconds`` is what the other side asked for, None for the policy's own wait."""

    failure: Failure
    after_seconds: float | None = None
    counts: bool = True  # whether this try uses up one of the policy's attempts


class Hold(msgspec.Struct, frozen=True):
    """Wait for a person or for an answer. ``reason`` is ``unknown`` where the last try may have had its effect."""

    reason: str
    failure: Failure


class Dead(msgspec.Struct, frozen=True):
    """This cannot succeed as it is."""

    failure: Failure


Outcome = Done | Retry | Hold | Dead

_ERROR_CLASSES: list[tuple[type[MessageError], str]] = [
    (DecodeError, "parse"),
    (MappingError, "mapping"),
    (ValidationError, "schema"),
]


def failure_of(error: MessageError, step: str) -> Failure:
    """The failure an operator sees for an error that a codec, mapping or validator raised."""
    known = [name for kind, name in _ERROR_CLASSES if isinstance(error, kind)]
    error_class = error.code if error.code in CLASSES else (known[0] if known else "internal")
    return Failure(
        error_class=error_class, code=error.code, detail=error.detail, step=step, file=error.file, line=error.line,
        column=error.column, field_path=error.field_path, position=error.position, value_excerpt=error.value_excerpt,
        expected=error.expected, hint=error.hint, cause=error.cause, quoted=error.quoted,
    )  # fmt: skip
