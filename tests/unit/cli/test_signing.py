"""What `o2c send` signs, the verifier takes; what it cannot sign, it says."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from connectors.webhook import SignatureError, Verifier
from hub.cli.signing import proof
from hub.errors import UsageError

NOW = 1_772_700_000.0
BODY = '{"id": 1, "name": "Müller"}'.encode()
KEY = b64encode(b"0123456789abcdef0123456789abcdef").decode()

SYSTEMS: list[tuple[str, dict[str, Any], dict[str, str]]] = [
    ("body, base64", {"header": "X-Sign", "secrets": ["s3"]}, {}),
    ("body, hex, prefix", {"header": "X-Sign", "prefix": "sha256=", "encoding": "hex", "secrets": ["s3"]}, {}),
    ("sha1", {"header": "X-Sign", "algorithm": "hmac-sha1", "secrets": ["s3"]}, {}),
    ("sha512, hex key", {"header": "X", "algorithm": "hmac-sha512", "key_encoding": "hex", "secrets": ["00ff"]}, {}),
    ("first of two secrets", {"header": "X-Sign", "secrets": ["new", "old"]}, {}),
    (
        "standard webhooks",
        {
            "header": "webhook-signature", "separator": " ", "prefix": "v1,", "timestamp": "header:webhook-timestamp",
            "signed": "{header:webhook-id}.{header:webhook-timestamp}.{body}", "key_encoding": "whsec",
            "secrets": [f"whsec_{KEY}"],
        },
        {"webhook-id": "msg_1"},
    ),
    (
        "time in the signature's header",
        {
            "header": "Stripe-Signature", "separator": ",", "prefix": "v1=", "timestamp": "part:t", "encoding": "hex",
            "signed": "{timestamp}.{body}", "secrets": ["whsec_x"],
        },
        {},
    ),
    ("token", {"method": "token", "header": "X-Token", "prefix": "Bearer ", "secrets": ["t"]}, {}),
    ("basic", {"method": "basic", "basic": {"user": "u", "password": "p"}}, {}),
    ("none", {"method": "none", "unsigned": True}, {}),
]  # fmt: skip


@pytest.mark.parametrize(("verify", "headers"), [row[1:] for row in SYSTEMS], ids=[row[0] for row in SYSTEMS])
def test_what_is_signed_is_taken(verify: dict[str, Any], headers: dict[str, str]) -> None:
    Verifier({"verify": verify}).verify(_sent(verify, headers, BODY), BODY, NOW + 1)


@pytest.mark.parametrize(("verify", "headers"), [row[1:] for row in SYSTEMS[:7]], ids=[row[0] for row in SYSTEMS[:7]])
def test_another_body_is_not_taken(verify: dict[str, Any], headers: dict[str, str]) -> None:
    with pytest.raises(SignatureError):
        Verifier({"verify": verify}).verify(_sent(verify, headers, BODY), BODY + b" ", NOW + 1)


def _sent(verify: dict[str, Any], headers: dict[str, str], body: bytes) -> dict[str, str]:
    return {name.lower(): value for name, value in {**headers, **proof(verify, headers, body, NOW)}.items()}


@pytest.mark.parametrize(
    ("verify", "words"),
    [
        ({"header": "X-Sign"}, "no secret under verify.secrets"),
        ({"field": "data.signature", "secrets": ["s"]}, "signs fields inside its documents"),
        (
            {"header": "X-Sign", "key_encoding": "hex", "secrets": ["not hex"]},
            "the secret is not what key_encoding: hex says",
        ),
        (
            {"header": "X-Sign", "key_encoding": "whsec", "secrets": ["whsec_???"]},
            "the secret is not what key_encoding",
        ),
    ],
)
def test_what_cannot_be_signed_is_said_without_the_secret(verify: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        proof(verify, {}, BODY, NOW)
    assert words in str(caught.value)
    assert not any(secret in str(caught.value) for secret in verify.get("secrets", ()) if len(secret) > 3)
