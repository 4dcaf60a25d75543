"""localstripe as the tests' payment provider, on this machine's loopback address."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from systems.installs import HERE, installed, python_environment
from systems.server import Server


def install() -> Path:
    return installed(
        "localstripe", lambda place: python_environment(place, HERE / "localstripe/requirements.txt") and None
    )


class Stripe(Server):
    """One running provider."""

    def __init__(self, port: int, folder: Path) -> None:
        super().__init__(folder / "stripe.log")
        self.port = port

    def start(self) -> None:
        self.launch(install() / "venv/bin/python", HERE / "localstripe/loopback.py", str(self.port))

    def answers(self) -> bool:
        self.ask("GET", "/v1/customers")
        return True

    def send_webhooks_to(self, url: str, secret: str) -> None:
        self.ask("POST", "/_config/webhooks/hub", {"url": url, "secret": secret})

    def pay(self, cents: int, currency: str, reference: str) -> str:
        """A card pays what the reference says; gives the payment's id."""
        card = {
            "card[number]": "4242424242424242",
            "card[exp_month]": "12",
            "card[exp_year]": "2030",
            "card[cvc]": "123",
        }
        method = self.ask("POST", "/v1/payment_methods", {"type": "card", **card})
        paid = self.ask("POST", "/v1/payment_intents", {
            "amount": str(cents), "currency": currency, "payment_method": method["id"], "confirm": "true",
            "metadata[payment_reference]": reference,
        })  # fmt: skip
        assert paid["status"] == "succeeded", paid
        return str(paid["id"])

    def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> Any:
        raw = urlencode(form).encode() if form is not None else None
        headers = {"Authorization": "Bearer sk_test_of_the_tests"}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", raw, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            told = answer.read()
        return json.loads(told) if told else None
