"""OAuth2 grants: the token now, and how to get the next one. No network here: a grant says which request to make and
takes its answer. Which of them a system uses, its settings say (``auth.grant``)."""

from __future__ import annotations

import logging
import re
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from connectors._answer import Failure
from connectors._jwt import signed_jwt, signing_key
from connectors._token_file import TokenFile
from connectors.base import PermanentError

GRANTS = ("client_credentials", "refresh_token", "jwt_bearer")
NEEDS = {
    "client_credentials": ("token_url", "client_id"),
    "refresh_token": ("token_url", "client_id"),
    "jwt_bearer": ("token_url", "jwt"),
}
_EARLY_SECONDS = 30.0
_DEFAULT_LIFE_SECONDS = 300.0
_JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"  # RFC 7523, 2.1
_JWT_CLIENT = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"  # RFC 7523, 2.2

_log = logging.getLogger("o2c.connectors.http")


class Grant:
    """What all grants share; this one is that of client credentials (RFC 6749, 4.4)."""

    query = ""
    _refused = "client_id and client_secret"

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = given
        self.token_url = str(given["token_url"])
        self.token = ""
        self._header = str(given.get("header") or "Authorization")
        self._prefix = str(given.get("prefix") or ("" if given.get("header") else "Bearer "))
        self._good_until = 0.0
        self._by_jwt = given.get("client_auth") == "jwt"
        if given.get("client_id") and not self._by_jwt and not given.get("client_secret") and self._needs_secret:
            raise PermanentError("auth.client_secret is missing: type oauth2 needs it")
        if self._by_jwt and not given.get("jwt"):
            raise PermanentError("auth.jwt is missing: client_auth: jwt needs it")

    _needs_secret = True

    @property
    def grant(self) -> Grant:
        return self

    def lines(self, outgoing: object) -> list[str]:
        """The header line of a request to the system; in a header of its own the token stands alone."""
        return [f"{self._header}: {self._prefix}{self.token}\r\n"]

    def prepare(self) -> None:
        """Look at the key. Raises PermanentError where it is none that can sign."""
        if jwt := self._given.get("jwt"):
            signing_key(str(jwt["private_key"]), str(jwt.get("algorithm") or "RS256"))

    def is_valid(self, now_epoch: float) -> bool:
        """Whether the token is good for a while yet."""
        return bool(self.token) and now_epoch < self._good_until

    def forget(self, token: str) -> None:
        """This token was refused: the next request needs another, unless there is another already."""
        if token == self.token:
            self.token = ""

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """One's turn to ask for a token, until the block ends."""
        yield

    def request(self, now_epoch: float) -> tuple[str, bytes]:
        """Header lines and body of the token request. Raises PermanentError for a key that cannot sign."""
        lines, body = self._known_as(now_epoch)
        body = {**self._asked(now_epoch), **body}
        form = urlencode({name: value for name, value in body.items() if value}).encode()
        return f"{lines}Content-Type: application/x-www-form-urlencoded\r\n", form

    def _asked(self, now_epoch: float) -> dict[str, Any]:
        asked = {"grant_type": "client_credentials", "scope": self._given.get("scope")}
        return {**asked, "audience": self._given.get("audience")}

    def _known_as(self, now_epoch: float) -> tuple[str, dict[str, Any]]:
        """How the token server knows us: header lines, and what stands in the body."""
        given = self._given
        if self._by_jwt:
            known = {"client_assertion_type": _JWT_CLIENT, "client_assertion": self._jwt(now_epoch)}
            return "", {"client_id": given.get("client_id"), **known}
        if given.get("client_auth") == "body" or not given.get("client_secret"):
            return "", {"client_id": given.get("client_id"), "client_secret": given.get("client_secret")}
        user, password = quote(str(given["client_id"]), safe=""), quote(str(given["client_secret"]), safe="")
        return f"Authorization: Basic {b64encode(f'{user}:{password}'.encode()).decode()}\r\n", {}

    def _jwt(self, now_epoch: float) -> str:
        jwt: Mapping[str, Any] = self._given["jwt"]
        issuer = jwt.get("issuer") or self._given.get("client_id")
        claims = {
            "iss": issuer, "sub": jwt.get("subject") or issuer, "aud": jwt.get("audience") or self.token_url,
            **(jwt.get("claims") or {}),
        }  # fmt: skip
        algorithm, key_id = str(jwt.get("algorithm") or "RS256"), str(jwt.get("key_id") or "")
        return signed_jwt(claims, str(jwt["private_key"]), algorithm, key_id, now_epoch)

    def accept(self, status: int, body: bytes, now_epoch: float) -> Failure | None:
        """Take the token server's answer; a Failure when there is no token in it."""
        if status in (400, 401, 403):
            detail = f"the token server answered {status}: it does not accept {self._refused}"
            return Failure("token_refused", f"{detail}{_reason(body)}", stopped=True)
        try:
            granted = msgspec.json.decode(body, type=_Granted) if 200 <= status < 300 else None
        except (msgspec.DecodeError, UnicodeDecodeError):
            granted = None
        if granted is None or not is_plain(granted.access_token):
            return Failure("token_unavailable", f"the token server answered {status} and gave no token")
        if (failure := self._taken(granted)) is not None:
            return failure
        life = _life_seconds(granted.expires_in)
        self.token, self._good_until = granted.access_token, now_epoch + life - min(_EARLY_SECONDS, life / 10)
        return None

    def _taken(self, granted: _Granted) -> Failure | None:
        """What else there is to do with what was granted."""
        return None


