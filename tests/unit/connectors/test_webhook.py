"""Who may send: every scheme, with signatures computed here by other means than the verifier's."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from connectors.base import PermanentError
from connectors.webhook import SignatureError, Verified, Verifier

PRESETS = Path(__file__).parents[3] / "connectors" / "presets"
NOW = 1_772_700_000.0
BODY = '{"id": "evt_1", "type": "order.paid", "total": 10.50, "name": "Zoë 東京"}'.encode()
WHSEC = "whsec_" + base64.b64encode(b"k" * 24).decode()
HEX_KEY = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"


def hmac_of(key: bytes, message: bytes, name: str = "sha256") -> bytes:
    """RFC 2104, written out."""
    block = hashlib.new(name).block_size
    padded = (hashlib.new(name, key).digest() if len(key) > block else key).ljust(block, b"\0")
    inner = hashlib.new(name, bytes(byte ^ 0x36 for byte in padded) + message).digest()
    return hashlib.new(name, bytes(byte ^ 0x5C for byte in padded) + inner).digest()


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def preset(name: str, **verify: Any) -> dict[str, Any]:
    config = yaml.safe_load((PRESETS / f"{name}.yaml").read_text())
    config["verify"] = {**config["verify"], **verify}
    config["verify"]["tolerance"] = 300.0
    return dict(config)


def shopify(body: bytes = BODY, secret: str = "shop") -> dict[str, str]:
    signature = b64(hmac_of(secret.encode(), body))
    return {"x-shopify-hmac-sha256": signature, "x-shopify-topic": "orders/create", "x-shopify-webhook-id": "w-1"}


def standard(body: bytes = BODY, at: float = NOW, key: bytes = b"k" * 24) -> dict[str, str]:
    stamp = str(int(at))
    signature = b64(hmac_of(key, f"msg_1.{stamp}.".encode() + body))
    return {"webhook-id": "msg_1", "webhook-timestamp": stamp, "webhook-signature": f"v1,{signature}"}


EVENTS = b'[{"eventId": 1, "subscriptionType": "company.creation", "attemptNumber": 2, "occurredAt": 1772700000000}]'


def hubspot(body: bytes = EVENTS, at: float = NOW, secret: str = "hub") -> dict[str, str]:
    """Signed is the address that HubSpot was told, and its times are milliseconds."""
    stamp = str(int(at * 1000))
    signed = b"POSThttps://hub.example/in/hubspot" + body + stamp.encode()
    signature = b64(hmac_of(secret.encode(), signed))
    return {"x-hubspot-signature-v3": signature, "x-hubspot-request-timestamp": stamp, "host": "hub.example"}


def stripe(body: bytes = BODY, at: float = NOW, secret: str = "whsec_stripe") -> dict[str, str]:
    stamp = str(int(at))
    return {"stripe-signature": f"t={stamp},v1={hmac_of(secret.encode(), stamp.encode() + b'.' + body).hex()},v0=old"}


def github(body: bytes = BODY) -> dict[str, str]:
    signature = hmac_of(b"octo", body).hex()
    return {"x-hub-signature-256": f"sha256={signature}", "x-github-event": "push", "x-github-delivery": "g-1"}


def woocommerce(body: bytes = BODY) -> dict[str, str]:
    signature = b64(hmac_of(b"woo", body))
    return {
        "x-wc-webhook-signature": signature,
        "x-wc-webhook-topic": "order.created",
        "x-wc-webhook-delivery-id": "d1",
    }


def adyen_item(value: Any = 1000, **more: Any) -> dict[str, Any]:
    item: dict[str, Any] = {
        "pspReference": "7914073381342284", "merchantAccountCode": "TestMerchant", "merchantReference": "TestPayment-1",
        "amount": {"value": value, "currency": "EUR"}, "eventCode": "AUTHORISATION", "success": "true", **more,
    }  # fmt: skip
    original = item.get("originalReference", "")
    text = f"7914073381342284:{original}:TestMerchant:TestPayment-1:{value}:EUR:AUTHORISATION:true"
    item["additionalData"] = {"hmacSignature": b64(hmac_of(bytes.fromhex(HEX_KEY), text.encode()))}
    return item


def adyen(*items: dict[str, Any]) -> bytes:
    wrapped = [{"NotificationRequestItem": item} for item in items]
    return json.dumps({"live": "false", "notificationItems": wrapped}).encode()


GOOD: list[tuple[str, str, Mapping[str, str], bytes, Verified]] = [
    ("shopify", "shop", shopify(), BODY, Verified("w-1", "orders/create")),
    ("standard-webhooks", WHSEC, standard(), BODY, Verified("msg_1", "order.paid")),
    ("stripe", "whsec_stripe", stripe(), BODY, Verified("evt_1", "order.paid")),
    ("github", "octo", github(), BODY, Verified("g-1", "push")),
    ("woocommerce", "woo", woocommerce(), BODY, Verified(f"d1:{hashlib.sha256(BODY).hexdigest()}", "order.created")),
    ("hubspot-webhooks", "hub", hubspot(), EVENTS, Verified("1:1772700000000", "company.creation")),
    ("adyen", HEX_KEY, {}, adyen(adyen_item()), Verified("7914073381342284:AUTHORISATION:true", "AUTHORISATION")),
]


@pytest.mark.parametrize(("name", "secret", "headers", "body", "expected"), GOOD, ids=[row[0] for row in GOOD])
def test_what_a_sender_signs_is_accepted(
    name: str, secret: str, headers: Mapping[str, str], body: bytes, expected: Verified
) -> None:
    verifier = Verifier(preset(name, secrets=[secret]))
    assert verifier.verify(headers, body, NOW) == expected
    assert verifier.verify(headers, body, NOW) == expected, "a verifier keeps nothing from one request to the next"


@pytest.mark.parametrize(("name", "secret", "headers", "body", "expected"), GOOD, ids=[row[0] for row in GOOD])
def test_another_secret_or_another_body_is_refused(
    name: str, secret: str, headers: Mapping[str, str], body: bytes, expected: Verified
) -> None:
    other = WHSEC[:-4] + "AAA=" if name == "standard-webhooks" else secret[:-1] + "1"
    with pytest.raises(SignatureError) as caught:
        Verifier(preset(name, secrets=[other])).verify(headers, body, NOW)
    assert caught.value.reason == "bad_signature"
    changed = body.replace(b"true", b"false") if name == "adyen" else body + b" "
    with pytest.raises(SignatureError) as caught:
        Verifier(preset(name, secrets=[secret])).verify(headers, changed, NOW)
    assert caught.value.reason == "bad_signature"
    assert secret not in str(caught.value)


def test_a_body_that_was_decoded_and_encoded_again_is_refused() -> None:
    again = json.dumps(json.loads(BODY)).encode()
    assert json.loads(again) == json.loads(BODY)
    with pytest.raises(SignatureError, match="was the body changed on its way"):
        Verifier(preset("shopify", secrets=["shop"])).verify(shopify(), again, NOW)


def test_the_command_line_of_openssl_signs_the_same() -> None:
    out = subprocess.run(
        ["openssl", "dgst", "-sha256", "-hmac", "octo", "-r"], input=BODY, capture_output=True, check=True
    )
    headers = {**github(), "x-hub-signature-256": f"sha256={out.stdout.split()[0].decode()}"}
    assert Verifier(preset("github", secrets=["octo"])).verify(headers, BODY, NOW).event == "push"


def test_the_published_example_of_the_github_documentation_verifies() -> None:
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    verifier = Verifier(preset("github", secrets=["It's a Secret to Everybody"]))
    for written in (signature, f"sha256={signature[7:].upper()}"):
        verified = verifier.verify({"x-hub-signature-256": written}, b"Hello, World!", NOW)
        assert verified == Verified(None, None)


def test_the_published_example_of_standard_webhooks_verifies() -> None:
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }  # fmt: skip
    verifier = Verifier(preset("standard-webhooks", secrets=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]))
    assert verifier.verify(headers, b'{"test": 2432232314}', 1614265330.0).dedupe_id == headers["webhook-id"]


# Several signatures, several secrets


def test_any_of_several_signatures_in_a_header_will_do() -> None:
    good, verifier = standard()["webhook-signature"], Verifier(preset("standard-webhooks", secrets=[WHSEC]))
    for text in (f"v1,AAAA {good}", f"{good} v1,AAAA", f"v1a,ed25519 {good}", f"v2,x  {good}"):
        verifier.verify({**standard(), "webhook-signature": text}, BODY, NOW)
    for text in ("v1,AAAA v1,BBBB", "v1,", good.removeprefix("v1,")):
        with pytest.raises(SignatureError):
            verifier.verify({**standard(), "webhook-signature": text}, BODY, NOW)
    with pytest.raises(SignatureError, match="malformed_signature"):
        verifier.verify({**standard(), "webhook-signature": "v1a,only"}, BODY, NOW)


def test_old_and_new_secrets_are_good_together_and_the_old_one_until_its_day_is_over() -> None:
    old = {"secret": "old", "until": "2026-03-05"}  # NOW is 2026-03-05T08:40:00Z
    verifier = Verifier(preset("shopify", secrets=["new", "newer"], old_secrets=[old]))
    for secret in ("new", "newer", "old"):
        verifier.verify(shopify(secret=secret), BODY, NOW)
    midnight = 1_772_755_200.0
    verifier.verify(shopify(secret="old"), BODY, midnight)
    with pytest.raises(SignatureError):
        verifier.verify(shopify(secret="old"), BODY, midnight + 1)
    verifier.verify(shopify(secret="new"), BODY, midnight + 1)


def test_an_old_secret_may_end_at_a_time_with_its_offset() -> None:
    verifier = Verifier(preset("shopify", old_secrets=[{"secret": "old", "until": "2026-03-05T10:40:00+02:00"}]))
    verifier.verify(shopify(secret="old"), BODY, NOW)
    with pytest.raises(SignatureError):
        verifier.verify(shopify(secret="old"), BODY, NOW + 1)


# Time


@pytest.mark.parametrize(
    ("make", "name", "secret"),
    [(standard, "standard-webhooks", WHSEC), (stripe, "stripe", "whsec_stripe"), (hubspot, "hubspot-webhooks", "hub")],
    ids=["standard", "stripe", "hubspot"],
)
@pytest.mark.parametrize(
    ("off", "reason"), [(0, ""), (300, ""), (-300, ""), (301, "stale_timestamp"), (-301, "future_timestamp")]
)
def test_a_signed_time_may_be_five_minutes_off_both_ways(
    make: Any, name: str, secret: str, off: int, reason: str
) -> None:
    verifier, body = Verifier(preset(name, secrets=[secret])), EVENTS if make is hubspot else BODY
    if not reason:
        verifier.verify(make(at=NOW - off), body, NOW)
        return
    with pytest.raises(SignatureError) as caught:
        verifier.verify(make(at=NOW - off), body, NOW)
    assert caught.value.reason == reason
    assert "301 s" in caught.value.detail


@pytest.mark.parametrize("stamp", ["", "soon", "1.5", "-1", "٣", "1" * 16, " 1772700000", "0x10"])
def test_a_time_that_is_none_is_refused(stamp: str) -> None:
    verifier = Verifier(preset("standard-webhooks", secrets=[WHSEC]))
    with pytest.raises(SignatureError, match="missing_timestamp"):
        verifier.verify({**standard(), "webhook-timestamp": stamp}, BODY, NOW)


def test_a_fresh_time_beside_a_signed_old_one_is_refused() -> None:
    headers = stripe(at=NOW - 9999)
    forged = f"t={int(NOW)},{headers['stripe-signature']}"
    with pytest.raises(SignatureError, match="missing_timestamp: there is no single time"):
        Verifier(preset("stripe", secrets=["whsec_stripe"])).verify({"stripe-signature": forged}, BODY, NOW)
    moved = {**standard(at=NOW - 9999), "webhook-timestamp": str(int(NOW))}
    with pytest.raises(SignatureError, match="bad_signature"):
        Verifier(preset("standard-webhooks", secrets=[WHSEC])).verify(moved, BODY, NOW)


# Headers


@pytest.mark.parametrize(("name", "secret", "headers", "body", "expected"), GOOD[:5], ids=[row[0] for row in GOOD[:5]])
def test_a_missing_or_empty_header_is_said(
    name: str, secret: str, headers: Mapping[str, str], body: bytes, expected: Verified
) -> None:
    config = preset(name, secrets=[secret])
    key = config["verify"]["header"].lower()
    for given in ({}, {**headers, key: ""}):
        with pytest.raises(SignatureError) as caught:
            Verifier(config).verify(given, body, NOW)
        assert str(caught.value) == f"missing_signature: there is no {config['verify']['header']} header"


@pytest.mark.parametrize("text", ["é", "\ud800", "\x00", "=" * 10_000, "AAAA, BBBB", "null"])
def test_a_strange_signature_is_refused_and_nothing_breaks(text: str) -> None:
    for name, secret, headers, body, _ in GOOD[:5]:
        config = preset(name, secrets=[secret])
        with pytest.raises(SignatureError):
            Verifier(config).verify({**headers, config["verify"]["header"].lower(): text}, body, NOW)


def test_a_repeated_signature_header_is_refused() -> None:
    """The door joins repeated headers by commas; which of two is meant cannot be known."""
    headers = shopify()
    headers["x-shopify-hmac-sha256"] += ", " + headers["x-shopify-hmac-sha256"]
    with pytest.raises(SignatureError, match="bad_signature"):
        Verifier(preset("shopify", secrets=["shop"])).verify(headers, BODY, NOW)


# Fields of the body


def test_every_item_of_a_batch_must_be_signed() -> None:
    verifier = Verifier(preset("adyen", secrets=[HEX_KEY]))
    refund = adyen_item(originalReference="8313842560770001")
    assert verifier.verify({}, adyen(adyen_item(), refund), NOW).event == "AUTHORISATION"
    bad = {**refund, "amount": {"value": 1, "currency": "EUR"}}
    for items, reason in (
        ((adyen_item(), bad), "bad_signature"),
        ((), "missing_signature"),
        (({**refund, "additionalData": {}},), "missing_signature"),
        (({**refund, "additionalData": {"hmacSignature": None}},), "missing_signature"),
        (({**refund, "additionalData": {"hmacSignature": ["a"]}},), "missing_signature"),
    ):
        with pytest.raises(SignatureError) as caught:
            verifier.verify({}, adyen(*items), NOW)
        assert caught.value.reason == reason


def test_signed_numbers_count_as_they_were_sent() -> None:
    verifier = Verifier(preset("adyen", secrets=[HEX_KEY]))
    body = adyen(adyen_item("10.50")).replace(b'"10.50"', b"10.50")
    verifier.verify({}, body, NOW)
    with pytest.raises(SignatureError):
        verifier.verify({}, body.replace(b"10.50", b"10.5"), NOW)


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"<xml/>", b'{"notificationItems": 1}', b"\xff", b"[" * 100_000])
def test_a_body_without_items_proves_nothing(body: bytes) -> None:
    with pytest.raises(SignatureError):
        Verifier(preset("adyen", secrets=[HEX_KEY])).verify({}, body, NOW)


# Tokens, basic, nothing


def test_a_token_in_a_header_is_compared_with_every_secret() -> None:
    verify = {"method": "token", "header": "Authorization", "prefix": "Bearer ", "secrets": ["one", "zwölf"]}
    verifier = Verifier({"verify": verify})
    for text in ("Bearer one", "Bearer zwölf"):
        assert verifier.verify({"authorization": text}, b"", NOW) == Verified(None, None)
    for text, reason in (("Bearer two", "bad_token"), ("one", "bad_token"), ("", "bad_token"), (None, "missing_token")):
        with pytest.raises(SignatureError) as caught:
            verifier.verify({} if text is None else {"authorization": text}, b"", NOW)
        assert caught.value.reason == reason


def test_basic_credentials_stand_alone_or_beside_a_signature() -> None:
    basic = {"user": "hub", "password": "pässwort"}
    good = {"authorization": "Basic " + b64("hub:pässwort".encode())}
    alone = Verifier({"verify": {"method": "basic", "basic": basic}})
    both = Verifier(preset("adyen", secrets=[HEX_KEY], basic=basic))
    alone.verify(good, b"", NOW)
    both.verify(good, adyen(adyen_item()), NOW)
    for verifier, headers, body, reason in (
        (alone, {}, b"", "missing_credentials"),
        (alone, {"authorization": "Basic " + b64(b"hub:other")}, b"", "bad_credentials"),
        (both, {}, adyen(adyen_item()), "missing_credentials"),
        (both, good, adyen(adyen_item(), {"eventCode": "X"}), "missing_signature"),
    ):
        with pytest.raises(SignatureError) as caught:
            verifier.verify(headers, body, NOW)
        assert caught.value.reason == reason


def test_an_unsigned_source_must_be_meant() -> None:
    with pytest.raises(PermanentError, match="none lets anybody in; write unsigned: true beside it if that is meant"):
        Verifier({"verify": {"method": "none"}})
    config = {"verify": {"method": "none", "unsigned": True}, "event": "ping", "dedupe": {"id": "sha256"}}
    assert Verifier(config).verify({}, b"", NOW) == Verified(hashlib.sha256(b"").hexdigest(), "ping")


SETTINGS: list[tuple[dict[str, Any], str]] = [
    ({}, "verify.header is missing: method signature needs it"),
    ({"header": "X"}, "verify.secrets is missing: list the source's secret, secrets: [secret://env/NAME]"),
    ({"header": "X", "secrets": []}, "verify.secrets is missing"),
    ({"header": "X", "secrets": [""]}, "verify.secrets[0]: the secret is empty"),
    ({"header": "X", "secrets": ["whsec_"], "key_encoding": "whsec"}, "verify.secrets[0]: the secret is empty"),
    ({"header": "X", "secrets": ["s3cret!"], "key_encoding": "hex"},
     "verify.secrets[0]: the secret is not hexadecimal digits, as key_encoding: hex says"),
    ({"header": "X", "secrets": ["s3cret!"], "key_encoding": "base64"}, "verify.secrets[0]: the secret is not Base64"),
    ({"header": "X", "secrets": ["s3cret!"], "key_encoding": "whsec"}, "verify.secrets[0]: the secret is not whsec_"),
    ({"header": "X", "old_secrets": [{"secret": "s", "until": "soon"}]},
     "verify.old_secrets[0].until: 'soon' is not a date; write a day such as 2026-04-01"),
    ({"header": "X", "old_secrets": [{"secret": "s", "until": "2026-04-01T10:00:00"}]}, "verify.old_secrets[0].until"),
    ({"header": "X", "old_secrets": [{"secret": "s", "until": "9999-12-31"}]}, "verify.old_secrets[0].until: '9999"),
    ({"header": "X", "secrets": ["s"], "signed": "{timestamp}.{body}"}, "verify.timestamp is missing: signed: names"),
    ({"header": "X", "secrets": ["s"], "timestamp": "header:T"}, "verify.timestamp: the time is not part of signed:"),
    ({"header": "X", "secrets": ["s"], "timestamp": "T", "signed": "{timestamp}{body}"}, "verify.timestamp: 'T' is no"),
    ({"header": "X", "secrets": ["s"], "signed": "{header:A}"}, "verify.signed: the body is not part of it"),
    ({"header": "X", "secrets": ["s"], "signed": "{bdy}"}, "verify.signed: '{bdy}' is not known here; write {body}"),
    ({"header": "X", "secrets": ["s"], "signed": "{body}}"}, "verify.signed: a brace without its partner"),
    ({"field": "sig", "secrets": ["s"], "signed": "{body}"}, "verify.signed: '{body}' is not known here"),
    ({"field": "sig", "secrets": ["s"], "signed": "x"}, "verify.signed: it names no field"),
    ({"method": "token", "secrets": ["s"]}, "verify.header is missing: method token needs it"),
    ({"method": "basic"}, "verify.basic.user is missing"),
    ({"method": "basic", "basic": {"user": "u"}}, "verify.basic.password is missing"),
]  # fmt: skip


@pytest.mark.parametrize(("verify", "text"), SETTINGS, ids=range(len(SETTINGS)))
def test_a_set_up_that_would_be_an_open_door_is_refused(verify: dict[str, Any], text: str) -> None:
    with pytest.raises(PermanentError) as caught:
        Verifier({"verify": verify})
    assert str(caught.value).startswith(text)
    assert "s3cret" not in str(caught.value)


def test_no_settings_at_all_are_refused() -> None:
    for config in ({}, {"verify": None}, {"verify": {}}):
        with pytest.raises(PermanentError):
            Verifier(config)


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512"])
@pytest.mark.parametrize("encoding", ["base64", "hex"])
@pytest.mark.parametrize(("key_encoding", "secret"), [("utf8", "pä" * 80), ("base64", b64(b"k\0y")), ("hex", "00ff10")])
def test_every_hash_and_every_way_to_write_a_key(algorithm: str, encoding: str, key_encoding: str, secret: str) -> None:
    decode = {"utf8": str.encode, "base64": base64.b64decode, "hex": bytes.fromhex}[key_encoding]
    digest = hmac_of(decode(secret), BODY, algorithm)
    verify = {"header": "X-Sig", "algorithm": f"hmac-{algorithm}", "encoding": encoding, "key_encoding": key_encoding,
              "secrets": [secret]}  # fmt: skip
    verifier, written = Verifier({"verify": verify}), digest.hex() if encoding == "hex" else b64(digest)
    assert isinstance(verifier.verify({"x-sig": written}, BODY, NOW), Verified)
    with pytest.raises(SignatureError):
        verifier.verify({"x-sig": written}, BODY + b"x", NOW)
