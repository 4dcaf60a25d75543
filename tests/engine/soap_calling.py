"""A hub with a door for calls, in process, and who calls it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from lxml import etree
from soap_services import ORDER_IN, wsdl_files
from world import HUB, World

from hub.api.doors import Doors
from hub.api.ingest import Ingest
from hub.api.soap_door import SoapDoor
from hub.project import reference_files

S11, S12 = "http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"
WSA, WSSE = (
    "http://www.w3.org/2005/08/addressing",
    ("http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"),
)
ERROR = "{urn:o2c-hub:error}"
SHOP = """
shop:
  connector: soap
  wsdl: schemas/orders.wsdl
  verify: {method: none, unsigned: true}
  replies: {CreateOrder: {number: "{message_id}", received: "{received_at}", warning: ["{field:CreateOrder.number}"]}}
  ignore: [FindOrder, Notify, order, A-1, X]
"""
ERP = "erp: {connector: http, base_url: 'http://127.0.0.1:1/', idempotency: {mode: native}}\n"
ROUTE = b"""
route: orders
from: {system: shop, event: CreateOrder}
map: soap-in
to:
  - {system: erp}
"""
SESSION = SHOP.replace("{method: none, unsigned: true}", "{method: token, header: X-Token, secrets: [secret://env/T]}")
BASIC = SHOP.replace("{method: none, unsigned: true}", "{method: basic, basic: {user: u, password: secret://env/T}}")
WSSE_SHOP = SHOP.replace("{method: none, unsigned: true}", "{user: u, secrets: [secret://env/T]}")
ORDER = (
    "<o:CreateOrder xmlns:o='urn:example:orders' xmlns='urn:example:types'><number>A-1</number><date>2026-03-05</date>"
    "<line><item>hose</item><quantity>2</quantity><price currency='EUR'>9.90</price></line>"
    "<total currency='EUR'>19.80</total></o:CreateOrder>"
)


def envelope(body: str = ORDER, header: str = "", uri: str = S11) -> bytes:
    return f"<s:Envelope xmlns:s='{uri}'><s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>".encode()


def number(text: str) -> str:
    return f"<a:MessageID xmlns:a='{WSA}'>{text}</a:MessageID>"


class Said(NamedTuple):
    """What the door has answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def root(self) -> Any:
        return etree.fromstring(self.body)

    @property
    def code(self) -> str:
        """The code of a fault of 1.1, or both codes of one of 1.2."""
        values = [each.text for each in self.root.iter("faultcode", f"{{{S12}}}Value")]
        return " ".join(text.rpartition(":")[2] for text in values)

    @property
    def reason(self) -> str:
        return str(next(self.root.iter("faultstring", f"{{{S12}}}Text")).text)

    @property
    def errors(self) -> list[dict[str, str]]:
        return [{etree.QName(each).localname: each.text for each in error} for error in self.root.iter(f"{ERROR}error")]


def asked(
    door: Any, path: str, body: bytes = b"", method: str = "POST", query: str = "", is_cut: bool = False, **headers: str
) -> Said:
    """What a door answers; nothing (status 0) where it does not. ``is_cut``: the caller goes away in the middle of the
    body."""
    sent: list[dict[str, Any]] = []
    coming = [{"type": "http.request", "body": body, "more_body": is_cut}, {"type": "http.disconnect"}]

    async def receive() -> dict[str, Any]:
        return coming.pop(0)

    async def send(event: Any) -> None:
        sent.append(event)

    scope = {
        "type": "http", "method": method, "path": path, "query_string": query.encode(), "scheme": "https",
        "headers": [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()],
        "server": ("hub", 1),
    }  # fmt: skip
    asyncio.run(door(scope, receive, send))
    if not sent:
        return Said(0, {}, b"")
    return Said(sent[0]["status"], {k.decode(): v.decode() for k, v in sent[0]["headers"]}, sent[1]["body"])


class Caller:
    """Calls the door of a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._door = SoapDoor(world.engine, Ingest(world.engine, Doors(world.folder)), world.folder)

    def __call__(
        self, body: bytes = b"", kind: str = "text/xml", method: str = "POST", path: str = "/soap/shop",
        query: str = "", **headers: str,
    ) -> Said:  # fmt: skip
        return asked(self._door, path, body, method, query, content_type=kind, **headers)

    def kept(self) -> list[tuple[Any, ...]]:
        """(event, content type) of what is stored."""
        self.world.run()
        return self.world.rows("SELECT event, content_type FROM receipts ORDER BY seq")

    def dead(self) -> list[tuple[Any, ...]]:
        return self.world.rows("SELECT state FROM messages WHERE state = 'dead'")


@contextmanager
def calling(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Caller]]:
    """What makes a caller at a hub with these systems, and with files in place of its own."""
    monkeypatch.setenv("T", "t-1")
    made: list[World] = []
    schemas = {path: raw for path, raw in reference_files().items() if path.startswith("schemas/")}

    def build(systems: str = SHOP, **more: bytes) -> Caller:
        files = {
            **schemas, **wsdl_files(), "config/hub.yaml": HUB, "config/systems.yaml": (systems + ERP).encode(),
            "routes/orders.yaml": ROUTE, "mappings/soap-in.yaml": ORDER_IN.encode(), **more,
        }  # fmt: skip
        made.append(World(tmp_path, files))
        return Caller(made[-1])

    yield build
    for world in made:
        world.close()
