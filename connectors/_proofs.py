"""The proofs a request can bring: a signature in a header or in the body's fields, a token, user and password."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from hmac import compare_digest
from typing import Any

from connectors._extract import as_sent, field_values, text_of
from connectors._signature import Signer, key_bytes
from connectors._signed import covered, covered_fields, names_time
from connectors.base import ConnectorError, PermanentError

Check = Callable[[Mapping[str, str], bytes, float], None]
_DIGITS_OF_SECONDS = 11  # until the year 5138; longer times are in milliseconds
_UNTIL_ADVICE = "write a day such as 2026-04-01, or a time with its offset such as 2026-04-01T12:00:00Z"


class SignatureError(ConnectorError):
    """The request does not prove its sender. ``reason`` is a stable short name, ``detail`` a sentence; neither holds
    a secret, nor what the right signature would have been."""

    def __init__(self, reason: str, detail: str) -> None:
        self.reason, self.detail = reason, detail
        super().__init__(f"{reason}: {detail}")


class Basic:
    """HTTP Basic credentials (RFC 7617)."""

    def __init__(self, basic: Mapping[str, Any]) -> None:
        for name in ("user", "password"):
            if not basic.get(name):
                raise PermanentError(f"verify.basic.{name} is missing")
        self._expected = b"Basic " + b64encode(f"{basic['user']}:{basic['password']}".encode())

    def check(self, headers: Mapping[str, str], body: bytes, now_epoch: float) -> None:
        given = headers.get("authorization")
        if given is None:
            raise SignatureError("missing_credentials", "there is no Authorization header")
        if not compare_digest(_sent(given), self._expected):
            raise SignatureError("bad_credentials", "user or password is wrong")


class Token:
    """A secret that is sent along as it is, in a header."""

    def __init__(self, verify: Mapping[str, Any]) -> None:
        self._header = _needed(verify, "header", "token")
        start = str(verify.get("prefix", ""))
        self._tokens = [(f"{start}{text}".encode(), until) for text, _, until in secrets_of(verify)]

    def check(self, headers: Mapping[str, str], body: bytes, now_epoch: float) -> None:
        given = headers.get(self._header.lower())
        if given is None:
            raise SignatureError("missing_token", f"there is no {self._header} header")
        sent = _sent(given)
        if not any(compare_digest(sent, token) for token, until in self._tokens if _is_good(until, now_epoch)):
            raise SignatureError("bad_token", f"the token in {self._header} is not one of this source's")


class InHeader:
    """One or several signatures in a header, over the body and perhaps a time."""

    def __init__(self, verify: Mapping[str, Any]) -> None:
        self._header = _needed(verify, "header", "signature")
        self._key = self._header.lower()
        self._separator, self._prefix = str(verify.get("separator", "")), str(verify.get("prefix", ""))
        self._timestamp = str(verify.get("timestamp", ""))
        self._tolerance = float(verify.get("tolerance", 300.0))
        signed = str(verify.get("signed", "{body}"))
        self._covered = covered(signed)
        self._signatures = Signatures(verify)
        self._is_bare = not (self._separator or self._prefix or self._timestamp)
        if self._timestamp:
            _check_timestamp(self._timestamp, signed)
        elif "{timestamp}" in signed:
            raise PermanentError("verify.timestamp is missing: signed: names {timestamp}; say where it is")

    def check(self, headers: Mapping[str, str], body: bytes, now_epoch: float) -> None:
        given = headers.get(self._key)
        if not given:
            raise SignatureError("missing_signature", f"there is no {self._header} header")
        candidates, timestamp = ([given], "") if self._is_bare else self._read(given, headers, now_epoch)
        message = self._covered(headers, body, timestamp)
        if message is None:
            raise SignatureError("missing_header", "a header that the signature covers is not there")
        self._signatures.match(message, candidates, now_epoch)

    def _read(self, given: str, headers: Mapping[str, str], now_epoch: float) -> tuple[list[str], str]:
        """The signatures in the header, and the signed time as it was sent."""
        parts = [part.strip() for part in given.split(self._separator)] if self._separator else [given]
        candidates = [part.removeprefix(self._prefix) for part in parts if part.startswith(self._prefix)]
        if not candidates:
            detail = f"{self._header} holds no signature that starts with '{self._prefix}'"
            raise SignatureError("malformed_signature", detail)
        return candidates, self._time(parts, headers, now_epoch) if self._timestamp else ""

    def _time(self, parts: Sequence[str], headers: Mapping[str, str], now_epoch: float) -> str:
        kind, _, name = self._timestamp.partition(":")
        if kind == "header":
            found = [headers.get(name.lower(), "")]
        else:
            found = [part[len(name) + 1 :] for part in parts if part.startswith(f"{name}=")]
        if len(found) != 1 or not (found[0].isascii() and found[0].isdigit() and len(found[0]) < 16):
            detail = f"there is no single time in seconds or milliseconds since 1970 at {self._timestamp}"
            raise SignatureError("missing_timestamp", detail)
        seconds = int(found[0]) / (1000 if len(found[0]) > _DIGITS_OF_SECONDS else 1)
        _check_age(now_epoch - seconds, self._tolerance)
        return found[0]


class InFields:
    """A signature in each item of the body, over some of its fields as they were sent."""

    def __init__(self, verify: Mapping[str, Any]) -> None:
        self._items, self._field = str(verify.get("items", "")), str(verify["field"])
        self._covered = covered_fields(str(verify.get("signed", "")))
        self._signatures = Signatures(verify)

    def check(self, headers: Mapping[str, str], body: bytes, now_epoch: float) -> None:
        document = as_sent(body)
        if document is None:
            raise SignatureError("malformed_body", "the body is not JSON, so there is no signature in it")
        items = field_values(document, self._items) if self._items else [document]
        if not items:
            raise SignatureError("missing_signature", f"the body has no items at {self._items}")
        for item in items:
            given = [text for value in field_values(item, self._field) if (text := text_of(value))]
            if len(given) != 1:
                raise SignatureError("missing_signature", f"an item of the body has no {self._field}")
            self._signatures.match(self._covered(item), given, now_epoch)


class Signatures:
    """The signatures that the secrets of a source give; any one that matches will do."""

    def __init__(self, verify: Mapping[str, Any]) -> None:
        algorithm, encoding = str(verify.get("algorithm", "hmac-sha256")), str(verify.get("encoding", "base64"))
        key_encoding = str(verify.get("key_encoding", "utf8"))
        self._is_hex = encoding == "hex"
        self._signers = [
            (Signer(key_bytes(text, key_encoding, setting), algorithm, encoding), until)
            for text, setting, until in secrets_of(verify)
        ]

    def match(self, message: bytes, given: Sequence[str], now_epoch: float) -> None:
        """Raises SignatureError unless one of the given signatures is right."""
        candidates = [_sent(text.lower() if self._is_hex else text) for text in given]
        for signer, until in self._signers:
            if until is not None and now_epoch > until:
                continue
            expected = signer.sign(message)
            for candidate in candidates:
                if compare_digest(candidate, expected):
                    return
        many = "none of the signatures fits" if len(candidates) > 1 else "the signature does not fit"
        detail = f"{many} these bytes and the secrets of this source; was the body changed on its way?"
        raise SignatureError("bad_signature", detail)


def secrets_of(verify: Mapping[str, Any]) -> list[tuple[str, str, float | None]]:
    """Text, name of the setting and last moment (None: none) of every secret. Raises PermanentError without any."""
    found: list[tuple[str, str, float | None]] = [
        (str(text or ""), f"verify.secrets[{index}]", None) for index, text in enumerate(verify.get("secrets") or ())
    ]
    for index, entry in enumerate(verify.get("old_secrets") or ()):
        setting = f"verify.old_secrets[{index}]"
        until = last_moment(str(entry.get("until") or ""), f"{setting}.until")
        found.append((str(entry.get("secret") or ""), f"{setting}.secret", until))
    if not found:
        raise PermanentError("verify.secrets is missing: list the source's secret, secrets: [secret://env/NAME]")
    for text, setting, _ in found:
        if not text:
            raise PermanentError(f"{setting}: the secret is empty")
    return found


def last_moment(written: str, setting: str) -> float:
    """The last moment an old secret is good: the end of a day in UTC, or a time with its offset."""
    try:
        if len(written) == 10:
            return datetime.combine(date.fromisoformat(written) + timedelta(days=1), time(), UTC).timestamp()
        moment = datetime.fromisoformat(written)
    except (ValueError, OverflowError):
        raise PermanentError(f"{setting}: '{written[:40]}' is not a date; {_UNTIL_ADVICE}") from None
    if moment.tzinfo is None:
        raise PermanentError(f"{setting}: '{written}' has no offset from UTC; {_UNTIL_ADVICE}")
    return moment.timestamp()


def _check_timestamp(timestamp: str, signed: str) -> None:
    if timestamp.partition(":")[0] not in ("header", "part") or not timestamp.partition(":")[2]:
        raise PermanentError(f"verify.timestamp: '{timestamp}' is no place; write header:NAME or part:t")
    if not names_time(signed, timestamp):
        raise PermanentError("verify.timestamp: the time is not part of signed:, so it proves nothing")


def _check_age(off_seconds: float, tolerance: float) -> None:
    if abs(off_seconds) <= tolerance:
        return
    reason, way = ("stale_timestamp", "old") if off_seconds > 0 else ("future_timestamp", "ahead of our clock")
    detail = f"the signed time is {abs(off_seconds):.0f} s {way}; at most {tolerance:.0f} s are taken"
    raise SignatureError(reason, detail)


def checks_of(verify: Mapping[str, Any], method: str) -> list[Check]:
    """What a request has to prove by these settings; nothing for a method that is not of the request's own. Raises
    PermanentError."""
    basic = {name: value for name, value in (verify.get("basic") or {}).items() if value}
    checks: list[Check] = [Basic(basic).check] if basic or method == "basic" else []
    if method == "token":
        checks.append(Token(verify).check)
    elif method == "signature":
        checks.append(InFields(verify).check if verify.get("field") else InHeader(verify).check)
    elif method == "none" and not verify.get("unsigned"):
        raise PermanentError("verify.method: none lets anybody in; write unsigned: true beside it if that is meant")
    return checks


def _needed(verify: Mapping[str, Any], name: str, method: str) -> str:
    value = str(verify.get(name, ""))
    if not value:
        raise PermanentError(f"verify.{name} is missing: method {method} needs it")
    return value


def _is_good(until: float | None, now_epoch: float) -> bool:
    return until is None or now_epoch <= until


def _sent(text: str) -> bytes:
    return text.encode("utf-8", "replace")
