"""A project in which the hub has the presets of warehouses, carriers, tills and banks, both ways, and an order comes by
four channels; and the door of a warehouse that speaks JSON."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sftp_server import SftpServer

COMPANY = """
company:
  party_id: self
  party_type: organisation
  name: Example GmbH
  identifiers: [{id: "4012345000009", scheme_id: "0088"}]
  postal_address: {city_name: Berlin, country_code: DE}
"""
# What comes in by each preset: system, event, mapping.
INCOMING = (
    ("wms", "despatch", "wms-csv-despatch"), ("wms", "stock", "wms-csv-stock"), ("carrier", "status", "tms-csv-status"),
    ("provider", "despatch", "wms-csv-despatch"), ("provider", "stock", "wms-csv-stock"),
    ("provider", "status", "tms-csv-status"), ("tills", "sale", "pos-csv-sale"),
    ("tills", "day-end", "pos-csv-day-end"), ("bank", "", "statement"),
    ("wms-api", "despatch.confirmed", "wms-despatch"), ("wms-api", "stock.counted", "wms-stock"),
    ("carrier-api", "shipment.status", "tms-status"),
    ("edi", "DESADV", "edifact-despatch-advice"), ("edi", "INVRPT", "edifact-stock-level"),
    ("edi", "IFTSTA", "edifact-transport-status"), ("blue-edi", "945", "x12-945-despatch-advice"),
    ("blue-edi", "846", "x12-stock-level"), ("blue-edi", "214", "x12-transport-status"),
)  # fmt: skip
# What goes out: the canonical type, and for each target its mapping.
OUTGOING = {
    "fulfilment_request": {
        "wms": "fulfilment-request-to-wms-csv", "provider": "fulfilment-request-to-wms-csv",
        "wms-api": "fulfilment-request-to-wms", "partner blue": "fulfilment-request-to-x12",
        "partner nordmarkt": "fulfilment-request-to-edifact",
    },
    "transport_booking": {
        "carrier": "transport-booking-to-tms-csv", "carrier-api": "transport-booking-to-tms",
        "partner blue": "transport-booking-to-x12", "partner nordmarkt": "transport-booking-to-edifact",
    },
    "stock_level": {"tills": "stock-level-to-pos-csv"},
    "invoice": {"bank": "invoice-to-direct-debit"},
}  # fmt: skip
FILES = {
    "wms": "wms-csv", "carrier": "tms-csv", "provider": "3pl-csv", "tills": "pos-csv", "bank": "bank-camt053",
    "edi": "edi-sftp", "blue-edi": "edi-sftp",
}  # fmt: skip
PARTNER_OF = {"edi": "nordmarkt", "blue-edi": "blue"}
PARTNERS = """
nordmarkt:
  system: edi
  syntax: edifact
  us: {id: "4012345000009", qualifier: "14"}
  them: {id: "5412345000013", qualifier: "14"}
  directory: D96A
blue:
  system: blue-edi
  syntax: x12
  us: {id: "4012345000", qualifier: ZZ, group: EXAMPLE}
  them: {id: BLUE3PL, qualifier: ZZ, group: BLUE}
  version: "00401"
  directory: "004010"