class RefreshToken(Grant):
    """A token that a person has allowed once (RFC 6749, 6). Where the server gives another refresh token with each
    answer, that one is kept in the file the last one came from, before the access token is used."""

    _refused = "client_id or the refresh token"
    _needs_secret = False  # a public client has none

    def __init__(self, given: Mapping[str, Any]) -> None:
        super().__init__(given)
        self._refresh = str(given.get("refresh_token") or "")
        path = str(given.get("refresh_token_file") or "")
        if bool(path) == bool(self._refresh):
            raise PermanentError(
                "auth.refresh_token: grant: refresh_token needs this or refresh_token_file, one of the two"
            )
        self._file = TokenFile(path) if path else None

    def prepare(self) -> None:
        super().prepare()
        if self._file is not None:
            self._file.read()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        if self._file is None:
            yield
            return
        async with self._file.held():
            self._refresh = self._file.read()
            yield

    def _asked(self, now_epoch: float) -> dict[str, Any]:
        return {"grant_type": "refresh_token", "refresh_token": self._refresh, "scope": self._given.get("scope")}

    def _taken(self, granted: _Granted) -> Failure | None:
        another = granted.refresh_token or self._refresh
        if another != self._refresh:
            self._refresh = another
            if self._file is None:
                _log.warning("the token server gives another refresh token each time, and this one is lost when the "
                             "hub "
                             "stops: keep it in a file, auth.refresh_token_file")  # fmt: skip
            else:
                try:
                    self._file.write(another)
                except OSError as error:
                    # Used now, it would be lost with this process, and the old one is worth nothing any more.
                    words = error.strerror or "it cannot be written"
                    detail = f"the next refresh token cannot be kept in auth.refresh_token_file: {words}"
                    return Failure("token_not_kept", detail, stopped=True)
        return None


class JwtBearer(Grant):
    """A grant that we sign ourselves (RFC 7523, 2.1)."""

    _refused = "what jwt.private_key has signed, or its issuer, subject or audience"
    _needs_secret = False

    def __init__(self, given: Mapping[str, Any]) -> None:
        super().__init__(given)
        if not (given["jwt"].get("issuer") or given.get("client_id")):
            raise PermanentError("auth.jwt.issuer is missing: grant: jwt_bearer needs it, or client_id")

    def _asked(self, now_epoch: float) -> dict[str, Any]:
        return {"grant_type": _JWT_BEARER, "assertion": self._jwt(now_epoch), "scope": self._given.get("scope")}


class _Granted(msgspec.Struct):
    """RFC 6749, 5.1; some servers write the life of a token as text."""

    access_token: str
    expires_in: float | str | None = None
    refresh_token: str | None = None


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


def is_plain(value: str) -> bool:
    """Whether a text can stand in a header as it is."""
    return value.isascii() and value.isprintable() and bool(value)


_KINDS = {"client_credentials": Grant, "refresh_token": RefreshToken, "jwt_bearer": JwtBearer}


def grant_of(given: Mapping[str, Any]) -> Grant:
    """The grant that the settings name. Raises PermanentError for what is missing."""
    return _KINDS[str(given.get("grant") or "client_credentials")](given)
