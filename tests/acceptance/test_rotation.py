"""A secret whose file was replaced is used from the next deploy on, without a restart, in every process."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from admin import add_key, call
from cluster import Cluster
from hub_process import HubProcess, order
from receiver import Receiver
from servers import PostgresServer

OLD, NEW = "the-first-secret", "the-second-secret"
NUMBERS = count(1)


def put_secret(hub: HubProcess, value: str) -> None:
    for name in ("shop", "erp"):
        hub.write(f".o2c/secrets/{name}", value + "\n")


def with_files(hub: Any) -> Any:
    """The hub, with its shop's and its ERP's secret in files."""
    path = hub.root / "config/systems.yaml"
    text = path.read_text().replace("secret://env/SHOP_SECRET", "secret://file/shop")
    path.write_text(text + "  auth: {type: bearer, token: secret://file/erp}\n")
    put_secret(hub, OLD)
    return hub


def sent(hub: HubProcess, secret: str) -> int:
    """The status that an order is answered with which is signed with this secret."""
    reference = f"rotation-{next(NUMBERS)}"
    body = order(reference)
    signature = base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()
    headers = {
        "Content-Type": "application/json", "X-Shopify-Topic": "orders/create", "X-Shopify-Webhook-Id": reference,
        "X-Shopify-Hmac-SHA256": signature,
    }  # fmt: skip
    return int(hub.request("POST", "/in/shop", body, headers)[0])


def rotate(hub: HubProcess, receiver: Receiver, key: str) -> None:
    def shown() -> list[str]:
        return [headers["Authorization"] for headers in receiver.headers]

    def has_shown(number: int) -> bool:
        return len(shown()) == number

    for number in range(1, 9):
        assert sent(hub, OLD) == 202
        hub.wait_for(partial(has_shown, number))  # one after the other, so that each worker has its turn
    put_secret(hub, NEW)
    assert (sent(hub, OLD), sent(hub, NEW)) == (202, 401)
    assert set(shown()[:8]) == {f"Bearer {OLD}"}
    before = call(hub, key, "GET", "/deployments")["active"]
    assert hub.spawn("deploy").wait(60) == 0
    assert call(hub, key, "GET", "/deployments")["active"] == before
    hub.wait_for(lambda: sent(hub, OLD) == 401)  # a process that serves follows what is in force
    assert sent(hub, NEW) == 202
    hub.wait_for(lambda: sent(hub, NEW) == 202 and len(shown()) > 20 and set(shown()[-8:]) == {f"Bearer {NEW}"})


def test_one_process_uses_a_replaced_secret_from_a_deploy_on(
    make_hub: Callable[..., HubProcess], receiver: Receiver
) -> None:
    hub = with_files(make_hub())
    hub.start()
    assert hub.stop() == 0
    key = add_key(hub)
    hub.start()
    rotate(hub, receiver, key)
    assert hub.stop() == 0


@pytest.fixture
def cluster(tmp_path: Path, receiver: Receiver, postgres: PostgresServer, redis_server: Any) -> Iterator[Cluster]:
    made = with_files(Cluster(tmp_path, receiver, postgres.new_database(), redis_server.url))
    yield made
    made.close()
    postgres.drop(made.store)


def test_workers_use_a_replaced_secret_from_a_deploy_on(cluster: Cluster, receiver: Receiver) -> None:
    key = cluster.add_key()
    cluster.start()
    rotate(cluster, receiver, key)
    assert cluster.ready()["workers"] == 2  # and neither was started anew for it
