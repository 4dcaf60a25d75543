"""A project that trades with mock-edi, a trading partner that others wrote: its configuration, the mock as a process of
its own, and the ERP behind the hub.

mock-edi is RETAILCO. It knows the hub by twelve names, one for each syntax, transport and role: it buys from the
``sell-`` ones and sells to the ``buy-`` ones; ``late-`` are suppliers whose patience with acknowledgements is short.

What it sends and takes as the standard has it goes by the mappings that travel with the hub. Those in ``mock_edi`` are
for what it does otherwise: its answers and changes in X12 name no buyer, its INVOIC has no tax summary; it knows fewer
codes and segments than there are (no VN for an article, no TAX in an invoice) and wants a price in each line of an 855.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from admin import add_key, call
from hub_process import HubProcess
from mockedi.testing import Mock
from receiver import Receiver
from servers import free_port

TODAY = "2026-11-29"
PROJECT = Path(__file__).parent / "mock_edi"
EVENTS = {
    "x12": {"order": "850", "order-change": "860", "order-response": "855", "despatch-advice": "856", "invoice": "810"},
    "edifact": {"order": "ORDERS", "order-change": "ORDCHG", "order-response": "ORDRSP", "despatch-advice": "DESADV",
                "invoice": "INVOIC"},
}  # fmt: skip
TO_US = {"sell": ("order", "order-change"), "buy": ("order-response", "despatch-advice", "invoice")}
TO_THEM = {"sell": ("order-response", "despatch-advice", "invoice"), "buy": ("order",)}
OVERLAYS = {
    "x12": '{"855": retailco/855, "860": retailco/860}',
    "edifact": "{ORDRSP: retailco/ORDRSP, INVOIC: retailco/INVOIC}",
}
SYSTEMS = """
retailco-http:
  connector: http
  base_url: http://127.0.0.1:{retailco}
  path: /edi
  idempotency: {{mode: native}}
  verify: {{method: none, unsigned: true}}
retailco-dir:
  connector: file
  root: {root}
  fetch: {{folder: from-retailco, pattern: "*-DIR-*.edi", every: 200ms, ready: rename, sort: mtime}}
  send: {{folder: to-retailco, name: "{{delivery_id}}.edi"}}
erp:
  connector: http
  base_url: http://127.0.0.1:{erp}
  path: /documents
  idempotency: {{mode: native}}
  verify: {{method: none, unsigned: true}}
  event: header:X-Event
"""
PARTNER = """
{name}:
  system: retailco-{transport}
  syntax: {syntax}
  us: {{id: {id}, qualifier: ZZ}}
  them: {{id: RETAILCO, qualifier: ZZ}}
  directory: {directory}
  overlays: {overlays}
  test: true
  ack: {{{ack}: always, within: {within}}}
"""
INBOUND = """
- route: {kind}-of-{name}
  from: {{partner: {name}, event: "{event}"}}
  map: {syntax}-{kind}
  key: src.order_id
  to: [{{system: erp}}]
"""
OUTBOUND = """
- route: {kind}-of-erp
  from: {{system: erp, event: {kind}}}
  map: erp-{kind}
  key: src.order_id
  to:
"""
TARGET = "    - {{partner: {name}, map: {kind}-to-{syntax}, when: src.{party}.party_id == '{id}'}}\n"


@dataclass(frozen=True)
class Side:
    """What we are to mock-edi: one of its partners, and one of the hub's."""

    role: str
    syntax: str
    transport: str

    @property
    def id(self) -> str:
        return f"{self.role}-{self.syntax[:3]}-{self.transport}".upper()

    @property
    def name(self) -> str:
        return self.id.lower()

    def partner(self) -> str:
        is_x12 = self.syntax == "x12"
        return PARTNER.format(
            name=self.name, id=self.id, transport=self.transport, syntax=self.syntax, overlays=OVERLAYS[self.syntax],
            directory='"004010"' if is_x12 else "D96A", ack='"997"' if is_x12 else "contrl",
            within="2s" if self.role == "late" else "24h",
        )  # fmt: skip

    def routes(self) -> str:
        """From RETAILCO to the ERP; what is about one order keeps its order."""
        return "".join(
            INBOUND.format(kind=kind, name=self.name, event=EVENTS[self.syntax][kind], syntax=self.syntax)
            for kind in TO_US["buy" if self.role == "buy" else "sell"]
        )


