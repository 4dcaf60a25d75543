"""SAP, an access point for e-invoices, a bank and the hub between them. The three are systems that others wrote
(mock-sap, mock-einvoice, mock-bank), each a server in a thread; the bank's files come over OpenSSH."""

from __future__ import annotations

import base64
import json
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import mockbank.server as bank_server
import mockeinvoice.server as access_point_server
import mocksap.server as sap_server
from mockeinvoice.buyer import Buyer
from sftp_server import SftpServer, sftp_server
from systems.forwarding import Forwarder
from systems.joined import Joined

ACCOUNT = "DE02120300000000202051"
NOON = "2026-03-09T12:00"  # of a Monday, on which SAP and the bank begin
_PASSWORD = "of-the-tests"
_SERVICES = "/sap/opu/odata/sap"


class Doors:
    """The doors of a system, in JSON."""

    def __init__(self, port: int, **headers: str) -> None:
        self.url, self._headers = f"http://127.0.0.1:{port}", {"Accept": "application/json", **headers}

    def ask(self, path: str, body: Any = None, method: str | None = None, **headers: str) -> Any:
        raw = self.read(path, None if body is None else json.dumps(body).encode(), method, **headers)
        return json.loads(raw) if raw else None

    def read(self, path: str, raw: bytes | None = None, method: str | None = None, **headers: str) -> bytes:
        told = {**self._headers, "Content-Type": "application/json", **headers}
        request = urllib.request.Request(self.url + quote(path, safe="/?&=$'()%:"), raw, told, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            content: bytes = answer.read()
        return content


class Sap(Doors):
    """SAP, as its clerks work with it."""

    def __init__(self, port: int) -> None:
        super().__init__(port, Authorization="Basic " + base64.b64encode(f"HUB:{_PASSWORD}".encode()).decode())
        request = urllib.request.Request(f"{self.url}{_SERVICES}/API_SALES_ORDER_SRV/", headers=self._headers)
        request.add_header("X-CSRF-Token", "Fetch")
        with urllib.request.urlopen(request, timeout=30) as answer:
            self._token = str(answer.headers["x-csrf-token"])

    def do(self, path: str, body: Any) -> Any:
        return self.ask(path, body, **{"X-CSRF-Token": self._token})

    def find(self, service: str, question: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask(f"{_SERVICES}/{service}/{question}&$format=json")["d"]["results"]
        return found

    def sell(self, items: dict[str, tuple[str, str]]) -> dict[str, Any]:
        """A sales order of so many and so much of each product, and its billing document, which is what this gives."""
        order = self.do(f"{_SERVICES}/API_SALES_ORDER_SRV/A_SalesOrder", {
            "SalesOrderType": "OR", "SalesOrganization": "1710", "DistributionChannel": "10",
            "OrganizationDivision": "00", "SoldToParty": "1000001", "TransactionCurrency": "EUR",
            "to_Item": [
                {"Material": product, "RequestedQuantity": quantity, "RequestedQuantityUnit": "PC", "NetAmount": net}
                for product, (quantity, net) in items.items()
            ],
        })["d"]["SalesOrder"]  # fmt: skip
        self.do("/sap/bc/idoc/generate", {"mestyp": "INVOIC", "SalesOrder": order})
        question = f"A_BillingDocumentItem?$filter=SalesDocument eq '{order}'"
        number = self.find("API_BILLING_DOCUMENT_SRV", question)[0]["BillingDocument"]
        [billed] = self.find("API_BILLING_DOCUMENT_SRV", f"A_BillingDocument?$filter=BillingDocument eq '{number}'")
        return billed

    def receivable(self, billed: dict[str, Any]) -> dict[str, Any]:
        """What the customer owes, or owed."""
        number = billed["AccountingDocument"]
        question = f"A_OperationalAcctgDocItemCube?$filter=AccountingDocument eq '{number}' and Customer ne ''"
        [item] = self.find("API_OPLACCTGDOCITEMCUBE_SRV", question)
        return item

    def is_cleared(self, billed: dict[str, Any]) -> bool:
        return bool(self.receivable(billed)["ClearingAccountingDocument"])

    def statements(self) -> list[dict[str, Any]]:
        """The statements that it was sent, newest first, each with what was made of it."""
        came = self.ask("/_mock/idocs?mestyp=FINSTA")["results"]
        return [self.ask(f"/sap/bc/idoc/{each['docnum']}") for each in came]


class Billing(Joined):
    """All of them, and the hub; ``door`` stands before the access point, ``files`` is what the bank's users see."""

    def __init__(self, folder: Path, sap: Sap, access_point: Doors, bank: Doors, door: Forwarder, files: Path) -> None:
        super().__init__(folder, "billing")
        self.sap, self.access_point, self.bank, self.door, self.files = sap, access_point, bank, door, files

    def invoices(self) -> dict[str, bytes]:
        """What the access point has taken, by number."""
        held = self.access_point.ask("/_mock/invoices")
        return {each["number"]: self.access_point.read(f"/_mock/invoices/{each['id']}/document") for each in held}

    def pay(self, amount: Decimal, **said: Any) -> None:
        """The customer pays; the bank has it on the statement of its next day."""
        payer = {"name": "Becker Berlin", "iban": "DE02500105170137075030"}
        self.bank.ask("/_mock/credits", {"account": "US", "amount": int(amount.scaleb(2)), "debtor": payer, **said})

    def told(self, text: str) -> set[tuple[str, str]]:
        """Where from and what the messages are that have a key that begins so."""
        items = json.loads(self.o2c("messages", "--text", text, "--json"))["items"]
        return {(each["source"], each["type"].removeprefix("canonical/")) for each in items}


@contextmanager
def running(folder: Path) -> Iterator[Billing]:
    """The whole chain, for the length of a block."""
    with ExitStack() as stack:
        sftp: SftpServer = stack.enter_context(sftp_server())
        files = sftp.folder("out")
        sap = sap_server.make_server(
            sap_server.Config(port=0, clock=NOON, basic_auth=f"HUB:{_PASSWORD}", quiet=True)
        )  # fmt: skip
        stack.callback(sap.mock.close)
        bank = bank_server.make_server(bank_server.Config(port=0, clock=NOON, quiet=True, pickup_dir=str(files)))
        point = access_point_server.serve(Buyer(), port=0, quiet=True)
        ports = [stack.enter_context(_serving(each)) for each in (sap, point, bank)]
        door = Forwarder(ports[1])
        stack.callback(door.close)
        chain = Billing(folder / "hub", Sap(ports[0]), Doors(ports[1]), Doors(ports[2]), door, sftp.root)
        chain.bank.ask("/_mock/accounts", {"id": "US", "iban": ACCOUNT, "currency": "EUR", "balance": 100_000})
        chain.hub.write(".o2c/secrets/bank", sftp.key)
        server = {"host": "127.0.0.1", "port": sftp.port, "host_key": sftp.host_key, "user": sftp.user}
        stack.callback(chain.stop)
        chain.start(
            {"bank": server}, SAP_URL=chain.sap.url, SAP_PASSWORD=_PASSWORD,
            ACCESS_POINT_URL=f"http://127.0.0.1:{door.port}",
        )  # fmt: skip
        yield chain


@contextmanager
def _serving(server: Any) -> Iterator[int]:
    """A server in a thread of its own; its port."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
