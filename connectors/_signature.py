"""Keyed hashes as partners use them: how a key is written down, which hash, how the result is written."""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode

from connectors.base import PermanentError

ALGORITHMS = ("hmac-sha256", "hmac-sha1", "hmac-sha512")
ENCODINGS = ("base64", "hex")
KEY_ENCODINGS = ("utf8", "base64", "hex", "whsec")

_WHSEC = "whsec_"
_FORMS = {"hex": "hexadecimal digits", "base64": "Base64", "whsec": "whsec_ followed by Base64"}


def key_bytes(text: str, encoding: str, setting: str) -> bytes:
    """The key behind its written form. Raises PermanentError that names the setting and never shows the key."""
    try:
        if encoding == "utf8":
            key = text.encode()
        elif encoding == "hex":
            key = bytes.fromhex(text)
        else:
            key = b64decode(text.removeprefix(_WHSEC) if encoding == "whsec" else text, validate=True)
    except (ValueError, binascii.Error):
        raise PermanentError(
            f"{setting}: the secret is not {_FORMS[encoding]}, as key_encoding: {encoding} says"
        ) from None
    if not key:
        raise PermanentError(f"{setting}: the secret is empty")
    return key


class Signer:
    """Signs with one key; the key's part of the HMAC is computed once and copied for each message."""

    __slots__ = ("_hash", "_is_hex", "_key")

    def __init__(self, key: bytes, algorithm: str, encoding: str) -> None:
        self._key, self._hash = key, algorithm.removeprefix("hmac-")
        self._is_hex = encoding == "hex"

    def sign(self, message: bytes) -> bytes:
        """The signature of a message, written as ``base64`` or ``hex`` (lower case)."""
        digest = hmac.digest(self._key, message, self._hash)
        return binascii.hexlify(digest) if self._is_hex else binascii.b2a_base64(digest, newline=False)
