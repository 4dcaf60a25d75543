"""The preset stripe-api against localstripe, which others wrote: refunds go out as forms, lists are read to the end."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

sys.path.insert(1, str(Path(__file__).parent.parent / "conformance"))

from sending import brief, parcel, send
from servers import free_port
from systems.stripe_payments import Stripe
from test_protocol_presets import opened, read

from connectors.base import DELIVERED, REFUSED

SYSTEM = """
stripe:
  preset: stripe-api
  base_url: http://127.0.0.1:{port}
  auth: {{token: secret://env/STRIPE_KEY}}
"""


@pytest.fixture(scope="module")
def stripe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stripe]:
    double = Stripe(free_port(), tmp_path_factory.mktemp("stripe"))
    double.start()
    yield double
    double.stop()


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRIPE_KEY", "sk_test_of_the_tests")


def test_refunds_go_out_as_forms_and_come_back_page_by_page(stripe: Stripe) -> None:
    payment = stripe.pay(5221, "eur", "RF741")
    body = {"payment_intent": payment, "amount": 1080, "metadata": {"refund_id": "R & 1", "order_id": "1001"}}
    with opened(SYSTEM.format(port=stripe.port)) as to:
        refund = msgspec.structs.replace(parcel(), body=json.dumps(body).encode())
        [verdict] = send(to, refund)
        assert verdict.kind == DELIVERED
        made = stripe.ask("GET", f"/v1/refunds/{verdict.reference}")
        assert (made["amount"], made["payment_intent"], made["metadata"]) == (1080, payment, body["metadata"])
        unknown = msgspec.structs.replace(refund, body=b'{"payment_intent": "pi_none", "amount": 1}')
        assert [brief(verdict) for verdict in send(to, unknown)] == [(REFUSED, "http_404")]
        for _ in range(4):
            send(to, refund)
    listed = [each["id"] for each in stripe.ask("GET", "/v1/refunds?limit=10")["data"]]
    fetch = '  fetch: {request: "GET /v1/refunds?limit=2", event: refund}\n'
    hub = read(SYSTEM.format(port=stripe.port) + fetch)
    assert [item.name for item in hub.came] == listed
    assert len(listed) == 5
