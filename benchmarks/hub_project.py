"""The hub as the benchmark runs it: a project folder with one shop, one ERP and one route, and how to start it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.orders import SECRET, topic
from benchmarks.processes import Running, free_port, get, module, started
from benchmarks.trial import Rig

AS_IT_IS = ""
UNBATCHED = "unbatched"
UNCOMMITTED = "uncommitted"

_HUB = """\
http: {{listen: "127.0.0.1:{port}", backlog: {backlog}}}
store: {store}
broker: {broker}
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
_ROUTE = """\
- route: webshop-{name}
  from: {{system: webshop, event: {event}}}
  map: shopify-order
  order: per_key{key}
  to:
    - {{system: erp}}
"""


@dataclass(frozen=True, slots=True)
class Project:
    """What a project says besides its shop and its ERP. ``routes``: how many, each for an event of its own, of which
    the first is the shop's usual one. ``one_lane``: every order has the same business key."""

    store: str = "sqlite:///data/hub.db"
    broker: str = "local"
    routes: int = 1
    one_lane: bool = False
    backlog: int = 20_000

    def write(self, folder: Path, port: int, sink_url: str) -> None:
        """Everything the hub reads; mappings and schemas are the reference project's."""
        for name, text in (
            ("config/hub.yaml", _HUB.format(port=port, store=self.store, broker=self.broker, backlog=self.backlog)),
            ("config/systems.yaml", _SYSTEMS.format(sink=sink_url)),
            ("routes/orders.yaml", "".join(self._route(number) for number in range(self.routes))),
        ):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def _route(self, number: int) -> str:
        event = topic(number)
        key = "\n  key: src.seller.party_id" if self.one_lane else ""
        return _ROUTE.format(name=event.replace("/", "-"), event=event, key=key)


def start_command(folder: Path, variant: str = AS_IT_IS) -> list[str]:
    """How a hub is started: as a user does, or with one thing of it taken away."""
    if variant == AS_IT_IS:
        return [str(Path(sys.executable).with_name("o2c")), "run", "--project", str(folder)]
    return module("benchmarks.variants", variant, folder)


@contextmanager
def hub(place: Rig, folder: Path, variant: str = AS_IT_IS) -> Iterator[tuple[Running, str]]:
    """A running hub on the project in ``folder`` (made if it is not there), and the address of its door."""
    port = free_port()
    Project().write(folder, port, place.sink_url)
    command = start_command(folder, variant)
    with started("hub", command, folder, {"SHOP_HMAC": SECRET}, cwd=Path(__file__).parents[1]) as running:
        running.wait_until(lambda: is_ready(port))
        yield running, f"http://127.0.0.1:{port}/in/webshop"


def is_ready(port: int) -> bool:
    """Whether the hub on a local port takes documents in."""
    try:
        get(f"http://127.0.0.1:{port}/readyz", timeout=2.0)
    except OSError:
        return False
    return True
