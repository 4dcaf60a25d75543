"""Signed tokens (RFC 7519, RFC 7515) that say who we are: RS256, ES256 and their longer kin."""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

import msgspec

from connectors.base import PermanentError

ALGORITHMS = ("RS256", "RS384", "RS512", "ES256", "ES384")
_LIFE_SECONDS = 180  # Salesforce takes none that lasts longer
_EARLY_SECONDS = 10  # of clocks that differ
_CURVES = {"ES256": ("secp256r1", 32), "ES384": ("secp384r1", 48)}


def signed_jwt(claims: Mapping[str, Any], key: str, algorithm: str, key_id: str, now_epoch: float) -> str:
    """A token with these claims, good for three minutes. Raises PermanentError for a key that cannot sign so."""
    head = {"alg": algorithm, "typ": "JWT", **({"kid": key_id} if key_id else {})}
    now = int(now_epoch)
    times = {"iat": now - _EARLY_SECONDS, "exp": now + _LIFE_SECONDS, "jti": secrets.token_hex(16)}
    signed = f"{_encoded(msgspec.json.encode(head))}.{_encoded(msgspec.json.encode({**times, **claims}))}"
    return f"{signed}.{_encoded(_signature(signing_key(key, algorithm), algorithm, signed.encode()))}"


def signing_key(pem: str, algorithm: str) -> Any:
    """The private key in a PEM text. Raises PermanentError that never shows it."""
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError, UnicodeError):
        raise PermanentError(
            "auth.jwt.private_key: the secret is no private key in PEM form without a password"
        ) from None
    curve, _ = _CURVES.get(algorithm, ("", 0))
    fits = (
        isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == curve
        if curve
        else isinstance(key, rsa.RSAPrivateKey)
    )
    if not fits:
        wanted = f"a key on the curve {curve}" if curve else "an RSA key"
        raise PermanentError(
            f"auth.jwt.private_key: auth.jwt.algorithm {algorithm} needs {wanted}, and the secret is another one"
        )
    return key


def _signature(key: Any, algorithm: str, content: bytes) -> bytes:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    digests: dict[str, hashes.HashAlgorithm] = {
        "256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()
    }  # fmt: skip
    digest = digests[algorithm[2:]]
    if algorithm.startswith("RS"):
        return bytes(key.sign(content, padding.PKCS1v15(), digest))
    _, size = _CURVES[algorithm]
    # RFC 7518, 3.4: both numbers one after the other, each of the curve's length.
    return b"".join(
        number.to_bytes(size, "big") for number in decode_dss_signature(key.sign(content, ec.ECDSA(digest)))
    )


def _encoded(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()
