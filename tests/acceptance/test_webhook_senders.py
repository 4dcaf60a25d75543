"""Every preset for webhooks at a running hub: what its sender signs is taken in once, anything else is refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_process import HubProcess
from receiver import Receiver

OLD, NEW = "an-old-secret", "a-new-secret"
KEYS = {OLD: "aa" * 32, NEW: "bb" * 32}
PRESETS = ("standard-webhooks", "shopify", "woocommerce", "stripe", "github", "adyen", "vendure")
SYSTEM = """
{preset}:
  preset: {preset}
  verify:
    secrets: [secret://env/{name}_NEW]
    old_secrets: [{{secret: secret://env/{name}_OLD, until: "2099-01-01"}}]
  ignore: [paid]
"""
# Those that the hub also sends to need an address.
ALSO_TARGETS = {"vendure": '  base_url: "http://127.0.0.1:1"\n  auth: {key: secret://env/VENDURE_NEW}\n'}


def written(preset: str, secret: str) -> str:
    """A secret as the sender shows it."""
    if preset in ("standard-webhooks", "vendure"):
        return "whsec_" + base64.b64encode(secret.encode()).decode()
    return KEYS.get(secret, "cc" * 32) if preset == "adyen" else secret


def digest(secret: str, message: bytes, encoding: str = "base64") -> str:
    raw = hmac.new(secret.encode(), message, hashlib.sha256).digest()
    return raw.hex() if encoding == "hex" else base64.b64encode(raw).decode()


def sent(preset: str, secret: str, number: str) -> tuple[bytes, dict[str, str]]:
    """A body and its headers, as the sender of a preset makes them."""
    body, now = json.dumps({"id": number, "type": "paid"}).encode(), int(time.time())
    if preset == "adyen":
        return adyen(secret, number), {}
    headers = {
        "standard-webhooks": {
            "webhook-id": number, "webhook-timestamp": str(now),
            "webhook-signature": "v1,bm90IGl0 v1," + digest(secret, f"{number}.{now}.".encode() + body),
        },
        "shopify": {
            "X-Shopify-Hmac-SHA256": digest(secret, body), "X-Shopify-Topic": "paid", "X-Shopify-Webhook-Id": number,
        },
        "woocommerce": {
            "X-WC-Webhook-Signature": digest(secret, body), "X-WC-Webhook-Topic": "paid",
            "X-WC-Webhook-Delivery-ID": number,
        },
        "stripe": {"Stripe-Signature": f"t={now},v1={digest(secret, b'%d.' % now + body, 'hex')},v0=00"},
        "github": {
            "X-Hub-Signature-256": "sha256=" + digest(secret, body, "hex"), "X-GitHub-Event": "paid",
            "X-GitHub-Delivery": number,
        },
    }  # fmt: skip
    headers["vendure"] = headers["standard-webhooks"]
    return body, headers[preset]


def adyen(secret: str, number: str) -> bytes:
    item = {
        "pspReference": number, "merchantAccountCode": "Shop", "merchantReference": "1001",
        "amount": {"value": 1130, "currency": "EUR"}, "eventCode": "paid", "success": "true",
    }  # fmt: skip
    key = bytes.fromhex(written("adyen", secret))
    covered = f"{number}::Shop:1001:1130:EUR:paid:true".encode()
    signature = base64.b64encode(hmac.new(key, covered, hashlib.sha256).digest()).decode()
    signed_item = {**item, "additionalData": {"hmacSignature": signature}}
    return json.dumps({"live": "false", "notificationItems": [{"NotificationRequestItem": signed_item}]}).encode()


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    receiver = Receiver()
    hub = HubProcess(tmp_path_factory.mktemp("hub"), receiver)
    systems = (hub.root / "config/systems.yaml").read_text()
    for preset in PRESETS:
        name = preset.replace("-", "_").upper()
        systems += SYSTEM.format(preset=preset, name=name) + ALSO_TARGETS.get(preset, "")
        hub.environment |= {f"{name}_NEW": written(preset, NEW), f"{name}_OLD": written(preset, OLD)}
    hub.write("config/systems.yaml", systems)
    hub.start()
    yield hub
    assert hub.stop() == 0
    receiver.close()


def post(hub: HubProcess, preset: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
    status, answer, _ = hub.request("POST", f"/in/{preset}", body, {"Content-Type": "application/json", **headers})
    return status, answer.decode()


def taken(hub: HubProcess, preset: str) -> list[str]:
    return [event for (event,) in hub.rows("SELECT event FROM receipts WHERE source = ?", preset)]


@pytest.mark.parametrize("preset", PRESETS)
def test_what_the_sender_signs_is_taken_in_once_with_the_new_secret_and_the_old(hub: HubProcess, preset: str) -> None:
    for secret in (NEW, OLD):
        body, headers = sent(preset, secret, f"n-{secret}")
        status, first = post(hub, preset, body, headers)
        again, second = post(hub, preset, body, headers)
        if preset == "adyen":
            assert (status, again, first, second) == (200, 200, "[accepted]", "[accepted]")
        else:
            assert (status, again) == (202, 200)
            assert json.loads(second) == {**json.loads(first), "duplicate": True}
    assert taken(hub, preset) == ["paid", "paid"]


@pytest.mark.parametrize("preset", PRESETS)
def test_another_secret_or_another_body_is_refused(hub: HubProcess, preset: str) -> None:
    before = taken(hub, preset)
    wrong, headers = sent(preset, "somebody-else", "w-1")
    assert post(hub, preset, wrong, headers)[0] == 401
    body, headers = sent(preset, NEW, "w-2")
    status, answer = post(hub, preset, body.replace(b"paid", b"pay!").replace(b"1130", b"1131"), headers)
    assert (status, json.loads(answer)["code"]) == (401, "bad_signature")
    assert taken(hub, preset) == before


FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("preset", "body", "status"),
    [
        ("woocommerce", b"webhook_id=1247", 200),
        ("woocommerce", b"another_id=1247", 415),
        ("woocommerce", b"webhook_id=" + b"1" * 200, 415),
        ("shopify", b"webhook_id=1247", 415),
    ],
)
def test_a_shop_that_tries_its_new_webhook_is_answered_and_nothing_is_kept(
    hub: HubProcess, preset: str, body: bytes, status: int
) -> None:
    before = taken(hub, preset)
    answered, _, _ = hub.request("POST", f"/in/{preset}", body, FORM)
    assert (answered, taken(hub, preset)) == (status, before)


def test_every_preset_that_receives_is_here(hub: HubProcess) -> None:
    folder = Path(__file__).parents[2] / "connectors/presets"
    # The others are in test_webhook.py and test_channels.py.
    receiving = {path.stem for path in folder.glob("*.yaml") if "\nverify:" in path.read_text()}
    assert receiving - {"hubspot-webhooks"} - {"wms-json", "tms-json"} == set(PRESETS)
