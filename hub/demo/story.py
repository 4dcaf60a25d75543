"""What happens in the demo, in order: a day of orders, an outage, dead letters, repairs, replays, the sum of it all."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from rich.console import Console

from hub.client import HubClient, client_for
from hub.demo import partner
from hub.demo.balance import Counted, Line, balance
from hub.demo.facts import read_facts
from hub.demo.folder import DemoFolder, create_folder
from hub.demo.orders import DELISTED, NEW_UNIT, ShopEvent, day_of_orders
from hub.demo.process import HubProcess, wait_until
from hub.demo.screen import Screen, View, issue_table
from hub.demo.shop import Shop
from hub.demo.stubs import Stub
from hub.demo.systems import Erp, make_crm, make_warehouse
from hub.errors import HubError

_OUTAGE = (0.35, 0.6)  # from and until which part of the day the ERP is away
_PARTNER_ORDERS = 5
_QUIET_SECONDS = 25.0
_LOOK_SECONDS = 0.25


class Demo:
    """One run of the demo in a folder of its own."""

    def __init__(self, root: Path, orders: int, seconds: float, console: Console, ends: ExitStack) -> None:
        self._orders, self._seconds, self._console = orders, seconds, console
        self._erp = Erp()
        self.stubs: dict[str, Stub] = {"erp": self._erp.stub, "wms": make_warehouse(), "crm": make_crm()}
        for stub in self.stubs.values():
            ends.callback(stub.close)
        given = {"SHOP_HMAC": secrets.token_hex(32), "ERP_TOKEN": secrets.token_hex(16)}
        self.folder: DemoFolder = create_folder(root, {name: stub.url for name, stub in self.stubs.items()}, given)
        self._process = HubProcess(root, self.folder.environment)
        ends.callback(self._process.stop)
        self._hub: HubClient = client_for(root, told={})  # the demo's own hub, whatever the environment names
        self._process.wait_until_ready(self._hub)
        self._shop = Shop(self.folder.url, given["SHOP_HMAC"])
        ends.callback(self._shop.close)
        self._screen = Screen(console, View(self.folder.url, self._shop, self.stubs))
        self._looked = 0.0

    def run(self) -> list[Line]:
        """The whole story; gives the equations of its end."""
        with self._screen:
            self._day(list(day_of_orders(self._orders)))
            self._settle("waiting until everything has found its end")
            self._say_dead()
            replayed = self._repair()
            self._settle("waiting for what was replayed")
        counted = Counted(self._shop, self.stubs, _PARTNER_ORDERS, replayed)
        return list(balance(read_facts(self._hub), counted))

    # -- the day ---------------------------------------------------------------------------------------------------

    def _day(self, events: Sequence[ShopEvent]) -> None:
        self._screen.now("a day of orders")
        self._drop_partner_file()
        away, back = (int(len(events) * part) for part in _OUTAGE)
        started = time.monotonic()
        for index, event in enumerate(events):
            if index == away // 2:
                self._erp.stub.drop_next_answer()
                self._screen.tell(
                    "the ERP takes an order and cuts the line: the hub cannot know; it sends it again, same key"
                )
            if index == away:
                self._erp.stub.close()
                self._screen.tell("the ERP goes away; orders keep coming in and wait")
            if index == back:
                self._erp.stub.open()
                self._screen.tell("the ERP is back; what waited is sent, in order")
            self._shop.post(event)
            self._look()
            ahead = started + self._seconds * (index + 1) / len(events) - time.monotonic()
            time.sleep(max(0.0, ahead))
        if not self._erp.stub.is_up:
            self._erp.stub.open()

    def _drop_partner_file(self) -> None:
        path = self.folder.root / partner.NAME
        path.write_bytes(partner.partner_file(_PARTNER_ORDERS))
        self._command("send", "partner-files", str(path))

    def _look(self) -> None:
        if time.monotonic() - self._looked >= _LOOK_SECONDS:
            self._screen.show(read_facts(self._hub))
            self._looked = time.monotonic()

    def _settle(self, doing: str) -> None:
        self._screen.now(doing)

        def is_quiet() -> bool:
            facts = read_facts(self._hub)
            self._screen.show(facts)
            return facts.is_quiet and not any(self.folder.inbox.glob("*.csv"))

        wait_until(is_quiet, _QUIET_SECONDS, _LOOK_SECONDS)

    # -- what could not go through ---------------------------------------------------------------------------------

    def _say_dead(self) -> None:
        issues = read_facts(self._hub).issues
        self._console.print()
        self._console.print(issue_table(issues))
        self._console.print()

    def _repair(self) -> int:
        """Remove two causes and replay by filter; gives how many receipts the replays made. A short day may have had
        neither."""
        self._screen.now("two causes are repaired, and their dead letters replayed")
        causes = {issue["error"].get("class") for issue in read_facts(self._hub).issues}
        self._screen.tell(f"the table of units learns '{NEW_UNIT}'; then:")
        self.folder.learn_unit()
        self._command("deploy")
        messages = self._replay("--class", "lookup_missing") if "lookup_missing" in causes else 0
        self._screen.tell(f"the ERP gets the item {DELISTED}; then:")
        self._erp.learn_item(DELISTED)
        if "remote_rejected" in causes:
            self._replay("--class", "remote_rejected", "--destination", "erp")
        return messages

    def _replay(self, *filters: str) -> int:
        answer = self._command("replay", *filters, "--yes")
        sent, skipped = answer["items"].get("started", 0), answer["items"].get("skipped", 0)
        self._screen.tell(f"    {sent} sent again, {skipped} skipped")
        return int(sent)

    def _command(self, *arguments: str) -> dict[str, Any]:
        """One command of the program itself, as a user would type it."""
        shown = [Path(part).name if part.startswith("/") else part for part in arguments]
        self._screen.tell(f"  $ o2c {' '.join(shown)}")
        command = [sys.executable, "-m", "hub.cli", *arguments, "--json", "--project", str(self.folder.root)]
        ended = subprocess.run(  # noqa: S603 - this very program
            command, env=self.folder.environment, capture_output=True, text=True, check=False
        )  # fmt: skip
        if not ended.stdout:
            raise HubError(f"o2c {arguments[0]} failed: {ended.stderr.strip()}")
        answer: dict[str, Any] = json.loads(ended.stdout)
        return answer
