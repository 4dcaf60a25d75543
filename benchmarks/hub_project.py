"""The hub as the benchmark runs it: a project folder with one shop, one ERP and one route, and how to start it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.orders import SECRET
from benchmarks.processes import Running, free_port, get, module, started
from benchmarks.trial import Rig

AS_IT_IS = ""
UNBATCHED = "unbatched"
UNCOMMITTED = "uncommitted"

_HUB = """\
http: {{listen: "127.0.0.1:{port}"}}
store: sqlite:///data/hub.db
broker: local
company: {{party_id: self, party_type: organisation, name: Example GmbH}}
"""
_SYSTEMS = """\
webshop:
  preset: shopify
  verify: {{secrets: [secret://env/SHOP_HMAC]}}
erp:
  connector: http
  base_url: {sink}
  path: /sales-orders
  idempotency: {{mode: native}}
  limits: {{concurrency: 64}}
"""
_ROUTES = """\
route: webshop-orders
from: {system: webshop, event: orders/create}
map: shopify-order
order: per_key
to:
  - {system: erp}
"""


def write_project(folder: Path, port: int, sink_url: str) -> None:
    """Everything the hub reads; mappings and schemas are the reference project's."""
    for name, text in (
        ("config/hub.yaml", _HUB.format(port=port)),
        ("config/systems.yaml", _SYSTEMS.format(sink=sink_url)),
        ("routes/orders.yaml", _ROUTES),
    ):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def start_command(folder: Path, variant: str = AS_IT_IS) -> list[str]:
    """How a hub is started: as a user does, or with one thing of it taken away."""
    if variant == AS_IT_IS:
        return [str(Path(sys.executable).with_name("o2c")), "run", "--project", str(folder)]
    return module("benchmarks.variants", variant, folder)


@contextmanager
def hub(place: Rig, folder: Path, variant: str = AS_IT_IS) -> Iterator[tuple[Running, str]]:
    """A running hub on the project in ``folder`` (made if it is not there), and the address of its door."""
    port = free_port()
    write_project(folder, port, place.sink_url)
    command = start_command(folder, variant)
    with started("hub", command, folder, {"SHOP_HMAC": SECRET}, cwd=Path(__file__).parents[1]) as running:
        running.wait_until(lambda: _is_ready(port))
        yield running, f"http://127.0.0.1:{port}/in/webshop"


def _is_ready(port: int) -> bool:
    try:
        get(f"http://127.0.0.1:{port}/readyz", timeout=2.0)
    except OSError:
        return False
    return True