def sides(role: str) -> list[Side]:
    return [Side(role, syntax, transport) for syntax in ("x12", "edifact") for transport in ("http", "dir")]


EVERY = [side for role in ("sell", "buy", "late") for side in sides(role)]


def routes() -> str:
    """Those of each side, and one for each kind of document of the ERP to whom it names."""
    told = "".join(side.routes() for side in EVERY)
    for role, kinds in TO_THEM.items():
        ours = [side for side in EVERY if (side.role == "buy") == (role == "buy")]
        for kind in kinds:
            party = "buyer" if role == "buy" else "despatch_party" if kind == "despatch-advice" else "seller"
            told += OUTBOUND.format(kind=kind) + "".join(
                TARGET.format(name=side.name, kind=kind, syntax=side.syntax, party=party, id=side.id) for side in ours
            )
    return told


class Erp:
    """What is behind the hub: it keeps every document by its kind and id, and how often it came."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        erp = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                erp.got.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Nothing on standard error."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.port = self._http.server_address[1]
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def about(self, order_id: str) -> list[tuple[str, dict[str, Any]]]:
        """The documents that name an order, each with its kind, such as ``order_change``, in the order they came."""
        return [(self._kind(one), one) for one in list(self.got) if one.get("order_id") == order_id]

    def kinds(self, order_id: str) -> list[str]:
        return [kind for kind, _ in self.about(order_id)]

    @staticmethod
    def _kind(document: dict[str, Any]) -> str:
        kinds = ("invoice", "despatch_advice", "order_response", "order_change", "order")
        return next(kind for kind in kinds if f"{kind}_id" in document)

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


class Trade:
    """A hub, its ERP and RETAILCO, all running."""

    def __init__(self, root: Path, receiver: Receiver) -> None:
        self.erp, self.files, port = Erp(), root / "files", free_port()
        for folder in ("to-retailco", "from-retailco"):
            (self.files / folder).mkdir(parents=True)
        self.hub = HubProcess(root / "hub", receiver)
        self.process = self._retailco(root, port)
        self.retailco = Mock(f"http://127.0.0.1:{port}")
        shutil.rmtree(self.hub.root / "routes")
        shutil.rmtree(self.hub.root / "mappings")
        shutil.copytree(PROJECT, self.hub.root, dirs_exist_ok=True)
        systems = SYSTEMS.format(retailco=port, erp=self.erp.port, root=self.files)
        self.hub.write("config/systems.yaml", systems)
        self.hub.write("config/partners.yaml", "".join(side.partner() for side in EVERY))
        self.hub.write("routes/trade.yaml", routes())
        self.key = add_key(self.hub)
        self._known: set[str] | None = None
        self._last: dict[Side, int] = {}

    def start(self) -> None:
        self.hub.process = self.hub.spawn("run")
        self.hub.wait_until_ready(60)  # so many mappings take their time on a machine with other work
        self._introduce()

    def _retailco(self, root: Path, port: int) -> subprocess.Popen[bytes]:
        folders = ["--drop-dir", str(self.files / "to-retailco"), "--pickup-dir", str(self.files / "from-retailco")]
        command = [sys.executable, "-m", "mockedi", "--port", str(port), "--as2-id", "RETAILCO", "--name", "Retail Co"]
        often = ["--drop-interval-ms", "100", "--drop-settle-ms", "0", "--quiet"]
        with (root / "retailco.log").open("wb") as log:
            return subprocess.Popen([*command, *folders, *often], stdout=log, stderr=log)

    def _introduce(self) -> None:
        """Tell RETAILCO of us: each side with its role, and for HTTP where it posts to."""
        self.until(self._is_up)
        for side in EVERY:
            version = "004010" if side.syntax == "x12" else "D:96A:UN"
            body = {"id": side.id, "dialect": side.syntax.upper(), "version": version,
                    "role": "customer" if side.role == "buy" else "supplier"}  # fmt: skip
            if side.transport == "http":
                body["as2_url"] = f"http://127.0.0.1:{self.hub.port}/in/retailco-http"
            self.retailco.expect("POST", "/_mock/partners", body, status=201)

    def _is_up(self) -> bool:
        try:
            return self.retailco.get("/_mock/health").status == 200
        except OSError:
            return False

    def until(self, done: Callable[[], Any], seconds: float = 30) -> Any:
        """What ``done`` gives once it is something."""
        deadline = time.monotonic() + seconds
        while not (found := done()):
            assert time.monotonic() < deadline, f"not within {seconds} s\n{self._errors()}\n{self.hub.log}"
            time.sleep(0.05)
        return found

    def _errors(self) -> str:
        """What became a dead letter in this case."""
        return "\n".join(f"{each['code']}: {each['detail']}" for each in self.dead()) if self._known is not None else ""

    def close(self) -> None:
        self.process.terminate()
        self.process.wait()
        self.erp.close()
        assert self.hub.process is None or self.hub.stop() == 0, self.hub.log

    def begin(self) -> None:
        """Another case: RETAILCO behaves, and what there was before is not looked at."""
        for side in EVERY:
            self.behave(side, "accept")
        self._known = {letter["id"] for letter in self._letters()}
        self._last = {side: max((row["interchange"] for row in self._rows(side)), default=0) for side in EVERY}

    # -- what RETAILCO does --------------------------------------------------------------------------------------

    def behave(self, side: Side, behaviour: str) -> None:
        self.retailco.behaviour(side.id, behaviour)

    def purchase(self, side: Side, number: str, quantity: str = "100") -> None:
        """An order from RETAILCO with two lines."""
        lines = [{"sku": "WIDGET-001", "quantity": quantity, "uom": "EA", "price": "12.50"},
                 {"sku": "BRKT-050", "quantity": "40", "uom": "EA", "price": "4.15"}]  # fmt: skip
        body = {"partner": side.id, "po_number": number, "requested_on": "2026-12-15", "lines": lines}
        self.retailco.expect("POST", "/_mock/purchase", body, status=201)

    # -- what the ERP does ---------------------------------------------------------------------------------------

    def order(self, side: Side, number: str, quantity: str = "10") -> str:
        """An order of ours to RETAILCO."""
        lines = [
            {"line_id": str(n), "item": {"name": sku, "sellers_item_id": sku},
             "price": {"price_amount": {"amount": price, "currency": "USD"}},
             "quantity": {"value": quantity, "unit_code": "C62"}}
            for n, (sku, price) in enumerate({"WIDGET-001": "12.50", "BRKT-050": "4.15"}.items(), 1)
        ]  # fmt: skip
        return self.post("order", {
            "order_id": number, "channel": "edi", "issue_date": TODAY, "document_currency_code": "USD",
            "buyer": {"party_id": side.id, "name": "Our branch"}, "order_lines": lines,
            "seller": {"party_id": "RETAILCO", "name": "Retail Co"},
        })  # fmt: skip

    def confirm(self, order: dict[str, Any], **quantity: str) -> str:
        """The answer to an order: all of it accepted."""
        lines = [
            {"order_line_id": line["line_id"], "line_status_code": "5", "quantity": {**line["quantity"], **quantity}}
            for line in order["order_lines"]
        ]
        return self.post("order-response", {
            "order_response_id": f"R-{order['order_id']}", "order_id": order["order_id"], "issue_date": TODAY,
            "order_response_code": "AP", "buyer": order["buyer"], "seller": order["seller"], "order_lines": lines,
            "extensions": {"ordered": order["order_lines"]},
        })  # fmt: skip

    def ship(self, order: dict[str, Any]) -> str:
        lines = [
            {"line_id": line["line_id"], "order_id": order["order_id"], "order_line_id": line["line_id"],
             "item": line["item"], "delivered_quantity": line["quantity"]}
            for line in order["order_lines"]
        ]  # fmt: skip
        return self.post("despatch-advice", {
            "despatch_advice_id": f"D-{order['order_id']}", "issue_date": TODAY, "order_id": order["order_id"],
            "despatch_party": order["seller"], "delivery_party": order["buyer"],
            "shipment_id": f"S-{order['order_id']}", "despatch_lines": lines,
        })  # fmt: skip

    def bill(self, order: dict[str, Any]) -> str:
        def money(amount: Decimal) -> dict[str, str]:
            return {"amount": f"{amount:.2f}", "currency": order["document_currency_code"]}

        nets = [
            Decimal(line["quantity"]["value"]) * Decimal(line["price"]["price_amount"]["amount"])
            for line in order["order_lines"]
        ]
        total, untaxed = money(sum(nets, Decimal(0))), {"category_code": "O"}
        lines = [
            {"line_id": line["line_id"], "order_line_id": line["line_id"], "price": line["price"],
             "item": {**line["item"], "tax_category": untaxed}, "invoiced_quantity": line["quantity"],
             "line_extension_amount": money(net)}
            for line, net in zip(order["order_lines"], nets, strict=True)
        ]  # fmt: skip
        totals = ("line_extension_amount", "tax_exclusive_amount", "tax_inclusive_amount", "payable_amount")
        return self.post("invoice", {
            "invoice_id": f"I-{order['order_id']}", "issue_date": TODAY, "invoice_type_code": "380",
            "document_currency_code": order["document_currency_code"], "order_id": order["order_id"],
            "despatch_advice_id": f"D-{order['order_id']}", "seller": order["seller"], "buyer": order["buyer"],
            "tax_amount": money(Decimal(0)), "monetary_total": dict.fromkeys(totals, total), "invoice_lines": lines,
            "payment_terms": {"payment_days": 30}, "tax_subtotals": [
                {"taxable_amount": total, "tax_amount": money(Decimal(0)), "tax_category": untaxed}
            ],
        })  # fmt: skip

    def post(self, kind: str, document: dict[str, Any]) -> str:
        """A document of the ERP's to the hub; gives the id of the message."""
        headers = {"content-type": "application/json", "x-event": kind}
        status, answer, _ = self.hub.request("POST", "/in/erp", json.dumps(document).encode(), headers)
        assert status == 202, answer
        return str(json.loads(answer)["message_id"])

    # -- what the operator sees ----------------------------------------------------------------------------------

    def api(self, path: str) -> Any:
        return call(self.hub, self.key, "GET", path)

    def _letters(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.api("/dead-letters?group_by=none&limit=500")["items"]
        return found

    def dead(self) -> list[dict[str, Any]]:
        """The errors of this case's dead letters, once nothing is on its way any more."""
        self.hub.wait_until_quiet()
        return [letter["error"] for letter in self._letters() if letter["id"] not in (self._known or ())]

    def _rows(self, side: Side) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.api(f"/partners/{side.name}/interchanges?limit=1000")["items"]
        return found[::-1]

    def sent(self, side: Side) -> list[dict[str, Any]]:
        """The interchanges of this case to a partner in the order of their numbers, without acknowledgements."""
        rows = [row for row in self._rows(side) if row["interchange"] > self._last[side]]
        return [row for row in rows if row["type"] not in ("997", "CONTRL")]

    def acks(self, side: Side, *wanted: tuple[str, str]) -> None:
        """Wait until these are the documents that were sent to a partner, with what it said of each."""
        self.until(lambda: [(row["type"], row["ack"]) for row in self.sent(side)] == list(wanted), seconds=20)


@contextmanager
def trading(root: Path) -> Iterator[Trade]:
    receiver = Receiver()
    trade = Trade(root, receiver)
    try:
        trade.start()
        yield trade
    finally:
        trade.close()
        receiver.close()
