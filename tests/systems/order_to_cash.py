"""A shop, an ERP, a bank, a payment provider and the hub between them, each a process of its own, on free ports."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

from servers import free_port
from sftp_server import SftpServer, sftp_server
from systems.forwarding import Forwarder
from systems.installs import wait_until
from systems.joined import Joined
from systems.stripe_payments import Stripe
from systems.tryton_erp import Tryton
from systems.vendure_shop import Vendure

STRIPE_SECRET = "whsec_of_the_tests"
SECRET = "whsec_" + base64.b64encode(b"a secret of the shop's plugin").decode()


class Chain(Joined):
    """All of them, set up and not yet started. ``door`` is what the shop and the payment provider post to."""

    def __init__(self, folder: Path, bank: SftpServer) -> None:
        super().__init__(folder / "hub", "project")
        self.bank, self.door = bank, Forwarder(self.hub.port)
        self.erp = Tryton(folder / "erp", free_port())
        self.shop = Vendure(free_port(), f"http://127.0.0.1:{self.door.port}/in/webshop", SECRET, folder / "shop.log")
        self.stripe = Stripe(free_port(), folder)
        for name, table in self.erp.tables().items():
            self.hub.write(f"mappings/tables/{name}.csv", table)
        self.hub.write(".o2c/secrets/bank", bank.key)
        self.bank_files = bank.folder("out")
        self.invoices = self.hub.root / "files/invoices"
        self.invoices.mkdir(parents=True)

    def open(self) -> None:
        self.erp.start()
        self.shop.start()
        self.shop.log_in()
        self.stripe.start()
        self.stripe.send_webhooks_to(f"http://127.0.0.1:{self.door.port}/in/stripe", STRIPE_SECRET)
        bank = {"host": "127.0.0.1", "port": self.bank.port, "host_key": self.bank.host_key, "user": self.bank.user}
        self.start(
            {"bank": bank}, SHOP_URL=f"http://127.0.0.1:{self.shop.port}", SHOP_API_KEY=self.shop.api_key(),
            SHOP_WEBHOOK_SECRET=SECRET, STRIPE_SECRET=STRIPE_SECRET, ERP_URL=self.erp.base_url, ERP_KEY=self.erp.key,
        )  # fmt: skip

    def close(self) -> None:
        with ExitStack() as last:
            for stop in (self.door.close, self.erp.stop, self.stripe.stop, self.shop.stop, self.stop):
                last.callback(stop)

    def wait(self, done: Callable[[], bool], seconds: float = 180) -> None:
        wait_until(done, seconds, lambda: f"{self.state()}\n{self.hub.log}\n{self.erp.log()}")

    def sales(self, code: str) -> list[dict[str, Any]]:
        """The ERP's sales of an order of the shop."""
        fields = (
            "number", "state", "reference", "untaxed_amount", "tax_amount", "total_amount", "shipments", "invoices",
            "party", "invoice_address.city", "shipment_address.city",
        )  # fmt: skip
        return self.erp.find("sale.sale", ["reference", "=", code], fields=fields)


def decimal(value: Any) -> Decimal:
    """A number as Tryton's JSON writes it."""
    return Decimal(value["decimal"])


@contextmanager
def running(folder: Path) -> Iterator[Chain]:
    """The whole chain, for the length of a block."""
    with sftp_server() as bank:
        chain = Chain(folder, bank)
        try:
            chain.open()
            yield chain
        finally:
            chain.close()