"""


class Door:
    """An HTTP server of a warehouse or carrier: it names what it makes, or says one of ``errors``, in a 200."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str], Any]] = []
        self.errors: list[dict[str, str]] = []
        door = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                door.got.append((self.path, dict(self.headers.items()), json.loads(body)))
                answer = json.dumps(door.errors.pop() if door.errors else {"id": f"made-{len(door.got)}"}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def systems(server: SftpServer, door: Door) -> str:
    """By presets, but for what a preset cannot know: where, who, and that these tests cannot wait a minute."""
    reached = {"host": "127.0.0.1", "port": server.port, "host_key": server.host_key, "user": server.user,
               "key": "secret://file/partner"}  # fmt: skip
    soon = {"every": "1s"}
    found: dict[str, Any] = {}
    for name, preset in FILES.items():
        fetch, send = {"folder": f"{name}-out", **soon}, {"folder": f"{name}-in"}
        found[name] = {"preset": preset, **reached, "fetch": fetch, "send": send}
    for name in PARTNER_OF:
        found[name]["fetch"] |= {"polls": 2, "steady_for": "1s"}
    found["bank"]["fetch"] |= {"ready": "rename"}
    marked = {"folder": "orders-out", "pattern": "*.csv", "ready": "marker", "archive_by": "outcome", **soon}
    found["csv"] = {"connector": "sftp", "format": "csv", **reached, "fetch": marked}
    verify = {"secrets": ["secret://env/HOOK_SECRET"]}
    api = {"base_url": f"http://127.0.0.1:{door.port}", "auth": {"token": "secret://env/TOKEN"}, "verify": verify}
    found |= {"wms-api": {"preset": "wms-json", **api}, "carrier-api": {"preset": "tms-json", **api}}
    found["shop"] = {"preset": "standard-webhooks", "verify": verify}
    found["soap"] = {
        "connector": "soap", "wsdl": "schemas/four.wsdl", "replies": {"PlaceOrder": {"number": "{message_id}"}},
        "verify": {"user": "partner", "secrets": ["secret://env/PASSWORD"]},
    }  # fmt: skip
    fetch = {"folder": "office", "ready": "rename", "events": {name: f"{name}*" for name in OUTGOING}, **soon}
    found["office"] = {"connector": "file", "root": "files", "fetch": fetch,
                       "send": {"folder": "kept", "name": "{key}.json"}}  # fmt: skip
    return json.dumps(found, indent=1)


def routes() -> str:
    kept = [{"system": "office"}]
    found: list[dict[str, Any]] = [
        {"route": "shop-orders", "from": {"system": "shop", "event": "order.placed"}, "map": "shop-order", "to": kept},
        {"route": "csv-orders", "from": {"system": "csv"}, "map": "csv-order", "to": kept},
        {
            "route": "edi-orders",
            "from": {"partner": "nordmarkt", "event": "ORDERS"},
            "map": "edifact-order",
            "to": kept,
        },
        {"route": "soap-orders", "from": {"system": "soap", "event": "PlaceOrder"}, "map": "soap-order", "to": kept},
    ]
    for system, event, mapping in INCOMING:
        whose = {"partner": PARTNER_OF[system]} if system in PARTNER_OF else {"system": system}
        came = {**whose, **({"event": event} if event else {})}
        found.append({"route": f"{system}-{event or 'all'}", "from": came, "map": mapping, "to": kept})
    for kind, targets in OUTGOING.items():
        to = [
            {("partner" if name.startswith("partner ") else "system"): name.removeprefix("partner "), "map": mapping}
            for name, mapping in targets.items()
        ]
        came = {"system": "office", "event": kind}
        found.append({"route": f"office-{kind}", "from": came, "map": f"own-{kind}", "to": to})
    return json.dumps(found, indent=1)


def own_mappings() -> dict[str, str]:
    """What the office writes is canonical already."""
    return {
        f"mappings/own-{kind}.yaml": f"mapping: own-{kind}\nversion: 1\nsource: {{schema: canonical/{kind}}}\n"
        f"target: {{schema: canonical/{kind}}}\noutput: src\n"
        for kind in OUTGOING
    }


_ENVELOPES = {"ISA", "GS", "ST", "SE", "GE", "IEA", "UNB", "UNH", "UNT", "UNZ"}
_GROUPS = {"945": "SW", "846": "IB", "214": "QM"}


def interchange(kind: str, text: str, number: int) -> bytes:
    """The segments of a message, with or without an envelope, from the partner to us."""
    end, between = ("~", "*") if kind.isdigit() else ("'", "+")
    told = [segment.strip() for segment in text.split(end) if segment.strip()]
    body = [segment for segment in told if segment.split(between)[0] not in _ENVELOPES]
    if kind.isdigit():
        isa = f"ISA*00*{'':10}*00*{'':10}*ZZ*{'BLUE3PL':15}*ZZ*{'4012345000':15}*260305*0630*U*00401*{number:09}*0*P*>"
        around = [isa, f"GS*{_GROUPS[kind]}*BLUE*EXAMPLE*20260305*0630*{number}*X*004010", f"ST*{kind}*0001"]
        after = [f"SE*{len(body) + 2}*0001", f"GE*1*{number}", f"IEA*1*{number:09}"]
    else:
        head = next((segment for segment in told if segment.startswith("UNH")), f"UNH+1+{kind}:D:96A:UN")
        around = [f"UNB+UNOC:3+5412345000013:14+4012345000009:14+260305:0930+{number}", head]
        after = [f"UNT+{len(body) + 2}+1", f"UNZ+1+{number}"]
    return "".join(f"{segment}{end}" for segment in [*around, *body, *after]).encode("latin-1")
