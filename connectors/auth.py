"""How a system knows us: none, basic, key, bearer, OAuth2 client credentials, HMAC over the body. Named in YAML.

No I/O here: an OAuth2 grant says which request to make and takes its answer; the sender makes it.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote, urlencode

import msgspec

from connectors._answer import Failure
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
        Field("header", "text", "key, hmac: the header that carries it; key without query: X-API-Key."),
        Field("query", "text", "key: the query parameter that carries it, instead of a header."),
        Field("prefix", "text", "key, bearer, hmac: text before the value, such as 'sha256='.", default=""),
        Field("token", "secret", "bearer: the token."),
        Field("token_url", "url", "oauth2: where tokens are fetched."),
        Field("client_id", "text", "oauth2: who we are."),
        Field("client_secret", "secret", "oauth2: the proof of it."),
        Field("scope", "text", "oauth2: the scopes asked for, separated by spaces."),
        Field("audience", "text", "oauth2: the audience asked for, where the server wants one."),
        Field("client_auth", "choice", "oauth2: id and secret as Basic header or in the body.", default="basic",
              choices=("basic", "body")),
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
    "oauth2": ("token_url", "client_id", "client_secret"), "hmac": ("secret",),
}  # fmt: skip
_PARTS = re.compile(r"\{(body|key|timestamp|method|path)\}")
_EARLY_SECONDS = 30.0
_DEFAULT_LIFE_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Outgoing:
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
    def grant(self) -> ClientCredentials | None: ...

    def lines(self, outgoing: Outgoing) -> list[str]:
        """Header lines that differ from request to request, each with its line end."""
        ...


def credentials(settings: Mapping[str, Any] | None) -> Credentials:
    """The strategy that ``auth:`` names. Raises PermanentError for what is missing; no text shows a secret."""
    given = {name: value for name, value in (settings or {}).items() if value not in (None, "")}
    kind = str(given.get("type", "none"))
    for name in _NEEDS[kind]:
        if name not in given:
            raise PermanentError(f"auth.{name} is missing: type {kind} needs it")
    return _STRATEGIES[kind](given)


@dataclass(frozen=True, slots=True)
class Fixed:
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


class ClientCredentials:
    """An OAuth2 client-credentials grant (RFC 6749, 4.4): the token now, and how to get the next one."""

    query = ""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.token_url = str(given["token_url"])
        self.token = ""
        self._good_until = 0.0
        asked = {"grant_type": "client_credentials", "scope": given.get("scope"), "audience": given.get("audience")}
        self._lines = ""
        if given.get("client_auth") == "body":
            asked |= {"client_id": given["client_id"], "client_secret": given["client_secret"]}
        else:
            user, password = quote(str(given["client_id"]), safe=""), quote(str(given["client_secret"]), safe="")
            self._lines = f"Authorization: Basic {_pair(user, password)}\r\n"
        self._body = urlencode({name: value for name, value in asked.items() if value}).encode()

    @property
    def grant(self) -> ClientCredentials:
        return self

    def lines(self, outgoing: Outgoing) -> list[str]:
        return [f"Authorization: Bearer {self.token}\r\n"]

    def is_valid(self, now_epoch: float) -> bool:
        """Whether the token is good for a while yet."""
        return bool(self.token) and now_epoch < self._good_until

    def forget(self, token: str) -> None:
        """This token was refused: the next request needs another, unless there is another already."""
        if token == self.token:
            self.token = ""

    def request(self) -> tuple[str, bytes]:
        """Header lines and body of the token request."""
        return f"{self._lines}Content-Type: application/x-www-form-urlencoded\r\n", self._body

    def accept(self, status: int, body: bytes, now_epoch: float) -> Failure | None:
        """Take the token server's answer; a Failure when there is no token in it."""
        if status in (400, 401, 403):
            detail = f"the token server answered {status}: it does not accept client_id and client_secret"
            return Failure("token_refused", f"{detail}{_reason(body)}", stopped=True)
        try:
            granted = msgspec.json.decode(body, type=_Granted) if 200 <= status < 300 else None
        except (msgspec.DecodeError, UnicodeDecodeError):
            granted = None
        if granted is None or not _is_plain(granted.access_token):
            return Failure("token_unavailable", f"the token server answered {status} and gave no token")
        life = _life_seconds(granted.expires_in)
        self.token, self._good_until = granted.access_token, now_epoch + life - min(_EARLY_SECONDS, life / 10)
        return None


class _Granted(msgspec.Struct):
    """RFC 6749, 5.1; some servers write the life of a token as text."""

    access_token: str
    expires_in: float | str | None = None


class _Refused(msgspec.Struct):
    """RFC 6749, 5.2: ``error`` is one of a few fixed words, so it may be shown."""

    error: str = ""


def _life_seconds(expires_in: float | str | None) -> float:
    """How long a token lasts; five minutes where the server gives no sensible number."""
    try:
        life = float(expires_in or 0.0)
    except ValueError:
        life = 0.0
    return life if 1.0 <= life < 1e9 else _DEFAULT_LIFE_SECONDS


def _reason(body: bytes) -> str:
    try:
        word = msgspec.json.decode(body, type=_Refused).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
    return f" ({word})" if re.fullmatch(r"[a-z_]{1,40}", word) else ""


def _pair(user: object, password: object) -> str:
    return b64encode(f"{user}:{password}".encode()).decode()


def _line(name: str, value: str, setting: str) -> str:
    if not _is_plain(value):
        raise PermanentError(f"{setting}: the secret holds characters that cannot stand in a header")
    return f"{name}: {value}\r\n"


def _is_plain(value: str) -> bool:
    return value.isascii() and value.isprintable() and bool(value)


_STRATEGIES = {
    "none": lambda given: Fixed(), "basic": _basic, "key": _key, "bearer": _bearer, "oauth2": ClientCredentials,
    "hmac": Signed,
}  # fmt: skip
