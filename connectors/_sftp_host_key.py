"""The server's public key as it is written down: pinned, so that nobody else can pass for the server."""

from __future__ import annotations

import base64
import binascii
import struct

import msgspec

from connectors.base import PermanentError

# What a key of a type may sign with, best first. Keys of a type that is not here are too weak (ssh-dss) or unknown.
_SIGNATURES = {
    "ssh-ed25519": ("ssh-ed25519",),
    "ecdsa-sha2-nistp256": ("ecdsa-sha2-nistp256",),
    "ecdsa-sha2-nistp384": ("ecdsa-sha2-nistp384",),
    "ecdsa-sha2-nistp521": ("ecdsa-sha2-nistp521",),
    "ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256"),
}
_EXAMPLE = 'host_key: "ssh-ed25519 AAAAC3Nz…"'


class HostKey(msgspec.Struct, frozen=True):
    """One public key. ``blob`` is what the server shows; ``signatures`` the algorithms it may prove it by."""

    kind: str
    blob: bytes

    @property
    def signatures(self) -> tuple[str, ...]:
        return _SIGNATURES[self.kind]


def parse_host_key(line: str) -> HostKey:
    """A line of ssh-keyscan or of a .pub file: with or without the host before it and a comment behind it.
    Raises PermanentError for anything else."""
    words = line.split()
    if line.strip().startswith(("SHA256:", "MD5:")):
        raise PermanentError(
            "host_key: a fingerprint; write the key itself: `ssh-keyscan HOST` prints it, "
            "`ssh-keyscan HOST | ssh-keygen -lf -` its fingerprint, which must be that one"
        )
    at = next((at for at, word in enumerate(words[:3]) if word in _SIGNATURES), None)
    if at is None:
        known = ", ".join(_SIGNATURES)
        raise PermanentError(f"host_key: expected a public key such as {_EXAMPLE}; its type is one of {known}")
    if at + 1 >= len(words):
        raise PermanentError(f"host_key: the key is missing after '{words[at]}'; write e.g. {_EXAMPLE}")
    try:
        blob = base64.b64decode(words[at + 1], validate=True)
        (size,) = struct.unpack_from(">I", blob)
    except (binascii.Error, struct.error):
        raise PermanentError("host_key: what follows the type is not a key in Base64; copy the whole line") from None
    if blob[4 : 4 + size] != words[at].encode() or len(blob) < size + 36:
        raise PermanentError(f"host_key: the key is cut off or not of the type '{words[at]}'; copy the whole line")
    return HostKey(words[at], blob)
