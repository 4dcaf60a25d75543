"""A document signed as its system would sign it: the sender's half of what ``connectors/webhook.py`` verifies."""

from __future__ import annotations

import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any

from hub.errors import UsageError

_PART = re.compile(r"\{(body|timestamp|header:[A-Za-z0-9-]+)\}")


def proof(verify: Mapping[str, Any], headers: Mapping[str, str], body: bytes, now: float) -> dict[str, str]:
    """The headers that prove the sender, beside those the request has. ``verify`` with its secrets resolved.

    Raises UsageError for a system that signs fields of the body: its document carries its own signatures.
    """
    method = verify.get("method") or "signature"
    made = _basic(verify.get("basic") or {}) if method == "basic" or _is_given(verify.get("basic")) else {}
    if method == "token":
        return {**made, str(verify["header"]): f"{verify.get('prefix') or ''}{_secret(verify)}"}
    if method == "signature":
        if verify.get("field"):
            raise UsageError("this system signs fields inside its documents; post a document that holds the signature")
        return {**made, **_signature(verify, headers, body, now)}
    return made


def _signature(verify: Mapping[str, Any], headers: Mapping[str, str], body: bytes, now: float) -> dict[str, str]:
    kind, _, name = str(verify.get("timestamp") or "").partition(":")
    time = str(int(now)) if kind else ""
    made = {name: time} if kind == "header" else {}
    lower = {key.lower(): value for key, value in {**headers, **made}.items()}
    message = b"".join(_parts(str(verify.get("signed") or "{body}"), lower, body, time))
    key = _key(_secret(verify), str(verify.get("key_encoding") or "utf8"))
    digest = hmac.digest(key, message, str(verify.get("algorithm") or "hmac-sha256").removeprefix("hmac-"))
    written = digest.hex() if verify.get("encoding") == "hex" else b64encode(digest).decode()
    text = f"{verify.get('prefix') or ''}{written}"
    first = f"{name}={time}{verify.get('separator') or ','}" if kind == "part" else ""
    return {**made, str(verify["header"]): first + text}


def _key(text: str, encoding: str) -> bytes:
    """The key behind its written form. Raises UsageError that does not show it."""
    try:
        if encoding == "utf8":
            return text.encode()
        if encoding == "hex":
            return bytes.fromhex(text)
        return b64decode(text.removeprefix("whsec_") if encoding == "whsec" else text, validate=True)
    except ValueError:
        raise UsageError(f"verify.secrets: the secret is not what key_encoding: {encoding} says") from None


def _parts(template: str, headers: Mapping[str, str], body: bytes, time: str) -> list[bytes]:
    """What is signed, piece by piece."""
    pieces: list[bytes] = []
    for index, piece in enumerate(_PART.split(template)):
        if index % 2 == 0:
            pieces.append(piece.encode())
        elif piece == "body":
            pieces.append(body)
        else:
            pieces.append((time if piece == "timestamp" else headers.get(piece[7:].lower(), "")).encode())
    return pieces


def _basic(basic: Mapping[str, Any]) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{basic.get('user')}:{basic.get('password')}".encode()).decode()}


def _is_given(basic: Any) -> bool:
    return bool(basic and basic.get("user"))


def _secret(verify: Mapping[str, Any]) -> str:
    found = list(verify.get("secrets") or ())
    if not found:
        raise UsageError("this system has no secret under verify.secrets, so nothing can be signed for it")
    return str(found[0])
