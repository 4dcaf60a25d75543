"""A hub under load whose every connection is a cable, what can be done to it, and whether it has kept its promises."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from broker_servers import BrokerServer
from cable import OPEN, Cable
from clocks import Clocks
from cluster import Cluster
from hub_process import HubProcess, Process
from island import Island, may_have_islands
from load import Load, in_order
from receiver import Receiver
from servers import PostgresServer

SYSTEMS = """
shop:
  connector: webhook
  format: json
  verify: {{header: X-Shopify-Hmac-SHA256, secrets: [secret://env/SHOP_SECRET]}}
  event: header:X-Shopify-Topic
  dedupe: {{id: header:X-Shopify-Webhook-Id}}
keyed:
  connector: http
  base_url: http://{host}:{keyed}
  path: /orders
  idempotency: {{mode: native}}
  breaker: {{open: 3s}}
  timeouts: {{connect: 2s, read: 3s}}
asked:
  connector: http
  base_url: http://{host}:{asked}
  path: /orders
  idempotency: {{mode: lookup, request: "GET /orders?key={{key}}", found: "count(body) > 0", settle: 2s}}
  breaker: {{open: 3s}}
  timeouts: {{connect: 2s, read: 3s}}
"""
ROUTE = """
route: orders
from: {system: shop, event: orders/create}
map: order-in
key: "first(split(src.report_id, '-'))"
to:
  - {system: keyed, map: order-out}
  - {system: asked, map: order-out}
retry: {attempts: 200, first: 100ms, factor: 1.5, cap: 1s}
"""
ROLES = {
    "serve": ("serve", "--fd"), "second serve": ("serve", "--fd"), "work": ("work", "--processes", "2"),
    "sweep": ("sweep",), "second sweep": ("sweep",),
}  # fmt: skip
LANES, PAUSE_SECONDS = 24, 0.6
RESTART_SECONDS = 0.3  # as whoever keeps services going has it
PATIENCE_SECONDS = 90.0  # until everything has arrived after a fault; a promise is broken that takes longer


@dataclass(frozen=True, slots=True)
class Recovery:
    """Seconds from the end of a fault: until both targets had an effect, until both had all that was acknowledged."""

    flows: float
    arrived: float
    waiting: int  # orders that were acknowledged and had not arrived at the end of the fault


class Laboratory:
    """``broker`` is None for a hub that is one process on an embedded store. With ``clocks`` every role has its own."""

    def __init__(
        self, folder: Path, postgres: PostgresServer, broker: BrokerServer | None, seed: int, clocks: bool = False
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.postgres, self.broker = postgres, broker
        self.keyed, self.asked = Receiver(), Receiver()
        self.asked.deduplicates = False
        self.island = Island() if broker is not None and may_have_islands() else None
        ports = {"keyed": self.keyed.port, "asked": self.asked.port}
        if broker is not None:
            ports |= {"store": postgres.port, "broker": broker.port}
        self.cables = {name: Cable(port, self._host(name), seed) for name, port in ports.items()}
        self.clocks = Clocks(folder / "clocks") if clocks else None
        self.hub = self._project(folder / "hub")
        self.roles: dict[str, Process] = {}
        self.load = Load(self.hub, LANES, pause=PAUSE_SECONDS)
        self._loading: Load | None = None
        self._closing = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="keeper", daemon=True)

    def _host(self, cable: str) -> str:
        part = "target" if cable in ("keyed", "asked") else cable
        return self.island.address(part) if self.island else "127.0.0.1"

    def _project(self, root: Path) -> HubProcess:
        root.mkdir()
        hub = HubProcess(root, self.keyed) if self.broker is None else self._cluster(root, self.broker)
        ports = {name: self.cables[name].port for name in ("keyed", "asked")}
        hub.write("config/systems.yaml", SYSTEMS.format(host=self._host("keyed"), **ports))
        hub.write("routes/orders.yaml", ROUTE)
        if self.island:
            hub.command = [*self.island.command, *hub.command]
        return hub

    def _cluster(self, root: Path, broker: BrokerServer) -> Cluster:
        hub = Cluster(root, self.keyed, self.postgres.new_database(), broker.url)
        for variable, cable in {"DATABASE_URL": "store", "BROKER_URL": "broker"}.items():
            front, _, rest = hub.environment[variable].rpartition("127.0.0.1:")
            behind = rest.lstrip("0123456789")
            hub.environment[variable] = f"{front}{self._host(cable)}:{self.cables[cable].port}{behind}"
        return hub

    # -- processes ---------------------------------------------------------------------------------------------------

    def start(self) -> None:
        for name in ["run"] if self.broker is None else ROLES:
            self._begin(name)
        self.hub.wait_until_ready()
        if isinstance(self.hub, Cluster):
            hub = self.hub
            hub.wait_for(lambda: hub.ready() | {"workers": 2, "sweeper": True} == hub.ready())
        self._keeper.start()
        self._loading = self.load.__enter__()

    def _begin(self, name: str) -> None:
        clock = self.clocks.environment(name.rpartition(" ")[2]) if self.clocks else {}
        if isinstance(self.hub, Cluster):
            command = [*ROLES[name], str(self.hub.listener.fileno())] if "--fd" in ROLES[name] else ROLES[name]
            self.roles[name] = self.hub.start_role(*command, **clock)
        else:
            self.roles[name] = self.hub.spawn("run", **clock)

    def _keep(self) -> None:
        """Start again what ended, as whoever keeps services going does. What it had started is left as it is."""
        while not self._closing.wait(RESTART_SECONDS):
            for name, process in self.roles.items():
                if process.poll() is not None:
                    self._begin(name)

    def below(self, part_of_command: bytes) -> list[int]:
        """The processes that the hub's processes have started, by what their command holds."""
        found = chain.from_iterable(_below(process.pid) for process in self.roles.values())
        return sorted(pid for pid in found if part_of_command in _command(pid))

    def kill(self, pid: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    # -- what came of it ---------------------------------------------------------------------------------------------

    def recovery(self) -> Recovery:
        """How long it takes from now until deliveries flow, and until all that was acknowledged by now has arrived.
        Raises AssertionError when a promise is broken."""
        since, missing = time.monotonic(), self._missing()
        waiting, flows = len(missing), float("inf")
        while missing or flows == float("inf"):
            time.sleep(0.02)
            missing = [reference for reference in missing if not self._arrived(reference)]
            if flows == float("inf") and min(self.keyed.last_at, self.asked.last_at) > since:
                flows = time.monotonic() - since
            late = time.monotonic() > since + PATIENCE_SECONDS
            assert not late, f"after {PATIENCE_SECONDS:g} s {len(missing)} are missing: {missing[:5]}\n{self.told()}"
        arrived = time.monotonic() - since
        self._check_effects()
        return Recovery(flows, arrived if waiting else 0.0, waiting)

    def _missing(self) -> list[str]:
        return [reference for reference in list(self.load.acknowledged) if not self._arrived(reference)]

    def _arrived(self, reference: str) -> bool:
        return reference in self.keyed.effects and reference in self.asked.effects

    def _check_effects(self) -> None:
        for name, receiver in (("keyed", self.keyed), ("asked", self.asked)):
            twice = {reference: count for reference, count in receiver.effects.copy().items() if count != 1}
            assert twice == {}, f"more than one effect at {name}: {twice}\n{self.told()}"
            assert in_order(receiver), f"effects at {name} out of order\n{self.told()}"

    def finish(self) -> int:
        """End the load and look at everything; gives how many orders were acknowledged. Raises AssertionError."""
        self.load.__exit__()
        self.hub.wait_until_quiet(PATIENCE_SECONDS)
        assert self._missing() == []
        self._check_effects()
        states = dict(self.hub.rows("SELECT state, count(*) FROM deliveries GROUP BY state"))
        orders = len(self.keyed.effects)
        assert states == {"delivered": 2 * orders}, f"{states}\n{self.told()}"
        assert self.hub.rows("SELECT state, count(*) FROM receipts GROUP BY state") == [("split", orders)], self.told()
        doctor = subprocess.run(
            [*self.hub.command, "doctor", "--conservation"], cwd=self.hub.root, env=self.hub.environment,
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert doctor.returncode == 0, doctor.stdout + doctor.stderr
        before, mistake, trace = self.whole_log().partition("Traceback")
        assert not mistake, before[-2000:] + mistake + trace[:4000]
        return len(self.load.acknowledged)

    def whole_log(self) -> str:
        return (self.hub.root / "hub.log").read_text(errors="replace")

    def told(self) -> str:
        """What the hub says of itself, for whoever reads why a run failed."""
        rows: Any = "the store does not answer"
        with suppress(Exception):
            now = time.time()
            rows = [
                (*row, *(None if due is None else f"due in {due - now:.1f} s" for due in (first, last)))
                for *row, first, last in self.hub.rows(
                    "SELECT system, state, count(*), min(due_at), max(due_at) FROM deliveries GROUP BY system, state"
                )
            ]
        return f"{rows}\n{self.whole_log()[-6000:]}"

    def close(self) -> None:
        self._closing.set()
        if self._loading is not None:
            self._keeper.join()
        for process in [*self.roles.values(), *(self.hub.processes if isinstance(self.hub, Cluster) else ())]:
            with suppress(ProcessLookupError):  # also what outlived the first of its group
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if self._loading is not None:
            self.load.__exit__()
        for cable in self.cables.values():
            cable.close()
        for receiver in (self.keyed, self.asked):
            receiver.close()
        if isinstance(self.hub, Cluster):
            self.hub.close()
            self.postgres.drop(self.hub.store)
        if self.island:
            self.island.close()

    # -- what is done to it ------------------------------------------------------------------------------------------

    def put_cables(self, state: str, *names: str) -> None:
        for name in names:
            self.cables[name].put(state)

    def mend(self) -> None:
        self.put_cables(OPEN, *self.cables)


def _below(pid: int) -> Iterator[int]:
    with suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield int(child)
            yield from _below(int(child))


def _command(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""
