"""Webhooks in: whether a request is truly from its sender, which event it is, and what tells a repeat.

One verifier for all of them; what a sender does differently is data (``connectors/presets/``). It sees the raw bytes,
before any parsing, and compares in constant time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from connectors._extract import Extractor, extractor
from connectors._proofs import SignatureError, checks_of
from connectors._signature import ALGORITHMS, ENCODINGS, KEY_ENCODINGS
from connectors.base import Field

__all__ = ["FIELDS", "Ping", "SignatureError", "Verified", "Verifier", "extractor"]

FIELDS = (
    Field(
        "verify", "group", "How a request proves its sender.",
        fields=(
            Field("method", "choice", "signature over the body, a token in a header, basic, or none at all.",
                  default="signature", choices=("signature", "token", "basic", "none")),
            Field("unsigned", "boolean", "none: that this source proves nothing is meant so.", default=False),
            Field("header", "text", "signature, token: the header it is in."),
            Field("field", "text", "signature: the field of the body it is in, instead of a header."),
            Field("items", "text", "signature in a field: the path of the signed items, e.g. items.*; each must pass."),
            Field("separator", "text", "What stands between several signatures in the header."),
            Field("prefix", "text", "What stands before a signature or token, e.g. sha256=.", default=""),
            Field("timestamp", "text", "Where the signed time is: header:NAME, or part:t in the signature's header."),
            Field("tolerance", "duration", "How far the signed time may be off, both ways.", default=300.0),
            Field("signed", "text", "What is signed: {body} {timestamp} {header:NAME} {field:PATH}.",
                  default="{body}"),
            Field("algorithm", "choice", "The hash.", default="hmac-sha256", choices=ALGORITHMS),
            Field("encoding", "choice", "How the signature is written.", default="base64", choices=ENCODINGS),
            Field("key_encoding", "choice", "How the secret is written down.", default="utf8", choices=KEY_ENCODINGS),
            Field("secrets", "list", "The secrets (or tokens); any of them will do.", fields=(Field("", "secret"),)),
            Field("old_secrets", "list", "Secrets that are good until a date.",
                  fields=(Field("secret", "secret", "The old secret.", required=True),
                          Field("until", "text", "Its last day (UTC), or a time with offset.", required=True))),
            Field("basic", "group", "User and password; beside a signature both must be right.",
                  fields=(Field("user", "text", "The user."), Field("password", "secret", "The password."))),
        ),
    ),
    Field("answer", "text", "What the sender wants to read in the body of the answer, e.g. [accepted]."),
    Field(
        "ping", "group", "How the sender tries the door when it is set up, without proving itself: answered 200 and "
        "counted, never kept.",
        fields=(
            Field("content_type", "text", "Its content type, which documents must not have.", required=True),
            Field("begins", "text", "How its body begins.", required=True),
        ),
    ),
)  # fmt: skip
_LONGEST_PING = 200


class Verified(msgspec.Struct, frozen=True):
    """A request whose sender is proved. None where the source names no id, or no event."""

    dedupe_id: str | None
    event: str | None


class Verifier:
    """Checks the requests of one source. ``config`` has ``verify``, ``event`` and ``dedupe`` of its system.

    Raises PermanentError for settings that cannot be, so that a wrong set-up never becomes an open door.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        verify = {name: value for name, value in (config.get("verify") or {}).items() if value}
        self._checks = checks_of(verify, verify.get("method", "signature"))
        event, dedupe = config.get("event"), (config.get("dedupe") or {}).get("id")
        self._event: Extractor | None = extractor(str(event), "event") if event else None
        self._dedupe: Extractor | None = extractor(str(dedupe), "dedupe.id") if dedupe else None

    def verify(self, headers: Mapping[str, str], body: bytes, now_epoch: float) -> Verified:
        """The proof, or SignatureError. ``headers`` by lower-case name, repeated ones joined by commas."""
        for check in self._checks:
            check(headers, body, now_epoch)
        return Verified(
            self._dedupe(headers, body) if self._dedupe else None, self._event(headers, body) if self._event else None
        )


class Ping(msgspec.Struct, frozen=True):
    """How a sender tries a door: no document, so nobody has to prove it."""

    content_type: str
    begins: bytes

    @classmethod
    def of(cls, said: Mapping[str, Any] | None) -> Ping | None:
        """What the setting ``ping`` says; None where it says nothing."""
        wanted = {name: str(value) for name, value in (said or {}).items() if value}
        return cls(wanted["content_type"].lower(), wanted["begins"].encode()) if wanted else None

    def fits(self, content_type: str, body: bytes) -> bool:
        """Whether this is one. ``content_type`` is in lower case, without parameters."""
        return content_type == self.content_type and len(body) <= _LONGEST_PING and body.startswith(self.begins)
