"""How a system knows us: none, basic, key, bearer, OAuth2, HMAC over the body. Named in YAML."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import quote

import msgspec

from connectors import _jwt
from connectors._oauth2 import GRANTS, NEEDS, Grant, grant_of, is_plain
from connectors._signature import ALGORITHMS, ENCODINGS, KEY_ENCODINGS, Signer, key_bytes
from connectors.base import Field, PermanentError

AUTH = Field(
    "auth", "group", "How the system knows us.",
    fields=(
        Field("type", "choice", "The strategy.", default="none",
              choices=("none", "basic", "key", "bearer", "oauth2", "hmac")),
        Field("user", "text", "basic: the user's name."),
        Field("password", "secret", "basic: the password."),
        Field("key", "secret", "key: the API key."),
        Field("header", "text", "key, oauth2, hmac: the header that carries it; without it X-API-Key (key without "
              "query), Authorization (oauth2), X-Signature (hmac)."),
        Field("query", "text", "key: the query parameter that carries it, instead of a header."),
        Field("prefix", "text", "key, bearer, oauth2, hmac: text before the value, such as 'sha256='.", default=""),
        Field("token", "secret", "bearer: the token."),
        Field("token_url", "url", "oauth2: where tokens are fetched."),
        Field("insecure", "boolean", "oauth2: token_url may be plain http to another machine, on purpose.",
              default=False),
        Field("grant", "choice", "oauth2: how a token is got: client_credentials, refresh_token (RFC 6749), jwt_bearer "
              "(RFC 7523: a JWT that we sign).", default="client_credentials", choices=GRANTS),
        Field("client_id", "text", "oauth2: who we are."),
        Field("client_secret", "secret", "oauth2: the proof of it."),
        Field("scope", "text", "oauth2: the scopes asked for, separated by spaces."),
        Field("audience", "text", "oauth2: the audience asked for, where the server wants one."),
        Field("client_auth", "choice", "oauth2: id and secret as Basic header or in the body, or a JWT instead of a "
              "secret.",
              default="basic", choices=("basic", "body", "jwt")),
        Field("refresh_token", "secret", "grant: refresh_token: the token, where the server never gives another."),
        Field("refresh_token_file", "text", "grant: refresh_token: the file it is in; a new one replaces it there."),
        Field("jwt", "group", "oauth2: what we sign, for grant: jwt_bearer and client_auth: jwt.", fields=(
            Field("private_key", "secret", "The private key that signs (PEM, without a password).", required=True),
            Field("algorithm", "choice", "How it signs.", default="RS256", choices=_jwt.ALGORITHMS),
            Field("key_id", "text", "The kid that the server knows the key by."),
            Field("issuer", "text", "Who signs; without it client_id."),
            Field("subject", "text", "For whom, such as a user; without it the issuer."),
            Field("audience", "text", "Whom it is for; without it token_url."),
            Field("claims", "map", "More that is to be signed.", default={}, fields=(Field("", "text"),)),
        )),
        Field("secret", "secret", "hmac: the key that signs."),
        Field("style", "choice", "hmac: one header, or the three of Standard Webhooks.", default="header",
              choices=("header", "standard-webhooks")),
        Field("algorithm", "choice", "hmac: the hash.", default="hmac-sha256", choices=ALGORITHMS),
        Field("encoding", "choice", "hmac: how the signature is written.", default="base64", choices=ENCODINGS),
        Field("key_encoding", "choice", "hmac: how the secret is written down.", default="utf8",
              choices=KEY_ENCODINGS),
        Field("signed", "text", "hmac: what is signed: {body} {key} {timestamp} {method} {path}.", default="{body}"),
        Field("timestamp_header", "text", "hmac: the header that carries {timestamp} (seconds since 1970)."),
    ),
)  # fmt: skip

_NEEDS = {
    "none": (), "basic": ("user", "password"), "key": ("key",), "bearer": ("token",),
    "oauth2": (), "hmac": ("secret",),
}  # fmt: skip
_PARTS = re.compile(r"\{(body|key|timestamp|method|path)\}")


class Outgoing(msgspec.Struct, frozen=True):
    """What a signature may cover. ``path`` is with its query; ``timestamp`` in seconds since 1970."""

    method: str
    path: str
    key: str
    body: bytes
    timestamp: int


class Credentials(Protocol):
    """What goes into every request so that the system knows us. ``query`` is encoded already; ``grant`` renews."""

    @property
    def query(self) -> str: ...

    @property
    def grant(self) -> Grant | None: ...

    def lines(self, outgoing: Outgoing) -> list[str]:
        """Header lines that differ from request to request, each with its line end."""
        ...


def credentials(settings: Mapping[str, Any] | None) -> Credentials:
    """The strategy that ``auth:`` names. Raises PermanentError for what is missing; no text shows a secret."""
    given = {name: value for name, value in (settings or {}).items() if value not in (None, "")}
    kind = str(given.get("type", "none"))
    needed = NEEDS[str(given.get("grant") or "client_credentials")] if kind == "oauth2" else _NEEDS[kind]
    for name in needed:
        if name not in given:
            raise PermanentError(f"auth.{name} is missing: type {kind} needs it")
    return _STRATEGIES[kind](given)


class Fixed(msgspec.Struct, frozen=True):
    """The same header line or query parameter in every request."""

    text: str = ""
    query: str = ""
    grant: None = None

    def lines(self, outgoing: Outgoing) -> list[str]:
        return []


def _basic(given: Mapping[str, Any]) -> Credentials:
    return Fixed(_line("Authorization", f"Basic {_pair(given['user'], given['password'])}", "auth.password"))


def _key(given: Mapping[str, Any]) -> Credentials:
    value = f"{given.get('prefix', '')}{given['key']}"
    if given.get("query"):
        return Fixed(query=f"{quote(str(given['query']), safe='')}={quote(value, safe='')}")
    return Fixed(_line(str(given.get("header", "X-API-Key")), value, "auth.key"))


def _bearer(given: Mapping[str, Any]) -> Credentials:
    return Fixed(_line("Authorization", f"{given.get('prefix') or 'Bearer '}{given['token']}", "auth.token"))


class Signed:
    """Signs each request with a shared secret."""

    grant: None = None
    query = ""

    def __init__(self, given: Mapping[str, Any]) -> None:
        webhooks = given.get("style") == "standard-webhooks"
        encoding = "whsec" if webhooks else str(given.get("key_encoding", "utf8"))
        written = "base64" if webhooks else str(given.get("encoding", "base64"))
        key = key_bytes(str(given["secret"]), encoding, "auth.secret")
        self._signer = Signer(key, str(given.get("algorithm", "hmac-sha256")), written)
        self._signed = "{key}.{timestamp}.{body}" if webhooks else str(given.get("signed", "{body}"))
        self._prefix = "v1," if webhooks else str(given.get("prefix", ""))
        self._header = "webhook-signature" if webhooks else str(given.get("header", "X-Signature"))
        self._timestamp_header = "webhook-timestamp" if webhooks else str(given.get("timestamp_header", ""))
        self._key_header = "webhook-id" if webhooks else ""
        _check_parts(self._signed)

    def lines(self, outgoing: Outgoing) -> list[str]:
        signature = self._signer.sign(b"".join(self._covered(outgoing))).decode()
        lines = [f"{self._header}: {self._prefix}{signature}\r\n"]
        if self._timestamp_header:
            lines.append(f"{self._timestamp_header}: {outgoing.timestamp}\r\n")
        if self._key_header:
            lines.append(f"{self._key_header}: {outgoing.key}\r\n")
        return lines

    def _covered(self, outgoing: Outgoing) -> list[bytes]:
        pieces = _PARTS.split(self._signed)
        return [
            (outgoing.body if piece == "body" else str(getattr(outgoing, piece)).encode()) if odd else piece.encode()
            for odd, piece in zip((index % 2 for index in range(len(pieces))), pieces, strict=True)
        ]


def _check_parts(signed: str) -> None:
    rest = _PARTS.sub("", signed)
    if "{" in rest or "}" in rest:
        raise PermanentError("auth.signed: only {body} {key} {timestamp} {method} {path} can be signed")


def _pair(user: object, password: object) -> str:
    return b64encode(f"{user}:{password}".encode()).decode()


def _line(name: str, value: str, setting: str) -> str:
    if not is_plain(value):
        raise PermanentError(f"{setting}: the secret holds characters that cannot stand in a header")
    return f"{name}: {value}\r\n"


_STRATEGIES = {
    "none": lambda given: Fixed(), "basic": _basic, "key": _key, "bearer": _bearer, "oauth2": grant_of,
    "hmac": Signed,
}  # fmt: skip
